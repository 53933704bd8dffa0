//! What a run of two chains ends with.

use std::time::Duration;

use serde_json::json;
use sigmill_consensus::load::Outcome;

use super::super::{Done, Failure};
use super::Arguments;
use super::arrivals::Arrivals;

/// What was found in the end.
pub struct Found {
    /// How often the relayer was killed.
    pub kills: u64,
    /// What the first chain holds for the second.
    pub locked: u64,
    /// What the second chain has released for the first.
    pub released: u64,
    /// Senders whose counters were looked at, and how many were wrong.
    pub lanes: (u64, u64),
}

/// Milliseconds at quantiles of a list, which is sorted.
fn quantile(sorted: &[Duration], of: f64) -> f64 {
    let place = (of * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(place).map_or(0.0, |one| one.as_secs_f64() * 1_000.0).round()
}

pub fn tell(arguments: &Arguments, outcome: &Outcome, arrivals: &Arrivals, found: &Found) -> Done {
    let rate = arguments.load.unwrap_or(1);
    let due = |place: usize| outcome.start + Duration::from_secs_f64(place as f64 / rate as f64);
    let all = arrivals.times().iter().enumerate();
    let mut took: Vec<Duration> =
        all.filter_map(|(place, at)| Some((*at)?.saturating_duration_since(due(place)))).collect();
    took.sort_unstable();
    let last = arrivals.times().iter().flatten().max();
    let seconds =
        last.map_or(0.0, |last| last.saturating_duration_since(outcome.start).as_secs_f64());
    let source = |quantile| outcome.finality.value_at_quantile(quantile) as f64 / 1_000.0;
    let Found { kills, locked, released, lanes: (looked_at, wrong) } = *found;
    let report = json!({
        "validators": arguments.validators,
        "load": rate,
        "seconds": arguments.seconds,
        "delay_ms": arguments.delay,
        "relayer_kills": kills,
        "messages": outcome.planned,
        "final_on_source": outcome.total.committed,
        "delivered": arrivals.count,
        "delivered_per_second": if seconds > 0.0 { (arrivals.count as f64 / seconds).round() } else { 0.0 },
        "passed_over": arrivals.passed_over,
        "deliveries": arrivals.deliveries,
        "blocks_with_deliveries": arrivals.blocks,
        "latency_ms": {
            "p50": quantile(&took, 0.5), "p99": quantile(&took, 0.99), "max": quantile(&took, 1.0),
        },
        "source_finality_ms": { "p50": source(0.5).round(), "p99": source(0.99).round() },
        "locked": locked,
        "released": released,
        "senders_checked": looked_at,
        "senders_wrong": wrong,
    });
    match arguments.json {
        true => say!("{report}"),
        false => say!("{report:#}"),
    }
    // Each message moves 1.
    let once = arrivals.count == released && wrong == 0;
    let whole = outcome.total.committed == outcome.planned && arrivals.count == outcome.planned;
    match () {
        () if !once => {
            Err(Failure::check("what was released is not what arrived: a message counted twice"))
        }
        () if locked != outcome.total.committed => {
            Err(Failure::check("what is locked is not what was sent"))
        }
        () if !whole => Err(Failure::check(format!(
            "{} of {} messages were delivered",
            arrivals.count, outcome.planned
        ))),
        () => Ok(()),
    }
}

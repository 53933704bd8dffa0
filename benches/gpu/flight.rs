//! Batches of ECDSA by time: how long one takes alone, and what several at once gain.

use std::time::{Duration, Instant};

use serde_json::json;
use sigmill::{Batch, Terms};

use crate::clock::{Spread, quantile};
use crate::pair::{resolve, strays};
use crate::{Bench, Case};

const LATENCY_ITEMS: usize = 4_096;

/// Time of a batch, one in flight.
pub fn latency(bench: &Bench, span: Duration) -> Result<(), String> {
    let (engines, inputs) = (bench.engines()?, bench.inputs()?);
    let strayed = strays(engines);
    let least = if bench.options.software { 10 } else { 100 };
    for case in bench.served()? {
        let mut batch = resolve(&engines.gpu, inputs.batch(case, LATENCY_ITEMS))?;
        let (started, mut times) = (Instant::now(), Vec::new());
        while times.len() < least || (started.elapsed() < span / 6 && times.len() < 10_000) {
            let begun = Instant::now();
            batch = resolve(&engines.gpu, batch)?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(&times, share));
        let (name, runs) = (case.name(), times.len());
        bench.report.row(
            "latency",
            format_args!(
                "{name:16} {LATENCY_ITEMS} jobs: p50 {p50:.3} ms, p99 {p99:.3} ms, most {most:.3} ms, {runs} runs"
            ),
            json!({ "what": name, "batch": LATENCY_ITEMS, "runs": runs, "p50_ms": p50,
                    "p99_ms": p99, "max_ms": most }),
        );
    }
    if strays(engines) > strayed { Err("jobs were computed by the CPU".to_owned()) } else { Ok(()) }
}

/// Throughput with so many batches submitted before the first is waited for.
pub fn in_flight(bench: &Bench, span: Duration) -> Result<(), String> {
    let (engines, inputs) = (bench.engines()?, bench.inputs()?);
    let strayed = strays(engines);
    let items = if bench.options.software { 1_024 } else { 16_384 };
    if !bench.served()?.contains(&Case::Ecdsa) {
        return Ok(());
    }
    let mut single = None;
    for count in [1, 2, 4, 8] {
        let mut batches: Vec<Batch> = Vec::new();
        for _ in 0..count {
            batches.push(resolve(&engines.gpu, inputs.batch(Case::Ecdsa, items))?);
        }
        let (started, mut rates) = (Instant::now(), Vec::new());
        while rates.len() < 5 || started.elapsed() < span / 4 {
            let begun = Instant::now();
            let mut tickets = Vec::new();
            for batch in batches.drain(..) {
                let ticket = engines.gpu.submit(batch, Terms::default());
                tickets.push(ticket.map_err(|busy| busy.to_string())?);
            }
            for ticket in tickets {
                let answered = ticket.wait();
                if !answered.answers().all_well() {
                    return Err("a valid job was not found valid".to_owned());
                }
                batches.push(answered.into_batch());
            }
            rates.push((count * items) as f64 / begun.elapsed().as_secs_f64());
        }
        let rate = Spread::of(rates);
        let single = *single.get_or_insert(rate.median);
        let gain = rate.median / single;
        bench.report.row(
            "in-flight",
            format_args!(
                "{:16} {count} batches of {items}: {:12.0} jobs/s ({:.0} to {:.0}), {gain:.2} times one",
                Case::Ecdsa.name(), rate.median, rate.least, rate.most
            ),
            json!({ "what": Case::Ecdsa.name(), "in_flight": count, "batch": items,
                    "jobs_per_second": rate.json(), "gain": gain }),
        );
    }
    if strays(engines) > strayed { Err("jobs were computed by the CPU".to_owned()) } else { Ok(()) }
}

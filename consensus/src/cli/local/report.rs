//! What a run of validators on this machine ends with.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sigmill_consensus::client::Client;
use sigmill_consensus::config::Timeouts;
use sigmill_consensus::load::{Checked, Outcome};

use super::super::children::Kills;
use super::super::{Done, Failure};
use super::Arguments;

/// Sums over all validators of what they count: by name and label.
#[derive(Default)]
pub struct Numbers(BTreeMap<(String, String), f64>);

impl Numbers {
    pub async fn read(clients: &[Client]) -> Self {
        let mut numbers = Numbers::default();
        for client in clients {
            let Ok(text) = client.metrics().await else { continue };
            for line in text.lines().filter(|line| line.starts_with("sigmill_")) {
                let Some((name, value)) = line.rsplit_once(' ') else { continue };
                let Ok(value) = value.parse::<f64>() else { continue };
                let (name, label) = name.split_once('{').unwrap_or((name, ""));
                let label = label.split('"').nth(1).unwrap_or_default();
                *numbers.0.entry((name.to_owned(), label.to_owned())).or_default() += value;
            }
        }
        numbers
    }

    /// What was added; of a validator that was restarted, what it counted since.
    pub fn since(mut self, before: &Numbers) -> Self {
        for (name, value) in &mut self.0 {
            *value = (*value - before.0.get(name).copied().unwrap_or_default()).max(0.0);
        }
        self
    }

    pub fn family(&self, family: &str) -> impl Iterator<Item = (&str, f64)> {
        let of = self.0.iter().filter(move |((name, _), _)| name == family);
        of.map(|((_, label), value)| (label.as_str(), *value))
    }
}

/// Core seconds by stage: the engine's threads, the stages of the chain, and the rest.
fn core_seconds(spent: &Numbers) -> (BTreeMap<&str, f64>, f64) {
    let threads: Vec<_> = spent.family("sigmill_thread_core_seconds_total").collect();
    let total: f64 = threads.iter().map(|(_, seconds)| seconds).sum();
    let engine = threads
        .iter()
        .filter(|(name, _)| name.starts_with("sigmill") && *name != "sigmill-consens");
    let engine: f64 = engine.map(|(_, seconds)| seconds).sum();
    let mut stages: BTreeMap<_, _> = spent.family("sigmill_stage_core_seconds_total").collect();
    let named: f64 = stages.values().sum();
    let batches = stages.get("batches").copied().unwrap_or_default();
    stages.insert("engine threads", engine);
    stages.insert("consensus, network, files", (total - engine - named).max(0.0));
    let share = if total > 0.0 { (engine + batches) / total } else { 0.0 };
    (stages, share)
}

/// The longest that a transfer waits while a leader is dead or dies, in milliseconds, but for the time
/// to build and verify its block (SPEC.md, 13).
fn bound_ms(delay_ms: u64) -> u64 {
    let Timeouts { leader_ms, certification_ms, .. } = Timeouts::default();
    certification_ms + 5 * delay_ms + leader_ms / 3
}

pub fn report(
    arguments: &Arguments,
    outcome: &Outcome,
    spent: &Numbers,
    kills: &Kills,
    checked: &[Checked],
    elapsed: Duration,
) -> Value {
    let ms = |quantile| outcome.finality.value_at_quantile(quantile) as f64 / 1_000.0;
    let all = |family: &str| -> Map<String, Value> {
        spent.family(family).map(|(label, value)| (label.to_owned(), value.into())).collect()
    };
    let (stages, share) = core_seconds(spent);
    let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0;
    let stages: Map<_, _> = stages
        .into_iter()
        .map(|(stage, spent)| (stage.to_owned(), rounded(spent).into()))
        .collect();
    let bound = arguments.kill.then(|| bound_ms(arguments.delay));
    let over = bound.map(|bound| outcome.finality.count_between(1_000 * bound, u64::MAX));
    let receipts: Vec<Value> = checked
        .iter()
        .map(|one| json!({ "found": one.found, "missing": one.missing.len(), "failure": one.failure }))
        .collect();
    json!({
        "committed_per_second": rounded(outcome.committed_per_second),
        "finality_ms": { "p50": ms(0.5), "p99": ms(0.99), "max": ms(1.0) },
        "height": outcome.total.height,
        "planned": outcome.planned,
        "sent": outcome.total.sent,
        "late": outcome.total.late,
        "taken": outcome.total.taken,
        "committed": outcome.total.committed,
        "refused": outcome.refused,
        "lost": outcome.lost,
        "twice": outcome.twice,
        "forks": outcome.forks,
        "receipts": receipts,
        "kills": kills.json(),
        "kill_bound_ms": bound,
        "over_kill_bound": over,
        "verdicts": all("sigmill_jobs_total"),
        "devices": all("sigmill_device_jobs_total"),
        "senders": all("sigmill_senders_total"),
        "crypto_share": rounded(share),
        "core_seconds": stages,
        "seconds": rounded(elapsed.as_secs_f64()),
    })
}

pub fn verdict(
    arguments: &Arguments,
    outcome: &Outcome,
    kills: &Kills,
    checked: &[Checked],
) -> Done {
    if !outcome.forks.is_empty() {
        return Err(Failure::check(format!("validators disagree at heights {:?}", outcome.forks)));
    }
    if outcome.twice > 0 {
        return Err(Failure::check(format!("{} transfers are final twice", outcome.twice)));
    }
    if !arguments.kill && !outcome.is_complete() {
        let (committed, planned) = (outcome.total.committed, outcome.planned);
        return Err(Failure::check(format!("{committed} of {planned} transfers are final")));
    }
    if arguments.kill && kills.count() == 0 {
        return Err(Failure::check("no validator was killed: --seconds is too short"));
    }
    for (index, one) in checked.iter().enumerate() {
        if let Some(failure) = &one.failure {
            return Err(Failure::check(format!("validator {index}: {failure}")));
        }
        if !one.is_complete() {
            let missing = one.missing.len();
            return Err(Failure::check(format!(
                "validator {index}: {missing} receipts are missing"
            )));
        }
    }
    Ok(())
}

//! An engine's counts through the facade of the crate `metrics`: the host installs an exporter, or none.
//!
//! Names begin with `sigmill_` and follow Prometheus: base units, counters that only grow, labels of closed sets.
//!
//! | metric | labels | |
//! |---|---|---|
//! | `items_submitted_total` | `algorithm`, `rule`, `class` | items admitted |
//! | `items_answered_total` | `answer` | `valid`, `invalid`, `computed`, `error` |
//! | `inflight_items`, `inflight_batches`, `inflight_bytes` | | admitted and not yet answered |
//! | `queue_items`, `queue_seconds` | | wait for a lane; their predicted time |
//! | `verdicts_total` | `algorithm`, `backend`, `verdict` | by who gave them; `host`: found while parsing, or by the portable CPU |
//! | `errors_total` | `kind` | items without an answer |
//! | `admission_rejected_total` | `reason` | batches refused, by the limit that they met |
//! | `backend_state` | `backend`, `state` | 1 for the state that it is in |
//! | `backend_busy_seconds` | `backend` | time that it worked |
//! | `backend_faults_total` | `backend`, `kind` | |
//! | `backend_mismatch_total` | `backend`, `algorithm` | wrong answers: page on more than 0 |
//! | `canary_total` | `backend`, `outcome` | `right`, `wrong` |
//! | `rechecks_total` | `reason`, `outcome` | `sample`, `reject`; `agreed`, `host_wrong` |
//! | `failovers_total` | `from`, `to`, `cause` | items computed elsewhere after a fault |
//! | `batch_size` | | histogram, items |
//! | `phase_seconds` | `phase` | histogram: `parse`, `queue`, `device`, `judge` |
//! | `item_latency_seconds` | `algorithm`, `class` | histogram: admission to answer, a batch each |
//! | `uptime_seconds`, `build_info` | `version` | |
//!
//! In every set that [`Publisher::publish`] hands over, the sum of `items_submitted_total` is that of
//! `items_answered_total` and `inflight_items`.

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::algorithm::Algorithm;
use crate::dispatch::books::{Books, Distribution};
use crate::engine::{DeviceSnapshot, Engine, Health, Snapshot};
use crate::error::{BusyReason, ItemError};

/// Publishes one engine's counts.
#[derive(Debug, Default)]
pub struct Publisher {
    /// What was published: histograms take what came since.
    before: Option<Books>,
}

impl Publisher {
    /// Describes the metrics to the exporter that is installed now.
    pub fn new() -> Self {
        describe();
        Publisher::default()
    }

    /// Hands the engine's counts of this instant to the exporter: before each scrape, or every few seconds. Costs a
    /// few hundred microseconds, and the engine nothing between.
    pub fn publish(&mut self, engine: &Engine) {
        let snapshot = engine.snapshot();
        fates(&snapshot);
        for (lane, device) in snapshot.devices.iter().enumerate() {
            let serves = engine.devices().get(lane).map(|info| info.capabilities.clone());
            let serves = serves.unwrap_or_default();
            let serves: Vec<_> = serves.into_iter().map(|served| served.algorithm).collect();
            self::device(lane, device, &serves, &snapshot.books);
        }
        work(&snapshot);
        let mut since = snapshot.books.clone();
        if let Some(before) = &self.before {
            since.subtract(before);
        }
        distributions(&since);
        self.before = Some(snapshot.books);
    }
}

fn fates(snapshot: &Snapshot) {
    let Snapshot { counters, queue, books, .. } = snapshot;
    for ((algorithm, class), items) in &books.submitted {
        let (name, rule) = (algorithm.name(), algorithm.rule().unwrap_or(""));
        counter!("sigmill_items_submitted_total",
                 "algorithm" => name, "rule" => rule, "class" => class.name())
        .absolute(*items);
    }
    let tally = counters.answered;
    for (answer, items) in [
        ("valid", tally.valid),
        ("invalid", tally.invalid),
        ("computed", tally.computed),
        ("error", tally.errors),
    ] {
        counter!("sigmill_items_answered_total", "answer" => answer).absolute(items);
    }
    gauge!("sigmill_inflight_items").set(counters.in_flight as f64);
    gauge!("sigmill_inflight_batches").set(queue.batches as f64);
    gauge!("sigmill_inflight_bytes").set(queue.bytes as f64);
    gauge!("sigmill_queue_items").set(queue.waiting_items as f64);
    gauge!("sigmill_queue_seconds").set(queue.waiting as f64 / 1e9);
    gauge!("sigmill_uptime_seconds").set(snapshot.uptime.as_secs_f64());
    gauge!("sigmill_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for error in ItemError::ALL {
        let items = books.errors.get(error.name()).copied().unwrap_or_default();
        counter!("sigmill_errors_total", "kind" => error.name()).absolute(items);
    }
    for reason in BusyReason::ALL {
        let batches = books.refused.get(reason.name()).copied().unwrap_or_default();
        counter!("sigmill_admission_rejected_total", "reason" => reason.name()).absolute(batches);
    }
}

fn device(lane: usize, device: &DeviceSnapshot, serves: &[Algorithm], books: &Books) {
    let backend = || device.name.clone();
    for state in Health::NAMES {
        let is = if device.health.name() == state { 1.0 } else { 0.0 };
        gauge!("sigmill_backend_state", "backend" => backend(), "state" => state).set(is);
    }
    let busy = device.busy.as_secs_f64();
    gauge!("sigmill_backend_busy_seconds", "backend" => backend()).set(busy);
    for algorithm in serves {
        let wrong = books.mismatches.get(&(lane, *algorithm)).copied().unwrap_or_default();
        let algorithm = algorithm.to_string();
        counter!("sigmill_backend_mismatch_total", "backend" => backend(), "algorithm" => algorithm)
            .absolute(wrong);
    }
    let faults = books.faults.iter().filter(|((of, _), _)| *of == lane);
    for ((_, kind), count) in faults.clone() {
        counter!("sigmill_backend_faults_total", "backend" => backend(), "kind" => *kind)
            .absolute(*count);
    }
    let wrong = faults.filter(|((_, kind), _)| *kind == "canary").map(|(_, count)| count).sum();
    for (outcome, canaries) in [("right", device.canaries), ("wrong", wrong)] {
        counter!("sigmill_canary_total", "backend" => backend(), "outcome" => outcome)
            .absolute(canaries);
    }
}

fn work(snapshot: &Snapshot) {
    let Snapshot { books, devices, checks, .. } = snapshot;
    let name = |lane: Option<usize>| {
        let device = lane.and_then(|lane| devices.get(lane));
        device.map_or("host", |device| device.name.as_str()).to_owned()
    };
    for ((lane, algorithm), tally) in &books.answered {
        for (verdict, items) in
            [("valid", tally.valid), ("invalid", tally.invalid), ("computed", tally.computed)]
        {
            if items == 0 {
                continue;
            }
            counter!("sigmill_verdicts_total", "algorithm" => algorithm.to_string(),
                     "backend" => name(*lane), "verdict" => verdict)
            .absolute(items);
        }
    }
    for ((from, to, cause), items) in &books.failovers {
        counter!("sigmill_failovers_total", "from" => name(Some(*from)), "to" => name(*to),
                 "cause" => *cause)
        .absolute(*items);
    }
    let wrong = checks.host_wrong.min(checks.confirmed);
    for (reason, outcome, items) in [
        ("sample", "agreed", checks.sampled),
        ("reject", "agreed", checks.confirmed - wrong),
        ("reject", "host_wrong", wrong),
    ] {
        counter!("sigmill_rechecks_total", "reason" => reason, "outcome" => outcome)
            .absolute(items);
    }
}

fn distributions(since: &Books) {
    for (phase, times) in since.phases() {
        seconds(&histogram!("sigmill_phase_seconds", "phase" => phase), times);
    }
    for ((algorithm, class), times) in &since.latency {
        let (algorithm, class) = (*algorithm, class.name());
        let latency =
            histogram!("sigmill_item_latency_seconds", "algorithm" => algorithm, "class" => class);
        seconds(&latency, times);
    }
    let sizes = histogram!("sigmill_batch_size");
    for size in since.batch_items.iter_recorded() {
        let count = size.count_since_last_iteration() as usize;
        sizes.record_many(size.value_iterated_to() as f64, count);
    }
}

fn seconds(histogram: &metrics::Histogram, times: &Distribution) {
    for time in times.iter_recorded() {
        let count = time.count_since_last_iteration() as usize;
        histogram.record_many(time.value_iterated_to() as f64 / 1e9, count);
    }
}

fn describe() {
    for (name, text) in [
        ("items_submitted_total", "items admitted"),
        ("items_answered_total", "items answered"),
        ("verdicts_total", "answers by who gave them"),
        ("errors_total", "items without an answer"),
        ("admission_rejected_total", "batches refused, by the limit that they met"),
        ("backend_faults_total", "faults of devices"),
        ("backend_mismatch_total", "wrong answers of devices"),
        ("canary_total", "items whose answer the host knew beforehand"),
        ("rechecks_total", "answers of devices that the host computed again"),
        ("failovers_total", "items computed elsewhere after a fault"),
    ] {
        describe_counter!(format!("sigmill_{name}"), Unit::Count, text);
    }
    for (name, unit, text) in [
        ("inflight_items", Unit::Count, "items admitted and not yet answered"),
        ("inflight_batches", Unit::Count, "batches admitted and not yet answered"),
        ("inflight_bytes", Unit::Bytes, "bytes of those"),
        ("queue_items", Unit::Count, "items that wait for a lane"),
        ("queue_seconds", Unit::Seconds, "their predicted time"),
        ("backend_state", Unit::Count, "1 for the state that the device is in"),
        ("backend_busy_seconds", Unit::Seconds, "time that the device worked"),
        ("uptime_seconds", Unit::Seconds, "since the engine opened"),
        ("build_info", Unit::Count, "the engine's version"),
    ] {
        describe_gauge!(format!("sigmill_{name}"), unit, text);
    }
    for (name, unit, text) in [
        ("batch_size", Unit::Count, "items of a batch"),
        ("phase_seconds", Unit::Seconds, "steps of a batch's way"),
        ("item_latency_seconds", Unit::Seconds, "from admission to answer"),
    ] {
        describe_histogram!(format!("sigmill_{name}"), unit, text);
    }
}

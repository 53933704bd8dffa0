//! The answer to: would an accelerator pay here?
//!
//! A job's cost is the time of the cores that a batch keeps, over its jobs. A load's batch is what comes in
//! [`COLLECT`]: from an accelerator that wins in larger batches alone, a caller would have to wait longer.

use std::time::Duration;

use super::document::{Cell, Crossover, Device, Document, Load, Pays, Row, Verdict};
use crate::cli::units::{grouped, time};

/// Signatures a second that are judged.
const LOADS: [u64; 3] = [500, 5_000, 50_000];

/// Time for which a batch is collected: about what a block's pipeline can spare.
const COLLECT: Duration = Duration::from_millis(10);

/// Share of its capacity up to which the CPU is enough: beyond it queues grow.
const FULL: f64 = 0.8;

/// Share of the CPU that is too little for an accelerator to be worth it.
const LITTLE: f64 = 0.25;

/// The algorithms to judge by, the first that was measured.
const SIGNATURES: [&str; 3] = ["ecdsa-secp256k1", "schnorr-bip340", "recover-secp256k1"];

/// What is known of one algorithm's rows.
struct Known<'a> {
    cpu: &'a Row,
    accelerator: Option<(&'a Device, &'a Row, Option<&'a Crossover>)>,
}

/// Judges what a run has measured.
pub(super) fn judge(document: &Document) -> Verdict {
    let mut sentences: Vec<_> = document.devices.iter().filter_map(pretender).collect();
    let Some((algorithm, known)) = known(document) else {
        sentences.push(
            "No signatures were measured on the CPU: run without a filter to learn whether an \
             accelerator would pay."
                .to_owned(),
        );
        return Verdict { sentences, algorithm: None, loads: Vec::new() };
    };
    sentences.extend(capacity(&known, algorithm));
    sentences.extend(known.accelerator.map(|(device, row, at)| crossover(device, row, at)));
    let loads: Vec<_> = LOADS.into_iter().filter_map(|load| known.judge(load)).collect();
    for load in &loads {
        let Load { signatures_per_second, cpu_cores, cpu_share, why, .. } = load;
        let threads = known.threads();
        let answer = match load.accelerator {
            Pays::Yes => "An accelerator pays",
            Pays::No => "An accelerator would not pay",
            Pays::Perhaps => "An accelerator may pay",
        };
        sentences.push(format!(
            "{} signatures a second take {cpu_cores:.2} of {threads} {} ({:.1} %). {answer}: {why}.",
            grouped(*signatures_per_second as f64),
            if threads == 1 { "core" } else { "cores" },
            100.0 * cpu_share
        ));
    }
    if known.accelerator.is_none() {
        sentences.extend(known.to_beat());
    }
    Verdict { sentences, algorithm: Some(algorithm.to_owned()), loads }
}

/// What a device in software is not.
fn pretender(device: &Device) -> Option<String> {
    let what = match device.name.as_str() {
        "gpu=software" => "a driver that runs the shaders on the CPU's own cores",
        "fpga=sim" => "a card's logic, simulated on the CPU's own cores",
        _ => return None,
    };
    let name = &device.name;
    Some(format!(
        "{name} is no accelerator: it is {what}. Its rates show that the path works, and say nothing of \
         hardware."
    ))
}

fn known(document: &Document) -> Option<(&str, Known<'_>)> {
    let row = |algorithm: &str, device: &str| {
        let mut rows = document.rows.iter();
        rows.find(|row| {
            row.algorithm == algorithm && row.device == device && !row.batches.is_empty()
        })
    };
    let (algorithm, cpu) = SIGNATURES.iter().find_map(|name| Some((*name, row(name, "cpu")?)))?;
    let mut devices = document.devices.iter().filter(|device| device.accelerator);
    let accelerator = devices.find_map(|device| {
        let mut crossovers = document.crossovers.iter();
        let crossover =
            crossovers.find(|found| found.algorithm == algorithm && found.device == device.name);
        Some((device, row(algorithm, &device.name)?, crossover))
    });
    Some((algorithm, Known { cpu, accelerator }))
}

/// The CPU's best, and its single jobs.
fn capacity(known: &Known<'_>, algorithm: &str) -> Option<String> {
    let best = best(known.cpu)?;
    let least = known.cpu.batches.first()?;
    let threads = known.threads();
    let jobs = if least.batch == 1 {
        "a single one".to_owned()
    } else {
        format!("a batch of {}", least.batch)
    };
    Some(format!(
        "The CPU verifies {} signatures a second ({algorithm}) on {threads} {}, in batches of {}; \
         {jobs} takes {}.",
        grouped(best.jobs_per_second.median),
        if threads == 1 { "thread" } else { "threads" },
        best.batch,
        time(least.latency.p50_ns as f64)
    ))
}

fn crossover(device: &Device, row: &Row, found: Option<&Crossover>) -> String {
    let name = &device.name;
    let rate = best(row).map_or(0.0, |cell| cell.jobs_per_second.median);
    let from = match found {
        Some(Crossover { batch: Some(batch), .. }) => {
            format!("is faster than the CPU in batches from {batch} on")
        }
        Some(Crossover { tried_up_to, .. }) => {
            format!("was never faster than the CPU, in batches up to {tried_up_to}")
        }
        None => "was not compared with the CPU batch by batch".to_owned(),
    };
    format!("{name} {from}, and verifies {} signatures a second at best.", grouped(rate))
}

/// The cell with the highest rate.
fn best(row: &Row) -> Option<&Cell> {
    let rate = |cell: &&Cell| cell.jobs_per_second.median;
    row.batches.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)))
}

/// The cell of the largest batch up to this one, or else the smallest.
fn cell_at(row: &Row, batch: u64) -> Option<&Cell> {
    let fitting = row.batches.iter().rfind(|cell| cell.batch <= batch);
    fitting.or(row.batches.first())
}

impl Known<'_> {
    fn threads(&self) -> u64 {
        self.cpu.workload.threads.max(1)
    }

    /// Seconds of a core that a signature takes, in the best of the batches that a load brings.
    fn core_seconds(&self, batch: u64) -> Option<f64> {
        let workload = &self.cpu.workload;
        let smallest = self.cpu.batches.first()?.batch;
        let fitting = self.cpu.batches.iter().filter(|cell| cell.batch <= batch.max(smallest));
        // A batch of fewer jobs than there are threads keeps no more of them.
        let cost = |cell: &Cell| {
            let busy = self.threads().min(cell.batch.saturating_mul(workload.in_flight));
            busy as f64 / cell.jobs_per_second.median
        };
        fitting.map(cost).filter(|cost| cost.is_finite()).reduce(f64::min)
    }

    fn judge(&self, rate: u64) -> Option<Load> {
        let batch = ((rate as f64 * COLLECT.as_secs_f64()) as u64).max(1);
        let cpu_cores = rate as f64 * self.core_seconds(batch)?;
        let cpu_share = cpu_cores / self.threads() as f64;
        let cpu_enough = cpu_share <= FULL;
        let (accelerator, why) = match self.accelerator {
            None => self.without(cpu_share),
            Some((device, row, found)) => {
                let from = found.and_then(|found| found.batch);
                with(&device.name, row, from, rate, batch, cpu_share)
            }
        };
        let signatures_per_second = rate;
        Some(Load {
            signatures_per_second,
            batch,
            cpu_enough,
            cpu_share,
            cpu_cores,
            accelerator,
            why,
        })
    }

    fn without(&self, share: f64) -> (Pays, String) {
        if share <= LITTLE {
            (Pays::No, "the CPU does it beside its other work".to_owned())
        } else if share <= FULL {
            let why = "the CPU is enough, but that part of it would be free for other work";
            (Pays::Perhaps, why.to_owned())
        } else {
            let more = share / FULL * self.threads() as f64;
            let why = format!(
                "this CPU is not enough; about {} such cores are, or an accelerator",
                grouped(more.ceil())
            );
            (Pays::Perhaps, why)
        }
    }

    /// What an accelerator that was not measured would have to reach.
    fn to_beat(&self) -> Option<String> {
        let (top, best) = (LOADS[LOADS.len() - 1], best(self.cpu)?);
        let batch = (top as f64 * COLLECT.as_secs_f64()) as u64;
        let cell = cell_at(self.cpu, batch)?;
        Some(format!(
            "An accelerator would have to beat {} signatures a second, and, in the batches of {} that {} \
             bring at {} a second, this CPU's {} for {} (p99 {}), transfers and re-checks included.",
            grouped(best.jobs_per_second.median),
            grouped(batch as f64),
            time(COLLECT.as_nanos() as f64),
            grouped(top as f64),
            time(cell.latency.p50_ns as f64),
            grouped(cell.batch as f64),
            time(cell.latency.p99_ns as f64)
        ))
    }
}

/// With a device that was measured: `from` is its crossover, `batch` what the load brings.
fn with(
    name: &str,
    row: &Row,
    from: Option<u64>,
    rate: u64,
    batch: u64,
    cpu_share: f64,
) -> (Pays, String) {
    let Some(from) = from else {
        return (Pays::No, format!("{name} was never faster than the CPU"));
    };
    let most = best(row).map_or(0.0, |cell| cell.jobs_per_second.median);
    // What the two do together, each as far as it goes.
    let together = most + FULL * rate as f64 / cpu_share;
    if together < rate as f64 {
        let together = grouped(together);
        return (Pays::No, format!("{name} and the CPU together verify {together} a second"));
    }
    let wait = time(from as f64 / rate as f64 * 1e9);
    if cpu_share > FULL {
        let waits = if from > batch {
            format!(", for batches of {from} that take {wait} to collect")
        } else {
            String::new()
        };
        let most = grouped(most);
        return (Pays::Yes, format!("the CPU is not enough, and {name} verifies {most}{waits}"));
    }
    if from > batch {
        let why = format!(
            "{name} wins from batches of {from} on, which take {wait} to collect; the CPU is enough"
        );
        return (Pays::No, why);
    }
    let cell = cell_at(row, batch);
    let p99 = time(cell.map_or(0, |cell| cell.latency.p99_ns) as f64);
    let size = cell.map_or(0, |cell| cell.batch);
    if cpu_share <= LITTLE {
        let why = format!("{name} is faster in batches of {batch}, but the CPU has little to do");
        (Pays::No, why)
    } else {
        let why = format!(
            "{name} is faster in batches of {batch} (p99 {p99} for {size}), and frees the CPU's cores"
        );
        (Pays::Yes, why)
    }
}

#[cfg(test)]
mod tests;

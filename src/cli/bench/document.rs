//! The result of `sigmill bench`: what `--json` prints, `--compare` reads back, and reports are made from.
//!
//! `docs/schema/bench.json` describes it. An [`Option`] is left out where the machine does not say, or the
//! run did not ask.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(in crate::cli) use crate::cli::ceilings::Ceiling;
use crate::cli::machine::Machine;

/// The version of the document's form.
pub(in crate::cli) const SCHEMA: u32 = 1;

/// What tells it from other documents of the command.
pub(in crate::cli) const KIND: &str = "bench";

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Document {
    /// [`SCHEMA`].
    pub schema: u32,
    /// [`KIND`].
    pub kind: String,
    /// The command line that repeats the run.
    pub command: String,
    /// When it began: UTC, RFC 3339.
    pub date: String,
    /// Seconds that it took, opening included.
    pub seconds: f64,
    /// Ctrl-C ended it: what follows was measured before.
    pub interrupted: bool,
    /// Of the program.
    pub versions: Versions,
    /// Where it ran.
    pub machine: Machine,
    /// What computed, the CPU first. The device `null` is not listed.
    pub devices: Vec<Device>,
    /// What those do at most, where that was measured.
    #[serde(default)]
    pub ceilings: Vec<Ceiling>,
    /// What was measured, in the table's order.
    pub rows: Vec<Row>,
    /// The rate of one algorithm by threads of the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// One an algorithm and device beside the CPU.
    pub crossovers: Vec<Crossover>,
    /// How runs of the whole table differ, with `--repeat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
    /// This run against an older one, with `--compare`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// What `--fail-below` asked for.
    pub gates: Vec<Gate>,
    /// What speaks against trusting the figures.
    pub warnings: Vec<Warning>,
    /// Would an accelerator pay here?
    pub verdict: Verdict,
}

/// Of what was measured, and what compiled it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Versions {
    /// Of this package.
    pub sigmill: String,
    /// The commit that it was built from, in a git checkout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
    /// The compiler's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rustc: Option<String>,
}

/// A device as the engine describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Device {
    /// As `--backend` takes it.
    pub name: String,
    /// Model, level, driver, in words.
    pub description: String,
    /// More about it, by name.
    pub details: BTreeMap<String, String>,
    /// Whether it is hardware beside the CPU: not the CPU, a driver in software or a simulated card.
    pub accelerator: bool,
}

/// One algorithm on one device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Row {
    /// Its name without rule, `null` for the way through the engine alone.
    pub algorithm: String,
    /// Which of several rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The name of one of [`Document::devices`], or `null`.
    pub device: String,
    /// What it was given.
    pub workload: Workload,
    /// One a batch size, ascending.
    pub batches: Vec<Cell>,
}

/// What a row's batches hold, and how they are submitted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Workload {
    /// Batches submitted at once.
    pub in_flight: u64,
    /// Threads of the CPU backend, and of the baseline.
    pub threads: u64,
    /// Share of the jobs that are invalid, in percent; 0 for what knows no invalid jobs.
    pub invalid_percent: f64,
    /// Distinct public keys of a batch that has as many jobs; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct_keys: Option<u64>,
    /// Whether tables of the keys were made before.
    pub pinned: bool,
    /// Jobs a second that were offered in open loop, beside what was measured in closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

/// One batch size of a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Cell {
    /// Jobs a batch.
    pub batch: u64,
    /// In closed loop: the next batch is submitted when one is answered.
    pub jobs_per_second: Spread,
    /// From a batch's submission to its answers, in closed loop.
    pub latency: Latency,
    /// The rate over what the device's integer multiplications alone would allow, on the threads in use; of signatures
    /// under keys that are not pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_limit: Option<f64>,
    /// The rate against another library's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// What a million jobs take, where the machine counts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<Energy>,
    /// What a million jobs cost, in the unit of `--price-per-hour`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_per_million: Option<f64>,
    /// With `--rate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_loop: Option<OpenLoop>,
}

/// Samples of a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Spread {
    /// Half of the samples are below.
    pub median: f64,
    /// A quarter is below.
    pub p25: f64,
    /// A quarter is above.
    pub p75: f64,
    /// How many there are.
    pub samples: u64,
}

/// Nanoseconds, by percentile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Latency {
    /// The median.
    pub p50_ns: u64,
    /// One in ten takes longer.
    pub p90_ns: u64,
    /// One in a hundred takes longer.
    pub p99_ns: u64,
    /// One in a thousand takes longer.
    pub p999_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// How many there are.
    pub samples: u64,
}

/// Our rate over another library's, on the same data and threads, in turns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Baseline {
    /// The library: libsecp256k1, sha2, sha3.
    pub name: String,
    /// The median of the pairs' ratios: above 1 we are faster.
    pub median: f64,
    /// The lower quartile.
    pub low: f64,
    /// The upper quartile.
    pub high: f64,
}

/// What a million jobs take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Energy {
    /// Of all packages, or of the GPU.
    pub joules_per_million: f64,
    /// Who counted: `rapl` or `nvml`.
    pub source: String,
}

/// Batches that are sent when they are due, whether or not those before were answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct OpenLoop {
    /// Jobs a second that were to be sent.
    pub offered: f64,
    /// Jobs a second that were answered.
    pub achieved: f64,
    /// Seconds of sending.
    pub seconds: f64,
    /// From when a batch was due: corrected for coordinated omission.
    pub latency: Latency,
    /// From when it was sent, as a naive reading has it.
    pub uncorrected: Latency,
}

/// One algorithm on 1, 2, 4, .. and all threads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Scaling {
    /// Its name without rule.
    pub algorithm: String,
    /// Jobs a batch.
    pub batch: u64,
    /// Ascending by threads.
    pub points: Vec<ScalingPoint>,
}

/// One number of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct ScalingPoint {
    /// Of the CPU backend.
    pub threads: u64,
    /// In closed loop.
    pub jobs_per_second: Spread,
}

/// From which batch on a device beats the CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Crossover {
    /// Its name without rule.
    pub algorithm: String,
    /// Which of several rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The device beside the CPU.
    pub device: String,
    /// The smallest batch, a power of two, from which it is faster; absent if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// The largest batch that was tried.
    pub tried_up_to: u64,
}

/// Runs of the whole table, one after the other. The rows pool the samples of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Repeats {
    /// How many.
    pub runs: u64,
    /// Share by which the runs of a row may differ and count as the same.
    pub tolerance: f64,
    /// Whether all do.
    pub steady: bool,
    /// One a row and batch size.
    pub rows: Vec<RepeatedCell>,
}

/// One batch size of a row, run by run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct RepeatedCell {
    /// Its name without rule.
    pub algorithm: String,
    /// Where.
    pub device: String,
    /// Jobs a batch.
    pub batch: u64,
    /// Each run's ratio to the baseline, or its rate over the first run's where there is none.
    pub ratios: Vec<f64>,
    /// The largest over the smallest, less 1.
    pub spread: f64,
}

/// A run against an older one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Comparison {
    /// The older one's command.
    pub command: String,
    /// The older one's date.
    pub date: String,
    /// In what the machines differ, in words; empty if in nothing that counts.
    pub differences: Vec<String>,
    /// What both measured.
    pub rows: Vec<ComparedCell>,
    /// What one of them alone measured, as `algorithm device batch`.
    pub unmatched: Vec<String>,
}

/// One batch size of a row, then and now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct ComparedCell {
    /// Its name without rule.
    pub algorithm: String,
    /// Where.
    pub device: String,
    /// Jobs a batch.
    pub batch: u64,
    /// Jobs a second, the older run's median.
    pub old: f64,
    /// Jobs a second, this run's median.
    pub new: f64,
    /// New over old: above 1 it became faster.
    pub ratio: f64,
    /// Whether the quartiles of the two do not overlap.
    pub differs: bool,
}

/// One bound of `--fail-below`, applied to one cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Gate {
    /// The bound as it was given.
    pub bound: String,
    /// The cell, as `algorithm device batch`.
    pub cell: String,
    /// What was asked for: a ratio, or jobs a second.
    pub wanted: f64,
    /// What was measured; absent if the cell was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<f64>,
    /// Whether that is enough.
    pub met: bool,
}

/// What speaks against trusting the figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Warning {
    /// Of a closed set.
    pub kind: WarningKind,
    /// What was seen, and what to do.
    pub text: String,
}

/// The closed set of warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum WarningKind {
    /// The program was built without optimisation.
    DebugBuild,
    /// The cores' clocks differ between start and end.
    Frequency,
    /// The cores were slowed for their heat.
    Throttled,
    /// The hypervisor gave the cores' time to others.
    Steal,
    /// Others keep the cores busy.
    Load,
    /// A container may use less than the threads take.
    Quota,
    /// A fixed calculation took different times throughout the run.
    Unsteady,
    /// A cell has too few samples for its percentiles.
    FewSamples,
    /// A device is new: all that it computes is computed again.
    Probation,
    /// A device was not in service at the end.
    OutOfService,
    /// Runs of the table differ.
    RepeatsDiffer,
    /// The machines of a comparison differ.
    OtherMachine,
}

/// The answer to: would an accelerator pay here?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Verdict {
    /// In words, in the order in which they are to be read.
    pub sentences: Vec<String>,
    /// The signature algorithm that was judged by; absent if the run measured none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// Ascending by load.
    pub loads: Vec<Load>,
}

/// One load of signatures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Load {
    /// Verified each second.
    pub signatures_per_second: u64,
    /// Signatures that come in the time for which a batch is collected.
    pub batch: u64,
    /// Whether the CPU alone does it.
    pub cpu_enough: bool,
    /// Share of the CPU backend's threads that it takes; above 1 they do not suffice.
    pub cpu_share: f64,
    /// The same in cores.
    pub cpu_cores: f64,
    /// Whether an accelerator would pay.
    pub accelerator: Pays,
    /// Why.
    pub why: String,
}

/// Whether an accelerator would pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Pays {
    /// It was measured, and does.
    Yes,
    /// It was measured and does not, or nothing is left for it to gain.
    No,
    /// None was measured, and one may.
    Perhaps,
}

impl Document {
    /// Fills [`Cell::share_of_limit`] from [`Document::ceilings`].
    pub fn judge_by_ceilings(&mut self) {
        for row in self.rows.iter_mut().filter(|row| !row.workload.pinned) {
            let Row { algorithm, device, batches, .. } = row;
            let ceiling = self.ceilings.iter().find(|ceiling| ceiling.device == *device);
            for cell in batches {
                let share =
                    |ceiling: &Ceiling| ceiling.share(algorithm, cell.jobs_per_second.median);
                cell.share_of_limit = ceiling.and_then(share);
            }
        }
    }
}

#[cfg(test)]
mod tests;

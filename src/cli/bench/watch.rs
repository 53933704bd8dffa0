//! What speaks against trusting the figures: the machine and the run are watched from start to end.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use sigmill::Engine;
use sigmill::engine::{DeviceSnapshot, Health};

use super::document::{Document, Warning, WarningKind};
use crate::cli::machine::{Machine, System, Ticks};

/// Share by which the cores' clocks may change.
const CLOCK: f64 = 0.05;
/// Share of the time that the hypervisor may give to others.
const STOLEN: f64 = 0.01;
/// Share of the time that others on this machine may take.
const OTHERS: f64 = 0.05;
/// Share by which the fixed calculation may differ.
const UNSTEADY: f64 = 0.10;
/// Fewest samples of a rate.
const SAMPLES: u64 = 5;

/// What the machine's counters were when the run began, and what the fixed calculation took since.
pub(super) struct Watch<'a> {
    root: &'a Path,
    frequency: Option<u64>,
    throttles: Option<u64>,
    ticks: Option<Ticks>,
    times: Vec<Duration>,
}

impl<'a> Watch<'a> {
    /// Begins: to be called before anything is measured. `alone` says that this process does all the work, and
    /// has no device in another.
    pub fn begin(root: &'a Path, alone: bool) -> Self {
        let system = System(root);
        let mut watch =
            Watch { root, frequency: None, throttles: None, ticks: None, times: Vec::new() };
        // The calculation wakes the core's clock.
        watch.look();
        watch.frequency = system.frequency();
        (watch.throttles, watch.ticks) = (system.throttles(), system.ticks());
        if let Some(ticks) = watch.ticks.as_mut().filter(|_| !alone) {
            ticks.own = None;
        }
        watch
    }

    /// Times the fixed calculation: the median of nine, so that being interrupted once says nothing, and a
    /// core that is shared shows.
    pub fn look(&mut self) {
        let mut times: [Duration; 9] = std::array::from_fn(|_| {
            let started = Instant::now();
            black_box(calculation());
            started.elapsed()
        });
        times.sort();
        self.times.push(times[times.len() / 2]);
    }

    /// What was seen of the machine until now.
    pub fn end(&mut self, machine: &Machine, threads: u64) -> Vec<Warning> {
        self.look();
        let mut seen = Vec::new();
        let mut warn = |kind, text| seen.push(Warning { kind, text });
        if cfg!(debug_assertions) {
            let text = "this is a debug build: its rates say nothing; build with --release";
            warn(WarningKind::DebugBuild, text.to_owned());
        }
        let system = System(self.root);
        if let (Some(then), Some(now)) = (self.frequency, system.frequency())
            && apart(then as f64, now as f64) > CLOCK
        {
            let mhz = |khz: u64| khz / 1_000;
            let (then, now) = (mhz(then), mhz(now));
            let text = format!(
                "the cores' clock changed from {then} to {now} MHz; fix it (governor \
                                `performance`, no turbo) or repeat"
            );
            warn(WarningKind::Frequency, text);
        }
        if let (Some(then), Some(now)) = (self.throttles, system.throttles())
            && now > then
        {
            let text = format!("the cores were slowed for their heat {} times", now - then);
            warn(WarningKind::Throttled, text);
        }
        if let (Some(then), Some(now)) = (self.ticks, system.ticks()) {
            let all = now.all.saturating_sub(then.all).max(1);
            let share = now.steal.saturating_sub(then.steal) as f64 / all as f64;
            if share > STOLEN {
                let percent = 100.0 * share;
                let text =
                    format!("the hypervisor gave {percent:.0} % of the cores' time to others");
                warn(WarningKind::Steal, text);
            }
            if let Some(share) = others(&then, &now).filter(|share| *share > OTHERS) {
                let percent = 100.0 * share;
                let text = format!(
                    "others on this machine took {percent:.0} % of the cores' time in the run"
                );
                warn(WarningKind::Load, text);
            }
        }
        if let (Some(load), Some(cores)) = (machine.load_average, machine.cores)
            && load > cores as f64
        {
            let text = format!(
                "the load average was {load:.1} on {cores} cores when this began: \
                                others compute too"
            );
            warn(WarningKind::Load, text);
        }
        if let Some(quota) = machine.quota_cores.filter(|quota| (threads as f64) > quota.ceil()) {
            let text = format!(
                "the container may take {quota:.1} cores, and {threads} threads \
                                compute: name fewer with --threads"
            );
            warn(WarningKind::Quota, text);
        }
        let (least, most) = (self.times.iter().min(), self.times.iter().max());
        if let (Some(least), Some(most)) = (least, most)
            && apart(least.as_secs_f64(), most.as_secs_f64()) > UNSTEADY
        {
            let by = 100.0 * apart(least.as_secs_f64(), most.as_secs_f64());
            let text = format!(
                "a fixed calculation took up to {by:.0} % longer at some times than \
                                at others: the machine is busy or its clock moves"
            );
            warn(WarningKind::Unsteady, text);
        }
        seen
    }
}

/// Share of all time in which neither this process ran nor nothing.
fn others(then: &Ticks, now: &Ticks) -> Option<f64> {
    let own = now.own?.saturating_sub(then.own?);
    let all = now.all.saturating_sub(then.all);
    let free = now.idle.saturating_sub(then.idle) + now.steal.saturating_sub(then.steal);
    Some(all.saturating_sub(free).saturating_sub(own) as f64 / all.max(1) as f64)
}

/// By what share the larger is above the smaller.
fn apart(a: f64, b: f64) -> f64 {
    let (low, high) = (a.min(b), a.max(b));
    if low > 0.0 { high / low - 1.0 } else { 0.0 }
}

/// A chain of multiplications, about a millisecond: it depends on the clock, and on nothing else.
fn calculation() -> u64 {
    (0..300_000u64).fold(black_box(1), |value, round| {
        (value ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
    })
}

/// Cells with too few samples.
pub(super) fn few_samples(document: &Document) -> Option<Warning> {
    let cells = document.rows.iter().flat_map(|row| {
        let few = row.batches.iter().filter(|cell| cell.jobs_per_second.samples < SAMPLES);
        few.map(move |cell| format!("{} {} {}", row.algorithm, row.device, cell.batch))
    });
    let cells: Vec<_> = cells.collect();
    let text = format!("fewer than {SAMPLES} samples of {}: give more --seconds", listed(&cells));
    (!cells.is_empty()).then_some(Warning { kind: WarningKind::FewSamples, text })
}

/// The first few of a list, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let more = names.len().saturating_sub(SHOWN);
    let first = names[..names.len() - more].join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}

/// What is wrong with an engine's device when all is measured: `host` if it is the CPU.
pub(super) fn device(engine: &Engine, host: bool) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |kind, text| warnings.push(Warning { kind, text });
    for DeviceSnapshot { name, items, faults, health, .. } in engine.snapshot().devices {
        if !host && name == "cpu" {
            // Of an engine without a CPU lane it is the last resort.
            if items > 0 {
                let text = format!(
                    "{items} jobs for the device beside the CPU were computed by \
                                    the last resort, a portable CPU: its rates are too low"
                );
                warn(WarningKind::OutOfService, text);
            }
            continue;
        }
        match health {
            Health::Healthy if faults > 0 => {
                warn(WarningKind::OutOfService, format!("{name} failed {faults} times in the run"));
            }
            Health::Healthy => {}
            Health::Probation { .. } => {
                let text = format!(
                    "{name} is in probation: the host computes all of its answers \
                                    again, which its rates include"
                );
                warn(WarningKind::Probation, text);
            }
            _ => {
                let text = format!(
                    "{name} is out of service: its rates are those of what computed \
                                    in its place"
                );
                warn(WarningKind::OutOfService, text);
            }
        }
    }
    warnings
}

#[cfg(test)]
mod tests;

//! Batches in closed loop: so many in flight, the next is submitted when the oldest is answered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sigmill::{Algorithm, Engine, Terms, Ticket};

use super::baseline::{self, Baseline};
use super::energy::Meter;
use super::statistics::Latencies;
use crate::cli::drive::is_interrupted;
use crate::cli::workload::{Load, Source};
use crate::cli::{Failure, Status};

/// What is measured, on which engine.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub engine: &'a Engine,
    pub algorithm: Algorithm,
    pub source: &'a Source,
    /// Jobs a batch.
    pub size: usize,
    pub in_flight: usize,
}

/// What came of it; more of the same can be added.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// Jobs a second.
    pub rates: Vec<f64>,
    /// Of each batch.
    pub latencies: Latencies,
    /// Our rate over the baseline's in the same moment.
    pub ratios: Vec<f64>,
    /// Joules of so many jobs.
    pub energy: Option<(f64, u64)>,
}

impl Measured {
    /// Pools the samples of another run.
    pub fn add(&mut self, other: Measured) {
        self.rates.extend(other.rates);
        self.latencies.add(&other.latencies);
        self.ratios.extend(other.ratios);
        if let Some((joules, jobs)) = other.energy {
            let (all, of) = self.energy.get_or_insert((0.0, 0));
            (*all, *of) = (*all + joules, *of + jobs);
        }
    }
}

/// Batches of one size that are submitted in turn, so that short ones hold distinct jobs too.
pub(super) struct Ring<'a> {
    subject: Subject<'a>,
    waiting: VecDeque<Load>,
    /// When each was submitted, if that is asked for, and its first item.
    flying: VecDeque<(Ticket, Option<Instant>, usize)>,
}

/// Jobs of all batches of a ring, if that takes no more batches than [`MOST_BATCHES`].
const DISTINCT: usize = 4_096;
const MOST_BATCHES: usize = 64;

impl<'a> Ring<'a> {
    pub fn new(subject: Subject<'a>) -> Self {
        let Subject { algorithm, source, size, in_flight, .. } = subject;
        let batches = DISTINCT.div_ceil(size).min(MOST_BATCHES).max(in_flight);
        let waiting = (0..batches).map(|i| source.load(algorithm, i * size, size)).collect();
        Ring { subject, waiting, flying: VecDeque::with_capacity(in_flight) }
    }

    /// Submits so many batches, waits for all answers, and judges them.
    pub fn turn(
        &mut self,
        batches: usize,
        mut latencies: Option<&mut Latencies>,
    ) -> Result<(), Failure> {
        for _ in 0..batches {
            if self.flying.len() == self.subject.in_flight {
                self.settle(&mut latencies)?;
            }
            let Load { batch, first } = self.waiting.pop_front().expect("more than are in flight");
            let begun = latencies.as_ref().map(|_| Instant::now());
            let submitted = self.subject.engine.submit(batch, Terms::default());
            let ticket = submitted.map_err(|busy| Failure::new(Status::Error, busy.to_string()))?;
            self.flying.push_back((ticket, begun, first));
        }
        while !self.flying.is_empty() {
            self.settle(&mut latencies)?;
        }
        Ok(())
    }

    fn settle(&mut self, latencies: &mut Option<&mut Latencies>) -> Result<(), Failure> {
        let Some((ticket, begun, first)) = self.flying.pop_front() else { return Ok(()) };
        let answered = ticket.wait();
        if let (Some(latencies), Some(begun)) = (latencies, begun) {
            latencies.record(begun.elapsed());
        }
        self.subject.source.judge(first, answered.answers())?;
        self.waiting.push_back(Load { batch: answered.into_batch(), first });
        Ok(())
    }
}

/// Samples that a cell is to have, if its batches are short enough: the shorter they are, the fewer does a moment
/// spoil in which the machine does something else.
const SAMPLES: u32 = 64;
/// A batch shorter than this is timed apart from the rate, which the clock's own time would lower.
const SHORT: Duration = Duration::from_micros(20);
/// Most batches of a sample: the look at the clock is nothing beside them.
const MOST_REPEATS: u128 = 100_000;

/// Measures for about `span`, in turns with the baseline if there is one.
pub(super) fn measure(
    subject: Subject<'_>,
    baseline: Option<&Baseline>,
    meter: Option<&Meter>,
    span: Duration,
) -> Result<Measured, Failure> {
    let Subject { size, in_flight, source, algorithm, .. } = subject;
    let mut ring = Ring::new(subject);
    let mut measured = Measured::default();
    let started = Instant::now();
    ring.turn(1, Some(&mut measured.latencies))?;
    let once = started.elapsed();
    if once > span / 2 {
        // So slow that its first batch, which warms up, has to do.
        measured.rates.push(size as f64 / once.as_secs_f64());
        return Ok(measured);
    }
    measured.latencies = Latencies::default();
    // The first batch takes longer than others.
    let begun = Instant::now();
    ring.turn(in_flight, None)?;
    let once = begun.elapsed() / in_flight as u32;
    let sample = span / if baseline.is_some() { 2 * SAMPLES } else { SAMPLES };
    let repeats = |once: Duration| {
        (sample.as_nanos() / once.as_nanos().max(1)).clamp(1, MOST_REPEATS) as usize
    };
    // Other libraries do what is in flight as one batch, or enough of it for what one job takes there.
    let theirs_at_once = baseline::at_once(algorithm, size * in_flight);
    let their_repeats = match baseline {
        // Its threads take a while to wake, which one short batch would drown in.
        Some(baseline) => {
            let mut tried = 1;
            loop {
                let begun = Instant::now();
                baseline.run(source, algorithm, theirs_at_once, 0..tried)?;
                let took = begun.elapsed();
                if took > sample / 8 || tried as u128 >= MOST_REPEATS {
                    break repeats(took / tried as u32);
                }
                tried *= 4;
            }
        }
        None => 0,
    };
    let mut next = 0;
    let mut time = |baseline: &Baseline| {
        let batches = next..next + their_repeats;
        next = batches.end;
        let begun = Instant::now();
        baseline.run(source, algorithm, theirs_at_once, batches)?;
        Ok::<_, Failure>((theirs_at_once * their_repeats) as f64 / begun.elapsed().as_secs_f64())
    };
    // Filling and draining the flight is a small part of a sample.
    let repeats = repeats(once).max(if in_flight > 1 { 4 * in_flight } else { 1 });
    let short = once < SHORT;
    let mut round = 0;
    while round < 3 || started.elapsed() < span {
        if is_interrupted() {
            break;
        }
        // The order alternates, so that a drift of the clock favours neither.
        let theirs_first = round % 2 == 1;
        let mut theirs = None;
        if let Some(baseline) = baseline.filter(|_| theirs_first) {
            theirs = Some(time(baseline)?);
        }
        let reading = meter.and_then(Meter::read);
        let begun = Instant::now();
        ring.turn(repeats, (!short).then_some(&mut measured.latencies))?;
        let jobs = size * repeats;
        let ours = jobs as f64 / begun.elapsed().as_secs_f64();
        if let (Some(meter), Some(before)) = (meter, &reading)
            && let Some(taken) = meter.since(before)
        {
            let (all, of) = measured.energy.get_or_insert((0.0, 0));
            (*all, *of) = (*all + taken, *of + jobs as u64);
        }
        measured.rates.push(ours);
        if let Some(baseline) = baseline.filter(|_| !theirs_first) {
            theirs = Some(time(baseline)?);
        }
        measured.ratios.extend(theirs.map(|theirs| ours / theirs));
        if short {
            ring.turn(repeats.div_ceil(4), Some(&mut measured.latencies))?;
        }
        round += 1;
    }
    Ok(measured)
}

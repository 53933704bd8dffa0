//! The table: algorithms on devices, in batches of several sizes.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sigmill::{Algorithm, Engine};

use super::baseline::{self, Baseline};
use super::closed_loop::{self, Measured, Subject};
use super::document::{self, Cell, Crossover, OpenLoop, Row, Scaling, ScalingPoint, Workload};
use super::energy::Meter;
use super::options::Arguments;
use super::statistics::spread;
use super::watch::Watch;
use super::{crossover, open_loop};
use crate::cli::Failure;
use crate::cli::drive::is_interrupted;
use crate::cli::workload::{Source, has_keys, judges};

/// What a run measures with.
pub(super) struct Bench<'a> {
    pub arguments: &'a Arguments,
    pub source: &'a Source,
    pub cpu: &'a Engine,
    pub baseline: Option<Baseline>,
    /// Of the CPU backend.
    pub threads: usize,
}

/// One algorithm on one engine.
pub(super) struct Plan<'a> {
    pub algorithm: Algorithm,
    pub engine: &'a Engine,
    pub device: String,
    /// Whether the engine's device stands beside the CPU.
    pub beside: bool,
    pub meter: Option<Meter>,
}

/// What was measured of a plan's row: one a batch size, as far as the run came.
#[derive(Default)]
pub(super) struct Found {
    pub cells: Vec<(Measured, Option<OpenLoop>)>,
    pub crossover: Option<crossover::Crossover>,
}

/// Share of a row's time that one number of threads gets.
const POINT: f64 = 0.3;

/// The algorithm whose rate is told by threads.
const SCALED: &str = "ecdsa-secp256k1";

impl Bench<'_> {
    /// Measures every row once, for about `span` in all, open loops apart.
    pub fn run(
        &self,
        plans: &[Plan<'_>],
        span: Duration,
        watch: &mut Watch<'_>,
        bar: &ProgressBar,
    ) -> Result<Vec<Found>, Failure> {
        // A search for the crossover takes the time of a row.
        let searches = plans.iter().filter(|plan| plan.beside).count();
        let points = POINT * self.scaled(plans).map_or(0, |_| self.thread_counts().len()) as f64;
        let row = span.div_f64((plans.len() + searches) as f64 + points);
        let mut all = Vec::new();
        for plan in plans {
            let mut found = Found::default();
            for &size in &self.arguments.batch {
                bar.set_message(format!("{} {} {size}", plan.algorithm.name(), plan.device));
                if is_interrupted() {
                    break;
                }
                let cell = self.cell(plan, size, row / self.arguments.batch.len() as u32)?;
                if cell.0.rates.is_empty() {
                    // Interrupted before anything was measured.
                    break;
                }
                found.cells.push(cell);
                bar.inc(1);
            }
            if plan.beside && !is_interrupted() {
                bar.set_message(format!("{} {} crossover", plan.algorithm.name(), plan.device));
                let subject = self.subject(plan, 1);
                found.crossover = Some(crossover::find(self.cpu, subject, row)?);
            }
            all.push(found);
            watch.look();
            if is_interrupted() {
                break;
            }
        }
        Ok(all)
    }

    /// Measures the rate by threads, in the share of a run's `span` that is left for it.
    pub fn scaling(
        &self,
        plans: &[Plan<'_>],
        span: Duration,
        bar: &ProgressBar,
    ) -> Result<Option<Scaling>, Failure> {
        let Some(plan) = self.scaled(plans) else { return Ok(None) };
        let size = self.arguments.batch.last().copied().unwrap_or(1);
        let searches = plans.iter().filter(|plan| plan.beside).count();
        let counts = self.thread_counts();
        let rows = (plans.len() + searches) as f64 + POINT * counts.len() as f64;
        let each = span.div_f64(rows / POINT);
        let mut points = Vec::new();
        for threads in counts {
            bar.set_message(format!("{} on {threads} threads", plan.algorithm.name()));
            if is_interrupted() {
                break;
            }
            let engine = Engine::builder().threads(threads).open()?;
            let subject = Subject { engine: &engine, ..self.subject(plan, size) };
            let rates = closed_loop::measure(subject, None, None, each)?.rates;
            if rates.is_empty() {
                break;
            }
            points.push(ScalingPoint { threads: threads as u64, jobs_per_second: spread(&rates) });
            bar.inc(1);
        }
        let (algorithm, batch) = (plan.algorithm.name().to_owned(), size as u64);
        Ok(Some(Scaling { algorithm, batch, points }))
    }

    fn scaled<'p>(&self, plans: &'p [Plan<'p>]) -> Option<&'p Plan<'p>> {
        plans.iter().find(|plan| plan.algorithm.name() == SCALED && !plan.beside)
    }

    /// 1, 2, 4, .. and all.
    fn thread_counts(&self) -> Vec<usize> {
        let powers = std::iter::successors(Some(1), |threads| Some(2 * threads));
        powers.take_while(|threads| *threads < self.threads).chain([self.threads]).collect()
    }

    /// A bar on standard error, where that is a terminal, for so many runs.
    pub fn bar(&self, plans: &[Plan<'_>]) -> ProgressBar {
        let cells = plans.len() * self.arguments.batch.len() * self.arguments.repeat as usize;
        let points = self.scaled(plans).map_or(0, |_| self.thread_counts().len());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("a template");
        ProgressBar::new((cells + points) as u64).with_style(style)
    }

    fn subject<'s>(&'s self, plan: &Plan<'s>, size: usize) -> Subject<'s> {
        let in_flight = self.arguments.in_flight;
        let Plan { engine, algorithm, .. } = *plan;
        Subject { engine, algorithm, source: self.source, size, in_flight }
    }

    fn cell(
        &self,
        plan: &Plan<'_>,
        size: usize,
        span: Duration,
    ) -> Result<(Measured, Option<OpenLoop>), Failure> {
        let subject = self.subject(plan, size);
        let library = baseline::library(plan.algorithm);
        let baseline = self.baseline.as_ref().filter(|_| library.is_some());
        let measured = closed_loop::measure(subject, baseline, plan.meter.as_ref(), span)?;
        let open = match self.arguments.rate {
            Some(rate) if !is_interrupted() => {
                let span = Duration::from_secs_f64(self.arguments.duration);
                Some(open_loop::measure(subject, rate, span)?)
            }
            _ => None,
        };
        Ok((measured, open))
    }

    /// A row of the document.
    pub fn row(&self, plan: &Plan<'_>, found: &Found) -> Row {
        let Arguments { batch, in_flight, invalid, pinned, rate, price_per_hour, .. } =
            self.arguments;
        let keys = self.arguments.key_count().min(self.source.items.len());
        let cell = |(size, (measured, open)): (&usize, &(Measured, Option<OpenLoop>))| {
            let jobs_per_second = spread(&measured.rates);
            let ratios = spread(&measured.ratios);
            let name = baseline::library(plan.algorithm).filter(|_| ratios.samples > 0);
            let baseline = name.map(|name| document::Baseline {
                name: name.to_owned(),
                median: ratios.median,
                low: ratios.p25,
                high: ratios.p75,
            });
            let energy = plan.meter.as_ref().zip(measured.energy).map(|(meter, (joules, jobs))| {
                document::Energy {
                    joules_per_million: 1e6 * joules / jobs.max(1) as f64,
                    source: meter.source().to_owned(),
                }
            });
            let cost = |price| 1e6 * price / 3_600.0 / jobs_per_second.median;
            Cell {
                batch: *size as u64,
                jobs_per_second,
                latency: measured.latencies.figures(),
                share_of_limit: None,
                baseline,
                energy,
                cost_per_million: price_per_hour.map(cost),
                open_loop: open.clone(),
            }
        };
        Row {
            algorithm: plan.algorithm.name().to_owned(),
            rule: plan.algorithm.rule().map(str::to_owned),
            device: plan.device.clone(),
            workload: Workload {
                in_flight: *in_flight as u64,
                threads: self.threads as u64,
                invalid_percent: if judges(plan.algorithm) { *invalid } else { 0.0 },
                distinct_keys: has_keys(plan.algorithm).then_some(keys as u64),
                pinned: *pinned && has_keys(plan.algorithm),
                rate: *rate,
            },
            batches: batch.iter().zip(&found.cells).map(cell).collect(),
        }
    }
}

impl Plan<'_> {
    /// The document's word on the crossover.
    pub fn crossover(&self, found: &Found) -> Option<Crossover> {
        let crossover::Crossover { from, tried } = found.crossover.as_ref()?;
        Some(Crossover {
            algorithm: self.algorithm.name().to_owned(),
            rule: self.algorithm.rule().map(str::to_owned),
            device: self.device.clone(),
            batch: from.map(|from| from as u64),
            tried_up_to: *tried as u64,
        })
    }
}

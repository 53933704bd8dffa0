//! What the host does for each job of a GPU: it parses before, and judges after. Judging is timed
//! through a device that has its evidence ready: what the dispatcher costs is in it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde_json::json;
use sigmill::algorithms::secp256k1::point::OneLane;
use sigmill::algorithms::secp256k1::{ecdsa, recover, schnorr};
use sigmill::backend::{Backend, BatchId, Capability, Completion};
use sigmill::batch::BATCH_ITEMS_LIMIT;
use sigmill::error::Rejected;
use sigmill::isa::Isa;
use sigmill::parsed::{Operands, Parsed};
use sigmill::verdict::{Evidence, Point};
use sigmill::{Device, Engine, Terms};

use crate::clock::{Spread, core_time};
use crate::pair::Side;
use crate::{Bench, Case};

const CASES: [Case; 3] = [Case::Ecdsa, Case::Recover, Case::Schnorr];

pub fn run(bench: &Bench, span: Duration) -> Result<(), String> {
    let (engines, inputs) = (bench.engines()?, bench.inputs()?);
    let items = bench.most().min(1 << 18);
    let each = span / 6;
    let ready = Arc::new(Mutex::new(VecDeque::new()));
    let replay = {
        let ready = ready.clone();
        let new = move || -> Result<Box<dyn Backend>, _> {
            let (served, ready) = (CASES.map(serve), ready.clone());
            Ok(Box::new(Replay { served, ready, done: VecDeque::new() }))
        };
        let device = Device::admit(new).map_err(|error| error.to_string())?;
        Engine::builder().cpu(false).device(device).open().map_err(|error| error.to_string())?
    };
    for case in CASES {
        let mut batch = Some(inputs.batch(case, items));
        let parse = repeat(items, each, || {
            let (started, cores) = (Instant::now(), core_time());
            let parsed = engines.cpu.parse(batch.take().expect("it comes back"));
            let took = (started.elapsed(), core_time().saturating_sub(cores));
            batch = Arc::into_inner(parsed).map(Parsed::into_batch);
            Ok(took)
        })?;
        print(bench, "parse", case, items, parse);
        let parsed = replay.parse(batch.take().expect("it came back"));
        let evidence = compute(&parsed);
        let judge = repeat(items, each, || {
            ready.lock().unwrap_or_else(PoisonError::into_inner).push_back(evidence.clone());
            let (started, cores) = (Instant::now(), core_time());
            let ticket = replay.submit_parsed(parsed.clone(), Terms::default());
            let answered = ticket.map_err(|busy| busy.to_string())?.wait();
            let took = (started.elapsed(), core_time().saturating_sub(cores));
            let well = answered.answers().all_well();
            well.then_some(took).ok_or("a valid job was not found valid".to_owned())
        })?;
        print(bench, "judge", case, items, judge);
    }
    Ok(())
}

fn print(bench: &Bench, what: &str, case: Case, items: usize, side: Side) {
    let Side { rate, core_us } = side;
    bench.report.row(
        "host",
        format_args!(
            "{what:6} {:16} {items:>8} {:>14.0} jobs/s ({:.0} to {:.0}), {core_us:.4} core us a job",
            case.name(), rate.median, rate.least, rate.most
        ),
        json!({ "what": what, "case": case.name(), "batch": items, "host": side.json() }),
    );
}

/// Runs work that tells its time, of the wall and of cores, over and over.
fn repeat(
    items: usize,
    span: Duration,
    mut work: impl FnMut() -> Result<(Duration, Duration), String>,
) -> Result<Side, String> {
    work()?;
    let (started, mut rates, mut busy) = (Instant::now(), Vec::new(), Duration::ZERO);
    while rates.len() < 5 || started.elapsed() < span {
        let (took, cores) = work()?;
        rates.push(items as f64 / took.as_secs_f64());
        busy += cores;
    }
    let core_us = busy.as_secs_f64() * 1e6 / (rates.len() * items) as f64;
    Ok(Side { rate: Spread::of(rates), core_us })
}

/// Answers with what lies ready, or computes.
struct Replay {
    served: [Capability; 3],
    ready: Arc<Mutex<VecDeque<Evidence>>>,
    done: VecDeque<Completion>,
}

impl Backend for Replay {
    fn name(&self) -> &str {
        "replay"
    }

    fn capabilities(&self) -> &[Capability] {
        &self.served
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let evidence = ready.unwrap_or_else(|| compute(&batch));
        self.done.push_back(Completion { id, result: Ok(evidence), busy: Duration::ZERO });
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        self.done.pop_front()
    }

    fn wait(&mut self, _: Instant) {}
}

fn serve(case: Case) -> Capability {
    Capability { algorithm: case.algorithm(), max_items: BATCH_ITEMS_LIMIT, judges: false }
}

/// What a device sends back.
fn compute(batch: &Parsed) -> Evidence {
    let (isa, live) = (Isa::detect().unwrap_or(Isa::PORTABLE), batch.live());
    let mut points = vec![Point { x: [0; 4], y: [0; 4], z: [0; 4] }; live];
    match batch.operands() {
        Operands::Ecdsa(operands) => ecdsa::points(isa, operands, 0..live, &mut points),
        Operands::Schnorr(operands) => schnorr::points(isa, operands, 0..live, &mut points),
        Operands::Recover(operands) => {
            let mut keys = vec![[0; 64]; live];
            recover::recover(isa, operands, 0..live, &mut keys);
            return Evidence::Keys(keys);
        }
        Operands::Columns => return Evidence::Nothing,
    }
    // A GPU's points are affine, and so cheaper to judge.
    points.par_iter_mut().for_each(|point| {
        if let Some([x, y]) = OneLane::load(point).to_affine() {
            *point = Point { x, y, z: [1, 0, 0, 0] };
        }
    });
    Evidence::Points(points)
}

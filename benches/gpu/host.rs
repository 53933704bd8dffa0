//! What the host does for each job of a GPU: it parses before, and examines after, at the level `Checked`, with
//! evidence that lies ready.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde_json::json;
use sigmill::algorithms::secp256k1::point::OneLane;
use sigmill::algorithms::secp256k1::{ecdsa, recover, schnorr};
use sigmill::dispatch::Check;
use sigmill::dispatch::examine::{Sent, host};
use sigmill::dispatch::random::Random;
use sigmill::isa::Isa;
use sigmill::parsed::{Operands, Parsed};
use sigmill::verdict::{Evidence, Point};
use sigmill::{Answers, Trust};

use crate::clock::{Spread, core_time};
use crate::pair::Side;
use crate::{Bench, Case};

const CASES: [Case; 3] = [Case::Ecdsa, Case::Recover, Case::Schnorr];

pub fn run(bench: &Bench, span: Duration) -> Result<(), String> {
    let (engines, inputs) = (bench.engines()?, bench.inputs()?);
    let items = bench.most().min(1 << 18);
    let each = span / 6;
    let own = host(Isa::detect().map_err(|error| error.to_string())?);
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
        let whole = engines.cpu.parse(batch.take().expect("it came back"));
        let check = Check { trust: Trust::Checked, sample: items.div_ceil(256), believe: false };
        let mut random = Random::seeded(1);
        let sent = Sent::to_device(&own, &mut random, whole.clone(), 0..items, check, None);
        let evidence = compute(sent.batch());
        let mut answers = Answers::blank(whole.algorithm());
        let judge = repeat(items, each, || {
            let mut evidence = evidence.clone();
            let (started, cores) = (Instant::now(), core_time());
            // Canaries are new each time; what the device sent stays.
            let _ = Sent::to_device(&own, &mut random, whole.clone(), 0..items, check, None);
            let examined = sent.examine(&own, &mut random, false, &mut evidence, &mut answers);
            let took = (started.elapsed(), core_time().saturating_sub(cores));
            examined.map_err(|refusal| refusal.fault.to_string())?;
            answers.all_well().then_some(took).ok_or("a valid job was not found valid".to_owned())
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

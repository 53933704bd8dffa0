//! End to end: from packed bytes to verdicts through `Engine::submit`. Copies, parsing and judging are
//! all in it.

use std::time::Duration;

use serde_json::json;

use crate::pair::{self, Pair};
use crate::{Bench, Case};

const SIZES: [usize; 7] = [1, 64, 1_024, 4_096, 16_384, 65_536, 1 << 20];

pub fn run(bench: &Bench, span: Duration) -> Result<(), String> {
    let (engines, most) = (bench.engines()?, bench.most());
    let inputs = bench.inputs()?;
    let cases = bench.served()?;
    for case in Case::ALL.into_iter().filter(|case| !cases.contains(case)) {
        bench.report.skip("end-to-end", case.name(), "the device does not serve it");
    }
    let sizes: Vec<_> = SIZES.into_iter().filter(|size| *size <= most).collect();
    let each = span.div_f64((cases.len() * sizes.len()).max(1) as f64);
    head(bench, "jobs");
    for case in cases {
        for &size in &sizes {
            let pair = pair::measure(engines, inputs.batch(case, size), size as f64, each)
                .map_err(|why| format!("{} of {size}: {why}", case.name()))?;
            row(bench, "end-to-end", case.name(), size, &pair);
        }
    }
    Ok(())
}

/// Names the columns of `row`.
pub fn head(bench: &Bench, what: &str) {
    bench.report.note(format_args!(
        "{:16} {:>9} {:>14} {:>22} {:>11} {:>14} {:>11}  GPU to CPU",
        "",
        "batch",
        format!("GPU {what}/s"),
        "(least to most)",
        "core us/job",
        "CPU",
        "core us/job"
    ));
}

pub fn row(bench: &Bench, step: &str, name: &str, items: usize, pair: &Pair) {
    let Pair { gpu, cpu, ratio } = pair;
    let spread = format!("({:.0} to {:.0})", gpu.rate.least, gpu.rate.most);
    bench.report.row(
        step,
        format_args!(
            "{name:16} {items:>9} {:>14.0} {spread:>22} {:>11.3} {:>14.0} {:>11.3}  {:.3} ({:.3} to {:.3})",
            gpu.rate.median, gpu.core_us, cpu.rate.median, cpu.core_us,
            ratio.median, ratio.least, ratio.most
        ),
        json!({ "what": name, "batch": items, "gpu": gpu.json(), "cpu": cpu.json(),
                "ratio": ratio.json() }),
    );
}

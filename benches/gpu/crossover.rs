//! From which batch on the GPU beats the CPU backend of this machine.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{Bench, pair};

/// Largest batch that is tried: beyond it both rates are flat.
const LARGEST: usize = 1 << 17;

pub fn run(bench: &Bench, span: Duration) -> Result<(), String> {
    let (engines, inputs) = (bench.engines()?, bench.inputs()?);
    let cases = bench.served()?;
    let each = span.div_f64(cases.len().max(1) as f64);
    for case in cases {
        let (started, mut size, mut tried, mut least) = (Instant::now(), 1, 0, None);
        while size <= LARGEST.min(bench.most()) && started.elapsed() < each {
            let pair = pair::measure(engines, inputs.batch(case, size), size as f64, each / 100)
                .map_err(|why| format!("{} of {size}: {why}", case.name()))?;
            // From here on: a win that the next size does not confirm was noise.
            least = if pair.ratio.median > 1.0 { least.or(Some(size)) } else { None };
            tried = size;
            if least.is_some_and(|least| size >= 4 * least) {
                break;
            }
            size *= 2;
        }
        let value = json!({ "what": case.name(), "from": least, "tried_up_to": tried });
        match least {
            Some(least) => {
                let text = format_args!("{:16} the GPU is faster from {least} on", case.name());
                bench.report.row("crossover", text, value);
            }
            None => {
                let text = format_args!("{:16} the CPU is faster up to {tried}", case.name());
                bench.report.row("crossover", text, value);
            }
        }
    }
    Ok(())
}

//! Where the time of a large batch goes on the device, by its own clock. Each kernel runs in a pass of
//! its own for this, so that the sum is more than a batch takes otherwise.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use sigmill::Engine;
use sigmill::backend::gpu::{self, Stages};

use crate::pair::resolve;
use crate::{Bench, Case};

pub fn run(bench: &Bench, span: Duration) -> Result<(), String> {
    let inputs = bench.inputs()?;
    let stages = Arc::new(Stages::default());
    let options = gpu::Options { stages: Some(stages.clone()), ..bench.gpu_options() };
    let device = gpu::device(options).map_err(|error| error.to_string())?;
    let engine = Engine::builder().cpu(false).device(device).open();
    let engine = engine.map_err(|error| error.to_string())?;
    let items = bench.most().min(1 << 18);
    for case in bench.served("stages")? {
        let mut batch = resolve(&engine, inputs.batch(case, items))?;
        if stages.times().is_empty() {
            bench.report.skip("stages", case.name(), "the device has no clock for them");
            return Ok(());
        }
        stages.clear();
        let (started, mut runs) = (Instant::now(), 0);
        while runs < 3 || started.elapsed() < span / 6 {
            batch = resolve(&engine, batch)?;
            runs += 1;
        }
        print(bench, case, items, &stages);
    }
    Ok(())
}

fn print(bench: &Bench, case: Case, items: usize, stages: &Stages) {
    let times = stages.times();
    // A kernel that runs twice for an item counts it twice; the upload counts it once.
    let upload = times.iter().find(|(name, _)| *name == "upload");
    let jobs = upload.map_or(1, |(_, time)| time.items.max(1)) as f64;
    let all: f64 = times.iter().map(|(_, time)| time.busy.as_secs_f64()).sum();
    bench.report.note(format_args!("{} in batches of {items}:", case.name()));
    for (name, time) in &times {
        let seconds = time.busy.as_secs_f64();
        let (ns, share) = (seconds * 1e9 / jobs, seconds / all.max(1e-12));
        bench.report.row(
            "stages",
            format_args!("  {name:16} {ns:10.2} ns a job  {:5.1} %", 100.0 * share),
            json!({ "what": case.name(), "batch": items, "stage": name, "ns_per_job": ns,
                    "share": share }),
        );
    }
    let ns = all * 1e9 / jobs;
    let text = format_args!("  {:16} {ns:10.2} ns a job", "sum");
    let value = json!({ "what": case.name(), "batch": items, "stage": "sum", "ns_per_job": ns });
    bench.report.row("stages", text, value);
}

//! Where the time of a large batch goes on the device, by its own clock. Each kernel runs in a pass of
//! its own for this, so that the sum is more than a batch takes otherwise.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use sigmill::Engine;
use sigmill::backend::gpu;
use sigmill::backend::gpu::ceiling::multiply_work;
use sigmill::backend::gpu::program::Kernel;
use sigmill::observe::{Span, Stage, Track};

use crate::pair::resolve;
use crate::{Bench, Case};

pub fn run(bench: &Bench, span: Duration) -> Result<(), String> {
    let inputs = bench.inputs()?;
    let device = gpu::device(bench.gpu_options()).map_err(|error| error.to_string())?;
    let engine = Engine::builder().cpu(false).probation(Duration::ZERO).device(device).open();
    let engine = engine.map_err(|error| error.to_string())?;
    let items = bench.most().min(1 << 18);
    for case in bench.served()? {
        let mut batch = resolve(&engine, inputs.batch(case, items))?;
        let recording = engine.record(SPANS).ok_or("somebody else records")?;
        let (started, mut runs) = (Instant::now(), 0);
        while runs < 3 || started.elapsed() < span / 6 {
            batch = resolve(&engine, batch)?;
            runs += 1;
        }
        let stages = sums(&recording.end().spans);
        if stages.is_empty() {
            bench.report.skip("stages", case.name(), "the device has no clock for them");
            return Ok(());
        }
        print(bench, case, items, stages);
    }
    Ok(())
}

/// Spans that are kept of a case: a few for each part of a batch.
const SPANS: usize = 1 << 16;

/// Items and time on the device by stage.
fn sums(spans: &[Span]) -> BTreeMap<Stage, (u64, Duration)> {
    let mut sums = BTreeMap::new();
    for span in spans.iter().filter(|span| matches!(span.track, Track::Device(_))) {
        let (items, busy) = sums.entry(span.stage).or_insert((0, Duration::ZERO));
        *items += u64::from(span.subject.items);
        *busy += Duration::from_nanos(span.end - span.start);
    }
    sums
}

fn print(bench: &Bench, case: Case, items: usize, stages: BTreeMap<Stage, (u64, Duration)>) {
    let mut times: Vec<_> = stages.into_iter().collect();
    times.sort_by_key(|(stage, _)| match stage {
        Stage::Upload => 0,
        Stage::ReadBack => usize::MAX,
        stage => 1 + Kernel::ALL.iter().take_while(|kernel| kernel.entry() != stage.name()).count(),
    });
    // A kernel that runs twice for an item counts it twice; the upload counts it once.
    let upload = times.iter().find(|(stage, _)| *stage == Stage::Upload);
    let jobs = upload.map_or(1, |(_, (items, _))| *items).max(1) as f64;
    let all: f64 = times.iter().map(|(_, (_, busy))| busy.as_secs_f64()).sum();
    bench.report.note(format_args!("{} in batches of {items}:", case.name()));
    for (stage, (_, busy)) in &times {
        let (name, seconds) = (stage.name(), busy.as_secs_f64());
        let (ns, share) = (seconds * 1e9 / jobs, seconds / all.max(1e-12));
        let field = bench.field.get().filter(|_| name == "multiply");
        let field = field.map(|rates| field_ns(*rates) / ns);
        let note = field.map_or(String::new(), |field| {
            format!(", {:.0} % of it the field's products by themselves", 100.0 * field)
        });
        bench.report.row(
            "stages",
            format_args!("  {name:16} {ns:10.2} ns a job  {:5.1} %{note}", 100.0 * share),
            json!({ "what": case.name(), "batch": items, "stage": name, "ns_per_job": ns,
                    "share": share, "field_share": field }),
        );
    }
    let ns = all * 1e9 / jobs;
    let text = format_args!("  {:16} {ns:10.2} ns a job", "sum");
    let value = json!({ "what": case.name(), "batch": items, "stage": "sum", "ns_per_job": ns });
    bench.report.row("stages", text, value);
}

/// What the field operations of `multiply` take at the rates of the ceiling.
fn field_ns([products, squares]: [f64; 2]) -> f64 {
    let work = multiply_work();
    1e9 * (f64::from(work.products) / products + f64::from(work.squares) / squares)
}

//! `sigmill bench`.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use sigmill::{Algorithm, Batch, Engine, Terms, backend};

use super::workload::{self, ALGORITHMS, Signed};
use super::{Failure, Status};

#[derive(Debug, Args)]
#[command(after_help = "Absolute rates are this machine's at this moment; for ratios to other \
                        libraries run `cargo bench --bench versus`.")]
pub(super) struct Arguments {
    /// Only rows whose algorithm or device contains this
    #[arg(value_name = "FILTER")]
    filter: Option<String>,
    /// Seconds for the whole table
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Threads of the CPU backend [default: one a core]
    #[arg(long, default_value = "0", hide_default_value = true, value_parser = super::threads)]
    threads: usize,
    /// Print one JSON object a line and cell
    #[arg(long)]
    json: bool,
}

/// Jobs a batch.
const SIZES: [usize; 3] = [1, 128, 4_096];

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    if !(0.1..=3_600.0).contains(&arguments.seconds) {
        let why = format!("--seconds {}: between 0.1 and 3600", arguments.seconds);
        return Err(Failure::new(Status::Usage, why));
    }
    super::check_required()?;
    let null =
        Engine::builder().threads(1).cpu(false).device(backend::null::device(true)?).open()?;
    let cpu = Engine::builder().threads(arguments.threads).open()?;
    let wanted = |algorithm: Algorithm| {
        let device = if algorithm == Algorithm::Null { "null" } else { "cpu" };
        let name = format!("{} {device}", algorithm.name());
        arguments.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    };
    let rows: Vec<_> = ALGORITHMS.into_iter().filter(|algorithm| wanted(*algorithm)).collect();
    if rows.is_empty() {
        let why = format!(
            "no algorithm or device matches `{}`",
            arguments.filter.clone().unwrap_or_default()
        );
        return Err(Failure::new(Status::Usage, why));
    }
    let signed = workload::signed(SIZES[2]);
    let span = Duration::from_secs_f64(arguments.seconds / (rows.len() * SIZES.len()) as f64);
    let description = |engine: &Engine| engine.devices()[0].description.clone();
    if !arguments.json {
        // What the rates are of: level, threads, and the plan for SHA-256.
        say!("cpu: {}", description(&cpu));
        say!("{:22} {:6} {:>8} {:>14} {:>12}", "algorithm", "device", "batch", "jobs/s", "ns/job");
    }
    for algorithm in rows {
        let (engine, device) =
            if algorithm == Algorithm::Null { (&null, "null") } else { (&cpu, "cpu") };
        for items in SIZES {
            let ns = cell(engine, algorithm, &signed, items, span)?;
            if arguments.json {
                let rule = algorithm.rule();
                say!(
                    "{}",
                    json!({ "schema": 1, "algorithm": algorithm.name(), "rule": rule,
                            "device": device, "description": description(engine), "batch": items, "ns_per_job": ns,
                            "jobs_per_second": 1e9 / ns })
                );
            } else {
                let (name, rate) = (algorithm.name(), 1e9 / ns);
                say!("{name:22} {device:6} {items:>8} {rate:>14.0} {ns:>12.1}");
            }
        }
    }
    Ok(Status::Well)
}

/// Nanoseconds a job, the median over as many runs as the span holds.
fn cell(
    engine: &Engine,
    algorithm: Algorithm,
    signed: &[Signed],
    items: usize,
    span: Duration,
) -> Result<f64, Failure> {
    let mut batch = workload::batch(algorithm, signed, items);
    let submit = |batch: Batch| -> Result<Batch, Failure> {
        let answered = engine
            .submit(batch, Terms::default())
            .map_err(|busy| Failure::new(Status::Error, busy.to_string()))?
            .wait();
        if !answered.answers().all_well() {
            let why = format!("{algorithm}: a valid job was not found valid");
            return Err(Failure::new(Status::Disagreement, why));
        }
        Ok(answered.into_batch())
    };
    batch = submit(batch)?;
    let started = Instant::now();
    let mut times = Vec::new();
    while times.len() < 3 || started.elapsed() < span {
        // Short batches run many times between two looks at the clock.
        let repeats =
            (10_000 / items.max(1)).clamp(1, if algorithm == Algorithm::Null { 1_000 } else { 8 });
        let begun = Instant::now();
        for _ in 0..repeats {
            batch = submit(batch)?;
        }
        times.push(begun.elapsed().as_secs_f64() * 1e9 / (repeats * items) as f64);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

//! `sigmill bench`.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use sigmill::engine::DeviceInfo;
use sigmill::{Algorithm, Batch, Engine, Terms, Trust, backend};

use super::crossover::{self, Crossover};
use super::workload::{self, ALGORITHMS, Signed};
use super::{Failure, Status};

#[derive(Debug, Args)]
#[command(after_help = "Absolute rates are this machine's at this moment; for ratios to other \
                        libraries run `cargo bench --bench versus`, for a GPU in detail \
                        `cargo bench --bench gpu`.")]
pub(super) struct Arguments {
    /// Only rows whose algorithm or device contains this
    #[arg(value_name = "FILTER")]
    filter: Option<String>,
    /// Seconds for the whole table, once the devices are open
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Device beside the CPU: gpu, gpu=software, fpga, fpga=sim, cpu for none, or auto for a real GPU if
    /// there is one
    #[arg(long, value_name = "NAME", default_value = "auto")]
    backend: String,
    /// Open it in a process of its own: what a driver does to that one costs no verdict
    #[arg(long)]
    isolate: bool,
    /// What has to stand behind a device's verdict: fast (its evidence), checked (and re-checks by the host),
    /// audited (and a proof of every point)
    #[arg(long, value_name = "LEVEL", default_value = "checked")]
    trust: Trust,
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
    let cpu = Engine::builder().threads(arguments.threads).remember(true).open()?;
    let other = beside_the_cpu(arguments)?;
    let rows: Vec<_> = ALGORITHMS
        .into_iter()
        .flat_map(|algorithm| match algorithm {
            Algorithm::Null => vec![(algorithm, &null)],
            _ => std::iter::once(&cpu).chain(&other).map(|engine| (algorithm, engine)).collect(),
        })
        .filter(|(algorithm, engine)| {
            let device = &engine.devices()[0];
            let name = format!("{} {}", algorithm.name(), device.name);
            device.capabilities.iter().any(|served| served.algorithm == *algorithm)
                && arguments.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
        })
        .collect();
    if rows.is_empty() {
        let why = format!(
            "no algorithm or device matches `{}`",
            arguments.filter.clone().unwrap_or_default()
        );
        return Err(Failure::new(Status::Usage, why));
    }
    let is_other =
        |engine: &Engine| other.as_ref().is_some_and(|other| std::ptr::eq(engine, other));
    // A search for the crossover takes the time of a row.
    let searches = rows.iter().filter(|(_, engine)| is_other(engine)).count();
    let row = Duration::from_secs_f64(arguments.seconds / (rows.len() + searches) as f64);
    let signed = workload::signed(SIZES[2]);
    if !arguments.json {
        // What the rates are of: level, threads, and the plan for SHA-256; adapter and driver.
        for device in
            std::iter::once(&cpu).chain(&other).map(|engine| engine.devices().swap_remove(0))
        {
            say!("{}: {}", device.name, device.description);
        }
        say!("{:22} {:12} {:>8} {:>14} {:>12}", "algorithm", "device", "batch", "jobs/s", "ns/job");
    }
    for (algorithm, engine) in rows {
        let (name, rule) = (algorithm.name(), algorithm.rule());
        let DeviceInfo { name: device, description, .. } = &engine.devices()[0];
        for items in SIZES {
            let ns = cell(engine, algorithm, &signed, items, row / SIZES.len() as u32)?;
            let rate = 1e9 / ns;
            if arguments.json {
                say!(
                    "{}",
                    json!({ "schema": 1, "algorithm": name, "rule": rule, "device": device,
                            "description": description, "batch": items, "ns_per_job": ns,
                            "jobs_per_second": rate })
                );
            } else {
                say!("{name:22} {device:12} {items:>8} {rate:>14.0} {ns:>12.1}");
            }
        }
        if !is_other(engine) {
            continue;
        }
        let Crossover { from, tried } = crossover::find((&cpu, engine), algorithm, &signed, row)?;
        if arguments.json {
            let crossover = json!({ "batch": from, "tried_up_to": tried });
            say!(
                "{}",
                json!({ "schema": 1, "algorithm": name, "rule": rule, "device": device,
                        "description": description, "crossover": crossover })
            );
        } else if let Some(from) = from {
            say!("{name:22} {device:12} faster than the CPU in batches from {from} on");
        } else {
            say!("{name:22} {device:12} never faster than the CPU, in batches up to {tried}");
        }
    }
    Ok(Status::Well)
}

/// The engine on the device that is timed beside the CPU.
fn beside_the_cpu(arguments: &Arguments) -> Result<Option<Engine>, Failure> {
    let Arguments { backend, threads, isolate, trust, .. } = arguments;
    // What a device does once it is no longer new.
    let builder = Engine::builder().threads(*threads).trust(*trust).probation(Duration::ZERO);
    let builder = builder.remember(true);
    match backend.as_str() {
        "cpu" => Ok(None),
        "auto" => {
            #[cfg(feature = "gpu")]
            match super::device("gpu", *isolate) {
                Ok(device) => {
                    return Ok(Some(builder.cpu(false).device(device).open()?));
                }
                Err(failure) if failure.status == Status::Missing => {}
                // Nobody asked for it by name, and the CPU's rows can be had.
                Err(failure) => eprintln!("sigmill: {}", failure.message),
            }
            Ok(None)
        }
        _ => super::open_engine(builder, backend, *isolate).map(Some),
    }
}

/// Submits a batch, waits, and gives it back.
pub(super) fn submit(engine: &Engine, batch: Batch) -> Result<Batch, Failure> {
    let algorithm = batch.algorithm();
    let answered = engine
        .submit(batch, Terms::default())
        .map_err(|busy| Failure::new(Status::Error, busy.to_string()))?
        .wait();
    if !answered.answers().all_well() {
        let why = format!("{algorithm}: a valid job was not found valid");
        return Err(Failure::new(Status::Disagreement, why));
    }
    Ok(answered.into_batch())
}

/// Nanoseconds a job, the median over as many runs as the span holds.
fn cell(
    engine: &Engine,
    algorithm: Algorithm,
    signed: &[Signed],
    items: usize,
    span: Duration,
) -> Result<f64, Failure> {
    let started = Instant::now();
    let mut batch = submit(engine, workload::batch(algorithm, signed, items))?;
    let once = started.elapsed();
    // Short batches run many times between two looks at the clock.
    let many = if algorithm == Algorithm::Null { 1_000 } else { 8 };
    let most = (span.as_nanos() / (3 * once.as_nanos()).max(1)) as usize;
    let repeats = (10_000 / items.max(1)).clamp(1, many).min(most.max(1));
    // A device so slow that the span holds no three runs gets one.
    let least = if most > 0 { 3 } else { 1 };
    let mut times = Vec::new();
    while times.len() < least || started.elapsed() < span {
        let begun = Instant::now();
        for _ in 0..repeats {
            batch = submit(engine, batch)?;
        }
        times.push(begun.elapsed().as_secs_f64() * 1e9 / (repeats * items) as f64);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

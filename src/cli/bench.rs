//! `sigmill bench`: an instrument that answers whether an accelerator would pay here.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sigmill::{Algorithm, Engine, backend};

#[cfg(feature = "baseline")]
pub(super) mod baseline;
#[cfg(not(feature = "baseline"))]
#[path = "bench/no_baseline.rs"]
mod baseline;
mod closed_loop;
mod command;
mod compare;
mod crossover;
pub(super) mod document;
mod energy;
mod gate;
#[cfg(test)]
mod made;
mod open_loop;
mod options;
pub(super) mod print;
mod repeat;
mod sent;
mod statistics;
mod table;
mod verdict;
mod watch;

use self::baseline::Baseline;
use self::document::{Document, RepeatedCell, Warning, WarningKind};
use self::energy::Meter;
pub(super) use self::options::Arguments;
use self::statistics::spread;
use self::table::{Bench, Found, Plan};
use self::watch::Watch;
use super::ceilings;
use super::drive::{DRIVING, heed_interrupts, is_interrupted};
use super::machine::Machine;
use super::workload::{ALGORITHMS, Source, items};
use super::{Failure, Status};

/// Devices that are hardware beside the CPU.
const ACCELERATORS: [&str; 2] = ["gpu", "fpga"];

/// For the limits of one device.
const CEILING: Duration = Duration::from_millis(300);

/// Where the machine's files are.
const ROOT: &str = "/";

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let started = Instant::now();
    let arguments = &arguments.clone().check()?;
    let old = arguments.compare.as_deref().map(compare::read).transpose()?;
    super::check_required()?;
    super::report::check_writable("--html", arguments.html.as_deref())?;
    let mut document = Document {
        schema: document::SCHEMA,
        kind: document::KIND.to_owned(),
        command: command::line(),
        date: command::now(),
        versions: command::versions(),
        ..Document::default()
    };
    let mut watch = Watch::begin(Path::new(ROOT), !arguments.settings.isolate());
    // The clock of a core that was woken.
    document.machine = Machine::read(Path::new(ROOT));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = match arguments.settings.threads() {
        0 => cores,
        threads => threads,
    };
    let null =
        Engine::builder().threads(1).cpu(false).device(backend::null::device(true)?).open()?;
    let cpu = Engine::builder().threads(threads).remember(true).open()?;
    let other = beside_the_cpu(arguments, threads)?;
    let plans = plans(arguments, &null, &cpu, other.as_ref());
    if plans.is_empty() {
        let why = "no algorithm on a device here matches FILTER, --algorithm and --pinned";
        return Err(Failure::new(Status::Usage, why));
    }
    let names: Vec<_> =
        plans.iter().map(|plan| (plan.algorithm.name(), plan.device.clone())).collect();
    for bound in &arguments.fail_below {
        if let Some(why) = bound.unfit(&names, &arguments.batch, old.is_some()) {
            return Err(Failure::new(Status::Usage, why));
        }
    }
    let keys = arguments.key_count();
    let mut source = Source::new(items(arguments.item_count(), keys, arguments.invalid));
    if arguments.pinned {
        let pinned = cpu.pin(&source.keys()).map_err(|error| {
            Failure::new(Status::Usage, format!("--keys {keys} with --pinned: {error}"))
        })?;
        source.pinned = Some(pinned);
    }
    let baseline = Baseline::new(threads)?;
    let bench = Bench { arguments, source: &source, cpu: &cpu, baseline, threads };
    let engines = || std::iter::once(&cpu).chain(&other);
    document.devices = engines().flat_map(devices).collect();

    heed_interrupts();
    DRIVING.store(true, Ordering::Relaxed);
    let bar = bench.bar(&plans);
    // What is kept in a process of its own is not loaded into this one.
    let own = document.devices.iter().map(|device| device.name.as_str());
    let own = own.filter(|name| *name == "cpu" || !arguments.settings.isolate());
    let tell = |device: &str| bar.set_message(format!("limits of {device}"));
    document.ceilings = ceilings::measure(own, threads, CEILING, tell);
    let span = arguments.table(started.elapsed());
    let mut runs = Vec::new();
    for _ in 0..arguments.repeat {
        runs.push(bench.run(&plans, span, &mut watch, &bar)?);
        if is_interrupted() {
            break;
        }
    }
    if !is_interrupted() {
        document.scaling = bench.scaling(&plans, span, &bar)?;
    }
    bar.finish_and_clear();
    DRIVING.store(false, Ordering::Relaxed);

    document.interrupted = is_interrupted();
    if arguments.repeat > 1 {
        document.repeats = Some(repeat::judge(runs.len() as u64, repeated(&bench, &plans, &runs)));
    }
    let found = pooled(runs);
    for (plan, found) in plans.iter().zip(&found).filter(|(_, found)| !found.cells.is_empty()) {
        document.rows.push(bench.row(plan, found));
        document.crossovers.extend(plan.crossover(found));
    }
    document.judge_by_ceilings();
    document.warnings = watch.end(&document.machine, threads as u64);
    document.warnings.extend(watch::few_samples(&document));
    document.warnings.extend(watch::device(&cpu, true));
    document.warnings.extend(other.iter().flat_map(|other| watch::device(other, false)));
    document.warnings.extend(document.repeats.as_ref().and_then(repeat::warning));
    document.comparison = old.map(|old| compare::compare(&old, &document));
    document.warnings.extend(other_machine(&document));
    document.gates = arguments.fail_below.iter().flat_map(|bound| bound.judge(&document)).collect();
    document.verdict = verdict::judge(&document);
    document.seconds = started.elapsed().as_secs_f64();
    if arguments.json {
        say!("{}", serde_json::to_string(&document).expect("plain data"));
    } else {
        print::report(&document);
    }
    if let Some(path) = &arguments.html {
        super::report::write(path, &super::report::bench(&document))?;
    }
    Ok(status(&document))
}

fn status(document: &Document) -> Status {
    if document.gates.iter().any(|gate| !gate.met) {
        Status::Below
    } else if document.interrupted {
        Status::Error
    } else {
        Status::Well
    }
}

/// The rows that are asked for, of what the engines serve.
fn plans<'a>(
    arguments: &Arguments,
    null: &'a Engine,
    cpu: &'a Engine,
    other: Option<&'a Engine>,
) -> Vec<Plan<'a>> {
    let mut plans = Vec::new();
    for algorithm in ALGORITHMS {
        let engines = match algorithm {
            Algorithm::Null => vec![(null, false)],
            _ => std::iter::once((cpu, false)).chain(other.map(|other| (other, true))).collect(),
        };
        for (engine, beside) in engines {
            let device = engine.devices().swap_remove(0);
            let serves = device.capabilities.iter().any(|served| served.algorithm == algorithm);
            if serves && arguments.wants(algorithm, &device.name) {
                let meter = match device.name.as_str() {
                    "cpu" => Meter::cpu(Path::new(ROOT)),
                    "gpu" => Meter::gpu(),
                    _ => None,
                };
                plans.push(Plan { algorithm, engine, device: device.name, beside, meter });
            }
        }
    }
    plans
}

fn devices(engine: &Engine) -> Vec<document::Device> {
    let devices = engine.devices().into_iter();
    let device = |device: sigmill::engine::DeviceInfo| document::Device {
        accelerator: ACCELERATORS.contains(&device.name.as_str()),
        details: device.details.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
        name: device.name,
        description: device.description,
    };
    devices.map(device).collect()
}

/// Each cell's ratio to the baseline run by run, or else its rate over the first run's.
fn repeated(bench: &Bench<'_>, plans: &[Plan<'_>], runs: &[Vec<Found>]) -> Vec<RepeatedCell> {
    let mut cells = Vec::new();
    for (row, plan) in plans.iter().enumerate() {
        for (column, size) in bench.arguments.batch.iter().enumerate() {
            let measured = runs.iter().filter_map(|run| run.get(row)?.cells.get(column));
            let figures: Vec<_> = measured
                .map(|(measured, _)| (spread(&measured.ratios), spread(&measured.rates).median))
                .collect();
            let Some((ratios, first)) = figures.first() else { continue };
            // What has no baseline is no ratio, where there is one.
            if baseline::BUILT && ratios.samples == 0 {
                continue;
            }
            let ratio = |(ratios, rate): &(document::Spread, f64)| {
                if ratios.samples > 0 { ratios.median } else { rate / first }
            };
            cells.push(RepeatedCell {
                algorithm: plan.algorithm.name().to_owned(),
                device: plan.device.clone(),
                batch: *size as u64,
                ratios: figures.iter().map(ratio).collect(),
                spread: 0.0,
            });
        }
    }
    cells
}

/// The runs' samples together; of crossovers and open loops the last.
fn pooled(runs: Vec<Vec<Found>>) -> Vec<Found> {
    let mut runs = runs.into_iter();
    let mut all = runs.next().unwrap_or_default();
    for run in runs {
        for (row, found) in all.iter_mut().zip(run) {
            row.crossover = found.crossover.or(row.crossover.take());
            for (cell, (measured, open)) in row.cells.iter_mut().zip(found.cells) {
                cell.0.add(measured);
                cell.1 = open.or(cell.1.take());
            }
        }
    }
    all
}

fn other_machine(document: &Document) -> Option<Warning> {
    let differences = &document.comparison.as_ref()?.differences;
    let text = format!("the older run is of another machine: {}", differences.join("; "));
    (!differences.is_empty()).then_some(Warning { kind: WarningKind::OtherMachine, text })
}

/// The engine on the device that is timed beside the CPU.
fn beside_the_cpu(arguments: &Arguments, threads: usize) -> Result<Option<Engine>, Failure> {
    let (backend, isolate) = (arguments.settings.backend(), arguments.settings.isolate());
    // What a device does once it is no longer new.
    let builder = arguments.settings.builder().threads(threads).probation(Duration::ZERO);
    let builder = builder.remember(true);
    match backend {
        "cpu" => Ok(None),
        "auto" => {
            #[cfg(feature = "gpu")]
            match super::device("gpu", isolate) {
                Ok(device) => {
                    return Ok(Some(builder.cpu(false).device(device).open()?));
                }
                Err(failure) if failure.status == Status::Missing => {}
                // Nobody asked for it by name, and the CPU's rows can be had.
                Err(failure) => eprintln!("sigmill: {}", failure.message),
            }
            Ok(None)
        }
        _ => {
            let opened = super::open_engine(builder, backend, isolate);
            opened.map(Some).map_err(|failure| arguments.settings.blame(failure))
        }
    }
}

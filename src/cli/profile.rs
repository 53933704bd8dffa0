//! `sigmill profile`: where time goes.

pub(super) mod cores;
pub(super) mod limits;
mod print;
pub(super) mod steps;
pub(super) mod summary;
mod trace;
pub(super) mod transfers;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use sigmill::chain::{self, Kind, bitcoin::Rules};
use sigmill::monitor::{Client, SPANS, Timeline};
use sigmill::{Algorithm, Engine};

use super::drive::{Watch, drive};
use super::input::{self, Input};
use super::settings::{Flags, Settings};
use super::workload::{self, Source};
use super::{Failure, Status};
use steps::Steps;
use summary::Summary;

const EXAMPLES: &str = "\
Examples:
  sigmill profile                                    checking the built-in block
  sigmill profile block.raw --prevouts spent.bin --trace block.json
  sigmill profile --load ecdsa-secp256k1:compact --batch 4096 --in-flight 4 --seconds 5
  sigmill profile --attach /run/sigmill.sock --seconds 10
The trace opens in https://ui.perfetto.dev and in chrome://tracing.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Blocks and record files to check; without any, the built-in block
    #[arg(value_name = "FILE", conflicts_with_all = ["load", "attach"])]
    files: Vec<String>,
    /// Outputs that a Bitcoin block spends, as for `check`; several pair with the files by order
    #[arg(long, value_name = "FILE")]
    prevouts: Vec<String>,
    /// A generated load of this algorithm instead, its signatures valid
    #[arg(long, value_name = "ALGORITHM", value_parser = super::explain::algorithm, conflicts_with = "attach")]
    load: Option<Algorithm>,
    /// Jobs of a batch of the load
    #[arg(long, default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: u32,
    /// Batches of the load in flight at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    in_flight: u32,
    /// The engine behind this Unix socket instead, for as long as --seconds says
    #[arg(long, value_name = "SOCKET")]
    attach: Option<PathBuf>,
    /// Length of a load or of watching another engine
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How often a block is checked before it is measured, so that memory and tables are there
    #[arg(long, default_value_t = 1)]
    warm_up: u32,
    /// Write Chrome's trace format here, which Perfetto opens
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write a page with charts here, beside what is printed
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    if !(0.1..=300.0).contains(&arguments.seconds) {
        let why = format!("--seconds {}: between 0.1 and 300", arguments.seconds);
        return Err(Failure::new(Status::Usage, why));
    }
    if arguments.prevouts.len() > arguments.files.len() {
        return Err(Failure::new(Status::Usage, "--prevouts: more of them than files"));
    }
    for (flag, path) in [("--html", &arguments.html), ("--trace", &arguments.trace)] {
        super::report::check_writable(flag, path.as_deref())?;
    }
    let (timeline, workload) = match (&arguments.attach, arguments.load) {
        (Some(path), _) => {
            (attach(path, arguments.seconds)?, format!("engine at {}", path.display()))
        }
        (None, Some(algorithm)) => {
            let Arguments { batch, in_flight, .. } = arguments;
            let name = format!("{algorithm} in batches of {batch}, {in_flight} in flight");
            (generated(arguments, algorithm)?, name)
        }
        (None, None) => checked(arguments)?,
    };
    let mut summary = Summary::of(&timeline, workload);
    // Another engine may run elsewhere, under other settings.
    if arguments.attach.is_none() {
        limits::set(&mut summary, Settings::load(&arguments.flags)?.threads());
    }
    if let Some(path) = &arguments.trace {
        let written = File::create(path).and_then(|file| {
            let mut file = BufWriter::new(file);
            trace::write(&timeline, &mut file)?;
            file.flush()
        });
        written.map_err(|error| super::report::unwritable("--trace", path, &error))?;
    }
    if let Some(path) = &arguments.html {
        super::report::write(path, &super::report::profile(&summary))?;
    }
    if arguments.json {
        say!("{}", serde_json::to_string(&summary).expect("plain data"));
    } else {
        print::print(&summary);
        if let Some(path) = &arguments.trace {
            say!("trace in {}: open it in https://ui.perfetto.dev", path.display());
        }
    }
    Ok(Status::Well)
}

/// Records another engine.
fn attach(path: &std::path::Path, seconds: f64) -> Result<Timeline, Failure> {
    let failed =
        |error| Failure::new(Status::Error, format!("--attach {}: {error}", path.display()));
    Client::connect(path).map_err(failed)?.record(seconds, SPANS).map_err(failed)
}

fn engine(arguments: &Arguments) -> Result<Engine, Failure> {
    let engine = Settings::load(&arguments.flags)?.open()?;
    // One that is still being opened would be missing from the picture.
    let until = Instant::now() + Duration::from_secs(300);
    let opening =
        || engine.snapshot().devices.iter().any(|device| device.health.name() == "opening");
    while opening() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(engine)
}

/// Checks files, and records it.
fn checked(arguments: &Arguments) -> Result<(Timeline, String), Failure> {
    let engine = engine(arguments)?;
    let built_in = || {
        let bytes = bitcoin_test_data::blocks::mainnet_702861().to_vec();
        Ok(Input { bytes, kind: Kind::BitcoinBlock })
    };
    let names: Vec<Option<&String>> = match arguments.files.is_empty() {
        true => vec![None],
        false => arguments.files.iter().map(Some).collect(),
    };
    let all = |steps: &mut Steps| -> Result<(), Failure> {
        for (index, name) in names.iter().enumerate() {
            let failed = |why: String| {
                let name = name.map_or("the built-in block", String::as_str);
                Failure::new(Status::Error, format!("{name}: {why}"))
            };
            let read = steps.time("read", || -> Result<_, String> {
                let input = name.map_or_else(built_in, |name| input::read(name, None))?;
                let prevouts = arguments.prevouts.get(index);
                let prevouts = prevouts.map(|name| input::read(name, Some(Kind::BitcoinBlock)));
                Ok((input, prevouts.transpose()?))
            });
            let (Input { bytes, kind }, prevouts) = read.map_err(failed)?;
            let prevouts = prevouts.as_ref().map(|input| &input.bytes[..]);
            let opened =
                steps.time("decode", || chain::open(&bytes, kind, prevouts, Rules::default()));
            let mut check = opened.map_err(|error| failed(error.to_string()))?;
            let watch = Watch { progress: false, witness: &mut |_, _| {}, steps };
            let (report, _) = drive(&engine, &mut *check, watch);
            if !report.ok {
                eprintln!("sigmill: {}", failed("holds something invalid".to_owned()).message);
            }
            steps.time("report", || drop((check, bytes)));
        }
        Ok(())
    };
    for _ in 0..arguments.warm_up {
        all(&mut Steps::new())?;
    }
    let (begun, recording) = (Instant::now(), engine.record(SPANS).expect("the only one"));
    let mut steps = Steps::new();
    all(&mut steps)?;
    let mut timeline = Timeline::from(&recording.end());
    steps.add_to(&mut timeline, begun);
    let workload = match &arguments.files[..] {
        [] => "checking the built-in block".to_owned(),
        [file] => format!("checking {file}"),
        files => format!("checking {} files", files.len()),
    };
    Ok((timeline, workload))
}

/// Runs a load of one algorithm, and records it.
fn generated(arguments: &Arguments, algorithm: Algorithm) -> Result<Timeline, Failure> {
    let engine = engine(arguments)?;
    let items = arguments.batch as usize;
    let source = Source::new(workload::items(items, items, 0.0));
    let mut batches: Vec<_> =
        (0..arguments.in_flight).map(|_| source.load(algorithm, 0, items).batch).collect();
    let mut tickets = std::collections::VecDeque::new();
    let mut recording = None;
    // A fifth of the time more, to warm up.
    let warm = Instant::now() + Duration::from_secs_f64(arguments.seconds / 5.0);
    let mut until = warm + Duration::from_secs_f64(arguments.seconds);
    loop {
        while let Some(batch) = batches.pop() {
            let submitted = engine.submit(batch, sigmill::Terms::default());
            tickets.push_back(
                submitted.map_err(|busy| Failure::new(Status::Error, busy.to_string()))?,
            );
        }
        let now = Instant::now();
        if recording.is_none() && now >= warm {
            recording = engine.record(SPANS);
            until = now + Duration::from_secs_f64(arguments.seconds);
        }
        if recording.is_some() && now >= until {
            break;
        }
        let answered = tickets.pop_front().expect("some are in flight").wait();
        source.judge(0, answered.answers())?;
        batches.push(answered.into_batch());
    }
    let recording = recording.expect("begun before the end");
    Ok(Timeline::from(&recording.end()))
}

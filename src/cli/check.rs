//! `sigmill check`.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde::Serialize;
use sigmill::chain::bitcoin::{Network, Rules};
use sigmill::chain::{self, Kind, Report};
use sigmill::{Answers, Batch, Engine, referee};

use super::drive::{Watch, drive, heed_interrupts, is_interrupted};
use super::input::{self, Input};
use super::profile::steps::Steps;
use super::settings::{Flags, Settings};
use super::watched::{self, WatchFlags};
use super::{Failure, Status, print};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Blocks and record files, `-` for standard input; without any, the built-in block
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// Form of the inputs [default: seen from their first bytes]
    #[arg(long, value_enum)]
    kind: Option<KindName>,
    /// Outputs that a Bitcoin block spends: repeated [value, i64 LE][script length][script], in
    /// input order, coinbase skipped; several pair with the files by order
    #[arg(long, value_name = "FILE")]
    prevouts: Vec<String>,
    /// Chain of a Bitcoin block, where its rules depend on it
    #[arg(long, value_enum, default_value = "main")]
    network: NetworkName,
    /// Height of a Bitcoin block [default: what its coinbase states, else today's rules]
    #[arg(long)]
    height: Option<u32>,
    #[command(flatten)]
    settings: Flags,
    #[command(flatten)]
    watch: WatchFlags,
    /// Judge every item again with k256 and sha2; fails with 5 if they disagree
    #[arg(long)]
    referee: bool,
    /// Print one JSON object a line and file
    #[arg(long)]
    json: bool,
    /// Print nothing but failures
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  sigmill check                                  the built-in block
  sigmill check block.raw --prevouts spent.bin   a Bitcoin block with the outputs that it spends
  sigmill check old.raw --height 210000          under the rules of that height
  curl .. | sigmill check - --json               a node's answer through a pipe
  sigmill check *.json --quiet && echo fine      many Ethereum blocks";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindName {
    BitcoinBlock,
    EthereumBlock,
    Sigchk,
    Ethrcv,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NetworkName {
    Main,
    Test,
    Signet,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::BitcoinBlock => Kind::BitcoinBlock,
            KindName::EthereumBlock => Kind::EthereumBlock,
            KindName::Sigchk => Kind::Sigchk,
            KindName::Ethrcv => Kind::Ethrcv,
        }
    }
}

/// One file's result: a line of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub(super) schema: u32,
    pub(super) file: &'a str,
    #[serde(flatten)]
    pub(super) report: Report,
    /// Items by the device that computed them.
    pub(super) devices: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) interrupted: bool,
    pub(super) seconds: f64,
}

/// A file that could not be checked: a line of `--json`.
#[derive(Debug, Serialize)]
struct ErrorLine<'a> {
    schema: u32,
    file: &'a str,
    error: &'a str,
}

const SCHEMA: u32 = 1;
const BUILT_IN: &str = "builtin:702861";

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let Arguments { files, prevouts, .. } = arguments;
    if prevouts.len() > files.len() {
        let why = format!(
            "{} --prevouts for {} files: they pair with the files by order",
            prevouts.len(),
            files.len()
        );
        return Err(Failure::new(Status::Usage, why));
    }
    if files.iter().chain(prevouts).filter(|name| *name == "-").count() > 1 {
        return Err(Failure::new(Status::Usage, "standard input (`-`) can be read only once"));
    }
    let settings = Settings::load(&arguments.settings)?;
    let engine = Arc::new(settings.open()?);
    let _watched = watched::open(&engine, &settings, &arguments.watch)?;
    // Nothing is lost while an input is read.
    heed_interrupts();
    let mut status = Status::Well;
    if files.is_empty() {
        let bytes = bitcoin_test_data::blocks::mainnet_702861().to_vec();
        let input = Input { bytes, kind: Kind::BitcoinBlock };
        status = status.max(one(arguments, &engine, BUILT_IN, Ok(input), None));
    }
    for (index, file) in files.iter().enumerate() {
        let input = input::read(file, arguments.kind.map(Kind::from));
        status = status.max(one(arguments, &engine, file, input, prevouts.get(index)));
        let left = files.len() - 1 - index;
        if is_interrupted() && left > 0 {
            eprintln!("sigmill: interrupted: {left} files are not checked");
            return Ok(status.max(Status::Error));
        }
    }
    Ok(status)
}

/// Checks one input and prints what was found.
fn one(
    arguments: &Arguments,
    engine: &Engine,
    file: &str,
    input: Result<Input, String>,
    prevouts: Option<&String>,
) -> Status {
    match examine(arguments, engine, file, input, prevouts) {
        Ok((line, disagreement)) => {
            let status = judge(&line, disagreement.as_deref());
            if arguments.json {
                say!("{}", serde_json::to_string(&line).expect("a report is plain data"));
            } else if !arguments.quiet || status != Status::Well {
                print::report(&line);
            }
            if let Some(disagreement) = disagreement {
                eprintln!("sigmill: {file}: the referee disagrees: {disagreement}");
            }
            status
        }
        Err(error) => {
            if arguments.json {
                let line = ErrorLine { schema: SCHEMA, file, error: &error };
                say!("{}", serde_json::to_string(&line).expect("plain data"));
            }
            eprintln!("sigmill: {file}: {error}");
            Status::Error
        }
    }
}

fn judge(line: &Line<'_>, disagreement: Option<&str>) -> Status {
    if disagreement.is_some() {
        Status::Disagreement
    } else if !line.report.ok {
        Status::Invalid
    } else if line.interrupted || line.report.by_algorithm.values().any(|tally| tally.errors > 0) {
        Status::Error
    } else {
        Status::Well
    }
}

fn examine<'a>(
    arguments: &Arguments,
    engine: &Engine,
    file: &'a str,
    input: Result<Input, String>,
    prevouts: Option<&String>,
) -> Result<(Line<'a>, Option<String>), String> {
    let Input { bytes, kind } = input?;
    let prevouts = match prevouts {
        None => None,
        Some(_) if kind != Kind::BitcoinBlock => {
            return Err("--prevouts belong to Bitcoin blocks".to_owned());
        }
        Some(name) => {
            let read = input::read(name, Some(Kind::BitcoinBlock));
            Some(read.map_err(|why| format!("--prevouts {name}: {why}"))?.bytes)
        }
    };
    let network = match arguments.network {
        NetworkName::Main => Network::Main,
        NetworkName::Test => Network::Test,
        NetworkName::Signet => Network::Signet,
    };
    let rules = Rules { network, height: arguments.height };
    let started = Instant::now();
    let before = items(engine);
    let mut check =
        chain::open(&bytes, kind, prevouts.as_deref(), rules).map_err(|error| error.to_string())?;
    drop(bytes);
    let quiet = arguments.json || arguments.quiet || !std::io::stderr().is_terminal();
    let mut disagreement = None;
    let mut witness = |batch: &Batch, answers: &Answers| {
        if arguments.referee && disagreement.is_none() {
            disagreement = referee::disagreement(batch, answers);
        }
    };
    let watch = Watch { progress: !quiet, witness: &mut witness, steps: &mut Steps::new() };
    let (mut report, interrupted) = drive(engine, &mut *check, watch);
    report.complete &= !interrupted;
    let seconds = started.elapsed().as_secs_f64();
    let mut devices = items(engine);
    for (name, count) in &mut devices {
        *count -= before.get(name).copied().unwrap_or_default();
    }
    devices.retain(|_, count| *count > 0);
    Ok((Line { schema: SCHEMA, file, report, devices, interrupted, seconds }, disagreement))
}

fn items(engine: &Engine) -> BTreeMap<String, u64> {
    engine.snapshot().devices.into_iter().map(|device| (device.name, device.items)).collect()
}

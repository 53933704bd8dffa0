//! `sigmill devices`.

use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Map, json};
use sigmill::{Engine, backend};

use super::settings::{Flags, Settings};
use super::{Failure, Status, ceilings, check_required, device, explain, not_there};

const EXAMPLES: &str = "\
Examples:
  sigmill devices
  sigmill devices --probe
  sigmill devices --explain schnorr-bip340:4096
  sigmill devices --explain ecdsa 4096
  sigmill devices --explain ecdsa-secp256k1:bitcoin-strict:2 --explain sha256:1000:64000 --json";

#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    mut_arg("backend", |arg| arg.help(
        "Open this device too, one of those that are opened by name alone: gpu=software, fpga=sim"
    )),
    mut_arg("isolate", |arg| arg.help("Open each in a process of its own"))
)]
pub(super) struct Arguments {
    /// Say instead where a batch of so many jobs and bytes would go now, and why; may be repeated, and ITEMS may be a
    /// word of its own [default: 1 job, of a usual length]
    #[arg(long, value_name = "ALGORITHM[:ITEMS[:BYTES]]", value_parser = explain::word, num_args = 1..=2)]
    explain: Vec<explain::Word>,
    /// Measure what each device multiplies and copies at most, and tell the signatures a second that its multiplications
    /// alone would allow; takes about a second a device
    #[arg(long, conflicts_with = "explain")]
    probe: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Open a GPU in software too, as `--backend gpu=software` does
    #[arg(long)]
    software: bool,
    #[command(flatten)]
    settings: Flags,
}

/// For the limits of one device.
const PROBE: Duration = Duration::from_millis(600);

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    check_required()?;
    let usage = |why| Failure::new(Status::Usage, why);
    let shapes = explain::shapes(&arguments.explain).map_err(usage)?;
    let settings = Settings::load(&arguments.settings)?;
    let mut builder = settings.builder().remember(true);
    let named = Some(settings.backend()).filter(|named| *named != "auto");
    let software = arguments.software || named == Some("gpu=software");
    let simulated = named == Some("fpga=sim");
    let names =
        [("gpu", true), ("gpu=software", software), ("fpga", true), ("fpga=sim", simulated)];
    for (name, _) in names.into_iter().filter(|(_, wanted)| *wanted) {
        match device(name, settings.isolate()) {
            Ok(device) => builder = builder.device(device),
            Err(failure) if failure.status == Status::Missing => {}
            Err(failure) => return Err(failure),
        }
    }
    let engine = builder.open()?;
    if let Some(named) = named.filter(|named| engine.devices().iter().all(|d| d.name != *named)) {
        return Err(settings.blame(not_there(named)));
    }
    if !shapes.is_empty() {
        explain::print(&engine, &shapes, arguments.json);
        return Ok(Status::Well);
    }
    let absent = backend::absent();
    let ceilings = if arguments.probe { probe(&engine, &settings) } else { Vec::new() };
    if arguments.json {
        let devices: Vec<_> = engine
            .devices()
            .iter()
            .map(|device| {
                let serves: Vec<_> =
                    device.capabilities.iter().map(|c| c.algorithm.to_string()).collect();
                let details: Map<_, _> = device
                    .details
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), json!(value)))
                    .collect();
                json!({
                    "name": device.name,
                    "description": device.description,
                    "details": details,
                    "self_test": { "passed": true, "known_answers": device.known_answers },
                    "algorithms": serves,
                })
            })
            .collect();
        let absent: Vec<_> =
            absent.iter().map(|a| json!({ "name": a.name, "why": a.why })).collect();
        let mut document = json!({ "schema": 1, "devices": devices, "absent": absent });
        if arguments.probe {
            document["ceilings"] = json!(ceilings);
        }
        say!("{document}");
        return Ok(Status::Well);
    }
    for device in engine.devices() {
        say!("{:12} {}", device.name, device.description);
        for (name, value) in &device.details {
            say!("{:12} {name}: {value}", "");
        }
        say!("{:12} self-test: {} known answers right", "", device.known_answers);
        let serves: Vec<_> = device.capabilities.iter().map(|c| c.algorithm.to_string()).collect();
        for (index, names) in serves.chunks(3).enumerate() {
            say!("{:12} {:7} {}", "", if index == 0 { "serves:" } else { "" }, names.join(", "));
        }
        let found = ceilings.iter().find(|ceiling| ceiling.device == device.name);
        for line in found.iter().flat_map(|found| found.lines()) {
            say!("{:12} {line}", "");
        }
        if arguments.probe && found.is_none() {
            say!("{:12} limits: not known", "");
        }
    }
    for device in absent {
        say!("{:12} absent: {}", device.name, device.why);
    }
    Ok(Status::Well)
}

/// The limits of the devices that are there; a driver that is kept in a process of its own is not loaded into this one.
fn probe(engine: &Engine, settings: &Settings) -> Vec<ceilings::Ceiling> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    let devices = engine.devices();
    let own = devices.iter().filter(|device| device.name == "cpu" || !settings.isolate());
    let names = own.map(|device| device.name.as_str());
    let tell = |device: &str| bar.set_message(format!("limits of {device}"));
    let found = ceilings::measure(names, settings.threads(), PROBE, tell);
    bar.finish_and_clear();
    found
}

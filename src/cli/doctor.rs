//! `sigmill doctor`: what is there, what is missing or wrong, and the one command that mends it.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::settings::{Flags, Settings};
use super::surroundings::Surroundings;
use super::{Failure, Status};
use check::{Check, State};
use host::Host;

mod check;
mod cpu;
mod devices;
#[cfg(feature = "fpga")]
mod fpga;
mod gpu;
mod host;
mod packages;
mod system;
mod vulkan;

#[cfg(all(test, unix))]
mod tests;

#[derive(Debug, Args)]
#[command(after_help = "\
Advice and missing devices end it with 0: the CPU serves everything. It ends with 1 if something that is there is \
wrong, with 4 if SIGMILL_REQUIRE or --backend names a device that is missing, with 5 if a device fails its self-test.")]
pub(super) struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Look at files alone: no device is opened and tested
    #[arg(long)]
    no_open: bool,
    /// Look at the files below this folder, as if they were a machine's; opens no device
    #[arg(long, value_name = "DIR", hide = true)]
    root: Option<PathBuf>,
    #[command(flatten)]
    settings: Flags,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let around = match &arguments.root {
        Some(root) => Surroundings::new(Some(root.clone()), std::env::vars_os()),
        None => Surroundings::own(),
    };
    let host = Host::new(around);
    let (settings, mut checks) = examine(&host, &arguments.settings);
    let mut status = Status::Well;
    let mut told = "No device was opened.".to_owned();
    if !host.around.is_tree() {
        let required = host.around.variable("SIGMILL_REQUIRE").unwrap_or_default();
        if let Some((check, ended)) = devices::required(&required.to_string_lossy()) {
            checks.push(check);
            status = ended;
        }
        if !arguments.no_open {
            let opened = devices::open(&settings);
            checks.extend(opened.checks);
            status = status.max(opened.status);
            told = devices::sentence(&opened.devices);
        }
    }
    if checks.iter().any(|check| check.state == State::Wrong) {
        status = status.max(Status::Error);
    }
    let told = format!("{} {told}", count(&checks));
    if arguments.json {
        let document = json!({ "schema": 1, "checks": checks, "summary": told });
        say!("{document}");
    } else {
        print(&checks, &told, settings.color(std::io::stdout().is_terminal()));
    }
    Ok(status)
}

/// Everything that files and variables tell; the settings are the defaults where they are wrong.
fn examine(host: &Host, flags: &Flags) -> (Settings, Vec<Check>) {
    let (settings, configured) = system::settings(host, flags);
    let gpus = gpu::gpus(host);
    let mut checks = vec![cpu::level(host), cpu::share(host, &settings), cpu::governor(host)];
    checks.extend([system::clock(host), system::perf(host), system::memlock(host)]);
    checks.push(gpu::present(&gpus));
    if cfg!(feature = "gpu") {
        checks.extend(gpu::nvidia(host, &gpus));
        checks.extend(gpu::render_nodes(host, &gpus));
        checks.extend([vulkan::loader(host), vulkan::drivers(host, &gpus)]);
    } else {
        let check = Check::advice("vulkan-loader", "built without the feature `gpu`");
        checks.push(check.mend("cargo build --release --features gpu"));
    }
    #[cfg(feature = "fpga")]
    checks.push(fpga::card(host));
    #[cfg(feature = "fpga-sim")]
    checks.push(fpga::simulated(host));
    #[cfg(not(feature = "fpga"))]
    checks.push(
        Check::advice("fpga", "built without the feature `fpga`")
            .mend("cargo build --release --features fpga"),
    );
    checks.extend([system::caches(host), system::proofs(host, &settings), configured]);
    (settings, checks)
}

/// How many checks stand how.
fn count(checks: &[Check]) -> String {
    let all = [State::Ok, State::Advice, State::Missing, State::Wrong].map(|state| {
        let count = checks.iter().filter(|check| check.state == state).count();
        format!("{count} {}", state.word().to_lowercase())
    });
    format!("{}.", all.join(", "))
}

/// Prints a line a check, and below what does not stand well where it was looked for and what mends it.
fn print(checks: &[Check], told: &str, color: bool) {
    for check in checks {
        let Check { name, state, found, searched, mend } = check;
        let word = format!("{:8}", state.word());
        let paint = match state {
            State::Ok => "32",
            State::Advice => "33",
            State::Missing => "36",
            State::Wrong => "1;31",
        };
        let word = if color { format!("\x1b[{paint}m{word}\x1b[0m") } else { word };
        say!("{word} {name:15} {found}");
        if *state != State::Ok && !searched.is_empty() {
            say!("{:24} searched: {}", "", searched.join(", "));
        }
        if let Some(mend) = mend {
            say!("{:24} mend: {mend}", "");
        }
    }
    say!("{told}");
}

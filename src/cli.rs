//! Flags, and what the exit code says.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
#[cfg(feature = "gpu")]
use sigmill::backend::gpu::{Adapter, Options};
use sigmill::engine::EngineBuilder;
use sigmill::error::EngineError;
use sigmill::{Device, Engine, backend};

/// `println!` for a command: a closed pipe or a full disk ends the run with 1, not with a panic.
macro_rules! say {
    ($($part:tt)*) => { $crate::cli::print::line(format_args!($($part)*)) };
}

mod bench;
mod ceilings;
mod check;
mod config;
mod devices;
mod doctor;
mod drive;
mod endpoint;
mod explain;
#[cfg(feature = "fpga")]
mod fpga;
#[cfg(test)]
mod hostile;
mod input;
mod kept;
mod load;
mod machine;
mod manual;
mod nearest;
mod print;
mod profile;
mod report;
mod settings;
mod surroundings;
mod top;
mod units;
mod watched;
mod workload;

/// Checks signatures and hashes on the device that finishes first.
#[derive(Debug, Parser)]
#[command(name = "sigmill", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks blocks and record files: every signature, every hash
    Check(check::Arguments),
    /// Lists the devices, what they serve, and why others are absent
    Devices(devices::Arguments),
    /// Says what is there, what is missing or wrong, and the command that mends it
    Doctor(doctor::Arguments),
    /// Times every algorithm on every device, in under a minute, and says whether an accelerator would pay
    Bench(bench::Arguments),
    /// Shows where time goes: stages, threads, steps of kernels; writes a trace
    Profile(profile::Arguments),
    /// Makes a page with charts from what bench or profile has printed with --json
    Report(report::Arguments),
    /// Loads an engine at a steady rate, to watch it
    Load(load::Arguments),
    /// Shows a running engine, live: rates, queues, health, routes, percentiles
    Top(top::Arguments),
    /// Says what is configured, and who did it
    #[command(subcommand)]
    Config(config::Command),
    /// Looks after FPGA images
    #[cfg(feature = "fpga")]
    #[command(subcommand)]
    Fpga(fpga::Command),
    /// Prints completions of commands and flags for a shell
    Completions(manual::Completions),
    /// Prints the page for `man`, or writes one page a command
    Man(manual::Man),
    /// Serves a device to the process that started this one
    #[cfg(all(unix, feature = "isolate"))]
    #[command(hide = true)]
    DeviceChild,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  all well
  1  run-time error, or an input that cannot be read
  2  wrong usage
  3  an input holds something invalid
  4  a required device is missing
  5  a self-test failed, or the referee disagrees
  6  a figure is below what --fail-below asks for";

/// How a run ended; the worst of several files counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    #[default]
    Well = 0,
    Error = 1,
    Usage = 2,
    Invalid = 3,
    Missing = 4,
    Disagreement = 5,
    Below = 6,
}

/// A run that ends here, and what to tell the user.
#[derive(Debug)]
struct Failure {
    status: Status,
    message: String,
}

impl Failure {
    fn new(status: Status, message: impl Into<String>) -> Self {
        Failure { status, message: message.into() }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let status = match error {
            EngineError::Absent { .. } => Status::Missing,
            EngineError::SelfTest { .. } => Status::Disagreement,
            EngineError::Isa { .. } => Status::Usage,
            _ => Status::Error,
        };
        Failure::new(status, error.to_string())
    }
}

/// Parses the command line and runs it.
pub fn run() -> ExitCode {
    // Clap prints its own errors and exits with 2.
    let arguments = Arguments::parse();
    let status = match arguments.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Load(arguments) => load::run(&arguments),
        Command::Top(arguments) => top::run(&arguments),
        Command::Config(command) => config::run(&command),
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::man(&arguments),
        #[cfg(feature = "fpga")]
        Command::Fpga(command) => fpga::run(&command),
        #[cfg(all(unix, feature = "isolate"))]
        Command::DeviceChild => return backend::isolated::serve(backend::isolated::named),
    };
    let status = status.unwrap_or_else(|failure| {
        eprintln!("sigmill: {}", failure.message);
        failure.status
    });
    backend::device::settle(PARTING);
    ExitCode::from(status as u8)
}

/// Longest that the command's end waits for a driver's compiler.
const PARTING: Duration = Duration::from_secs(10);

/// Fails if `SIGMILL_REQUIRE`, a comma-separated list, names a device that is absent. A family is
/// there where one of its members is.
fn check_required() -> Result<(), Failure> {
    let Ok(required) = std::env::var("SIGMILL_REQUIRE") else { return Ok(()) };
    let absent = backend::absent();
    for name in required.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let members: &[&str] = match name {
            // The last three concern the tests.
            "cpu" | "data" | "browser" | "prometheus" => continue,
            "gpu" => &["gpu", "gpu=software"],
            "gpu=software" => &["gpu=software"],
            "fpga" => &["fpga", "fpga=sim"],
            "fpga=sim" => &["fpga=sim"],
            _ => {
                let why = format!("SIGMILL_REQUIRE: unknown name `{name}`: gpu, fpga or data");
                return Err(Failure::new(Status::Usage, why));
            }
        };
        let missing: Vec<_> = absent.iter().filter(|a| members.contains(&a.name)).collect();
        if missing.len() == members.len() {
            let why = &missing[0].why;
            let why = format!("SIGMILL_REQUIRE names {name}, which is absent: {why}");
            return Err(Failure::new(Status::Missing, why));
        }
    }
    Ok(())
}

/// Opens an engine on the devices that `--backend` names, in processes of their own if `isolate`.
fn open_engine(builder: EngineBuilder, backend: &str, isolate: bool) -> Result<Engine, Failure> {
    check_required()?;
    match backend {
        "cpu" if isolate => {
            let why = "--isolate: the CPU is what is isolated from; name another --backend";
            Err(Failure::new(Status::Usage, why))
        }
        "cpu" => Ok(builder.open()?),
        "auto" if isolate => Ok(all_isolated(builder).open()?),
        "auto" => {
            #[cfg(feature = "gpu")]
            let builder = match backend::gpu::device_later(Options::new(Adapter::Hardware)) {
                Ok(device) => builder.device(device),
                Err(_) => builder,
            };
            #[cfg(feature = "fpga")]
            let builder = match backend::fpga::Options::configured() {
                Ok(options) => builder.device(backend::fpga::device_later(options)?),
                Err(EngineError::Absent { .. }) => builder,
                Err(error) => return Err(error.into()),
            };
            Ok(builder.open()?)
        }
        _ => Ok(builder.cpu(false).device(device(backend, isolate)?).open()?),
    }
}

/// Opens a device by the name that `--backend` takes.
fn device(name: &str, isolate: bool) -> Result<Device, Failure> {
    match name {
        "gpu" | "gpu=software" | "fpga" | "fpga=sim" if isolate => Ok(isolated(name)?),
        #[cfg(feature = "gpu")]
        "gpu" => Ok(backend::gpu::device(Options::new(Adapter::Hardware))?),
        #[cfg(feature = "gpu")]
        "gpu=software" => Ok(backend::gpu::device(Options::new(Adapter::Software))?),
        #[cfg(feature = "fpga")]
        "fpga" => Ok(backend::fpga::device(backend::fpga::Options::configured()?)?),
        #[cfg(feature = "fpga")]
        "fpga=sim" => Ok(backend::fpga::device(backend::fpga::Options::simulated()?)?),
        _ => Err(not_there(name)),
    }
}

/// Opens a device in a process of its own.
fn isolated(name: &str) -> Result<Device, EngineError> {
    #[cfg(all(unix, feature = "isolate"))]
    return backend::isolated::device(backend::isolated::Options::new(name));
    #[cfg(not(all(unix, feature = "isolate")))]
    return Err(EngineError::Absent {
        device: name.to_owned(),
        why: "built without the feature `isolate`".to_owned(),
    });
}

/// Adds the devices of this machine, each in a process of its own. One that cannot be opened is left out:
/// nobody asked for it by name.
fn all_isolated(mut builder: EngineBuilder) -> EngineBuilder {
    for name in ["gpu", "fpga"] {
        match isolated(name) {
            Ok(device) => builder = builder.device(device),
            Err(EngineError::Absent { .. }) => {}
            Err(error) => eprintln!("sigmill: {error}"),
        }
    }
    builder
}

/// Why a device that was named cannot be had.
fn not_there(backend: &str) -> Failure {
    if let Some(absent) = backend::absent().iter().find(|absent| absent.name == backend) {
        let message = format!("--backend {backend}: absent: {}", absent.why);
        return Failure::new(Status::Missing, message);
    }
    let why = match backend {
        "null" => "--backend null: it computes nothing; `sigmill bench` measures it".to_owned(),
        other => {
            let known = settings::BACKENDS.join(", ");
            format!("--backend {other}: unknown; known are {known}")
        }
    };
    Failure::new(Status::Usage, why)
}

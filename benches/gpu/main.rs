//! The GPU of this machine, piece by piece and end to end, beside the CPU in the same run.
//!
//! ```text
//! cargo bench --bench gpu -- [--software] [--limbs u64|u32] [--seconds N] [--quick] [--json] [STEP..]
//! ```
//! Without a GPU it says why and ends with 0; with 4 where `SIGMILL_REQUIRE` lists `gpu`. Every step has a
//! deadline; one that fails is named, and the next begins. Rates are this machine's; ratios are to
//! the CPU backend on all its cores, in turn with the GPU.

use std::process::exit;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

use sigmill::backend::gpu;
use sigmill::{Algorithm, Engine};

mod adapter;
mod ceiling;
mod clock;
mod compile;
mod crossover;
mod ends;
mod flight;
mod host;
mod inputs;
mod merkle;
mod options;
mod pair;
mod raw;
mod report;
mod stages;

use inputs::{Case, Inputs};
use options::Options;
use report::Report;

/// What the steps share.
pub struct Bench {
    options: Options,
    report: Report,
    engines: OnceLock<Result<Engines, String>>,
    inputs: OnceLock<Result<Inputs, String>>,
    /// Products and squarings a second, from the step `ceiling`.
    field: OnceLock<[f64; 2]>,
}

/// The GPU alone, and the CPU alone.
pub struct Engines {
    gpu: Engine,
    cpu: Engine,
}

impl Engines {
    fn open(options: gpu::Options) -> Result<Engines, String> {
        let failed = |error: sigmill::error::EngineError| error.to_string();
        let device = gpu::device(options).map_err(failed)?;
        let gpu = Engine::builder()
            .cpu(false)
            .probation(Duration::ZERO)
            .device(device)
            .open()
            .map_err(failed)?;
        Ok(Engines { gpu, cpu: Engine::builder().open().map_err(failed)? })
    }

    /// Whether the GPU does.
    fn serves(&self, algorithm: Algorithm) -> bool {
        self.gpu.devices()[0].capabilities.iter().any(|served| served.algorithm == algorithm)
    }
}

impl Bench {
    fn gpu_options(&self) -> gpu::Options {
        gpu::Options { limbs: self.options.limbs, ..gpu::Options::new(self.options.adapter()) }
    }

    fn engines(&self) -> Result<&Engines, String> {
        let open = || Engines::open(self.gpu_options());
        self.engines.get_or_init(open).as_ref().map_err(Clone::clone)
    }

    fn inputs(&self) -> Result<&Inputs, String> {
        let make = || Inputs::new(&self.engines()?.cpu, self.most());
        self.inputs.get_or_init(make).as_ref().map_err(Clone::clone)
    }

    /// Jobs of the largest batch.
    fn most(&self) -> usize {
        match (self.options.software, self.options.quick) {
            (true, true) => 4_096,
            (true, false) => 16_384,
            (false, true) => 65_536,
            (false, false) => 1 << 20,
        }
    }

    /// The cases that the GPU serves.
    fn served(&self) -> Result<Vec<Case>, String> {
        let engines = self.engines()?;
        Ok(Case::ALL.into_iter().filter(|case| engines.serves(case.algorithm())).collect())
    }
}

/// What a step runs, given the time that it may take to measure.
type Body = fn(&Bench, Duration) -> Result<(), String>;

/// The steps with their shares of the time; those that compile are given more until the deadline.
const STEPS: [(Body, f64, bool); 10] = [
    (adapter::run, 0.0, true),
    (compile::run, 0.0, true),
    (ceiling::run, 0.12, true),
    (ends::run, 0.4, false),
    (host::run, 0.06, false),
    (flight::latency, 0.1, false),
    (crossover::run, 0.12, false),
    (stages::run, 0.08, true),
    (flight::in_flight, 0.06, false),
    (merkle::run, 0.06, false),
];

fn main() {
    let options = Options::read(std::env::args()).unwrap_or_else(|why| {
        eprintln!("gpu: {why}; it takes {}", options::USAGE);
        exit(2)
    });
    if let Err(error) = gpu::find(options.adapter()) {
        println!("gpu: {error}");
        let required = std::env::var("SIGMILL_REQUIRE").unwrap_or_default();
        exit(if required.split(',').any(|name| name.trim() == "gpu") { 4 } else { 0 });
    }
    let report = Report { json: options.json };
    let (engines, inputs, field) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
    let bench = Arc::new(Bench { options, report, engines, inputs, field });
    let mut well = true;
    for (name, (body, share, compiles)) in options::STEPS.into_iter().zip(STEPS) {
        let only = &bench.options.only;
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            well &= step(&bench, name, body, share, compiles);
        }
    }
    // A step that was left behind may still run; it ends here.
    exit(i32::from(!well));
}

/// Runs a step on a thread of its own, which is left behind at the deadline: a driver cannot be
/// interrupted. Says whether it went well.
fn step(bench: &Arc<Bench>, name: &'static str, body: Body, share: f64, compiles: bool) -> bool {
    let span = Duration::from_secs_f64(bench.options.seconds * share);
    // Fewest rounds and inputs take their time whatever the span; a driver in software compiles slowly.
    let spare = match (bench.options.software, compiles) {
        (true, true) => 400,
        (true, false) => 120,
        (false, true) => 90,
        (false, false) => 45,
    };
    let deadline = 2 * span + Duration::from_secs(spare);
    bench.report.note(format_args!("\n== {name}"));
    let started = Instant::now();
    let (send, ended) = mpsc::channel();
    let own = bench.clone();
    std::thread::spawn(move || drop(send.send(body(&own, span))));
    let result = ended.recv_timeout(deadline).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => Err(format!("not done after {} s", deadline.as_secs())),
        RecvTimeoutError::Disconnected => Err("it panicked".to_owned()),
    });
    let seconds = started.elapsed().as_secs_f64();
    match &result {
        Ok(()) => bench.report.note(format_args!("({name}: {seconds:.1} s)")),
        Err(why) => {
            let value = serde_json::json!({ "failed": name, "why": why });
            bench.report.row(name, format_args!("FAILED {name}: {why}"), value);
        }
    }
    result.is_ok()
}

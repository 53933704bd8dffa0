//! The command line.

use sigmill::backend::gpu::{Adapter, Limbs};

pub const USAGE: &str = "[--software] [--limbs u64|u32] [--seconds N] [--quick] [--json] [STEP..]";

/// The steps, in their order.
pub const STEPS: [&str; 10] = [
    "adapter",
    "compile",
    "ceiling",
    "end-to-end",
    "host",
    "latency",
    "crossover",
    "stages",
    "in-flight",
    "merkle",
];

pub struct Options {
    pub software: bool,
    pub limbs: Option<Limbs>,
    /// For all steps together, compiling apart.
    pub seconds: f64,
    pub quick: bool,
    pub json: bool,
    /// Steps that are wanted; none: all.
    pub only: Vec<String>,
}

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let (software, quick, json, only) = (false, false, false, Vec::new());
        let mut options = Options { software, limbs: None, seconds: 0.0, quick, json, only };
        let mut arguments = arguments.skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_default();
            match argument.as_str() {
                "--software" => options.software = true,
                "--quick" => options.quick = true,
                "--json" => options.json = true,
                "--limbs" => {
                    options.limbs = match value().as_str() {
                        "u64" => Some(Limbs::U64),
                        "u32" => Some(Limbs::U32),
                        other => return Err(format!("--limbs {other}: u64 or u32")),
                    }
                }
                "--seconds" => {
                    let seconds = value().parse().ok().filter(|s| (1.0..=3_600.0).contains(s));
                    options.seconds = seconds.ok_or("--seconds: between 1 and 3600")?;
                }
                // Cargo passes this to every bench.
                "--bench" => {}
                step if STEPS.contains(&step) => options.only.push(argument),
                other => return Err(format!("unknown: {other}; steps are {}", STEPS.join(", "))),
            }
        }
        if options.seconds == 0.0 {
            options.seconds = match (options.quick, options.software) {
                (true, _) => 20.0,
                (false, true) => 60.0,
                (false, false) => 150.0,
            };
        }
        Ok(options)
    }

    pub fn adapter(&self) -> Adapter {
        if self.software { Adapter::Software } else { Adapter::Hardware }
    }
}

//! The GPU and the CPU in turn, over the same batch.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sigmill::{Batch, Engine, Terms};

use crate::Engines;
use crate::clock::{Spread, core_time};

/// A sample runs at least so long, however small the batch.
const SAMPLE: Duration = Duration::from_millis(5);
/// Rounds, however long they take.
const ROUNDS: usize = 3;

/// One engine's figures.
#[derive(Clone, Copy)]
pub struct Side {
    /// Jobs a second.
    pub rate: Spread,
    /// Core time of this process for a job, in microseconds.
    pub core_us: f64,
}

impl Side {
    pub fn json(self) -> Value {
        json!({ "jobs_per_second": self.rate.json(), "core_us_per_job": self.core_us })
    }
}

pub struct Pair {
    pub gpu: Side,
    pub cpu: Side,
    /// Times that the GPU is faster, round by round.
    pub ratio: Spread,
}

/// Submits a batch, waits, checks that all is well, and gives the batch back.
pub fn resolve(engine: &Engine, batch: Batch) -> Result<Batch, String> {
    let ticket = engine.submit(batch, Terms::default()).map_err(|busy| busy.to_string())?;
    let answered = ticket.wait();
    if !answered.answers().all_well() {
        return Err(format!("{}: a valid job was not found valid", answered.batch().algorithm()));
    }
    Ok(answered.into_batch())
}

/// Samples of one engine.
struct Samples<'a> {
    engine: &'a Engine,
    repeats: usize,
    seconds: Vec<f64>,
    cores: Duration,
}

impl<'a> Samples<'a> {
    /// Warms up, and finds how many runs make a sample.
    fn new(engine: &'a Engine, batch: Batch) -> Result<(Self, Batch), String> {
        let mut batch = resolve(engine, batch)?;
        let started = Instant::now();
        batch = resolve(engine, batch)?;
        let repeats = SAMPLE.div_duration_f64(started.elapsed().max(Duration::from_nanos(1)));
        let repeats = (repeats.ceil() as usize).clamp(1, 10_000);
        Ok((Samples { engine, repeats, seconds: Vec::new(), cores: Duration::ZERO }, batch))
    }

    fn take(&mut self, mut batch: Batch) -> Result<Batch, String> {
        let (started, cores) = (Instant::now(), core_time());
        for _ in 0..self.repeats {
            batch = resolve(self.engine, batch)?;
        }
        self.seconds.push(started.elapsed().as_secs_f64() / self.repeats as f64);
        self.cores += core_time().saturating_sub(cores);
        Ok(batch)
    }

    fn side(&self, jobs: f64) -> Side {
        let rates = self.seconds.iter().map(|seconds| jobs / seconds).collect();
        let runs = (self.seconds.len() * self.repeats) as f64;
        Side { rate: Spread::of(rates), core_us: self.cores.as_secs_f64() * 1e6 / (runs * jobs) }
    }
}

/// Measures for about `span`. `jobs` is what the rates count.
///
/// # Errors
/// A wrong answer, or jobs that the GPU's engine gave to its last resort, the CPU.
pub fn measure(
    engines: &Engines,
    mut batch: Batch,
    jobs: f64,
    span: Duration,
) -> Result<Pair, String> {
    let strayed = strays(engines);
    let (mut gpu, mut cpu);
    (gpu, batch) = Samples::new(&engines.gpu, batch)?;
    (cpu, batch) = Samples::new(&engines.cpu, batch)?;
    let started = Instant::now();
    while gpu.seconds.len() < ROUNDS || started.elapsed() < span {
        // The order alternates, so that a drift of the clock favours neither.
        let order = if gpu.seconds.len().is_multiple_of(2) {
            [&mut gpu, &mut cpu]
        } else {
            [&mut cpu, &mut gpu]
        };
        for side in order {
            batch = side.take(batch)?;
        }
    }
    let ratios = gpu.seconds.iter().zip(&cpu.seconds).map(|(gpu, cpu)| cpu / gpu).collect();
    match strays(engines) - strayed {
        0 => Ok(Pair { gpu: gpu.side(jobs), cpu: cpu.side(jobs), ratio: Spread::of(ratios) }),
        strays => Err(format!("{strays} jobs of the GPU's were computed by the CPU, or faults")),
    }
}

/// Jobs that the GPU's engine computed elsewhere, and faults.
pub fn strays(engines: &Engines) -> u64 {
    let devices = engines.gpu.snapshot().devices;
    let name = &engines.gpu.devices()[0].name;
    let stray = |device: &sigmill::engine::DeviceSnapshot| {
        device.faults + if device.name == *name { 0 } else { device.items }
    };
    devices.iter().map(stray).sum()
}

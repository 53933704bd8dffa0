//! What a GPU multiplies and copies at most: kernels that do nothing else, and copies between buffers.

use std::time::{Duration, Instant};

use wgpu::BufferUsages as Usage;

use crate::backend::ceiling::{Ceiling, CopyRates, per_job};
use crate::backend::gpu::context::{Adapter, Context};
use crate::backend::gpu::program::{self, Limbs, WORKGROUP};
use crate::error::EngineError;

mod body;
mod count;

pub use body::Body;
pub use count::{multiply_work, products, work};

/// Longest dispatch: far below what a driver takes for a hang.
const LONGEST: Duration = Duration::from_millis(250);

/// Longest that one dispatch or copy may take before the device counts as hung.
const PATIENCE: Duration = Duration::from_secs(10);

/// Measures a device, beside what an engine may have open on it, for about `span` once it is opened and the driver has
/// compiled. `limbs`: whose multiplications; `None`: those that the backend takes on this device.
///
/// # Errors
/// [`EngineError::Absent`] where there is none, [`EngineError::Device`] where it fails.
pub fn ceiling(
    adapter: Adapter,
    limbs: Option<Limbs>,
    span: Duration,
) -> Result<Ceiling, EngineError> {
    let probe = Probe::open(adapter)?;
    let limbs = limbs.unwrap_or(if probe.has_64_bits() { Limbs::U64 } else { Limbs::U32 });
    let kernel = probe.prepare(&Body::chains(8, limbs))?;
    let rounds = kernel.rounds(span / 2)?;
    let mut best = 0.0_f64;
    for _ in 0..5 {
        best = best.max(kernel.operations(rounds) / kernel.dispatch(rounds)?.as_secs_f64());
    }
    let [to_device, from_device] = probe.copies(span / 2)?.map(Some);
    let job = count::multiplies(limbs);
    Ok(Ceiling {
        device: adapter.name().to_owned(),
        what: match limbs {
            Limbs::U64 => "u64 product of two u32, a thread each",
            Limbs::U32 => "u32 product, a thread each",
        },
        multiplies_per_second: best,
        multiplies_per_second_one: None,
        // The kernels do the same for each, but for hashes and numbers mod n.
        multiplies_per_job: per_job(|algorithm| {
            crate::algorithms::secp256k1::ceiling::work(algorithm).map(|_| job)
        }),
        copy_bytes_per_second: CopyRates { to_device, from_device, memory: None },
    })
}

/// A device opened to be measured.
#[derive(Debug)]
pub struct Probe {
    context: Context,
    name: &'static str,
}

impl Probe {
    /// Opens the adapter that the backend takes.
    ///
    /// # Errors
    /// [`EngineError::Absent`] where there is none, [`EngineError::Device`] where it fails.
    pub fn open(adapter: Adapter) -> Result<Probe, EngineError> {
        Ok(Probe { context: Context::open(adapter)?, name: adapter.name() })
    }

    /// Whether it has 64-bit integers.
    pub fn has_64_bits(&self) -> bool {
        self.context.features.contains(wgpu::Features::SHADER_INT64)
    }

    fn failed(&self, why: impl ToString) -> EngineError {
        EngineError::Device { device: self.name.to_owned(), why: why.to_string() }
    }

    /// Compiles a kernel that repeats `body`, and runs it once: many a driver compiles then.
    ///
    /// # Errors
    /// [`EngineError::Device`]: what the compiler says.
    pub fn prepare(&self, body: &Body) -> Result<Prepared<'_>, EngineError> {
        let device = &self.context.device;
        let threads: u32 = if self.context.is_software() { 1 << 12 } else { 1 << 18 };
        let pipeline = program::pipeline(device, &body.text(), "run", None, None);
        let pipeline = pipeline.map_err(|why| self.failed(why))?;
        let parameters = self.buffer(16, Usage::UNIFORM | Usage::COPY_DST);
        let results = self.buffer(4 * u64::from(threads), Usage::STORAGE);
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: parameters.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: results.as_entire_binding() },
            ],
        });
        let operations = f64::from(threads) * f64::from(body.operations);
        let prepared = Prepared { probe: self, pipeline, group, parameters, threads, operations };
        prepared.dispatch(1)?;
        Ok(prepared)
    }

    fn buffer(&self, size: u64, usage: Usage) -> wgpu::Buffer {
        self.context.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: usage.contains(Usage::MAP_WRITE),
        })
    }

    /// Submits commands and waits for them.
    fn run(&self, encoder: wgpu::CommandEncoder) -> Result<Duration, EngineError> {
        let started = Instant::now();
        let submission = self.context.queue.submit([encoder.finish()]);
        let wait =
            wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(PATIENCE) };
        self.context.device.poll(wait).map_err(|error| self.failed(error))?;
        let took = started.elapsed();
        self.context.trouble().map_or(Ok(took), |why| Err(self.failed(why)))
    }

    /// Bytes a second up and down between a buffer that the host maps and one of the device: the best copy of each.
    fn copies(&self, span: Duration) -> Result<[f64; 2], EngineError> {
        let bytes: u64 = if self.context.is_software() { 8 << 20 } else { 64 << 20 };
        let up = self.buffer(bytes, Usage::MAP_WRITE | Usage::COPY_SRC);
        let mut view = up.get_mapped_range_mut(..).map_err(|error| self.failed(error))?;
        view.slice(..).copy_from_slice(&vec![0xa5; bytes as usize]);
        drop(view);
        up.unmap();
        let own = self.buffer(bytes, Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC);
        let down = self.buffer(bytes, Usage::MAP_READ | Usage::COPY_DST);
        let copy = |from: &wgpu::Buffer, to: &wgpu::Buffer| {
            let mut encoder = self.context.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(from, 0, to, 0, bytes);
            self.run(encoder)
        };
        let best = |from, to| {
            // The first clears what was never written.
            copy(from, to)?;
            let (started, mut best) = (Instant::now(), f64::INFINITY);
            while best.is_infinite() || started.elapsed() < span / 2 {
                best = best.min(copy(from, to)?.as_secs_f64());
            }
            Ok(bytes as f64 / best)
        };
        Ok([best(&up, &own)?, best(&own, &down)?])
    }
}

/// A kernel that repeats a body.
#[derive(Debug)]
pub struct Prepared<'a> {
    probe: &'a Probe,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    parameters: wgpu::Buffer,
    threads: u32,
    /// Of all threads in one round.
    operations: f64,
}

impl Prepared<'_> {
    /// Operations of a dispatch, over all its threads.
    pub fn operations(&self, rounds: u32) -> f64 {
        f64::from(rounds) * self.operations
    }

    /// Runs so many rounds on every thread, and gives the time until they were done.
    ///
    /// # Errors
    /// [`EngineError::Device`].
    pub fn dispatch(&self, rounds: u32) -> Result<Duration, EngineError> {
        let context = &self.probe.context;
        let words = [rounds, 0x9e37_79b1, 0x85eb_ca6b, 0];
        context.queue.write_buffer(&self.parameters, 0, bytemuck::cast_slice(&words));
        let mut encoder = context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.group, &[]);
            pass.dispatch_workgroups(self.threads / WORKGROUP as u32, 1, 1);
        }
        self.probe.run(encoder)
    }

    /// Rounds of a dispatch of which the search for them and five take about `span`; none takes long.
    ///
    /// # Errors
    /// [`EngineError::Device`].
    pub fn rounds(&self, span: Duration) -> Result<u32, EngineError> {
        let wanted = (span / 7).min(LONGEST).as_secs_f64();
        let mut rounds = 4_u32;
        loop {
            let took = self.dispatch(rounds)?.as_secs_f64();
            if took > wanted / 2.0 || rounds >= 1 << 24 {
                return Ok(rounds);
            }
            rounds = (f64::from(rounds) * (wanted / took).clamp(1.5, 32.0)) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;

    #[test]
    fn both_kinds_of_products_are_measured() {
        for limbs in [Limbs::U64, Limbs::U32] {
            let ceiling = match ceiling(Adapter::Software, Some(limbs), Duration::from_millis(20)) {
                Err(EngineError::Absent { why, .. }) => {
                    let required = std::env::var("SIGMILL_REQUIRE").unwrap_or_default();
                    let required = required.split(',').any(|name| name.trim() == "gpu");
                    assert!(!required, "SIGMILL_REQUIRE lists gpu, which is absent: {why}");
                    return println!("skipped: gpu=software: {why}");
                }
                ceiling => ceiling.expect("a device"),
            };
            let CopyRates { memory, to_device, from_device } = ceiling.copy_bytes_per_second;
            assert!(to_device > Some(0.0) && from_device > Some(0.0) && memory.is_none());
            assert!(ceiling.ideal(Algorithm::SchnorrBip340) > Some(0.0));
            assert_eq!(ceiling.ideal(Algorithm::Sha256), None);
        }
    }
}

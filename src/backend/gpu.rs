//! Any vendor's GPU, through wgpu: whole verifications, hashes and trees on the device, evidence back.
//!
//! A batch is cut into parts of at most as many items as the buffers hold. Each part takes a slot: its
//! operands are copied up, the kernels run, its records are copied back, and the host reads them.
//! Several parts are in flight, of one batch or of several.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::ThreadPool;

use crate::backend::device::Device;
use crate::backend::{Backend, BatchId, Capability, Completion};
use crate::error::{EngineError, Fault, Rejected};
use crate::observe::Observer;
use crate::parsed::{Operands, Parsed};
use crate::verdict::{Evidence, Point, Rooted};

mod buffers;
mod cache;
pub mod ceiling;
mod context;
mod flight;
mod messages;
mod open;
mod part;
mod pinned;
pub mod program;
mod signatures;
mod sizes;
mod stages;
mod trees;
mod work;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod stage_tests;
#[cfg(test)]
mod testing;

pub use ceiling::ceiling;
pub use context::Adapter;
pub use program::Limbs;

use buffers::Buffers;
use context::Context;
use flight::{Flight, Flying};
use part::Sent;
use pinned::Residents;
use program::Program;
use sizes::SLOTS;

/// What a GPU is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which adapter.
    pub adapter: Adapter,
    /// Limb format; `None`: what the device's features allow.
    pub limbs: Option<Limbs>,
    /// Bytes of all buffers together; `None`: 1 GiB, or 128 MiB on a software adapter.
    pub bytes: Option<usize>,
    /// Bytes for tables of pinned keys; `None`: 256 MiB, or 32 MiB on a software adapter. Keys without
    /// room there are verified like others.
    pub pinned_bytes: Option<usize>,
    /// Longest that compiling may take; `None`: a minute, or five on a software adapter.
    pub patience: Option<Duration>,
}

impl Options {
    /// Nothing but which adapter.
    pub fn new(adapter: Adapter) -> Options {
        Options { adapter, limbs: None, bytes: None, pinned_bytes: None, patience: None }
    }
}

/// Opens a GPU and tests it.
///
/// # Errors
/// [`EngineError::Absent`] where there is none, [`EngineError::Device`] where it cannot be opened,
/// [`EngineError::SelfTest`] where it computes something else.
pub fn device(options: Options) -> Result<Device, EngineError> {
    Device::admit(move || Ok(Gpu::open(&options)?))
}

/// Opens a GPU, untested: for the process that serves it to [another](crate::backend::isolated).
///
/// # Errors
/// As [`device`], without a self-test.
pub fn backend(options: &Options) -> Result<Box<dyn Backend>, EngineError> {
    Ok(Gpu::open(options)?)
}

/// A GPU that is opened, compiled for and tested while the engine already serves: see
/// [`Device::later`].
///
/// # Errors
/// [`EngineError::Absent`] where there is none.
pub fn device_later(options: Options) -> Result<Device, EngineError> {
    context::find(options.adapter)?;
    Ok(Device::later(options.adapter.name(), move || Ok(Gpu::open(&options)?)))
}

/// Looks for an adapter without opening it, and describes it.
///
/// # Errors
/// [`EngineError::Absent`] where there is none, with what was found instead.
pub fn find(adapter: Adapter) -> Result<String, EngineError> {
    context::find(adapter).map(|found| found.get_info().name)
}

/// Items that a real GPU computes in about the time of one: a few warps on each scheduler.
const WAVE: usize = 16_384;

/// What a dispatch costs beside its kernels: copies begun, a dozen kernels launched, a mapping awaited.
const SETUP: Duration = Duration::from_micros(200);

/// Batches that the backend takes before it rejects more.
const BATCHES: usize = 8;

struct Gpu {
    adapter: Adapter,
    context: Context,
    program: Program,
    buffers: Buffers,
    limbs: Limbs,
    observer: Option<Observer>,
    residents: Residents,
    /// Threads that read records: one would hold a fast device up.
    readers: ThreadPool,
    /// How long opening took, most of it in the driver's compiler.
    compiled: Duration,
    capabilities: Vec<Capability>,
    /// Batches not yet answered, oldest first.
    batches: VecDeque<Flight>,
    /// Parts on the device, oldest first.
    parts: VecDeque<Flying>,
    free: Vec<usize>,
    done: VecDeque<Completion>,
    nonce: u32,
    /// When the last batch was finished.
    finished: Instant,
    #[cfg(test)]
    left_out: Option<program::Kernel>,
}

impl Backend for Gpu {
    fn name(&self) -> &str {
        self.adapter.name()
    }

    fn description(&self) -> String {
        let info = &self.context.info;
        format!("{}, {} {}, {}", info.name, info.driver, info.driver_info, self.limbs.name())
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let Context { info, features, limits, .. } = &self.context;
        let has = |feature| if features.contains(feature) { "yes" } else { "no" };
        vec![
            ("adapter", format!("{} ({:?})", info.name, info.device_type)),
            ("driver", format!("{} {}", info.driver, info.driver_info)),
            ("64-bit integers", has(wgpu::Features::SHADER_INT64).to_owned()),
            ("timestamps", has(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS).to_owned()),
            ("pipeline cache", has(wgpu::Features::PIPELINE_CACHE).to_owned()),
            ("largest binding", format!("{} MiB", limits.max_storage_buffer_binding_size >> 20)),
            ("limbs", self.limbs.name().to_owned()),
            ("items a part", format!("{}, {SLOTS} parts in flight", self.buffers.sizes.items)),
            ("compile time", format!("{:.2} s", self.compiled.as_secs_f64())),
        ]
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn width(&self) -> usize {
        if self.context.is_software() { 1 } else { WAVE }
    }

    fn setup(&self) -> Duration {
        SETUP
    }

    fn shares_host(&self) -> bool {
        self.context.is_software()
    }

    fn patience(&self) -> Duration {
        // A driver in software shares its cores with everything else.
        Duration::from_secs(if self.context.is_software() { 60 } else { 2 })
    }

    fn observe(&mut self, observer: Observer) {
        self.observer = Some(observer);
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        if self.batches.len() == BATCHES {
            return Err(Rejected);
        }
        let none = Point { x: [0; 4], y: [0; 4], z: [0; 4] };
        let evidence = match batch.operands() {
            Operands::Recover(_) => Evidence::Keys(vec![[0; 64]; batch.live()]),
            Operands::Columns => Evidence::Digests(Vec::with_capacity(batch.live())),
            _ => Evidence::Points(vec![none; batch.live()]),
        };
        let pinned = self.pin(&batch);
        // Tables of pinned keys were made on the host: no kernel computes y.
        let rooted = batch.wants_roots() && pinned.is_none();
        let evidence = match evidence {
            Evidence::Points(_) | Evidence::Keys(_) if rooted => {
                let roots = vec![[0; 4]; batch.live()];
                Evidence::Rooted(Box::new(Rooted { evidence, roots }))
            }
            plain => plain,
        };
        let started = Instant::now();
        if batch.live() == 0 {
            self.done.push_back(Completion { id, result: Ok(evidence), busy: Duration::ZERO });
            return Ok(());
        }
        let sent = Sent::default();
        self.batches.push_back(Flight { id, batch, evidence, pinned, sent, back: 0, started });
        self.pump();
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        if self.done.is_empty() && !self.batches.is_empty() {
            let _ = self.context.device.poll(wgpu::PollType::Poll);
            if let Some(why) = self.context.trouble() {
                self.fail(Fault::Device(why));
            }
            self.collect();
            self.pump();
        }
        self.done.pop_front()
    }

    fn wait(&mut self, until: Instant) {
        let Some(oldest) = self.parts.front() else { return };
        let timeout = until.saturating_duration_since(Instant::now());
        let submission_index = Some(oldest.submission.clone());
        // A time-out is what `collect` looks for; a loss is among the troubles.
        let _ = self
            .context
            .device
            .poll(wgpu::PollType::Wait { submission_index, timeout: Some(timeout) });
    }
}

//! Any vendor's GPU, through wgpu: whole verifications, hashes and trees on the device, evidence back.
//!
//! A batch is cut into parts of at most as many items as the buffers hold. Each part takes a slot: its
//! operands are copied up, the kernels run, its records are copied back, and the host reads them.
//! Several parts are in flight, of one batch or of several.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytemuck::Zeroable;
use rayon::ThreadPool;

use crate::algorithm::Algorithm;
use crate::backend::device::Device;
use crate::backend::{Backend, BatchId, Capability, Completion};
use crate::batch::BATCH_ITEMS_LIMIT;
use crate::error::{EngineError, Fault, Rejected};
use crate::parsed::{Operands, Parsed};
use crate::verdict::{Evidence, Point};

mod buffers;
mod cache;
mod context;
mod messages;
mod part;
mod pinned;
pub mod program;
mod signatures;
mod stages;
mod trees;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod stage_tests;

pub use context::Choice;
pub use program::Limbs;
pub use stages::{StageTime, Stages};

use buffers::{Buffers, PARAMS, SLOTS, Slot};
use context::Context;
use part::{Params, Part, Sent};
use pinned::{Residents, Seat};
use program::{Kernel, Program, WORKGROUP};

/// What a GPU is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which adapter.
    pub choice: Choice,
    /// Limb format; `None`: what the device's features allow.
    pub limbs: Option<Limbs>,
    /// Bytes of all buffers together; `None`: 1 GiB, or 128 MiB on a software adapter.
    pub bytes: Option<usize>,
    /// Bytes for tables of pinned keys; `None`: 256 MiB, or 32 MiB on a software adapter. Keys without
    /// room there are verified like others.
    pub pinned_bytes: Option<usize>,
    /// Longest that compiling may take; `None`: a minute, or five on a software adapter.
    pub patience: Option<Duration>,
    /// Where the stages' times go, if they are to be taken.
    pub stages: Option<Arc<Stages>>,
}

impl Options {
    /// Nothing but the choice of adapter.
    pub fn new(choice: Choice) -> Options {
        Options {
            choice,
            limbs: None,
            bytes: None,
            pinned_bytes: None,
            patience: None,
            stages: None,
        }
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

/// A GPU that is opened, compiled for and tested while the engine already serves: see
/// [`Device::later`].
///
/// # Errors
/// [`EngineError::Absent`] where there is none.
pub fn device_later(options: Options) -> Result<Device, EngineError> {
    context::adapter(options.choice)?;
    Ok(Device::later(options.choice.name(), move || Ok(Gpu::open(&options)?)))
}

/// Looks for an adapter without opening it, and describes it.
///
/// # Errors
/// [`EngineError::Absent`] where there is none, with what was found instead.
pub fn find(choice: Choice) -> Result<String, EngineError> {
    context::adapter(choice).map(|adapter| adapter.get_info().name)
}

/// What a GPU serves.
const ALGORITHMS: usize = 13;
const SERVED: [Algorithm; ALGORITHMS] = {
    use crate::algorithm::{EcdsaRule as E, RecoverRule as R};
    [
        Algorithm::EcdsaSecp256k1(E::BitcoinLax),
        Algorithm::EcdsaSecp256k1(E::BitcoinStrict),
        Algorithm::EcdsaSecp256k1(E::BitcoinPolicy),
        Algorithm::EcdsaSecp256k1(E::Compact),
        Algorithm::EcdsaSecp256k1(E::CompactLowS),
        Algorithm::SchnorrBip340,
        Algorithm::RecoverSecp256k1(R::EthereumTransaction),
        Algorithm::RecoverSecp256k1(R::EthereumFrontier),
        Algorithm::RecoverSecp256k1(R::EcrecoverPrecompile),
        Algorithm::Sha256,
        Algorithm::Sha256d,
        Algorithm::Keccak256,
        Algorithm::MerkleRootSha256d,
    ]
};

/// Items that a real GPU computes in about the time of one: a few warps on each scheduler.
const WAVE: usize = 16_384;

/// What a dispatch costs beside its kernels: copies begun, a dozen kernels launched, a mapping awaited.
const SETUP: Duration = Duration::from_micros(200);

/// Threads that read records, where the machine has as many cores.
const READERS: usize = 4;

/// Batches that the backend takes before it rejects more.
const BATCHES: usize = 8;

struct Gpu {
    choice: Choice,
    context: Context,
    program: Program,
    buffers: Buffers,
    limbs: Limbs,
    stages: Option<Arc<Stages>>,
    residents: Residents,
    /// Threads that read records: one would hold a fast device up.
    readers: ThreadPool,
    /// How long opening took, most of it in the driver's compiler.
    compiled: Duration,
    capabilities: [Capability; ALGORITHMS],
    /// Batches not yet answered, oldest first.
    batches: VecDeque<Flight>,
    /// Parts on the device, oldest first.
    parts: VecDeque<Flying>,
    free: Vec<usize>,
    done: VecDeque<Completion>,
    nonce: u32,
    #[cfg(test)]
    left_out: Option<Kernel>,
}

/// A batch on its way.
struct Flight {
    id: BatchId,
    batch: Arc<Parsed>,
    /// Of the parts that came back; they come in order.
    evidence: Evidence,
    /// The first row of its pinned keys, if they lie on the device.
    pinned: Option<u32>,
    /// What was handed to the device so far.
    sent: Sent,
    /// Items that came back.
    back: usize,
    started: Instant,
}

/// A part on the device.
struct Flying {
    slot: usize,
    id: BatchId,
    part: Part,
    submission: wgpu::SubmissionIndex,
    until: Instant,
}

impl Gpu {
    /// Opens the device and compiles for it, on a thread that is left behind when it takes too long: a
    /// driver's compiler cannot be interrupted.
    fn open(options: &Options) -> Result<Box<Gpu>, EngineError> {
        let name = options.choice.name();
        let failed = |why| EngineError::Device { device: name.to_owned(), why };
        let (send, opened) = std::sync::mpsc::channel();
        let own = options.clone();
        let spawned = std::thread::Builder::new()
            .name("sigmill-compile".to_owned())
            .spawn(move || drop(send.send(Gpu::compile(&own).map(Box::new))));
        spawned.map_err(|error| EngineError::Threads(error.to_string()))?;
        let software = options.choice == Choice::Software;
        let patience =
            options.patience.unwrap_or(Duration::from_secs(if software { 300 } else { 60 }));
        opened.recv_timeout(patience).unwrap_or_else(|_| {
            Err(failed(format!("kernels were not compiled within {} s", patience.as_secs_f32())))
        })
    }

    fn compile(options: &Options) -> Result<Gpu, EngineError> {
        let started = Instant::now();
        let context = Context::open(options.choice)?;
        let wide = context.features.contains(wgpu::Features::SHADER_INT64);
        let limbs = options.limbs.unwrap_or(if wide { Limbs::U64 } else { Limbs::U32 });
        let failed = |why| EngineError::Device { device: options.choice.name().to_owned(), why };
        if limbs == Limbs::U64 && !wide {
            return Err(failed("it has no 64-bit integers".to_owned()));
        }
        let program = Program::new(&context, limbs).map_err(failed)?;
        let [bytes, pinned] =
            if context.is_software() { [128 << 20, 32 << 20] } else { [1 << 30, 256 << 20] };
        let bytes = options.bytes.unwrap_or(bytes);
        let pinned = options.pinned_bytes.unwrap_or(pinned);
        let stages = options.stages.clone();
        let buffers = Buffers::new(&context, &program, bytes, pinned, stages.is_some())?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let readers = rayon::ThreadPoolBuilder::new()
            .num_threads(cores.min(READERS))
            .thread_name(|index| format!("sigmill-read-{index}"))
            .build()
            .map_err(|error| EngineError::Threads(error.to_string()))?;
        let residents = Residents::new(buffers.pinned.size() as usize);
        let capabilities = SERVED.map(|algorithm| Capability {
            algorithm,
            max_items: BATCH_ITEMS_LIMIT,
            judges: false,
        });
        let free = (0..buffers.slots.len()).collect();
        let mut gpu = Gpu {
            choice: options.choice,
            context,
            program,
            buffers,
            limbs,
            stages,
            residents,
            readers,
            capabilities,
            batches: VecDeque::new(),
            parts: VecDeque::new(),
            free,
            done: VecDeque::new(),
            nonce: 0,
            #[cfg(test)]
            left_out: None,
            compiled: Duration::ZERO,
        };
        gpu.warm_up().map_err(failed)?;
        gpu.program.save();
        gpu.compiled = started.elapsed();
        Ok(gpu)
    }

    /// Runs every kernel over one item of zeros: many a driver compiles at the first dispatch.
    fn warm_up(&self) -> Result<(), String> {
        let params = Params { items: 1, stride: WORKGROUP as u32, share: 1, ..Params::zeroed() };
        let slot = &self.buffers.slots[0];
        self.context.queue.write_buffer(&slot.params, 0, bytemuck::bytes_of(&params));
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_bind_group(0, &slot.group, &[]);
            for kernel in Kernel::ALL {
                pass.set_pipeline(self.program.pipeline(kernel));
                pass.dispatch_workgroups(1, 1, 1);
            }
        }
        self.context.queue.submit([encoder.finish()]);
        let polled = self.context.device.poll(wgpu::PollType::wait_indefinitely());
        polled.map_err(|error| error.to_string())?;
        self.context.trouble().map_or(Ok(()), Err)
    }

    /// Puts parts of the waiting batches into free slots.
    fn pump(&mut self) {
        loop {
            let flight =
                self.batches.iter_mut().find(|flight| flight.sent.items < flight.batch.live());
            let Some(flight) = flight else { return };
            let Some(slot) = self.free.pop() else { return };
            self.nonce = self.nonce.wrapping_add(1);
            let mut part = Part::cut(&flight.batch, flight.sent, self.nonce, self.buffers.sizes);
            part.pinned = flight.pinned;
            flight.sent = part.end();
            let (id, batch) = (flight.id, flight.batch.clone());
            let submission = self.send(slot, &part, &batch);
            let until = Instant::now() + Backend::patience(self);
            self.parts.push_back(Flying { slot, id, part, submission, until });
        }
    }

    /// The first row of the batch's pinned keys on the device, whither they are copied if there is room.
    fn pin(&mut self, batch: &Parsed) -> Option<u32> {
        let keys = batch.batch().pinned()?;
        let first = match self.residents.seat(keys)? {
            Seat::Taken(first) => first,
            Seat::New(first) => {
                self.buffers.pin(&self.context, keys.rows(), first);
                first
            }
        };
        Some(first as u32)
    }

    /// Uploads a part and has it computed.
    fn send(&self, slot: usize, part: &Part, batch: &Parsed) -> wgpu::SubmissionIndex {
        let slot = &self.buffers.slots[slot];
        let pieces = self.fill(slot, part, batch);
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        let stamp = |encoder: &mut wgpu::CommandEncoder, index| {
            if let Some(stamps) = &slot.stamps {
                stamps.stamp(encoder, index);
            }
        };
        stamp(&mut encoder, 0);
        encoder.copy_buffer_to_buffer(&slot.upload, 0, &slot.params, 0, PARAMS as u64);
        for (at, size) in pieces {
            let from = PARAMS as u64 + at;
            encoder.copy_buffer_to_buffer(&slot.upload, from, &slot.columns, at, size);
        }
        let size = part.record_bytes() as u64;
        encoder.copy_buffer_to_buffer(&self.buffers.sentinels, 0, &slot.records, 0, size);
        stamp(&mut encoder, 1);
        let steps = part.steps(batch, self.buffers.sizes);
        let group = if part.pinned.is_some() { &slot.pinned_group } else { &slot.group };
        // One pass for all kernels, unless each is to be timed.
        let passes = if slot.stamps.is_some() { 1 } else { steps.len().max(1) };
        for (index, steps) in steps.chunks(passes).enumerate() {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_bind_group(0, group, &[]);
            for &(kernel, threads) in steps {
                #[cfg(test)]
                if self.left_out == Some(kernel) {
                    continue;
                }
                pass.set_pipeline(self.program.pipeline(kernel));
                pass.dispatch_workgroups(threads.div_ceil(WORKGROUP) as u32, 1, 1);
            }
            drop(pass);
            stamp(&mut encoder, index + 2);
        }
        encoder.copy_buffer_to_buffer(&slot.records, 0, &slot.readback, 0, size);
        stamp(&mut encoder, steps.len() + 2);
        if let Some(stamps) = &slot.stamps {
            stamps.resolve(&mut encoder, steps.len() + 3);
        }
        slot.map(&encoder, size);
        self.context.queue.submit([encoder.finish()])
    }

    /// Writes a part's operands into the slot's upload buffer, whose mapping was waited for before the
    /// slot was free. Gives the pieces to be copied: where, and how many bytes.
    fn fill(&self, slot: &Slot, part: &Part, batch: &Parsed) -> Vec<(u64, u64)> {
        let sizes = self.buffers.sizes;
        let pieces = part.pieces(batch, sizes);
        // Without a mapping nothing is written, and the checksums tell.
        if let Ok(mut view) = slot.upload.get_mapped_range_mut(..) {
            let params = part.params(batch, sizes);
            view.slice(..PARAMS).copy_from_slice(bytemuck::bytes_of(&params));
            for (at, bytes) in &pieces {
                view.slice(PARAMS + at..PARAMS + at + bytes.len()).copy_from_slice(bytes);
            }
        }
        slot.upload.unmap();
        pieces.iter().map(|(at, bytes)| (*at as u64, bytes.len() as u64)).collect()
    }

    /// Reads the parts that have come back.
    fn collect(&mut self) {
        while let Some(oldest) = self.parts.front() {
            let slot = &self.buffers.slots[oldest.slot];
            if !slot.mapped.iter().all(|mapped| mapped.done.load(Ordering::Acquire)) {
                if Instant::now() >= oldest.until {
                    self.fail(Fault::Timeout);
                }
                return;
            }
            if slot.mapped.iter().any(|mapped| mapped.failed.load(Ordering::Relaxed)) {
                return self.fail(Fault::Device("a buffer could not be mapped".to_owned()));
            }
            let Some(Flying { slot, id, part, .. }) = self.parts.pop_front() else { return };
            let result = self.read(slot, id, &part);
            self.time(slot, id, &part);
            self.free.push(slot);
            if let Err(fault) = result {
                return self.fail(fault);
            }
            self.finish(id, &part);
        }
    }

    fn read(&mut self, slot: usize, id: BatchId, part: &Part) -> Result<(), Fault> {
        let readback = &self.buffers.slots[slot].readback;
        let size = part.record_bytes() as u64;
        let view = readback.get_mapped_range(..size);
        let view = view.map_err(|error| Fault::Device(error.to_string()))?;
        let flight = self.batches.iter_mut().find(|flight| flight.id == id);
        let result = flight.map_or(Ok(()), |flight| {
            self.readers.install(|| part.collect(&flight.batch, &view, &mut flight.evidence))
        });
        drop(view);
        readback.unmap();
        result
    }

    /// Takes the stages' times.
    fn time(&self, slot: usize, id: BatchId, part: &Part) {
        let flight = self.batches.iter().find(|flight| flight.id == id);
        let (Some(stamps), Some(stages), Some(flight)) =
            (&self.buffers.slots[slot].stamps, &self.stages, flight)
        else {
            return;
        };
        let mut names = vec!["upload"];
        let steps = part.steps(&flight.batch, self.buffers.sizes);
        names.extend(steps.iter().map(|(kernel, _)| kernel.entry()));
        names.push("read-back");
        stamps.read(&names, part.items.len(), stages);
    }

    /// Completes a batch whose last part came back.
    fn finish(&mut self, id: BatchId, part: &Part) {
        let Some(at) = self.batches.iter().position(|flight| flight.id == id) else { return };
        self.batches[at].back += part.items.len();
        if self.batches[at].back == self.batches[at].batch.live()
            && let Some(Flight { id, evidence, started, .. }) = self.batches.remove(at)
        {
            let busy = started.elapsed();
            self.done.push_back(Completion { id, result: Ok(evidence), busy });
        }
    }

    /// The device as a whole failed: every batch is answered with the fault.
    fn fail(&mut self, fault: Fault) {
        for Flight { id, started, .. } in self.batches.drain(..) {
            let (result, busy) = (Err(fault.clone()), started.elapsed());
            self.done.push_back(Completion { id, result, busy });
        }
    }
}

impl Backend for Gpu {
    fn name(&self) -> &str {
        self.choice.name()
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

    fn patience(&self) -> Duration {
        // A driver in software shares its cores with everything else.
        Duration::from_secs(if self.context.is_software() { 60 } else { 2 })
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
        let started = Instant::now();
        if batch.live() == 0 {
            self.done.push_back(Completion { id, result: Ok(evidence), busy: Duration::ZERO });
            return Ok(());
        }
        let (pinned, sent) = (self.pin(&batch), Sent::default());
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

/// What the tests of this folder share.
#[cfg(test)]
mod testing {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::algorithm::EcdsaRule;
    use crate::batch::{Batch, Job};

    /// Bytes of buffers that hold a bit more than the fewest items of a part.
    pub const BYTES: usize = 12 << 20;

    /// A GPU in software; says so where there is none, and fails if `SIGMILL_REQUIRE` lists `gpu`.
    pub fn open(limbs: Limbs) -> Option<Box<Gpu>> {
        let options = Options {
            limbs: Some(limbs),
            bytes: Some(BYTES),
            pinned_bytes: Some(1 << 20),
            ..Options::new(Choice::Software)
        };
        match Gpu::open(&options) {
            Ok(gpu) => Some(gpu),
            Err(EngineError::Absent { why, .. }) => {
                let required = std::env::var("SIGMILL_REQUIRE").unwrap_or_default();
                let required = required.split(',').any(|name| name.trim() == "gpu");
                assert!(!required, "SIGMILL_REQUIRE lists gpu, which is absent: {why}");
                println!("skipped: gpu=software: {why}");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub const COMPACT: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);

    /// Random numbers under random keys, of which half are none.
    pub fn batch(seed: u64, items: usize) -> Batch {
        let mut random = StdRng::seed_from_u64(seed);
        let mut batch = Batch::open(COMPACT);
        for _ in 0..items {
            let (message, mut key): ([u8; 32], [u8; 33]) = (random.random(), [0; 33]);
            random.fill(&mut key);
            key[0] = 2 + (key[0] & 1);
            let mut signature = [0; 64];
            random.fill(&mut signature);
            let job = Job::Ecdsa { message: &message, signature: &signature, key: &key };
            batch.push(job).expect("room");
        }
        batch.seal()
    }
}

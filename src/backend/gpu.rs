//! Any vendor's GPU, through wgpu: whole verifications, hashes and trees on the device, evidence back.
//!
//! A batch is cut into parts of at most as many items as the buffers hold. Each part takes a slot: its
//! operands are copied up, the kernels run, its records are copied back, and the host reads them.
//! Several parts are in flight, of one batch or of several.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::algorithm::Algorithm;
use crate::backend::device::Device;
use crate::backend::{Backend, BatchId, Capability, Completion};
use crate::batch::BATCH_ITEMS_LIMIT;
use crate::error::{EngineError, Fault, Rejected};
use crate::parsed::{Operands, Parsed};
use crate::verdict::Evidence;

mod buffers;
mod context;
mod messages;
mod part;
pub mod program;
mod signatures;
mod trees;

pub use context::Choice;
pub use program::Limbs;

use buffers::{Buffers, PARAMS, Slot};
use context::Context;
use part::{Part, Sent};
use program::{Program, WORKGROUP};

/// What a GPU is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which adapter.
    pub choice: Choice,
    /// Limb format; `None`: what the device's features allow.
    pub limbs: Option<Limbs>,
    /// Bytes of all buffers together; `None`: 1 GiB, or 128 MiB on a software adapter.
    pub bytes: Option<usize>,
}

impl Options {
    /// Nothing but the choice of adapter.
    pub fn new(choice: Choice) -> Options {
        Options { choice, limbs: None, bytes: None }
    }
}

/// Opens a GPU and tests it.
///
/// # Errors
/// [`EngineError::Absent`] where there is none, [`EngineError::Device`] where it cannot be opened,
/// [`EngineError::SelfTest`] where it computes something else.
pub fn device(options: Options) -> Result<Device, EngineError> {
    Device::admit(move || Ok(Box::new(Gpu::open(&options)?)))
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

/// Batches that the backend takes before it rejects more.
const BATCHES: usize = 8;

struct Gpu {
    context: Context,
    program: Program,
    buffers: Buffers,
    limbs: Limbs,
    capabilities: [Capability; ALGORITHMS],
    /// Batches not yet answered, oldest first.
    batches: VecDeque<Flight>,
    /// Parts on the device, oldest first.
    parts: VecDeque<Flying>,
    free: Vec<usize>,
    done: VecDeque<Completion>,
    nonce: u32,
}

/// A batch on its way.
struct Flight {
    id: BatchId,
    batch: Arc<Parsed>,
    /// Of the parts that came back; they come in order.
    evidence: Evidence,
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
    fn open(options: &Options) -> Result<Gpu, EngineError> {
        let context = Context::open(options.choice)?;
        let wide = context.features.contains(wgpu::Features::SHADER_INT64);
        let limbs = options.limbs.unwrap_or(if wide { Limbs::U64 } else { Limbs::U32 });
        let failed = |why| EngineError::Device { device: options.choice.name().to_owned(), why };
        let program = Program::new(&context, limbs).map_err(failed)?;
        let default = if context.is_software() { 128 << 20 } else { 1 << 30 };
        let buffers = Buffers::new(&context, &program, options.bytes.unwrap_or(default))?;
        let capabilities = SERVED.map(|algorithm| Capability {
            algorithm,
            max_items: BATCH_ITEMS_LIMIT,
            judges: false,
        });
        let free = (0..buffers.slots.len()).collect();
        Ok(Gpu {
            context,
            program,
            buffers,
            limbs,
            capabilities,
            batches: VecDeque::new(),
            parts: VecDeque::new(),
            free,
            done: VecDeque::new(),
            nonce: 0,
        })
    }

    /// Puts parts of the waiting batches into free slots.
    fn pump(&mut self) {
        loop {
            let flight =
                self.batches.iter_mut().find(|flight| flight.sent.items < flight.batch.live());
            let Some(flight) = flight else { return };
            let Some(slot) = self.free.pop() else { return };
            self.nonce = self.nonce.wrapping_add(1);
            let part = Part::cut(&flight.batch, flight.sent, self.nonce, self.buffers.sizes);
            flight.sent = part.end();
            let (id, batch) = (flight.id, flight.batch.clone());
            let submission = self.send(slot, &part, &batch);
            let until = Instant::now() + self.patience();
            self.parts.push_back(Flying { slot, id, part, submission, until });
        }
    }

    /// Longest that a part may take.
    fn patience(&self) -> Duration {
        Duration::from_secs(if self.context.is_software() { 60 } else { 5 })
    }

    /// Uploads a part and has it computed.
    fn send(&self, slot: usize, part: &Part, batch: &Parsed) -> wgpu::SubmissionIndex {
        let Slot { upload, params, columns, records, readback, group, mapped } =
            &self.buffers.slots[slot];
        let sizes = self.buffers.sizes;
        let pieces = part.pieces(batch, sizes);
        let device = &self.context.device;
        let mut encoder = device.create_command_encoder(&Default::default());
        // The mapping was waited for before the slot was free.
        if let Ok(mut view) = upload.get_mapped_range_mut(..) {
            view.slice(..PARAMS).copy_from_slice(bytemuck::bytes_of(&part.params(batch, sizes)));
            for (at, bytes) in &pieces {
                view.slice(PARAMS + at..PARAMS + at + bytes.len()).copy_from_slice(bytes);
            }
        }
        upload.unmap();
        encoder.copy_buffer_to_buffer(upload, 0, params, 0, PARAMS as u64);
        for (at, bytes) in &pieces {
            let (at, size) = (*at as u64, bytes.len() as u64);
            encoder.copy_buffer_to_buffer(upload, PARAMS as u64 + at, columns, at, size);
        }
        let size = part.record_bytes() as u64;
        encoder.copy_buffer_to_buffer(&self.buffers.sentinels, 0, records, 0, size);
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_bind_group(0, group, &[]);
            for (kernel, threads) in part.steps(batch, sizes) {
                pass.set_pipeline(self.program.pipeline(kernel));
                pass.dispatch_workgroups(threads.div_ceil(WORKGROUP) as u32, 1, 1);
            }
        }
        encoder.copy_buffer_to_buffer(records, 0, readback, 0, size);
        mapped.iter().for_each(|mapped| mapped.clear());
        let (read, write) = (mapped.clone(), mapped.clone());
        let whole = |size: u64| 0..size;
        encoder.map_buffer_on_submit(readback, wgpu::MapMode::Read, whole(size), move |result| {
            read[0].set(result.is_ok());
        });
        let bytes = upload.size();
        encoder.map_buffer_on_submit(upload, wgpu::MapMode::Write, whole(bytes), move |result| {
            write[1].set(result.is_ok());
        });
        self.context.queue.submit([encoder.finish()])
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
        let result = flight
            .map_or(Ok(()), |flight| part.collect(&flight.batch, &view, &mut flight.evidence));
        drop(view);
        readback.unmap();
        result
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
        "gpu"
    }

    fn description(&self) -> String {
        let info = &self.context.info;
        format!("{}, {} {}, {}", info.name, info.driver, info.driver_info, self.limbs.name())
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn width(&self) -> usize {
        if self.context.is_software() { 1 } else { 4_096 }
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        if self.batches.len() == BATCHES {
            return Err(Rejected);
        }
        let evidence = match batch.operands() {
            Operands::Recover(_) => Evidence::Keys(Vec::with_capacity(batch.live())),
            Operands::Columns => Evidence::Digests(Vec::with_capacity(batch.live())),
            _ => Evidence::Points(Vec::with_capacity(batch.live())),
        };
        let started = Instant::now();
        if batch.live() == 0 {
            self.done.push_back(Completion { id, result: Ok(evidence), busy: Duration::ZERO });
            return Ok(());
        }
        self.batches.push_back(Flight {
            id,
            batch,
            evidence,
            sent: Sent::default(),
            back: 0,
            started,
        });
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

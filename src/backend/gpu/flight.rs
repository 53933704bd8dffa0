//! Batches on their way: parts go into free slots, and come back in the order in which they went.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::backend::gpu::Gpu;
use crate::backend::gpu::buffers::Slot;
use crate::backend::gpu::part::{Part, Sent};
use crate::backend::gpu::pinned::Seat;
use crate::backend::gpu::program::WORKGROUP;
use crate::backend::gpu::sizes::PARAMS;
use crate::backend::{Backend, BatchId, Completion};
use crate::error::Fault;
use crate::observe::{Observer, Stage, Subject};
use crate::parsed::Parsed;
use crate::verdict::Evidence;

/// A batch on its way.
pub(super) struct Flight {
    pub id: BatchId,
    pub batch: Arc<Parsed>,
    /// Of the parts that came back; they come in order.
    pub evidence: Evidence,
    /// The first row of its pinned keys, if they lie on the device.
    pub pinned: Option<u32>,
    /// What was handed to the device so far.
    pub sent: Sent,
    /// Items that came back.
    pub back: usize,
    pub started: Instant,
}

/// A part on the device.
pub(super) struct Flying {
    pub slot: usize,
    pub id: BatchId,
    pub part: Part,
    pub submission: wgpu::SubmissionIndex,
    pub until: Instant,
    /// Bytes that went up.
    pub bytes: u64,
    /// Its stages are timed.
    pub stamped: bool,
}

impl Gpu {
    /// Puts parts of the waiting batches into free slots.
    pub(super) fn pump(&mut self) {
        loop {
            let flight =
                self.batches.iter_mut().find(|flight| flight.sent.items < flight.batch.live());
            let Some(flight) = flight else { return };
            let Some(slot) = self.free.pop() else { return };
            self.nonce = self.nonce.wrapping_add(1);
            let mut part = Part::cut(&flight.batch, flight.sent, self.nonce, self.buffers.sizes);
            part.pinned = flight.pinned;
            part.rooted = matches!(flight.evidence, Evidence::Rooted(_));
            flight.sent = part.end();
            let (id, batch) = (flight.id, flight.batch.clone());
            let stamped = self.buffers.slots[slot].stamps.is_some()
                && self.observer.as_ref().is_some_and(Observer::is_on);
            let (submission, bytes) = self.send(slot, &part, &batch, stamped);
            let until = Instant::now() + Backend::patience(self);
            self.parts.push_back(Flying { slot, id, part, submission, until, bytes, stamped });
        }
    }

    /// The first row of the batch's pinned keys on the device, whither they are copied if there is room.
    pub(super) fn pin(&mut self, batch: &Parsed) -> Option<u32> {
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

    /// Uploads a part and has it computed. Gives the bytes that go up, too.
    fn send(
        &self,
        slot: usize,
        part: &Part,
        batch: &Parsed,
        stamped: bool,
    ) -> (wgpu::SubmissionIndex, u64) {
        let slot = &self.buffers.slots[slot];
        let stamps = slot.stamps.as_ref().filter(|_| stamped);
        let pieces = self.fill(slot, part, batch);
        let bytes = PARAMS as u64 + pieces.iter().map(|(_, size)| size).sum::<u64>();
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        let stamp = |encoder: &mut wgpu::CommandEncoder, index| {
            if let Some(stamps) = stamps {
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
        let passes = if stamped { 1 } else { steps.len().max(1) };
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
        if let Some(stamps) = stamps {
            stamps.resolve(&mut encoder, steps.len() + 3);
        }
        slot.map(&encoder, size, stamped);
        (self.context.queue.submit([encoder.finish()]), bytes)
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
    pub(super) fn collect(&mut self) {
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
            let Some(Flying { slot, id, part, bytes, stamped, .. }) = self.parts.pop_front() else {
                return;
            };
            let back = Instant::now();
            let result = self.read(slot, id, &part);
            if stamped {
                self.time(slot, id, (&part, bytes), back);
            }
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

    /// Tells the stages' times of a part that came back by then; so many bytes went up.
    fn time(&self, slot: usize, id: BatchId, (part, up): (&Part, u64), back: Instant) {
        let Some(stamps) = &self.buffers.slots[slot].stamps else { return };
        let flight = self.batches.iter().find(|flight| flight.id == id);
        let steps =
            flight.map_or(Vec::new(), |flight| part.steps(&flight.batch, self.buffers.sizes));
        // Read in any case: the buffer is unmapped by it.
        let spans = stamps.read(steps.len() + 3, back);
        let (Some(observer), Some(flight)) = (&self.observer, flight) else { return };
        let kernels = steps.iter().map(|(kernel, _)| Stage::Kernel(kernel.entry()));
        let stages = std::iter::once(Stage::Upload).chain(kernels).chain([Stage::ReadBack]);
        let algorithm = flight.batch.algorithm();
        let items = part.items.len() as u32;
        for (stage, span) in stages.zip(spans) {
            let bytes = match stage {
                Stage::Upload => up,
                Stage::ReadBack => part.record_bytes() as u64,
                _ => 0,
            };
            observer.stage(stage, Subject { algorithm, batch: 0, piece: id.0, items, bytes }, span);
        }
    }

    /// Completes a batch whose last part came back.
    fn finish(&mut self, id: BatchId, part: &Part) {
        let Some(at) = self.batches.iter().position(|flight| flight.id == id) else { return };
        self.batches[at].back += part.items.len();
        if self.batches[at].back == self.batches[at].batch.live()
            && let Some(Flight { id, evidence, started, .. }) = self.batches.remove(at)
        {
            // What it waited for those before it is no part of its own time.
            let now = Instant::now();
            let busy = now - started.max(std::mem::replace(&mut self.finished, now));
            self.done.push_back(Completion { id, result: Ok(evidence), busy });
        }
    }

    /// The device as a whole failed: every batch is answered with the fault.
    pub(super) fn fail(&mut self, fault: Fault) {
        for Flight { id, started, .. } in self.batches.drain(..) {
            let (result, busy) = (Err(fault.clone()), started.elapsed());
            self.done.push_back(Completion { id, result, busy });
        }
    }
}

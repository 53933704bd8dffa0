//! All memory of the device, made when it opens from one budget: what the kernels share, and slots, each
//! of which carries one part of a batch from the host to the device and its evidence back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wgpu::BufferUsages as Usage;

use crate::algorithms::secp256k1::curve::{Curve, Secp256k1};
use crate::algorithms::secp256k1::field::Row;
use crate::algorithms::secp256k1::integer;
use crate::backend::gpu::context::Context;
use crate::backend::gpu::part::SENTINEL;
use crate::backend::gpu::program::Program;
use crate::backend::gpu::sizes::{
    COMB_AT, HALVES, LEAST, PARAMS, POINT, RATIOS, ROOTED, ROW, SLOTS, Sizes, TABLE,
    generator_bytes,
};
use crate::backend::gpu::stages::Stamps;
use crate::error::EngineError;
use crate::isa::Isa;

/// The device's memory.
#[derive(Debug)]
pub(crate) struct Buffers {
    pub sizes: Sizes,
    /// Records full of the sentinel, to be copied over those of a slot.
    pub sentinels: wgpu::Buffer,
    pub generator: wgpu::Buffer,
    /// Tables of pinned keys.
    pub pinned: wgpu::Buffer,
    pub slots: Vec<Slot>,
    /// What stages leave behind: points, halves, tables.
    #[cfg(test)]
    pub left: [wgpu::Buffer; 3],
}

/// What a part travels in.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Written by the host: parameters, then columns.
    pub upload: wgpu::Buffer,
    pub params: wgpu::Buffer,
    pub columns: wgpu::Buffer,
    pub records: wgpu::Buffer,
    /// Read by the host.
    pub readback: wgpu::Buffer,
    pub group: wgpu::BindGroup,
    /// The same with tables of pinned keys in place of those that are made for each part.
    pub pinned_group: wgpu::BindGroup,
    /// The stages' times, where the device has a clock for them.
    pub stamps: Option<Stamps>,
    /// Set when the device has finished, and the host may read and write again: evidence, upload,
    /// stamps.
    pub mapped: Arc<[Mapped; 3]>,
}

impl Slot {
    /// Has the evidence, the upload and the stamps mapped once the commands so far are through.
    pub fn map(&self, encoder: &wgpu::CommandEncoder, evidence: u64, stamped: bool) {
        let map = |which: usize, buffer: &wgpu::Buffer, mode, size: u64| {
            self.mapped[which].clear();
            let mapped = self.mapped.clone();
            encoder.map_buffer_on_submit(buffer, mode, 0..size, move |result| {
                mapped[which].set(result.is_ok());
            });
        };
        map(0, &self.readback, wgpu::MapMode::Read, evidence);
        map(1, &self.upload, wgpu::MapMode::Write, self.upload.size());
        match &self.stamps {
            Some(Stamps { readback, .. }) if stamped => {
                map(2, readback, wgpu::MapMode::Read, readback.size());
            }
            _ => self.mapped[2].set(true),
        }
    }
}

/// Whether a mapping has come, and whether it failed.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    pub done: AtomicBool,
    pub failed: AtomicBool,
}

impl Mapped {
    pub fn set(&self, well: bool) {
        self.failed.store(!well, Ordering::Relaxed);
        self.done.store(true, Ordering::Release);
    }

    pub fn clear(&self) {
        self.failed.store(false, Ordering::Relaxed);
        self.done.store(false, Ordering::Relaxed);
    }
}

impl Buffers {
    /// Makes everything and fills what stays the same.
    pub fn new(
        context: &Context,
        program: &Program,
        bytes: usize,
        pinned_bytes: usize,
    ) -> Result<Buffers, EngineError> {
        let failed = |why: String| EngineError::Device { device: "gpu".to_owned(), why };
        let sizes = Sizes::fit(bytes, &context.limits).ok_or_else(|| {
            failed(format!("a memory budget of {bytes} bytes holds no part of {LEAST} items"))
        })?;
        let device = &context.device;
        let scope = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let make = |label, size: usize, usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: size as u64,
                usage,
                mapped_at_creation: false,
            })
        };
        let generator = make("generator", generator_bytes(), Usage::STORAGE | Usage::COPY_DST);
        context.queue.write_buffer(&generator, 0, bytemuck::cast_slice(&generator_rows()));
        let sentinels = make("sentinels", sizes.items * ROOTED, Usage::COPY_SRC | Usage::COPY_DST);
        let filled = vec![SENTINEL; sizes.items * ROOTED / 4];
        context.queue.write_buffer(&sentinels, 0, bytemuck::cast_slice(&filled));
        let storage = if cfg!(test) { Usage::STORAGE | Usage::COPY_SRC } else { Usage::STORAGE };
        let points = make("points", sizes.items * POINT, storage);
        let halves = make("halves", sizes.items * HALVES, storage);
        let tables = make("tables", sizes.items * TABLE, storage);
        let ratios = make("ratios", sizes.items * RATIOS, storage);
        let binding = context.limits.max_storage_buffer_binding_size as usize;
        let pinned = pinned_bytes.clamp(ROW, binding) / ROW * ROW;
        let pinned = make("pinned", pinned, storage | Usage::COPY_DST);
        let slot = || {
            let upload = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("upload"),
                size: (PARAMS + sizes.input) as u64,
                usage: Usage::MAP_WRITE | Usage::COPY_SRC,
                mapped_at_creation: true,
            });
            let params = make("params", PARAMS, Usage::UNIFORM | Usage::COPY_DST);
            let columns = make("columns", sizes.input, storage | Usage::COPY_DST);
            let output = storage | Usage::COPY_SRC | Usage::COPY_DST;
            let records = make("records", sizes.items * ROOTED, output);
            let back = Usage::MAP_READ | Usage::COPY_DST;
            let readback = make("readback", sizes.items * ROOTED, back);
            let bind = |tables: &wgpu::Buffer| {
                let bound =
                    [&params, &columns, &generator, &points, &halves, tables, &ratios, &records];
                let mut entries = Vec::new();
                for (binding, buffer) in bound.iter().enumerate() {
                    let resource = buffer.as_entire_binding();
                    entries.push(wgpu::BindGroupEntry { binding: binding as u32, resource });
                }
                device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("slot"),
                    layout: &program.layout,
                    entries: &entries,
                })
            };
            let (group, pinned_group) = (bind(&tables), bind(&pinned));
            let stamps = Stamps::new(context);
            let mapped = Arc::new(<[Mapped; 3]>::default());
            Slot { upload, params, columns, records, readback, group, pinned_group, stamps, mapped }
        };
        let slots = (0..SLOTS).map(|_| slot()).collect();
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(failed(format!("the memory budget of {bytes} bytes: {error}")));
        }
        Ok(Buffers {
            sizes,
            sentinels,
            generator,
            pinned,
            slots,
            #[cfg(test)]
            left: [points, halves, tables],
        })
    }
}

impl Buffers {
    /// Copies tables of pinned keys to a row of theirs, and at the first time the generator's comb.
    pub fn pin(&self, context: &Context, rows: &[Row], first: usize) {
        if first == 0 {
            let [x, y] = Secp256k1::offset().start;
            let end = Row([x, integer::sub(&integer::P, &y).0]);
            let comb = Secp256k1::generator_comb(Isa::PORTABLE);
            let at = COMB_AT as u64;
            context.queue.write_buffer(&self.generator, at, bytemuck::cast_slice(comb));
            let at = at + size_of_val(comb) as u64;
            context.queue.write_buffer(&self.generator, at, bytemuck::bytes_of(&end));
        }
        let at = (first * ROW) as u64;
        context.queue.write_buffer(&self.pinned, at, bytemuck::cast_slice(rows));
    }
}

/// The generator's odd multiples, and the two points that the sum starts and ends with.
fn generator_rows() -> Vec<Row> {
    let mut rows = Secp256k1::generator_table().clone();
    let offset = Secp256k1::offset();
    let [x, y] = offset.end;
    rows.push(Row(offset.start));
    rows.push(Row([x, integer::sub(&integer::P, &y).0]));
    rows
}

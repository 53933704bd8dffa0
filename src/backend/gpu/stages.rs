//! How long each stage takes on the device, by its own clock. Only while somebody records: each kernel then
//! runs in a pass of its own.

use std::time::{Duration, Instant};

use crate::backend::gpu::context::Context;

/// Most stamps of a part: before the upload, after it, after each kernel, after the read-back.
const STAMPS: usize = 64;

/// The stamps of one slot.
#[derive(Debug)]
pub(crate) struct Stamps {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    pub readback: wgpu::Buffer,
    /// Nanoseconds of one tick.
    period: f64,
}

impl Stamps {
    /// Room for the stamps of one part; `None` where the device has no clock for them.
    pub fn new(context: &Context) -> Option<Stamps> {
        let wanted = wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS;
        if !context.features.contains(wanted) {
            return None;
        }
        let device = &context.device;
        let set = device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("stages"),
            ty: wgpu::QueryType::Timestamp,
            count: STAMPS as u32,
        });
        let buffer = |usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("stages"),
                size: 8 * STAMPS as u64,
                usage,
                mapped_at_creation: false,
            })
        };
        let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
        let readback = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let period = f64::from(context.queue.get_timestamp_period());
        Some(Stamps { set, resolved, readback, period })
    }

    /// Stamps the present moment of the device's work.
    pub fn stamp(&self, encoder: &mut wgpu::CommandEncoder, index: usize) {
        if index < STAMPS {
            encoder.write_timestamp(&self.set, index as u32);
        }
    }

    /// Has the first `count` stamps brought back.
    pub fn resolve(&self, encoder: &mut wgpu::CommandEncoder, count: usize) {
        let count = count.min(STAMPS);
        encoder.resolve_query_set(&self.set, 0..count as u32, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.readback, 0, 8 * count as u64);
    }

    /// The spans between the stamps, of which the last one lies at `end` by the host's clock, as far as the host can
    /// tell. `count`: of the stamps that were made.
    pub fn read(&self, count: usize, end: Instant) -> Vec<(Instant, Instant)> {
        let mut spans = Vec::new();
        if let Ok(view) = self.readback.get_mapped_range(..) {
            let ticks: Vec<u64> =
                view.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
            let ticks = &ticks[..count.min(STAMPS)];
            let last = ticks.last().copied().unwrap_or_default();
            let at = |tick: u64| {
                let before = last.saturating_sub(tick) as f64 * self.period;
                end.checked_sub(Duration::from_nanos(before as u64)).unwrap_or(end)
            };
            spans.extend(ticks.windows(2).map(|pair| (at(pair[0]), at(pair[1]))));
        }
        self.readback.unmap();
        spans
    }
}

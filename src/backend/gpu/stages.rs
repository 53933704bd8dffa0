//! How long each stage takes on the device, by its own clock. Off unless asked for: each kernel then
//! runs in a pass of its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::backend::gpu::context::Context;

/// Most stamps of a part: before the upload, after it, after each kernel, after the read-back.
const STAMPS: usize = 64;

/// Time of one stage, over all parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTime {
    /// Parts that went through it.
    pub parts: u64,
    /// Their items.
    pub items: u64,
    /// Time on the device.
    pub busy: Duration,
}

/// Times by stage: `upload`, the kernels by name, `read-back`. Shared with whoever reads them.
#[derive(Debug, Default)]
pub struct Stages(Mutex<BTreeMap<&'static str, StageTime>>);

impl Stages {
    /// The times so far.
    pub fn times(&self) -> Vec<(&'static str, StageTime)> {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.iter().map(|(name, time)| (*name, *time)).collect()
    }

    /// Starts again from nothing.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn add(&self, name: &'static str, items: usize, busy: Duration) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let time = times.entry(name).or_default();
        time.parts += 1;
        time.items += items as u64;
        time.busy += busy;
    }
}

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

    /// Adds what the stamps say of the stages between them.
    pub fn read(&self, names: &[&'static str], items: usize, stages: &Stages) {
        if let Ok(view) = self.readback.get_mapped_range(..) {
            let ticks: Vec<u64> =
                view.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
            for (name, pair) in names.iter().zip(ticks.windows(2)) {
                let ns = pair[1].saturating_sub(pair[0]) as f64 * self.period;
                stages.add(name, items, Duration::from_nanos(ns as u64));
            }
        }
        self.readback.unmap();
    }
}

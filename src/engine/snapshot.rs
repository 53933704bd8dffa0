//! The engine's counts at one instant.

use std::time::Duration;

use crate::dispatch::books::Books;
use crate::dispatch::mill::Mill;
use crate::dispatch::{Counters, Queue, Report};
use crate::engine::Health;

/// One device's counts since the engine opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSnapshot {
    /// Its name; `cpu` includes what the last resort computed.
    pub name: String,
    /// Jobs that it answered: live ones, or on their caller's thread all of a batch.
    pub items: u64,
    /// Those of them that ran on their caller's thread.
    pub inline_items: u64,
    /// Batches that it answered.
    pub batches: u64,
    /// Faults.
    pub faults: u64,
    /// Its health.
    pub health: Health,
    /// Pieces that it holds.
    pub depth: usize,
    /// Predicted time of what it holds.
    pub backlog: Duration,
    /// Canaries that came back right.
    pub canaries: u64,
    /// Time that it worked, batches on their caller's thread apart.
    pub busy: Duration,
}

/// The engine's counts at one instant.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Jobs by fate: [`Counters::balance`] holds in every snapshot.
    pub counters: Counters,
    /// What the examination of accelerators' evidence found.
    pub checks: Report,
    /// Time of one core that re-checks took, as predicted.
    pub rechecked: Duration,
    /// Devices.
    pub devices: Vec<DeviceSnapshot>,
    /// What is in flight.
    pub queue: Queue,
    /// Times by step, batches by size, items by fate; devices by their place in `devices`.
    pub books: Books,
    /// Since the engine opened.
    pub uptime: Duration,
}

impl DeviceSnapshot {
    /// Whether it gets work.
    pub fn serves(&self) -> bool {
        self.health.serves()
    }
}

pub(super) fn take(mill: &Mill) -> Snapshot {
    let uptime = Duration::from_nanos(mill.now());
    mill.look(|dispatcher| {
        let lanes = dispatcher.lanes().iter().zip(mill.posts());
        let mut devices: Vec<_> = lanes
            .map(|(lane, post)| {
                let (depth, backlog) = lane.load();
                DeviceSnapshot {
                    name: post.name.to_string(),
                    items: lane.items,
                    inline_items: lane.inline_items,
                    batches: lane.batches,
                    faults: lane.faults,
                    health: lane.health(),
                    depth,
                    backlog: Duration::from_nanos(backlog),
                    canaries: lane.canaries,
                    busy: Duration::from_nanos(lane.busy),
                }
            })
            .collect();
        let rest = dispatcher.last_resort_items();
        if let Some(cpu) = devices.iter_mut().find(|device| device.name == "cpu") {
            cpu.items += rest;
        } else if rest > 0 {
            devices.push(DeviceSnapshot {
                name: "cpu".to_owned(),
                items: rest,
                inline_items: 0,
                batches: 0,
                faults: 0,
                health: Health::Healthy,
                depth: 0,
                backlog: Duration::ZERO,
                canaries: 0,
                busy: Duration::ZERO,
            });
        }
        let (checks, rechecked) = dispatcher.reports();
        Snapshot {
            counters: dispatcher.counters(),
            checks,
            rechecked: Duration::from_nanos(rechecked),
            devices,
            queue: dispatcher.queue(),
            books: dispatcher.books().clone(),
            uptime,
        }
    })
}

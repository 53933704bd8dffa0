//! A device's bounded queue and health, as the dispatcher keeps them.

use crate::backend::Capability;
use crate::batch::Shape;
use crate::dispatch::Nanos;
use crate::dispatch::cost::{CostModel, Mode};

/// Batches that a lane holds at most, the running one included: enough to keep a device busy while
/// a completion travels, few enough that an urgent batch does not stand behind many.
pub const LANE_DEPTH: usize = 8;

/// First pause of a quarantined lane, doubled at each further fault, and its ceiling.
const BACK_OFF: (Nanos, Nanos) = (1_000_000_000, 300_000_000_000);

/// Longest silence of an accelerator: this many times the predicted time, at least what its device asks
/// for, at most this.
const WATCHDOG: (u64, Nanos) = (20, 60_000_000_000);

/// Whether a lane gets work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Healthy,
    /// It failed, and is opened anew at the time given.
    Quarantined {
        /// When.
        until: Nanos,
    },
    /// It is being opened anew and has to pass its known-answer tests.
    Opening,
}

/// What opening an engine says of each device.
#[derive(Clone, Debug)]
pub struct LaneConfig {
    /// What it serves.
    pub capabilities: Vec<Capability>,
    /// Items that it computes at once.
    pub width: usize,
    /// Time that any batch takes, however small, beside the hand-over.
    pub setup: Nanos,
    /// Shortest silence that counts as a hang.
    pub patience: Nanos,
    /// It can run on the caller's thread.
    pub inline: bool,
    /// It is the host's own CPU, which cannot hang apart from the whole process.
    pub host: bool,
}

/// State of one lane.
#[derive(Clone, Debug)]
pub struct Lane {
    pub(crate) config: LaneConfig,
    pub(crate) health: Health,
    /// Batches handed over and not yet finished.
    pub(crate) depth: usize,
    /// Sum of their predicted times.
    pub(crate) backlog: Nanos,
    /// The backend rejected a batch: no more until one completes.
    pub(crate) full: bool,
    pub(crate) cost: CostModel,
    pub(crate) items: u64,
    pub(crate) inline_items: u64,
    pub(crate) batches: u64,
    pub(crate) faults: u64,
    back_off: Nanos,
}

/// Hand-over of a batch to a lane's thread and back: two wake-ups.
const HAND_OVER: Nanos = 20_000;

/// The caller's own thread: the dispatcher's books before and after.
pub(crate) const INLINE: Mode = Mode { setup: 500, own: 0, width: 1, inline: true };

impl Lane {
    pub(crate) fn new(config: LaneConfig) -> Self {
        Lane {
            cost: CostModel::new(),
            config,
            health: Health::Healthy,
            depth: 0,
            backlog: 0,
            full: false,
            items: 0,
            inline_items: 0,
            batches: 0,
            faults: 0,
            back_off: BACK_OFF.0,
        }
    }

    /// What the lane's device is.
    pub fn config(&self) -> &LaneConfig {
        &self.config
    }

    /// Whether a healthy backend behind this lane takes such a batch at all.
    pub(crate) fn serves(&self, shape: &Shape) -> bool {
        self.health == Health::Healthy
            && self.config.capabilities.iter().any(|capability| {
                capability.algorithm == shape.algorithm && shape.items <= capability.max_items
            })
    }

    /// How the lane's own thread runs a batch.
    pub(crate) fn queued(&self) -> Mode {
        let LaneConfig { setup: own, width, .. } = self.config;
        Mode { setup: HAND_OVER + own, own, width, inline: false }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.depth < LANE_DEPTH && !self.full
    }

    /// When a batch handed over now has to be back; the host has no watchdog.
    pub(crate) fn due(&self, now: Nanos, predicted: Nanos) -> Nanos {
        if self.config.host {
            return Nanos::MAX;
        }
        let (factor, most) = WATCHDOG;
        let patience = (self.backlog + predicted).saturating_mul(factor);
        let patience = patience.max(self.config.patience).min(most);
        now.saturating_add(patience)
    }

    /// Takes the lane out of service after a fault.
    pub(crate) fn quarantine(&mut self, now: Nanos) {
        self.faults += 1;
        self.health = Health::Quarantined { until: now.saturating_add(self.back_off) };
        self.back_off = (self.back_off * 2).min(BACK_OFF.1);
        (self.depth, self.backlog, self.full) = (0, 0, false);
    }

    /// Puts the lane into service, or back, its known answers being right. What it serves is what the
    /// backend now says.
    pub(crate) fn readmit(&mut self, config: LaneConfig) {
        self.config = config;
        self.health = Health::Healthy;
    }
}

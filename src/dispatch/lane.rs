//! A device's bounded queue and health, as the dispatcher keeps them.

use crate::algorithm::Algorithm;
use crate::backend::Capability;
use crate::batch::Shape;
use crate::dispatch::Nanos;
use crate::dispatch::canary::CANARIES;
use crate::dispatch::cost::{CostModel, HandOver, Mode, units};
use crate::dispatch::tail::Tail;
use crate::trust::Trust;

/// Pieces that a lane holds at most, the running one included: enough to keep a device busy while
/// a completion travels, few enough that an urgent batch does not stand behind many.
pub const LANE_DEPTH: usize = 8;

/// The same for the host, which computes one after the other.
const HOST_DEPTH: usize = 2;

/// A lane with a backlog this long takes no third piece.
const BACKLOG: Nanos = 100_000_000;

/// First pause of a lane out of service, doubled at each further fault, and its ceiling.
const BACK_OFF: (Nanos, Nanos) = (1_000_000_000, 300_000_000_000);

/// Longest time that opening a device anew may take before it counts as lost.
const OPENING: Nanos = 60_000_000_000;

/// Silence after which an accelerator hangs: this many times what 99 of 100 answers take, at least what its
/// device asks for, at most so many times that.
const WATCHDOG: (u64, u64) = (10, 20);

/// For the first batch of a size, a device has so many times the patience that it asks for.
const NEW: u64 = 10;

/// Silence after which it is suspected, in tenths of the p99.
const LATE: u64 = 30;

/// Whether a lane gets work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Healthy,
    /// It does, and the host computes all of it again: a device that is new, or was out of service.
    Probation {
        /// Host time that re-checks have to take still.
        left: Nanos,
    },
    /// It owes an answer for longer than it should: no more work until that comes.
    Suspect,
    /// It failed, and is opened anew at the time given.
    Quarantined {
        /// When.
        until: Nanos,
    },
    /// It is being opened anew and has to pass its known-answer tests.
    Opening {
        /// Since when.
        since: Nanos,
    },
    /// It could not be opened, or hangs while it is; opening is tried again at the time given.
    Lost {
        /// When.
        until: Nanos,
    },
}

impl Health {
    /// The names of all states.
    pub const NAMES: [&'static str; 6] =
        ["healthy", "probation", "suspect", "quarantined", "opening", "lost"];

    /// Its name, as reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Health::Healthy => "healthy",
            Health::Probation { .. } => "probation",
            Health::Suspect => "suspect",
            Health::Quarantined { .. } => "quarantined",
            Health::Opening { .. } => "opening",
            Health::Lost { .. } => "lost",
        }
    }

    /// Whether the device is being opened, or hangs while it is.
    pub(crate) fn is_opening(self) -> bool {
        matches!(self, Health::Opening { .. } | Health::Lost { until: Nanos::MAX })
    }

    /// Whether a lane in this state gets work.
    pub fn serves(self) -> bool {
        matches!(self, Health::Healthy | Health::Probation { .. })
    }
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
    /// It computes on the host's cores: see [`Backend::shares_host`](crate::backend::Backend::shares_host).
    pub shared: bool,
}

/// State of one lane.
#[derive(Clone, Debug)]
pub struct Lane {
    pub(crate) config: LaneConfig,
    pub(crate) health: Health,
    /// Host time that re-checks have to take before the lane is healthy.
    pub(crate) probation: Nanos,
    /// Pieces handed over and not yet finished.
    pub(crate) depth: usize,
    /// Sum of their predicted times.
    pub(crate) backlog: Nanos,
    /// The backend rejected a piece: no more until one completes, or a tick finds the lane empty.
    pub(crate) full: bool,
    pub(crate) cost: CostModel,
    /// To its thread and back, where that shows: an accelerator's thread packs each piece before its device
    /// begins, and no clock tells that from the way.
    pub(crate) hand_over: HandOver,
    /// What proving its evidence takes the host, at [`Trust::Audited`].
    pub(crate) audit: CostModel,
    pub(crate) tail: Tail,
    pub(crate) items: u64,
    pub(crate) inline_items: u64,
    pub(crate) batches: u64,
    pub(crate) faults: u64,
    /// Canaries that came back right.
    pub(crate) canaries: u64,
    /// Time that its device worked, in all.
    pub(crate) busy: Nanos,
    back_off: Nanos,
}

/// The caller's own thread: the dispatcher's books before and after.
pub(crate) const INLINE: Mode = Mode { setup: 500, own: 0, width: 1, inline: true };

/// The host's proof of a batch, in the engine's pool.
pub(crate) const AUDIT: Mode = Mode { setup: 0, own: 0, width: 1, inline: false };

impl Lane {
    /// A lane that begins with so much of probation, if it is an accelerator's.
    pub(crate) fn new(config: LaneConfig, probation: Nanos) -> Self {
        let mut lane = Lane {
            cost: CostModel::new(),
            hand_over: HandOver::default(),
            audit: CostModel::new(),
            tail: Tail::new(),
            config,
            health: Health::Healthy,
            probation: 0,
            depth: 0,
            backlog: 0,
            full: false,
            items: 0,
            inline_items: 0,
            batches: 0,
            faults: 0,
            busy: 0,
            canaries: 0,
            back_off: BACK_OFF.0,
        };
        lane.begin(probation);
        lane
    }

    /// What the lane's device is.
    pub fn config(&self) -> &LaneConfig {
        &self.config
    }

    /// Its health.
    pub fn health(&self) -> Health {
        self.health
    }

    /// Pieces handed over and not yet finished, and the sum of their predicted times.
    pub fn load(&self) -> (usize, Nanos) {
        (self.depth, self.backlog)
    }

    /// Most entries of a piece of this algorithm, canaries not counted; `None` where the lane serves none now.
    pub(crate) fn capacity(&self, algorithm: Algorithm) -> Option<usize> {
        if !self.health.serves() {
            return None;
        }
        let mut all = self.config.capabilities.iter();
        let found = all.find(|capability| capability.algorithm == algorithm)?;
        let canaries = if self.config.host { 0 } else { CANARIES };
        found.max_items.checked_sub(canaries).filter(|&items| items > 0)
    }

    /// How the lane's own thread runs a piece.
    pub(crate) fn queued(&self) -> Mode {
        let LaneConfig { setup: own, width, .. } = self.config;
        Mode { setup: self.hand_over.predict() + own, own, width, inline: false }
    }

    /// Most that a batch takes on the caller's thread, as the queue shows it: its units one after the other.
    pub(crate) fn alone(&self, shape: &Shape) -> Nanos {
        let mode = self.queued();
        let busy = self.cost.predict(shape, Mode { setup: mode.own, ..mode });
        busy.saturating_mul(units(shape).clamp(1, mode.width.max(1) as u64))
    }

    /// What a piece takes on this lane that nothing stands before, the host's proof of it included.
    pub(crate) fn predict(&self, shape: &Shape, trust: Trust) -> Nanos {
        let own = self.cost.predict(shape, self.queued());
        if trust == Trust::Audited && !self.config.host {
            return own + self.audit.predict(shape, AUDIT);
        }
        own
    }

    pub(crate) fn has_room(&self) -> bool {
        let depth = if self.config.host { HOST_DEPTH } else { LANE_DEPTH };
        self.depth < depth && !self.full && (self.depth < 2 || self.backlog < BACKLOG)
    }

    /// When a piece handed over now makes the lane suspect, and when it makes it hang; the host does neither. `new`:
    /// nothing shows yet how right the prediction is.
    pub(crate) fn due(&self, now: Nanos, predicted: Nanos, new: bool) -> (Nanos, Nanos) {
        if self.config.host {
            return (Nanos::MAX, Nanos::MAX);
        }
        let (factor, most) = WATCHDOG;
        let p99 = self.tail.p99(self.backlog + predicted);
        let floor = self.config.patience.saturating_mul(if new { NEW } else { 1 });
        let ceiling = floor.saturating_mul(most);
        // However long the clamp, a batch may take four times its prediction.
        let ceiling = ceiling.max(4 * predicted);
        let hangs = p99.saturating_mul(factor).clamp(floor, ceiling);
        let late = (p99.saturating_mul(LATE) / 10).clamp(self.config.patience / 2, hangs);
        (now.saturating_add(late), now.saturating_add(hangs))
    }

    /// Takes the lane out of service after a fault.
    pub(crate) fn quarantine(&mut self, now: Nanos) {
        self.faults += 1;
        self.health = Health::Quarantined { until: self.next_try(now) };
        (self.depth, self.backlog, self.full) = (0, 0, false);
    }

    /// Opening it anew failed.
    pub(crate) fn lose(&mut self, now: Nanos) {
        self.faults += 1;
        self.health = Health::Lost { until: self.next_try(now) };
    }

    fn next_try(&mut self, now: Nanos) -> Nanos {
        let until = now.saturating_add(self.back_off);
        self.back_off = (self.back_off * 2).min(BACK_OFF.1);
        until
    }

    /// Whether it is time to open the device anew.
    pub(crate) fn is_due_to_open(&self, now: Nanos) -> bool {
        matches!(self.health, Health::Quarantined { until } | Health::Lost { until } if until <= now)
    }

    /// Opening takes too long: the device's thread hangs. Should it come back, it is welcome.
    pub(crate) fn watch_opening(&mut self, now: Nanos) {
        if let Health::Opening { since } = self.health
            && now.saturating_sub(since) > OPENING
        {
            self.health = Health::Lost { until: Nanos::MAX };
        }
    }

    /// Puts the lane into service, or back, its known answers being right. What it serves is what the
    /// backend now says; what it cost may have changed as well.
    pub(crate) fn readmit(&mut self, config: LaneConfig, probation: Nanos) {
        self.config = config;
        self.begin(probation);
    }

    fn begin(&mut self, probation: Nanos) {
        self.probation = if self.config.host { 0 } else { probation };
        self.settle();
    }

    /// Re-checks of the lane's answers took the host so long, and found nothing.
    pub(crate) fn prove(&mut self, time: Nanos) {
        if self.probation > 0 {
            self.probation = self.probation.saturating_sub(time);
            if self.probation == 0 {
                self.back_off = BACK_OFF.0;
            }
        }
    }

    /// An answer came: a suspect is one no more.
    pub(crate) fn settle(&mut self) {
        self.health = match self.probation {
            0 => Health::Healthy,
            left => Health::Probation { left },
        };
    }
}

//! The dispatcher: a state machine without clock, threads or randomness of its own.
//!
//! [`Dispatcher::step`] takes the time and one event and says what has to be done. It sees shapes,
//! never data; `mill` is the thin shell that holds the data and runs the actions, and a simulator
//! may stand in its place. A batch is handed out in pieces, ranges of its live entries, and each entry is
//! answered exactly once because the machine alone decides when: an answer counts only while the piece is
//! where it comes from, and only the first for its entries.

use crate::algorithm::Algorithm;
use crate::backend::BatchId;
use crate::batch::Shape;
use crate::error::ItemError;
use crate::trust::Trust;

mod admit;
pub mod batcher;
pub mod books;
mod budget;
pub mod canary;
pub(crate) mod cell;
mod check;
pub mod cost;
pub mod event;
pub mod examine;
mod explain;
mod hedge;
pub mod judge;
pub mod lane;
mod line;
pub(crate) mod mill;
pub(crate) mod parse;
mod place;
pub mod probe;
pub mod proof;
pub mod random;
pub mod remember;
pub mod router;
mod settle;
mod slab;
pub mod sources;
pub(crate) mod spares;
mod tail;
pub mod ticket;
pub(crate) mod worker;

/// Locks of the cell; where all interleavings of its threads are tried, others stand in their place.
mod sync {
    pub use std::sync::{Condvar, Mutex, MutexGuard};
}

use books::{Books, Failed};
use budget::Budget;
use cost::CostModel;
pub use event::{
    Action, Check, Class, Counters, Event, Limits, Nanos, Order, PieceId, Place, Report, Tally,
};
use lane::{Health, Lane, LaneConfig};
use line::Line;
use probe::Probes;
use slab::Slab;
use sources::Sources;

/// An admitted batch.
#[derive(Clone, Copy, Debug)]
struct Entry {
    id: BatchId,
    shape: Shape,
    order: Order,
    stage: Stage,
    /// Predicted time, while it is being parsed: it waits then too.
    parsing: Nanos,
    /// Predicted time, where it is on its caller's thread to see what it takes there.
    tried: Option<Nanos>,
    /// When it was admitted, and parsed.
    admitted: Nanos,
    parsed: Nanos,
    /// Live entries, and those of them that have no answer yet.
    live: usize,
    left: usize,
    /// The least that stands behind an answer so far.
    trust: Trust,
    tally: Tally,
}

/// Where an admitted batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Parsing,
    /// On its caller's thread, with the kernel of this lane's backend.
    Inline(usize),
    /// Handed out in pieces.
    Open,
}

/// A range of a batch's live entries.
#[derive(Clone, Copy, Debug)]
struct Piece {
    batch: BatchId,
    start: usize,
    end: usize,
    /// Of its entries, once it was sent.
    shape: Shape,
    place: Place,
    /// Another piece of the same entries, in another lane.
    twin: Option<PieceId>,
    /// The twin whose answers were accepted: this one's are only compared.
    after: Option<PieceId>,
    /// A device failed over it, or is late: the host's turn.
    failed: Option<Failed>,
    /// It was sent to see what it takes there.
    probe: bool,
    /// Its lane's thread slept when it was handed over.
    woke: bool,
    trust: Trust,
    /// When it was handed over, what was predicted for it with all that stood before, and alone.
    sent: Nanos,
    expected: Nanos,
    predicted: Nanos,
    /// When the lane becomes suspect over it, and when it hangs.
    late: Nanos,
    due: Nanos,
}

/// What is in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Jobs.
    pub items: u64,
    /// Batches.
    pub batches: u64,
    /// Bytes.
    pub bytes: u64,
    /// Jobs that wait for a lane, or are being parsed.
    pub waiting_items: u64,
    /// Predicted time of those, in ns.
    pub waiting: Nanos,
}

/// How devices are trusted, unless a batch asks for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Least trust of a batch that names none.
    pub trust: Trust,
    /// Share of one core that re-checks of accepted answers may take, in thousandths.
    pub recheck: u64,
    /// Host time that re-checks of a new device take before it counts as healthy. At a share of 1/10 it takes
    /// ten times as long.
    pub probation: Nanos,
    /// A device that was found to lie stays in service: for tests that count what is found.
    pub keep_liars: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { trust: Trust::Checked, recheck: 100, probation: 1_000_000_000, keep_liars: false }
    }
}

impl Policy {
    /// The level of a batch that names none: recovery for votes and blocks is audited, since nothing else
    /// vouches for a key that a device names.
    pub(crate) fn trust_in(&self, algorithm: Algorithm, class: Class) -> Trust {
        match (algorithm, class) {
            (Algorithm::RecoverSecp256k1(_), Class::Consensus) => Trust::Audited,
            _ => self.trust,
        }
    }
}

/// The state machine.
#[derive(Debug)]
pub struct Dispatcher {
    limits: Limits,
    policy: Policy,
    lanes: Vec<Lane>,
    /// What one portable core needs: where no lane is the host's, nothing is learned of it.
    portable: CostModel,
    entries: Slab<Entry>,
    pieces: Slab<Piece>,
    /// By class.
    waiting: [Line; 3],
    /// Predicted time of all that waits, to be parsed or for a lane.
    waiting_time: Nanos,
    /// Time that others got, predicted, while each class waited for its turn.
    passed: [Nanos; 3],
    sources: Sources,
    probes: Probes,
    /// For re-checks of accepted answers, and for confirming the rejects of class `Mempool`.
    samples: Budget,
    rejects: Budget,
    reports: Report,
    counters: Counters,
    books: Books,
    /// Of the event at hand.
    now: Nanos,
    bytes_in_flight: usize,
    last_resort_items: u64,
    /// Predicted time of what the portable CPU has to do still.
    last_resort_time: Nanos,
    /// Memory of the pieces in the order in which they are due, between two ticks.
    due: Vec<hedge::Due>,
    closed: bool,
}

impl Dispatcher {
    /// A dispatcher over these lanes.
    pub fn new(limits: Limits, policy: Policy, lanes: Vec<LaneConfig>) -> Self {
        let batches = limits.batches.clamp(1, Slab::<Entry>::MOST);
        // One of each batch, as many cut off, and the lanes' pieces with their twins.
        let pieces = 2 * batches + 4 * lanes.len() * lane::LANE_DEPTH;
        let lanes: Vec<_> =
            lanes.into_iter().map(|config| Lane::new(config, policy.probation)).collect();
        Dispatcher {
            limits: Limits { batches, ..limits },
            policy,
            portable: CostModel::new(),
            entries: Slab::new(batches),
            pieces: Slab::new(pieces),
            waiting: Default::default(),
            waiting_time: 0,
            passed: [0; 3],
            sources: Sources::new(batches),
            probes: Probes::new(lanes.len() + cost::CLASSES),
            samples: Budget::new(policy.recheck),
            rejects: Budget::new(policy.recheck),
            reports: Report::default(),
            counters: Counters::default(),
            books: Books::new(),
            now: 0,
            bytes_in_flight: 0,
            last_resort_items: 0,
            last_resort_time: 0,
            due: Vec::with_capacity(pieces),
            closed: false,
            lanes,
        }
    }

    /// Takes one event in and appends what has to be done.
    pub fn step(&mut self, now: Nanos, event: Event, actions: &mut Vec<Action>) {
        self.now = now;
        match event {
            Event::Submit { shape, order, live } => self.submit(now, shape, order, live, actions),
            Event::Parsed { id, live } => {
                if self.entry(id).is_some_and(|entry| entry.stage == Stage::Parsing) {
                    self.open(id, live, actions);
                    self.pump(now, actions);
                }
            }
            Event::Inlined { id, lane, busy, done } => self.inlined(id, lane, busy, done, actions),
            Event::Finished { piece, place, busy, judged, tally, report } => {
                let answer = settle::Answer { busy, judged, tally, report };
                self.finish(now, piece, place, answer, actions);
                self.pump(now, actions);
            }
            Event::Failed { piece, place, fault } => {
                self.fail(now, piece, place, fault, actions);
                self.pump(now, actions);
            }
            Event::Disagreed { lane, algorithm, fault } => {
                self.books.mismatch(lane, algorithm);
                if self.lanes[lane].health.serves() || self.lanes[lane].health == Health::Suspect {
                    self.fault(now, lane, fault, actions);
                }
                self.pump(now, actions);
            }
            Event::Rejected { piece, lane } => {
                self.rejected(piece, lane);
                self.pump(now, actions);
            }
            Event::Readmitted { lane, passed } => {
                match passed {
                    Some(config) => self.lanes[lane].readmit(config, self.policy.probation),
                    None => self.lanes[lane].lose(now),
                }
                self.pump(now, actions);
            }
            Event::Opening { lane } => {
                self.lanes[lane].health = Health::Opening { since: now };
                actions.push(Action::Readmit { lane });
            }
            Event::Cancel { id } => {
                self.abandon(id, ItemError::Cancelled, actions);
                self.pump(now, actions);
            }
            Event::Tick => self.tick(now, actions),
            Event::Close => self.closed = true,
            Event::Abort => {
                self.closed = true;
                for place in 0..self.entries.len() {
                    if let Some(id) = self.entries.id_at(place) {
                        self.abandon(BatchId(id), ItemError::Shutdown, actions);
                    }
                }
            }
        }
        debug_assert!(self.counters.balance());
    }

    fn tick(&mut self, now: Nanos, actions: &mut Vec<Action>) {
        for place in 0..self.entries.len() {
            if let Some(id) = self.entries.id_at(place)
                && self.entries.get(id).is_some_and(|entry| entry.order.deadline <= now)
            {
                self.abandon(BatchId(id), ItemError::Deadline, actions);
            }
        }
        for place in 0..self.pieces.len() {
            let Some(id) = self.pieces.id_at(place) else { continue };
            self.watch_piece(now, PieceId(id), actions);
        }
        self.watch_deadlines(now, actions);
        for lane in 0..self.lanes.len() {
            self.lanes[lane].watch_opening(now);
            // A backend that had no room for a first piece either is asked again.
            if self.lanes[lane].depth == 0 {
                self.lanes[lane].full = false;
            }
            if self.lanes[lane].is_due_to_open(now) && !self.closed {
                self.lanes[lane].health = Health::Opening { since: now };
                actions.push(Action::Readmit { lane });
            }
        }
        self.pump(now, actions);
    }

    /// What a lane's device showed in an earlier run, to begin with.
    pub(crate) fn recall(&mut self, lane: usize, costs: CostModel) {
        self.lanes[lane].cost = costs;
    }

    /// Jobs by fate.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What was counted for whoever watches.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// Jobs, batches and bytes in flight, and the predicted time of what waits.
    pub fn queue(&self) -> Queue {
        let batches = (self.entries.len() - self.entries.room()) as u64;
        let (items, bytes) = (self.counters.in_flight, self.bytes_in_flight as u64);
        let entries = (0..self.entries.len()).filter_map(|place| self.entries.id_at(place));
        let entries = entries.filter_map(|id| self.entries.get(id));
        let parsing = entries.filter(|entry| entry.stage == Stage::Parsing);
        let parsing: usize = parsing.map(|entry| entry.shape.items).sum();
        let pieces = (0..self.pieces.len()).filter_map(|place| self.pieces.id_at(place));
        let pieces = pieces.filter_map(|id| self.pieces.get(id));
        let waiting = pieces.filter(|piece| piece.place == Place::Waiting);
        let waiting: usize = waiting.map(|piece| piece.end - piece.start).sum();
        let waiting_items = (parsing + waiting) as u64;
        Queue { items, batches, bytes, waiting_items, waiting: self.waiting_time }
    }

    /// The lanes, in the order in which they were given.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Jobs computed by the portable CPU because no lane could.
    pub fn last_resort_items(&self) -> u64 {
        self.last_resort_items
    }

    /// What examinations found, in all, and the host time that re-checks were charged.
    pub fn reports(&self) -> (Report, Nanos) {
        (self.reports, self.samples.spent() + self.rejects.spent())
    }

    /// Whether time alone can bring about an action: ticks are needed only then.
    pub fn wants_ticks(&self) -> bool {
        let waits = |health| !matches!(health, Health::Healthy | Health::Probation { .. });
        !self.entries.is_empty()
            || !self.pieces.is_empty()
            || self.lanes.iter().any(|lane| waits(lane.health))
    }

    /// Whether no batch is in flight, not even an empty one.
    pub fn is_idle(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether submissions are refused for good.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the batch has no answer yet.
    pub fn is_open(&self, id: BatchId) -> bool {
        self.entry(id).is_some()
    }

    /// Where the piece is; `None` once it is answered or its lane failed.
    pub fn place_of(&self, piece: PieceId) -> Option<Place> {
        self.piece(piece).map(|piece| piece.place)
    }

    /// How many batches and pieces it holds.
    pub fn held(&self) -> (usize, usize) {
        (self.entries.len() - self.entries.room(), self.pieces.len() - self.pieces.room())
    }

    /// Index of the batch's slot, below [`Limits::batches`].
    pub fn slot(id: BatchId) -> usize {
        Slab::<Entry>::place(id.0)
    }

    fn entry(&self, id: BatchId) -> Option<&Entry> {
        self.entries.get(id.0)
    }

    fn piece(&self, id: PieceId) -> Option<&Piece> {
        self.pieces.get(id.0)
    }
}

//! The dispatcher: a state machine without clock, threads or randomness of its own.
//!
//! [`Dispatcher::step`] takes the time and one event and says what has to be done. It sees shapes,
//! never data; `mill` is the thin shell that holds the data and runs the actions, and a simulator
//! may stand in its place. Each admitted batch is resolved exactly once because the machine alone
//! decides when: a completion counts only while the batch is where the completion comes from.

use std::collections::VecDeque;

use crate::algorithm::Algorithm;
use crate::backend::BatchId;
use crate::batch::Shape;
use crate::error::{BusyReason, Fault, ItemError};

pub mod batcher;
pub(crate) mod cell;
pub mod cost;
pub mod event;
mod explain;
pub mod judge;
pub mod lane;
pub(crate) mod mill;
pub(crate) mod parse;
pub mod probe;
pub mod remember;
pub mod router;
pub(crate) mod spares;
pub mod ticket;
pub(crate) mod worker;

pub use event::{Action, Class, Counters, Event, Limits, Nanos, Place, Tally};
use lane::{Health, INLINE, Lane, LaneConfig};
use router::{Choice, Route};

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: BatchId,
    shape: Shape,
    class: Class,
    deadline: Nanos,
    place: Place,
    /// When the lane has to answer.
    due: Nanos,
    predicted: Nanos,
}

/// The state machine.
#[derive(Debug)]
pub struct Dispatcher {
    limits: Limits,
    lanes: Vec<Lane>,
    /// Batch `id` lies in slot `id % limits.batches`.
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    serial: u64,
    waiting: [VecDeque<BatchId>; 3],
    counters: Counters,
    bytes_in_flight: usize,
    last_resort_items: u64,
    closed: bool,
}

impl Dispatcher {
    /// A dispatcher over these lanes.
    pub fn new(limits: Limits, lanes: Vec<LaneConfig>) -> Self {
        let limits = Limits { batches: limits.batches.max(1), ..limits };
        Dispatcher {
            limits,
            lanes: lanes.into_iter().map(Lane::new).collect(),
            entries: vec![None; limits.batches],
            free: (0..limits.batches).rev().collect(),
            serial: 0,
            waiting: Default::default(),
            counters: Counters::default(),
            bytes_in_flight: 0,
            last_resort_items: 0,
            closed: false,
        }
    }

    /// Takes one event in and appends what has to be done.
    pub fn step(&mut self, now: Nanos, event: Event, actions: &mut Vec<Action>) {
        match event {
            Event::Submit { shape, class, deadline, parsed } => {
                self.submit(now, shape, class, deadline, parsed, actions);
            }
            Event::Parsed { id } => {
                if self.entry(id).is_some_and(|entry| entry.place == Place::Parsing) {
                    self.place(now, id, false, actions);
                }
            }
            Event::Finished { id, place, busy, tally } => {
                self.finish(id, place, busy, tally, actions);
                self.pump(now, actions);
            }
            Event::Failed { id, place, fault } => {
                if self.entry(id).is_none_or(|entry| entry.place != place) {
                    return;
                }
                match place {
                    Place::Lane(lane) => self.quarantine(now, lane, fault, actions),
                    Place::Inline(_) => self.last_resort(id, actions),
                    // The portable kernels are the last there is.
                    _ => self.abandon(id, ItemError::Fault, actions),
                }
                self.pump(now, actions);
            }
            Event::Rejected { id, lane } => {
                if self.entry(id).is_some_and(|entry| entry.place == Place::Lane(lane)) {
                    self.leave(id);
                    self.lanes[lane].full = self.lanes[lane].depth > 0;
                    let entry = self.entry_mut(id).expect("the batch is in flight");
                    entry.place = Place::Waiting;
                    let class = entry.class;
                    self.waiting[class as usize].push_front(id);
                    self.pump(now, actions);
                }
            }
            Event::Readmitted { lane, passed } => {
                if let Some(config) = passed {
                    self.lanes[lane].readmit(config);
                    self.pump(now, actions);
                } else {
                    self.lanes[lane].quarantine(now);
                }
            }
            Event::Opening { lane } => {
                self.lanes[lane].health = Health::Opening;
                actions.push(Action::Readmit { lane });
            }
            Event::Tick => self.tick(now, actions),
            Event::Close => self.closed = true,
            Event::Abort => {
                self.closed = true;
                let all: Vec<_> = self.entries.iter().flatten().copied().collect();
                for entry in all {
                    if !matches!(entry.place, Place::Inline(_)) {
                        self.abandon(entry.id, ItemError::Shutdown, actions);
                    }
                }
            }
        }
        debug_assert!(self.counters.balance());
    }

    /// Jobs by fate.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The lanes, in the order in which they were given.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Jobs computed by the portable CPU because no lane could.
    pub fn last_resort_items(&self) -> u64 {
        self.last_resort_items
    }

    /// Whether time alone can bring about an action: ticks are needed only then.
    pub fn wants_ticks(&self) -> bool {
        !self.is_idle()
            || self.lanes.iter().any(|lane| matches!(lane.health, Health::Quarantined { .. }))
    }

    /// Whether no batch is in flight, not even an empty one.
    pub fn is_idle(&self) -> bool {
        self.free.len() == self.entries.len()
    }

    /// Whether submissions are refused for good.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Where the batch is; `None` once it is resolved.
    pub fn place_of(&self, id: BatchId) -> Option<Place> {
        self.entry(id).map(|entry| entry.place)
    }

    /// Index of the batch's slot.
    pub fn slot(&self, id: BatchId) -> usize {
        (id.0 % self.limits.batches as u64) as usize
    }

    /// The choices for a batch of this shape now.
    pub fn choices(&self, shape: Shape) -> impl Iterator<Item = Choice> + '_ {
        let serving = self.lanes.iter().enumerate().filter(move |(_, lane)| lane.serves(&shape));
        serving.map(move |(index, lane)| Choice {
            lane: index,
            lane_finish: lane
                .has_room()
                .then(|| lane.backlog + lane.cost.predict(&shape, lane.queued())),
            inline_finish: lane.config.inline.then(|| lane.cost.predict(&shape, INLINE)),
            seen: lane.cost.seen(&shape, lane.queued()),
            inline_seen: lane.cost.seen(&shape, INLINE),
            host: lane.config.host,
        })
    }

    /// The route of a batch of this shape now.
    pub fn route(&self, shape: Shape, may_inline: bool) -> Route {
        let serving = self.lanes.iter().any(|lane| lane.serves(&shape));
        router::route(self.choices(shape), may_inline, serving)
    }

    fn submit(
        &mut self,
        now: Nanos,
        shape: Shape,
        class: Class,
        deadline: Nanos,
        parsed: bool,
        actions: &mut Vec<Action>,
    ) {
        let items = self.counters.in_flight + shape.items as u64;
        let why = if self.closed {
            Some(BusyReason::Closed)
        } else if self.free.is_empty() {
            Some(BusyReason::Batches)
        } else if items > self.limits.items as u64 {
            Some(BusyReason::Items)
        } else if self.bytes_in_flight + shape.bytes > self.limits.bytes {
            Some(BusyReason::Bytes)
        } else {
            None
        };
        if let Some(why) = why {
            actions.push(Action::Refuse(why));
            return;
        }
        let slot = self.free.pop().expect("a slot is free");
        self.serial += 1;
        let id = BatchId(self.serial * self.limits.batches as u64 + slot as u64);
        let place = Place::Parsing;
        let due = Nanos::MAX;
        self.entries[slot] = Some(Entry { id, shape, class, deadline, place, due, predicted: 0 });
        self.counters.submitted += shape.items as u64;
        self.counters.in_flight = items;
        self.bytes_in_flight += shape.bytes;
        actions.push(Action::Admit(id));
        match self.route(shape, true) {
            Route::Inline(lane) => {
                self.entry_mut(id).expect("just made").place = Place::Inline(lane);
                actions.push(Action::Inline { id, lane });
            }
            _ if parsed => self.place(now, id, true, actions),
            _ => actions.push(Action::Parse { id }),
        }
    }

    /// Finds a lane for a parsed batch, or leaves it waiting. `behind`: others wait already.
    fn place(&mut self, now: Nanos, id: BatchId, behind: bool, actions: &mut Vec<Action>) {
        let Some(&Entry { shape, class, .. }) = self.entry(id) else { return };
        let queue = class as usize;
        let others = behind && !self.waiting[queue].is_empty();
        match self.route(shape, false) {
            Route::Lane(lane) if !others => self.send(now, id, lane, actions),
            Route::None => self.last_resort(id, actions),
            _ => {
                self.entry_mut(id).expect("looked up above").place = Place::Waiting;
                self.waiting[queue].push_back(id);
            }
        }
    }

    fn send(&mut self, now: Nanos, id: BatchId, lane: usize, actions: &mut Vec<Action>) {
        let shape = self.entry(id).expect("in flight").shape;
        let predicted = self.lanes[lane].cost.predict(&shape, self.lanes[lane].queued());
        let due = self.lanes[lane].due(now, predicted);
        self.lanes[lane].depth += 1;
        self.lanes[lane].backlog += predicted;
        let entry = self.entry_mut(id).expect("in flight");
        (entry.place, entry.due, entry.predicted) = (Place::Lane(lane), due, predicted);
        actions.push(Action::Send { id, lane });
    }

    fn last_resort(&mut self, id: BatchId, actions: &mut Vec<Action>) {
        let Some(entry) = self.entry_mut(id) else { return };
        entry.place = Place::LastResort;
        if entry.shape.algorithm == Algorithm::Null {
            self.abandon(id, ItemError::Unserved, actions);
        } else {
            actions.push(Action::LastResort { id });
        }
    }

    /// Moves waiting batches into lanes that have room again, urgent classes first.
    fn pump(&mut self, now: Nanos, actions: &mut Vec<Action>) {
        for queue in 0..self.waiting.len() {
            while let Some(&id) = self.waiting[queue].front() {
                let shape = match self.entry(id) {
                    Some(entry) if entry.place == Place::Waiting => entry.shape,
                    _ => {
                        self.waiting[queue].pop_front();
                        continue;
                    }
                };
                match self.route(shape, false) {
                    Route::Lane(lane) => {
                        self.waiting[queue].pop_front();
                        self.send(now, id, lane, actions);
                    }
                    Route::None => {
                        self.waiting[queue].pop_front();
                        self.last_resort(id, actions);
                    }
                    Route::Inline(_) | Route::Wait => break,
                }
            }
        }
    }

    fn finish(
        &mut self,
        id: BatchId,
        place: Place,
        busy: Nanos,
        tally: Tally,
        actions: &mut Vec<Action>,
    ) {
        let Some(&Entry { shape, place: now_at, .. }) = self.entry(id) else { return };
        if now_at != place {
            return;
        }
        let items = shape.items as u64;
        match place {
            Place::Lane(lane) => {
                self.leave(id);
                let lane = &mut self.lanes[lane];
                lane.full = false;
                lane.cost.observe(&shape, busy, lane.queued());
                (lane.items, lane.batches) = (lane.items + items, lane.batches + 1);
            }
            Place::Inline(lane) => {
                let lane = &mut self.lanes[lane];
                lane.cost.observe(&shape, busy.saturating_sub(INLINE.setup), INLINE);
                (lane.items, lane.batches) = (lane.items + items, lane.batches + 1);
                lane.inline_items += items;
            }
            _ => self.last_resort_items += items,
        }
        self.retire(id, tally);
        actions.push(Action::Resolve { id });
    }

    fn abandon(&mut self, id: BatchId, error: ItemError, actions: &mut Vec<Action>) {
        let Some(&Entry { shape, .. }) = self.entry(id) else { return };
        self.leave(id);
        self.retire(id, Tally { errors: shape.items as u64, ..Tally::default() });
        actions.push(Action::Abandon { id, error });
    }

    /// Takes the lane out of service and routes everything it holds again.
    fn quarantine(&mut self, now: Nanos, lane: usize, fault: Fault, actions: &mut Vec<Action>) {
        self.lanes[lane].quarantine(now);
        actions.push(Action::Quarantine { lane, fault });
        for slot in 0..self.entries.len() {
            if let Some(entry) = self.entries[slot]
                && entry.place == Place::Lane(lane)
            {
                self.place(now, entry.id, false, actions);
            }
        }
    }

    fn tick(&mut self, now: Nanos, actions: &mut Vec<Action>) {
        for slot in 0..self.entries.len() {
            let Some(entry) = self.entries[slot] else { continue };
            match entry.place {
                // The caller's own thread is at work; it cannot be interrupted.
                Place::Inline(_) => {}
                _ if entry.deadline <= now => self.abandon(entry.id, ItemError::Deadline, actions),
                Place::Lane(lane) if entry.due <= now => {
                    self.quarantine(now, lane, Fault::Timeout, actions);
                }
                _ => {}
            }
        }
        for lane in 0..self.lanes.len() {
            if let Health::Quarantined { until } = self.lanes[lane].health
                && until <= now
                && !self.closed
            {
                self.lanes[lane].health = Health::Opening;
                actions.push(Action::Readmit { lane });
            }
        }
        self.pump(now, actions);
    }

    /// Takes a batch off its lane's books.
    fn leave(&mut self, id: BatchId) {
        if let Some(&Entry { place: Place::Lane(lane), predicted, .. }) = self.entry(id) {
            let lane = &mut self.lanes[lane];
            lane.depth = lane.depth.saturating_sub(1);
            lane.backlog = lane.backlog.saturating_sub(predicted);
        }
    }

    /// Frees the batch's slot and counts its answers.
    fn retire(&mut self, id: BatchId, tally: Tally) {
        let slot = self.slot(id);
        let entry = self.entries[slot].take().expect("the batch is in flight");
        self.free.push(slot);
        self.bytes_in_flight -= entry.shape.bytes;
        self.counters.in_flight -= entry.shape.items as u64;
        let answered = &mut self.counters.answered;
        answered.valid += tally.valid;
        answered.invalid += tally.invalid;
        answered.computed += tally.computed;
        answered.errors += tally.errors;
    }

    fn entry(&self, id: BatchId) -> Option<&Entry> {
        self.entries[self.slot(id)].as_ref().filter(|entry| entry.id == id)
    }

    fn entry_mut(&mut self, id: BatchId) -> Option<&mut Entry> {
        let slot = self.slot(id);
        self.entries[slot].as_mut().filter(|entry| entry.id == id)
    }
}

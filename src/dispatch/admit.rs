//! Admission: a batch is refused at once, and nowhere later.

use crate::backend::BatchId;
use crate::batch::{Form, Shape};
use crate::dispatch::router::Route;
use crate::dispatch::sources::Source;
use crate::dispatch::{
    Action, Class, Dispatcher, Entry, Nanos, Order, Piece, PieceId, Place, Stage, Tally,
};
use crate::error::BusyReason;
use crate::trust::Trust;

/// Batches without a source share one, where what a source has proved to be matters.
const UNNAMED: Source = Source(u64::MAX);

impl Order {
    pub(super) fn source_or_unnamed(&self) -> Source {
        self.source.unwrap_or(UNNAMED)
    }
}

impl Dispatcher {
    pub(super) fn submit(
        &mut self,
        now: Nanos,
        shape: Shape,
        order: Order,
        live: Option<usize>,
        actions: &mut Vec<Action>,
    ) {
        if let Some(why) = self.refusal(&shape, &order) {
            self.books.refuse(why);
            return actions.push(Action::Refuse(why));
        }
        let mut shape = shape;
        let source = order.source_or_unnamed();
        self.sources.admit(source, &shape);
        // What was parsed before keeps its form.
        if shape.form == Form::Combined && live.is_none() && !self.sources.may_combine(source) {
            shape.form = Form::Single;
        }
        let items = shape.items as u64;
        let id = BatchId(self.entries.insert(|id| Entry {
            id: BatchId(id),
            shape,
            order,
            stage: Stage::Parsing,
            parsing: 0,
            tried: None,
            admitted: now,
            parsed: now,
            live: 0,
            left: 0,
            trust: Trust::Audited,
            tally: Tally::default(),
        }));
        self.books.admit(shape.algorithm, order.class, shape.items);
        self.counters.submitted += items;
        self.counters.in_flight += items;
        self.bytes_in_flight += shape.bytes;
        actions.push(Action::Admit(id));
        let (route, tried) = self.admitted_route(now, &shape, &order);
        match (route, live) {
            (Route::Inline(lane), _) => {
                let entry = self.entries.get_mut(id.0).expect("just made");
                (entry.stage, entry.tried) = (Stage::Inline(lane), tried);
                actions.push(Action::Inline { id, lane, form: shape.form });
            }
            (_, Some(live)) => {
                self.open(id, live, actions);
                self.pump(now, actions);
            }
            (_, None) => {
                let predicted = self.least_time(&shape, order.trust);
                self.entries.get_mut(id.0).expect("just made").parsing = predicted;
                self.waiting_time += predicted;
                actions.push(Action::Parse { id, form: shape.form });
            }
        }
    }

    /// Which limit a batch would break.
    fn refusal(&self, shape: &Shape, order: &Order) -> Option<BusyReason> {
        if self.closed {
            return Some(BusyReason::Closed);
        }
        let limits = &self.limits;
        let batches = self.entries.len() - self.entries.room();
        let after = [
            (batches + 1, limits.batches, BusyReason::Batches),
            (self.counters.in_flight as usize + shape.items, limits.items, BusyReason::Items),
            (self.bytes_in_flight + shape.bytes, limits.bytes, BusyReason::Bytes),
        ];
        let (have, items, bytes) =
            order.source.map_or((0, 0, 0), |source| self.sources.held(source));
        let of_source = [have + 1, items + shape.items, bytes + shape.bytes];
        // Rounded up: a share is never nothing.
        let share = |limit: usize, percent: u8| match percent {
            100.. => limit,
            _ => (limit as u128 * u128::from(percent)).div_ceil(100) as usize,
        };
        for ((after, limit, why), of_source) in after.into_iter().zip(of_source) {
            if after > limit {
                return Some(why);
            }
            if after > share(limit, limits.classes[order.class as usize]) {
                return Some(BusyReason::Class);
            }
            if order.source.is_some() && of_source > share(limit, limits.source) {
                return Some(BusyReason::Source);
            }
        }
        // Each batch in flight, this one too, finds a place for its first piece. Pieces of batches that were given up
        // may be in the way for as long as somebody is at work on them.
        if self.pieces.room() <= batches {
            return Some(BusyReason::Batches);
        }
        let patience = limits.backlog.as_nanos() as Nanos;
        if order.class == Class::Consensus {
            return None;
        }
        let backlog = self.backlog();
        if backlog > patience {
            return Some(BusyReason::Backlog);
        }
        // What waits is taken to be a source's in proportion to its jobs in flight.
        let own = backlog as u128 * items as u128 / u128::from(self.counters.in_flight.max(1));
        (own > share(patience as usize, limits.source) as u128).then_some(BusyReason::Source)
    }

    /// Makes one piece of a parsed batch's live entries, and lets it wait.
    pub(super) fn open(&mut self, id: BatchId, live: usize, actions: &mut Vec<Action>) {
        let now = self.now;
        let Some(entry) = self.entries.get_mut(id.0) else { return };
        entry.stage = Stage::Open;
        entry.parsed = now;
        (entry.live, entry.left) = (live, live);
        entry.tally.invalid = (entry.shape.items - live) as u64;
        let (algorithm, took) = (entry.shape.algorithm, now - entry.admitted);
        let invalid = entry.tally.invalid;
        let parsing = std::mem::take(&mut entry.parsing);
        self.waiting_time = self.waiting_time.saturating_sub(parsing);
        self.books.parsed(algorithm, took, invalid);
        if live == 0 {
            return self.resolve(id, actions);
        }
        let piece = self.new_piece(id, 0, live);
        self.enqueue(piece, false);
    }

    pub(super) fn new_piece(&mut self, batch: BatchId, start: usize, end: usize) -> PieceId {
        let shape = self.entries.get(batch.0).expect("it is in flight").shape;
        PieceId(self.pieces.insert(|_| Piece {
            batch,
            start,
            end,
            shape,
            place: Place::Waiting,
            twin: None,
            after: None,
            failed: None,
            probe: false,
            woke: false,
            trust: Trust::Audited,
            sent: 0,
            expected: 0,
            predicted: 0,
            late: Nanos::MAX,
            due: Nanos::MAX,
        }))
    }

    /// Shape of some of a batch's entries: bytes in proportion.
    pub(super) fn shape_of(&self, entry: &Entry, entries: usize) -> Shape {
        let bytes = match entry.live {
            0 => 0,
            live => (entry.shape.bytes as u128 * entries as u128 / live as u128) as usize,
        };
        Shape { items: entries, bytes, ..entry.shape }
    }
}

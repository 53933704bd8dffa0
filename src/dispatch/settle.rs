//! What comes back: answers, faults, and the end of a batch.

use crate::backend::BatchId;
use crate::batch::Form;
use crate::dispatch::books::Failed;
use crate::dispatch::lane::{AUDIT, Health, INLINE};
use crate::dispatch::{
    Action, Dispatcher, Entry, Nanos, Piece, PieceId, Place, Report, Stage, Tally,
};
use crate::error::{Fault, ItemError};
use crate::trust::Trust;

/// What is reported of a piece that was computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub busy: Nanos,
    pub judged: Nanos,
    pub tally: Tally,
    pub report: Report,
}

impl Dispatcher {
    pub(super) fn inlined(
        &mut self,
        id: BatchId,
        index: usize,
        busy: Nanos,
        done: Result<Tally, usize>,
        actions: &mut Vec<Action>,
    ) {
        let Some(&entry) = self.entry(id).filter(|entry| entry.stage == Stage::Inline(index))
        else {
            return;
        };
        match done {
            Ok(tally) => {
                let lane = &mut self.lanes[index];
                lane.cost.observe(&entry.shape, busy.saturating_sub(INLINE.setup), INLINE);
                let items = entry.shape.items as u64;
                (lane.items, lane.batches) = (lane.items + items, lane.batches + 1);
                lane.inline_items += items;
                if let Some(predicted) = entry.tried {
                    self.probes.overran(busy.saturating_sub(predicted));
                }
                self.books.answer(Some(index), entry.shape.algorithm, tally);
                self.books.device.saturating_record(busy);
                self.learn_form(&entry, entry.shape.items, busy, INLINE.width, tally.invalid);
                self.retire(id, tally);
                actions.push(Action::Resolve { id, trust: Trust::Audited });
            }
            // The kernel panicked on the caller's thread.
            Err(live) => {
                let held = self.entries.get_mut(id.0).expect("looked up above");
                held.stage = Stage::Open;
                (held.live, held.left) = (live, live);
                held.tally.invalid = (held.shape.items - live) as u64;
                let (algorithm, tally) = (held.shape.algorithm, held.tally);
                self.books.answer(None, algorithm, tally);
                let piece = self.new_piece(id, 0, live);
                self.last_resort(piece, actions);
            }
        }
    }

    pub(super) fn finish(
        &mut self,
        now: Nanos,
        id: PieceId,
        place: Place,
        answer: Answer,
        actions: &mut Vec<Action>,
    ) {
        let Some(&piece) = self.piece(id).filter(|piece| piece.place == place) else { return };
        let entry = self.entry(piece.batch).copied();
        self.report(now, &piece, entry.as_ref(), &answer);
        self.leave(&piece);
        self.pieces.remove(id.0);
        if let Some(first) = piece.after {
            // Even if the batch has ended by now.
            return actions.push(Action::Compare { piece: first });
        }
        let Some(entry) = entry else { return };
        if let Some(twin) = piece.twin.and_then(|twin| self.pieces.get_mut(twin.0)) {
            (twin.twin, twin.after) = (None, Some(id));
        }
        let entries = (piece.start, piece.end);
        let twin = piece.twin.filter(|twin| self.piece(*twin).is_some()).map(|_| id);
        actions.push(Action::Accept { id: piece.batch, entries, twin });
        let held = self.entries.get_mut(entry.id.0).expect("looked up above");
        held.tally += answer.tally;
        let lane = match place {
            Place::Lane(lane) => Some(lane),
            _ => None,
        };
        self.books.answer(lane, entry.shape.algorithm, answer.tally);
        if lane.is_some() {
            let queued = piece.sent.saturating_sub(entry.parsed);
            let with = now.saturating_sub(piece.sent).saturating_sub(answer.busy + answer.judged);
            self.books.piece(queued + with, answer.busy, answer.judged);
        }
        held.left -= piece.end - piece.start;
        held.trust = held.trust.min(piece.trust);
        if held.left == 0 {
            self.resolve(entry.id, actions);
        }
    }

    /// Takes what a piece's answer says into the books of its lane, its source and the host.
    fn report(&mut self, now: Nanos, piece: &Piece, entry: Option<&Entry>, answer: &Answer) {
        let &Answer { busy, judged, tally, report } = answer;
        let items = (piece.end - piece.start) as u64;
        let reports = &mut self.reports;
        reports.sampled += report.sampled;
        reports.confirmed += report.confirmed;
        reports.believed += report.believed;
        reports.host_wrong += report.host_wrong;
        let Place::Lane(index) = piece.place else {
            self.last_resort_items += items;
            return;
        };
        if piece.probe {
            self.probes.overran(busy.saturating_sub(piece.predicted));
        }
        let lane = &mut self.lanes[index];
        lane.full = false;
        lane.busy += busy;
        lane.canaries += report.canaries;
        (lane.items, lane.batches) = (lane.items + items, lane.batches + 1);
        lane.tail.observe(piece.expected, now.saturating_sub(piece.sent));
        // Also of what was answered elsewhere, or given up: what it took is known all the same.
        let shape = piece.shape;
        let rechecks = self.host_time(&shape, (report.sampled + report.confirmed) as usize);
        let confirms = self.host_time(&shape, report.confirmed as usize);
        let lane = &mut self.lanes[index];
        let mode = lane.queued();
        lane.cost.observe(&shape, busy, mode);
        lane.prove(rechecks);
        lane.settle();
        if lane.config.host {
            if piece.woke {
                let took = now.saturating_sub(piece.sent);
                lane.hand_over.observe(took.saturating_sub(busy.saturating_add(judged)));
            }
            let width = lane.config.width;
            if let Some(entry) = entry {
                self.learn_form(entry, items as usize, busy, width, tally.invalid);
            }
            return;
        }
        if piece.trust == Trust::Audited && lane.probation == 0 {
            lane.audit.observe(&shape, judged, AUDIT);
        }
        self.rejects.spend(now, confirms);
        let others = tally.valid + tally.computed > 0;
        if let Some(entry) = entry {
            self.sources.judged(entry.order.source_or_unnamed(), report.confirmed, others);
        }
    }

    /// Learns whether a combined equation of this source saved time: failed ones are followed by all singles.
    fn learn_form(&mut self, entry: &Entry, items: usize, busy: Nanos, width: usize, invalid: u64) {
        if entry.shape.form == Form::Combined {
            let shape = self.shape_of(entry, items);
            let single = self.host_time(&shape, items) / width.max(1) as u64;
            let saved = invalid == 0 || busy < single;
            self.sources.combined(entry.order.source_or_unnamed(), saved);
        }
    }

    pub(super) fn fail(
        &mut self,
        now: Nanos,
        id: PieceId,
        place: Place,
        fault: Fault,
        actions: &mut Vec<Action>,
    ) {
        let Some(&piece) = self.piece(id).filter(|piece| piece.place == place) else { return };
        if let (true, Place::Lane(lane)) = (fault.is_lie(), place) {
            self.books.mismatch(lane, piece.shape.algorithm);
        }
        match place {
            Place::Lane(lane) if self.policy.keep_liars && fault.is_lie() => {
                self.lanes[lane].faults += 1;
                self.leave(&piece);
                self.send_back(id, Failed { lane, kind: fault.name() });
            }
            Place::Lane(lane) => self.fault(now, lane, fault, actions),
            // The portable kernels are the last there is.
            _ => {
                self.leave(&piece);
                self.pieces.remove(id.0);
                self.abandon(piece.batch, ItemError::Fault, actions);
            }
        }
    }

    /// Takes a lane out of service and routes everything that it holds again.
    pub(super) fn fault(
        &mut self,
        now: Nanos,
        lane: usize,
        fault: Fault,
        actions: &mut Vec<Action>,
    ) {
        self.lanes[lane].quarantine(now);
        self.books.fault(lane, &fault);
        let kind = fault.name();
        actions.push(Action::Quarantine { lane, fault });
        let all = (0..self.pieces.len()).filter_map(|place| self.pieces.id_at(place).map(PieceId));
        let mut held: Vec<_> = all
            .filter_map(|id| {
                let piece = self.piece(id).filter(|piece| piece.place == Place::Lane(lane))?;
                Some((self.entry(piece.batch).map(|entry| entry.order.deadline), id))
            })
            .collect();
        // The last one comes to stand before all others: what is due first.
        held.sort_unstable_by(|a, b| b.cmp(a));
        let failed = Failed { lane, kind };
        held.into_iter().for_each(|(_, id)| self.send_back(id, failed));
    }

    /// Has a piece wait again, before the others, unless its entries are answered or being computed elsewhere.
    fn send_back(&mut self, id: PieceId, failed: Failed) {
        let Some(&piece) = self.piece(id) else { return };
        let twin = piece.twin.filter(|twin| self.piece(*twin).is_some());
        if let Some(twin) = twin.and_then(|twin| self.pieces.get_mut(twin.0)) {
            twin.twin = None;
        }
        if self.entry(piece.batch).is_none() || piece.after.is_some() || twin.is_some() {
            self.pieces.remove(id.0);
            return;
        }
        self.pieces.get_mut(id.0).expect("looked up above").failed = Some(failed);
        self.enqueue(id, true);
    }

    /// A backend had no room after all: the piece waits before the others.
    pub(super) fn rejected(&mut self, id: PieceId, lane: usize) {
        let Some(&piece) = self.piece(id).filter(|piece| piece.place == Place::Lane(lane)) else {
            return;
        };
        self.leave(&piece);
        self.lanes[lane].full = true;
        if self.entry(piece.batch).is_none() || piece.after.is_some() {
            self.pieces.remove(id.0);
        } else {
            self.enqueue(id, true);
        }
    }

    /// Takes a piece off the books of where it is.
    fn leave(&mut self, piece: &Piece) {
        match piece.place {
            Place::Lane(lane) => {
                let lane = &mut self.lanes[lane];
                lane.depth = lane.depth.saturating_sub(1);
                lane.backlog = lane.backlog.saturating_sub(piece.predicted);
                if lane.depth == 0 && lane.health == Health::Suspect {
                    // It owes nothing any more: it may only have been slow to say that it had no room.
                    lane.settle();
                }
            }
            Place::LastResort => {
                self.last_resort_time = self.last_resort_time.saturating_sub(piece.predicted)
            }
            Place::Waiting => {}
        }
    }

    pub(super) fn resolve(&mut self, id: BatchId, actions: &mut Vec<Action>) {
        let Some(&Entry { tally, trust, .. }) = self.entry(id) else { return };
        self.retire(id, tally);
        actions.push(Action::Resolve { id, trust });
    }

    /// Answers every job of a batch with an error. Its pieces come back to no one.
    pub(super) fn abandon(&mut self, id: BatchId, error: ItemError, actions: &mut Vec<Action>) {
        let Some(entry) = self.entry(id) else { return };
        if matches!(entry.stage, Stage::Inline(_)) {
            // The caller's own thread is at work; it cannot be interrupted.
            return;
        }
        let errors = entry.shape.items as u64;
        self.books.error(error, errors);
        self.retire(id, Tally { errors, ..Tally::default() });
        actions.push(Action::Abandon { id, error });
    }

    /// Frees the batch's slot and counts its answers.
    fn retire(&mut self, id: BatchId, tally: Tally) {
        let entry = self.entries.remove(id.0).expect("the batch is in flight");
        let latency = self.now.saturating_sub(entry.admitted);
        self.books.resolve(entry.shape.algorithm, entry.order.class, latency);
        self.sources.retire(entry.order.source_or_unnamed(), &entry.shape);
        self.waiting_time = self.waiting_time.saturating_sub(entry.parsing);
        self.bytes_in_flight -= entry.shape.bytes;
        self.counters.in_flight -= entry.shape.items as u64;
        self.counters.answered += tally;
    }
}

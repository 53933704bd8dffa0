//! Pieces that hang, are late, or are computed twice.

use crate::dispatch::books::Failed;
use crate::dispatch::lane::{Health, LANE_DEPTH};
use crate::dispatch::{Action, Class, Dispatcher, Entry, Nanos, Piece, PieceId, Place};
use crate::error::Fault;
use crate::trust::Trust;

/// Ticks come this far apart, and host threads may be late as well: what a hedge leaves for that.
const MARGIN: Nanos = 15_000_000;

/// Work that keeps the host busy until the tick after the next: of pieces that have to begin together, no more is
/// begun at once, since a device may answer the others meanwhile.
const AHEAD: Nanos = 10_000_000;

/// A piece that takes the host so long is looked after before it begins: what the next tick finds could wait so long.
const LONG: Nanos = 5_000_000;

/// No piece takes the host half as long: what is due later is looked at later.
const HORIZON: Nanos = 60_000_000_000;

/// A piece that the host may have to begin with: its deadline, and its time there.
pub(super) type Due = (Nanos, PieceId, Nanos);

impl Dispatcher {
    /// Whether a piece hangs, or is late.
    pub(super) fn watch_piece(&mut self, now: Nanos, id: PieceId, actions: &mut Vec<Action>) {
        let Some(&piece) = self.piece(id) else { return };
        let entry = self.entry(piece.batch).copied();
        let Place::Lane(lane) = piece.place else {
            if piece.place == Place::Waiting && entry.is_none() {
                self.leave_queue(id);
                self.pieces.remove(id.0);
            }
            return;
        };
        if self.lanes[lane].config.host {
            return;
        }
        if piece.due <= now {
            return self.fault(now, lane, Fault::Timeout, actions);
        }
        if piece.late <= now && self.lanes[lane].health.serves() {
            self.lanes[lane].health = Health::Suspect;
        }
        let urgent = entry.is_some_and(|entry| entry.order.class == Class::Consensus);
        if urgent && self.lanes[lane].health == Health::Suspect {
            self.begin_on_host(now, id, actions);
        }
    }

    /// Has the host begin with what it must, to answer by the deadlines should no device answer. First due first,
    /// a piece is done after `backlog + ahead + own`, and the predictions may be wrong. What the host cannot
    /// do in time is no reason to begin with what is due before.
    pub(super) fn watch_deadlines(&mut self, now: Nanos, actions: &mut Vec<Action>) {
        let (due, hopeless) = self.collect_due(now);
        let (mut first, mut ahead) = (0, 0);
        for at in 0..due.len() {
            let (deadline, id, own) = due[at];
            let left = deadline.saturating_sub(now).saturating_sub(MARGIN);
            let all = self.host_backlog() + ahead + own;
            if left < all + own && all <= left {
                while first < at && self.host_backlog() < AHEAD {
                    let (_, id, own) = due[first];
                    if self.begin_on_host(now, id, actions) {
                        ahead -= own;
                    }
                    first += 1;
                }
            }
            let alone = left < 2 * (self.host_backlog() + own);
            if !(alone && self.begin_on_host(now, id, actions)) {
                ahead += own;
            }
        }
        // The prediction may be wrong: an idle host tries all the same, where nobody has to wait for that.
        if let Some((_, id, own)) = hopeless
            && self.host_backlog() == 0
            && due.iter().all(|(deadline, _, other)| now + own + 2 * other + MARGIN <= *deadline)
        {
            self.begin_on_host(now, id, actions);
        }
        self.due = due;
    }

    /// Before the host begins with a long piece: has it begin with those that would be late if they had to wait for
    /// that. Says whether there are any.
    pub(super) fn make_way(
        &mut self,
        now: Nanos,
        long: (PieceId, Nanos),
        actions: &mut Vec<Action>,
    ) -> bool {
        let (except, long) = long;
        if long < LONG {
            return false;
        }
        let (due, _) = self.collect_due(now);
        let mut begun = false;
        for &(deadline, id, own) in &due {
            let left = deadline.saturating_sub(now).saturating_sub(MARGIN);
            let late = left < 2 * (self.host_backlog() + own) + long;
            begun |= late && id != except && self.begin_on_host(now, id, actions);
        }
        self.due = due;
        begun
    }

    /// What the host may have to begin with, first due first, in memory to be given back; and of what it cannot do in
    /// time, the first.
    fn collect_due(&mut self, now: Nanos) -> (Vec<Due>, Option<Due>) {
        let mut due = std::mem::take(&mut self.due);
        due.clear();
        let mut hopeless = None;
        let horizon = now.saturating_add(HORIZON + 2 * self.host_backlog());
        for place in 0..self.pieces.len() {
            let id = self.pieces.id_at(place).map(PieceId);
            match id.and_then(|id| self.could_begin(id, horizon)) {
                Some(one @ (deadline, _, own)) if now + own > deadline => {
                    hopeless = Some(hopeless.map_or(one, |other: Due| one.min(other)));
                }
                one => due.extend(one),
            }
        }
        due.sort_unstable();
        (due, hopeless)
    }

    /// Has another lane compute a piece as well, to see what that takes there. Whichever is first answers.
    pub(super) fn shadow(
        &mut self,
        now: Nanos,
        id: PieceId,
        lane: usize,
        actions: &mut Vec<Action>,
    ) {
        if let Some(twin) = self.twin(id) {
            self.pieces.get_mut(twin.0).expect("just made").probe = true;
            self.send(now, twin, lane, actions);
        }
    }

    /// A second piece of the same entries, if there is none yet and a place to spare.
    fn twin(&mut self, id: PieceId) -> Option<PieceId> {
        let &piece = self.piece(id)?;
        let spare = self.pieces.room() > self.entries.len();
        if !spare || piece.twin.is_some() || piece.after.is_some() {
            return None;
        }
        let twin = self.new_piece(piece.batch, piece.start, piece.end);
        self.pieces.get_mut(id.0)?.twin = Some(twin);
        self.pieces.get_mut(twin.0)?.twin = Some(id);
        Some(twin)
    }

    /// A piece, due before the horizon, that waits or that only devices have.
    fn could_begin(&self, id: PieceId, horizon: Nanos) -> Option<Due> {
        let piece = self.piece(id)?;
        let entry = self.entry(piece.batch).filter(|entry| entry.order.deadline < horizon)?;
        let open = piece.place == Place::Waiting || self.is_with_device(piece);
        let alone = piece.twin.is_none() || self.shadow_of(piece).is_some();
        let open = open && alone && piece.after.is_none();
        open.then(|| (entry.order.deadline, id, self.time_on_host(piece, entry)))
    }

    fn is_with_device(&self, piece: &Piece) -> bool {
        matches!(piece.place, Place::Lane(lane) if !self.lanes[lane].config.host)
    }

    /// The piece's twin, if that is a probe of another device.
    fn shadow_of(&self, piece: &Piece) -> Option<PieceId> {
        let twin = piece.twin?;
        self.piece(twin).filter(|twin| twin.probe && self.is_with_device(twin)).map(|_| twin)
    }

    /// Time that a piece takes on the host.
    fn time_on_host(&self, piece: &Piece, entry: &Entry) -> Nanos {
        let shape = self.shape_of(entry, piece.end - piece.start);
        match self.serving_host() {
            Some(host) => self.lanes[host].predict(&shape, Trust::Fast),
            None => self.host_time(&shape, shape.items),
        }
    }

    /// Predicted time of what the host has to do still.
    fn host_backlog(&self) -> Nanos {
        self.last_resort_time + self.serving_host().map_or(0, |host| self.lanes[host].backlog)
    }

    /// Has the host compute a piece: itself while it waits, a twin of it while a device has it. Says whether it does.
    fn begin_on_host(&mut self, now: Nanos, id: PieceId, actions: &mut Vec<Action>) -> bool {
        let own = match self.piece(id).map(|piece| piece.place) {
            Some(Place::Waiting) => {
                self.leave_queue(id);
                Some(id)
            }
            Some(Place::Lane(_)) => self.hedge(id),
            _ => None,
        };
        if let Some(id) = own {
            self.by_host(now, id, actions);
        }
        own.is_some()
    }

    /// A twin for the host, of a piece that only devices have. A probe in its way is only compared.
    fn hedge(&mut self, id: PieceId) -> Option<PieceId> {
        let &piece = self.piece(id).filter(|piece| self.is_with_device(piece))?;
        if let Some(probe) = self.shadow_of(&piece).and_then(|probe| self.pieces.get_mut(probe.0)) {
            (probe.twin, probe.after) = (None, Some(id));
            self.pieces.get_mut(id.0)?.twin = None;
        }
        let twin = self.twin(id)?;
        if let Place::Lane(lane) = piece.place {
            self.pieces.get_mut(twin.0)?.failed = Some(Failed { lane, kind: "late" });
        }
        Some(twin)
    }

    /// Has the host compute a piece, whether or not its lane has room.
    fn by_host(&mut self, now: Nanos, id: PieceId, actions: &mut Vec<Action>) {
        match self.serving_host().filter(|&host| self.lanes[host].depth < 2 * LANE_DEPTH) {
            Some(host) => self.send(now, id, host, actions),
            None => self.last_resort(id, actions),
        }
    }

    fn serving_host(&self) -> Option<usize> {
        self.host().filter(|&host| self.lanes[host].health.serves())
    }
}

#[cfg(test)]
mod tests;

//! Pieces that hang, are late, or are computed twice.

use crate::dispatch::lane::{Health, LANE_DEPTH};
use crate::dispatch::{Action, Class, Dispatcher, Entry, Nanos, Piece, PieceId, Place};
use crate::error::Fault;
use crate::trust::Trust;

/// Ticks come this far apart, and host threads may be late as well: what a hedge leaves for that.
const MARGIN: Nanos = 15_000_000;

impl Dispatcher {
    /// Whether a piece hangs, is late, or has to be computed elsewhere as well, to be in time.
    pub(super) fn watch_piece(&mut self, now: Nanos, id: PieceId, actions: &mut Vec<Action>) {
        let Some(&piece) = self.piece(id) else { return };
        let entry = self.entry(piece.batch).copied();
        let Place::Lane(lane) = piece.place else {
            match (piece.place, entry) {
                (Place::Waiting, None) => {
                    self.leave_queue(id);
                    self.pieces.remove(id.0);
                }
                (Place::Waiting, Some(entry)) if self.must_begin(now, &piece, &entry) => {
                    self.leave_queue(id);
                    self.by_host(now, id, actions);
                }
                _ => {}
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
        let Some(entry) = entry else { return };
        let suspect = self.lanes[lane].health == Health::Suspect;
        let hedges = suspect && entry.order.class == Class::Consensus
            || self.must_begin(now, &piece, &entry);
        if hedges && let Some(twin) = self.twin(id) {
            self.pieces.get_mut(twin.0).expect("just made").failed = true;
            self.by_host(now, twin, actions);
        }
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
    pub(super) fn twin(&mut self, id: PieceId) -> Option<PieceId> {
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

    /// Whether the host has to begin now with a piece, to answer it by its deadline.
    pub(super) fn must_begin(&self, now: Nanos, piece: &Piece, entry: &Entry) -> bool {
        let shape = self.shape_of(entry, piece.end - piece.start);
        let host = self.lanes.iter().find(|lane| lane.config.host && lane.health.serves());
        let own = host.map_or_else(
            || self.host_time(&shape, shape.items),
            |lane| lane.backlog + lane.predict(&shape, Trust::Fast),
        );
        let needs = (2 * own).saturating_add(MARGIN);
        entry.order.deadline.saturating_sub(needs) <= now
    }

    /// Has the host compute a piece, whether or not its lane has room.
    pub(super) fn by_host(&mut self, now: Nanos, id: PieceId, actions: &mut Vec<Action>) {
        let host = self.lanes.iter().position(|lane| {
            lane.config.host && lane.health.serves() && lane.depth < 2 * LANE_DEPTH
        });
        match host {
            Some(lane) => self.send(now, id, lane, actions),
            None => self.last_resort(id, actions),
        }
    }
}

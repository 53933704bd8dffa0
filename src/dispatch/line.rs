//! Where pieces of a class wait for a lane: each source in its turn.
//!
//! Start-time fair queueing (Goyal, Vin, Cheng: Start-time fair queueing, SIGCOMM 1996): a piece begins, on a clock
//! that the line's own work moves, when the source's last one ends, and pieces leave in the order of their beginnings.
//! So a source with little to do waits for one piece of each other source, however much the others have.

use std::collections::VecDeque;

use crate::dispatch::{Nanos, PieceId};

/// Pieces in the order in which they begin.
#[derive(Debug, Default)]
pub(crate) struct Line {
    queue: VecDeque<(Nanos, PieceId)>,
    /// Beginning of what left last, and the end of all that came.
    clock: Nanos,
    end: Nanos,
}

impl Line {
    /// A piece that takes `cost` comes; the last of its source ends at `after`. Gives the end of this one.
    pub fn join(&mut self, id: PieceId, after: Nanos, cost: Nanos) -> Nanos {
        let start = self.clock.max(after);
        self.insert(start, id);
        let end = start + cost;
        self.end = self.end.max(end);
        end
    }

    /// A piece comes back: it goes before all others.
    pub fn rejoin(&mut self, id: PieceId) {
        self.queue.push_front((0, id));
    }

    fn insert(&mut self, start: Nanos, id: PieceId) {
        let place = self.queue.partition_point(|(other, _)| *other <= start);
        self.queue.insert(place, (start, id));
    }

    /// Takes a piece out.
    pub fn take(&mut self, index: usize) {
        let Some((start, _)) = self.queue.remove(index) else { return };
        self.clock = self.clock.max(start);
        if self.queue.is_empty() {
            // Nobody waits: what a source had before is forgotten.
            self.clock = self.clock.max(self.end);
        }
    }

    /// Of a piece, the first part of this cost leaves: the rest has to let others go before.
    pub fn take_part(&mut self, index: usize, cost: Nanos) {
        let Some((start, id)) = self.queue.remove(index) else { return };
        self.clock = self.clock.max(start);
        self.insert(start + cost, id);
    }

    /// The piece in this place.
    pub fn get(&self, index: usize) -> Option<PieceId> {
        self.queue.get(index).map(|(_, id)| *id)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Joins pieces of sources by name; keeps where each source's last one ends.
    #[derive(Default)]
    struct Sources {
        line: Line,
        ends: [Nanos; 3],
        serial: u64,
    }

    impl Sources {
        fn join(&mut self, source: usize, cost: Nanos) -> PieceId {
            self.serial += 1;
            let id = PieceId(self.serial);
            self.ends[source] = self.line.join(id, self.ends[source], cost);
            id
        }

        fn take(&mut self) -> Option<PieceId> {
            let id = self.line.get(0)?;
            self.line.take(0);
            Some(id)
        }
    }

    #[test]
    fn one_source_is_served_in_order() {
        let mut sources = Sources::default();
        let ids: Vec<_> = (1..50).map(|cost| sources.join(0, cost)).collect();
        let left: Vec<_> = std::iter::from_fn(|| sources.take()).collect();
        assert_eq!(ids, left);
    }

    #[test]
    fn a_flood_lets_others_pass_and_waits_no_longer_than_its_share() {
        let mut sources = Sources::default();
        let flood: Vec<_> = (0..100).map(|_| sources.join(0, 10)).collect();
        for _ in 0..5 {
            sources.take();
        }
        let others = [sources.join(1, 10), sources.join(2, 10), sources.join(1, 10)];
        let left: Vec<_> = std::iter::from_fn(|| sources.take()).collect();
        let place = |id| left.iter().position(|left| *left == id).expect("it leaves");
        assert!(place(others[0]) <= 1 && place(others[1]) <= 2, "{left:?}");
        // One of each of the others between two of the same source.
        assert!((3..=5).contains(&place(others[2])), "{left:?}");
        assert!(flood[5..].is_sorted_by_key(|id| place(*id)));
    }

    #[test]
    fn the_rest_of_a_large_piece_waits_for_what_came_meanwhile() {
        let mut sources = Sources::default();
        let large = sources.join(0, 1_000);
        sources.line.take_part(0, 10);
        let small = sources.join(1, 5);
        assert_eq!(sources.take(), Some(small));
        assert_eq!(sources.take(), Some(large));
    }

    #[test]
    fn what_comes_back_goes_first_and_an_idle_line_forgets() {
        let mut sources = Sources::default();
        let first = sources.join(0, 1_000);
        sources.take();
        sources.join(1, 10);
        sources.line.rejoin(first);
        assert_eq!(sources.take(), Some(first));
        sources.take();
        // Source 0 had a hundred times as much, but no one waited for it.
        let [a, b] = [sources.join(0, 10), sources.join(1, 10)];
        assert_eq!([sources.take(), sources.take()], [Some(a), Some(b)]);
    }
}

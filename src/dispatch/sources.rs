//! Who submits: what each source holds, and what it has proved to be.

use std::collections::HashMap;

use crate::batch::Shape;
use crate::dispatch::Nanos;

/// Names whoever sent a batch's jobs: a peer, an account, a process. What the numbers mean is the
/// caller's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(pub u64);

/// What is known of one source.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    batches: usize,
    items: usize,
    bytes: usize,
    /// Rejects confirmed by the host since the last job of this source that was none.
    confirmed: u64,
    /// Combined equations in a row that cost more than they saved.
    losses: u32,
    /// Batches that go without a combined equation still.
    apart: u32,
    /// By class: where the last of its pieces ends, on the clock of the line in which they wait.
    ends: [Nanos; 3],
}

/// Confirmed rejects in a row after which a source's further rejects are believed, once the host has no time
/// for them.
const NOTORIOUS: u64 = 256;

/// Combined equations in a row that must cost more than they save before a source goes without.
const LOSSES: u32 = 2;

/// Batches that a source goes without combined equations, doubled each time that the trial after them fails
/// too, and the most.
const APART: (u32, u32) = (16, 1_024);

/// Every source with batches in flight, and of the others those that were heard last.
#[derive(Debug)]
pub(crate) struct Sources {
    known: HashMap<Source, Known>,
    most: usize,
}

impl Sources {
    /// At most `batches` sources have something in flight; as many again are remembered.
    pub fn new(batches: usize) -> Self {
        let most = 2 * batches.max(1);
        Sources { known: HashMap::with_capacity(most + 1), most }
    }

    /// Batches, items and bytes that the source has in flight.
    pub fn held(&self, source: Source) -> (usize, usize, usize) {
        self.known.get(&source).map_or((0, 0, 0), |known| (known.batches, known.items, known.bytes))
    }

    /// A batch of the source was admitted.
    pub fn admit(&mut self, source: Source, shape: &Shape) {
        if self.known.len() == self.most && !self.known.contains_key(&source) {
            // Those without anything in flight go: there are as many as places, at least.
            self.known.retain(|_, known| known.batches > 0);
        }
        let known = self.known.entry(source).or_default();
        known.batches += 1;
        known.items += shape.items;
        known.bytes += shape.bytes;
    }

    /// A batch of the source was answered.
    pub fn retire(&mut self, source: Source, shape: &Shape) {
        if let Some(known) = self.known.get_mut(&source) {
            known.batches -= 1;
            known.items -= shape.items;
            known.bytes -= shape.bytes;
        }
    }

    /// Where the last of its pieces of a class ends, to be set anew; `None` once it has nothing in flight.
    pub fn last_end(&mut self, source: Source, class: usize) -> Option<&mut Nanos> {
        Some(&mut self.known.get_mut(&source)?.ends[class])
    }

    /// What the host found of the source's jobs: rejects that it confirmed, and whether anything else was there.
    pub fn judged(&mut self, source: Source, confirmed: u64, others: bool) {
        if let Some(known) = self.known.get_mut(&source) {
            known.confirmed = if others { confirmed } else { known.confirmed + confirmed };
        }
    }

    /// Whether a device's rejects of this source may be believed.
    pub fn is_notorious(&self, source: Source) -> bool {
        self.known.get(&source).is_some_and(|known| known.confirmed >= NOTORIOUS)
    }

    /// Whether the source's next batch is worth a combined equation; counts it.
    pub fn may_combine(&mut self, source: Source) -> bool {
        let Some(known) = self.known.get_mut(&source) else { return true };
        let may = known.apart == 0;
        known.apart = known.apart.saturating_sub(1);
        may
    }

    /// A combined equation of the source saved time or lost it.
    pub fn combined(&mut self, source: Source, saved: bool) {
        let Some(known) = self.known.get_mut(&source) else { return };
        known.losses = if saved { 0 } else { known.losses + 1 };
        if known.losses >= LOSSES {
            let doubled = APART.0 << (known.losses - LOSSES).min(16);
            known.apart = doubled.min(APART.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;
    use crate::batch::Form;

    const SHAPE: Shape =
        Shape { algorithm: Algorithm::SchnorrBip340, form: Form::Combined, items: 10, bytes: 100 };

    #[test]
    fn books_of_a_source() {
        let mut sources = Sources::new(4);
        let [a, b] = [1, 2].map(Source);
        sources.admit(a, &SHAPE);
        sources.admit(a, &SHAPE);
        sources.admit(b, &SHAPE);
        assert_eq!((sources.held(a), sources.held(b)), ((2, 20, 200), (1, 10, 100)));
        sources.retire(a, &SHAPE);
        assert_eq!(sources.held(a), (1, 10, 100));
    }

    #[test]
    fn memory_stays_bounded_and_keeps_who_is_in_flight() {
        let mut sources = Sources::new(4);
        sources.admit(Source(0), &SHAPE);
        for id in 1..1_000 {
            sources.admit(Source(id), &SHAPE);
            sources.retire(Source(id), &SHAPE);
            assert!(sources.known.len() <= 8);
        }
        assert_eq!(sources.held(Source(0)), (1, 10, 100));
    }

    #[test]
    fn only_a_row_of_confirmed_rejects_makes_notorious() {
        let mut sources = Sources::new(4);
        let source = Source(7);
        sources.admit(source, &SHAPE);
        sources.judged(source, NOTORIOUS - 1, false);
        assert!(!sources.is_notorious(source));
        sources.judged(source, 5, true);
        assert!(!sources.is_notorious(source));
        sources.judged(source, NOTORIOUS, false);
        assert!(sources.is_notorious(source));
    }

    #[test]
    fn equations_that_do_not_pay_stop_and_are_tried_again() {
        let mut sources = Sources::new(4);
        let source = Source(7);
        sources.admit(source, &SHAPE);
        let mut equations = 0;
        for _ in 0..10_000 {
            if sources.may_combine(source) {
                equations += 1;
                sources.combined(source, false);
            }
        }
        assert!((5..20).contains(&equations), "{equations}");
        while !sources.may_combine(source) {}
        sources.combined(source, true);
        assert!((0..100).all(|_| sources.may_combine(source)));
    }
}

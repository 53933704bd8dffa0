//! When a route that lost is tried all the same, so that a device that became faster is found.
//!
//! The price is bounded: a probe costs what its batch takes longer than on the winner, and all of
//! them together cost at most 1 % of the time of the batches that were routed.

use crate::batch::Shape;
use crate::dispatch::Nanos;
use crate::dispatch::cost::{SLOTS, slot};

/// The routes that may be tried, and the time that there is for it.
///
/// A route is any number below what [`Probes::new`] was told: the caller may number the lanes, and
/// sizes on its own thread.
#[derive(Clone, Debug)]
pub struct Probes {
    /// Time to spend, in hundredths of nanoseconds; below 0 after probes that took longer than was
    /// predicted.
    credit: i128,
    /// Batches routed, by slot of the cost model.
    routed: [u64; SLOTS],
    tried: Vec<[Tried; SLOTS]>,
}

/// What was spent on one route for one slot.
#[derive(Clone, Copy, Debug, Default)]
struct Tried {
    /// Probes of sizes of which little was known.
    settling: u32,
    /// Probes of what was known, up to the longest pause.
    again: u32,
    /// When the last one was: the time, and the batches routed.
    last: (Nanos, u64),
}

/// Share of the routed batches' time that probes may cost: one in so many.
const SHARE: i128 = 100;

/// Longest time that the credit stands for, and thus the most that one probe delays its batch.
const MOST: i128 = 250_000_000;

/// Completions from which on an estimate is settled.
pub const SETTLED: u32 = 3;

/// Batches of one slot that are spent on one route to settle its estimates, each time that one is tried which was
/// settled.
pub const SETTLING: u32 = 64;

/// Batches of a slot between two probes of a route that is to be settled: the first has come back.
const GAP: u64 = 8;

/// Pause after a settled route was tried: both so many batches of the slot and so long, doubled each
/// time up to 64 times.
const PAUSE: (u64, Nanos) = (1_024, 1_000_000_000);
const DOUBLINGS: u32 = 6;

/// Pause where a probe costs at most what its batch takes on the winner, not doubled: one in so many
/// batches is 0.4 % of their time.
const CHEAP: (u64, Nanos) = (256, 250_000_000);

impl Probes {
    /// Without credit, and nothing tried.
    pub fn new(routes: usize) -> Self {
        Probes { credit: 0, routed: [0; SLOTS], tried: vec![[Tried::default(); SLOTS]; routes] }
    }

    /// Whether the batch that is being routed should go to a loser, and to which. To be called once for
    /// each routed batch; `winner` is the predicted time where it would go. Each loser is a route, the
    /// batch's predicted time there, and the [completions](crate::dispatch::cost::CostModel::rests_on) that
    /// this rests on. A probe counts as made, whatever becomes of it.
    pub fn probe(
        &mut self,
        now: Nanos,
        shape: &Shape,
        winner: Nanos,
        losers: impl Iterator<Item = (usize, Nanos, u32)>,
    ) -> Option<usize> {
        self.credit = self.credit.saturating_add(winner.into()).min(MOST * SHARE);
        self.routed[slot(shape.algorithm, shape.form)] += 1;
        self.spend(now, shape, winner, losers)
    }

    /// The same for a batch that counts as routed elsewhere, unless this sends it to a loser.
    pub fn spend(
        &mut self,
        now: Nanos,
        shape: &Shape,
        winner: Nanos,
        losers: impl Iterator<Item = (usize, Nanos, u32)>,
    ) -> Option<usize> {
        let slot = slot(shape.algorithm, shape.form);
        let routed = self.routed[slot];
        let due = |(route, predicted, seen): (usize, Nanos, u32)| {
            let tried = &self.tried.get(route)?[slot];
            let more = predicted.saturating_sub(winner);
            let price = i128::from(more) * SHARE;
            (price <= self.credit && tried.is_due(now, routed, seen, more <= winner))
                .then_some((price, seen, route))
        };
        // The cheapest; among equals the one of which least is known.
        let (price, seen, route) = losers.filter_map(due).min()?;
        self.credit -= price;
        let tried = &mut self.tried[route][slot];
        if seen < SETTLED && tried.settling < SETTLING {
            tried.settling += 1;
        } else {
            tried.again = (tried.again + 1).min(DOUBLINGS);
            // What it shows may be worth as many again.
            tried.settling = 0;
        }
        tried.last = (now, routed);
        Some(route)
    }

    /// A probe took `by` longer than was predicted: that, too, is paid for.
    pub fn overran(&mut self, by: Nanos) {
        self.credit = self.credit.saturating_sub(i128::from(by) * SHARE);
    }
}

impl Tried {
    fn is_due(&self, now: Nanos, routed: u64, seen: u32, cheap: bool) -> bool {
        let batches = routed - self.last.1;
        if seen < SETTLED && self.settling < SETTLING {
            return batches >= GAP;
        }
        let pause = match cheap {
            true => CHEAP,
            false => (PAUSE.0 << self.again, PAUSE.1 << self.again),
        };
        batches >= pause.0 && now.saturating_sub(self.last.0) >= pause.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;
    use crate::batch::Form;

    const SHAPE: Shape =
        Shape { algorithm: Algorithm::Sha256, form: Form::Single, items: 64, bytes: 4_096 };
    const WINNER: Nanos = 1_000_000;

    /// Routes `batches`, a winner's time each; `loser` gives what a batch on route 1 truly takes. What it
    /// took last is what is predicted, `first` before. Gives the batches that were probes.
    fn route(
        probes: &mut Probes,
        batches: u64,
        first: Nanos,
        loser: impl Fn(u64) -> Nanos,
    ) -> Vec<u64> {
        let (mut predicted, mut seen, mut found) = (first, 0, Vec::new());
        let mut extra = (0, 0);
        for batch in 0..batches {
            let losers = [(1, predicted, seen)].into_iter();
            if let Some(route) = probes.probe(batch * WINNER, &SHAPE, WINNER, losers) {
                assert_eq!(route, 1);
                let took = loser(batch);
                probes.overran(took.saturating_sub(predicted.max(WINNER)));
                let more = took.saturating_sub(WINNER);
                extra = (extra.0 + more, extra.1.max(more));
                (predicted, seen) = (took, seen + 1);
                found.push(batch);
            }
            assert!(extra.0 <= (batch + 1) * WINNER / 100 + extra.1, "{batch}: {extra:?}");
        }
        found
    }

    #[test]
    fn the_price_is_bounded_even_where_the_prediction_is_wrong() {
        for factor in [1, 2, 3, 10, 100, 1_000] {
            for first in [0, WINNER, 50 * WINNER] {
                let found = route(&mut Probes::new(2), 100_000, first, |batch| {
                    factor * WINNER + batch % 7 * WINNER
                });
                assert!(factor > 100 || !found.is_empty(), "{factor} {first}");
            }
        }
    }

    #[test]
    fn a_device_that_is_faster_again_is_found() {
        let again = 200_000;
        let found = route(&mut Probes::new(2), again + 100_000, 10 * WINNER, |batch| {
            if batch < again { 10 * WINNER } else { WINNER / 2 }
        });
        assert!(found.iter().any(|&batch| batch >= again), "{found:?}");
        // Until then it was left alone, by and large.
        assert!(found.iter().filter(|&&batch| batch < again).count() < 20, "{found:?}");
    }

    #[test]
    fn a_hopeless_route_is_hardly_ever_tried() {
        let found = route(&mut Probes::new(2), 1_000_000, 1_000 * WINNER, |_| 1_000 * WINNER);
        assert!(found.is_empty(), "{found:?}: one batch would be late by a second");
        let found = route(&mut Probes::new(2), 1_000_000, 200 * WINNER, |_| 200 * WINNER);
        assert!((1..=25).contains(&found.len()), "{found:?}");
    }

    #[test]
    fn settling_ends_though_nothing_comes_back() {
        let mut probes = Probes::new(2);
        let mut probe = |batch: u64| {
            probes.probe(0, &SHAPE, WINNER, [(1, WINNER, 0)].into_iter()).map(|_| batch)
        };
        let found: Vec<_> = (1..100_000).filter_map(&mut probe).collect();
        // No time passes, so there is none beside these.
        assert_eq!(found.len() as u32, SETTLING);
        assert!(found.windows(2).all(|pair| pair[1] - pair[0] >= GAP), "{found:?}");
        // Another algorithm is another matter.
        let other = Shape { algorithm: Algorithm::Keccak256, ..SHAPE };
        let mut probe = || probes.probe(0, &other, WINNER, [(1, WINNER, 0)].into_iter());
        assert!((0..GAP).any(|_| probe() == Some(1)));
    }

    #[test]
    fn the_cheapest_is_tried_and_a_strange_route_never() {
        let mut probes = Probes::new(3);
        let losers = [(0, 3 * WINNER, 0), (2, 2 * WINNER, 1), (7, WINNER, 0)];
        let found: Vec<_> = (0..20_000)
            .filter_map(|now| probes.probe(now, &SHAPE, WINNER, losers.into_iter()))
            .collect();
        assert_eq!(found.first(), Some(&2));
        assert!(found.contains(&0) && !found.contains(&7), "{found:?}");
    }

    #[test]
    fn extremes_do_no_harm() {
        let mut probes = Probes::new(1);
        for (winner, loser) in [(0, 0), (Nanos::MAX, 0), (0, Nanos::MAX), (Nanos::MAX, Nanos::MAX)]
        {
            for _ in 0..100 {
                probes.probe(Nanos::MAX, &SHAPE, winner, [(0, loser, 0)].into_iter());
                probes.overran(Nanos::MAX);
            }
        }
    }
}

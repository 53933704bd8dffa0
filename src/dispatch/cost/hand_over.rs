//! What it takes to hand a piece to a lane's thread, and its answers to whoever waits for them.

use super::doubt::Doubt;
use crate::dispatch::Nanos;

/// Learned time of a hand-over: two wake-ups, whatever the piece.
///
/// Of a piece that found its lane's thread asleep, `finished - sent - busy - judged` is what passed until
/// the thread had it: the step that sent it, the first wake-up, and a look whether it is still wanted. The second
/// wake-up comes after the last event. It is the same call on the same machine, so it is taken to be as
/// long: a hand-over takes twice that time.
#[derive(Clone, Copy, Debug)]
pub struct HandOver {
    nanos: f64,
    doubt: Doubt,
}

/// As long as nothing is known: a machine with cores to spare.
const FIRST: Nanos = 20_000;

/// What is believed of any hand-over: below, the thread was not asleep; above, it had no core.
const BOUNDS: (Nanos, Nanos) = (5_000, 250_000);

/// Nanoseconds by which a hand-over may always differ.
const GRACE: f64 = 1_000.0;

impl HandOver {
    /// Predicted time of the next one.
    pub fn predict(&self) -> Nanos {
        self.nanos.round() as Nanos
    }

    /// Takes in how long a piece was on its way to a thread that slept.
    pub fn observe(&mut self, way: Nanos) {
        let shown = way.saturating_mul(2).clamp(BOUNDS.0, BOUNDS.1) as f64;
        let (taken, weight) = self.doubt.weigh(self.nanos, shown, shown, GRACE);
        self.nanos += (taken - self.nanos) * weight;
    }
}

impl Default for HandOver {
    fn default() -> Self {
        HandOver { nanos: FIRST as f64, doubt: Doubt::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ways: impl IntoIterator<Item = Nanos>) -> Nanos {
        let mut hand_over = HandOver::default();
        ways.into_iter().for_each(|way| hand_over.observe(way));
        hand_over.predict()
    }

    #[test]
    fn both_wake_ups_take_as_long_as_the_first() {
        assert_eq!(after([]), FIRST);
        assert_eq!(after([45_000; 20]), 90_000);
        assert_eq!(after([4_000; 20]), 8_000);
    }

    #[test]
    fn one_that_was_late_moves_little() {
        let late = |way| after([[45_000; 20].as_slice(), &[way]].concat());
        assert!((90_000..98_000).contains(&late(50_000_000)), "{}", late(50_000_000));
        assert!((84_000..=90_000).contains(&late(0)), "{}", late(0));
    }

    #[test]
    fn whatever_is_shown_it_stays_within_bounds() {
        assert_eq!(after([Nanos::MAX; 20]), BOUNDS.1);
        assert_eq!(after([0; 20]), BOUNDS.0);
    }
}

//! How much one observation counts.

/// What the last observations were like, of one estimate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Doubt {
    /// Those far off to the same side, none else in between.
    pub odd: Option<Odd>,
    /// Observations that the estimate rests on, up to [`MEMORY`].
    pub held: u32,
}

/// Odd observations in a row.
#[derive(Clone, Copy, Debug)]
pub struct Odd {
    count: u32,
    /// The one nearest to what was expected.
    nearest: f64,
    /// Nanoseconds that their batches took together.
    lasted: f64,
}

/// One observation moves a settled estimate by 1/8 of the difference: a machine that slows down for a
/// moment does not turn the routes over.
pub const MEMORY: u32 = 8;

/// Farther off than this factor, an observation is odd: a thread that was taken off its core tells
/// nothing of the work. Three odd ones in a row, off to the same side, tell that the work has changed;
/// two, where little is known.
const ODD: f64 = 1.5;

/// Nanoseconds that slow ones have to last, too: for that long another thread may share the core, and all batches
/// within are slow. Nothing makes them fast but the work.
const MOMENT: f64 = 1_000_000.0;

/// Observations from which on an estimate is not given up lightly.
pub const SETTLED: u32 = 3;

impl Doubt {
    /// The value to move to, and how far: the estimate becomes `expected + (value - expected) * weight`.
    /// An observation within `grace` of what was expected is never odd. The batch that showed it `took` nanoseconds.
    pub fn weigh(&mut self, expected: f64, observed: f64, took: f64, grace: f64) -> (f64, f64) {
        let (low, high) = ((expected / ODD - grace).max(0.0), expected * ODD + grace);
        let beyond = |value: f64| (value > high) as i8 - (value < low) as i8;
        let side = beyond(observed);
        let odd = self.odd.take().filter(|odd| beyond(odd.nearest) == side);
        if side == 0 {
            self.held = (self.held + 1).min(MEMORY);
            return (observed, 1.0 / f64::from(self.held));
        }
        let Odd { count, nearest, lasted } =
            odd.unwrap_or(Odd { count: 0, nearest: observed, lasted: 0.0 });
        let nearest = if side > 0 { nearest.min(observed) } else { nearest.max(observed) };
        let odd = Odd { count: count + 1, nearest, lasted: lasted + took };
        let (least, moment) = if self.held < SETTLED { (2, 0.0) } else { (3, MOMENT) };
        if odd.count >= least && (side < 0 || odd.lasted >= moment) {
            self.held = 1;
            return (nearest, 1.0);
        }
        self.odd = Some(odd);
        (observed.clamp(low, high), 1.0 / f64::from(MEMORY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(observed: impl IntoIterator<Item = f64>) -> f64 {
        let mut doubt = Doubt { odd: None, held: MEMORY };
        observed.into_iter().fold(100.0, |value, observed| {
            let (taken, weight) = doubt.weigh(value, observed, 1e3 * observed, 1.0);
            value + (taken - value) * weight
        })
    }

    #[test]
    fn one_odd_value_tells_little_and_three_tell_all() {
        assert!(run([100_000.0]) < 107.0);
        assert!(run([0.0]) > 95.0);
        assert_eq!(run([1_300.0, 1_000.0, 1_200.0]), 1_000.0);
        assert_eq!(run([10.0, 20.0, 5.0]), 20.0);
        assert!(run([1e9, 1e9, 100.0, 1e9, 1e9, 100.0]) < 130.0, "they were not in a row");
    }

    #[test]
    fn a_moment_in_which_all_is_slow_tells_little() {
        let mut doubt = Doubt { odd: None, held: MEMORY };
        let mut value = 50_000.0;
        let mut show = |observed: f64, times| {
            for _ in 0..times {
                let (taken, weight) = doubt.weigh(value, observed, observed, 1_000.0);
                value += (taken - value) * weight;
            }
            value
        };
        assert!(show(100_000.0, 5) < 70_000.0, "half a millisecond");
        assert!(show(50_000.0, 20) < 52_000.0);
        assert_eq!(show(200_000.0, 6), 200_000.0, "more than a millisecond");
        assert_eq!(show(50_000.0, 3), 50_000.0, "nothing makes them fast but the work");
    }

    #[test]
    fn odd_values_to_both_sides_move_nothing_far() {
        let value = run((0..1_000).map(|i| if i % 2 == 0 { 1_000.0 } else { 10.0 }));
        assert!((10.0..1_000.0).contains(&value), "{value}");
    }

    #[test]
    fn nothing_expected_is_no_trap() {
        let mut doubt = Doubt::default();
        assert_eq!(doubt.weigh(0.0, 0.0, 0.0, 0.0), (0.0, 1.0));
        let (taken, weight) = doubt.weigh(0.0, 500.0, 500.0, 0.0);
        assert_eq!((taken, weight), (0.0, 0.125));
        assert_eq!(doubt.weigh(0.0, 700.0, 700.0, 0.0), (500.0, 1.0));
    }
}

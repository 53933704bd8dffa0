//! A share of one core that re-checks may take.

use crate::dispatch::Nanos;

/// Time saved up at a steady rate and spent on re-checks; what is spent is what was predicted.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    /// Thousandths of one core.
    share: u64,
    saved: Nanos,
    since: Nanos,
    spent: Nanos,
}

/// Longest time whose share is saved up: a quiet hour buys no burst.
const SAVED_FOR: Nanos = 1_000_000_000;

impl Budget {
    /// `share`: thousandths of one core. It begins with a second's share.
    pub fn new(share: u64) -> Self {
        Budget { share, saved: SAVED_FOR / 1_000 * share, since: 0, spent: 0 }
    }

    /// What can be spent now.
    pub fn left(&self, now: Nanos) -> Nanos {
        let most = SAVED_FOR / 1_000 * self.share;
        let since = now.saturating_sub(self.since).min(SAVED_FOR);
        (self.saved + since / 1_000 * self.share).min(most)
    }

    /// Spends; what is not there is owed by no one.
    pub fn spend(&mut self, now: Nanos, time: Nanos) {
        self.saved = self.left(now).saturating_sub(time);
        self.since = now;
        self.spent = self.spent.saturating_add(time);
    }

    /// What was spent since the start.
    pub fn spent(&self) -> Nanos {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;

    #[test]
    fn a_tenth_of_a_core_is_a_tenth() {
        let mut budget = Budget::new(100);
        let mut spent = 0;
        for now in (0..10_000 * MS).step_by(MS as usize) {
            let left = budget.left(now);
            budget.spend(now, left);
            spent += left;
        }
        // A second's share at the start, and a tenth of ten seconds.
        assert!((1_095 * MS..=1_100 * MS).contains(&spent), "{spent}");
        assert_eq!(budget.spent(), spent);
    }

    #[test]
    fn a_quiet_hour_buys_no_burst() {
        let mut budget = Budget::new(100);
        budget.spend(0, 1_000 * MS);
        assert_eq!(budget.left(0), 0);
        assert_eq!(budget.left(3_600_000 * MS), 100 * MS);
    }
}

//! How much longer than predicted a lane's answers take, for all but one in a hundred.

use crate::dispatch::Nanos;

/// Answers by how many times the predicted time they took, in steps of 2^(1/4), older ones fading.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    steps: [u16; STEPS],
    total: u32,
}

/// From 1 to 2^8 times.
const STEPS: usize = 33;

/// Answers after which all counts are halved.
const MEMORY: u32 = 1_024;

impl Tail {
    /// Without answers: the prediction is taken for right.
    pub fn new() -> Self {
        Tail { steps: [0; STEPS], total: 0 }
    }

    /// Takes in an answer.
    pub fn observe(&mut self, predicted: Nanos, took: Nanos) {
        let times = took as f64 / predicted.max(1) as f64;
        let step = (4.0 * times.max(1.0).log2()).ceil() as usize;
        self.steps[step.min(STEPS - 1)] += 1;
        self.total += 1;
        if self.total == MEMORY {
            self.steps.iter_mut().for_each(|count| *count /= 2);
            self.total = self.steps.iter().map(|&count| u32::from(count)).sum();
        }
    }

    /// The predicted time, stretched so that 99 answers of 100 came within it.
    pub fn p99(&self, predicted: Nanos) -> Nanos {
        let outside = self.total / 100;
        let mut seen = 0;
        let slowest = (0..STEPS).rev().find(|&step| {
            seen += u32::from(self.steps[step]);
            seen > outside
        });
        let times = 2f64.powf(slowest.unwrap_or(0) as f64 / 4.0);
        (predicted as f64 * times) as Nanos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_left_out() {
        let mut tail = Tail::new();
        assert_eq!(tail.p99(1_000), 1_000);
        for answer in 0..1_000 {
            tail.observe(1_000, if answer % 101 == 0 { 100_000 } else { 1_900 });
        }
        assert!((1_900..2_400).contains(&tail.p99(1_000)), "{}", tail.p99(1_000));
        for answer in 0..1_000 {
            tail.observe(1_000, if answer % 50 == 0 { 100_000 } else { 1_900 });
        }
        assert!(tail.p99(1_000) > 90_000, "{}", tail.p99(1_000));
    }

    #[test]
    fn what_was_slow_once_is_forgotten() {
        let mut tail = Tail::new();
        (0..500).for_each(|_| tail.observe(10, 1_000));
        (0..40_000).for_each(|_| tail.observe(10, 10));
        assert_eq!(tail.p99(10), 10);
    }
}

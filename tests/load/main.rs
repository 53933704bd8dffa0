//! Load that is hostile, too much, or given up again: what is answered, what is refused, and how often the host
//! checks. No test looks at a clock.

mod giving_up;
mod hostile;
mod limits;
mod machine;
mod neighbours;
mod overload;
mod settling;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use sigmill::error::ItemError;
use sigmill::{Algorithm, Answered, Batch, Class, Engine, Limits, Outcome, Terms};

use support::failing::{self, Control};
use support::signed::{self, spoil};
use support::{Owned, accepted, batch, combined};

/// Signatures, some of them spoiled, and which are good.
struct Signed {
    algorithm: Algorithm,
    jobs: Vec<Owned>,
    odd: Vec<bool>,
    good: Vec<bool>,
}

impl Signed {
    fn new(algorithm: Algorithm, count: usize, bad: impl IntoIterator<Item = usize>) -> Self {
        let (mut jobs, odd) = signed::jobs(algorithm, count, count as u64);
        let mut good = vec![true; count];
        for at in bad {
            spoil(&mut jobs[at]);
            good[at] = false;
        }
        Signed { algorithm, jobs, odd, good }
    }

    fn single(&self) -> Batch {
        batch(self.algorithm, &self.jobs)
    }

    fn combined(&self) -> Batch {
        combined(self.algorithm, &self.jobs, |job| self.odd[job])
    }

    fn is_answered_by(&self, answered: &Answered) {
        let verdicts: Vec<_> = answered.answers().iter().map(accepted).collect();
        assert_eq!(verdicts, self.good, "{:?}", self.algorithm);
    }

    /// All right, or all cancelled; says which.
    fn was_cancelled(&self, answered: &Answered) -> bool {
        let mut outcomes = answered.answers().iter();
        let all = outcomes.all(|outcome| outcome == Outcome::Error(ItemError::Cancelled));
        if !all {
            self.is_answered_by(answered);
        }
        all
    }
}

fn balance(engine: &Engine) {
    let counters = engine.snapshot().counters;
    assert!(counters.balance() && counters.in_flight == 0, "{counters:?}");
}

/// An engine whose one device keeps its answers.
fn held(limits: Limits) -> (Engine, Arc<Control>) {
    let (device, control) = failing::device(Duration::from_secs(600));
    let engine = Engine::builder().threads(1).cpu(false).limits(limits).device(device).open();
    control.hold(true);
    (engine.expect("an engine"), control)
}

fn terms(class: Class) -> Terms {
    Terms::default().class(class)
}

//! Batches that come whether or not those before were answered.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sigmill::Form;
use sigmill::dispatch::Nanos;

use crate::machine::{Answer, UNIT};

/// Which of a batch's signatures are bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Good,
    Bad,
    /// The first.
    OneBad,
}

impl Kind {
    /// How many of these entries are bad.
    pub fn bad(self, entries: (usize, usize)) -> u64 {
        match self {
            Kind::Good => 0,
            Kind::Bad => (entries.1 - entries.0) as u64,
            Kind::OneBad => u64::from(entries.0 == 0),
        }
    }
}

/// One source's batches, at random intervals: a Poisson process.
pub struct Stream {
    source: u64,
    kind: Kind,
    form: Form,
    items: usize,
    /// Between two batches, on average.
    pause: f64,
    random: StdRng,
    due: f64,
}

impl Stream {
    /// Single verifications that take so many percent of the host's time, from `from` on. The same seed gives the
    /// same intervals.
    pub fn new(source: u64, items: usize, percent: u64, from: Nanos, seed: u64) -> Self {
        let pause = (items as u64 * UNIT * 100) as f64 / percent as f64;
        let random = StdRng::seed_from_u64(seed);
        let (kind, form) = (Kind::Good, Form::Single);
        let mut stream = Stream { source, kind, form, items, pause, random, due: from as f64 };
        stream.take();
        stream
    }

    /// As many combined batches.
    pub fn combined(self, kind: Kind) -> Self {
        Stream { form: Form::Combined, kind, ..self }
    }

    /// When the next one comes.
    pub fn due(&self) -> Nanos {
        self.due as Nanos
    }

    /// The next one.
    pub fn take(&mut self) -> (Kind, Form, usize, u64) {
        self.due -= self.pause * (1.0 - self.random.random::<f64>()).ln();
        (self.kind, self.form, self.items, self.source)
    }
}

/// What 99 of 100 answers took at most.
pub fn p99(answers: &[Answer], counts: impl Fn(&Answer) -> bool) -> Nanos {
    let mut all: Vec<_> = answers.iter().filter(|answer| counts(answer)).map(|a| a.took).collect();
    all.sort_unstable();
    all[all.len() * 99 / 100]
}

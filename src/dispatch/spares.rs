//! Memory that one batch leaves to the next, so that a warm engine allocates nothing.

use std::sync::Mutex;

use crate::algorithm::Algorithm;
use crate::algorithms::sha256::Plan;
use crate::batch::Batch;
use crate::dispatch::mill::lock;
use crate::parsed::Parsed;
use crate::verdict::{Answers, Evidence};

/// Memory between two batches; at most [`SPARES`] of a kind are kept.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    answers: Mutex<Vec<Answers>>,
    evidence: Mutex<Vec<Evidence>>,
    parsed: Mutex<Vec<Parsed>>,
}

/// A few more than run at once on a machine of many cores; more only hold memory.
const SPARES: usize = 64;

impl Spares {
    pub(crate) fn take_answers(&self, algorithm: Algorithm) -> Answers {
        lock(&self.answers).pop().unwrap_or_else(|| Answers::new(algorithm))
    }

    pub(crate) fn put_answers(&self, answers: Answers) {
        put(&self.answers, answers);
    }

    /// An evidence of the kind that the CPU's kernels fill for `algorithm`.
    pub(crate) fn take_evidence(&self, algorithm: Algorithm) -> Evidence {
        let fresh = Evidence::for_cpu(algorithm);
        let mut spares = lock(&self.evidence);
        let kind = std::mem::discriminant(&fresh);
        match spares.iter().rposition(|spare| std::mem::discriminant(spare) == kind) {
            Some(index) => spares.swap_remove(index),
            None => fresh,
        }
    }

    pub(crate) fn put_evidence(&self, evidence: Evidence) {
        put(&self.evidence, evidence);
    }

    /// Parses into the memory of an earlier batch.
    pub(crate) fn parse(&self, plan: Plan, batch: Batch) -> Parsed {
        let algorithm = batch.algorithm();
        let mut spares = lock(&self.parsed);
        let found = spares.iter().rposition(|spare| spare.fits(algorithm));
        let spare = found.map(|index| spares.swap_remove(index));
        drop(spares);
        match spare {
            Some(spare) => spare.parse_again(plan, batch),
            None => Parsed::blank(algorithm).parse_again(plan, batch),
        }
    }

    pub(crate) fn put_parsed(&self, parsed: Parsed) {
        put(&self.parsed, parsed);
    }
}

fn put<T>(spares: &Mutex<Vec<T>>, item: T) {
    let mut spares = lock(spares);
    if spares.len() < SPARES {
        spares.push(item);
    }
}

//! Memory that one batch leaves to the next, so that a warm engine allocates nothing.

use std::sync::{Arc, Mutex};

use crate::algorithm::Algorithm;
use crate::algorithms::sha256::Plan;
use crate::batch::{Batch, Form};
use crate::dispatch::cell::Cell;
use crate::dispatch::mill::{Parts, lock};
use crate::dispatch::ticket::Answered;
use crate::parsed::Parsed;
use crate::verdict::{Answers, Evidence};

/// Memory between two batches; at most [`SPARES`] of a kind are kept.
#[derive(Debug)]
pub(crate) struct Spares {
    answers: Pile<Answers>,
    evidence: Pile<Evidence>,
    /// Of operands; nobody else holds one.
    parsed: Pile<Arc<Parsed>>,
    /// Of batches that are parsed in pieces.
    pieces: Pile<Vec<Parsed>>,
    parts: Pile<Parts>,
    /// Empty ones. Who filled one may hold it for a moment longer than who emptied it.
    cells: Pile<Arc<Cell<Answered>>>,
}

type Pile<T> = Mutex<Vec<T>>;

/// A few more than run at once on a machine of many cores; more only hold memory.
const SPARES: usize = 64;

/// Entries for which operand memory is kept, in all: about 170 MB.
const ENTRIES: usize = 1 << 20;

impl Default for Spares {
    fn default() -> Self {
        fn pile<T>() -> Pile<T> {
            Mutex::new(Vec::with_capacity(SPARES))
        }
        Spares {
            answers: pile(),
            evidence: pile(),
            parsed: pile(),
            pieces: pile(),
            parts: pile(),
            cells: pile(),
        }
    }
}

impl Spares {
    pub(crate) fn take_answers(&self, algorithm: Algorithm) -> Answers {
        lock(&self.answers).pop().unwrap_or_else(|| Answers::new(algorithm))
    }

    pub(crate) fn put_answers(&self, answers: Answers) {
        put(&self.answers, answers);
    }

    /// An evidence of the kind that the CPU's kernels fill for `algorithm`.
    pub(crate) fn take_evidence(&self, algorithm: Algorithm) -> Evidence {
        Evidence::take(&mut lock(&self.evidence), algorithm)
    }

    pub(crate) fn put_evidence(&self, evidence: Evidence) {
        put(&self.evidence, evidence);
    }

    pub(crate) fn take_parts(&self) -> Parts {
        lock(&self.parts).pop().unwrap_or_default()
    }

    pub(crate) fn put_parts(&self, mut parts: Parts) {
        parts.drain(..).for_each(|(_, answers)| self.put_answers(answers));
        put(&self.parts, parts);
    }

    pub(crate) fn take_cell(&self) -> Arc<Cell<Answered>> {
        let mut cells = lock(&self.cells);
        let free = cells.iter_mut().position(|cell| Arc::get_mut(cell).is_some());
        free.map(|at| cells.swap_remove(at)).unwrap_or_default()
    }

    /// Keeps a cell that was emptied.
    pub(crate) fn put_cell(&self, cell: Arc<Cell<Answered>>) {
        put(&self.cells, cell);
    }

    /// Parses into the memory of an earlier batch, on this thread; its signatures are verified as `form` says.
    pub(crate) fn parse(&self, plan: Plan, batch: Batch, form: Form) -> Arc<Parsed> {
        self.parse_with(batch, form, |parsed, batch| parsed.parse_again(plan, batch))
    }

    /// The same on the threads of the current rayon pool.
    pub(crate) fn parse_shared(&self, plan: Plan, batch: Batch, form: Form) -> Arc<Parsed> {
        self.parse_with(batch, form, |parsed, batch| {
            let mut pieces = lock(&self.pieces).pop().unwrap_or_default();
            parsed.parse_pieces(plan, batch, &mut pieces);
            if pieces.iter().map(Parsed::capacity).sum::<usize>() <= ENTRIES {
                put(&self.pieces, pieces);
            }
        })
    }

    fn parse_with(
        &self,
        batch: Batch,
        form: Form,
        parse: impl FnOnce(&mut Parsed, Batch),
    ) -> Arc<Parsed> {
        let algorithm = batch.algorithm();
        let mut spares = lock(&self.parsed);
        let found = spares.iter().rposition(|spare| spare.fits(algorithm));
        let spare = found.map(|index| spares.swap_remove(index));
        drop(spares);
        let mut parsed = spare.unwrap_or_else(|| Arc::new(Parsed::blank(algorithm)));
        let own = Arc::get_mut(&mut parsed).expect("nobody else holds a spare");
        parse(own, batch);
        own.form = form;
        parsed
    }

    /// Takes the batch out of its parsed form, whose memory is kept, unless somebody else holds that.
    pub(crate) fn reclaim(&self, mut parsed: Arc<Parsed>) -> Result<Batch, Arc<Parsed>> {
        let Some(own) = Arc::get_mut(&mut parsed) else { return Err(parsed) };
        let batch = own.take_batch();
        let mut spares = lock(&self.parsed);
        let kept: usize = spares.iter().map(|spare| spare.capacity()).sum();
        if spares.len() < SPARES && kept + parsed.capacity() <= ENTRIES {
            spares.push(parsed);
        }
        Ok(batch)
    }
}

fn put<T>(spares: &Pile<T>, item: T) {
    let mut spares = lock(spares);
    if spares.len() < SPARES {
        spares.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Job;

    fn hashes(items: usize) -> Batch {
        let mut batch = Batch::open(Algorithm::Sha256);
        for _ in 0..items {
            batch.push(Job::Hash { message: b"abc" }).expect("room");
        }
        batch.seal()
    }

    #[test]
    fn a_cell_is_not_used_again_while_somebody_holds_it() {
        let spares = Spares::default();
        let cell = spares.take_cell();
        spares.put_cell(cell.clone());
        assert!(!Arc::ptr_eq(&cell, &spares.take_cell()));
        let address = Arc::as_ptr(&cell);
        drop(cell);
        assert_eq!(Arc::as_ptr(&spares.take_cell()), address);
    }

    #[test]
    fn parsed_memory_is_used_again_once_nobody_else_holds_it() {
        let spares = Spares::default();
        let parsed = spares.parse(Plan::PORTABLE, hashes(3), Form::Single);
        let held = parsed.clone();
        let parsed = spares.reclaim(parsed).expect_err("it is held");
        drop(held);
        let address = Arc::as_ptr(&parsed);
        assert_eq!(spares.reclaim(parsed).expect("it is not held"), hashes(3));
        let again = spares.parse_shared(Plan::PORTABLE, hashes(5), Form::Single);
        assert_eq!((Arc::as_ptr(&again), again.batch()), (address, &hashes(5)));
    }
}

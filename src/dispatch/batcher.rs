//! Single jobs to batches, without a timer.
//!
//! While nothing of a batcher is in flight, a job leaves at once as a batch of one. What arrives
//! while a batch is in flight piles up, and leaves as one batch when that one is answered. So no
//! job waits while the engine is idle, and batches grow by themselves when it is busy.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::algorithm::Algorithm;
use crate::batch::{Batch, Job, OpenBatch};
use crate::dispatch::cell::Cell;
use crate::dispatch::ticket::{Answered, Ticket};
use crate::engine::{Engine, Terms};
use crate::error::{BatchError, Busy};
use crate::trust::Trust;
use crate::verdict::Outcome;

/// Collects single jobs of one algorithm; clones share one pile.
#[derive(Clone, Debug)]
pub struct Batcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Arc<Engine>,
    terms: Terms,
    pile: Mutex<Pile>,
}

#[derive(Debug)]
struct Pile {
    /// A batch is in flight: whoever sees it answered takes the pile.
    flying: bool,
    open: OpenBatch,
    cells: Cells,
}

/// Jobs of a pile at most: what piles up behind one batch, not a queue without end.
const PILE_LIMIT: usize = 1 << 16;

/// The answer of one job.
#[derive(Clone, Debug)]
pub struct JobAnswer {
    answered: Arc<Answered>,
    index: usize,
}

impl JobAnswer {
    /// The least that stands behind it.
    pub fn trust(&self) -> Trust {
        self.answered.trust()
    }

    /// The outcome.
    pub fn outcome(&self) -> Outcome<'_> {
        self.answered.answers().get(self.index).expect("the job is in the batch")
    }
}

/// Stands for one job: [`JobTicket::wait`] blocks, and it is a future too.
#[derive(Debug)]
#[must_use = "the answer comes through the ticket"]
pub struct JobTicket(Arc<Cell<JobAnswer>>);

impl JobTicket {
    /// Waits on this thread for the answer.
    pub fn wait(self) -> JobAnswer {
        self.0.wait()
    }
}

impl Future for JobTicket {
    type Output = JobAnswer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<JobAnswer> {
        self.0.poll(context)
    }
}

impl Batcher {
    pub(crate) fn new(engine: Arc<Engine>, algorithm: Algorithm, terms: Terms) -> Self {
        let open = Batch::open(algorithm);
        let pile = Mutex::new(Pile { flying: false, open, cells: Vec::new() });
        Batcher(Arc::new(Inner { engine, terms, pile }))
    }

    /// Takes one job.
    ///
    /// # Errors
    /// [`BatchError`]: the job does not fit the algorithm, or the pile is full.
    pub fn submit(&self, job: Job<'_>) -> Result<JobTicket, BatchError> {
        let cell = Arc::new(Cell::default());
        let mut pile = self.0.lock();
        if pile.cells.len() == PILE_LIMIT {
            return Err(BatchError::Full);
        }
        pile.open.push(job)?;
        pile.cells.push(cell.clone());
        if !pile.flying {
            pile.flying = true;
            drop(pile);
            self.0.clone().fly();
        }
        Ok(JobTicket(cell))
    }
}

/// A batch in flight, woken when it is answered.
struct Flight {
    inner: Arc<Inner>,
    ticket: Mutex<Option<(Ticket, Cells)>>,
}

/// Where the answers of a batch's jobs go, in their order.
type Cells = Vec<Arc<Cell<JobAnswer>>>;

impl Inner {
    /// Sends piles off until one stays in flight or nothing is left. The caller holds `flying`.
    fn fly(self: Arc<Self>) {
        loop {
            let mut pile = self.lock();
            if pile.cells.is_empty() {
                pile.flying = false;
                return;
            }
            let empty = Batch::open(pile.open.algorithm());
            let batch = std::mem::replace(&mut pile.open, empty).seal();
            let cells = std::mem::take(&mut pile.cells);
            drop(pile);
            match self.engine.submit(batch, self.terms) {
                Ok(ticket) => {
                    let ticket = Mutex::new(Some((ticket, cells)));
                    let flight = Arc::new(Flight { inner: self.clone(), ticket });
                    if !flight.land() {
                        return;
                    }
                }
                Err(Busy { batch, .. }) => deliver(self.engine.compute_here(batch), cells),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pile> {
        self.pile.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Delivers the answers if they are there; else leaves itself to be woken.
    fn land(self: &Arc<Self>) -> bool {
        let mut held = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((mut ticket, cells)) = held.take() else { return false };
        let waker = Waker::from(self.clone());
        match Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answered) => {
                drop(held);
                deliver(answered, cells);
                true
            }
            Poll::Pending => {
                *held = Some((ticket, cells));
                false
            }
        }
    }
}

impl Wake for Flight {
    fn wake(self: Arc<Self>) {
        if self.land() {
            self.inner.clone().fly();
        }
    }
}

fn deliver(answered: Answered, cells: Cells) {
    let answered = Arc::new(answered);
    for (index, cell) in cells.into_iter().enumerate() {
        cell.resolve(JobAnswer { answered: answered.clone(), index });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Outcome;

    #[test]
    fn every_job_gets_its_own_answer_from_many_threads() {
        let engine = Arc::new(Engine::builder().threads(1).open().expect("an engine"));
        let batcher = engine.batcher(Algorithm::Sha256, Terms::default());
        std::thread::scope(|scope| {
            for thread in 0..4u32 {
                let batcher = batcher.clone();
                scope.spawn(move || {
                    for i in 0..200u32 {
                        let message = (thread * 1_000 + i).to_le_bytes();
                        let ticket = batcher.submit(Job::Hash { message: &message });
                        let answer = ticket.expect("room").wait();
                        let digest = crate::algorithms::sha256::hash(&message);
                        assert_eq!(answer.outcome(), Outcome::Digest(&digest));
                    }
                });
            }
        });
        assert_eq!(engine.snapshot().counters.submitted, 800);
        assert_eq!(engine.snapshot().counters.in_flight, 0);
    }

    #[test]
    fn a_job_of_another_algorithm_is_refused_and_harms_none() {
        let engine = Arc::new(Engine::builder().threads(1).open().expect("an engine"));
        let batcher = engine.batcher(Algorithm::Keccak256, Terms::default());
        assert!(batcher.submit(Job::Null).is_err());
        let ticket = batcher.submit(Job::Hash { message: b"" }).expect("room");
        assert!(matches!(ticket.wait().outcome(), Outcome::Digest(_)));
    }
}

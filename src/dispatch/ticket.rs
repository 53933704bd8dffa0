//! The caller's end of a batch in flight.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use crate::backend::BatchId;
use crate::batch::Batch;
use crate::dispatch::cell::Cell;
use crate::dispatch::mill::{Held, Mill};
use crate::dispatch::spares::Spares;
use crate::parsed::Parsed;
use crate::trust::Trust;
use crate::verdict::Answers;

/// A batch with its answers.
///
/// Dropping it gives its memory back to the engine.
#[derive(Debug)]
pub struct Answered {
    held: Option<Held>,
    answers: Option<Answers>,
    trust: Trust,
    spares: Arc<Spares>,
}

impl Answered {
    pub(crate) fn new(held: Held, answers: Answers, trust: Trust, spares: Arc<Spares>) -> Self {
        Answered { held: Some(held), answers: Some(answers), trust, spares }
    }

    /// The least that stands behind any of the answers: at least the level that the batch was submitted under.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// The answers, in the order of the batch's jobs.
    pub fn answers(&self) -> &Answers {
        self.answers.as_ref().expect("present until dropped")
    }

    /// The batch that was submitted.
    pub fn batch(&self) -> &Batch {
        self.held.as_ref().expect("present until dropped").parsed.batch()
    }

    /// Gives the batch back, for its memory: [`Batch::reopen`]. Copies it in the rare case that a
    /// device which failed still holds it.
    pub fn into_batch(mut self) -> Batch {
        let Held { parsed, given } = self.held.take().expect("present until dropped");
        let batch = match given {
            true => Arc::try_unwrap(parsed).map(Parsed::into_batch),
            false => self.spares.reclaim(parsed),
        };
        batch.unwrap_or_else(|shared| shared.batch().clone())
    }

    /// Keeps the answers alone.
    pub fn into_answers(mut self) -> Answers {
        self.answers.take().expect("present until dropped")
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        if let Some(answers) = self.answers.take() {
            self.spares.put_answers(answers);
        }
        if let Some(Held { parsed, given: false }) = self.held.take() {
            // If a device that failed holds it, it is freed there.
            let _ = self.spares.reclaim(parsed);
        }
    }
}

/// Stands for a submitted batch: [`Ticket::wait`] blocks, and it is a future too.
///
/// A dropped ticket cancels nothing, [`Ticket::cancel`] does; its answers are counted and thrown away.
#[derive(Debug)]
#[must_use = "the answers come through the ticket"]
pub struct Ticket(Inner);

#[derive(Debug)]
enum Inner {
    Ready(Option<Answered>),
    Pending { cell: Arc<Cell<Answered>>, mill: Weak<Mill>, id: BatchId },
}

impl Ticket {
    pub(crate) fn ready(answered: Answered) -> Self {
        Ticket(Inner::Ready(Some(answered)))
    }

    pub(crate) fn pending(cell: Arc<Cell<Answered>>, mill: Weak<Mill>, id: BatchId) -> Self {
        Ticket(Inner::Pending { cell, mill, id })
    }

    /// Says that the answers are not needed any more: each job without one gets
    /// [`ItemError::Cancelled`](crate::error::ItemError::Cancelled), and no lane begins with what
    /// waits. Answers that are there already stay.
    pub fn cancel(&self) {
        if let Inner::Pending { mill, id, .. } = &self.0
            && let Some(mill) = mill.upgrade()
        {
            mill.cancel(*id);
        }
    }

    /// Waits on this thread for the answers.
    pub fn wait(self) -> Answered {
        match self.0 {
            Inner::Ready(answered) => answered.expect("a ticket is waited for once"),
            Inner::Pending { cell, .. } => {
                let answered = cell.wait();
                answered.spares.clone().put_cell(cell);
                answered
            }
        }
    }

    /// Whether the answers are there.
    pub fn is_ready(&self) -> bool {
        match &self.0 {
            Inner::Ready(_) => true,
            Inner::Pending { cell, .. } => cell.is_resolved(),
        }
    }
}

impl Future for Ticket {
    type Output = Answered;

    /// # Panics
    /// When polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered> {
        match &mut self.0 {
            Inner::Ready(answered) => Poll::Ready(answered.take().expect("polled after ready")),
            Inner::Pending { cell, .. } => {
                let Poll::Ready(answered) = cell.poll(context) else { return Poll::Pending };
                answered.spares.put_cell(cell.clone());
                self.0 = Inner::Ready(None);
                Poll::Ready(answered)
            }
        }
    }
}

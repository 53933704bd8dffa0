//! Hands transfers to a validator, or to the next one that can be reached.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use crate::client::{Client, ClientError, Taken};

/// How long a validator may take to answer before the next one is asked.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a validator that cannot be reached is left out.
const DOWN: Duration = Duration::from_secs(1);

/// The validators, and until when each is left out.
#[derive(Debug)]
pub(super) struct Validators {
    pub clients: Arc<[Client]>,
    down: Mutex<Vec<Option<Instant>>>,
}

/// What became of a part.
#[derive(Debug)]
pub(super) struct Delivered {
    /// Places of its transfers in the plan.
    pub part: Vec<u32>,
    pub answer: Answer,
}

#[derive(Debug)]
pub(super) enum Answer {
    /// One of every transfer.
    Each(Vec<Taken>),
    /// The validator has no room for the question.
    Busy,
    /// No validator answered.
    None,
}

impl Validators {
    pub fn new(clients: Arc<[Client]>) -> Self {
        let down = Mutex::new(vec![None; clients.len()]);
        Validators { clients, down }
    }

    fn is_down(&self, index: usize) -> bool {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down[index].is_some_and(|until| Instant::now() < until)
    }

    fn leave_out(&self, index: usize) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down[index] = Some(Instant::now() + DOWN);
    }

    /// Tries the validator `first`, then the others; those that were down a moment ago come last.
    async fn submit(&self, first: usize, body: Bytes, transfers: usize) -> Answer {
        let count = self.clients.len();
        let mut order: Vec<_> = (first..first + count).map(|index| index % count).collect();
        order.sort_by_key(|index| self.is_down(*index));
        for index in order {
            let asked = self.clients[index].submit(body.clone());
            match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok(each)) if each.len() == transfers => return Answer::Each(each),
                Ok(Err(ClientError::Busy { .. })) => return Answer::Busy,
                _ => self.leave_out(index),
            }
        }
        Answer::None
    }

    /// Delivers a part and reports what became of it.
    pub async fn deliver(
        self: Arc<Self>,
        first: usize,
        (part, body): (Vec<u32>, Bytes),
        report: mpsc::UnboundedSender<Delivered>,
        in_flight: OwnedSemaphorePermit,
    ) {
        let answer = self.submit(first, body, part.len()).await;
        // Nobody listens any more once the load is over.
        let _ = report.send(Delivered { part, answer });
        drop(in_flight);
    }
}

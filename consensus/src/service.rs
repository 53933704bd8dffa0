//! What a running validator can be asked, by the interfaces to people and programs.
//!
//! A [`Service`] is the asking side. It is cloned freely; requests queue in a bounded channel.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::address::Address;
use crate::block::Block;
use crate::pool::Refusal;
use crate::proof::{Proof, StateProof, Subject};
use crate::sets::ValidatorSet;
use crate::state::{Account, Record, Sequence};
use crate::transaction::SignedTransaction;

/// Where a transaction took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Height of the block.
    pub height: u64,
    /// Its place in the block, from 0.
    pub index: u32,
}

/// A final block, with the names of its transactions.
#[derive(Clone, Debug)]
pub struct Final {
    /// The block.
    pub block: Arc<Block>,
    /// Hashes of its transactions, in order.
    pub hashes: Arc<Vec<[u8; 32]>>,
    /// When this validator held it for final, milliseconds since 1970.
    pub final_ms: u64,
}

/// What a validator says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Id of the chain.
    pub chain: [u8; 32],
    /// Height of the last final block that was applied.
    pub height: u64,
    /// Hash of that block.
    pub block: [u8; 32],
    /// Root of the state after it.
    pub state_root: [u8; 32],
    /// Time of that block, milliseconds since 1970.
    pub time_ms: u64,
    /// Transactions that wait in the pool.
    pub pooled: usize,
    /// Their bytes.
    pub pooled_bytes: usize,
}

/// A question, with the way back.
#[derive(Debug)]
pub enum Request {
    /// Takes transactions into the pool, as they were received: an answer each, in order.
    Submit(Vec<SignedTransaction>, oneshot::Sender<Vec<Result<[u8; 32], Refusal>>>),
    /// What an account has in the last final state.
    Account(Address, oneshot::Sender<Option<Account>>),
    /// What was written down of a digest: namespace, digest.
    Record([u8; 32], [u8; 32], oneshot::Sender<Option<Record>>),
    /// Where a transaction of the last blocks took effect, by its hash.
    Receipt([u8; 32], oneshot::Sender<Option<Receipt>>),
    /// The final block of a height.
    Block(u64, oneshot::Sender<Option<Final>>),
    /// The final block of a height, as soon as there is one.
    Await(u64, oneshot::Sender<Final>),
    /// That a transaction is final, by its hash: in the block of a height, or in one of the last.
    Proof([u8; 32], Option<u64>, oneshot::Sender<Option<Box<Proof>>>),
    /// What the final block of a height says to another chain, as proofs for deliveries; `None` if it
    /// is not final here.
    Messages(u64, [u8; 32], oneshot::Sender<Option<Vec<Proof>>>),
    /// The counters of messages of an account: to another chain if it is one of here, and from that
    /// chain if it is one of there.
    Lane([u8; 32], Address, oneshot::Sender<[Sequence; 2]>),
    /// The latest validators of a linked chain, or without one of this; `None` if none were decreed.
    Validators(Option<[u8; 32]>, oneshot::Sender<Option<ValidatorSet>>),
    /// What the last final state has of a subject, once the next block is final, whose header names it.
    State(Subject, oneshot::Sender<Option<Box<StateProof>>>),
    /// How it stands.
    Status(oneshot::Sender<Status>),
}

/// The validator does not answer: it is stopping, or has more questions than it can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silent {
    /// Its queue of questions is full.
    #[error("the validator is busy: ask again later")]
    Busy,
    /// It has stopped.
    #[error("the validator is stopping")]
    Stopping,
}

/// The asking side.
#[derive(Clone, Debug)]
pub struct Service(mpsc::Sender<Request>);

impl Service {
    /// A service and the queue of what it is asked.
    pub fn new(queue: usize) -> (Self, mpsc::Receiver<Request>) {
        let (sender, receiver) = mpsc::channel(queue);
        (Service(sender), receiver)
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`Silent`].
    pub async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, Silent> {
        let (sender, receiver) = oneshot::channel();
        self.0.try_send(request(sender)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Silent::Busy,
            mpsc::error::TrySendError::Closed(_) => Silent::Stopping,
        })?;
        receiver.await.map_err(|_| Silent::Stopping)
    }
}

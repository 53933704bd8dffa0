//! What a validator answers: questions, and its figures.

use std::sync::Arc;

use commonware_consensus::types::Height;
use commonware_parallel::Strategy;
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use super::Marshal;
use super::messages::messages;
use super::prove::{open, prove, prove_state};
use crate::Hash;
use crate::chain::{Chain, Runtime};
use crate::crypto::Crypto;
use crate::figures::Figures;
use crate::intake::Doorway;
use crate::ledger::LedgerError;
use crate::service::{Final, Request, Status};
use crate::sets::ValidatorSet;
use crate::state::{Account, Record, Sequence, Value};

/// The chain's figures and the engine's.
pub(super) fn figures<E: Runtime, S: Strategy>(chain: &Chain<E, S>) -> Figures {
    let mut figures = Figures::default();
    let (height, _, _) = chain.recent().last();
    figures.one("sigmill_height", "Last final height that was applied.", "gauge", height as f64);
    let (count, bytes) = {
        let pool = chain.pool();
        (pool.len(), pool.bytes())
    };
    figures.one("sigmill_pool_transactions", "Transactions in the pool.", "gauge", count as f64);
    figures.one("sigmill_pool_bytes", "Their bytes.", "gauge", bytes as f64);
    let (hits, recovered) = chain.senders().counts();
    let senders = [("cache", hits as f64), ("recovery", recovered as f64)];
    let help = "Senders of transactions, by where they came from.";
    figures.family("sigmill_senders_total", help, "counter", "from", senders);
    let help = "Core time of a validator's stages, but for the engine's threads.";
    let seconds = chain.stages().seconds();
    figures.family("sigmill_stage_core_seconds_total", help, "counter", "stage", seconds);
    if let Crypto::Engine(engine) = chain.crypto() {
        figures.engine(engine);
    }
    figures.threads();
    figures
}

/// Answers questions until nobody is left to ask.
pub(super) async fn desk<E: Runtime, S: Strategy>(
    context: E,
    mut questions: mpsc::Receiver<Request>,
    chain: Chain<E, S>,
    marshal: Marshal,
    doorway: Doorway,
) {
    while let Some(question) = questions.recv().await {
        if let Err(error) = answer(&context, question, &chain, &marshal, &doorway).await {
            warn!(%error, "a question without an answer");
        }
    }
}

/// Who asked may have gone.
fn reply<T>(to: oneshot::Sender<T>, answer: T) {
    let _ = to.send(answer);
}

async fn answer<E: Runtime, S: Strategy>(
    context: &E,
    question: Request,
    chain: &Chain<E, S>,
    marshal: &Marshal,
    doorway: &Doorway,
) -> Result<(), LedgerError> {
    match question {
        Request::Submit(transactions, to) => doorway.submit(transactions, to),
        Request::Account(address, to) => {
            let value = chain.ledger().read(&[Account::key(&address)]).await?.remove(0);
            reply(to, value.as_ref().map(Account::of));
        }
        Request::Record(namespace, digest, to) => {
            let value = chain.ledger().read(&[Record::key(&namespace, &digest)]).await?.remove(0);
            reply(to, value.as_ref().map(Record::of));
        }
        Request::Receipt(id, to) => reply(to, chain.recent().receipt(&id)),
        Request::Block(height, to) => reply(to, block(height, chain, marshal).await),
        Request::Await(height, to) => {
            if height > chain.recent().height() {
                chain.recent().wait(height, to);
            } else if let Some(block) = block(height, chain, marshal).await {
                reply(to, block);
            }
        }
        Request::Proof(id, height, to) => {
            reply(to, prove(id, height, chain, marshal).await.map(Box::new));
        }
        Request::Messages(height, receiver, to) => {
            reply(to, messages(height, &Hash::from(receiver), chain, marshal).await);
        }
        Request::Lane(other, account, to) => {
            let other = Hash::from(other);
            let keys = [Sequence::outbox(&other, &account), Sequence::inbox(&other, &account)];
            let values = chain.ledger().read(&keys).await?;
            let next = |value: &Option<Value>| value.as_ref().map(Sequence::of).unwrap_or_default();
            reply(to, [next(&values[0]), next(&values[1])]);
        }
        Request::Validators(of, to) => reply(to, validators(of.map(Hash::from), chain).await?),
        Request::State(subject, mut to) => {
            let Some(opened) = open(subject, chain).await? else {
                reply(to, None);
                return Ok(());
            };
            // The next block takes its time; others are answered meanwhile.
            let (chain, marshal) = (chain.clone(), marshal.clone());
            context.child("state").spawn(move |_| async move {
                tokio::select! {
                    biased;
                    () = to.closed() => (),
                    proof = prove_state(opened, &chain, &marshal) => {
                        reply(to, proof.map(Box::new));
                    }
                }
            });
        }
        Request::Status(to) => {
            let ((height, block, time_ms), state_root) = last(chain).await?;
            let (pooled, pooled_bytes) = {
                let pool = chain.pool();
                (pool.len(), pool.bytes())
            };
            let (chain, block) = (chain.id().0, block.0);
            reply(to, Status { chain, height, block, state_root, time_ms, pooled, pooled_bytes });
        }
    }
    Ok(())
}

/// The latest set of a linked chain, or of this one if a decree has changed it.
async fn validators<E: Runtime, S: Strategy>(
    of: Option<Hash>,
    chain: &Chain<E, S>,
) -> Result<Option<ValidatorSet>, LedgerError> {
    let of = of.unwrap_or(chain.id());
    loop {
        let applied = chain.ledger().applied();
        let set = async {
            match chain.ledger().head(&applied, &of).await? {
                Some(head) => chain.ledger().set(&applied, &of, head.newest).await.map(Some),
                None => Ok(None),
            }
        };
        match set.await {
            // The next one has just been applied.
            Err(LedgerError::NoParent(_)) => tokio::task::yield_now().await,
            answer => return answer,
        }
    }
}

/// The last final block, its height, hash and time, and the root of the state after it.
async fn last<E: Runtime, S: Strategy>(
    chain: &Chain<E, S>,
) -> Result<((u64, Hash, u64), [u8; 32]), LedgerError> {
    loop {
        let last = chain.recent().last();
        match chain.ledger().root(&last.1).await {
            Ok(root) => return Ok((last, root)),
            // The next one has just been applied.
            Err(LedgerError::NoParent(_)) => tokio::task::yield_now().await,
            Err(error) => return Err(error),
        }
    }
}

/// The final block of a height: one of the last, or from the archive.
pub(super) async fn block<E: Runtime, S: Strategy>(
    height: u64,
    chain: &Chain<E, S>,
    marshal: &Marshal,
) -> Option<Final> {
    let recent = chain.recent().block(height);
    if recent.is_some() || height > chain.recent().height() {
        return recent;
    }
    let block = marshal.get_block(Height::new(height)).await?.inner_shared();
    let hashes = block.transactions.iter().map(|one| one.hash().0).collect();
    let final_ms = block.header.time_ms; // when it became final here is not kept
    Some(Final { block, hashes: Arc::new(hashes), final_ms })
}

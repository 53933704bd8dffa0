//! Makes proofs for those who do not run a validator.

use commonware_consensus::types::Height;
use commonware_parallel::Strategy;

use tokio::sync::oneshot;

use super::Marshal;
use super::desk::block;
use crate::block::Header;
use crate::chain::{Chain, Runtime};
use crate::ledger::{LedgerError, Opened};
use crate::proof::{FinalHeader, Included, MOST_DESCENDANTS, Proof, StateProof, Subject, paths};
use crate::service::Final;

/// That a transaction is final: in the block of this height, or without one in one of the last.
pub(super) async fn prove<E: Runtime, S: Strategy>(
    id: [u8; 32],
    height: Option<u64>,
    chain: &Chain<E, S>,
    marshal: &Marshal,
) -> Option<Proof> {
    let height = match height {
        Some(height) => height,
        None => chain.recent().receipt(&id)?.height,
    };
    let Final { block, hashes, .. } = block(height, chain, marshal).await?;
    let index = hashes.iter().position(|one| *one == id)?;
    let transaction = block.transactions.get(index)?.clone();
    let index = index as u32;
    let path = paths(&hashes, &[index]).pop()?;
    let block = final_header(&block.header, chain, marshal).await?;
    Some(Proof { block, transactions: vec![Included { index, path, transaction }] })
}

/// A final header with the votes for its block or, where none are kept, for the next descendant's.
pub(super) async fn final_header<E: Runtime, S: Strategy>(
    header: &Header,
    chain: &Chain<E, S>,
    marshal: &Marshal,
) -> Option<FinalHeader> {
    let mut descendants = Vec::new();
    loop {
        let height = header.height + descendants.len() as u64;
        if let Some(finalization) = marshal.get_finalization(Height::new(height)).await {
            return Some(FinalHeader {
                header: header.clone(),
                descendants,
                view: finalization.proposal.round.view().get(),
                parent_view: finalization.proposal.parent.get(),
                certificate: finalization.certificate,
            });
        }
        if descendants.len() == MOST_DESCENDANTS {
            return None;
        }
        descendants.push(block(height + 1, chain, marshal).await?.block.header.clone());
    }
}

/// What the state after the block of a height has of a subject.
pub(super) struct Held {
    subject: Subject,
    height: u64,
    opened: Opened,
}

/// What the last final state has of a subject; `None` if nothing.
pub(super) async fn open<E: Runtime, S: Strategy>(
    subject: Subject,
    chain: &Chain<E, S>,
) -> Result<Option<Held>, LedgerError> {
    loop {
        let (height, hash, _) = chain.recent().last();
        let (applied, opened) = chain.ledger().open_key(&subject.key()).await?;
        if applied == hash {
            return Ok(opened.map(|opened| Held { subject, height, opened }));
        }
        // The next block has just been applied.
        tokio::task::yield_now().await;
    }
}

/// The proof of what was held, once the next block, whose header names that state, is final.
pub(super) async fn prove_state<E: Runtime, S: Strategy>(
    Held { subject, height, opened: Opened { value, opening } }: Held,
    chain: &Chain<E, S>,
    marshal: &Marshal,
) -> Option<StateProof> {
    let next = height + 1;
    // Where the block's own votes are not kept, a descendant that is to come has them.
    for last in next..=next + MOST_DESCENDANTS as u64 {
        reached(last, chain).await?;
        let header = block(next, chain, marshal).await?.block.header.clone();
        if let Some(block) = final_header(&header, chain, marshal).await {
            return Some(StateProof { block, subject, value, opening });
        }
    }
    None
}

/// Waits until the block of a height is final; `None` where too many wait.
async fn reached<E: Runtime, S: Strategy>(height: u64, chain: &Chain<E, S>) -> Option<()> {
    let (sender, receiver) = oneshot::channel();
    {
        let mut recent = chain.recent();
        if height <= recent.height() {
            return Some(());
        }
        recent.wait(height, sender);
    }
    receiver.await.ok().map(|_| ())
}

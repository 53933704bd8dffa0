//! Makes proofs for those who do not run a validator.

use commonware_consensus::types::Height;
use commonware_parallel::Strategy;

use super::Marshal;
use super::desk::block;
use crate::block::Header;
use crate::chain::{Chain, Runtime};
use crate::proof::{FinalHeader, Included, MOST_DESCENDANTS, Proof, paths};
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

//! What a block says to another chain, as proofs that fit into deliveries.

use commonware_parallel::Strategy;

use super::Marshal;
use super::desk::block;
use super::prove::final_header;
use crate::Hash;
use crate::chain::{Chain, Runtime};
use crate::decree::Order;
use crate::proof::{Included, Proof, paths};
use crate::service::Final;
use crate::transaction::{Action, MOST_PAYLOAD_BYTES, SignedTransaction};

/// Proofs of a final block's messages to `receiver` and of its decrees of validators, in order, each
/// as long as a delivery may be. `None`: the block is not final here, or its votes are not known yet.
pub(super) async fn messages<E: Runtime, S: Strategy>(
    height: u64,
    receiver: &Hash,
    chain: &Chain<E, S>,
    marshal: &Marshal,
) -> Option<Vec<Proof>> {
    let Final { block, hashes, .. } = block(height, chain, marshal).await?;
    let speaks = |one: &SignedTransaction| match &one.transaction.action {
        Action::Message(message) => message.receiver == *receiver,
        Action::Decree(decree) => matches!(decree.draft.order, Order::Validators(_)),
        _ => false,
    };
    let all = (0_u32..).zip(block.transactions.iter());
    let places: Vec<u32> = all.filter(|(_, one)| speaks(one)).map(|(place, _)| place).collect();
    if places.is_empty() {
        return Some(vec![]);
    }
    let header = final_header(&block.header, chain, marshal).await?;
    let empty = Proof { block: header, transactions: vec![] };
    let mut proofs: Vec<Proof> = Vec::new();
    let mut bytes = 0;
    for (&index, path) in places.iter().zip(paths(&hashes, &places)) {
        let transaction = block.transactions.get(index as usize)?.clone();
        let one = Included { index, path, transaction };
        let more = one.encoded_bytes();
        if proofs.is_empty() || bytes + more > MOST_PAYLOAD_BYTES {
            proofs.push(empty.clone());
            bytes = empty.encoded_bytes();
        }
        bytes += more;
        proofs.last_mut()?.transactions.push(one);
    }
    Some(proofs)
}

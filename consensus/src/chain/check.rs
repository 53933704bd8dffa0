//! Whether a block is valid (SPEC.md, 12), as far as that takes no state.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use commonware_consensus::simplex::types::Context as View;
use commonware_cryptography::ed25519;
use commonware_utils::ordered::Set;

use crate::Hash;
use crate::address::Address;
use crate::block::Block;
use crate::deliveries::Delivered;
use crate::genesis::Limits;
use crate::ledger::{Fault, misdirected};
use crate::transaction::Signed;

/// Why a block is invalid: for ever, and for every honest validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It is another chain's.
    #[error("`chain` is another chain's id")]
    WrongChain,
    /// It was proposed in another round.
    #[error("`epoch` or `view` is not the round's")]
    WrongRound,
    /// Another validator leads the round.
    #[error("`proposer` does not lead the round")]
    WrongProposer,
    /// It has another parent.
    #[error("`parent` is not the round's")]
    WrongParent,
    /// Its height is not the parent's and 1.
    #[error("`height` does not follow the parent's")]
    WrongHeight,
    /// Its time is not after the parent's.
    #[error("`time` is not after the parent's")]
    TimeNotAfterParent,
    /// Its transactions have another root.
    #[error("`transactions root` is not that of the transactions")]
    TransactionsRoot,
    /// A transaction does not take effect.
    #[error("transaction {index}: {fault}")]
    Transaction {
        /// Its place in the block.
        index: usize,
        /// Why.
        fault: Fault,
    },
    /// The parent left another state.
    #[error("`state root` is not that of the parent's state")]
    StateRoot,
}

/// What was found out about a valid block without a state.
#[derive(Debug)]
pub(super) struct Known {
    pub parent: Hash,
    pub height: u64,
    /// Hashes of the transactions, and who sent them.
    pub ids: Arc<Vec<[u8; 32]>>,
    pub senders: Vec<Address>,
    /// By the place of its transaction: what is delivered.
    pub delivered: BTreeMap<usize, Arc<Delivered>>,
    /// The nonces that the senders have after it.
    pub nonces: HashMap<Address, u64>,
}

impl Known {
    /// Fails where a signature is nobody's, or a sender has too many transactions.
    pub fn new(
        block: &Block,
        ids: Vec<[u8; 32]>,
        senders: Vec<Option<Address>>,
        delivered: BTreeMap<usize, Arc<Delivered>>,
        limits: &Limits,
    ) -> Result<Self, BlockError> {
        let unsigned = senders.iter().position(Option::is_none);
        if let Some(index) = unsigned {
            return Err(BlockError::Transaction { index, fault: Fault::BadSignature });
        }
        let senders: Vec<Address> = senders.into_iter().flatten().collect();
        let mut counts: HashMap<Address, u32> = HashMap::with_capacity(senders.len());
        let mut nonces = HashMap::with_capacity(senders.len());
        for (index, (sender, one)) in senders.iter().zip(block.transactions.iter()).enumerate() {
            let count = counts.entry(*sender).or_default();
            *count += 1;
            if *count > limits.account_transactions {
                return Err(BlockError::Transaction { index, fault: Fault::AccountTransactions });
            }
            nonces.insert(*sender, one.transaction.nonce.saturating_add(1));
        }
        let header = &block.header;
        let (parent, height) = (header.parent, header.height);
        Ok(Known { parent, height, ids: ids.into(), senders, delivered, nonces })
    }

    /// The transactions of its block, with who signed what.
    pub fn signed<'a>(&'a self, block: &'a Block) -> impl ExactSizeIterator<Item = Signed<'a>> {
        let both = self.senders.iter().zip(block.transactions.iter());
        both.enumerate().map(|(at, (sender, transaction))| {
            let delivered = self.delivered.get(&at).map_or(&[][..], |one| &one.senders);
            Signed { sender, transaction, delivered }
        })
    }
}

/// A header against the round in which it was proposed and its parent.
pub(super) fn header(
    block: &Block,
    parent: &Block,
    view: &View<Hash, ed25519::PublicKey>,
    chain: Hash,
    validators: &Set<ed25519::PublicKey>,
) -> Result<(), BlockError> {
    let (header, before) = (&block.header, &parent.header);
    let round = (view.round.epoch().get(), view.round.view().get());
    let proposer = validators.get(header.proposer as usize);
    let checks = [
        (header.chain == chain, BlockError::WrongChain),
        ((header.epoch, header.view) == round, BlockError::WrongRound),
        (proposer == Some(&view.leader), BlockError::WrongProposer),
        (header.parent == view.parent.1, BlockError::WrongParent),
        (before.height.checked_add(1) == Some(header.height), BlockError::WrongHeight),
        (header.time_ms > before.time_ms, BlockError::TimeNotAfterParent),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, error)| Err(error))
}

/// Chain and expiry of every transaction.
pub(super) fn destinations(block: &Block, chain: Hash, limits: &Limits) -> Result<(), BlockError> {
    let height = block.header.height;
    let last = height.saturating_add(limits.expiry_heights.into());
    for (index, one) in block.transactions.iter().enumerate() {
        let transaction = &one.transaction;
        let fault = match transaction {
            one if one.chain != chain => Fault::WrongChain,
            one if one.expiry < height => Fault::Expired,
            one if one.expiry > last => Fault::ExpiryTooFar,
            one => match misdirected(&one.action, &chain) {
                Some(fault) => fault,
                None => continue,
            },
        };
        return Err(BlockError::Transaction { index, fault });
    }
    Ok(())
}

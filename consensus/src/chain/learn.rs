//! What can be known of transactions without a state: hashes, senders, what is delivered.

use std::borrow::Borrow;
use std::future::pending;
use std::sync::Arc;

use commonware_cryptography::{Digested, Digestible as _};
use commonware_parallel::Strategy;
use sigmill::Terms;

use super::check::{self, BlockError, Known};
use super::{Chain, Runtime, Shared};
use crate::block::Block;
use crate::deliveries::Delivered;
use crate::ledger::Fault;
use crate::proof::Refusal;
use crate::senders::resolve_senders;
use crate::stages::Stage;
use crate::transaction::{Action, SignedTransaction};

impl<E: Runtime, S: Strategy> Chain<E, S> {
    /// Finds out what can be known of a block without its parent's state: hashes and senders.
    pub(super) async fn learn(
        &self,
        context: &E,
        block: &Digested<Block>,
        terms: Terms,
    ) -> Result<Arc<Known>, BlockError> {
        let hash = block.digest();
        if let Some(known) = self.known().get(&hash) {
            return Ok(known.clone());
        }
        // On a thread that may wait for a device.
        let (chain, block) = (self.clone(), block.clone());
        let learned = context.child("learn").shared(true).spawn(move |_| async move {
            chain.stages().run(Stage::Batches, || chain.batches(block.inner(), terms))
        });
        // A task that was aborted is that of a validator that stops.
        let Ok(learned) = learned.await else { return pending().await };
        let known = Arc::new(learned?);
        self.known().insert(hash, known.clone());
        Ok(known)
    }

    /// The batches of a block: hashes, root, senders.
    fn batches(&self, block: &Block, terms: Terms) -> Result<Known, BlockError> {
        let Shared { id, limits, crypto, senders, .. } = &*self.0;
        let transactions = &block.transactions;
        let hashes = crypto.hashes(transactions, terms);
        let ids: Vec<_> = hashes.iter().map(|hashes| hashes.id).collect();
        if crypto.transactions_root(&ids, terms) != block.header.transactions_root {
            return Err(BlockError::TransactionsRoot);
        }
        check::destinations(block, *id, limits)?;
        let senders = resolve_senders(crypto, senders, transactions, &hashes, terms);
        let delivered = self.delivered(transactions, &ids, terms);
        let delivered: Result<_, _> = delivered
            .into_iter()
            .map(|(index, one)| match one {
                Ok(one) => Ok((index, one)),
                Err(why) => Err(BlockError::Transaction { index, fault: Fault::Unproven(why) }),
            })
            .collect();
        Known::new(block, ids, senders, delivered?, limits)
    }

    /// What the deliveries among transactions say, by their places, or why they prove nothing.
    pub(crate) fn delivered<T: Borrow<SignedTransaction>>(
        &self,
        transactions: &[T],
        ids: &[[u8; 32]],
        terms: Terms,
    ) -> Vec<(usize, Result<Arc<Delivered>, Refusal>)> {
        let all = transactions.iter().zip(ids).enumerate();
        let (places, proofs): (Vec<_>, Vec<_>) = all
            .filter_map(|(place, (one, id))| match &one.borrow().transaction.action {
                Action::Deliver(proof) => Some((place, (*id, proof))),
                _ => None,
            })
            .unzip();
        if places.is_empty() {
            return Vec::new();
        }
        places.into_iter().zip(self.0.deliveries.judge(&self.0.crypto, &proofs, terms)).collect()
    }
}

//! Blocks of this validator: from the pool, what takes effect on the parent's state.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_consensus::simplex::types::Context as View;
use commonware_cryptography::{Digested, Digestible as _, ed25519};
use commonware_parallel::Strategy;
use futures::StreamExt as _;
use sigmill::{Class, Terms};

use super::check::Known;
use super::{Chain, Refused, Runtime, Shared, now_ms};
use crate::Hash;
use crate::address::Address;
use crate::block::{Block, Header};
use crate::deliveries::Delivered;
use crate::ledger::Draft;
use crate::pool::Entry;
use crate::stages::Stage;
use crate::transaction::{Signed, SignedTransaction};

impl<E: Runtime, S: Strategy> Chain<E, S> {
    /// Builds the block of a view on the first of the ancestry.
    pub(super) async fn build(
        &self,
        context: &E,
        view: &View<Hash, ed25519::PublicKey>,
        ancestry: &mut impl Ancestry<Block>,
    ) -> Result<Digested<Block>, Refused> {
        let parent = ancestry.next().await.ok_or(Refused::NoAncestor)?;
        let terms = Terms::default().class(Class::Consensus).deadline(self.0.times.propose);
        let parent_hash = parent.digest();
        self.reach(context, parent.clone(), ancestry, terms).await?;
        self.wait_for_work(context, parent.inner().header.time_ms).await;
        let height = parent.inner().header.height + 1;
        let nonces = self.nonces(&parent_hash);
        let offered = {
            let next_nonce = |sender: &Address| nonces.get(sender).copied();
            let offer = || self.pool().offer(height, &self.0.limits, next_nonce);
            self.0.stages.run(Stage::Pool, offer)
        };
        let Shared { ledger, crypto, .. } = &*self.0;
        let state_root = ledger.root(&parent_hash).await?;
        let (offered, delivered) = self.backed(context, &parent_hash, view, offered, terms).await?;
        let both = offered.iter().zip(&delivered);
        let list: Vec<_> = both
            .map(|(entry, one)| Signed {
                delivered: one.as_ref().map_or(&[], |one| &one.senders),
                ..entry.signed()
            })
            .collect();
        let draft = ledger.draft(&parent_hash, height, list.into_iter()).await?;
        let without_effect = draft.refused.iter().map(|&at| offered[at].hash);
        self.pool().discard(without_effect);
        let places = draft.taken.iter().enumerate();
        let delivered =
            places.filter_map(|(place, &at)| Some((place, delivered[at].clone()?))).collect();
        let taken: Vec<&Entry> = draft.taken.iter().map(|&at| &*offered[at]).collect();
        let ids: Vec<_> = taken.iter().map(|entry| entry.hash).collect();
        let validators = self.validators(view.round.epoch())?;
        let proposer = validators.iter().position(|one| *one == view.leader).unwrap_or_default();
        let header = Header {
            chain: self.0.id,
            height,
            epoch: view.round.epoch().get(),
            view: view.round.view().get(),
            parent: parent_hash,
            time_ms: now_ms(context).max(parent.inner().header.time_ms + 1),
            proposer: proposer as u32,
            transactions: taken.len() as u32,
            transactions_root: self
                .0
                .stages
                .run(Stage::Batches, || crypto.transactions_root(&ids, terms)),
            state_root,
        };
        let hash = header.hash();
        let senders = taken.iter().map(|entry| Some(entry.sender)).collect();
        let transactions: Vec<SignedTransaction> =
            taken.iter().map(|entry| entry.transaction.clone()).collect();
        let block = Block { header, transactions: Arc::new(transactions) };
        let known = Known::new(&block, ids, senders, delivered, &self.0.limits)?;
        self.known().insert(hash, Arc::new(known));
        self.finish(context, draft, hash).await;
        Ok(Digested::precomputed(block, hash))
    }

    /// Those of the offered transactions whose votes are there, with what they deliver. The others leave
    /// the pool.
    async fn backed(
        &self,
        context: &E,
        parent: &Hash,
        view: &View<Hash, ed25519::PublicKey>,
        offered: Vec<Arc<Entry>>,
        terms: Terms,
    ) -> Result<(Vec<Arc<Entry>>, Vec<Option<Arc<Delivered>>>), Refused> {
        let transactions: Vec<_> = offered.iter().map(|entry| &entry.transaction).collect();
        let ids: Vec<_> = offered.iter().map(|entry| entry.hash).collect();
        let mut delivered = vec![None; offered.len()];
        let mut without = BTreeSet::new();
        for (at, one) in self.delivered(&transactions, &ids, terms) {
            match one {
                Ok(one) => delivered[at] = Some(one),
                Err(_) => drop(without.insert(at)),
            }
        }
        let epoch = view.round.epoch().get();
        let list = offered.iter().zip(&delivered).enumerate();
        let list = list.map(|(at, (entry, delivered))| (at, entry.signed(), delivered.as_ref()));
        let faults = self.unbacked(context, parent, epoch, list).await?;
        without.extend(faults.into_iter().map(|(at, _)| at));
        if without.is_empty() {
            return Ok((offered, delivered));
        }
        self.pool().discard(without.iter().map(|&at| offered[at].hash));
        let both = offered.into_iter().zip(delivered).enumerate();
        let left = both.filter(|(at, _)| !without.contains(at));
        Ok(left.map(|(_, both)| both).unzip())
    }

    /// Nonces of the accounts that blocks on top of the final state sent from, up to a block.
    fn nonces(&self, block: &Hash) -> HashMap<Address, u64> {
        let (known, applied) = (self.known(), self.0.ledger.applied());
        let mut nonces = HashMap::new();
        let mut next = *block;
        while let Some(known) = known.get(&next).filter(|_| next != applied) {
            for (sender, nonce) in &known.nonces {
                nonces.entry(*sender).or_insert(*nonce);
            }
            next = known.parent;
        }
        nonces
    }

    /// Waits until a proposal on a parent of that time is due, and something waits for a block.
    async fn wait_for_work(&self, context: &E, parent_ms: u64) {
        let due = UNIX_EPOCH + Duration::from_millis(parent_ms) + self.0.times.interval;
        // A parent ahead of the clock by the drift, and no more than that.
        let latest = context.current() + self.0.times.interval + self.0.times.drift;
        context.sleep_until(due.min(latest)).await;
        let work = self.0.work.notified();
        if self.pool().is_empty() {
            let idle = self.0.times.idle.saturating_sub(self.0.times.interval);
            commonware_macros::select! {
                _ = work => (),
                _ = context.sleep(idle) => (),
            }
        }
    }

    /// Makes a draft's state while its block travels.
    async fn finish(&self, context: &E, draft: Draft<S>, hash: Hash) {
        let chain = self.clone();
        let (begun, begins) = tokio::sync::oneshot::channel();
        context.child("state").spawn(move |_| async move {
            let _making = chain.0.making.lock().await;
            let _ = begun.send(());
            if let Err(error) = chain.0.ledger.finish(draft, hash).await {
                chain.report(&error.into());
            }
        });
        let _ = begins.await; // the lock is held: who needs the state waits for it
    }
}

//! What consensus orders: proposes blocks, judges them, and keeps what it found out about each until
//! it is final or has lost.
//!
//! ```text
//! propose: pool -> what takes effect on the parent's state -> header -> block
//! verify:  header against context -> hashes, senders -> effects on the parent's state
//! final:   state applied -> pool settled -> receipts (finalize)
//! ```

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use commonware_consensus::Application;
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_consensus::simplex::types::Context as View;
use commonware_cryptography::{Digested, Digestible as _, ed25519};
use commonware_parallel::Strategy;
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::ordered::Set;
use futures::StreamExt as _;
use sigmill::{Class, Terms};
use tokio::sync::{Mutex as AsyncMutex, Notify, watch};
use tracing::{debug, warn};

use crate::Hash;
use crate::address::Address;
use crate::block::{Block, Header};
use crate::crypto::Crypto;
use crate::genesis::Limits;
use crate::ledger::{Draft, EffectsError, Ledger, LedgerError};
use crate::pool::{Entry, Pool};
use crate::scheme::VoteScheme;
use crate::senders::{SenderCache, resolve_senders};
use crate::stages::{Stage, Stages};
use crate::transaction::SignedTransaction;

mod check;
mod finalize;
mod recent;
mod replay;

pub use check::BlockError;
use check::Known;
pub use finalize::{Finalizer, Reported, Updates, updates};
pub use recent::Recent;
pub use replay::{ReplayError, Replayed};

/// What a chain needs of the runtime.
pub trait Runtime: commonware_storage::Context + Clock + Spawner + Metrics {}
impl<E: commonware_storage::Context + Clock + Spawner + Metrics> Runtime for E {}

/// Waits of a proposer and a judge; each validator's own business.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// How far a block's time may be ahead of the clock before a validator waits with its answer.
    pub drift: Duration,
    /// From a parent's time to the next proposal, at least.
    pub interval: Duration,
    /// How long a proposer waits for a first transaction.
    pub idle: Duration,
    /// How long a proposal's batches may wait for a device.
    pub propose: Duration,
    /// How long a block's batches may wait for a device.
    pub verify: Duration,
}

impl Times {
    /// What follows from the timeouts of the leader and of certification (SPEC.md, 13).
    pub fn of(leader: Duration, certification: Duration) -> Self {
        Times {
            drift: Duration::from_millis(500),
            interval: leader / 3,
            idle: leader / 2,
            propose: leader / 4,
            verify: (certification / 4).max(Duration::from_millis(20)),
        }
    }
}

/// The parts that a chain is made of.
pub struct Parts<E: Runtime, S: Strategy> {
    /// The chain's id.
    pub id: Hash,
    /// What blocks and transactions may be.
    pub limits: Limits,
    /// The validators, in the order of their indices.
    pub validators: Set<ed25519::PublicKey>,
    /// Its state.
    pub ledger: Ledger<E, S>,
    /// Who computes.
    pub crypto: Crypto,
    /// Who sent what.
    pub senders: SenderCache,
    /// What waits for a block.
    pub pool: Pool,
    /// Waits.
    pub times: Times,
    /// Where core time is counted; the ledger's, too.
    pub stages: Arc<Stages>,
}

/// A chain as one validator sees it. Clones are the same chain.
pub struct Chain<E: Runtime, S: Strategy>(Arc<Shared<E, S>>);

impl<E: Runtime, S: Strategy> Clone for Chain<E, S> {
    fn clone(&self) -> Self {
        Chain(self.0.clone())
    }
}

struct Shared<E: Runtime, S: Strategy> {
    id: Hash,
    limits: Limits,
    validators: Set<ed25519::PublicKey>,
    ledger: Ledger<E, S>,
    crypto: Crypto,
    senders: SenderCache,
    pool: Mutex<Pool>,
    times: Times,
    stages: Arc<Stages>,
    /// What was found out about blocks that are not final.
    known: Mutex<HashMap<Hash, Arc<Known>>>,
    /// States are made one after the other: each needs its parent's.
    making: AsyncMutex<()>,
    recent: Mutex<Recent>,
    /// The pool has got something.
    work: Notify,
    /// Why the validator has to stop.
    failure: watch::Sender<Option<String>>,
}

/// Why a block gets no answer, or the answer no.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Invalid(#[from] BlockError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Its ancestors are not there.
    #[error("its ancestors are not there")]
    NoAncestor,
}

impl<E: Runtime, S: Strategy> Chain<E, S> {
    /// A chain whose last applied block is `last`.
    pub fn new(parts: Parts<E, S>, last: &Header) -> Self {
        let Parts { id, limits, validators, ledger, crypto, senders, pool, times, stages } = parts;
        Chain(Arc::new(Shared {
            id,
            limits,
            validators,
            ledger,
            crypto,
            senders,
            pool: Mutex::new(pool),
            times,
            stages,
            known: Mutex::default(),
            making: AsyncMutex::new(()),
            recent: Mutex::new(Recent::new(last)),
            work: Notify::new(),
            failure: watch::Sender::new(None),
        }))
    }

    /// Changes once, to why the validator has to stop: its disk failed, or its state is wrong.
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.0.failure.subscribe()
    }

    /// The state.
    pub fn ledger(&self) -> &Ledger<E, S> {
        &self.0.ledger
    }

    /// The chain's id.
    pub fn id(&self) -> Hash {
        self.0.id
    }

    /// Who computes.
    pub fn crypto(&self) -> &Crypto {
        &self.0.crypto
    }

    /// Who sent what.
    pub fn senders(&self) -> &SenderCache {
        &self.0.senders
    }

    /// Where core time is counted.
    pub fn stages(&self) -> &Stages {
        &self.0.stages
    }

    /// What waits for a block.
    pub fn pool(&self) -> MutexGuard<'_, Pool> {
        self.0.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last final blocks.
    pub fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a proposer that the pool has got something.
    pub fn has_work(&self) {
        self.0.work.notify_waiters();
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Hash, Arc<Known>>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the validator.
    fn fail(&self, why: impl std::fmt::Display) {
        let why = why.to_string();
        self.0.failure.send_if_modified(|failure| {
            let first = failure.is_none();
            failure.get_or_insert(why);
            first
        });
    }

    /// Finds out what can be known of a block without its parent's state: hashes and senders.
    async fn learn(
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
        Known::new(block, ids, senders, limits)
    }

    /// Makes the state of a block whose parent's is there.
    async fn execute(
        &self,
        context: &E,
        block: &Digested<Block>,
        terms: Terms,
    ) -> Result<(), Refused> {
        let known = self.learn(context, block, terms).await?;
        let _making = self.0.making.lock().await;
        let (hash, header) = (block.digest(), &block.inner().header);
        if self.0.ledger.has(&hash) {
            return Ok(());
        }
        if self.0.ledger.root(&header.parent).await? != header.state_root {
            return Err(BlockError::StateRoot.into());
        }
        let transactions = known.senders.iter().zip(block.inner().transactions.iter());
        let effects = self.0.ledger.execute(hash, &header.parent, header.height, transactions);
        effects.await.map_err(|error| match error {
            EffectsError::Transaction { index, fault } => {
                BlockError::Transaction { index, fault }.into()
            }
            EffectsError::Ledger(error) => Refused::Ledger(error),
        })
    }

    /// Makes the state of a block and of those of its ancestors that have none yet. They are
    /// notarized, or were found valid here.
    async fn reach(
        &self,
        context: &E,
        block: Digested<Block>,
        ancestry: &mut impl Ancestry<Block>,
        terms: Terms,
    ) -> Result<(), Refused> {
        let mut missing = Vec::new();
        let mut next = block;
        loop {
            // A draft's state is being made under the lock.
            drop(self.0.making.lock().await);
            if self.0.ledger.has(&next.digest()) {
                break;
            }
            if next.inner().header.height <= self.recent().height() {
                return Err(Refused::NoAncestor); // another block of its height is final
            }
            missing.push(next);
            next = ancestry.next().await.ok_or(Refused::NoAncestor)?;
        }
        for block in missing.iter().rev() {
            self.execute(context, block, terms).await?;
        }
        Ok(())
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

    async fn build(
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
        let Shared { ledger, crypto, validators, .. } = &*self.0;
        let state_root = ledger.root(&parent_hash).await?;
        let list = offered.iter().map(|entry| (&entry.sender, &entry.transaction));
        let draft = ledger.draft(&parent_hash, height, list).await?;
        let without_effect = draft.refused.iter().map(|&at| offered[at].hash);
        self.pool().discard(without_effect);
        let taken: Vec<&Entry> = draft.taken.iter().map(|&at| &*offered[at]).collect();
        let ids: Vec<_> = taken.iter().map(|entry| entry.hash).collect();
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
        let known = Known::new(&block, ids, senders, &self.0.limits)?;
        self.known().insert(hash, Arc::new(known));
        self.finish(context, draft, hash).await;
        Ok(Digested::precomputed(block, hash))
    }

    /// Makes a draft's state while its block travels.
    async fn finish(&self, context: &E, draft: Draft<S>, hash: Hash) {
        let chain = self.clone();
        let (begun, begins) = tokio::sync::oneshot::channel();
        context.child("state").spawn(move |_| async move {
            let _making = chain.0.making.lock().await;
            let _ = begun.send(());
            if let Err(LedgerError::Store(error)) = chain.0.ledger.finish(draft, hash).await {
                chain.fail(error);
            }
        });
        let _ = begins.await; // the lock is held: who needs the state waits for it
    }

    async fn judge(
        &self,
        context: &E,
        view: &View<Hash, ed25519::PublicKey>,
        ancestry: &mut impl Ancestry<Block>,
    ) -> Result<(), Refused> {
        let block = ancestry.next().await.ok_or(Refused::NoAncestor)?;
        let parent = ancestry.next().await.ok_or(Refused::NoAncestor)?;
        check::header(block.inner(), parent.inner(), view, self.0.id, &self.0.validators)?;
        let time = UNIX_EPOCH + Duration::from_millis(block.inner().header.time_ms);
        if let Some(clock) = time.checked_sub(self.0.times.drift) {
            context.sleep_until(clock).await;
        }
        let terms = Terms::default().class(Class::Consensus).deadline(self.0.times.verify);
        // Hashes and senders do not wait for the parent's state.
        self.learn(context, &block, terms).await?;
        self.reach(context, parent, ancestry, terms).await?;
        self.execute(context, &block, terms).await
    }
}

impl<E, S> Application<E> for Chain<E, S>
where
    E: Runtime,
    S: Strategy,
{
    type SigningScheme = VoteScheme;
    type Context = View<Hash, ed25519::PublicKey>;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        (context, view): (E, Self::Context),
        mut ancestry: impl Ancestry<Block>,
        (): (),
    ) -> Option<Digested<Block>> {
        match self.build(&context, &view, &mut ancestry).await {
            Ok(block) => Some(block),
            Err(error) => {
                self.report(&error);
                debug!(%error, round = %view.round, "no proposal");
                None
            }
        }
    }

    /// `false` for blocks that are invalid for ever. A fault of the disk or the engine is no answer.
    async fn verify(
        &mut self,
        (context, view): (E, Self::Context),
        mut ancestry: impl Ancestry<Block>,
    ) -> bool {
        match self.judge(&context, &view, &mut ancestry).await {
            Ok(()) => true,
            Err(Refused::Invalid(error)) => {
                warn!(%error, round = %view.round, "an invalid block");
                false
            }
            Err(error) => {
                self.report(&error);
                debug!(%error, round = %view.round, "no answer");
                pending().await
            }
        }
    }
}

impl<E: Runtime, S: Strategy> Chain<E, S> {
    /// Stops the validator if the disk failed.
    fn report(&self, error: &Refused) {
        if let Refused::Ledger(error @ (LedgerError::Store(_) | LedgerError::Closed)) = error {
            self.fail(error);
        }
    }
}

/// Milliseconds since 1970 by the runtime's clock.
pub(crate) fn now_ms(clock: &impl Clock) -> u64 {
    let since = clock.current().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

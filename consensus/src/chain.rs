//! What consensus orders: proposes blocks, judges them, and keeps what it found out about each until
//! it is final or has lost.
//!
//! ```text
//! propose: pool -> what takes effect on the parent's state -> header -> block
//! verify:  header against context -> hashes, senders -> effects on the parent's state
//! final:   state applied -> pool settled -> receipts (finalize)
//! ```

use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use commonware_consensus::Application;
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_consensus::simplex::types::Context as View;
use commonware_consensus::types::Epoch;
use commonware_cryptography::{Digested, Digestible as _, ed25519};
use commonware_parallel::Strategy;
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::ordered::Set;
use futures::StreamExt as _;
use sigmill::{Class, Terms};
use tokio::sync::{Mutex as AsyncMutex, Notify, watch};
use tracing::{debug, warn};

use crate::Hash;
use crate::block::{Block, Header};
use crate::crypto::Crypto;
use crate::deliveries::Deliveries;
use crate::genesis::{Limits, Validator};
use crate::ledger::{EffectsError, Ledger, LedgerError};
use crate::pool::Pool;
use crate::scheme::{Committee, CommitteeError, VoteScheme};
use crate::senders::SenderCache;
use crate::stages::Stages;

mod backing;
mod check;
mod finalize;
mod learn;
mod propose;
mod recent;
mod replay;

use backing::Believed;
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
    /// Its state.
    pub ledger: Ledger<E, S>,
    /// Who computes.
    pub crypto: Crypto,
    /// Who sent what.
    pub senders: SenderCache,
    /// What waits for a block.
    pub pool: Pool,
    /// The validators of epoch 0; those of other epochs and chains are verified as these are.
    pub committee: (Vec<Validator>, Arc<Committee>),
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
    /// The validators of the last epochs, in the order of their indices.
    validators: Mutex<BTreeMap<u64, Arc<Set<ed25519::PublicKey>>>>,
    ledger: Ledger<E, S>,
    crypto: Crypto,
    senders: SenderCache,
    pool: Mutex<Pool>,
    /// The validators of epoch 0.
    first: Vec<Validator>,
    believed: Believed,
    deliveries: Deliveries,
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
    failure: watch::Sender<Option<Stop>>,
    /// Height of the last block whose state is on the disk.
    written: watch::Sender<u64>,
}

/// Why a validator has to stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The disk failed, is full, or has lost something.
    #[error("{0}")]
    Disk(String),
    /// What is final is not what follows from the state here.
    #[error("final block {height} does not fit the state here: {why}")]
    Block {
        /// Its height.
        height: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// Why a block gets no answer, or the answer no.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Invalid(#[from] BlockError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There is no room for the keys of validators.
    #[error(transparent)]
    Committee(#[from] CommitteeError),
    /// Its ancestors are not there.
    #[error("its ancestors are not there")]
    NoAncestor,
    /// It is of an epoch that has not begun, or is long over.
    #[error("the validators of its epoch are not known")]
    NoEpoch,
}

impl<E: Runtime, S: Strategy> Chain<E, S> {
    /// A chain whose last applied block is `last`.
    pub fn new(parts: Parts<E, S>, last: &Header) -> Self {
        let Parts { id, limits, ledger, crypto, senders, pool, .. } = parts;
        let Parts { committee: (first, template), times, stages, .. } = parts;
        Chain(Arc::new(Shared {
            id,
            limits,
            validators: Mutex::default(),
            ledger,
            crypto,
            senders,
            pool: Mutex::new(pool),
            first,
            believed: Believed::new(template),
            deliveries: Deliveries::default(),
            times,
            stages,
            known: Mutex::default(),
            making: AsyncMutex::new(()),
            recent: Mutex::new(Recent::new(last)),
            work: Notify::new(),
            failure: watch::Sender::new(None),
            written: watch::Sender::new(last.height),
        }))
    }

    /// Changes once, to why the validator has to stop: its disk failed, or its state is wrong.
    pub fn failure(&self) -> watch::Receiver<Option<Stop>> {
        self.0.failure.subscribe()
    }

    /// Height of the last final block whose state is on the disk.
    pub fn written(&self) -> watch::Receiver<u64> {
        self.0.written.subscribe()
    }

    /// An epoch begins, with these validators in the order of their indices. They and those of the
    /// epoch before propose blocks.
    pub fn enter(&self, epoch: u64, validators: Set<ed25519::PublicKey>) {
        let mut known = self.0.validators.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(epoch, Arc::new(validators));
        while known.len() > 2 {
            known.pop_first();
        }
    }

    /// The validators of an epoch.
    fn validators(&self, epoch: Epoch) -> Result<Arc<Set<ed25519::PublicKey>>, Refused> {
        let known = self.0.validators.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&epoch.get()).cloned().ok_or(Refused::NoEpoch)
    }

    /// The state.
    pub fn ledger(&self) -> &Ledger<E, S> {
        &self.0.ledger
    }

    /// The chain's id.
    pub fn id(&self) -> Hash {
        self.0.id
    }

    /// The epoch of a height.
    pub fn epoch(&self, height: u64) -> u64 {
        self.0.limits.epoch(height)
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
    pub(crate) fn fail(&self, why: Stop) {
        self.0.failure.send_if_modified(|failure| {
            let first = failure.is_none();
            failure.get_or_insert(why);
            first
        });
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
        let backed = known
            .signed(block.inner())
            .enumerate()
            .map(|(place, one)| (place, one, known.delivered.get(&place)));
        let faults = self.unbacked(context, &header.parent, header.epoch, backed).await?;
        if let Some(&(index, fault)) = faults.first() {
            return Err(BlockError::Transaction { index, fault }.into());
        }
        let transactions = known.signed(block.inner());
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

    async fn judge(
        &self,
        context: &E,
        view: &View<Hash, ed25519::PublicKey>,
        ancestry: &mut impl Ancestry<Block>,
    ) -> Result<(), Refused> {
        let block = ancestry.next().await.ok_or(Refused::NoAncestor)?;
        let parent = ancestry.next().await.ok_or(Refused::NoAncestor)?;
        let validators = self.validators(view.round.epoch())?;
        check::header(block.inner(), parent.inner(), view, self.0.id, &validators)?;
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
    /// Stops the validator if the disk failed. A ledger that is closed is reported by who closed it.
    fn report(&self, error: &Refused) {
        if let Refused::Ledger(error @ LedgerError::Store(_)) = error {
            self.fail(Stop::Disk(error.to_string()));
        }
    }
}

/// Milliseconds since 1970 by the runtime's clock.
pub(crate) fn now_ms(clock: &impl Clock) -> u64 {
    let since = clock.current().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

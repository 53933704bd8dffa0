//! Balances, nonces and records, in commonware-storage's authenticated database (SPEC.md, 9 and 10).
//!
//! Blocks that are not final are batches on top of their parents', in memory; a final block's batch
//! is applied to the database. Reads of the last final state go on meanwhile.

use std::collections::HashMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commonware_cryptography::{Sha256, sha256};
use commonware_parallel::Strategy;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Handle, Spawner};
use commonware_storage::journal::contiguous::fixed::Config as JournalConfig;
use commonware_storage::merkle::{full, mmr};
use commonware_storage::qmdb::any::batch::Slot;
use commonware_storage::qmdb::any::unordered::fixed::Update;
use commonware_storage::qmdb::current::FixedConfig;
use commonware_storage::qmdb::current::batch::{MerkleizedBatch, Staged, UnmerkleizedBatch};
use commonware_storage::qmdb::current::unordered::fixed;
use commonware_storage::qmdb::floor::Proportional;
use commonware_storage::translator::{EightCap, Hashed};
use commonware_utils::sequence::FixedBytes;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::Hash;
use crate::block::Header;
use crate::genesis::{Genesis, Limits};
use crate::stages::{Stage, Stages};
use crate::state::{Account, Key, Value};
use crate::transaction::Signed;

mod effects;
mod opening;
mod sets;
mod standing;

pub use effects::Fault;
use effects::{Effects, Place};
pub(crate) use effects::{Touched, misdirected};
pub use opening::{Opened, is_current};
pub(crate) use standing::standing;

/// Bytes of a chunk of the database's bitmap; part of the state root.
const CHUNK: usize = 32;

type Word = FixedBytes<32>;
type Family = mmr::Family;
type Database<E, S> = fixed::Db<Family, E, Word, Word, Sha256, Hashed<EightCap>, CHUNK, S>;
type Change = Update<Word, Word>;
type Pending<S> = Arc<MerkleizedBatch<Family, sha256::Digest, Change, CHUNK, S>>;
type Fresh<S> = UnmerkleizedBatch<Family, Sha256, Change, CHUNK, S>;
type Read<S> = Staged<Family, Sha256, Change, CHUNK, S>;
type StoreError = commonware_storage::qmdb::Error<Family>;

/// Why the ledger gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk or what lies on it: the validator has to stop.
    #[error("ledger: {0}")]
    Store(#[from] StoreError),
    /// A failure before took the database away.
    #[error("ledger: closed by an earlier failure")]
    Closed,
    /// The state of the parent is not there: not yet, or no longer, its chain having lost.
    #[error("ledger: the state of block {0} is not there")]
    NoParent(Hash),
    /// The state names a set of validators that it does not have.
    #[error("ledger: the validators from epoch {0} on are not there")]
    NoSet(u64),
}

/// Why the effects of a block are not there.
#[derive(Debug, thiserror::Error)]
pub enum EffectsError {
    /// A transaction does not take effect: the block is invalid.
    #[error("transaction {index}: {fault}")]
    Transaction {
        /// Its place in the block.
        index: usize,
        /// Why.
        fault: Fault,
    },
    /// Says nothing of the block.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Where the ledger lies, and what it may take.
pub struct Store<S> {
    /// Partitions of the storage begin with it.
    pub partition: String,
    /// Pages of the database in memory.
    pub page_cache: CacheRef,
    /// Bytes that wait to be written, a file.
    pub write_buffer: NonZeroUsize,
    /// Operations a file.
    pub items_per_blob: NonZeroU64,
    /// Hashes the tree.
    pub strategy: S,
    /// Where core time is counted.
    pub stages: Arc<Stages>,
}

/// A block that is not final: its state, in memory.
struct Ahead<S: Strategy> {
    batch: Pending<S>,
    parent: Hash,
    height: u64,
}

/// Which state is final, and which are on top of it.
struct States<S: Strategy> {
    applied: Hash,
    ahead: HashMap<Hash, Ahead<S>>,
}

/// The state of a chain.
pub struct Ledger<E, S>
where
    E: commonware_storage::Context + Spawner,
    S: Strategy,
{
    /// `None` once a call failed that had taken it.
    database: RwLock<Option<Database<E, S>>>,
    states: Mutex<States<S>>,
    chain: Hash,
    limits: Limits,
    stages: Arc<Stages>,
}

/// What a proposer may put into a block, and its effects: [`Ledger::finish`] makes a state of it.
pub struct Draft<S: Strategy> {
    /// Places of the transactions that take effect, of those that were offered.
    pub taken: Vec<usize>,
    /// Places of those that take none here, whatever is final next but for a change of balances.
    pub refused: Vec<usize>,
    parent: Hash,
    height: u64,
    read: Read<S>,
    slots: Vec<Slot<Word>>,
}

impl<E, S> Ledger<E, S>
where
    E: commonware_storage::Context + Spawner,
    S: Strategy,
{
    /// Opens the ledger of a chain; one that is empty gets the accounts of the genesis.
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub async fn open(context: E, store: Store<S>, genesis: &Genesis) -> Result<Self, LedgerError> {
        let part = |name: &str| format!("{}-{name}", store.partition);
        let config = FixedConfig {
            merkle_config: full::Config {
                journal_partition: part("tree"),
                metadata_partition: part("tree-pins"),
                items_per_blob: store.items_per_blob,
                write_buffer: store.write_buffer,
                replay_buffer: store.write_buffer,
                strategy: store.strategy,
                page_cache: store.page_cache.clone(),
            },
            journal_config: JournalConfig {
                partition: part("operations"),
                items_per_blob: store.items_per_blob,
                page_cache: store.page_cache,
                write_buffer: store.write_buffer,
                replay_buffer: store.write_buffer,
            },
            grafted_metadata_partition: part("bitmap"),
            translator: Hashed::new(EightCap),
            init_cache: NonZeroUsize::new(1 << 18),
            init_buffer: NonZeroUsize::new(1 << 21).expect("it is no zero"),
            init_concurrency: (),
        };
        let mut database = Database::init(context, config, None).await?;
        let applied = match database.get_metadata().await? {
            Some(block) => Hash::from(<[u8; 32]>::from(block)),
            None => {
                let block = Header::genesis(genesis).hash();
                database = begin(database, genesis, block).await?;
                block
            }
        };
        let states = Mutex::new(States { applied, ahead: HashMap::new() });
        let database = RwLock::new(Some(database));
        let (chain, limits) = (genesis.chain(), genesis.limits.clone());
        Ok(Ledger { database, states, chain, limits, stages: store.stages })
    }

    /// The last block that was applied.
    pub fn applied(&self) -> Hash {
        self.states().applied
    }

    /// Whether the state after a block is there.
    pub fn has(&self, block: &Hash) -> bool {
        let states = self.states();
        states.applied == *block || states.ahead.contains_key(block)
    }

    /// Root of the state after a block, where it is there.
    ///
    /// # Errors
    /// [`LedgerError::NoParent`], [`LedgerError::Closed`].
    pub async fn root(&self, block: &Hash) -> Result<[u8; 32], LedgerError> {
        let database = self.database.read().await;
        let states = self.states();
        if let Some(ahead) = states.ahead.get(block) {
            return Ok(ahead.batch.root().0);
        }
        let database = database.as_ref().ok_or(LedgerError::Closed)?;
        match states.applied == *block {
            true => Ok(database.root().0),
            false => Err(LedgerError::NoParent(*block)),
        }
    }

    /// What lies at keys in the last final state.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Value>>, LedgerError> {
        let words: Vec<Word> = keys.iter().map(|key| Word::new(*key)).collect();
        let words: Vec<&Word> = words.iter().collect();
        let guard = self.database.read().await;
        let database = guard.as_ref().ok_or(LedgerError::Closed)?;
        let values = database.get_many(&words).await?;
        Ok(values.into_iter().map(|value| value.map(Value::from)).collect())
    }

    /// Takes those of the offered transactions that take effect on top of a parent, in order.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn draft<'a>(
        &self,
        parent: &Hash,
        height: u64,
        offered: impl ExactSizeIterator<Item = Signed<'a>>,
    ) -> Result<Draft<S>, LedgerError> {
        let mut refused = Vec::new();
        let effects = self.effects(parent, height, offered, |index, fault| {
            if fault != Fault::WrongNonce {
                refused.push(index);
            }
            Ok::<_, LedgerError>(())
        });
        let (effects, read, taken) = self.stages.poll(Stage::Effects, effects).await?;
        Ok(Draft { taken, refused, parent: *parent, height, read, slots: slots(&effects) })
    }

    /// Makes the state of a block that was drafted: children can be built on it then.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn finish(&self, draft: Draft<S>, block: Hash) -> Result<(), LedgerError> {
        let guard = self.database.read().await;
        let Draft { parent, height, read, slots, .. } = draft;
        let database = guard.as_ref().ok_or(LedgerError::Closed)?;
        let metadata = Some(Word::new(block.0));
        let mut policy = Proportional;
        let tree = read.merkleize(slots, Vec::new(), metadata, database, &mut policy);
        let batch =
            self.stages.poll(Stage::Tree, tree).await.map_err(|error| lost(error, &parent))?;
        self.states().ahead.insert(block, Ahead { batch, parent, height });
        Ok(())
    }

    /// Runs a block's transactions on top of its parent's state and makes the block's.
    ///
    /// # Errors
    /// [`EffectsError`]: the first transaction without effect makes the block invalid.
    pub async fn execute<'a>(
        &self,
        block: Hash,
        parent: &Hash,
        height: u64,
        transactions: impl ExactSizeIterator<Item = Signed<'a>>,
    ) -> Result<(), EffectsError> {
        let refuse = |index, fault| Err(EffectsError::Transaction { index, fault });
        let effects = self.effects(parent, height, transactions, refuse);
        let (effects, read, taken) = self.stages.poll(Stage::Effects, effects).await?;
        let refused = Vec::new();
        let draft = Draft { taken, refused, parent: *parent, height, read, slots: slots(&effects) };
        Ok(self.finish(draft, block).await?)
    }

    /// Runs transactions on top of a parent's state; `refused` decides whether a fault ends it.
    async fn effects<'a, X: From<LedgerError>>(
        &self,
        parent: &Hash,
        height: u64,
        transactions: impl ExactSizeIterator<Item = Signed<'a>>,
        mut refused: impl FnMut(usize, Fault) -> Result<(), X>,
    ) -> Result<(Effects, Read<S>, Vec<usize>), X> {
        let mut touched = Touched::with_capacity(self.chain, transactions.len());
        let all: Vec<_> = transactions.map(|one| (one, touched.add(&one))).collect();
        let words: Vec<Word> = touched.keys.iter().map(|key| Word::new(*key)).collect();
        let words: Vec<&Word> = words.iter().collect();
        let guard = self.database.read().await;
        let (values, read) = self
            .batch_on(&guard, parent)?
            .stage(&words, guard.as_ref().ok_or(LedgerError::Closed)?)
            .await
            .map_err(|error| lost(error, parent))?;
        drop(guard);
        let values = values.into_iter().map(|value| value.map(Value::from)).collect();
        let (epoch, minimum) = (self.limits.epoch(height), self.limits.minimum_balance);
        let mut effects = Effects::new(values, Place { height, epoch, minimum });
        let mut taken = Vec::with_capacity(all.len());
        for (index, (one, places)) in all.iter().enumerate() {
            match effects.apply(one, touched.of(places)) {
                Ok(()) => taken.push(index),
                Err(fault) => refused(index, fault)?,
            }
        }
        Ok((effects, read, taken))
    }

    /// An empty batch on top of the state of a block.
    fn batch_on(
        &self,
        guard: &RwLockReadGuard<'_, Option<Database<E, S>>>,
        parent: &Hash,
    ) -> Result<Fresh<S>, LedgerError> {
        let database = guard.as_ref().ok_or(LedgerError::Closed)?;
        let states = self.states();
        match states.ahead.get(parent) {
            Some(ahead) => Ok(ahead.batch.new_batch::<Sha256>()),
            None if states.applied == *parent => Ok(database.new_batch()),
            None => Err(LedgerError::NoParent(*parent)),
        }
    }

    /// Makes a block's state the final one and gives a handle that ends when it is on the disk.
    /// States of blocks that lost against it are forgotten.
    ///
    /// # Errors
    /// [`LedgerError`]; after [`LedgerError::Store`] the ledger is closed.
    pub async fn apply(&self, block: &Hash) -> Result<Handle<()>, LedgerError> {
        let mut guard = self.database.write().await;
        let batch = match self.states().ahead.get(block) {
            Some(ahead) => ahead.batch.clone(),
            None => return Err(LedgerError::NoParent(*block)),
        };
        let database = guard.as_ref().ok_or(LedgerError::Closed)?;
        database.validate_batch(&batch).map_err(|error| lost(error, block))?;
        let database = guard.take().ok_or(LedgerError::Closed)?;
        let (database, written) = self
            .stages
            .poll(Stage::Apply, async { database.apply_batch(batch).await?.start_sync().await })
            .await?;
        *guard = Some(database);
        self.states().advance(block);
        Ok(written)
    }

    /// Gives back the disk space of operations that no state needs any more.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn prune(&self) -> Result<(), LedgerError> {
        let mut guard = self.database.write().await;
        let database = guard.take().ok_or(LedgerError::Closed)?;
        let from = database.sync_boundary();
        *guard = Some(database.prune(from).await?);
        Ok(())
    }

    /// Writes everything; the ledger is closed afterwards.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn close(&self) -> Result<(), LedgerError> {
        let mut guard = self.database.write().await;
        guard.take().ok_or(LedgerError::Closed)?.sync().await?;
        Ok(())
    }

    fn states(&self) -> MutexGuard<'_, States<S>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Strategy> States<S> {
    fn advance(&mut self, block: &Hash) {
        let height = self.ahead.remove(block).map_or(0, |ahead| ahead.height);
        self.applied = *block;
        self.ahead.retain(|_, ahead| ahead.height > height);
        // What descends from a block that lost goes with it, generation by generation.
        loop {
            let known: Vec<Hash> = self.ahead.keys().copied().collect();
            self.ahead.retain(|_, ahead| ahead.parent == *block || known.contains(&ahead.parent));
            if self.ahead.len() == known.len() {
                return;
            }
        }
    }
}

/// A batch that the database has left behind is one of a chain that lost.
fn lost(error: StoreError, parent: &Hash) -> LedgerError {
    match error {
        StoreError::StaleBatch | StoreError::StaleRead => LedgerError::NoParent(*parent),
        other => LedgerError::Store(other),
    }
}

fn slots(effects: &Effects) -> Vec<Slot<Word>> {
    let slot =
        |value: Option<&Value>| value.map_or(Slot::Keep, |value| Slot::Put(Word::new(*value)));
    effects.written().map(slot).collect()
}

/// The first state: the accounts of the genesis.
async fn begin<E, S>(
    database: Database<E, S>,
    genesis: &Genesis,
    block: Hash,
) -> Result<Database<E, S>, LedgerError>
where
    E: commonware_storage::Context + Spawner,
    S: Strategy,
{
    let mut batch = database.new_batch();
    for (address, balance) in &genesis.accounts {
        let account = Account { balance: *balance, nonce: 0 };
        batch = batch.write(Word::new(Account::key(address)), Some(Word::new(account.value())));
    }
    let metadata = Some(Word::new(block.0));
    let batch = batch.merkleize(&database, metadata, &mut Proportional).await?;
    Ok(database.apply_batch(batch).await?.sync().await?)
}

#[cfg(test)]
mod tests;

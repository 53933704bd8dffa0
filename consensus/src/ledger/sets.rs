//! Which validators the state names.

use commonware_parallel::Strategy;
use commonware_runtime::Spawner;

use super::{Ledger, LedgerError, Word, lost};
use crate::Hash;
use crate::sets::{Head, Span, ValidatorSet};
use crate::state::{Key, Value};

impl<E, S> Ledger<E, S>
where
    E: commonware_storage::Context + Spawner,
    S: Strategy,
{
    /// The set of a chain that is in force at an epoch, by the last final state. `None` where the state
    /// has none that had begun by then: at this chain's epochs, that of the genesis is in force.
    ///
    /// A set takes effect after the epoch in which it is written, and the one before it is kept. So
    /// every state from the last of the epoch before to the last of the epoch has the same answer.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn set_in_force(
        &self,
        chain: &Hash,
        epoch: u64,
    ) -> Result<Option<ValidatorSet>, LedgerError> {
        let head = self.read(&[Head::key(chain)]).await?.remove(0);
        let Some(span) = head.and_then(|head| Head::of(&head).in_force(epoch)) else {
            return Ok(None);
        };
        let values = self.read(&span.keys(chain)).await?; // written once, never changed
        ValidatorSet::read(span, &values).map(Some).ok_or(LedgerError::NoSet(span.from))
    }

    /// The latest sets of a chain, linked or this one, in the state after a block.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn head(&self, block: &Hash, chain: &Hash) -> Result<Option<Head>, LedgerError> {
        let head = self.read_after(block, &[Head::key(chain)]).await?.remove(0);
        Ok(head.as_ref().map(Head::of))
    }

    /// A set that a head names.
    ///
    /// # Errors
    /// [`LedgerError`]; [`LedgerError::NoSet`] if the state lacks what its head names.
    pub async fn set(
        &self,
        block: &Hash,
        chain: &Hash,
        span: Span,
    ) -> Result<ValidatorSet, LedgerError> {
        let values = self.read_after(block, &span.keys(chain)).await?;
        ValidatorSet::read(span, &values).ok_or(LedgerError::NoSet(span.from))
    }

    /// What lies at keys in the state after a block.
    async fn read_after(
        &self,
        block: &Hash,
        keys: &[Key],
    ) -> Result<Vec<Option<Value>>, LedgerError> {
        let words: Vec<Word> = keys.iter().map(|key| Word::new(*key)).collect();
        let words: Vec<&Word> = words.iter().collect();
        let guard = self.database.read().await;
        let database = guard.as_ref().ok_or(LedgerError::Closed)?;
        let read = self.batch_on(&guard, block)?.stage(&words, database).await;
        let (values, _) = read.map_err(|error| lost(error, block))?;
        Ok(values.into_iter().map(|value| value.map(Value::from)).collect())
    }

    /// Writes into the last final state without a block, for tests that begin in the middle.
    ///
    /// # Errors
    /// [`LedgerError`].
    #[doc(hidden)]
    pub async fn plant(
        &self,
        pairs: impl IntoIterator<Item = (Key, Value)>,
    ) -> Result<(), LedgerError> {
        use super::Proportional;
        let mut guard = self.database.write().await;
        let database = guard.take().ok_or(LedgerError::Closed)?;
        let mut batch = database.new_batch();
        for (key, value) in pairs {
            batch = batch.write(Word::new(key), Some(Word::new(value)));
        }
        let metadata = Some(Word::new(self.applied().0));
        let batch = batch.merkleize(&database, metadata, &mut Proportional).await?;
        *guard = Some(database.apply_batch(batch).await?.sync().await?);
        Ok(())
    }
}

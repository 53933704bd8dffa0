//! Journals of votes, one an epoch, and the mark of the last (SPEC.md, 13).
//!
//! A journal is never empty once its epoch has begun: its first entry, synced before the mark and
//! before the first vote, is one that `simplex` skips. So an empty journal is told from a lost one.

use std::num::NonZeroUsize;

use commonware_consensus::simplex::types::Artifact;
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::certificate::Verifier as _;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::journal::segmented::variable::{Config, Journal};
use commonware_storage::metadata::{self, Metadata};
use commonware_utils::sequence::U64;
use tracing::debug;

use super::NodeError;
use crate::Hash;
use crate::chain::Runtime;
use crate::scheme::VoteScheme;

/// Where the mark lies.
const MARK: U64 = U64::new(0);

/// The journals of a validator.
pub(super) struct Journals<E: Runtime> {
    context: E,
    /// Partitions begin with it.
    prefix: String,
    page_cache: CacheRef,
    write_buffer: NonZeroUsize,
    /// The last epoch that has begun. `None` after a failure.
    mark: Option<Metadata<E, U64, u64>>,
}

impl<E: Runtime> Journals<E> {
    /// Those whose partitions begin with `prefix`.
    pub async fn open(
        context: E,
        prefix: String,
        page_cache: CacheRef,
        write_buffer: NonZeroUsize,
    ) -> Result<Self, NodeError> {
        let config = metadata::Config { partition: format!("{prefix}-mark"), codec_config: () };
        let mark = Some(Metadata::init(context.child("mark"), config).await?);
        Ok(Journals { context, prefix, page_cache, write_buffer, mark })
    }

    fn partition(&self, epoch: u64) -> String {
        format!("{}-{epoch}", self.prefix)
    }

    /// Begins the journal of an epoch in which there was no vote, or finds it again; gives its
    /// partition. The last final block has this height, and its state is on the disk.
    ///
    /// # Errors
    /// [`NodeError::NoJournal`]: there may have been votes of which no journal is left.
    pub async fn begin(&mut self, epoch: u64, height: u64) -> Result<String, NodeError> {
        let partition = self.partition(epoch);
        let lost = || NodeError::NoJournal { height, partition: partition.clone() };
        let mark = self.mark.take().ok_or_else(lost)?;
        match mark.get(&MARK).copied() {
            Some(last) if last == epoch => {
                let found = self.context.scan(&partition).await;
                if !found.is_ok_and(|files| !files.is_empty()) {
                    return Err(lost());
                }
                self.mark = Some(mark);
            }
            Some(last) if last > epoch => return Err(lost()),
            None if height > 0 => return Err(lost()),
            _ => {
                self.remove(epoch).await; // what was written before a mark that was not
                self.write_first(epoch).await?;
                self.mark = Some(mark.put_sync(MARK, epoch).await?);
            }
        }
        if let Some(old) = epoch.checked_sub(2) {
            self.remove(old).await;
        }
        Ok(partition)
    }

    /// Writes the first entry of a journal.
    async fn write_first(&self, epoch: u64) -> Result<(), NodeError> {
        let config = Config {
            partition: self.partition(epoch),
            compression: None,
            codec_config: VoteScheme::certificate_codec_config_unbounded(),
            page_cache: self.page_cache.clone(),
            write_buffer: self.write_buffer,
        };
        let context = self.context.child("first").with_attribute("epoch", epoch);
        let journal = Journal::<_, Artifact<VoteScheme, Hash>>::init(context, config).await?;
        // `simplex` reads on from its floor, which is view 0.
        let first = Artifact::Certification(Round::new(Epoch::new(epoch), View::zero()), true);
        let (journal, ..) = journal.append(0, &first).await?;
        journal.sync_all().await?;
        Ok(())
    }

    /// Removes the journal of an epoch, if there is one.
    async fn remove(&self, epoch: u64) {
        let partition = self.partition(epoch);
        if let Err(error) = self.context.remove(&partition, None).await {
            debug!(%error, %partition, "no journal was removed");
        }
    }
}

#[cfg(test)]
mod tests;

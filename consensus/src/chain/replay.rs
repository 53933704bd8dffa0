//! Blocks that are known to be final, as fast as they can be verified and executed.

use std::collections::VecDeque;
use std::time::Duration;

use commonware_cryptography::{Digested, Digestible as _};
use commonware_parallel::Strategy;
use sigmill::{Class, Terms};
use tokio::sync::mpsc;

use super::{Chain, Refused, Runtime};
use crate::block::Block;

/// How long a batch may wait for a device.
const PATIENCE: Duration = Duration::from_secs(10);
/// Blocks whose batches are computed ahead of their effects.
const AHEAD: usize = 4;

/// What was replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Height of the last block.
    pub height: u64,
    /// Transactions of all blocks.
    pub transactions: u64,
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
#[error("block {height}: {why}")]
pub struct ReplayError {
    /// Height of the block.
    pub height: u64,
    /// Why it was refused.
    pub why: String,
}

impl<E: Runtime, S: Strategy> Chain<E, S> {
    /// Verifies and executes blocks from the last applied one on, in order, until there are no more.
    /// Signatures, hashes, roots, effects and state roots are checked; headers only for following
    /// their parent, as certificates say the rest. `progress` is called after each block.
    ///
    /// # Errors
    /// [`ReplayError`]: the first block that is invalid here, or a failure of the disk.
    pub async fn replay(
        &self,
        context: &E,
        mut blocks: mpsc::Receiver<Digested<Block>>,
        mut progress: impl FnMut(&Replayed),
    ) -> Result<Replayed, ReplayError> {
        let terms = Terms::default().class(Class::Sync).deadline(PATIENCE);
        let (height, hash, time_ms) = self.recent().last();
        let mut last = (height, hash, time_ms);
        let mut replayed = Replayed { height, transactions: 0 };
        let mut ahead = VecDeque::new();
        let mut written = None;
        loop {
            while ahead.len() < AHEAD {
                let next = match ahead.is_empty() {
                    true => blocks.recv().await,
                    false => blocks.try_recv().ok(),
                };
                let Some(block) = next else { break };
                let chain = self.clone();
                let learned = block.clone();
                let task = context.child("ahead").spawn(move |context| async move {
                    chain.learn(&context, &learned, terms).await.map(drop)
                });
                ahead.push_back((block, task));
            }
            let Some((block, task)) = ahead.pop_front() else { break };
            let header = &block.inner().header;
            let height = header.height;
            let refused = |why: String| ReplayError { height, why };
            let follows = (header.height, header.parent) == (last.0 + 1, last.1);
            if header.chain != self.id() || !follows || header.time_ms <= last.2 {
                return Err(refused("it does not follow the block before it".into()));
            }
            task.await
                .map_err(|error| refused(error.to_string()))?
                .map_err(|error| refused(error.to_string()))?;
            let done: Result<_, Refused> = async {
                self.execute(context, &block, terms).await?;
                Ok(self.0.ledger.apply(&block.digest()).await?)
            }
            .await;
            written = Some(done.map_err(|error| refused(error.to_string()))?);
            self.known().remove(&block.digest());
            last = (height, block.digest(), header.time_ms);
            replayed.height = height;
            replayed.transactions += u64::from(header.transactions);
            progress(&replayed);
        }
        if let Some(written) = written {
            let height = replayed.height;
            written.await.map_err(|error| ReplayError { height, why: error.to_string() })?;
        }
        Ok(replayed)
    }
}

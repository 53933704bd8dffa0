//! Final blocks, in order: their states become the final one.

use std::sync::Arc;

use commonware_actor::Feedback;
use commonware_consensus::Reporter;
use commonware_consensus::marshal::Update;
use commonware_cryptography::{Digested, Digestible as _};
use commonware_parallel::Strategy;
use commonware_utils::Acknowledgement as _;
use commonware_utils::acknowledgement::Exact;
use sigmill::{Class, Terms};
use tokio::sync::mpsc;

use super::{Chain, Refused, Runtime, Stop, now_ms};
use crate::block::Block;
use crate::ledger::LedgerError;
use crate::stages::Stage;

/// How long the batches of a block that is final, and was not seen before, may wait for a device.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// Blocks between two clearances of the disk.
const PRUNE_EVERY: u64 = 256;

/// The end to which marshal reports final blocks. It holds no more than marshal's limit of blocks
/// without an acknowledgement.
#[derive(Clone)]
pub struct Updates(mpsc::UnboundedSender<(Digested<Block>, Exact)>);

impl Reporter for Updates {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        let Update::Block(block, acknowledgement) = update else { return Feedback::Ok };
        match self.0.send((block, acknowledgement)) {
            Ok(()) => Feedback::Ok,
            Err(_) => Feedback::Closed,
        }
    }
}

/// What marshal reported, for a [`Finalizer`].
pub struct Reported(mpsc::UnboundedReceiver<(Digested<Block>, Exact)>);

/// Both ends of the way from marshal to a [`Finalizer`].
pub fn updates() -> (Updates, Reported) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Updates(sender), Reported(receiver))
}

/// Applies final blocks one after the other.
pub struct Finalizer<E: Runtime, S: Strategy> {
    chain: Chain<E, S>,
    updates: Reported,
}

impl<E: Runtime, S: Strategy> Finalizer<E, S> {
    /// A finalizer of a chain.
    pub fn new(chain: Chain<E, S>, updates: Reported) -> Self {
        Finalizer { chain, updates }
    }

    /// Runs until marshal stops, or the chain fails.
    pub async fn run(mut self, context: E) {
        while let Some((block, acknowledgement)) = self.updates.0.recv().await {
            if block.inner().header.height <= self.chain.recent().height() {
                acknowledgement.acknowledge(); // applied before a restart
                continue;
            }
            if let Err(error) = self.apply(&context, &block, acknowledgement).await {
                let why = error.to_string();
                self.chain.fail(match error {
                    Refused::Ledger(LedgerError::Store(_) | LedgerError::Closed) => Stop::Disk(why),
                    _ => Stop::Block { height: block.inner().header.height, why },
                });
                return;
            }
        }
    }

    async fn apply(
        &self,
        context: &E,
        block: &Digested<Block>,
        acknowledgement: Exact,
    ) -> Result<(), Refused> {
        let Chain(shared) = &self.chain;
        let terms = Terms::default().class(Class::Sync).deadline(PATIENCE);
        let known = self.chain.learn(context, block, terms).await?;
        drop(shared.making.lock().await); // a draft of this block may be on its way
        self.chain.execute(context, block, terms).await?;
        let hash = block.digest();
        let written = shared.ledger.apply(&hash).await?;
        let height = block.inner().header.height;
        self.chain.known().retain(|_, known| known.height > height);
        let spent =
            known.senders.iter().zip(block.inner().transactions.iter()).zip(known.ids.iter());
        let spent = spent.map(|((sender, one), id)| (*sender, one.transaction.nonce, *id));
        let settle = || self.chain.pool().settle(height, spent);
        shared.stages.run(Stage::Pool, settle);
        let shared_block: Arc<Block> = block.inner_shared();
        self.chain.recent().push(shared_block, known.ids.clone(), now_ms(context));
        if height.is_multiple_of(PRUNE_EVERY) {
            shared.ledger.prune().await?;
        }
        // Marshal sends the block again after a restart unless its state is on the disk.
        let chain = self.chain.clone();
        context.child("written").spawn(move |_| async move {
            match written.await {
                Ok(()) => {
                    chain.0.written.send_if_modified(|last| {
                        let later = height > *last;
                        *last = height.max(*last);
                        later
                    });
                    acknowledgement.acknowledge();
                }
                Err(error) => chain.fail(Stop::Disk(format!("ledger: {error}"))),
            }
        });
        Ok(())
    }
}

//! Messages of other chains, for any host.

use sigmill::{Class, Terms};

use super::{Proof, Refusal, Trusted, verify};
use crate::Hash;
use crate::address::Address;
use crate::transaction::{Action, Message};

/// A message that is final on the chain that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The chain that it comes from.
    pub source: Hash,
    /// Height of its block there.
    pub height: u64,
    /// Who sent it.
    pub sender: Address,
    /// What it says, and to which chain.
    pub message: Message,
}

/// Judges all messages of a batch of proofs, in order: one verdict a transaction. `set` is whom the host
/// believes of the source. Takes the engine of its committees, and waits; no fault of a device is a
/// refusal.
///
/// A host that acts on messages looks at two things besides: that [`Message::receiver`] is its own name,
/// and that [`Message::sequence`] is the next of (source, sender), which it counts where it keeps its
/// state. Then each message takes effect once, whoever brings it and how often (SPEC.md, 18).
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use sigmill_consensus::proof::{Checkpoint, Proof, verify_messages};
/// use sigmill_consensus::scheme::Engines;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/refusals/");
/// let checkpoint = Checkpoint::read(format!("{folder}sets.toml").as_ref())?;
/// let engine = Arc::new(sigmill::Engine::builder().threads(1).open()?);
/// let set = checkpoint.trusted(&Engines::one(engine), Duration::from_secs(1))?;
/// let batch: Vec<Proof> = Vec::new(); // `Proof::decode`, of what relayers bring
/// for verdict in verify_messages(&set, &batch) {
///     match verdict {
///         Ok(received) => println!("{} says {:?}", received.sender, received.message),
///         Err(refusal) => println!("refused: {}: {refusal}", refusal.name()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn verify_messages(set: &Trusted, batch: &[Proof]) -> Vec<Result<Received, Refusal>> {
    let Some(engine) = set.engine() else {
        let unknown = |proof: &Proof| {
            let refusal = Refusal::UnknownEpoch(proof.block.last().epoch);
            vec![Err(refusal); proof.transactions.len()]
        };
        return batch.iter().flat_map(unknown).collect();
    };
    let judged = verify(engine, set, batch, Terms::default().class(Class::Sync));
    let mut verdicts = Vec::with_capacity(judged.iter().map(|one| one.senders.len()).sum());
    for (proof, judged) in batch.iter().zip(judged) {
        let header = &proof.block.header;
        for (included, sender) in proof.transactions.iter().zip(judged.senders) {
            verdicts.push(sender.and_then(
                |sender| match included.transaction.transaction.action {
                    Action::Message(message) => Ok(Received {
                        source: header.chain,
                        height: header.height,
                        sender,
                        message,
                    }),
                    _ => Err(Refusal::NotAMessage),
                },
            ));
        }
    }
    verdicts
}

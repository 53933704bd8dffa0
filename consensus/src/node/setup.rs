//! What a validator is started with.

use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use commonware_consensus::marshal::{self, standard::Standard};
use commonware_consensus::simplex;
use commonware_cryptography::ed25519;
use commonware_p2p::utils::mux::prefixed;
use commonware_utils::{NZU64, NZUsize};

use crate::Hash;
use crate::block::Block;
use crate::chain::Times;
use crate::crypto::Crypto;
use crate::genesis::{Genesis, Validator};
use crate::intake::MESSAGE_BYTES;
use crate::pool::PoolLimits;
use crate::scheme::{CommitteeError, VoteScheme};
use crate::sets::TRAVELLING_LIMIT;

/// How a node votes where these are the validators, ascending by identity, or looks on.
pub type Schemes = Arc<dyn Fn(&[Validator]) -> Result<VoteScheme, CommitteeError> + Send + Sync>;

/// How a validator is set up; all but the genesis is its own business.
pub struct Setup<S> {
    /// What all validators agree on.
    pub genesis: Arc<Genesis>,
    /// Who it is.
    pub identity: ed25519::PublicKey,
    /// How it votes, in any set of validators.
    pub schemes: Schemes,
    /// Who computes hashes, senders and roots.
    pub crypto: Crypto,
    /// Timeout of a leader, and of certification.
    pub timeouts: (Duration, Duration),
    /// Waits of proposers and judges.
    pub times: Times,
    /// What the pool may hold.
    pub pool: PoolLimits,
    /// Senders that are remembered.
    pub senders: usize,
    /// Memory and files.
    pub sizes: Sizes,
    /// Partitions of the storage begin with it.
    pub partition: String,
    /// Hashes trees, encodes and decodes.
    pub strategy: S,
}

/// Memory and files of a validator.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// Bytes of a page of the cache.
    pub page: NonZeroU16,
    /// Pages that are kept of all files.
    pub pages: NonZeroUsize,
    /// Bytes that wait to be written, a file.
    pub write_buffer: NonZeroUsize,
    /// Operations of the ledger a file.
    pub operations: NonZeroU64,
    /// First size of the tables of the archives; a power of 2.
    pub table: u32,
}

impl Default for Sizes {
    /// 128 MiB of pages, 1 MiB of buffers.
    fn default() -> Self {
        Sizes {
            page: NonZeroU16::new(4_092).expect("it is no zero"),
            pages: NZUsize!(32_768),
            write_buffer: NZUsize!(1 << 20),
            operations: NZU64!(1 << 20),
            table: 1 << 14,
        }
    }
}

/// A pair of ends of each network that a validator talks over.
pub struct Channels<Tx, Rx> {
    /// Votes of `simplex`, by epoch.
    pub votes: (Tx, Rx),
    /// Certificates of `simplex`, by epoch.
    pub certificates: (Tx, Rx),
    /// Certificates that were missed, by epoch.
    pub resolver: (Tx, Rx),
    /// Blocks that were missed.
    pub backfill: (Tx, Rx),
    /// Proposed blocks.
    pub blocks: (Tx, Rx),
    /// Transactions.
    pub transactions: (Tx, Rx),
}

impl<Tx, Rx> Channels<Tx, Rx> {
    /// Registers all, by their numbers on the network: `register` gives the ends of one.
    ///
    /// # Errors
    /// Those of `register`.
    pub async fn register<X, F>(mut register: impl FnMut(u64) -> F) -> Result<Self, X>
    where
        F: Future<Output = Result<(Tx, Rx), X>>,
    {
        Ok(Channels {
            votes: register(0).await?,
            certificates: register(1).await?,
            resolver: register(2).await?,
            backfill: register(3).await?,
            blocks: register(4).await?,
            transactions: register(5).await?,
        })
    }

    /// The same with other senders.
    pub fn map<To>(self, mut map: impl FnMut(Tx) -> To) -> Channels<To, Rx> {
        let mut both = |(sender, receiver)| (map(sender), receiver);
        Channels {
            votes: both(self.votes),
            certificates: both(self.certificates),
            resolver: both(self.resolver),
            backfill: both(self.backfill),
            blocks: both(self.blocks),
            transactions: both(self.transactions),
        }
    }
}

/// Bytes of the longest message of a chain, whatever set of validators it gets.
pub fn longest_message(genesis: &Genesis) -> u32 {
    let validators = genesis.validators.len().max(TRAVELLING_LIMIT) as u32;
    let votes = prefixed(simplex::max_payload_size::<VoteScheme, Hash>(validators));
    let blocks =
        marshal::max_payload_size::<Standard<Block>, VoteScheme>(validators, &genesis.limits);
    commonware_p2p::max_message_size(&[votes, blocks, MESSAGE_BYTES])
}

//! A validator: the parts of commonware and ours, put together.
//!
//! ```text
//! clients, gossip -> Intake -> pool -> Chain::propose -> Inline -> simplex
//! blocks (broadcast, backfill) -> marshal -> Inline -> Chain::verify -> simplex
//! simplex -> certificates -> marshal -> archives, Finalizer -> ledger, receipts
//! ```

use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use commonware_broadcast::buffered;
use commonware_consensus::Application;
use commonware_consensus::marshal::core::{Actor, Mailbox};
use commonware_consensus::marshal::standard::{Inline, Standard};
use commonware_consensus::marshal::{self, Start, resolver::p2p as backfill};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::simplex::{self, Engine, Floor, ForwardPolicy, SkipBudget, SkipPolicy};
use commonware_consensus::types::{Epoch, FixedEpocher, ViewDelta};
use commonware_cryptography::certificate::{ConstantProvider, Scheme as _};
use commonware_cryptography::{Digested, Sha256, ed25519};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Strategy;
use commonware_runtime::Handle;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_utils::{NZU64, NZUsize, NonZeroDuration};
use rand_core::CryptoRng;
use tokio::sync::watch;

use crate::Hash;
use crate::block::{Block, Header};
use crate::chain::{Chain, Finalizer, Parts, Runtime, Stop, Times, updates};
use crate::crypto::Crypto;
use crate::genesis::Genesis;
use crate::intake::{Intake, MESSAGE_BYTES};
use crate::ledger::{Ledger, LedgerError, Store};
use crate::pool::{Pool, PoolLimits};
use crate::scheme::VoteScheme;
use crate::senders::SenderCache;
use crate::service::Service;
use crate::stages::Stages;

mod archives;
mod desk;
mod messages;
mod prove;

pub use archives::Archives;
use desk::{desk, figures};

/// The epoch, as long as the validators are those of the genesis.
const EPOCH: Epoch = Epoch::zero();
/// Questions that may wait for an answer.
const QUESTIONS: usize = 4_096;

type Marshal = Mailbox<VoteScheme, Standard<Block>>;
/// What `simplex` says of the round in which a block is proposed.
type View = simplex::types::Context<Hash, ed25519::PublicKey>;

/// How a validator is set up; all but the genesis is its own business.
pub struct Setup<S> {
    /// What all validators agree on.
    pub genesis: Arc<Genesis>,
    /// Who it is.
    pub identity: ed25519::PublicKey,
    /// How it votes.
    pub scheme: VoteScheme,
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
    /// Votes of `simplex`.
    pub votes: (Tx, Rx),
    /// Certificates of `simplex`.
    pub certificates: (Tx, Rx),
    /// Certificates that were missed.
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

/// Bytes of the longest message of a chain.
pub fn longest_message(genesis: &Genesis) -> u32 {
    let validators = genesis.validators.len() as u32;
    let votes = simplex::max_payload_size::<VoteScheme, Hash>(validators);
    let blocks =
        marshal::max_payload_size::<Standard<Block>, VoteScheme>(validators, &genesis.limits);
    commonware_p2p::max_message_size(&[votes, blocks, MESSAGE_BYTES])
}

/// Why a validator does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its state.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Its archives of blocks and certificates.
    #[error("archive: {0}")]
    Archive(#[from] commonware_storage::archive::Error),
    /// It could vote twice.
    #[error(
        "the data folder has blocks up to height {height} and no journal of votes (`{partition}`): \
         a validator without its journal could vote twice; restore the journal, or start with a new vote key"
    )]
    NoJournal {
        /// Height of the last block.
        height: u64,
        /// Where the journal was expected.
        partition: String,
    },
    /// State and archive do not belong together.
    #[error("the state names block {0}, which the archive does not have")]
    NoBlock(Hash),
}

/// A validator that runs.
pub struct Node {
    /// What it can be asked.
    pub service: Service,
    /// Its figures, as Prometheus reads them.
    pub figures: Arc<dyn Fn() -> String + Send + Sync>,
    /// Changes once, to why it has to stop.
    pub failure: watch::Receiver<Option<Stop>>,
    /// Ends when one of its parts does: then it has to stop, too.
    pub ended: Handle<()>,
}

/// Starts a validator, which runs as long as its context does. It proposes and judges with what
/// `application` makes of its chain: the chain itself, but for tests.
///
/// # Errors
/// [`NodeError`].
pub async fn start<E, S, Tx, Rx, P, B, A>(
    context: E,
    setup: Setup<S>,
    channels: Channels<Tx, Rx>,
    peers: P,
    blocker: B,
    application: impl FnOnce(Chain<E, S>) -> A,
) -> Result<Node, NodeError>
where
    E: Runtime + CryptoRng,
    S: Strategy,
    Tx: Sender<PublicKey = ed25519::PublicKey>,
    Rx: Receiver<PublicKey = ed25519::PublicKey>,
    P: Provider<PublicKey = ed25519::PublicKey>,
    B: Blocker<PublicKey = ed25519::PublicKey>,
    A: Application<E, SigningScheme = VoteScheme, Context = View, Block = Block, Input = ()>,
{
    let Setup { genesis, scheme, sizes, strategy, partition, timeouts, .. } = &setup;
    let page_cache = CacheRef::new(sizes.page, sizes.pages);
    let mailbox_size = NZUsize!(1_024);
    let first = Header::genesis(genesis);
    let first_hash = first.hash();
    let journal = format!("{partition}votes-{}-{EPOCH}", short(genesis.chain()));

    let stages = Arc::<Stages>::default();
    let ledger = Ledger::open(
        context.child("ledger"),
        Store {
            partition: format!("{partition}state"),
            page_cache: page_cache.clone(),
            write_buffer: sizes.write_buffer,
            items_per_blob: sizes.operations,
            strategy: strategy.clone(),
            stages: stages.clone(),
        },
        genesis,
    )
    .await?;

    let Archives { finalizations, blocks } =
        Archives::open(&context, partition, sizes, &page_cache, &genesis.limits).await?;
    let epocher = FixedEpocher::new(NZU64!(u64::MAX));
    let start = Block { header: first.clone(), transactions: Arc::default() };
    let config = marshal::Config {
        provider: ConstantProvider::new(scheme.clone()),
        epocher: epocher.clone(),
        start: Start::Genesis(Digested::precomputed(start, first_hash)),
        partition_prefix: format!("{partition}marshal"),
        mailbox_size,
        view_retention: ViewDelta::new(256),
        prunable_items_per_section: NZU64!(64),
        page_cache: page_cache.clone(),
        replay_buffer: sizes.write_buffer,
        key_write_buffer: sizes.write_buffer,
        value_write_buffer: sizes.write_buffer,
        block_codec_config: genesis.limits.clone(),
        max_repair: NZUsize!(64),
        max_pending_acks: NZUsize!(16),
        strategy: strategy.clone(),
    };
    let (marshal, mailbox, _) =
        Actor::init(context.child("marshal"), finalizations, blocks, config).await;
    let resolver = backfill::init(
        context.child("backfill"),
        backfill::Config {
            public_key: setup.identity.clone(),
            peer_provider: peers.clone(),
            blocker: blocker.clone(),
            mailbox_size,
            fetch_timeout: at_least(timeouts.1),
            fetch_retry_delay: Duration::from_millis(100),
            priority_requests: false,
            priority_responses: false,
        },
        channels.backfill,
    );
    let (broadcast, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: setup.identity.clone(),
            mailbox_size,
            deque_size: 16,
            priority: false,
            codec_config: genesis.limits.clone(),
            peer_provider: peers,
            strategy: strategy.clone(),
        },
    );

    // What the state names last was archived before it was applied. Marshal answers once it runs, and
    // asks the broadcast for what its archive lacks before it does.
    let applied = ledger.applied();
    let (updates, reported) = updates();
    let broadcasting = broadcast.start(channels.blocks);
    let running = marshal.start(updates, buffer, resolver);
    let last = match applied == first_hash {
        true => first,
        false => match mailbox.get_block(&applied).await {
            Some(block) => block.inner().header.clone(),
            None => return Err(NodeError::NoBlock(applied)),
        },
    };
    let journaled = context.scan(&journal).await.is_ok_and(|files| !files.is_empty());
    if last.height > 0 && !journaled {
        return Err(NodeError::NoJournal { height: last.height, partition: journal });
    }
    let chain = Chain::new(
        Parts {
            id: genesis.chain(),
            limits: genesis.limits.clone(),
            validators: scheme.participants().clone(),
            ledger,
            crypto: setup.crypto.clone(),
            senders: SenderCache::new(setup.senders, setup.times.verify),
            pool: Pool::new(genesis.chain(), genesis.limits.clone(), setup.pool.clone()),
            committee: (genesis.validators.clone(), scheme.committee().clone()),
            times: setup.times,
            stages,
        },
        &last,
    );
    let finalizer = Finalizer::new(chain.clone(), reported);
    let application = application(chain.clone());
    let application = Inline::new(context.child("inline"), application, mailbox.clone(), epocher);
    let engine = Engine::new(
        context.child("simplex"),
        simplex::Config {
            scheme: scheme.clone(),
            elector: RoundRobin::<Sha256>::default(),
            blocker: blocker.clone(),
            automaton: application.clone(),
            relay: application.clone(),
            reporter: application,
            track_historical_votes: false,
            strategy: strategy.clone(),
            partition: journal,
            mailbox_size,
            epoch: EPOCH,
            floor: Floor::Genesis(first_hash),
            replay_buffer: sizes.write_buffer,
            write_buffer: sizes.write_buffer,
            page_cache,
            leader_timeout: timeouts.0,
            certification_timeout: timeouts.1,
            timeout_retry: timeouts.1,
            view_retention: ViewDelta::new(256),
            skip: SkipPolicy::Enabled { timeout: 5 * timeouts.1, budget: SkipBudget::Participants },
            fetch_timeout: at_least(timeouts.1),
            fetch_retry_delay: Duration::from_millis(100),
            forward: ForwardPolicy::SilentVoters,
        },
    );

    let (intake, doorway) = Intake::new(chain.clone(), scheme.participants().clone(), blocker);
    let (service, questions) = Service::new(QUESTIONS);
    let failure = chain.failure();
    let figures = {
        let (chain, context) = (chain.clone(), context.child("figures"));
        Arc::new(move || figures(&chain).and(&context.encode()))
    };
    let handles = vec![
        running,
        broadcasting,
        context.child("finalizer").spawn(move |context| finalizer.run(context)),
        context
            .child("intake")
            .shared(true)
            .spawn(move |context| intake.run(context, channels.transactions)),
        context.child("desk").spawn(move |_| desk(questions, chain, mailbox, doorway)),
        engine.start(channels.votes, channels.certificates, channels.resolver),
    ];
    let ended = context.child("parts").spawn(move |_| async move {
        let _ = Handle::select(handles).await;
    });
    Ok(Node { service, figures, failure, ended })
}

/// A time that is not zero.
fn at_least(time: Duration) -> NonZeroDuration {
    NonZeroDuration::new(time.max(Duration::from_millis(1))).expect("a millisecond is not zero")
}

/// The first 8 digits of a chain's id.
fn short(chain: Hash) -> String {
    alloy_primitives::hex::encode(&chain.0[..4])
}

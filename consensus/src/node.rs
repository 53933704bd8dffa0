//! A validator: the parts of commonware and ours, put together.
//!
//! ```text
//! clients, gossip -> Intake -> pool -> Chain::propose -> Inline -> simplex
//! blocks (broadcast, backfill) -> marshal -> Inline -> Chain::verify -> simplex
//! simplex -> certificates -> marshal -> archives, Finalizer -> ledger, receipts
//! ledger -> the set of an epoch -> its simplex (Epochs), its scheme (Committees)
//! ```

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use commonware_broadcast::buffered;
use commonware_consensus::Application;
use commonware_consensus::marshal::core::{Actor, Mailbox};
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::marshal::{self, Start, resolver::p2p as backfill};
use commonware_consensus::simplex;
use commonware_consensus::types::{FixedEpocher, ViewDelta};
use commonware_cryptography::certificate::Scheme as _;
use commonware_cryptography::{Digested, ed25519};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Strategy;
use commonware_runtime::Handle;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::archive::{Archive as _, Identifier};
use commonware_storage::{journal, metadata};
use commonware_utils::{NZU64, NZUsize, NonZeroDuration};
use rand_core::CryptoRng;
use tokio::sync::watch;

use crate::Hash;
use crate::block::{Block, Header};
use crate::chain::{Chain, Finalizer, Parts, Runtime, Stop, updates};
use crate::intake::Intake;
use crate::ledger::{Ledger, LedgerError, Store};
use crate::pool::Pool;
use crate::scheme::{CommitteeError, VoteScheme};
use crate::senders::SenderCache;
use crate::service::Service;
use crate::stages::Stages;

mod archives;
mod committees;
mod desk;
mod early;
mod epochs;
mod journals;
mod messages;
mod prove;
mod setup;

pub use archives::Archives;
use committees::Committees;
use desk::{desk, figures};
use epochs::{Engines, Epochs, Networks};
use journals::Journals;
pub use setup::{Channels, Schemes, Setup, Sizes, longest_message};

/// Questions that may wait for an answer.
const QUESTIONS: usize = 4_096;
/// Messages that wait for a part of commonware.
const MAILBOX: NonZeroUsize = NZUsize!(1_024);

type Marshal = Mailbox<VoteScheme, Standard<Block>>;
/// What `simplex` says of the round in which a block is proposed.
type View = simplex::types::Context<Hash, ed25519::PublicKey>;

/// Why a validator does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its state.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Its archives of blocks and certificates.
    #[error("archive: {0}")]
    Archive(#[from] commonware_storage::archive::Error),
    /// Its journal of votes.
    #[error("journal of votes: {0}")]
    Journal(#[from] journal::Error),
    /// The mark of the last journal.
    #[error("mark of the journals of votes: {0}")]
    Mark(#[from] metadata::Error),
    /// The set of validators.
    #[error(transparent)]
    Committee(#[from] CommitteeError),
    /// Its networks have ended.
    #[error("network: {0}")]
    Network(String),
    /// It could vote twice.
    #[error(
        "the data folder has blocks up to height {height} and not the journal of votes (`{partition}`) \
         that goes with them: \
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
    /// The archive has a hole.
    #[error("the archive does not have block {0}")]
    NoHeight(u64),
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
    let Setup { genesis, sizes, strategy, partition, timeouts, .. } = &setup;
    let page_cache = CacheRef::new(sizes.page, sizes.pages);
    let first = Header::genesis(genesis);
    let first_hash = first.hash();

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
    // What the state names last was archived before it was applied.
    let applied = ledger.applied();
    let last = match applied == first_hash {
        true => first.clone(),
        false => match blocks.get(Identifier::Key(&applied)).await? {
            Some(block) => block.header.clone(),
            None => return Err(NodeError::NoBlock(applied)),
        },
    };
    // Certificates are judged, and votes given, by the set of the next block's epoch.
    let journals = Journals::open(
        context.child("journals"),
        format!("{partition}votes-{}", short(genesis.chain())),
        page_cache.clone(),
        sizes.write_buffer,
    );
    let mut committees = Committees::new(
        context.child("committees"),
        genesis.clone(),
        setup.schemes.clone(),
        journals.await?,
    );
    let epoch = genesis.limits.epoch(last.height + 1);
    let begun = committees.begin(&ledger, epoch, last.height).await?;

    let epocher = FixedEpocher::new(genesis.limits.epoch_length());
    let start = Block { header: first.clone(), transactions: Arc::default() };
    let config = marshal::Config {
        provider: committees.known.clone(),
        epocher: epocher.clone(),
        start: Start::Genesis(Digested::precomputed(start, first_hash)),
        partition_prefix: format!("{partition}marshal"),
        mailbox_size: MAILBOX,
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
            mailbox_size: MAILBOX,
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
            mailbox_size: MAILBOX,
            deque_size: 16,
            priority: false,
            codec_config: genesis.limits.clone(),
            peer_provider: peers,
            strategy: strategy.clone(),
        },
    );

    let (updates, reported) = updates();
    let broadcasting = broadcast.start(channels.blocks);
    let running = marshal.start(updates, buffer, resolver);
    let chain = Chain::new(
        Parts {
            id: genesis.chain(),
            limits: genesis.limits.clone(),
            ledger,
            crypto: setup.crypto.clone(),
            senders: SenderCache::new(setup.senders, setup.times.verify),
            pool: Pool::new(genesis.chain(), genesis.limits.clone(), setup.pool.clone()),
            committee: (genesis.validators.clone(), begun.scheme.committee().clone()),
            times: setup.times,
            stages,
        },
        &last,
    );
    let finalizer = Finalizer::new(chain.clone(), reported);
    chain.enter(epoch, begun.scheme.participants().clone());
    let (networks, split) = Networks::split(
        context.child("networks"),
        [channels.votes, channels.certificates, channels.resolver],
    );
    let epochs = Epochs {
        chain: chain.clone(),
        marshal: mailbox.clone(),
        committees,
        engines: Engines {
            application: application(chain.clone()),
            blocker: blocker.clone(),
            strategy: strategy.clone(),
            timeouts: *timeouts,
            sizes: sizes.clone(),
            page_cache,
            epocher,
        },
        networks,
    };

    let (intake, doorway) = Intake::new(chain.clone(), blocker);
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
        context
            .child("desk")
            .spawn(move |context| desk(context, questions, chain, mailbox, doorway)),
        context.child("epochs").spawn(move |context| epochs.run(context, begun)),
        split,
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

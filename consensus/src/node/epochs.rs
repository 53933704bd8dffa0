//! The epochs of a validator: one engine of `simplex` after the other.
//!
//! ```text
//! state after an epoch's last block is on the disk -> its engine ends
//!   -> set in force, journal -> the next epoch's engine
//! votes of a later epoch from others -> that last block is asked for
//! ```

use std::collections::BTreeSet;
use std::time::Duration;

use commonware_consensus::Application;
use commonware_consensus::marshal::standard::Inline;
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::simplex::{self, Engine, Floor, ForwardPolicy, SkipBudget, SkipPolicy};
use commonware_consensus::types::{Epoch, Epocher as _, FixedEpocher, Height, ViewDelta};
use commonware_cryptography::certificate::Scheme as _;
use commonware_cryptography::{Digestible as _, Sha256, ed25519::PublicKey};
use commonware_macros::select;
use commonware_p2p::utils::mux::{self, Builder as _, MuxHandle, Muxer};
use commonware_p2p::{Blocker, Message, Receiver, Sender};
use commonware_parallel::Strategy;
use commonware_runtime::Handle;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_utils::channel::mpsc;
use commonware_utils::vec::NonEmptyVec;
use rand_core::CryptoRng;
use tracing::info;

use super::committees::{Begun, Committees};
use super::early::Early;
use super::{MAILBOX, Marshal, NodeError, Sizes, View, at_least};
use crate::block::{Block, Header};
use crate::chain::{Chain, Runtime, Stop};
use crate::scheme::VoteScheme;

/// The networks of `simplex`, by epoch.
pub(super) struct Networks<Tx: Sender> {
    votes: MuxHandle<Tx>,
    certificates: MuxHandle<Tx>,
    resolver: MuxHandle<Tx>,
    /// Votes of epochs that do not run here.
    others: mpsc::Receiver<(u64, Message<Tx::PublicKey>)>,
}

impl<Tx: Sender<PublicKey = PublicKey>> Networks<Tx> {
    /// Splits the networks by epoch; the handle ends with one of them.
    pub fn split<E: Runtime, Rx: Receiver<PublicKey = PublicKey>>(
        context: E,
        [votes, certificates, resolver]: [(Tx, Rx); 3],
    ) -> (Self, Handle<()>) {
        let muxer =
            |name, (sender, receiver)| Muxer::builder(context.child(name), sender, receiver);
        let (votes_muxer, votes, others) = muxer("votes", votes).with_backup().build();
        let (certificates_muxer, certificates) = muxer("certificates", certificates).build();
        let (resolver_muxer, resolver) = muxer("resolver", resolver).build();
        let muxers = [votes_muxer.start(), certificates_muxer.start(), resolver_muxer.start()];
        let ended = context.spawn(move |_| async move {
            let _ = Handle::select(muxers).await;
        });
        (Networks { votes, certificates, resolver, others }, ended)
    }
}

/// What all engines of `simplex` have in common.
pub(super) struct Engines<S, B, A> {
    pub application: A,
    pub blocker: B,
    pub strategy: S,
    /// Of a leader, of certification.
    pub timeouts: (Duration, Duration),
    pub sizes: Sizes,
    pub page_cache: CacheRef,
    pub epocher: FixedEpocher,
}

/// Runs one engine after the other.
pub(super) struct Epochs<E: Runtime, S: Strategy, Tx: Sender, B, A> {
    pub chain: Chain<E, S>,
    pub marshal: Marshal,
    pub committees: Committees<E>,
    pub engines: Engines<S, B, A>,
    pub networks: Networks<Tx>,
}

impl<E, S, Tx, B, A> Epochs<E, S, Tx, B, A>
where
    E: Runtime + CryptoRng,
    S: Strategy,
    Tx: Sender<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
    A: Application<E, SigningScheme = VoteScheme, Context = View, Block = Block, Input = ()>,
{
    /// Runs until an engine ends by itself, or the disk fails.
    pub async fn run(mut self, context: E, mut begun: Begun) {
        let mut early = Early::default();
        loop {
            let epoch = begun.epoch;
            let engine = match self.start(&context, begun, early).await {
                Ok(engine) => engine,
                Err(error) => return self.chain.fail(Stop::Disk(error.to_string())),
            };
            early = Early::default();
            let Some(height) = self.follow(&context, epoch, engine, &mut early).await else {
                return;
            };
            let ledger = self.chain.ledger();
            begun = match self.committees.begin(ledger, epoch + 1, height).await {
                Ok(begun) => begun,
                Err(error) => return self.chain.fail(Stop::Disk(error.to_string())),
            };
            self.chain.enter(begun.epoch, begun.scheme.participants().clone());
        }
    }

    /// Starts the engine of an epoch. It begins with the last block of the epoch before.
    async fn start(
        &mut self,
        context: &E,
        begun: Begun,
        mut early: Early,
    ) -> Result<Handle<()>, NodeError> {
        let Begun { epoch, scheme, journal } = begun;
        let networks = &mut self.networks;
        let votes = networks.votes.register(epoch).await?;
        let certificates = networks.certificates.register(epoch).await?;
        let resolver = networks.resolver.register(epoch).await?;
        while let Ok((of, message)) = networks.others.try_recv() {
            if of == epoch {
                early.keep(message);
            }
        }
        let votes = (votes.0, early.before(votes.1));
        let floor = match self.first(epoch).checked_sub(1) {
            None => Header::genesis(&self.committees.genesis).hash(),
            Some(height) => match self.marshal.get_block(Height::new(height)).await {
                Some(block) => block.digest(),
                None => return Err(NodeError::NoHeight(height)),
            },
        };
        let marshal = self.marshal.clone();
        let Engines { application, blocker, strategy, timeouts, sizes, page_cache, epocher } =
            &self.engines;
        let (application, blocker) = (application.clone(), blocker.clone());
        let (strategy, timeouts, write_buffer) = (strategy.clone(), *timeouts, sizes.write_buffer);
        let (page_cache, epocher) = (page_cache.clone(), epocher.clone());
        let votes_here = scheme.me().and_then(|me| me.signer()).is_some();
        info!(epoch, validators = scheme.participants().len(), votes_here, "an epoch begins");
        // What belongs to the epoch ends with this task.
        let context = context.child("epoch").with_attribute("epoch", epoch);
        Ok(context.spawn(move |context| async move {
            let application = Inline::new(context.child("inline"), application, marshal, epocher);
            let engine = Engine::new(
                context.child("simplex"),
                simplex::Config {
                    scheme,
                    elector: RoundRobin::<Sha256>::default(),
                    blocker,
                    automaton: application.clone(),
                    relay: application.clone(),
                    reporter: application,
                    track_historical_votes: false,
                    strategy,
                    partition: journal,
                    mailbox_size: MAILBOX,
                    epoch: Epoch::new(epoch),
                    floor: Floor::Genesis(floor),
                    replay_buffer: write_buffer,
                    write_buffer,
                    page_cache,
                    leader_timeout: timeouts.0,
                    certification_timeout: timeouts.1,
                    timeout_retry: timeouts.1,
                    view_retention: ViewDelta::new(256),
                    skip: SkipPolicy::Enabled {
                        timeout: 5 * timeouts.1,
                        budget: SkipBudget::Participants,
                    },
                    fetch_timeout: at_least(timeouts.1),
                    fetch_retry_delay: Duration::from_millis(100),
                    forward: ForwardPolicy::SilentVoters,
                },
            );
            let _ = engine.start(votes, certificates, resolver).await;
        }))
    }

    /// First height of an epoch.
    fn first(&self, epoch: u64) -> u64 {
        let first = self.engines.epocher.first(Epoch::new(epoch));
        first.expect("there are less than 2^64 heights").get()
    }

    /// Waits until the state after the epoch's last block is on the disk, and ends the engine; gives the
    /// height of that block. `None`: the engine has ended by itself.
    async fn follow(
        &mut self,
        context: &E,
        epoch: u64,
        mut engine: Handle<()>,
        early: &mut Early,
    ) -> Option<u64> {
        let last = self.first(epoch + 1) - 1;
        let mut written = self.chain.written();
        let mut ahead = BTreeSet::new();
        let pause = self.engines.timeouts.0;
        let mut tick = context.current() + pause;
        loop {
            select! {
                _ = &mut engine => return None,
                height = written.wait_for(|height| *height >= last) => {
                    let height = *height.ok()?;
                    engine.abort();
                    return Some(height);
                },
                // Whoever is ahead for longer than a moment has the epoch's last block.
                _ = context.sleep_until(tick) => {
                    tick = context.current() + pause;
                    let peers: Vec<_> = std::mem::take(&mut ahead).into_iter().collect();
                    if let Ok(peers) = NonEmptyVec::try_from(peers) {
                        self.marshal.hint_finalized(Height::new(last), peers);
                    }
                },
                other = self.networks.others.recv() => {
                    let (of, message) = other?;
                    if of > epoch {
                        ahead.insert(message.0.clone());
                    }
                    if of == epoch + 1 {
                        early.keep(message);
                    }
                },
            }
        }
    }
}

impl From<mux::Error> for NodeError {
    fn from(error: mux::Error) -> Self {
        NodeError::Network(error.to_string())
    }
}

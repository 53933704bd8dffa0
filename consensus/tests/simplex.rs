//! commonware's `simplex` over our votes, on its deterministic runtime and simulated network.

use std::sync::Arc;
use std::time::Duration;

use commonware_consensus::Monitor;
use commonware_consensus::simplex::elector::{self, RoundRobin};
use commonware_consensus::simplex::mocks::{application, relay, reporter, wrapped};
use commonware_consensus::simplex::{
    Config, Engine, Floor, ForwardPolicy, SkipBudget, SkipPolicy, max_payload_size, scheme::Scheme,
};
use commonware_consensus::types::{Epoch, View, ViewDelta};
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_cryptography::sha256::{Digest, Sha256};
use commonware_cryptography::{Signer, certificate::Scheme as _};
use commonware_p2p::simulated::{self, Link, Network, Oracle};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Quota, Runner, Supervisor, deterministic};
use commonware_utils::{NZDuration, NZU16, NZU32, NZUsize, Probability, probability};
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::VoteKey;
use sigmill_consensus::scheme::Engines;
use sigmill_consensus::{Committee, Hash, VoteScheme};

type Reporter<S, L> = reporter::Reporter<deterministic::Context, S, L, Digest>;
type Finalized = Vec<(View, Digest)>;

const EPOCH: Epoch = Epoch::new(3);

/// The schemes of so many validators, in the order of their indices.
fn schemes(validators: u64, engine: sigmill::Engine) -> Vec<VoteScheme> {
    let key = |n: u64| VoteKey::from_bytes(&[n as u8 + 1; 32]).unwrap();
    let validator =
        |n| Validator { identity: PrivateKey::from_seed(n).public_key(), vote: key(n).public() };
    let all: Vec<_> = (0..validators).map(validator).collect();
    let engines = Engines::one(Arc::new(engine));
    let chain = Hash::from([1; 32]);
    let committee = Committee::new(chain, &all, engines, Duration::from_secs(5)).unwrap();
    let signer = |n| VoteScheme::signer(committee.clone(), key(n)).unwrap();
    let mut schemes: Vec<_> = (0..validators).map(signer).collect();
    schemes.sort_by_key(|scheme| scheme.me().unwrap().index());
    schemes
}

/// Starts one validator.
async fn start<S, L>(
    context: deterministic::Context,
    scheme: S,
    elector: L,
    me: PublicKey,
    oracle: &Oracle<PublicKey, deterministic::Context>,
    relay: Arc<relay::Relay<Digest, PublicKey>>,
) -> Reporter<S, L>
where
    S: Scheme<Digest, PublicKey = PublicKey>,
    L: elector::Config<S>,
{
    let quota = Quota::per_second(NZU32!(1_024));
    let control = oracle.control(me.clone());
    let votes = control.register(0, quota).await.unwrap();
    let certificates = control.register(1, quota).await.unwrap();
    let resolver = control.register(2, quota).await.unwrap();
    let participants = scheme.participants().clone();
    let parts = reporter::Config { participants, scheme: scheme.clone(), elector: elector.clone() };
    let reporter = reporter::Reporter::new(context.child("reporter"), parts);
    let parts = application::Config::<Sha256, _> {
        relay,
        me: me.clone(),
        propose_latency: (10.0, 5.0),
        verify_latency: (10.0, 5.0),
        certify_latency: (10.0, 5.0),
        should_certify: application::Certifier::Always,
    };
    let (actor, application) = application::Application::new(context.child("application"), parts);
    actor.start();
    let config = Config {
        scheme,
        elector,
        blocker: control,
        automaton: application.clone(),
        relay: application,
        reporter: reporter.clone(),
        track_historical_votes: false,
        strategy: Sequential,
        partition: me.to_string(),
        mailbox_size: NZUsize!(1_024),
        epoch: EPOCH,
        floor: Floor::Genesis(application::genesis::<Sha256>(EPOCH)),
        leader_timeout: Duration::from_secs(1),
        certification_timeout: Duration::from_secs(2),
        timeout_retry: Duration::from_secs(5),
        fetch_timeout: NZDuration!(Duration::from_secs(1)),
        fetch_retry_delay: Duration::from_millis(100),
        view_retention: ViewDelta::new(100),
        skip: SkipPolicy::Enabled {
            timeout: Duration::from_secs(10),
            budget: SkipBudget::Participants,
        },
        replay_buffer: NZUsize!(1 << 20),
        write_buffer: NZUsize!(1 << 20),
        page_cache: CacheRef::new(NZU16!(1_024), NZUsize!(10)),
        forward: ForwardPolicy::Disabled,
    };
    Engine::new(context.child("engine"), config).start(votes, certificates, resolver);
    reporter
}

/// Waits until the validator has finalized a view.
async fn reach<S, L>(reporter: &mut Reporter<S, L>, view: View)
where
    S: Scheme<Digest, PublicKey = PublicKey>,
    L: elector::Config<S>,
{
    let (mut latest, mut monitor) = reporter.subscribe().await;
    while latest < view {
        latest = monitor.recv().await.expect("the validator stopped");
    }
}

fn finalized<S, L>(reporter: &Reporter<S, L>) -> Finalized
where
    S: Scheme<Digest, PublicKey = PublicKey>,
    L: elector::Config<S>,
{
    let finalizations = reporter.finalizations.lock();
    let mut views: Finalized =
        finalizations.iter().map(|(view, (one, _))| (*view, one.proposal.payload)).collect();
    views.sort();
    views
}

/// What a run ends with.
struct Run {
    /// Hash over everything that happened.
    state: String,
    /// By honest validator: what it has finalized.
    finalized: Vec<Finalized>,
    /// Who was blocked by whom.
    blocked: Vec<(PublicKey, PublicKey)>,
    /// All validators, by index.
    participants: Vec<PublicKey>,
}

/// Runs validators until each honest one has finalized the view. The last validator spoils its
/// signatures if `liar` says so.
fn run(seed: u64, loss: Probability, liar: bool, view: u64, schemes: Vec<VoteScheme>) -> Run {
    let config = deterministic::Config::default()
        .with_seed(seed)
        .with_timeout(Some(Duration::from_secs(600)));
    deterministic::Runner::new(config).start(|context| async move {
        let participants: Vec<_> = schemes[0].participants().iter().cloned().collect();
        let most = max_payload_size::<VoteScheme, Digest>(participants.len() as u32);
        let network = simulated::Config {
            max_size: most as u32,
            max_peers_per_set: NZUsize!(participants.len()),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let (network, oracle) =
            Network::new_with_peers(context.child("network"), network, participants.clone()).await;
        network.start();
        let relay = Arc::new(relay::Relay::new());
        let honest = schemes.len() - usize::from(liar);
        let mut reporters = Vec::new();
        let elector = RoundRobin::<Sha256>::default();
        for (n, scheme) in schemes.into_iter().enumerate() {
            let context = context.child("validator").with_attribute("index", n);
            let me = participants[n].clone();
            if n < honest {
                let (elector, relay) = (elector.clone(), relay.clone());
                reporters.push(start(context, scheme, elector, me, &oracle, relay).await);
            } else {
                let scheme = wrapped::Scheme::new(scheme, wrapped::Behavior::CorruptSignature);
                let elector = wrapped::Config(elector.clone());
                start(context, scheme, elector, me, &oracle, relay.clone()).await;
            }
        }
        let link = Link {
            latency: Duration::from_millis(50),
            jitter: Duration::from_millis(10),
            success_rate: loss,
        };
        for from in &participants {
            for to in participants.iter().filter(|&to| to != from) {
                oracle.add_link(from.clone(), to.clone(), link.clone()).await.unwrap();
            }
        }
        for reporter in &mut reporters {
            reach(reporter, View::new(view)).await;
            reporter.assert_no_faults();
        }
        Run {
            state: context.auditor().state(),
            finalized: reporters.iter().map(finalized).collect(),
            blocked: oracle.blocked().await.unwrap(),
            participants,
        }
    })
}

/// No two validators finalized different things.
fn agree(run: &Run) {
    let mut all: Finalized = run.finalized.iter().flatten().copied().collect();
    all.sort();
    all.dedup();
    assert!(all.windows(2).all(|pair| pair[0].0 != pair[1].0), "a view has two blocks");
}

fn engine() -> sigmill::Engine {
    sigmill::Engine::builder().threads(1).open().unwrap()
}

#[test]
fn validators_finalize_the_same_and_block_nobody() {
    let run = run(1, probability!(1.0), false, 20, schemes(4, engine()));
    agree(&run);
    assert!(run.blocked.is_empty(), "{:?}", run.blocked);
    assert!(run.finalized.iter().all(|views| views.len() >= 15), "{:?}", run.finalized);
}

#[test]
fn a_run_with_loss_is_the_same_twice() {
    let [one, two] = [0; 2].map(|_| run(2, probability!(0.95), false, 20, schemes(4, engine())));
    agree(&one);
    assert!(one.blocked.is_empty(), "{:?}", one.blocked);
    assert_eq!(one.state, two.state);
}

#[test]
fn whoever_spoils_signatures_is_blocked_and_nobody_else() {
    let run = run(3, probability!(1.0), true, 20, schemes(4, engine()));
    agree(&run);
    let liar = &run.participants[3];
    assert!(!run.blocked.is_empty());
    assert!(run.blocked.iter().all(|(_, blocked)| blocked == liar), "{:?}", run.blocked);
}

#[test]
fn loss_and_a_liar_split_nobody() {
    for seed in 100..130 {
        let run = run(seed, probability!(0.9), true, 10, schemes(4, engine()));
        agree(&run);
        let liar = &run.participants[3];
        assert!(run.blocked.iter().all(|(_, blocked)| blocked == liar), "seed {seed}");
    }
}

/// An engine that refuses every batch, and one without devices.
#[test]
fn an_engine_that_fails_changes_nothing() {
    let limits = sigmill::Limits { items: 0, ..sigmill::Limits::default() };
    let full = sigmill::Engine::builder().threads(1).limits(limits).open().unwrap();
    let bare = sigmill::Engine::builder().threads(1).cpu(false).open().unwrap();
    let good = run(4, probability!(1.0), false, 10, schemes(4, engine()));
    for engine in [full, bare] {
        let run = run(4, probability!(1.0), false, 10, schemes(4, engine));
        assert!(run.blocked.is_empty(), "{:?}", run.blocked);
        assert_eq!(run.state, good.state);
    }
}

//! Validators on a simulated network, with simulated clocks and disks.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use commonware_cryptography::Signer as _;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_p2p::simulated::{self, Network, Oracle};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Handle, Quota, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::channel::oneshot;
use commonware_utils::{NZU16, NZU32, NZU64, NZUsize};
use sigmill::Engine;
use sigmill_consensus::chain::{Chain, Times};
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::{AccountKey, VoteKey};
use sigmill_consensus::ledger::{Ledger, LedgerError, Store};
use sigmill_consensus::node::{self, Channels, Node, Setup, Sizes, longest_message};
use sigmill_consensus::pool::PoolLimits;
use sigmill_consensus::scheme::Engines;
use sigmill_consensus::service::Service;
use sigmill_consensus::sets::{Head, ValidatorSet};
use sigmill_consensus::state::{Key, Value};
use sigmill_consensus::{Committee, Crypto, Genesis, Limits, VoteScheme};

use crate::faults::Tapped;
use crate::liar::Liar;
use crate::plan::{Mill, Plan};

pub type Context = deterministic::Context;

/// Validators of a chain.
pub const VALIDATORS: usize = 4;
/// Heights of an epoch.
pub const EPOCH_HEIGHTS: u64 = 16;
/// Accounts of its genesis.
pub const ACCOUNTS: u64 = 40;
/// What each of them has.
pub const BALANCE: u64 = 1_000_000;
/// Timeout of a leader, and of certification.
const TIMEOUTS: (Duration, Duration) = (Duration::from_millis(600), Duration::from_millis(1_200));

/// What is said of a validator that ends without a reason.
pub const ENDED: &str = "the end of a part";

fn vote_key(n: u64) -> VoteKey {
    VoteKey::from_bytes(&[n as u8 + 1; 32]).unwrap()
}

pub fn account(n: u64) -> AccountKey {
    let mut secret = [7; 32];
    secret[24..].copy_from_slice(&(n + 1).to_be_bytes());
    AccountKey::from_bytes(&secret).unwrap()
}

pub fn genesis() -> Genesis {
    let identity = |n| PrivateKey::from_seed(n).public_key();
    let validator = |n| Validator { identity: identity(n), vote: vote_key(n).public() };
    let mut validators: Vec<_> = (0..VALIDATORS as u64).map(validator).collect();
    validators.sort();
    let mut accounts: Vec<_> = (0..ACCOUNTS).map(|n| (account(n).address(), BALANCE)).collect();
    accounts.sort_unstable();
    let limits = Limits {
        block_bytes: 1 << 16,
        block_transactions: 64,
        epoch_heights: EPOCH_HEIGHTS as u32,
        ..Limits::default()
    };
    Genesis { name: "simulation".into(), time_ms: 1, limits, validators, accounts }
}

/// What a validator sends and receives through.
pub type Outlet = simulated::Sender<PublicKey, Context>;
pub type Inlet = simulated::Receiver<PublicKey>;
pub type Net = Oracle<PublicKey, Context>;

/// Engine and vote keys.
type Pinned = (usize, Vec<[u8; 32]>);

/// A chain's validators, by index.
pub struct World {
    pub genesis: Arc<Genesis>,
    pub identities: Vec<PublicKey>,
    /// By [`Mill`]: who computes for chains, and for votes.
    mills: [(Crypto, Engines); 4],
    /// To pin keys takes time.
    committees: Mutex<HashMap<Pinned, Arc<Committee>>>,
}

impl World {
    pub fn new() -> Arc<Self> {
        let genesis = Arc::new(genesis());
        let identities = genesis.validators.iter().map(|one| one.identity.clone()).collect();
        let limits = sigmill::Limits { items: 0, ..sigmill::Limits::default() };
        let sound = Arc::new(Engine::builder().threads(1).open().unwrap());
        let bare = Arc::new(Engine::builder().threads(1).cpu(false).open().unwrap());
        let full = Arc::new(Engine::builder().threads(1).limits(limits).open().unwrap());
        let none = (Crypto::Libsecp256k1, Engines::one(sound.clone()));
        let [sound, bare, full] = [sound, bare, full].map(|engine| {
            let engines = Engines::one(engine.clone());
            (Crypto::Engine(engine), engines)
        });
        let (mills, committees) = ([sound, bare, full, none], Mutex::default());
        Arc::new(World { genesis, identities, mills, committees })
    }

    /// A validator and its vote key.
    pub fn signer(&self, index: usize) -> (Validator, VoteKey) {
        let one = self.genesis.validators[index].clone();
        let key = (0..VALIDATORS as u64).map(vote_key).find(|key| key.public() == one.vote);
        (one, key.unwrap())
    }

    /// The committee of these validators.
    fn committee(&self, mill: Mill, validators: &[Validator]) -> Arc<Committee> {
        let votes = validators.iter().map(|one| one.vote).collect();
        let mut all = self.committees.lock().unwrap();
        let pinned = all.entry((mill as usize, votes)).or_insert_with(|| {
            let (chain, (_, engines)) = (self.genesis.chain(), &self.mills[mill as usize]);
            Committee::new(chain, validators, engines.clone(), Duration::from_millis(150)).unwrap()
        });
        pinned.clone()
    }

    /// The set that begins with an epoch.
    pub fn set(&self, plan: &Plan, from: u64) -> ValidatorSet {
        let members = plan.members(from).into_iter();
        let validators = members.map(|index| self.genesis.validators[index].clone()).collect();
        ValidatorSet { from, validators }
    }

    /// What a state has from the beginning, for the sets of a plan.
    pub fn sets(&self, plan: &Plan) -> Vec<(Key, Value)> {
        let (chain, mut head, mut pairs) = (self.genesis.chain(), None, Vec::new());
        for (from, _) in plan.sets.filter(|_| !plan.decreed).into_iter().flatten() {
            let set = self.set(plan, from);
            head = Some(Head::then(head, set.span()));
            pairs.extend(set.pairs(&chain));
        }
        pairs.extend(head.map(|head| (Head::key(&chain), head.value())));
        pairs
    }

    /// The simulated network, without links.
    pub async fn network(&self, context: &Context, hears_blocked: bool) -> Net {
        let config = simulated::Config {
            max_size: longest_message(&self.genesis),
            max_peers_per_set: NZUsize!(self.identities.len()),
            disconnect_on_block: !hears_blocked,
            tracked_peer_sets: NZUsize!(1),
        };
        let identities = self.identities.clone();
        let (network, oracle) =
            Network::new_with_peers(context.child("network"), config, identities).await;
        network.start();
        oracle
    }

    /// The ends of the network that a validator talks over.
    pub async fn channels(&self, oracle: &Net, index: usize) -> Channels<Outlet, Inlet> {
        let control = oracle.control(self.identities[index].clone());
        let quota = Quota::per_second(NZU32!(4_096));
        let channels = Channels::register(|n| {
            let control = control.clone();
            async move { control.register(n, quota).await }
        });
        channels.await.unwrap()
    }

    /// Starts a validator, which says when it is up; `twin` tells those with the same keys apart.
    /// Aborting the handle is its death.
    pub fn start(
        self: &Arc<Self>,
        context: &Context,
        oracle: &Net,
        (index, twin, mill): (usize, &'static str, Mill),
        sets: Vec<(Key, Value)>,
        channels: Channels<Tapped, Inlet>,
        application: impl FnOnce(Chain<Context, Sequential>) -> Liar + Send + 'static,
    ) -> (oneshot::Receiver<Service>, Handle<()>) {
        let me = self.identities[index].clone();
        let named = |&n: &u64| PrivateKey::from_seed(n).public_key() == me;
        let seed = (0..VALIDATORS as u64).find(named).unwrap();
        let (crypto, _) = self.mills[mill as usize].clone();
        let (world, identity) = (self.clone(), me.clone());
        let setup = Setup {
            genesis: self.genesis.clone(),
            identity: me.clone(),
            schemes: Arc::new(move |validators| {
                let committee = world.committee(mill, validators);
                Ok(VoteScheme::of(committee, &identity, &vote_key(seed)))
            }),
            crypto,
            timeouts: TIMEOUTS,
            times: Times::of(TIMEOUTS.0, TIMEOUTS.1),
            pool: PoolLimits::default(),
            senders: 10_000,
            sizes: Sizes {
                page: NZU16!(1_024),
                pages: NZUsize!(256),
                write_buffer: NZUsize!(4_096),
                operations: NZU64!(256),
                table: 64,
            },
            partition: format!("{index}{twin}-"),
            strategy: Sequential,
        };
        let (manager, control) = (oracle.manager(), oracle.control(me));
        let (ready, started) = oneshot::channel();
        let name = format!("{index}{twin}");
        let parent = context.child("validator").with_attribute("index", &name);
        let store = Store {
            partition: format!("{}state", setup.partition),
            page_cache: CacheRef::new(setup.sizes.page, setup.sizes.pages),
            write_buffer: setup.sizes.write_buffer,
            items_per_blob: setup.sizes.operations,
            strategy: Sequential,
            stages: Arc::default(),
        };
        let genesis = self.genesis.clone();
        let handle = parent.spawn(move |context| async move {
            let planted = plant(context.child("first"), store, &genesis, sets).await;
            planted.unwrap_or_else(|error| panic!("validator {name}: {error}"));
            let started =
                node::start(context, setup, channels, manager, control, application).await;
            let Node { service, mut failure, ended, .. } =
                started.unwrap_or_else(|error| panic!("validator {name}: {error}"));
            let _ = ready.send(service);
            let failed = async {
                // Without its chain it has no failure: one of its parts has ended.
                let Ok(why) = failure.wait_for(Option::is_some).await else {
                    return pending().await;
                };
                panic!("validator {name} stopped: {}", why.as_ref().unwrap());
            };
            futures::future::select(Box::pin(failed), ended).await;
            panic!("{ENDED} of validator {name}");
        });
        (started, handle)
    }
}

/// Writes into the first state of a chain what is not there.
async fn plant(
    context: Context,
    store: Store<Sequential>,
    genesis: &Genesis,
    pairs: Vec<(Key, Value)>,
) -> Result<(), LedgerError> {
    let Some((key, _)) = pairs.first() else { return Ok(()) };
    let ledger = Ledger::open(context, store, genesis).await?;
    if ledger.read(&[*key]).await? == [None] {
        ledger.plant(pairs).await?;
    }
    Ok(())
}

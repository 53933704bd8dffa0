//! Validators on a simulated network, with simulated clocks and disks.

use std::sync::Arc;
use std::time::Duration;

use commonware_cryptography::Signer as _;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_p2p::simulated::{self, Link, Network, Oracle};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock as _, Handle, Quota, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::{NZU16, NZU32, NZU64, NZUsize};
use sigmill::Engine;
use sigmill_consensus::chain::Times;
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::{AccountKey, VoteKey};
use sigmill_consensus::node::{self, Channels, Node, Setup, Sizes, longest_message};
use sigmill_consensus::pool::{PoolLimits, Refusal};
use sigmill_consensus::scheme::Engines;
use sigmill_consensus::service::{Request, Service, Status};
use sigmill_consensus::{
    Action, Address, Committee, Crypto, Genesis, Limits, SignedTransaction, Transaction, VoteScheme,
};

pub type Context = deterministic::Context;

/// Validators of a chain.
pub const VALIDATORS: u64 = 4;
/// Accounts of its genesis.
pub const ACCOUNTS: u64 = 40;
/// What each of them has.
pub const BALANCE: u64 = 1_000_000;
/// Timeout of a leader, and of certification.
const TIMEOUTS: (Duration, Duration) = (Duration::from_millis(600), Duration::from_millis(1_200));

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
    let mut validators: Vec<_> = (0..VALIDATORS).map(validator).collect();
    validators.sort();
    let mut accounts: Vec<_> = (0..ACCOUNTS).map(|n| (account(n).address(), BALANCE)).collect();
    accounts.sort_unstable();
    let limits = Limits { block_bytes: 1 << 16, block_transactions: 64, ..Limits::default() };
    Genesis { name: "simulation".into(), time_ms: 1, limits, validators, accounts }
}

/// A chain's validators, by index.
pub struct World {
    pub genesis: Arc<Genesis>,
    pub identities: Vec<PublicKey>,
    pub engine: Arc<Engine>,
    committee: Arc<Committee>,
}

impl World {
    pub fn new(engine: Arc<Engine>) -> Self {
        let genesis = Arc::new(genesis());
        let identities = genesis.validators.iter().map(|one| one.identity.clone()).collect();
        let engines = Engines::one(engine.clone());
        let patience = Duration::from_millis(150);
        let committee =
            Committee::new(genesis.chain(), &genesis.validators, engines, patience).unwrap();
        World { genesis, identities, engine, committee }
    }

    /// The simulated network, without links.
    pub async fn network(&self, context: &Context) -> Oracle<PublicKey, Context> {
        let config = simulated::Config {
            max_size: longest_message(&self.genesis),
            max_peers_per_set: NZUsize!(self.identities.len()),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let identities = self.identities.clone();
        let (network, oracle) =
            Network::new_with_peers(context.child("network"), config, identities).await;
        network.start();
        oracle
    }

    /// Links all validators with each other.
    pub async fn link(&self, oracle: &Oracle<PublicKey, Context>, link: &Link) {
        for from in &self.identities {
            for to in self.identities.iter().filter(|&to| to != from) {
                oracle.add_link(from.clone(), to.clone(), link.clone()).await.unwrap();
            }
        }
    }

    /// Starts a validator; aborting the handle is its death.
    pub async fn start(
        &self,
        context: &Context,
        oracle: &Oracle<PublicKey, Context>,
        index: usize,
    ) -> (Service, Handle<()>) {
        let me = self.identities[index].clone();
        let seed = (0..VALIDATORS).find(|&n| PrivateKey::from_seed(n).public_key() == me).unwrap();
        let scheme = VoteScheme::signer(self.committee.clone(), vote_key(seed)).unwrap();
        let setup = Setup {
            genesis: self.genesis.clone(),
            identity: me.clone(),
            scheme,
            crypto: Crypto::Engine(self.engine.clone()),
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
            partition: format!("{index}-"),
            strategy: Sequential,
        };
        let control = oracle.control(me);
        let quota = Quota::per_second(NZU32!(4_096));
        let channels = Channels::register(|n| {
            let control = control.clone();
            async move { control.register(n, quota).await }
        });
        let channels = channels.await.unwrap();
        let manager = oracle.manager();
        let (ready, started) = commonware_utils::channel::oneshot::channel();
        let parent = context.child("validator").with_attribute("index", index);
        let handle = parent.spawn(move |context| async move {
            let Node { service, mut failure, ended, .. } =
                node::start(context, setup, channels, manager, control).await.unwrap();
            let _ = ready.send(service);
            let failed = async {
                let _ = failure.wait_for(Option::is_some).await;
                panic!("validator {index} stopped: {}", failure.borrow().clone().unwrap());
            };
            futures::future::select(Box::pin(failed), ended).await;
            panic!("a part of validator {index} ended");
        });
        (started.await.unwrap(), handle)
    }
}

pub async fn status(service: &Service) -> Status {
    service.ask(Request::Status).await.unwrap()
}

pub async fn submit(
    service: &Service,
    all: Vec<SignedTransaction>,
) -> Vec<Result<[u8; 32], Refusal>> {
    service.ask(|reply| Request::Submit(all, reply)).await.unwrap()
}

/// Waits until the validator has applied a block of that height.
pub async fn reach(context: &Context, service: &Service, height: u64) {
    while status(service).await.height < height {
        context.sleep(Duration::from_millis(50)).await;
    }
}

pub fn transfer(
    genesis: &Genesis,
    from: u64,
    nonce: u64,
    to: Address,
    amount: u64,
) -> SignedTransaction {
    let (chain, action) = (genesis.chain(), Action::Transfer { to, amount });
    Transaction { chain, nonce, expiry: 3_000, action }.sign(&account(from))
}

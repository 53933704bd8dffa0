//! `run`: a validator on a real network.

use std::fmt;
use std::fs::File;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use commonware_cryptography::{ChaCha20Poly1305, Signer as _};
use commonware_p2p::AddressableManager as _;
use commonware_p2p::authenticated::lookup::{self, Network};
use commonware_runtime::tokio::{Config as RuntimeConfig, Context, Runner};
use commonware_runtime::{Quota, Runner as _, Spawner as _, Strategizer as _, Supervisor as _};
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use commonware_utils::ordered::Map;
use commonware_utils::{NZU32, NZUsize};
use sigmill::Engine;
use sigmill::monitor::Monitor;
use sigmill_consensus::chain::{Stop, Times};
use sigmill_consensus::config::{self, Config};
use sigmill_consensus::delay::Delayed;
use sigmill_consensus::keys::ValidatorKeys;
use sigmill_consensus::node::{
    self, Channels, Node, NodeError, Schemes, Setup, Sizes, longest_message,
};
use sigmill_consensus::scheme::Engines;
use sigmill_consensus::{Committee, Crypto, Genesis, VoteScheme, http};

use tracing::warn;

use super::{Done, Failure};

const EXAMPLES: &str = "\
Example:
  sigmill-consensus run --config validator.toml

validator.toml:
  genesis = \"genesis.toml\"
  keys = \"validator.key\"
  data = \"data\"
  listen = \"0.0.0.0:9000\"
  http = \"127.0.0.1:8000\"
  monitor = \"monitor.sock\"   # for sigmill top and sigmill profile --attach
  [[peers]]
  identity = \"64 hexadecimal digits\"
  address = \"10.0.0.2:9000\"

Prints `ready` when it answers. Ctrl-C or SIGTERM stops it; it may as well be killed: what it said is
on the disk. One data folder is run by one process at a time, and one key in one folder.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// How long a lost clock, or an old handshake, may differ between validators.
const SYNCHRONY: Duration = Duration::from_secs(5);
/// Senders that are remembered, twice as many at most.
const SENDERS: usize = 1 << 18;

pub fn run(arguments: &Arguments) -> Done {
    let config = Config::read(&arguments.config).map_err(Failure::input)?;
    let genesis = Arc::new(Genesis::read(&config.genesis).map_err(Failure::input)?);
    let keys = ValidatorKeys::read(&config.keys)?;
    let _lock = lock(&config.data)?;
    let engine = Arc::new(engine(&config)?);
    let _monitor = monitor(&config, &engine)?;
    let runtime = RuntimeConfig::new()
        .with_worker_threads(cores().max(2))
        .with_storage_directory(config.data.join("store"));
    let data = config.data.clone();
    let validate =
        || Runner::new(runtime).start(|context| operate(context, config, genesis, keys, engine));
    // Parts of commonware panic where the disk fails them, and every panic ends the runtime. Its
    // message has been printed; nothing of the validator is left that could be in disorder.
    catch_unwind(AssertUnwindSafe(validate)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(stopped(&data, text.unwrap_or("a panic")))
    })
}

/// Opens the socket through which the engine is watched, if one is wanted.
fn monitor(config: &Config, engine: &Arc<Engine>) -> Result<Option<Monitor>, Failure> {
    let Some(path) = &config.monitor else { return Ok(None) };
    let opened = sigmill::monitor::serve(engine, path);
    let failed = |error| Failure::input(format!("`monitor`: {}: {error}", path.display()));
    opened.map(Some).map_err(failed)
}

/// A stop for which the disk may be the reason, and what to do then.
fn stopped(data: &Path, why: impl fmt::Display) -> Failure {
    Failure::check(format!(
        "{}: the validator had to stop: {why}. If the disk is full, free space; then start it again \
         on this folder: it goes on where it was, and nothing final is lost",
        data.display()
    ))
}

/// A validator that does not start.
fn not_started(data: &Path, error: &NodeError) -> Failure {
    match error {
        NodeError::Ledger(_)
        | NodeError::Archive(_)
        | NodeError::Journal(_)
        | NodeError::Mark(_) => stopped(data, error),
        _ => Failure::check(error),
    }
}

/// Locks a data folder against other processes, as long as the file lives.
pub fn lock(data: &Path) -> Result<File, Failure> {
    let failed = |error| Failure::input(format!("{}: {error}", data.display()));
    std::fs::create_dir_all(data).map_err(failed)?;
    let file = File::options().create(true).truncate(false).write(true).open(data.join("lock"));
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            let why = format!("{}: another process runs on this data folder", data.display());
            Err(Failure::input(why))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The engine with the configured devices.
pub fn engine(config: &Config) -> Result<Engine, Failure> {
    let mut builder = Engine::builder().threads(config.threads).remember(true);
    builder = builder.proofs(config.data.join("proofs"));
    for name in &config.devices {
        builder = builder.device(device(name)?);
    }
    builder.open().map_err(Failure::check)
}

fn device(name: &str) -> Result<sigmill::Device, Failure> {
    match name {
        #[cfg(feature = "gpu")]
        "gpu" | "gpu=software" => {
            use sigmill::backend::gpu::{self, Adapter, Options};
            let adapter = if name == "gpu" { Adapter::Hardware } else { Adapter::Software };
            gpu::device(Options::new(adapter)).map_err(Failure::check)
        }
        #[cfg(feature = "fpga")]
        "fpga" => {
            use sigmill::backend::fpga::{self, Options};
            let options = Options::configured().map_err(Failure::check)?;
            fpga::device(options).map_err(Failure::check)
        }
        _ => Err(Failure::input(format!(
            "`devices`: `{name}` is none of this build: `gpu` and `gpu=software` need the feature \
             `gpu`, `fpga` the feature `fpga`"
        ))),
    }
}

/// How these keys vote in any set of validators, all votes judged by the engine.
pub fn schemes(
    genesis: &Genesis,
    keys: &ValidatorKeys,
    config: &Config,
    engine: &Arc<Engine>,
) -> Result<Schemes, Failure> {
    let inline = match config.devices.is_empty() {
        true => engine.clone(),
        false => {
            let inline = Engine::builder().threads(config.threads).open();
            Arc::new(inline.map_err(Failure::check)?)
        }
    };
    let engines = Engines { batches: engine.clone(), inline };
    let patience = Duration::from_millis(config.timeouts.certification_ms) / 8;
    let (chain, (identity, _), vote) = (genesis.chain(), keys.public(), keys.vote.clone());
    Ok(Arc::new(move |validators| {
        let committee = Committee::new(chain, validators, engines.clone(), patience)?;
        Ok(VoteScheme::of(committee, &identity, &vote))
    }))
}

pub fn crypto(config: &Config, engine: &Arc<Engine>) -> Crypto {
    match config.crypto {
        config::Crypto::Engine => Crypto::Engine(engine.clone()),
        config::Crypto::Libsecp256k1 => Crypto::Libsecp256k1,
    }
}

async fn operate(
    context: Context,
    config: Config,
    genesis: Arc<Genesis>,
    keys: ValidatorKeys,
    engine: Arc<Engine>,
) -> Done {
    let schemes = schemes(&genesis, &keys, &config, &engine)?;
    let identity = keys.identity.public_key();
    if genesis.validators.iter().all(|one| one.identity != identity) {
        warn!("no validator of the genesis: it looks on as long as no set of validators names it");
    }
    let mut addresses = vec![(identity.clone(), config.listen.into())];
    for peer in &config.peers {
        if peer.identity == identity {
            continue;
        }
        addresses.push((peer.identity.clone(), peer.address.into()));
    }
    let peers: Vec<_> = addresses.iter().skip(1).map(|(one, _)| one.clone()).collect();
    let addresses: Map<_, commonware_p2p::Address> =
        addresses.try_into().map_err(|_| Failure::input("`peers`: one is there twice"))?;

    let handshake = Cups::<_, ChaCha20Poly1305>::new(
        Sake {
            signer: keys.identity.clone(),
            synchrony_bound: SYNCHRONY,
            max_handshake_age: 2 * SYNCHRONY,
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let namespace = [b"sigmill:network1".as_slice(), &genesis.chain().0].concat();
    let network = lookup::Config::local(
        handshake,
        &namespace,
        config.listen,
        NonZeroUsize::new(addresses.len()).expect("the node itself is one"),
        longest_message(&genesis),
        NZUsize!(1_024),
    );
    let (mut network, mut oracle) = Network::new(context.child("network"), network);
    oracle.track(0, addresses);
    let quota = Quota::per_second(NZU32!(4_096));
    let channels = Channels::register(|number| {
        let ends = network.register(number, quota);
        async move { Ok::<_, std::convert::Infallible>(ends) }
    });
    let Ok(channels) = channels.await;
    let delay = Duration::from_millis(config.delay_ms);
    let channels =
        channels.map(|sender| Delayed::new(context.child("delay"), sender, delay, peers.clone()));
    let network = network.start();

    let timeouts = (
        Duration::from_millis(config.timeouts.leader_ms),
        Duration::from_millis(config.timeouts.certification_ms),
    );
    let mut times = Times::of(timeouts.0, timeouts.1);
    times.drift = Duration::from_millis(config.timeouts.drift_ms);
    let setup = Setup {
        genesis,
        identity,
        schemes,
        crypto: crypto(&config, &engine),
        timeouts,
        times,
        pool: config.pool.clone(),
        senders: SENDERS,
        sizes: Sizes::default(),
        partition: String::new(),
        strategy: context.strategy(NZUsize!(1)),
    };
    let node =
        node::start(context.child("node"), setup, channels, oracle.clone(), oracle, |chain| chain);
    let node = node.await.map_err(|error| not_started(&config.data, &error))?;
    let Node { service, figures, mut failure, ended } = node;
    if let Some(address) = config.http {
        let listener = tokio::net::TcpListener::bind(address).await;
        let listener =
            listener.map_err(|error| Failure::check(format!("`http`: {address}: {error}")))?;
        let router = http::router(service.clone(), figures);
        context.child("http").spawn(move |_| http::serve(listener, router));
    }
    say!("ready");
    let failed = async {
        let why = failure.wait_for(Option::is_some).await.map(|why| why.clone());
        why.ok().flatten()
    };
    // The finalizer ends when it has said why.
    tokio::select! {
        biased;
        Some(why) = failed => Err(match why {
            Stop::Disk(why) => stopped(&config.data, why),
            Stop::Block { .. } => Failure::check(why),
        }),
        _ = ended => Err(Failure::check("a part of the validator ended: see the messages above")),
        _ = network => Err(Failure::check("the network ended: see the messages above")),
        () = told_to_stop() => Ok(()),
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => (),
                _ = terminate.recv() => (),
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

//! `replay`: what a chain has done, again, as fast as one validator can.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use commonware_consensus::simplex::types::{Finalization, Subject};
use commonware_cryptography::certificate::Verifier as _;
use commonware_cryptography::{Digested, Digestible as _};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::tokio::{Config as RuntimeConfig, Context, Runner};
use commonware_runtime::{Runner as _, Spawner as _, Strategizer as _, Supervisor as _};
use commonware_storage::archive::{Archive as _, Identifier};
use commonware_utils::NZU64;
use serde_json::json;
use sigmill_consensus::block::Header;
use sigmill_consensus::chain::{Chain, Parts, Replayed, Times};
use sigmill_consensus::config::{self, Config};
use sigmill_consensus::keys::ValidatorKeys;
use sigmill_consensus::ledger::{Ledger, Store};
use sigmill_consensus::node::{Archives, Schemes, Sizes};
use sigmill_consensus::pool::{Pool, PoolLimits};
use sigmill_consensus::{Block, Genesis, Hash, SenderCache, VoteScheme};
use tokio::sync::{mpsc, watch};

use super::run::{cores, crypto, engine, lock, schemes};
use super::{Done, Failure};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus local 4 --accounts 1000000 --load 11600 --seconds 60 --dir net
  sigmill-consensus replay --config net/0/validator.toml
  sigmill-consensus replay --config net/0/validator.toml --crypto libsecp256k1 --json

Reads the validator's final blocks and certificates, and verifies and executes them from the genesis
on in a new, temporary state: certificates, hashes, signatures, effects, state roots. The validator
must not be running.";

/// Pages of the state in memory: 512 MiB.
const PAGES: std::num::NonZeroUsize = commonware_utils::NZUsize!(131_072);
/// Blocks, and certificates, that are read ahead.
const AHEAD: usize = 64;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// The configuration file of the validator that recorded the blocks
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Who computes signatures and hashes of transactions [default: as configured]
    #[arg(long, value_enum)]
    crypto: Option<super::local::Crypto>,
    /// Threads of the engine; 0 is one a core
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Print the outcome as JSON; progress goes to standard error either way
    #[arg(long)]
    json: bool,
}

/// What a recorded chain is made of.
type Recorded = (Digested<Block>, Option<Finalization<VoteScheme, Hash>>);

pub fn run(arguments: &Arguments) -> Done {
    let mut config = Config::read(&arguments.config).map_err(Failure::input)?;
    config.threads = arguments.threads;
    if let Some(crypto) = arguments.crypto {
        config.crypto = crypto.into();
    }
    let genesis = Arc::new(Genesis::read(&config.genesis).map_err(Failure::input)?);
    let keys = ValidatorKeys::read(&config.keys)?;
    let _lock = lock(&config.data)?;
    let engine = Arc::new(engine(&config)?);
    let schemes = schemes(&genesis, &keys, &config, &engine)?;
    let folder = tempfile::tempdir().map_err(Failure::check)?;

    let (recorded, blocks) = mpsc::channel(AHEAD);
    let store = config.data.join("store");
    let reading = {
        let limits = genesis.limits.clone();
        std::thread::spawn(move || {
            let runtime = RuntimeConfig::new().with_storage_directory(store);
            Runner::new(runtime).start(|context| read(context, limits, recorded))
        })
    };
    let runtime = RuntimeConfig::new()
        .with_worker_threads(cores().max(2))
        .with_storage_directory(folder.path());
    let replayed = Runner::new(runtime).start(|context| {
        let crypto = crypto(&config, &engine);
        replay(context, genesis, schemes, crypto, blocks)
    })?;
    reading.join().map_err(|_| Failure::check("the reader of the archives panicked"))??;
    let Timed { replayed, certificates, seconds, stages } = replayed;
    let rate = replayed.transactions as f64 / seconds;
    let mode = match config.crypto {
        config::Crypto::Engine => "engine",
        config::Crypto::Libsecp256k1 => "libsecp256k1",
    };
    if arguments.json {
        let stages: serde_json::Map<_, _> =
            stages.into_iter().map(|(stage, spent)| (stage.to_owned(), spent.into())).collect();
        say!(
            "{}",
            json!({
                "crypto": mode, "height": replayed.height, "transactions": replayed.transactions,
                "certificates": certificates, "seconds": seconds, "transactions_per_second": rate,
                "core_seconds": stages,
            })
        );
    } else {
        say!("blocks        {}", replayed.height);
        say!("certificates  {certificates}");
        say!("transactions  {} in {seconds:.3} s", replayed.transactions);
        say!("rate          {rate:.0} transactions a second ({mode})");
        for (stage, spent) in stages {
            say!("  {stage:<10}  {spent:.3} core seconds");
        }
    }
    Ok(())
}

/// Sends what the archives have, in order.
async fn read(
    context: Context,
    limits: sigmill_consensus::Limits,
    recorded: mpsc::Sender<Recorded>,
) -> Done {
    let sizes = Sizes::default();
    let cache = CacheRef::new(sizes.page, sizes.pages);
    let archives = Archives::open(&context, "", &sizes, &cache, &limits).await;
    let Archives { finalizations, blocks } = archives.map_err(Failure::check)?;
    for height in 1.. {
        let block = blocks.get(Identifier::Index(height)).await.map_err(Failure::check)?;
        let Some(block) = block else { return Ok(()) };
        let certificate = finalizations.get(Identifier::Index(height)).await;
        let certificate = certificate.map_err(Failure::check)?;
        let block = Digested::precomputed(block.clone(), block.digest());
        if recorded.send((block, certificate)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// What was replayed, and what it took.
struct Timed {
    replayed: Replayed,
    certificates: u64,
    seconds: f64,
    stages: Vec<(&'static str, f64)>,
}

async fn replay(
    context: Context,
    genesis: Arc<Genesis>,
    schemes: Schemes,
    crypto: sigmill_consensus::Crypto,
    mut recorded: mpsc::Receiver<Recorded>,
) -> Result<Timed, Failure> {
    eprintln!("writing the genesis state of {} accounts", genesis.accounts.len());
    let sizes = Sizes::default();
    let strategy = context.strategy(std::num::NonZeroUsize::new(cores()).expect("a core"));
    let stages = Arc::default();
    let store = Store {
        partition: "state".into(),
        page_cache: CacheRef::new(sizes.page, PAGES),
        write_buffer: sizes.write_buffer,
        items_per_blob: NZU64!(1 << 20),
        strategy,
        stages: Arc::clone(&stages),
    };
    let ledger = Ledger::open(context.child("ledger"), store, &genesis).await;
    let first = schemes(&genesis.validators).map_err(Failure::check)?;
    let parts = Parts {
        id: genesis.chain(),
        limits: genesis.limits.clone(),
        ledger: ledger.map_err(Failure::check)?,
        crypto,
        senders: SenderCache::new(1, std::time::Duration::ZERO),
        pool: Pool::new(genesis.chain(), genesis.limits.clone(), PoolLimits::default()),
        committee: (genesis.validators.clone(), first.committee().clone()),
        times: Times::of(std::time::Duration::from_secs(1), std::time::Duration::from_secs(2)),
        stages,
    };
    let chain = Chain::new(parts, &Header::genesis(&genesis));
    let start = Instant::now();
    let (sender, blocks) = mpsc::channel(AHEAD);
    let (done, mut applied) = watch::channel(0);
    let state = chain.clone();
    let certificates = context.child("certificates").shared(true).spawn(move |_| async move {
        let (mut batch, mut valid) = (Vec::new(), 0);
        let (mut epoch, mut set) = (0, genesis.validators.clone());
        let mut scheme = first;
        while let Some((block, certificate)) = recorded.recv().await {
            let height = block.inner().header.height;
            if genesis.limits.epoch(height) > epoch {
                valid += judge(&scheme, &mut batch)?;
                // The state after the epoch before says who votes.
                let ended = |_| "the replay has ended".to_owned();
                applied.wait_for(|applied| *applied + 1 >= height).await.map_err(ended)?;
                epoch = genesis.limits.epoch(height);
                let named = state.ledger().set_in_force(&genesis.chain(), epoch).await;
                if let Some(named) = named.map_err(|error| error.to_string())?
                    && named.validators != set
                {
                    set = named.validators;
                    scheme = schemes(&set).map_err(|error| error.to_string())?;
                }
            }
            if let Some(certificate) = certificate {
                if certificate.proposal.payload != block.digest() {
                    return Err(format!("block {height}: its certificate is for another block"));
                }
                batch.push(certificate);
            }
            if batch.len() >= AHEAD {
                valid += judge(&scheme, &mut batch)?;
            }
            if sender.send(block).await.is_err() {
                break;
            }
        }
        valid += judge(&scheme, &mut batch)?;
        Ok(valid)
    });
    let mut told = Instant::now();
    let replayed = chain.replay(&context, blocks, |now| {
        done.send_replace(now.height);
        if told.elapsed().as_secs() >= 1 {
            told = Instant::now();
            eprintln!("height {}  transactions {}", now.height, now.transactions);
        }
    });
    let replayed = replayed.await.map_err(Failure::check)?;
    let certificates = certificates.await.map_err(Failure::check)?.map_err(Failure::check)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(Timed { replayed, certificates, seconds, stages: chain.stages().seconds().collect() })
}

/// Verifies certificates as one batch, and counts them.
fn judge(
    scheme: &VoteScheme,
    batch: &mut Vec<Finalization<VoteScheme, Hash>>,
) -> Result<u64, String> {
    let subjects: Vec<_> = batch
        .iter()
        .map(|one| (Subject::Finalize { proposal: &one.proposal }, &one.certificate))
        .collect();
    let mut rng = commonware_utils::sys_rng();
    let verdicts = scheme.verify_certificates_bisect(&mut rng, &subjects, &Sequential);
    if let Some(at) = verdicts.iter().position(|valid| !valid) {
        return Err(format!("the certificate of {} is invalid", batch[at].proposal.payload));
    }
    let count = batch.len() as u64;
    batch.clear();
    Ok(count)
}

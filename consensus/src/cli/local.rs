//! `local`: a network of validators on this machine, each a process of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sigmill_consensus::client::Client;
use sigmill_consensus::config::{self, Config, Peer};
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::ValidatorKeys;
use sigmill_consensus::load::{self, Accounts, Plan, Settings, Terms};
use sigmill_consensus::{Genesis, Limits};

use super::children::{Child, Kills, kill_in_turn};
use super::load::progress;
use super::{Done, Failure, wait_for, write_new};

mod report;

use report::{Numbers, report, verdict};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus local 4
  sigmill-consensus local 4 --accounts 1000000 --load 11600 --seconds 60 --delay 50 --json
  sigmill-consensus local 4 --accounts 100000 --load 1000 --seconds 60 --crypto libsecp256k1
  sigmill-consensus local 4 --accounts 400000 --load 5800 --seconds 90 --kill

Without --load it runs until Ctrl-C, and `query`, `submit`, `load` can be tried on it. With --load it
ends by itself, and fails (1) unless every transfer is final, once, and all validators have it in the
same block. With --kill, transfers that only a killed validator had may be lost, receipts may not.

Accounts are those of the seed `local`: `load --seed local`.";

/// What the accounts are derived from.
const SEED: &str = "local";
/// What each account has.
const BALANCE: u64 = 1_000_000;
/// Heights that a transfer of the load lives.
const LIFE: u64 = 3_600;
/// How long a validator may take to start: a million accounts take a while.
const START: Duration = Duration::from_secs(300);
/// How long a validator may take to have a block in the end.
const CATCH_UP: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// Number of validators: 1 to 64
    #[arg(value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    validators: u16,
    /// Accounts on the chain
    #[arg(long, value_name = "A", default_value_t = 10_000)]
    accounts: usize,
    /// Transfers a second to load it with
    #[arg(long, value_name = "R")]
    load: Option<u64>,
    /// For how many seconds
    #[arg(long, value_name = "S", default_value_t = 10, requires = "load")]
    seconds: u64,
    /// What every message between validators takes longer, one way, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay: u64,
    /// Who computes signatures and hashes of transactions and blocks
    #[arg(long, value_enum, default_value_t = Crypto::Engine)]
    crypto: Crypto,
    /// Devices of every validator's engine besides the CPU; may be repeated
    #[arg(long = "device", value_name = "NAME")]
    devices: Vec<String>,
    /// Threads of every validator's engine [default: the cores, shared out]
    #[arg(long)]
    threads: Option<usize>,
    /// Kill one validator after the other, at random, the next when it has caught up
    #[arg(long, requires = "load")]
    kill: bool,
    /// Where everything is kept; a folder that is not there yet [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Print the outcome as one JSON object; progress goes to standard error either way
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Crypto {
    /// The mill
    Engine,
    /// libsecp256k1, one after the other
    Libsecp256k1,
}

impl From<Crypto> for config::Crypto {
    fn from(crypto: Crypto) -> Self {
        match crypto {
            Crypto::Engine => config::Crypto::Engine,
            Crypto::Libsecp256k1 => config::Crypto::Libsecp256k1,
        }
    }
}

/// A folder that is removed in the end, unless it was asked for.
struct Folder(PathBuf, bool);

impl Drop for Folder {
    fn drop(&mut self) {
        if self.1 {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

pub fn run(arguments: &Arguments) -> Done {
    let folder = match &arguments.dir {
        Some(dir) => Folder(dir.clone(), false),
        None => {
            let name = format!("sigmill-local-{}", std::process::id());
            Folder(std::env::temp_dir().join(name), true)
        }
    };
    if folder.0.exists() {
        return Err(Failure::input(format!("--dir: {} is there already", folder.0.display())));
    }
    eprintln!("deriving {} accounts", arguments.accounts);
    std::fs::create_dir_all(&folder.0).map_err(Failure::input)?;
    let accounts = Accounts::derive(SEED.as_bytes(), arguments.accounts).map_err(Failure::input)?;
    let network = Network::prepare(arguments, &folder.0, &accounts)?;
    wait_for(network.run(arguments, &accounts))
}

/// Validators that are set up.
struct Network {
    genesis: Genesis,
    configs: Vec<PathBuf>,
    urls: Vec<String>,
}

impl Network {
    /// Writes keys, genesis and configurations.
    fn prepare(arguments: &Arguments, folder: &Path, accounts: &Accounts) -> Result<Self, Failure> {
        let mut keys = Vec::new();
        for _ in 0..arguments.validators {
            keys.push(ValidatorKeys::generate()?);
        }
        let validators = keys.iter().map(|keys| {
            let (identity, vote) = keys.public();
            Validator { identity, vote }
        });
        let mut validators: Vec<_> = validators.collect();
        validators.sort();
        let mut funded: Vec<_> =
            accounts.addresses().iter().map(|address| (*address, BALANCE)).collect();
        funded.sort_unstable();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let genesis = Genesis {
            name: "local".into(),
            time_ms: now.as_millis() as u64,
            limits: Limits::default(),
            validators,
            accounts: funded,
        };
        write_new(&folder.join("accounts.txt"), genesis.accounts_text())?;
        write_new(&folder.join("genesis.toml"), genesis.text(Some("accounts.txt")))?;

        let ports = free_addresses(2 * keys.len())?;
        let (p2p, http) = ports.split_at(keys.len());
        let peer = |(keys, address): (&ValidatorKeys, &SocketAddr)| Peer {
            identity: keys.public().0,
            address: *address,
        };
        let peers: Vec<Peer> = keys.iter().zip(p2p).map(peer).collect();
        let threads = match arguments.threads {
            Some(threads) => threads,
            None => (super::run::cores() / keys.len()).max(1),
        };
        let (mut configs, mut urls) = (Vec::new(), Vec::new());
        for (index, one) in keys.iter().enumerate() {
            let home = folder.join(index.to_string());
            std::fs::create_dir_all(&home).map_err(Failure::input)?;
            one.write(&home.join("validator.key"))?;
            let mut config = Config::new(
                "../genesis.toml".into(),
                "validator.key".into(),
                "data".into(),
                p2p[index],
            );
            config.http = Some(http[index]);
            config.threads = threads;
            config.delay_ms = arguments.delay;
            config.devices.clone_from(&arguments.devices);
            config.crypto = arguments.crypto.into();
            config.peers =
                peers.iter().filter(|peer| peer.address != p2p[index]).cloned().collect();
            let path = home.join("validator.toml");
            config.write(&path).map_err(Failure::input)?;
            configs.push(path);
            urls.push(format!("http://{}", http[index]));
        }
        Ok(Network { genesis, configs, urls })
    }

    async fn run(self, arguments: &Arguments, accounts: &Accounts) -> Done {
        eprintln!("starting {} validators", self.configs.len());
        let mut children = Vec::new();
        for config in &self.configs {
            children.push(Child::spawn(config)?);
        }
        for child in &mut children {
            child.ready(START).await?;
        }
        let clients: Result<Vec<_>, _> = self.urls.iter().map(|url| Client::new(url)).collect();
        let clients = clients?;
        for (index, url) in self.urls.iter().enumerate() {
            eprintln!("validator {index}  {url}");
        }
        match arguments.load {
            None => watch(&clients, children).await,
            Some(rate) => self.load(arguments, rate, accounts, clients, children).await,
        }
    }

    async fn load(
        &self,
        arguments: &Arguments,
        rate: u64,
        accounts: &Accounts,
        clients: Vec<Client>,
        children: Vec<Child>,
    ) -> Done {
        eprintln!("signing");
        let terms = Terms {
            chain: self.genesis.chain(),
            rate,
            seconds: arguments.seconds,
            first: 0,
            nonce: 0,
            expiry: LIFE,
        };
        let plan = Arc::new(Plan::sign(accounts, terms).map_err(Failure::input)?);
        let before = Numbers::read(&clients).await;
        let started = Instant::now();
        let settings = Settings::default();
        let run = load::run(plan, &clients, &settings, progress);
        let (outcome, kills, _children) = match arguments.kill {
            false => (run.await?, Kills::default(), children),
            true => {
                let (stop, stopped) = tokio::sync::oneshot::channel();
                let killing = tokio::spawn(kill_in_turn(children, clients.clone(), stopped));
                let outcome = run.await?;
                let _ = stop.send(());
                let (kills, children) = killing.await.map_err(Failure::check)??;
                (outcome, kills, children)
            }
        };
        let elapsed = started.elapsed();
        let spent = Numbers::read(&clients).await.since(&before);
        let checked = outcome.receipts.check(&clients, CATCH_UP).await;
        let report = report(arguments, &outcome, &spent, &kills, &checked, elapsed);
        match arguments.json {
            true => say!("{report}"),
            false => say!("{report:#}"),
        }
        verdict(arguments, &outcome, &kills, &checked)
    }
}

/// A live line a second, until Ctrl-C.
async fn watch(clients: &[Client], mut children: Vec<Child>) -> Done {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut before = 0;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = second.tick() => (),
        }
        for child in &mut children {
            child.runs()?;
        }
        let status = clients[0].status().await?;
        let mut transactions = 0;
        for height in before.max(status.height.saturating_sub(100))..status.height {
            let found = clients[0].hashes(height + 1, Duration::ZERO).await?;
            transactions += found.map_or(0, |found| found.hashes.len());
        }
        before = status.height;
        let numbers = Numbers::read(clients).await;
        let jobs: Vec<_> = numbers.family("sigmill_device_jobs_total").collect();
        let all: f64 = jobs.iter().map(|(_, jobs)| jobs).sum();
        let share = |(device, jobs): &(&str, f64)| format!("{device} {:.0} %", 100.0 * jobs / all);
        let shares: Vec<_> = jobs.iter().map(share).collect();
        let (height, pooled) = (status.height, status.pooled);
        eprintln!(
            "height {height}  {transactions} a second  pooled {pooled}  jobs by {}",
            shares.join(", ")
        );
    }
}

/// Addresses of this machine that nobody listens on now.
fn free_addresses(count: usize) -> Result<Vec<SocketAddr>, Failure> {
    let listen = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let held: Result<Vec<_>, _> = (0..count).map(listen).collect();
    let held = held.map_err(Failure::check)?;
    held.iter().map(|one| one.local_addr().map_err(Failure::check)).collect()
}

//! `local`: a network of validators on this machine, each a process of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sigmill_consensus::Limits;
use sigmill_consensus::client::Client;
use sigmill_consensus::config;
use sigmill_consensus::load::{self, Accounts, Destination, Plan, Settings, Terms};

use super::children::{Child, Kills, kill_in_turn};
use super::load::progress;
use super::network::{Folder, Layout, Network};
use super::{Done, Failure, wait_for};

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

pub fn run(arguments: &Arguments) -> Done {
    let folder = Folder::new(arguments.dir.as_deref(), "local")?;
    eprintln!("deriving {} accounts", arguments.accounts);
    let accounts = Accounts::derive(SEED.as_bytes(), arguments.accounts).map_err(Failure::input)?;
    let funded = accounts.addresses().iter().map(|address| (*address, BALANCE)).collect();
    let network = Network::prepare(&layout(arguments), folder.path(), funded)?;
    wait_for(Local(network).run(arguments, &accounts))
}

/// How its validators are set up.
fn layout(arguments: &Arguments) -> Layout {
    Layout {
        name: "local",
        limits: Limits::default(),
        validators: arguments.validators,
        delay_ms: arguments.delay,
        devices: arguments.devices.clone(),
        crypto: arguments.crypto.into(),
        threads: arguments.threads,
    }
}

/// A network of this machine, under load or not.
struct Local(Network);

impl Local {
    async fn run(self, arguments: &Arguments, accounts: &Accounts) -> Done {
        let (clients, children) = self.0.start().await?;
        for (index, url) in self.0.urls.iter().enumerate() {
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
            chain: self.0.genesis.chain(),
            rate,
            seconds: arguments.seconds,
            first: 0,
            nonce: 0,
            expiry: LIFE,
            to: Destination::Here,
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

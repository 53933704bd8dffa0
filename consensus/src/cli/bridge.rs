//! `bridge`: two chains on this machine that send to each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sigmill_consensus::client::Client;
use sigmill_consensus::config::Crypto;
use sigmill_consensus::decree::{Draft, DraftFile, Order};
use sigmill_consensus::keys::AccountKey;
use sigmill_consensus::load::{self, Accounts, Destination, Plan, Settings, Terms};
use sigmill_consensus::state::escrow;
use sigmill_consensus::{
    Action, Address, Hash, Limits, Message, SignedTransaction, Transaction, ValidatorSet,
};

use super::children::{Child, pick};
use super::load::progress;
use super::network::{Folder, Layout, Network};
use super::{Done, Failure, wait_for};

mod arrivals;
mod report;

use arrivals::{Arrivals, follow};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus bridge
  sigmill-consensus bridge --stay --dir pair
  sigmill-consensus bridge --load 3000 --seconds 60 --json
  sigmill-consensus bridge --load 3000 --seconds 600 --kill --json

Without --load, it links two chains, locks 1,000 on one, shows it released on the other, sends it back, and ends; with --stay it
runs on until Ctrl-C, and `submit`, `query`, `relay` can be tried on it. With --load, messages go from the first chain to the
second at a fixed rate. It fails (1) unless every message was delivered, once, and what is locked is what was released.";

/// What the accounts are derived from.
const SEED: &str = "bridge";
/// What each of them has, and what the treasury has.
const BALANCE: u64 = 1_000_000;
const TREASURY: u64 = 1 << 50;
/// What the second chain can release at first.
const FUNDS: u64 = 1 << 40;
/// Heights that a transaction lives.
const LIFE: u64 = 3_600;
/// How long a transaction or a message may take, without a load.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long after the sending the last message may take.
const SETTLE: Duration = Duration::from_secs(90);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Validators of each chain: 1 to 64
    #[arg(value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    validators: u16,
    /// Messages a second
    #[arg(long, value_name = "R")]
    load: Option<u64>,
    /// For how many seconds
    #[arg(long, value_name = "S", default_value_t = 10, requires = "load")]
    seconds: u64,
    /// Kill the relayer at random, again and again
    #[arg(long, requires = "load")]
    kill: bool,
    /// What every message between validators takes longer, one way, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay: u64,
    /// Threads of every validator's engine [default: the cores, shared out]
    #[arg(long)]
    threads: Option<usize>,
    /// Run on until Ctrl-C
    #[arg(long, conflicts_with = "load")]
    stay: bool,
    /// Where everything is kept; a folder that is not there yet [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Print the outcome as one JSON object; progress goes to standard error either way
    #[arg(long)]
    json: bool,
}

/// A chain with its validators and the keys that the command has on it.
struct Side {
    network: Network,
    folder: PathBuf,
    clients: Vec<Client>,
    /// They end with it.
    _validators: Vec<Child>,
    /// Pays for links and what can be released.
    treasury: AccountKey,
}

pub fn run(arguments: &Arguments) -> Done {
    let folder = Folder::new(arguments.dir.as_deref(), "bridge")?;
    let count = arguments.load.map_or(2, |rate| rate * arguments.seconds.min(60)).max(2);
    eprintln!("deriving {count} accounts");
    let accounts = Accounts::derive(SEED.as_bytes(), count as usize).map_err(Failure::input)?;
    wait_for(bridge(arguments, folder.path(), &accounts))
}

async fn bridge(arguments: &Arguments, folder: &Path, accounts: &Accounts) -> Done {
    let a = Side::start(arguments, folder, "a", accounts).await?;
    let b = Side::start(arguments, folder, "b", accounts).await?;
    for (side, other) in [(&a, &b), (&b, &a)] {
        let linked = side.link(other).await?;
        eprintln!("chain {} believes chain {} since height {linked}", side.name(), other.name());
    }
    let funds = Action::Transfer { to: escrow(&a.chain()), amount: FUNDS };
    b.submit(funds, 1).await?;
    let relayers = vec![a.relayer(&b)?, b.relayer(&a)?];
    match arguments.load {
        Some(rate) => load(arguments, rate, accounts, &a, &b, relayers).await,
        None => {
            show(&a, &b).await?;
            match arguments.stay {
                true => stay(&a, &b).await,
                false => Ok(()),
            }
        }
    }
}

impl Side {
    async fn start(
        arguments: &Arguments,
        folder: &Path,
        name: &'static str,
        accounts: &Accounts,
    ) -> Result<Self, Failure> {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).map_err(Failure::input)?;
        let treasury = AccountKey::create(&folder.join("treasury.key"))?;
        let relayer = AccountKey::create(&folder.join("relayer.key"))?;
        let mut funded: Vec<_> =
            accounts.addresses().iter().map(|address| (*address, BALANCE)).collect();
        funded.extend([(treasury.address(), TREASURY), (relayer.address(), BALANCE)]);
        let layout = Layout {
            name,
            // A relayer's deliveries of a second are many for one account.
            limits: Limits { account_transactions: 64, block_bytes: 4 << 20, ..Limits::default() },
            validators: arguments.validators,
            delay_ms: arguments.delay,
            devices: vec![],
            crypto: Crypto::Engine,
            threads: arguments.threads,
        };
        let network = Network::prepare(&layout, &folder, funded)?;
        let (clients, _validators) = network.start().await?;
        Ok(Side { network, folder, clients, _validators, treasury })
    }

    fn name(&self) -> &str {
        &self.network.genesis.name
    }

    fn chain(&self) -> Hash {
        self.network.genesis.chain()
    }

    /// Has the validators sign that the other chain is believed, and hands it in.
    async fn link(&self, other: &Side) -> Result<u64, Failure> {
        let validators = other.network.genesis.validators.clone();
        let set = ValidatorSet { from: 0, validators };
        let order = Order::Link { chain: other.chain(), set };
        let signers = self.network.genesis.validators.iter().map(|one| one.vote).collect();
        let mut file = DraftFile::new(self.chain(), Draft { epoch: 0, order }, signers);
        for keys in &self.network.keys {
            file.sign(&keys.vote).map_err(Failure::check)?;
        }
        let decree = file.decree().map_err(Failure::check)?;
        self.submit(Action::Decree(Arc::new(decree)), 0).await
    }

    fn sign(&self, action: Action, nonce: u64) -> SignedTransaction {
        let chain = self.chain();
        Transaction { chain, nonce, expiry: LIFE, action }.sign(&self.treasury)
    }

    /// Submits what the treasury signs and waits until it is final: its height.
    async fn submit(&self, action: Action, nonce: u64) -> Result<u64, Failure> {
        let client = &self.clients[0];
        let hash = client.submit_one(&self.sign(action, nonce)).await?;
        let receipt = until(|| async { Ok(client.receipt(&hash).await?) });
        Ok(receipt.await?.height)
    }

    /// A relayer to another chain, in a process of its own.
    fn relayer(&self, to: &Side) -> Result<Child, Failure> {
        let mut arguments: Vec<std::ffi::OsString> = vec!["relay".into()];
        for (flag, urls) in [("--from", &self.network.urls), ("--to", &to.network.urls)] {
            arguments.extend(urls.iter().flat_map(|url| [flag.into(), url.into()]));
        }
        let state = self.folder.join("relayed");
        arguments.extend(["--key".into(), to.folder.join("relayer.key").into()]);
        arguments.extend(["--state".into(), state.into()]);
        Child::command(arguments, self.folder.join("relay.log"))
    }

    async fn balance(&self, address: &Address) -> Result<u64, Failure> {
        Ok(self.clients[0].account(address).await?.unwrap_or_default().balance)
    }
}

/// Asks until there is an answer.
async fn until<T, F>(mut ask: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<Option<T>, Failure>>,
{
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Failure::check(format!("nothing within {} s", PATIENCE.as_secs())))
}

/// Locks on one chain, waits for the release on the other, and sends it back.
async fn show(a: &Side, b: &Side) -> Done {
    let guest = Address::repeat_byte(0x42);
    let host = a.treasury.address();
    let message = |receiver, sequence, to| {
        Action::Message(Message { receiver, sequence, to, amount: 1_000, digest: [0; 32] })
    };
    // There, to an account that only has to get; and back, from the treasury.
    for (from, to, nonce, payee) in [(a, b, 1, guest), (b, a, 2, host)] {
        let before = to.balance(&payee).await?;
        let start = Instant::now();
        let height = from.submit(message(to.chain(), 0, payee), nonce).await?;
        let locked = from.balance(&escrow(&to.chain())).await?;
        say!(
            "{}: 1000 locked at height {height}; for {} it holds {locked}",
            from.name(),
            to.name()
        );
        let released = until(|| async {
            let now = to.balance(&payee).await?;
            Ok((now == before + 1_000).then_some(now))
        });
        let now = released.await?;
        let took = start.elapsed().as_millis();
        say!("{}: released to {payee}, which has {now}; {took} ms after it was sent", to.name());
    }
    Ok(())
}

async fn stay(a: &Side, b: &Side) -> Done {
    for side in [a, b] {
        let (chain, folder) = (side.chain(), side.folder.display());
        let url = &side.network.urls[0];
        say!("chain {} {chain}  {url}  keys in {folder}", side.name());
    }
    let _ = tokio::signal::ctrl_c().await;
    Ok(())
}

async fn load(
    arguments: &Arguments,
    rate: u64,
    accounts: &Accounts,
    a: &Side,
    b: &Side,
    mut relayers: Vec<Child>,
) -> Done {
    eprintln!("signing");
    let terms = Terms {
        chain: a.chain(),
        rate,
        seconds: arguments.seconds,
        first: 0,
        nonce: 0,
        expiry: LIFE,
        to: Destination::Chain(b.chain()),
    };
    let plan = Arc::new(Plan::sign(accounts, terms).map_err(Failure::input)?);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let arrivals = Arrivals::new(plan.clone());
    let limits = b.network.genesis.limits.clone();
    let height = b.clients[0].status().await?.height;
    let following =
        tokio::spawn(follow(arrivals, b.clients.clone(), limits, height, stopped.clone()));
    let killing = async {
        let mut kills = 0_u64;
        while arguments.kill && !*stopped.borrow() {
            tokio::time::sleep(Duration::from_millis(1_000 + pick(6_000))).await;
            eprintln!("       killing the relayer");
            relayers[0].kill(Duration::from_millis(pick(2_000))).await?;
            kills += 1;
        }
        Ok::<_, Failure>(kills)
    };
    let (end, clients) = (stop, &a.clients);
    let sending = async {
        let settings = Settings::default();
        let outcome = load::run(plan.clone(), clients, &settings, progress).await;
        let _ = end.send(true);
        outcome.map_err(Failure::check)
    };
    let (outcome, kills) = tokio::try_join!(sending, killing)?;
    let arrivals = following.await.map_err(Failure::check)??;
    let locked = a.balance(&escrow(&b.chain())).await?;
    let released = FUNDS - b.balance(&escrow(&a.chain())).await?;
    let lanes = lanes(accounts, &arrivals, a, b).await?;
    let found = report::Found { kills, locked, released, lanes };
    report::tell(arguments, &outcome, &arrivals, &found)
}

/// Looks at the counters of some senders: how many differ from what the blocks say.
async fn lanes(
    accounts: &Accounts,
    arrivals: &Arrivals,
    a: &Side,
    b: &Side,
) -> Result<(u64, u64), Failure> {
    let count = accounts.addresses().len();
    let (mut looked_at, mut wrong) = (0, 0);
    for signer in (0..count).step_by((count / 500).max(1)) {
        let address = &accounts.addresses()[signer];
        let (sent, _) = a.clients[0].lane(&b.chain(), address).await?;
        let (_, received) = b.clients[0].lane(&a.chain(), address).await?;
        looked_at += 1;
        wrong += u64::from(sent != received || received != arrivals.of(signer as u64));
    }
    Ok((looked_at, wrong))
}

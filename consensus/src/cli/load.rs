//! `load`: how fast a chain is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sigmill_consensus::Hash;
use sigmill_consensus::client::Client;
use sigmill_consensus::load::{
    self, Accounts, Checked, Destination, LoadError, Outcome, Plan, Progress, Settings, Terms,
};
use sigmill_consensus::service::Status;

use super::query::URL;
use super::{Done, Failure, accounts, wait_for};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus load --seed s --accounts 60000 --rate 1000 --seconds 60
  sigmill-consensus load --url http://10.0.0.1:8000,http://10.0.0.2:8000 \\
      --seed s --accounts 1000000 --cache accounts.bin --rate 10000 --seconds 120 --json

The accounts must be on the chain: `accounts` writes them for `genesis`. Every account signs once a
minute at most, so a rate takes 60 times as many accounts, or rate x seconds for a shorter load. All
transfers are signed first. They are sent when they are due, whatever the validators answer, and
latency counts from when they were due. To load the same chain again, go on with --first.

The load fails (1) unless every transfer is final, once, and all validators have it in the same block.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// The validators' HTTP addresses; transfers go to all of them in turn
    #[arg(long = "url", value_name = "URL", value_delimiter = ',', default_value = URL)]
    urls: Vec<String>,
    /// Number of accounts of the seed that are on the chain
    #[arg(long, value_name = "A")]
    accounts: usize,
    /// What the accounts' keys are derived from
    #[arg(long)]
    seed: String,
    /// Transfers a second
    #[arg(long, value_name = "R")]
    rate: u64,
    /// For how many seconds
    #[arg(long, value_name = "T")]
    seconds: u64,
    /// The account that signs first
    #[arg(long, value_name = "I", default_value_t = 0)]
    first: u64,
    /// The nonce of the first account; those after it up to the last have the same
    #[arg(long, default_value_t = 0)]
    nonce: u64,
    /// Heights that a transfer lives; at most the chain's `expiry_heights`
    #[arg(long, value_name = "N", default_value_t = 3_600)]
    expiry_heights: u64,
    /// A file that keeps addresses of this seed between runs
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// Most requests in flight
    #[arg(long, value_name = "N", default_value_t = Settings::default().in_flight)]
    in_flight: usize,
    /// Seconds to wait for the last transfers
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    settle: u64,
    /// Validators that may be down or behind in the end
    #[arg(long, value_name = "N", default_value_t = 0)]
    may_be_down: usize,
    /// Print the outcome as JSON; progress goes to standard error either way
    #[arg(long)]
    json: bool,
}

/// How long a validator may take to have a block in the end.
const CATCH_UP: Duration = Duration::from_secs(10);

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Silent(_) | LoadError::Chain { .. } => Failure::check(error),
            _ => Failure::input(error),
        }
    }
}

pub fn run(arguments: &Arguments) -> Done {
    let clients: Result<Vec<_>, _> = arguments.urls.iter().map(|url| Client::new(url)).collect();
    let clients = clients?;
    let seed_accounts =
        accounts::of_seed(&arguments.seed, arguments.accounts, arguments.cache.as_ref())?;
    let status = wait_for(status(arguments, &clients, &seed_accounts))?;
    let terms = Terms {
        chain: Hash::from(status.chain),
        rate: arguments.rate,
        seconds: arguments.seconds,
        first: arguments.first,
        nonce: arguments.nonce,
        expiry: status.height.saturating_add(arguments.expiry_heights),
        to: Destination::Here,
    };
    eprintln!("signing");
    let plan = Arc::new(Plan::sign(&seed_accounts, terms)?);
    let settings = Settings {
        in_flight: arguments.in_flight,
        settle: Duration::from_secs(arguments.settle),
        ..Settings::default()
    };
    let (outcome, checked) = wait_for(async {
        let outcome = load::run(plan, &clients, &settings, progress).await?;
        let checked = outcome.receipts.check(&clients, CATCH_UP).await;
        Ok((outcome, checked))
    })?;
    match arguments.json {
        true => say!("{}", as_json(arguments, &outcome, &checked)),
        false => print(&outcome, &checked),
    }
    verdict(arguments, &outcome, &checked)
}

/// How the chain stands, if the first signer's nonce is as expected.
async fn status(
    arguments: &Arguments,
    clients: &[Client],
    accounts: &Accounts,
) -> Result<Status, Failure> {
    let mut failure = Failure::input("--url: no validator is named");
    for client in clients {
        let status = match client.status().await {
            Ok(status) => status,
            Err(error) => {
                failure = error.into();
                continue;
            }
        };
        let signer = accounts.addresses().get(arguments.first as usize);
        let signer = signer.ok_or_else(|| Failure::input("--first: there is no such account"))?;
        let why = match client.account(signer).await? {
            Some(account) if account.nonce == arguments.nonce => return Ok(status),
            Some(account) => format!("--nonce: the nonce of account {signer} is {}", account.nonce),
            None => format!("--seed: account {signer} is not on the chain"),
        };
        return Err(Failure::input(why));
    }
    Err(failure)
}

/// A live line.
pub(super) fn progress(now: &Progress) {
    let Progress { second, sent, taken, refused, late, committed, height, finality } = now;
    let [p50, p99] = finality.map(|micros| micros / 1_000);
    eprintln!(
        "{second:>4} s  height {height}  sent {sent}  taken {taken}  refused {refused}  late {late}  \
         final {committed}, {} a second, p50 {p50} ms, p99 {p99} ms",
        committed / (*second).max(1)
    );
}

/// The percentiles that are reported, in milliseconds.
fn finality(outcome: &Outcome) -> [(&'static str, f64); 4] {
    let ms = |micros: u64| micros as f64 / 1_000.0;
    let at = |quantile| ms(outcome.finality.value_at_quantile(quantile));
    [("p50", at(0.5)), ("p90", at(0.9)), ("p99", at(0.99)), ("max", ms(outcome.finality.max()))]
}

fn as_json(arguments: &Arguments, outcome: &Outcome, checked: &[Checked]) -> Value {
    let one = |checked: &Checked| {
        json!({
            "url": checked.url,
            "found": checked.found,
            "missing": checked.missing.len(),
            "different_heights": checked.different,
            "failure": checked.failure,
        })
    };
    let finality: serde_json::Map<_, _> =
        finality(outcome).into_iter().map(|(name, ms)| (name.to_owned(), ms.into())).collect();
    let total = &outcome.total;
    json!({
        "rate": arguments.rate,
        "seconds": arguments.seconds,
        "accounts": arguments.accounts,
        "planned": outcome.planned,
        "sent": total.sent,
        "late": total.late,
        "taken": total.taken,
        "refused": outcome.refused,
        "committed": total.committed,
        "lost": outcome.lost,
        "twice": outcome.twice,
        "forks": outcome.forks,
        "finality_ms": finality,
        "committed_per_second": outcome.committed_per_second,
        "steady_from_second": outcome.steady_from,
        "heights": outcome.receipts.heights().map(|(first, last)| [first, last]),
        "validators": checked.iter().map(one).collect::<Vec<_>>(),
    })
}

fn print(outcome: &Outcome, checked: &[Checked]) {
    let total = &outcome.total;
    say!("planned    {}", outcome.planned);
    say!("sent       {}, {} late and not sent", total.sent, total.late);
    say!("taken      {}", total.taken);
    for (reason, count) in &outcome.refused {
        say!("  refused  {count} {reason}");
    }
    say!("final      {}, {} lost, {} twice", total.committed, outcome.lost, outcome.twice);
    let (rate, from) = (outcome.committed_per_second, outcome.steady_from);
    say!("rate       {rate:.1} a second from second {from} on");
    for (name, ms) in finality(outcome) {
        say!("  {name}      {ms:.1} ms from due to final");
    }
    if let Some((first, last)) = outcome.receipts.heights() {
        say!("heights    {first} to {last}");
    }
    for checked in checked {
        let (found, missing) = (checked.found, checked.missing.len());
        say!("receipts   {found} found, {missing} missing at {}", checked.url);
    }
}

fn verdict(arguments: &Arguments, outcome: &Outcome, checked: &[Checked]) -> Done {
    if !outcome.forks.is_empty() {
        return Err(Failure::check(format!("validators disagree at heights {:?}", outcome.forks)));
    }
    if !outcome.is_complete() {
        let committed = outcome.total.committed;
        let why = format!("{committed} of {} transfers are final", outcome.planned);
        return Err(Failure::check(why));
    }
    let mut down = 0;
    for checked in checked.iter().filter(|checked| !checked.is_complete()) {
        match &checked.failure {
            Some(_) if checked.different.is_empty() && down < arguments.may_be_down => down += 1,
            Some(failure) => return Err(Failure::check(failure)),
            None => {
                let (url, missing) = (&checked.url, checked.missing.len());
                return Err(Failure::check(format!("{url}: {missing} receipts are missing")));
            }
        }
    }
    Ok(())
}

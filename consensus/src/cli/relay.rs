//! `relay`: carries messages from one chain to another.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use sigmill_consensus::client::Client;
use sigmill_consensus::keys::AccountKey;
use sigmill_consensus::relay::{Progress, Route, relay};

use super::{Done, Failure, wait_for};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus relay --from http://a:8000 --to http://b:8000 --key relayer.key --state a-b.height
  sigmill-consensus relay --from http://a:8000 --to http://b:8000 --key relayer.key --start 1200

Anyone may relay, and nobody has to trust a relayer: the receiver verifies everything, and delivers a message once whoever
brings it and how often. One account signs for one relayer at a time. It runs until Ctrl-C. With --state it goes on where it
was, also after a crash. What could not take effect when it was brought (nothing was locked for it) is brought again by a
relayer that starts at or before its height.";

/// How often it says how far it is.
const TELL: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// HTTP address of a validator of the source; once for each that may be asked
    #[arg(long = "from", value_name = "URL", required = true)]
    source: Vec<String>,
    /// HTTP address of a validator of the receiver; once for each that may be asked
    #[arg(long = "to", value_name = "URL", required = true)]
    receiver: Vec<String>,
    /// Key of the account on the receiver that signs deliveries
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The file that keeps how far it is
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Height of the source's first block that is looked at [default: what the state says, or 1]
    #[arg(long, value_name = "HEIGHT")]
    start: Option<u64>,
}

pub fn run(arguments: &Arguments) -> Done {
    let clients = |urls: &[String]| -> Result<Vec<_>, Failure> {
        Ok(urls.iter().map(|url| Client::new(url)).collect::<Result<_, _>>()?)
    };
    let done = match &arguments.state {
        Some(path) => read(path)?,
        None => 0,
    };
    let route = Route {
        source: clients(&arguments.source)?,
        receiver: clients(&arguments.receiver)?,
        key: AccountKey::read(&arguments.key)?,
        from: arguments.start.unwrap_or(done + 1),
    };
    wait_for(async {
        tokio::select! {
            ended = run_route(route, arguments.state.as_deref(), done) => ended,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    })
}

async fn run_route(route: Route, state: Option<&Path>, done: u64) -> Done {
    let (mut kept, mut told) = (done, Instant::now());
    let mut failed = None;
    let running = relay(route, |now| {
        if let Some(path) = state
            && now.height > kept
        {
            kept = now.height;
            if let Err(error) = write(path, kept)
                && failed.replace(error.to_string()).is_none()
            {
                eprintln!("warning: {}: {error}", path.display());
            }
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            tell(now);
        }
    });
    match running.await {
        Ok(never) => match never {},
        Err(error) => Err(Failure::check(error)),
    }
}

fn tell(now: &Progress) {
    let Progress { height, read, deliveries, messages, overtaken } = now;
    let line = json!({
        "read": read, "relayed": height, "deliveries": deliveries, "messages": messages, "overtaken": overtaken,
    });
    eprintln!("{line}");
}

/// The height up to which everything is relayed; 0 if the file is not there.
fn read(path: &Path) -> Result<u64, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => text.trim().parse().map_err(|_| {
            Failure::input(format!("{}: a height is expected, and nothing else", path.display()))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Failure::input(format!("{}: {error}", path.display()))),
    }
}

/// Writes it whole or not at all.
fn write(path: &Path, height: u64) -> std::io::Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, format!("{height}\n"))?;
    std::fs::rename(new, path)
}

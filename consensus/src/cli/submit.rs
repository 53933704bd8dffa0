//! `submit`: one transaction.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::hex;
use clap::Subcommand;
use serde_json::json;
use sigmill_consensus::client::Client;
use sigmill_consensus::keys::AccountKey;
use sigmill_consensus::service::Receipt;
use sigmill_consensus::{Action, Address, Hash, Message, Transaction, address, text};

use super::query::URL;
use super::{Done, Failure, wait_for};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus submit --key my.key transfer --to 0x7e5f..5bdf --amount 5
  sigmill-consensus submit --key my.key --wait 0 record --namespace notary --digest 2222..22
  sigmill-consensus submit --key my.key message --receiver 0x5abf..970a --to 0x7e5f..5bdf --amount 5
  sigmill-consensus submit --key my.key decree link.toml
  sigmill-consensus submit --key my.key --chain 0x7f6f..13ee transfer --to 0x7e5f..5bdf --amount 5

Without --chain, the validator's word is taken for the chain that is signed for.";

/// How long a transaction lives without `--expiry`, in heights.
const LIFE: u64 = 100;
/// How often the receipt is asked for.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// The validator's HTTP address
    #[arg(long, default_value = URL)]
    url: String,
    /// The account's key: 64 hexadecimal digits in a file of mode 600
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Id of the chain to sign for; refuse a validator of another one [default: what the validator says]
    #[arg(long, value_name = "HASH", value_parser = hash)]
    chain: Option<Bytes32>,
    /// Transactions of the account before this one [default: what the validator says]
    #[arg(long)]
    nonce: Option<u64>,
    /// Last height at which a block may hold it [default: 100 from now]
    #[arg(long, value_name = "HEIGHT")]
    expiry: Option<u64>,
    /// Seconds to wait until it is final; 0 does not wait
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    wait: u64,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Moves an amount to another account
    Transfer {
        /// Who gets it
        #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
        to: Address,
        /// How much, in the smallest unit
        #[arg(long)]
        amount: u64,
    },
    /// Writes down, for ever, that the account knew a digest
    Record {
        /// A name of up to 32 bytes, or `0x` and 64 hexadecimal digits
        #[arg(long, value_name = "NAME", value_parser = namespace)]
        namespace: Bytes32,
        /// Digest of the thing, 64 hexadecimal digits
        #[arg(long, value_name = "HASH", value_parser = hash)]
        digest: Bytes32,
    },
    /// Sends to another chain: locks an amount here that is released there
    Message {
        /// The other chain's id
        #[arg(long, value_name = "HASH", value_parser = hash)]
        receiver: Bytes32,
        /// Who gets the amount there
        #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
        to: Address,
        /// How much, in the smallest unit
        #[arg(long, default_value_t = 0)]
        amount: u64,
        /// Digest of what is said, 64 hexadecimal digits [default: zeros]
        #[arg(long, value_name = "HASH", value_parser = hash)]
        digest: Option<Bytes32>,
        /// Messages of the account to that chain before this one [default: what the validator says]
        #[arg(long)]
        sequence: Option<u64>,
    },
    /// Hands in what enough validators have signed
    Decree {
        /// The file that `decree` wrote
        file: PathBuf,
    },
}

/// 32 bytes; clap would take an array for a list of values.
#[derive(Clone, Copy, Debug)]
struct Bytes32([u8; 32]);

fn hash(value: &str) -> Result<Bytes32, text::TextError> {
    text::hash(value).map(Bytes32)
}

fn namespace(value: &str) -> Result<Bytes32, text::TextError> {
    text::namespace(value).map(Bytes32)
}

pub fn run(arguments: &Arguments) -> Done {
    wait_for(submit(arguments))
}

async fn submit(arguments: &Arguments) -> Done {
    let key = AccountKey::read(&arguments.key)?;
    let client = Client::new(&arguments.url)?;
    let status = client.status().await?;
    if arguments.chain.is_some_and(|chain| chain.0 != status.chain) {
        let chain = hex::encode_prefixed(status.chain);
        return Err(Failure::check(format!("--chain: {} is of chain {chain}", client.url())));
    }
    let nonce = match arguments.nonce {
        Some(nonce) => nonce,
        None => {
            let account = client.account(&key.address()).await?;
            let missing = || Failure::check(format!("there is no account {}", key.address()));
            account.ok_or_else(missing)?.nonce
        }
    };
    let action = match &arguments.what {
        What::Transfer { to, amount } => Action::Transfer { to: *to, amount: *amount },
        What::Record { namespace, digest } => {
            Action::Record { namespace: namespace.0, digest: digest.0 }
        }
        What::Message { receiver, to, amount, digest, sequence } => {
            let receiver = Hash::from(receiver.0);
            let sequence = match sequence {
                Some(sequence) => *sequence,
                None => client.lane(&receiver, &key.address()).await?.0,
            };
            let digest = digest.map_or([0; 32], |digest| digest.0);
            Action::Message(Message { receiver, sequence, to: *to, amount: *amount, digest })
        }
        What::Decree { file } => {
            let decree = super::decree::read(file)?.decree().map_err(Failure::input)?;
            Action::Decree(Arc::new(decree))
        }
    };
    let expiry = arguments.expiry.unwrap_or(status.height.saturating_add(LIFE));
    let chain = Hash::from(status.chain);
    let hash = client.submit_one(&Transaction { chain, nonce, expiry, action }.sign(&key)).await?;
    let receipt = receipt(&client, &hash, Duration::from_secs(arguments.wait)).await?;
    let name = hex::encode_prefixed(hash);
    match receipt {
        Some(Receipt { height, index }) if arguments.json => {
            say!("{}", json!({ "hash": name, "height": height, "index": index }));
        }
        None if arguments.json => say!("{}", json!({ "hash": name })),
        Some(Receipt { height, index }) => say!("{name}\nfinal at height {height}, index {index}"),
        None => say!("{name}"),
    }
    match receipt {
        None if arguments.wait > 0 => {
            Err(Failure::check(format!("not final within {} s", arguments.wait)))
        }
        _ => Ok(()),
    }
}

async fn receipt(
    client: &Client,
    hash: &[u8; 32],
    wait: Duration,
) -> Result<Option<Receipt>, Failure> {
    let start = Instant::now();
    while start.elapsed() < wait {
        if let Some(receipt) = client.receipt(hash).await? {
            return Ok(Some(receipt));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(None)
}

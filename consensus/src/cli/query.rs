//! `query`: what a validator knows.

use alloy_primitives::hex;
use clap::Subcommand;
use serde_json::Value;
use sigmill_consensus::client::Client;
use sigmill_consensus::state::escrow;
use sigmill_consensus::{address, text};

use super::{Done, Failure, wait_for};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus query status
  sigmill-consensus query --url http://10.0.0.2:8000 account 0x7e5f4552091a69125d5dfcb7b8c2659029395bdf
  sigmill-consensus query record notary 0x2222..22
  sigmill-consensus query --json block 12";

/// Where a validator answers if nothing else is said.
pub const URL: &str = "http://127.0.0.1:8000";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// The validator's HTTP address
    #[arg(long, default_value = URL)]
    url: String,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Balance and nonce of an account
    Account {
        /// `0x` and 40 hexadecimal digits
        address: String,
    },
    /// Who recorded a digest, and at which height
    Record {
        /// A name of up to 32 bytes, or `0x` and 64 hexadecimal digits
        namespace: String,
        /// 64 hexadecimal digits
        digest: String,
    },
    /// Where a transaction took effect
    Receipt {
        /// The transaction's hash
        hash: String,
    },
    /// A final block: its header, and the hashes of its transactions
    Block {
        /// Its height
        height: u64,
    },
    /// Messages that an account has sent to another chain, and that have arrived from that account of it
    Lane {
        /// The other chain's id
        chain: String,
        /// `0x` and 40 hexadecimal digits
        address: String,
    },
    /// The account that holds what is locked here for another chain
    Escrow {
        /// The other chain's id
        chain: String,
    },
    /// The latest validators that were decreed, of this chain or of a linked one
    Validators {
        /// The other chain's id
        chain: Option<String>,
    },
    /// How the validator stands
    Status,
}

impl What {
    fn path(&self) -> Result<String, Failure> {
        let hash = |text: &str| text::hash(text).map(hex::encode_prefixed).map_err(Failure::input);
        Ok(match self {
            What::Account { address } => {
                let address = address::parse(address).map_err(Failure::input)?;
                format!("/v1/accounts/{address}")
            }
            What::Record { namespace, digest } => {
                let namespace = text::namespace(namespace).map_err(Failure::input)?;
                format!("/v1/records/{}/{}", hex::encode_prefixed(namespace), hash(digest)?)
            }
            What::Receipt { hash: text } => format!("/v1/receipts/{}", hash(text)?),
            What::Block { height } => format!("/v1/blocks/{height}"),
            What::Lane { chain, address } => {
                let address = address::parse(address).map_err(Failure::input)?;
                format!("/v1/lanes/{}/{address}", hash(chain)?)
            }
            What::Escrow { chain } => {
                let chain = text::hash(chain).map_err(Failure::input)?;
                format!("/v1/accounts/{}", escrow(&chain.into()))
            }
            What::Validators { chain: None } => "/v1/validators".to_owned(),
            What::Validators { chain: Some(chain) } => format!("/v1/validators/{}", hash(chain)?),
            What::Status => "/v1/status".to_owned(),
        })
    }
}

pub fn run(arguments: &Arguments) -> Done {
    let path = arguments.what.path()?;
    let client = Client::new(&arguments.url)?;
    let answer = wait_for(async { Ok(client.get::<Value>(&path).await?) })?;
    let answer = answer.ok_or_else(|| Failure::check("there is none"))?;
    match &answer {
        Value::Object(fields) if !arguments.json => {
            for (name, value) in fields {
                say!("{name:18} {}", plain(value));
            }
        }
        _ => say!("{answer}"),
    }
    Ok(())
}

/// A value for people; JSON's escapes keep someone else's text from moving the cursor.
fn plain(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let lines = list.iter().map(|one| format!("\n  {}", plain(one)));
            format!("{}{}", list.len(), lines.collect::<String>())
        }
        Value::String(_) => value.to_string().trim_matches('"').to_owned(),
        Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
            fields.join("  ")
        }
        _ => value.to_string(),
    }
}

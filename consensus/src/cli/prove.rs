//! `prove`: fetches a proof that a transaction is final, or of what the state has.

use std::path::PathBuf;

use alloy_primitives::hex;
use sigmill_consensus::client::Client;
use sigmill_consensus::proof::{Evidence, Subject};
use sigmill_consensus::{address, text};

use super::query::URL;
use super::{Done, Failure, wait_for, write_new};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus prove 0xcf59..7b28
  sigmill-consensus prove --height 12 --out payment.proof 0xcf59..7b28
  sigmill-consensus prove --account 0x7e5f4552091a69125d5dfcb7b8c2659029395bdf
  sigmill-consensus prove --json --record notary 0x2222..22
  sigmill-consensus verify-proof --trusted genesis.toml payment.proof

The proof is checked by `verify-proof`, which needs no validator and trusts none. That there is no such
account or record cannot be proved.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// The validator's HTTP address
    #[arg(long, default_value = URL)]
    url: String,
    /// Height of the transaction's block, where that is not one of the last 256
    #[arg(long, requires = "hash")]
    height: Option<u64>,
    /// The file to be written [default: HASH.proof, ADDRESS.proof or DIGEST.proof; .json with --json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the proof as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    what: What,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Prove balance and nonce of an account in the last final state
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// Prove who recorded a digest, and at which height
    #[arg(long, num_args = 2, value_names = ["NAMESPACE", "DIGEST"])]
    record: Option<Vec<String>>,
    /// The transaction's hash
    hash: Option<String>,
}

impl What {
    /// What the state is asked for, with a name for the file; `None` if it is a transaction.
    fn subject(&self) -> Result<Option<(Subject, String)>, Failure> {
        if let Some(account) = &self.account {
            let address = address::parse(account).map_err(Failure::input)?;
            return Ok(Some((Subject::Account(address), hex::encode(address))));
        }
        let Some([namespace, digest]) = self.record.as_deref() else { return Ok(None) };
        let namespace = text::namespace(namespace).map_err(Failure::input)?;
        let digest = text::hash(digest).map_err(Failure::input)?;
        Ok(Some((Subject::Record { namespace, digest }, hex::encode(digest))))
    }
}

pub fn run(arguments: &Arguments) -> Done {
    let Arguments { url, height, out, json, what } = arguments;
    let client = Client::new(url)?;
    let (evidence, name) = match (what.subject()?, &what.hash) {
        (Some((subject, name)), _) => {
            let proof = wait_for(async { Ok(client.state_proof(&subject).await?) })?;
            let missing =
                || Failure::check("the last final state has none, and that is not proved");
            (Evidence::State(proof.ok_or_else(missing)?), name)
        }
        (None, hash) => {
            let hash = text::hash(hash.as_deref().unwrap_or_default()).map_err(Failure::input)?;
            let proof = wait_for(async { Ok(client.proof(hash, *height).await?) })?;
            let missing = || {
                Failure::check(match height {
                    Some(height) => format!("block {height} has no such transaction"),
                    None => {
                        "no recent block has this transaction: name its height with --height".into()
                    }
                })
            };
            (Evidence::Block(proof.ok_or_else(missing)?), hex::encode(hash))
        }
    };
    let end = if *json { "json" } else { "proof" };
    let file = out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.{end}")));
    let (height, bytes) = match &evidence {
        Evidence::Block(proof) => (proof.block.header.height, proof.encode()),
        Evidence::State(proof) => (proof.height(), proof.encode()),
    };
    let bytes = match (&evidence, json) {
        (_, false) => bytes,
        (Evidence::Block(proof), true) => proof.to_json().into_bytes(),
        (Evidence::State(proof), true) => proof.to_json().into_bytes(),
    };
    write_new(&file, &bytes)?;
    say!("{}: {} bytes, of block {height}", file.display(), bytes.len());
    Ok(())
}

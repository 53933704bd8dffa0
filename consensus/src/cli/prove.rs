//! `prove`: fetches a proof that a transaction is final.

use std::path::PathBuf;

use alloy_primitives::hex;
use sigmill_consensus::client::Client;
use sigmill_consensus::text;

use super::query::URL;
use super::{Done, Failure, wait_for, write_new};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus prove 0xcf59..7b28
  sigmill-consensus prove --height 12 --out payment.proof 0xcf59..7b28
  sigmill-consensus verify-proof --trusted genesis.toml payment.proof

The proof is checked by `verify-proof`, which needs no validator and trusts none.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// The validator's HTTP address
    #[arg(long, default_value = URL)]
    url: String,
    /// Height of the transaction's block, where that is not one of the last 256
    #[arg(long)]
    height: Option<u64>,
    /// The file to be written [default: HASH.proof]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The transaction's hash
    hash: String,
}

pub fn run(arguments: &Arguments) -> Done {
    let hash = text::hash(&arguments.hash).map_err(Failure::input)?;
    let client = Client::new(&arguments.url)?;
    let proof = wait_for(async { Ok(client.proof(hash, arguments.height).await?) })?;
    let proof = proof.ok_or_else(|| {
        Failure::check(match arguments.height {
            Some(height) => format!("block {height} has no such transaction"),
            None => "no recent block has this transaction: name its height with --height".into(),
        })
    })?;
    let name = || PathBuf::from(format!("{}.proof", hex::encode(hash)));
    let file = arguments.out.clone().unwrap_or_else(name);
    let bytes = proof.encode();
    write_new(&file, &bytes)?;
    let height = proof.block.header.height;
    say!("{}: {} bytes, of block {height}", file.display(), bytes.len());
    Ok(())
}

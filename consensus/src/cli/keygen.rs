//! `keygen`: new keys.

use std::path::PathBuf;

use alloy_primitives::hex;
use commonware_codec::Encode;
use sigmill_consensus::keys::{AccountKey, ValidatorKeys};

use super::Done;

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus keygen --out validator.key     # prints what goes into the genesis file
  sigmill-consensus keygen --account --out my.key  # prints the account's address

The file has mode 600, and one that is there is never overwritten. Keep a validator's keys in one
place: two processes with the same keys are a double vote waiting to happen.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The new file of secret keys
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Make the key of an account instead of a validator's two
    #[arg(long)]
    account: bool,
}

pub fn run(arguments: &Arguments) -> Done {
    if arguments.account {
        let key = AccountKey::create(&arguments.out)?;
        say!("{}", key.address().to_checksum(None));
        return Ok(());
    }
    let keys = ValidatorKeys::generate()?;
    keys.write(&arguments.out)?;
    let (identity, vote) = keys.public();
    say!("[[validators]]");
    say!("identity = \"{}\"", hex::encode(identity.encode()));
    say!("vote = \"{}\"", hex::encode(vote));
    Ok(())
}

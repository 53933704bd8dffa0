//! `accounts`: who has what at the start of a chain that is to be loaded.

use std::fmt::Write;
use std::path::PathBuf;

use sigmill_consensus::genesis::SUPPLY_LIMIT;
use sigmill_consensus::load::Accounts;

use super::{Done, Failure, write_new};

const EXAMPLES: &str = "\
Example:
  sigmill-consensus accounts --seed s --count 60000 --balance 1000 --out accounts.txt
  sigmill-consensus genesis --name load --validator .. --accounts accounts.txt
  sigmill-consensus load --seed s --accounts 60000 --rate 1000 --seconds 60

Account i has the secret key Keccak-256(seed || i), i as 8 bytes, big-endian. Whoever knows the seed
owns the accounts: they are for chains of no value.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// What the secret keys are derived from
    #[arg(long)]
    seed: String,
    /// Number of accounts
    #[arg(long)]
    count: usize,
    /// What each has
    #[arg(long)]
    balance: u64,
    /// The new file, a line an account: address, balance
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A file that keeps addresses of this seed between runs
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
}

/// The accounts of a seed, with the help of a file if there is one.
pub fn of_seed(seed: &str, count: usize, cache: Option<&PathBuf>) -> Result<Accounts, Failure> {
    let accounts = match cache {
        Some(path) => Accounts::cached(seed.as_bytes(), count, path),
        None => Accounts::derive(seed.as_bytes(), count),
    };
    accounts.map_err(Failure::input)
}

pub fn run(arguments: &Arguments) -> Done {
    let Arguments { seed, count, balance, out, cache } = arguments;
    if (*count as u64).checked_mul(*balance).is_none_or(|supply| supply > SUPPLY_LIMIT) {
        let why = format!("--balance: {count} times {balance} is more than {SUPPLY_LIMIT}");
        return Err(Failure::input(why));
    }
    let accounts = of_seed(seed, *count, cache.as_ref())?;
    let mut text = String::with_capacity(count * 52);
    for address in accounts.addresses() {
        writeln!(text, "{address:?} {balance}").expect("a string takes all");
    }
    write_new(out, &text)
}

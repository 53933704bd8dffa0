//! `genesis`: what all validators of a chain agree on.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use alloy_primitives::hex;
use clap::Subcommand;
use commonware_codec::{Copying, DecodeExt, Encode};
use commonware_cryptography::ed25519;
use sigmill_consensus::genesis::{GenesisError, Validator};
use sigmill_consensus::{Address, Genesis, Header, Limits, address, text};

use super::{Done, Failure, write_new};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus genesis --name try --validator IDENTITY:VOTE --account ADDRESS=1000000
  sigmill-consensus genesis --name big --validator A:B --validator C:D --accounts accounts.txt
  sigmill-consensus genesis show genesis.toml

Every validator gets the same file. The chain id is a hash of all that it says, the limits included.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    show: Option<Show>,
    /// The new file
    #[arg(long, value_name = "FILE", default_value = "genesis.toml")]
    out: PathBuf,
    /// Name of the chain: 1 to 32 of a-z, 0-9, `-` and `.`
    #[arg(long, required = true)]
    name: Option<String>,
    /// Time of block 0, milliseconds since 1970 [default: now]
    #[arg(long, value_name = "MS")]
    time_ms: Option<u64>,
    /// A validator's public keys, as `keygen` prints them; once for each
    #[arg(long = "validator", value_name = "IDENTITY:VOTE", required = true, value_parser = validator)]
    validators: Vec<Validator>,
    /// An account and what it has; once for each
    #[arg(long = "account", value_name = "ADDRESS=BALANCE", value_parser = account)]
    accounts: Vec<(Address, u64)>,
    /// A file of accounts, a line each: address, balance
    #[arg(long = "accounts", value_name = "FILE", conflicts_with = "accounts", required_unless_present_any = ["accounts", "show"])]
    accounts_file: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitFlags,
}

#[derive(Debug, clap::Args)]
struct LimitFlags {
    /// Bytes of a block: 4,096 to 16 MiB
    #[arg(long, value_name = "N", default_value_t = Limits::default().block_bytes)]
    block_bytes: u32,
    /// Transactions of a block: 1 to 65,536
    #[arg(long, value_name = "N", default_value_t = Limits::default().block_transactions)]
    block_transactions: u32,
    /// Transactions of one account in a block, and in a pool: 1 to 1,024
    #[arg(long, value_name = "N", default_value_t = Limits::default().account_transactions)]
    account_transactions: u32,
    /// Heights that a transaction may live: 1 to 1,000,000
    #[arg(long, value_name = "N", default_value_t = Limits::default().expiry_heights)]
    expiry_heights: u32,
    /// Heights of an epoch, whose validators do not change: 16 to 2^31
    #[arg(long, value_name = "N", default_value_t = Limits::default().epoch_heights)]
    epoch_heights: u32,
    /// What every account keeps: 1 or more
    #[arg(long, value_name = "N", default_value_t = Limits::default().minimum_balance)]
    minimum_balance: u64,
}

#[derive(Debug, Subcommand)]
enum Show {
    /// Shows what a genesis file says, and its chain id
    Show {
        /// The genesis file
        file: PathBuf,
    },
}

pub fn validator(value: &str) -> Result<Validator, String> {
    let form = "`identity:vote` is expected, 64 hexadecimal digits each";
    let (identity, vote) = value.split_once(':').ok_or(form)?;
    let bytes = text::hash(identity).map_err(|error| format!("identity: {error}"))?;
    let identity = ed25519::PublicKey::decode(Copying(&bytes));
    let identity = identity.map_err(|_| "identity: no public key of ed25519")?;
    let vote = text::hash(vote).map_err(|error| format!("vote: {error}"))?;
    Ok(Validator { identity, vote })
}

fn account(value: &str) -> Result<(Address, u64), String> {
    let (address, balance) = value.split_once('=').ok_or("`address=balance` is expected")?;
    let address = address::parse(address).map_err(|error| error.to_string())?;
    let balance = balance.parse().map_err(|_| format!("`{balance}` is no balance"))?;
    Ok((address, balance))
}

pub fn run(arguments: &Arguments) -> Done {
    match &arguments.show {
        Some(Show::Show { file }) => {
            show(&Genesis::read(file).map_err(Failure::input)?);
            Ok(())
        }
        None => create(arguments),
    }
}

fn create(arguments: &Arguments) -> Done {
    let Arguments { out, name, time_ms, validators, accounts, accounts_file, limits, .. } =
        arguments;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let written = Genesis {
        name: name.clone().unwrap_or_default(),
        time_ms: time_ms.unwrap_or(since.as_millis() as u64),
        limits: Limits {
            block_bytes: limits.block_bytes,
            block_transactions: limits.block_transactions,
            account_transactions: limits.account_transactions,
            expiry_heights: limits.expiry_heights,
            epoch_heights: limits.epoch_heights,
            minimum_balance: limits.minimum_balance,
        },
        validators: validators.clone(),
        accounts: accounts.clone(),
    };
    let named = accounts_file.as_ref().map(|path| from_folder_of(out, path)).transpose()?;
    let text = written.text(named.as_deref());
    // Read back as every validator will: whatever is wrong is refused here.
    let genesis = Genesis::parse(&text, |_| {
        let path = accounts_file.clone().unwrap_or_default();
        std::fs::read_to_string(&path).map_err(|source| GenesisError::Io { path, source })
    });
    let genesis = genesis.map_err(Failure::input)?;
    write_new(out, &text)?;
    say!("{}", hex::encode_prefixed(genesis.chain()));
    Ok(())
}

/// A path as the genesis file names it, relative to its own folder or absolute.
fn from_folder_of(genesis: &Path, path: &Path) -> Result<String, Failure> {
    let folder = genesis.parent().unwrap_or(Path::new(""));
    let named = match path.strip_prefix(folder) {
        Ok(inside) => inside.to_owned(),
        Err(_) => std::path::absolute(path)
            .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?,
    };
    let no_text = || Failure::input(format!("--accounts: {} is no UTF-8", path.display()));
    named.to_str().map(str::to_owned).ok_or_else(no_text)
}

fn show(genesis: &Genesis) {
    say!("chain                 {}", hex::encode_prefixed(genesis.chain()));
    say!("block 0               {}", hex::encode_prefixed(Header::genesis(genesis).hash()));
    say!("name                  {}", genesis.name);
    say!("time_ms               {}", genesis.time_ms);
    let Limits {
        block_bytes,
        block_transactions,
        account_transactions,
        expiry_heights,
        epoch_heights,
        minimum_balance,
    } = genesis.limits;
    say!("block_bytes           {block_bytes}");
    say!("block_transactions    {block_transactions}");
    say!("account_transactions  {account_transactions}");
    say!("expiry_heights        {expiry_heights}");
    say!("epoch_heights         {epoch_heights}");
    say!("minimum_balance       {minimum_balance}");
    say!("accounts              {}", genesis.accounts.len());
    say!("supply                {}", genesis.supply());
    for (index, Validator { identity, vote }) in genesis.validators.iter().enumerate() {
        say!("validator {index:<11} {}:{}", hex::encode(identity.encode()), hex::encode(vote));
    }
}

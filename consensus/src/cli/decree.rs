//! `decree`: what the validators of a chain decide together.

use std::path::{Path, PathBuf};

use alloy_primitives::hex;
use clap::Subcommand;
use sigmill_consensus::decree::{Draft, DraftFile, Order};
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::ValidatorKeys;
use sigmill_consensus::{Genesis, ValidatorSet};

use super::{Done, Failure, write_new};

const EXAMPLES: &str = "\
Examples:
A chain learns of another one; its validators sign, then anybody who has an account hands it in:
  sigmill-consensus decree link --genesis a/genesis.toml --other b/genesis.toml --out link.toml
  sigmill-consensus decree sign --key validator.key link.toml
  sigmill-consensus submit --key my.key decree link.toml

Other validators from epoch 3 on:
  sigmill-consensus decree validators --genesis genesis.toml --epoch 2 --from 3 --validator IDENTITY:VOTE --out next.toml

A decree holds in one epoch only, which `query status` shows. The file travels from validator to validator, and each of
them reads with `decree show` what it signs.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Writes the draft that another chain is believed
    Link {
        #[command(flatten)]
        signers: SignersOf,
        /// The genesis file of the other chain
        #[arg(long, value_name = "GENESIS")]
        other: PathBuf,
        /// The new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Writes the draft of the validators of a later epoch
    Validators {
        #[command(flatten)]
        signers: SignersOf,
        /// The first epoch in which they validate
        #[arg(long, value_name = "EPOCH")]
        from: u64,
        /// A validator's public keys, as `keygen` prints them; once for each
        #[arg(long = "validator", value_name = "IDENTITY:VOTE", required = true, value_parser = super::genesis::validator)]
        validators: Vec<Validator>,
        /// The new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Adds a validator's signature to a draft
    Sign {
        /// The validator's key file
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The draft
        file: PathBuf,
    },
    /// Shows what a draft says, and who has signed it
    Show {
        /// The draft
        file: PathBuf,
    },
}

/// Who decides, and when.
#[derive(Debug, clap::Args)]
struct SignersOf {
    /// The genesis file of the chain that decides
    #[arg(long, value_name = "GENESIS", default_value = "genesis.toml")]
    genesis: PathBuf,
    /// The validators that decide, where they are not the genesis's; once for each, in any order
    #[arg(long = "signer", value_name = "IDENTITY:VOTE", value_parser = super::genesis::validator)]
    signers: Vec<Validator>,
    /// The epoch in which it holds
    #[arg(long, value_name = "EPOCH", default_value_t = 0)]
    epoch: u64,
}

/// Reads a draft.
pub fn read(path: &Path) -> Result<DraftFile, Failure> {
    let named =
        |error: &dyn std::fmt::Display| Failure::input(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    DraftFile::parse(&text).map_err(|error| named(&error))
}

pub fn run(arguments: &Arguments) -> Done {
    match &arguments.what {
        What::Link { signers, other, out } => {
            let other = Genesis::read(other).map_err(Failure::input)?;
            let (chain, set) =
                (other.chain(), ValidatorSet { from: 0, validators: other.validators });
            draft(signers, Order::Link { chain, set }, out)
        }
        What::Validators { signers, from, validators, out } => {
            let mut validators = validators.clone();
            validators.sort();
            draft(signers, Order::Validators(ValidatorSet { from: *from, validators }), out)
        }
        What::Sign { key, file } => {
            let keys = ValidatorKeys::read(key)?;
            let mut draft = read(file)?;
            draft.sign(&keys.vote).map_err(Failure::input)?;
            replace(file, &draft.text())?;
            say!("{} of {} have signed", draft.signed(), draft.signers.len());
            Ok(())
        }
        What::Show { file } => {
            show(&read(file)?);
            Ok(())
        }
    }
}

fn draft(of: &SignersOf, order: Order, out: &Path) -> Done {
    let genesis = Genesis::read(&of.genesis).map_err(Failure::input)?;
    let set = match &order {
        Order::Validators(set) | Order::Link { set, .. } => set,
    };
    set.check().map_err(|error| Failure::input(format!("validators: {error}")))?;
    let mut signers = of.signers.clone();
    if signers.is_empty() {
        signers.clone_from(&genesis.validators);
    }
    signers.sort();
    let signers = signers.iter().map(|one| one.vote).collect();
    let file = DraftFile::new(genesis.chain(), Draft { epoch: of.epoch, order }, signers);
    write_new(out, file.text())?;
    show(&file);
    Ok(())
}

/// Writes a file anew, whole or not at all.
fn replace(path: &Path, text: &str) -> Done {
    let named = |error| Failure::input(format!("{}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(named)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(named)?;
    file.as_file().sync_all().map_err(named)?;
    file.persist(path).map_err(|error| named(error.error))?;
    Ok(())
}

fn show(file: &DraftFile) {
    let DraftFile { chain, draft: Draft { epoch, order }, signers, .. } = file;
    say!("chain       {}", hex::encode_prefixed(chain));
    say!("epoch       {epoch}");
    let set = match order {
        Order::Validators(set) => set,
        Order::Link { chain, set } => {
            say!("links       {}", hex::encode_prefixed(chain));
            set
        }
    };
    say!("from epoch  {}", set.from);
    for Validator { identity, vote } in &set.validators {
        say!("validator   {}:{}", hex::encode(identity), hex::encode(vote));
    }
    say!("signed by   {} of {}", file.signed(), signers.len());
}

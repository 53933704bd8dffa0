//! Flags, and what the exit code says.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sigmill_consensus::client::ClientError;
use sigmill_consensus::keys::KeyError;

/// `println!` for a command: a closed pipe or a full disk ends the run with 1, not with a panic.
macro_rules! say {
    ($($part:tt)*) => { $crate::cli::line(format_args!($($part)*)) };
}

mod accounts;
mod bridge;
mod children;
mod decree;
mod genesis;
mod keygen;
mod load;
mod local;
mod network;
mod prove;
mod query;
mod relay;
mod replay;
mod run;
mod submit;
mod verify_proof;

/// A BFT validator that hands its batches to the mill.
#[derive(Debug, Parser)]
#[command(
    name = "sigmill-consensus",
    version,
    after_help = AFTER_HELP,
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the keys of a validator, or of an account
    Keygen(keygen::Arguments),
    /// Writes the genesis file of a new chain, or shows one
    Genesis(genesis::Arguments),
    /// Writes a file of accounts that all come from one seed
    Accounts(accounts::Arguments),
    /// Runs a validator
    Run(run::Arguments),
    /// Runs a network of validators on this machine, and loads it
    Local(local::Arguments),
    /// Runs two networks on this machine that send to each other
    Bridge(bridge::Arguments),
    /// Verifies and executes recorded blocks as fast as one validator can
    Replay(replay::Arguments),
    /// Signs a transaction and hands it in
    Submit(submit::Arguments),
    /// Drafts what validators decide together: a link to another chain, other validators
    Decree(decree::Arguments),
    /// Carries messages from one chain to another
    Relay(relay::Arguments),
    /// Asks a validator for accounts, records, receipts, blocks
    Query(query::Arguments),
    /// Fetches a proof that a transaction is final, or of what the state has
    Prove(prove::Arguments),
    /// Checks proofs, without a validator
    VerifyProof(verify_proof::Arguments),
    /// Sends transfers at a fixed rate and measures how long they take to be final
    Load(load::Arguments),
}

const AFTER_HELP: &str = "\
A chain of one validator, step by step:
  sigmill-consensus keygen --out validator.key
  sigmill-consensus keygen --account --out my.key
  sigmill-consensus genesis --name try --validator IDENTITY:VOTE --account ADDRESS=1000000
  sigmill-consensus genesis show genesis.toml

Talk to a validator:
  sigmill-consensus query status
  sigmill-consensus submit --key my.key transfer --to ADDRESS --amount 5
  sigmill-consensus prove HASH
  sigmill-consensus verify-proof --trusted genesis.toml HASH.proof
  sigmill-consensus load --seed s --accounts 60000 --rate 1000 --seconds 60

Exit codes:
  0  all well
  1  the check or the load failed, or a validator did not do what was asked
  2  wrong usage or bad input";

/// A run that ends here, and what to tell the user.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// What was asked for did not come true.
    fn check(message: impl fmt::Display) -> Self {
        Failure { code: 1, message: message.to_string() }
    }

    /// The user said or brought something wrong.
    fn input(message: impl fmt::Display) -> Self {
        Failure { code: 2, message: message.to_string() }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Failure::input(error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Url { .. } => Failure::input(error),
            _ => Failure::check(error),
        }
    }
}

type Done = Result<(), Failure>;

/// Prints a line to standard output, or ends the run: quietly where nobody reads on.
fn line(text: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}") {
        if error.kind() != ErrorKind::BrokenPipe {
            eprintln!("error: standard output: {error}");
        }
        std::process::exit(1);
    }
}

/// Runs a future to its end, with sockets and timers.
fn wait_for<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::check(format!("no threads: {error}")))?.block_on(future)
}

/// Writes a new file; one that is there stays as it is.
fn write_new(path: &std::path::Path, bytes: impl AsRef<[u8]>) -> Done {
    let written = std::fs::File::create_new(path).and_then(|mut file| {
        file.write_all(bytes.as_ref())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::input(format!("{}: exists already, and is not overwritten", path.display()))
        }
        _ => Failure::input(format!("{}: {error}", path.display())),
    })
}

/// Parses the command line and runs it.
pub fn run() -> ExitCode {
    // Clap prints its own errors and exits with 2.
    let done = match Arguments::parse().command {
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::Genesis(arguments) => genesis::run(&arguments),
        Command::Accounts(arguments) => accounts::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Local(arguments) => local::run(&arguments),
        Command::Bridge(arguments) => bridge::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Submit(arguments) => submit::run(&arguments),
        Command::Decree(arguments) => decree::run(&arguments),
        Command::Relay(arguments) => relay::run(&arguments),
        Command::Query(arguments) => query::run(&arguments),
        Command::Prove(arguments) => prove::run(&arguments),
        Command::VerifyProof(arguments) => verify_proof::run(&arguments),
        Command::Load(arguments) => load::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

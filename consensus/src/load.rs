//! An open-loop load: transfers at a fixed rate, whatever the validators answer, and how long each
//! took to be final.
//!
//! ```text
//! seed -> Accounts -> Plan (signed ahead of time) -> run -> Outcome -> Receipts::check
//! ```
//!
//! Latency counts from the time at which a transaction was due, not from when it left: a validator
//! that answers slowly cannot slow down the clock that it is measured with.

use std::path::PathBuf;

use crate::client::ClientError;

mod accounts;
mod deliver;
mod follow;
mod plan;
mod receipts;
mod run;
mod tally;

pub use accounts::{ACCOUNTS_LIMIT, Accounts};
pub use plan::{Destination, Plan, TRANSFERS_LIMIT, Terms};
pub use receipts::{Checked, Receipts};
pub use run::{Settings, run};
pub use tally::{Outcome, Progress};

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A number is not allowed.
    #[error("`{field}` is {value}; {allowed} is expected")]
    Range {
        /// Which one.
        field: &'static str,
        /// What it is.
        value: u64,
        /// What it may be.
        allowed: String,
    },
    /// Accounts would have to sign more than once a minute.
    #[error(
        "{rate} transfers a second for {seconds} s take {needed} accounts, as each signs once a \
         minute; there are {accounts}"
    )]
    Accounts {
        /// Transfers a second.
        rate: u64,
        /// For how long.
        seconds: u64,
        /// The accounts that it takes.
        needed: u64,
        /// The accounts that there are.
        accounts: usize,
    },
    /// The hash that names an account's key is none: another seed is needed.
    #[error("account {index} of this seed has no key: take another seed")]
    Key {
        /// The account.
        index: u64,
    },
    /// A file is there that keeps no addresses.
    #[error("{}: keeps no accounts of a load, and is not overwritten", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A validator is of another chain than the plan was signed for.
    #[error("{url}: it is a validator of another chain")]
    Chain {
        /// The validator.
        url: String,
    },
    /// No validator answers; what the last one says.
    #[error("no validator answers: {0}")]
    Silent(ClientError),
    /// There is nobody to send to.
    #[error("no validator is named")]
    Nobody,
}

fn in_range(
    field: &'static str,
    value: u64,
    allowed: std::ops::RangeInclusive<u64>,
) -> Result<(), LoadError> {
    match allowed.contains(&value) {
        true => Ok(()),
        false => Err(LoadError::Range {
            field,
            value,
            allowed: format!("{} to {}", allowed.start(), allowed.end()),
        }),
    }
}

#[cfg(test)]
mod tests;

//! Bitcoin blocks: every signature, proof of work, Merkle root, witness commitment.
//!
//! ```text
//! bytes -> block -> hashes of transactions -> spent outputs -> scripts run -> claims -> engine
//!                                                                 ^                        |
//!                                                                 +------- verdicts -------+
//! ```
//!
//! The scripts are run, not matched against templates, so that whatever the chain accepts as a
//! spend is judged. Not judged: values, fees, lock times of transactions, subsidies, sizes.

mod block;
mod check;
mod claims;
mod commitments;
#[cfg(test)]
mod core_vectors;
mod input;
mod interpreter;
mod outputs;
#[cfg(test)]
mod real_blocks;
mod rules;
mod script;
mod sighash;
mod spend;

pub use check::BlockCheck;
pub use rules::{Network, Rules};

pub(super) use block::is_block;

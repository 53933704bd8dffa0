//! A BFT validator that hands its batches of signatures and hashes to the mill.
//!
//! Ordering is commonware's `simplex`; what is signed, stored and refused is written down in SPEC.md
//! beside this package, which follows it.
//!
//! ```text
//! genesis file -> Genesis -> chain id, Limits, Committee
//! transactions -> hash batch -> recover batch -> senders -> pool -> offers for blocks
//! votes, certificates -> one batch of pinned BIP 340 signatures -> verdicts, offenders
//! ```
//!
//! [`resolve`] is the only way from here into the engine: an answer that the engine could not give
//! is computed on the host, so that a fault is never read as "invalid". [`Crypto`] does the work on
//! transactions with an engine or without one, with the same answers.
//!
//! The feature `validator`, on by default, is what takes part in consensus. Without it: encodings,
//! keys, senders, certificates, proofs, for light clients and other hosts, without an asynchronous
//! runtime.

pub mod address;
pub mod block;
pub mod crypto;
pub mod decree;
mod fields;
pub mod genesis;
pub mod keys;
pub mod proof;
pub mod resolve;
pub mod scheme;
pub mod senders;
pub mod sets;
pub mod state;
pub mod transaction;

#[cfg(feature = "validator")]
pub mod chain;
#[cfg(feature = "validator")]
pub mod client;
#[cfg(feature = "validator")]
pub mod config;
#[cfg(feature = "validator")]
pub mod delay;
#[cfg(feature = "validator")]
pub mod deliveries;
#[cfg(feature = "validator")]
pub mod figures;
#[cfg(feature = "validator")]
pub mod http;
#[cfg(feature = "validator")]
pub mod intake;
#[cfg(feature = "validator")]
pub mod ledger;
#[cfg(feature = "validator")]
pub mod load;
#[cfg(feature = "validator")]
pub mod node;
#[cfg(feature = "validator")]
pub mod pool;
#[cfg(feature = "validator")]
pub mod relay;
#[cfg(feature = "validator")]
pub mod service;
#[cfg(feature = "validator")]
pub mod stages;
#[cfg(feature = "validator")]
pub mod text;

pub use address::Address;
pub use block::{Block, Header};
pub use crypto::Crypto;
pub use fields::DecodeError;
pub use genesis::{Genesis, Limits};
pub use scheme::Committee;
#[cfg(feature = "validator")]
pub use scheme::VoteScheme;
pub use senders::SenderCache;
pub use sets::ValidatorSet;
pub use state::{Account, Record};
pub use transaction::{Action, Message, SignedTransaction, Transaction};

/// Keccak-256, the hash of everything that this package names: chains, blocks, transactions.
pub type Hash = commonware_cryptography::keccak256::Digest;

/// Keccak-256 of the parts, one after the other.
pub(crate) fn keccak(parts: &[&[u8]]) -> Hash {
    use commonware_cryptography::Hasher;
    commonware_cryptography::Keccak256::hash(parts)
}

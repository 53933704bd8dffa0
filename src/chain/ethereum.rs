//! Ethereum blocks: the sender of every transaction, and every hash that the block states.
//!
//! Hashes and recoveries run in the engine; the alloy crates read JSON and RLP, write the bytes
//! that are hashed, and build the transactions' trie.

mod check;
mod read;
#[cfg(test)]
mod vectors;

pub use check::BlockCheck;
pub use read::{Block, Stated, Transaction, transaction};

//! Sigmill is a mill for signatures and hashes: batches in, verdicts out.

pub mod algorithm;
pub mod algorithms;
pub mod backend;
pub mod batch;
#[cfg(feature = "chain")]
pub mod chain;
pub mod error;
pub mod parsed;
pub mod verdict;

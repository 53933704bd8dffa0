//! Placeholder.

use super::{ChainError, Check, Report};
use crate::{batch::Batch, verdict::Answers};

/// Placeholder.
#[derive(Debug)]
pub struct BlockCheck {}

impl BlockCheck {
    /// Placeholder.
    pub fn new(_: &[u8]) -> Result<Self, ChainError> {
        let why = "not read here".into();
        Err(ChainError::Malformed { what: "Ethereum block".into(), why })
    }
}

impl Check for BlockCheck {
    fn round(&mut self, _: &[Answers]) -> Vec<Batch> {
        Vec::new()
    }

    fn report(&self) -> Report {
        Report::new(super::Kind::EthereumBlock)
    }
}

//! Hashes of the transactions of the last blocks.

use std::collections::{HashSet, VecDeque};

/// Blocks that are remembered.
pub(super) const BLOCKS: usize = 64;
/// Hashes that are remembered; the last block always is.
pub(super) const HASHES: usize = 500_000;

/// Hashes of the last blocks' transactions.
#[derive(Debug, Default)]
pub(super) struct Recent {
    blocks: VecDeque<Vec<[u8; 32]>>,
    hashes: HashSet<[u8; 32]>,
}

impl Recent {
    pub fn contains(&self, hash: &[u8; 32]) -> bool {
        self.hashes.contains(hash)
    }

    /// Adds a block and forgets the oldest ones over the limits. No hash is in two blocks: a
    /// transaction takes effect once.
    pub fn push(&mut self, block: Vec<[u8; 32]>) {
        self.hashes.extend(&block);
        self.blocks.push_back(block);
        while self.blocks.len() > BLOCKS || self.blocks.len() > 1 && self.hashes.len() > HASHES {
            for hash in self.blocks.pop_front().into_iter().flatten() {
                self.hashes.remove(&hash);
            }
        }
    }
}

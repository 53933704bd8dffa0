//! A block as commonware's consensus sees it.

use commonware_consensus::types::Height;
use commonware_consensus::{BoundedBlock, Heightable};

use super::Block;
use crate::Hash;
use crate::genesis::Limits;

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.header.height)
    }
}

impl commonware_consensus::Block for Block {
    fn parent(&self) -> Hash {
        self.header.parent
    }
}

impl BoundedBlock for Block {
    fn max_encode_size(limits: &Limits) -> usize {
        4 + limits.block_bytes as usize
    }
}

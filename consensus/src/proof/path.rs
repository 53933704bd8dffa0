//! Paths in the tree of a block's transactions: Bitcoin's, over double SHA-256 (SPEC.md, 8).

use crate::crypto::above;
use crate::fields::{DecodeError, Fields};

/// The siblings from a leaf upward, 32 bytes each. A node without one is its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub(super) Vec<[u8; 32]>);

/// Siblings of every path in a tree of so many leaves: ceil(log2 leaves).
pub fn depth(leaves: u32) -> usize {
    (u32::BITS - leaves.saturating_sub(1).leading_zeros()) as usize
}

impl Path {
    /// The siblings, from the leaf's upward.
    pub fn siblings(&self) -> &[[u8; 32]] {
        &self.0
    }

    /// The root that it leads to from a leaf, on the host. A node that stands alone is its own sibling.
    pub fn root(&self, index: u32, leaf: [u8; 32]) -> [u8; 32] {
        let climb = |(node, index): ([u8; 32], u32), sibling: &[u8; 32]| {
            let pair = if index & 1 == 0 { [node, *sibling] } else { [*sibling, node] };
            (above(&pair)[0], index >> 1)
        };
        self.0.iter().fold((leaf, index), climb).0
    }

    pub(super) fn read(fields: &mut Fields<'_>, depth: usize) -> Result<Self, DecodeError> {
        let bytes = fields.take("path", 32 * depth)?;
        Ok(Path(bytes.as_chunks().0.to_vec()))
    }
}

/// Paths of the leaves at these places, which are below the number of leaves.
///
/// # Panics
/// A place is not.
pub fn paths(leaves: &[[u8; 32]], places: &[u32]) -> Vec<Path> {
    assert!(
        places.iter().all(|&place| (place as usize) < leaves.len()),
        "a leaf that is not there"
    );
    let mut paths = vec![Path(Vec::with_capacity(depth(leaves.len() as u32))); places.len()];
    let mut level = leaves.to_vec();
    let mut height = 0;
    while level.len() > 1 {
        for (path, place) in paths.iter_mut().zip(places) {
            let sibling = (*place as usize >> height) ^ 1;
            path.0.push(level[sibling.min(level.len() - 1)]);
        }
        level = above(&level);
        height += 1;
    }
    paths
}

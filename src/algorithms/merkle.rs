#![doc = include_str!("merkle/SPEC.md")]

use std::ops::Range;

use crate::algorithms::sha256::hash_twice;
use crate::batch::{Batch, Column};
use crate::verdict::{Reason, Verdict};

/// A node: 32 bytes, in the order in which they are hashed.
pub type Node = [u8; 32];

/// Roots of the trees in the range; `out` has its length.
pub fn roots(trees: &Column, range: Range<usize>, out: &mut [Node]) {
    let mut level = Vec::new();
    for (index, out) in range.zip(out) {
        *out = root_in(trees.get(index).as_chunks().0, &mut level);
    }
}

/// Root of a tree; zeros for a tree without leaves, the leaf itself for a tree of one.
pub fn root(leaves: &[Node]) -> Node {
    root_in(leaves, &mut Vec::new())
}

fn root_in(leaves: &[Node], level: &mut Vec<Node>) -> Node {
    level.clear();
    level.extend_from_slice(leaves);
    while level.len() > 1 {
        halve(level);
    }
    level.first().copied().unwrap_or_default()
}

/// Replaces a level by the one above.
fn halve(level: &mut Vec<Node>) {
    let above = level.len().div_ceil(2);
    for i in 0..above {
        let left = level[2 * i];
        // An odd level repeats its last node.
        let right = level.get(2 * i + 1).copied().unwrap_or(left);
        level[i] = parent(&left, &right);
    }
    level.truncate(above);
}

fn parent(left: &Node, right: &Node) -> Node {
    let mut both = [0; 64];
    both[..32].copy_from_slice(left);
    both[32..].copy_from_slice(right);
    hash_twice(&both)
}

/// The siblings from leaf `index` upward; `None` past the last leaf.
pub fn path(leaves: &[Node], mut index: usize) -> Option<Vec<Node>> {
    if index >= leaves.len() {
        return None;
    }
    let mut level = leaves.to_vec();
    let mut path = Vec::new();
    while level.len() > 1 {
        let sibling = level.get(index ^ 1).unwrap_or(&level[index]);
        path.push(*sibling);
        halve(&mut level);
        index /= 2;
    }
    Some(path)
}

/// Verifies the proofs of the range; `out` has its length.
pub fn verify_proofs(proofs: &Batch, range: Range<usize>, out: &mut [Verdict]) {
    for (item, out) in range.zip(out) {
        let target: &[u8; 36] = proofs.column(2).array(item);
        let (root, index) = target.split_first_chunk().expect("36 bytes");
        let index = u32::from_le_bytes(index.try_into().expect("four bytes"));
        let path = proofs.column(1).get(item).as_chunks().0;
        *out = verify(proofs.column(0).array(item), index, path, root);
    }
}

/// Whether `leaf` lies at `index` of a tree with this root. An index that does not fit the path's
/// length is an encoding error.
pub fn verify(leaf: &Node, index: u32, path: &[Node], root: &Node) -> Verdict {
    if u64::from(index) >> path.len().min(63) != 0 {
        return Verdict::Invalid(Reason::Encoding);
    }
    let mut node = *leaf;
    for (height, sibling) in path.iter().enumerate() {
        let right = index >> height & 1 == 1;
        node = if right { parent(sibling, &node) } else { parent(&node, sibling) };
    }
    if node == *root { Verdict::Valid } else { Verdict::Invalid(Reason::Equation) }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn leaves(count: usize) -> Vec<Node> {
        (0..count).map(|i| Sha256::digest((i as u64).to_le_bytes()).into()).collect()
    }

    fn naive(level: &[Node]) -> Node {
        if level.len() == 1 {
            return level[0];
        }
        let up = |pair: &[Node]| -> Node {
            let once = Sha256::digest([pair[0], pair[pair.len() - 1]].concat());
            Sha256::digest(once).into()
        };
        naive(&level.chunks(2).map(up).collect::<Vec<_>>())
    }

    #[test]
    fn roots_agree_with_a_naive_recursion() {
        assert_eq!(root(&[]), [0; 32]);
        for count in (1..40).chain([63, 64, 65, 127, 128, 129, 1_023, 1_025]) {
            let leaves = leaves(count);
            assert_eq!(root(&leaves), naive(&leaves), "{count} leaves");
        }
    }

    /// CVE-2012-2459: a list that ends in a repeated pair shares its root with the shorter one.
    #[test]
    fn repeated_tails_share_a_root() {
        let mut leaves = leaves(6);
        let root_of_six = root(&leaves);
        leaves.extend_from_within(4..);
        assert_eq!(root(&leaves), root_of_six);
    }

    #[test]
    fn every_path_proves_its_leaf_and_no_other() {
        for count in [1, 2, 3, 5, 8, 13] {
            let leaves = leaves(count);
            let root = root(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let path = path(&leaves, index).expect("a leaf");
                let at = |index: u32| verify(leaf, index, &path, &root);
                assert_eq!(at(index as u32), Verdict::Valid);
                assert_eq!(
                    at(index as u32 + (1 << path.len())),
                    Verdict::Invalid(Reason::Encoding)
                );
                for level in 0..path.len() {
                    let mut wrong = path.clone();
                    wrong[level][7] ^= 1;
                    let verdict = verify(leaf, index as u32, &wrong, &root);
                    assert_eq!(verdict, Verdict::Invalid(Reason::Equation));
                }
                let mut wrong = *leaf;
                wrong[31] ^= 0x80;
                let verdict = verify(&wrong, index as u32, &path, &root);
                assert_eq!(verdict, Verdict::Invalid(Reason::Equation));
            }
            assert_eq!(path(&leaves, count), None);
        }
    }
}

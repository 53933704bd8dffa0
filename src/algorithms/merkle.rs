#![doc = include_str!("merkle/SPEC.md")]

use std::ops::Range;

use crate::algorithms::sha256::{Plan, hash_twice};
use crate::batch::{Batch, Column};
use crate::verdict::{Reason, Verdict};

mod proof;
mod tree;

/// A node: 32 bytes, in the order in which they are hashed.
pub type Node = [u8; 32];

/// Who works on a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The calling thread alone.
    This,
    /// The rayon pool that the calling thread belongs to.
    Pool,
}

impl Threads {
    fn join(self, left: impl FnOnce() + Send, right: impl FnOnce() + Send) {
        match self {
            Threads::This => {
                left();
                right();
            }
            Threads::Pool => {
                rayon::join(left, right);
            }
        }
    }
}

/// Roots of the trees in the range; `out` has its length.
pub fn roots(plan: Plan, threads: Threads, trees: &Column, range: Range<usize>, out: &mut [Node]) {
    tree::roots(plan, threads, trees, range.start, out);
}

/// Root of a tree; zeros for a tree without leaves, the leaf itself for a tree of one.
pub fn root(leaves: &[Node]) -> Node {
    tree::root_of(Plan::PORTABLE, Threads::This, leaves)
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
        let above = |pair: &[Node]| parent(&pair[0], &pair[pair.len() - 1]);
        level = level.chunks(2).map(above).collect();
        index /= 2;
    }
    Some(path)
}

/// Verifies the proofs of the range; `out` has its length.
pub fn verify_proofs(plan: Plan, proofs: &Batch, range: Range<usize>, out: &mut [Verdict]) {
    proof::verify(plan, proofs, range, out);
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
    use crate::isa::Isa;
    use crate::{Algorithm, Job};

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

    /// Each plan of each level; what the machine lacks is named by the tests of SHA-256.
    fn plans() -> Vec<Plan> {
        Isa::all().into_iter().flat_map(Plan::all).collect()
    }

    #[test]
    fn big_trees_by_every_plan_with_and_without_help() {
        for count in [1_023, 1_024, 1_025, 1_026, 2_047, 2_048, 2_049, 4_100, 65_535, 65_537] {
            let leaves = leaves(count);
            let expected = naive(&leaves);
            let plans = plans();
            // The biggest trees by the best kernel alone.
            let first = if count > 10_000 { plans.len() - 1 } else { 0 };
            for &plan in &plans[first..] {
                for threads in [Threads::This, Threads::Pool] {
                    let root = tree::root_of(plan, threads, &leaves);
                    assert_eq!(root, expected, "{count} leaves, {plan}");
                }
            }
        }
    }

    /// All trees differ, so one that ends in another's place would be seen.
    #[test]
    fn many_trees_in_one_batch() {
        let all = leaves(20_000);
        let counts: Vec<_> = (0..140).chain([3_000, 0, 1, 2, 1_024, 5, 255, 256, 257]).collect();
        let mut at = 0;
        let mut batch = Batch::open(Algorithm::MerkleRootSha256d);
        let mut expected = Vec::new();
        for &count in &counts {
            let leaves = &all[at..at + count];
            at += count;
            batch.push(Job::MerkleRoot { leaves }).expect("room");
            expected.push(if count == 0 { [0; 32] } else { naive(leaves) });
        }
        let batch = batch.seal();
        for plan in plans() {
            for threads in [Threads::This, Threads::Pool] {
                for range in [0..counts.len(), 0..1, 3..60, 139..counts.len()] {
                    let mut out = vec![[1; 32]; range.len()];
                    roots(plan, threads, batch.column(0), range.clone(), &mut out);
                    assert_eq!(out, expected[range], "{plan}");
                }
            }
        }
    }

    #[test]
    fn many_proofs_in_one_batch() {
        let mut batch = Batch::open(Algorithm::MerkleProofSha256d);
        let mut expected = Vec::new();
        for count in (1..40).chain([100, 300]) {
            let leaves = leaves(count);
            let root = root(&leaves);
            for index in (0..count).step_by(1 + count / 4) {
                let mut path = path(&leaves, index).expect("a leaf");
                let mut index = index as u32;
                match expected.len() % 5 {
                    1 => index ^= 1,
                    2 => index += 1 << path.len(),
                    3 if !path.is_empty() => path[0][5] ^= 1,
                    _ => {}
                }
                let leaf = &leaves[index as usize % count];
                expected.push(verify(leaf, index, &path, &root));
                batch
                    .push(Job::MerkleProof { leaf, index, path: &path, root: &root })
                    .expect("room");
            }
        }
        assert!(expected.iter().filter(|verdict| verdict.is_valid()).count() > 40);
        assert!(expected.iter().filter(|verdict| !verdict.is_valid()).count() > 40);
        let batch = batch.seal();
        for plan in plans() {
            for range in [0..batch.len(), 5..6, 7..90, 3..3] {
                let mut out = vec![Verdict::Invalid(Reason::Empty); range.len()];
                verify_proofs(plan, &batch, range.clone(), &mut out);
                assert_eq!(out, expected[range], "{plan}");
            }
        }
    }
}

//! Roots, level by level in lanes: big trees in pieces that end together, small ones side by side.

use rayon::prelude::*;

use super::{Node, Threads};
use crate::algorithms::secp256k1::scratch;
use crate::algorithms::sha256::{Plan, digest_64_twice};
use crate::batch::Column;

/// Leaves of one piece of a big tree: its levels stay in the first cache.
const PIECE: usize = 1 << 10;
/// Levels by which a piece rises: it ends at 16 nodes, so that lanes are full to the end.
const HEIGHT: usize = 6;
/// Leaves of small trees that are worked on together.
const GROUP: usize = 1 << 11;

/// Nodes of a level that are kept as memory: those of a block's tree, not of the largest.
const KEPT: usize = 1 << 14;

/// Working memory of a thread.
#[derive(Default)]
struct Memory {
    level: Vec<Node>,
    above: Vec<Node>,
    /// Trees that have no root yet: nodes of the level, and which.
    rising: Vec<(usize, usize)>,
}

impl Memory {
    fn put(self: Box<Self>) {
        if self.level.capacity().max(self.above.capacity()) <= KEPT {
            scratch::put(self);
        }
    }
}

/// Roots of the trees from `first` on, one for each entry of `out`.
pub(super) fn roots(plan: Plan, threads: Threads, trees: &Column, first: usize, out: &mut [Node]) {
    let tree = |index: usize| -> &[Node] { trees.get(index).as_chunks().0 };
    let range = first..first + out.len();
    let leaves: usize = range.clone().map(|index| tree(index).len()).sum();
    match out {
        [] => {}
        [root] => *root = root_of(plan, threads, tree(first)),
        _ if leaves > GROUP => {
            let middle = out.len() / 2;
            let (left, right) = out.split_at_mut(middle);
            threads.join(
                || roots(plan, threads, trees, first, left),
                || roots(plan, threads, trees, first + middle, right),
            );
        }
        _ => {
            let mut memory = scratch::take::<Memory>();
            side_by_side(plan, &mut memory, range.map(tree), out);
            memory.put();
        }
    }
}

/// Root of one tree.
pub(super) fn root_of(plan: Plan, threads: Threads, leaves: &[Node]) -> Node {
    let mut memory = scratch::take::<Memory>();
    let Memory { level, above, .. } = &mut *memory;
    let mut nodes = leaves;
    while nodes.len() > PIECE {
        above.resize(nodes.len().div_ceil(1 << HEIGHT), Node::default());
        let rise = |(nodes, out): (&[Node], &mut [Node])| rise(plan, HEIGHT, nodes, out);
        match threads {
            Threads::Pool => {
                nodes.par_chunks(PIECE).zip(above.par_chunks_mut(PIECE >> HEIGHT)).for_each(rise);
            }
            Threads::This => {
                nodes.chunks(PIECE).zip(above.chunks_mut(PIECE >> HEIGHT)).for_each(rise);
            }
        }
        std::mem::swap(level, above);
        nodes = level;
    }
    let mut root = [Node::default()];
    if !nodes.is_empty() {
        let height = nodes.len().next_power_of_two().trailing_zeros() as usize;
        rise(plan, height, nodes, &mut root);
    }
    memory.put();
    root[0]
}

/// The nodes `height` levels above up to [`PIECE`] nodes. A level of odd length repeats its last
/// node: so does every level of the last piece that is shorter than the others, as long as there
/// are levels to rise.
fn rise(plan: Plan, height: usize, nodes: &[Node], out: &mut [Node]) {
    if height == 0 {
        return out.copy_from_slice(nodes);
    }
    let mut level: &mut [Node] = &mut [Node::default(); PIECE / 2];
    let mut above: &mut [Node] = &mut [Node::default(); PIECE / 4];
    let (pairs, odd) = nodes.as_chunks::<2>();
    let mut length = pairs.len();
    hash_pairs(plan, pairs, level);
    if let [last] = odd {
        hash_pairs(plan, &[[*last; 2]], &mut level[length..]);
        length += 1;
    }
    for _ in 1..height {
        if length % 2 == 1 {
            level[length] = level[length - 1];
            length += 1;
        }
        let pairs = level[..length].as_chunks().0;
        length = pairs.len();
        hash_pairs(plan, pairs, above);
        (level, above) = (above, level);
    }
    out.copy_from_slice(&level[..length]);
}

fn hash_pairs(plan: Plan, pairs: &[[Node; 2]], out: &mut [Node]) {
    let bytes = pairs.as_flattened().as_flattened();
    digest_64_twice(plan, bytes.as_chunks().0, &mut out[..pairs.len()]);
}

/// Roots of several trees, each level of all of them together.
fn side_by_side<'a>(
    plan: Plan,
    memory: &mut Memory,
    trees: impl Iterator<Item = &'a [Node]>,
    out: &mut [Node],
) {
    let Memory { level, above, rising } = memory;
    level.clear();
    rising.clear();
    for (index, leaves) in trees.enumerate() {
        match leaves {
            [] => out[index] = Node::default(),
            [leaf] => out[index] = *leaf,
            _ => {
                push_even(level, leaves);
                rising.push((leaves.len(), index));
            }
        }
    }
    while !rising.is_empty() {
        let pairs = level.as_chunks().0;
        above.resize(pairs.len(), Node::default());
        hash_pairs(plan, pairs, above);
        level.clear();
        let mut rest = &above[..];
        rising.retain_mut(|(length, index)| {
            *length = length.div_ceil(2);
            let (nodes, others) = rest.split_at(*length);
            rest = others;
            if let [node] = nodes {
                out[*index] = *node;
            } else {
                push_even(level, nodes);
            }
            nodes.len() > 1
        });
    }
}

/// Appends a level, and its last node again if its length is odd.
fn push_even(level: &mut Vec<Node>, nodes: &[Node]) {
    level.extend_from_slice(nodes);
    if nodes.len() % 2 == 1 {
        level.extend(nodes.last());
    }
}

//! Inclusion proofs: many at once, each step of all of them in lanes.

use std::ops::Range;

use arrayvec::ArrayVec;

use super::Node;
use crate::algorithms::sha256::{Plan, digest_64_twice};
use crate::batch::Batch;
use crate::verdict::{Reason, Verdict};

/// Proofs on their way at once: a multiple of every level's lanes.
const CLIMBERS: usize = 64;

/// A proof between two levels.
struct Climber<'a> {
    /// Its position in `out`.
    item: usize,
    index: u32,
    node: Node,
    /// The siblings to come.
    path: &'a [Node],
    root: &'a Node,
}

/// Verifies the proofs of the range; `out` has its length.
pub(super) fn verify(plan: Plan, proofs: &Batch, range: Range<usize>, out: &mut [Verdict]) {
    let mut queue = range.enumerate();
    let mut climbers = ArrayVec::<Climber<'_>, CLIMBERS>::new();
    let mut pairs = [[0; 64]; CLIMBERS];
    let mut nodes = [Node::default(); CLIMBERS];
    loop {
        while !climbers.is_full()
            && let Some((item, position)) = queue.next()
        {
            let climber = climber(proofs, item, position);
            if u64::from(climber.index) >> climber.path.len().min(63) != 0 {
                out[item] = Verdict::Invalid(Reason::Encoding);
            } else if climber.path.is_empty() {
                out[item] = climber.verdict();
            } else {
                climbers.push(climber);
            }
        }
        if climbers.is_empty() {
            return;
        }
        for (pair, climber) in pairs.iter_mut().zip(&climbers) {
            *pair = climber.pair();
        }
        let busy = climbers.len();
        digest_64_twice(plan, &pairs[..busy], &mut nodes[..busy]);
        let mut above = nodes.iter();
        climbers.retain(|climber| {
            climber.rise(above.next().expect("one node a climber"));
            if climber.path.is_empty() {
                out[climber.item] = climber.verdict();
            }
            !climber.path.is_empty()
        });
    }
}

fn climber(proofs: &Batch, item: usize, position: usize) -> Climber<'_> {
    let target: &[u8; 36] = proofs.column(2).array(position);
    let (root, index) = target.split_first_chunk().expect("36 bytes");
    Climber {
        item,
        index: u32::from_le_bytes(index.try_into().expect("four bytes")),
        node: *proofs.column(0).array(position),
        path: proofs.column(1).get(position).as_chunks().0,
        root,
    }
}

impl Climber<'_> {
    /// The node and its sibling, in order.
    fn pair(&self) -> [u8; 64] {
        let (left, right) = match self.index & 1 {
            0 => (&self.node, &self.path[0]),
            _ => (&self.path[0], &self.node),
        };
        let mut pair = [0; 64];
        pair[..32].copy_from_slice(left);
        pair[32..].copy_from_slice(right);
        pair
    }

    fn rise(&mut self, node: &Node) {
        self.node = *node;
        self.index >>= 1;
        self.path = &self.path[1..];
    }

    fn verdict(&self) -> Verdict {
        match self.node == *self.root {
            true => Verdict::Valid,
            false => Verdict::Invalid(Reason::Equation),
        }
    }
}

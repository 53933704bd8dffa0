//! Merkle trees: leaves up, roots back.
//!
//! A part holds whole trees, or a piece of a tree too big for one part: 2^k leaves, the last piece as
//! many as are left. A piece rises by k levels to one node. That is the tree's own node: the pieces
//! before the last have an even number of nodes on every level below, so that where the tree repeats
//! its last node the last piece does. The few nodes left are the host's.

use std::borrow::Cow;
use std::ops::Range;

use crate::algorithms::merkle;
use crate::backend::gpu::messages::{checksum, ends_bytes, lay_out, split, start};
use crate::backend::gpu::part::{Params, Part, Piece, Sent};
use crate::backend::gpu::program::Kernel;
use crate::backend::gpu::sizes::{DIGEST_RECORD, Sizes};
use crate::error::Fault;
use crate::parsed::Parsed;
use crate::verdict::Evidence;

/// The trees or the piece of the next part.
pub(crate) fn cut(batch: &Parsed, sent: Sent, sizes: Sizes) -> (Range<usize>, Range<usize>) {
    let column = batch.batch().column(0);
    let first = sent.items;
    let most = sizes.leaves() * 32;
    let end = column.ends()[first] as usize;
    if end - start(column, first) > most {
        let piece = sent.bytes..end.min(sent.bytes + most);
        return (first..first + usize::from(piece.end == end), piece);
    }
    let ends = &column.ends()[first..batch.live().min(first + sizes.items)];
    let fits = |&(index, &end): &(usize, &u32)| {
        let leaves = end as usize - sent.bytes;
        leaves <= most && ends_bytes(index + 1) + leaves <= sizes.input
    };
    // The first tree fits: room for its end is what the columns have besides the most leaves.
    let count = ends.iter().enumerate().take_while(fits).count().max(1);
    (first..first + count, sent.bytes..ends[count - 1] as usize)
}

/// Whether it is a piece of a tree.
fn is_piece(part: &Part, batch: &Parsed) -> bool {
    let column = batch.batch().column(0);
    part.items.is_empty() || part.bytes.start != start(column, part.items.start)
}

/// Records that come back.
fn records(part: &Part) -> usize {
    part.items.len().max(1)
}

/// The parameters of a part.
pub(crate) fn params(part: &Part, batch: &Parsed, sizes: Sizes) -> Params {
    let items = records(part);
    Params {
        items: items as u32,
        stride: ends_bytes(items) as u32 / 16,
        first: part.items.start as u32,
        nonce: part.nonce,
        algorithm: 0,
        share: 0,
        base: part.bytes.start as u32,
        rise: if is_piece(part, batch) { sizes.leaves().ilog2() } else { 0 },
        ..bytemuck::Zeroable::zeroed()
    }
}

/// The operands: where each tree ends, then all leaves.
pub(crate) fn pieces<'a>(part: &Part, batch: &'a Parsed) -> Vec<Piece<'a>> {
    let column = batch.batch().column(0);
    let ends = if is_piece(part, batch) {
        Cow::Owned(vec![part.bytes.end as u32])
    } else {
        Cow::Borrowed(&column.ends()[part.items.clone()])
    };
    lay_out(ends, &column.bytes()[part.bytes.clone()])
}

/// A dispatch for each level of the highest tree, at least one, with the slots of the level above.
pub(crate) fn steps(part: &Part, batch: &Parsed, sizes: Sizes) -> Vec<(Kernel, usize)> {
    let column = batch.batch().column(0);
    let height = |leaves: usize| leaves.max(1).next_power_of_two().ilog2() as usize;
    let levels = if is_piece(part, batch) {
        sizes.leaves().ilog2() as usize
    } else {
        part.items.clone().map(|tree| height(column.get(tree).len() / 32)).max().unwrap_or(0)
    };
    let mut steps = vec![(Kernel::MerkleStart, 1)];
    for level in 1..=levels.max(1) {
        let slots = ((part.bytes.len() / 32) >> level) + records(part);
        steps.extend([(Kernel::MerkleRise, slots), (Kernel::MerkleNext, 1)]);
    }
    steps
}

/// Appends the roots to the evidence of the batch. Nodes of pieces wait there for the last of them.
///
/// # Errors
/// A record that was not written, belongs to another part or tree, or was made of other leaves.
pub(crate) fn collect(
    part: &Part,
    batch: &Parsed,
    bytes: &[u8],
    evidence: &mut Evidence,
) -> Result<(), Fault> {
    let column = batch.batch().column(0);
    let Evidence::Digests(roots) = evidence else { return Err(Fault::BadEvidence) };
    let records = Part::records::<DIGEST_RECORD>(bytes, records(part))?;
    let first = part.items.start;
    let mut node = |record: &[u8; DIGEST_RECORD], tree: usize, leaves: &[u8]| {
        let (node, tail) = split(record);
        let status = part.check(batch, tree, tail, || checksum::<64>(part.nonce, leaves))?;
        roots.push(node);
        if status == 1 { Ok(()) } else { Err(Fault::BadEvidence) }
    };
    if is_piece(part, batch) {
        node(&records[0], first, &column.bytes()[part.bytes.clone()])?;
        if !part.items.is_empty() {
            let nodes = roots.split_off(first);
            roots.push(merkle::root(&nodes));
        }
        return Ok(());
    }
    for (tree, record) in part.items.clone().zip(records) {
        node(record, tree, column.get(tree))?;
    }
    Ok(())
}

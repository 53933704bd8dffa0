//! Messages to be hashed: how a part's bytes are laid out for the device, and what its records say.

use std::borrow::Cow;
use std::ops::Range;

use crate::algorithm::Algorithm;
use crate::algorithms::keccak256::{self, RATE};
use crate::algorithms::sha256;
use crate::backend::gpu::part::{Params, Part, Piece, Sent};
use crate::backend::gpu::program::Kernel;
use crate::backend::gpu::sizes::{DIGEST_RECORD, RECORD, Sizes};
use crate::batch::Column;
use crate::error::Fault;
use crate::parsed::Parsed;
use crate::verdict::Evidence;

/// Where an item begins in a column of items of any length.
pub(crate) fn start(column: &Column, item: usize) -> usize {
    item.checked_sub(1).map_or(0, |before| column.ends()[before] as usize)
}

/// Bytes that the ends of so many items take before the bytes begin.
pub(crate) fn ends_bytes(items: usize) -> usize {
    (items * 4).next_multiple_of(16)
}

/// The messages of the next part: as many as there are records for and bytes in the columns. A message
/// longer than the columns makes a part of its own, of which no byte goes up.
pub(crate) fn cut(batch: &Parsed, sent: Sent, sizes: Sizes) -> (Range<usize>, Range<usize>) {
    let column = batch.batch().column(0);
    let (first, base) = (sent.items, start(column, sent.items));
    let most = sizes.items * RECORD / DIGEST_RECORD;
    let ends = &column.ends()[first..batch.live().min(first + most)];
    let fits = |&(index, &end): &(usize, &u32)| {
        // The last word goes up whole.
        ends_bytes(index + 1) + (end as usize - base).next_multiple_of(4) <= sizes.input
    };
    match ends.iter().enumerate().take_while(fits).count() {
        0 => (first..first + 1, base..base),
        count => (first..first + count, base..ends[count - 1] as usize),
    }
}

/// Whether its one message is too long for the device.
fn is_too_long(part: &Part, column: &Column) -> bool {
    start(column, part.items.end) != part.bytes.end
}

/// The parameters of a part.
pub(crate) fn params(part: &Part, batch: &Parsed) -> Params {
    let items = part.items.len();
    Params {
        items: items as u32,
        stride: ends_bytes(items) as u32 / 4,
        first: part.items.start as u32,
        nonce: part.nonce,
        algorithm: match batch.algorithm() {
            Algorithm::Sha256d => 1,
            Algorithm::Keccak256 => 2,
            _ => 0,
        },
        share: 0,
        base: part.bytes.start as u32,
        rise: 0,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// The operands: where each message ends, then the bytes of all.
pub(crate) fn pieces<'a>(part: &Part, batch: &'a Parsed) -> Vec<Piece<'a>> {
    let column = batch.batch().column(0);
    if is_too_long(part, column) {
        return lay_out(Cow::Owned(vec![part.bytes.end as u32]), &[]);
    }
    let ends = &column.ends()[part.items.clone()];
    lay_out(Cow::Borrowed(ends), &column.bytes()[part.bytes.clone()])
}

/// Ends, then bytes; what is left of the last word goes up with zeros.
pub(crate) fn lay_out<'a>(ends: Cow<'a, [u32]>, bytes: &'a [u8]) -> Vec<Piece<'a>> {
    let at = ends_bytes(ends.len());
    let (whole, rest) = bytes.split_at(bytes.len() / 4 * 4);
    let mut pieces: Vec<Piece<'_>> = vec![(
        0,
        match ends {
            Cow::Borrowed(ends) => bytemuck::cast_slice(ends).into(),
            Cow::Owned(ends) => bytemuck::cast_slice(&ends).to_vec().into(),
        },
    )];
    if !whole.is_empty() {
        pieces.push((at, whole.into()));
    }
    if !rest.is_empty() {
        let mut word = [0; 4];
        word[..rest.len()].copy_from_slice(rest);
        pieces.push((at + whole.len(), word.to_vec().into()));
    }
    pieces
}

/// Bytes of a message that one dispatch takes: see `sha256.wgsl` and `keccak256.wgsl`.
const SHA256_BYTES: usize = 16_384 * 64;
const KECCAK256_BYTES: usize = 2_048 * RATE;

/// The kernel, as often as the longest message wants it.
pub(crate) fn steps(part: &Part, batch: &Parsed) -> Vec<(Kernel, usize)> {
    let column = batch.batch().column(0);
    let lengths = part.items.clone().map(|item| column.get(item).len());
    // What went up is all that is hashed. Padding is less than two blocks, a second hash one.
    let longest = lengths.max().unwrap_or(0).min(part.bytes.len());
    let (kernel, bytes) = match batch.algorithm() {
        Algorithm::Keccak256 => (Kernel::Keccak256, KECCAK256_BYTES),
        _ => (Kernel::Sha256, SHA256_BYTES),
    };
    vec![(kernel, part.items.len()); (longest + 3 * RATE).div_ceil(bytes)]
}

/// The checksum of a device that read these bytes: the sum of the words of each block, little-endian,
/// times an odd number that goes with the block's place. One wrong word always changes it. Sums are
/// quick on both sides: the host reads all that it sent once more.
pub(crate) fn checksum<const BLOCK: usize>(nonce: u32, bytes: &[u8]) -> u32 {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let words = |block: &[u8; BLOCK]| -> u32 {
        let words = block.as_chunks::<4>().0;
        words.iter().fold(0, |sum, word| sum.wrapping_add(u32::from_le_bytes(*word)))
    };
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    let mut sum = nonce.wrapping_add(bytes.len() as u32);
    let mut weight = 1u32;
    for block in blocks.iter().chain([&last]) {
        sum = sum.wrapping_add(weight.wrapping_mul(words(block)));
        weight = weight.wrapping_add(2);
    }
    sum
}

/// A record as its digest and the four words at its end.
pub(crate) fn split(record: &[u8; DIGEST_RECORD]) -> ([u8; 32], [u32; 4]) {
    let (digest, tail) = record.split_first_chunk().expect("a record is longer");
    (*digest, bytemuck::pod_read_unaligned(tail))
}

/// Appends the digests to the evidence of the batch.
///
/// # Errors
/// A record that was not written, belongs to another part or item, or was made of other bytes.
pub(crate) fn collect(
    part: &Part,
    batch: &Parsed,
    bytes: &[u8],
    evidence: &mut Evidence,
) -> Result<(), Fault> {
    let column = batch.batch().column(0);
    let Evidence::Digests(digests) = evidence else { return Err(Fault::BadEvidence) };
    let records = Part::records::<DIGEST_RECORD>(bytes, part.items.len())?;
    let too_long = is_too_long(part, column);
    for (item, record) in part.items.clone().zip(records) {
        let (digest, tail) = split(record);
        let message = if too_long { &[] } else { column.get(item) };
        let expected = || match batch.algorithm() {
            Algorithm::Keccak256 => checksum::<RATE>(part.nonce, message),
            _ => checksum::<64>(part.nonce, message),
        };
        if part.check(batch, item, tail, expected)? != 1 {
            return Err(Fault::BadEvidence);
        }
        digests.push(if too_long { hash(batch.algorithm(), column.get(item)) } else { digest });
    }
    Ok(())
}

/// A message that the device has no room for.
fn hash(algorithm: Algorithm, message: &[u8]) -> [u8; 32] {
    match algorithm {
        Algorithm::Sha256d => sha256::hash_twice(message),
        Algorithm::Keccak256 => keccak256::hash(message),
        _ => sha256::hash(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any bit, and the length, changes it.
    #[test]
    fn checksums_see_every_bit() {
        for length in [0, 1, 4, 63, 64, 65, 200, 1_000] {
            let mut bytes: Vec<u8> = (0..length).map(|i| (i * 37) as u8).collect();
            let sums = |bytes: &[u8]| [checksum::<64>(7, bytes), checksum::<RATE>(7, bytes)];
            let before = sums(&bytes);
            for bit in 0..8 * length {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let after = sums(&bytes);
                assert!(before[0] != after[0] && before[1] != after[1], "{length}: {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            bytes.push(0);
            assert!(sums(&bytes) != before, "{length}");
        }
    }
}

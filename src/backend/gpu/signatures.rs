//! Signatures: how a part's operands are laid out for the device, and what its records say.

use rayon::prelude::*;

use crate::algorithms::secp256k1::integer::to_be;
use crate::algorithms::secp256k1::pinned::KEY_BYTES;
use crate::backend::gpu::part::{Params, Part, Piece};
use crate::backend::gpu::program::Kernel;
use crate::backend::gpu::sizes::{COLUMNS, RECORD, ROOTED, ROW, Sizes};
use crate::error::Fault;
use crate::parsed::{KeyForm, Operands, Parsed, Words};
use crate::verdict::{Evidence, Point};

/// Rows of one pinned key's table.
const KEY_ROWS: u32 = (KEY_BYTES / ROW) as u32;

/// Columns of 32 bytes by number, as `bindings.wgsl` has them; `None`: not read.
type Columns<'a> = [Option<&'a [Words]>; 5];

fn columns(operands: &Operands) -> Columns<'_> {
    match operands {
        Operands::Ecdsa(o) => {
            [Some(&o.keys.x), Some(&o.keys.y), Some(&o.z), Some(&o.r), Some(&o.s)]
        }
        Operands::Schnorr(o) => [Some(&o.key), None, Some(&o.s), Some(&o.e), None],
        Operands::Recover(o) => [Some(&o.r), None, Some(&o.z), Some(&o.s), None],
        Operands::Columns => [None; 5],
    }
}

fn algorithm(operands: &Operands) -> u32 {
    match operands {
        Operands::Schnorr(_) => 1,
        Operands::Recover(_) => 2,
        _ => 0,
    }
}

fn form(operands: &Operands, item: usize) -> KeyForm {
    match operands {
        Operands::Ecdsa(o) => o.keys.form[item],
        Operands::Recover(o) if o.parity[item] & 1 == 1 => KeyForm::Odd,
        _ => KeyForm::Even,
    }
}

/// Whether a column of this number is read for an item.
fn is_read(part: &Part, number: usize, form: KeyForm) -> bool {
    match number {
        0 => part.pinned.is_none(),
        1 => part.pinned.is_none() && form == KeyForm::Full,
        _ => true,
    }
}

/// The word that follows the columns: the key's form, or the first row of its table.
fn last_word(part: &Part, operands: &Operands, item: usize) -> u32 {
    let index = match operands {
        Operands::Ecdsa(o) => o.pinned.get(item),
        Operands::Schnorr(o) => o.pinned.get(item),
        _ => None,
    };
    match (part.pinned, index) {
        (Some(first), Some(index)) => first + index * KEY_ROWS,
        _ => form(operands, item) as u32,
    }
}

/// Items that share one inversion on one thread: as few threads as still keep the device busy.
fn share(items: usize) -> usize {
    (items / 512).clamp(1, 32)
}

/// The parameters of a part.
pub(crate) fn params(part: &Part, batch: &Parsed, sizes: Sizes) -> Params {
    let items = part.items.len();
    Params {
        items: items as u32,
        stride: sizes.items as u32,
        first: part.items.start as u32,
        nonce: part.nonce,
        algorithm: algorithm(batch.operands()),
        share: share(items) as u32,
        base: 0,
        rise: 0,
        pinned: u32::from(part.pinned.is_some()),
        rooted: part.rooted.into(),
        unused: [0; 2],
    }
}

/// The operands.
pub(crate) fn pieces<'a>(part: &Part, batch: &'a Parsed, sizes: Sizes) -> Vec<Piece<'a>> {
    let operands = batch.operands();
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let full = match operands {
        Operands::Ecdsa(o) => o.keys.form[part.items.clone()].contains(&KeyForm::Full),
        _ => false,
    };
    let most = if full { KeyForm::Full } else { KeyForm::Even };
    for (number, column) in columns(operands).into_iter().enumerate() {
        if let Some(words) = column.filter(|_| is_read(part, number, most)) {
            let bytes = bytemuck::cast_slice(&words[part.items.clone()]);
            pieces.push((number * sizes.items * 32, bytes.into()));
        }
    }
    let last: Vec<_> = part.items.clone().map(|item| last_word(part, operands, item)).collect();
    pieces.push((COLUMNS * sizes.items * 32, bytemuck::cast_slice(&last).to_vec().into()));
    pieces
}

/// The kernels that a part runs through, with their invocations.
pub(crate) fn steps(part: &Part, batch: &Parsed) -> Vec<(Kernel, usize)> {
    let items = part.items.len();
    let few = items.div_ceil(share(items));
    let mut steps = Vec::new();
    if part.pinned.is_none() {
        steps.push((Kernel::Decode, items));
    }
    if !matches!(batch.operands(), Operands::Schnorr(_)) {
        steps.push((Kernel::InvertScalars, few));
    }
    steps.push((Kernel::Prepare, items));
    if part.pinned.is_some() {
        steps.push((Kernel::MultiplyPinned, items));
    } else {
        steps.extend([
            (Kernel::Table, items),
            (Kernel::InvertZ, few),
            (Kernel::TableAffine, items),
            (Kernel::Multiply, items),
        ]);
    }
    steps.extend([(Kernel::InvertZ, few), (Kernel::Evidence, items)]);
    steps
}

/// The checksum that a device which read these operands writes: see `evidence.wgsl`.
fn checksum(part: &Part, operands: &Operands, item: usize) -> u32 {
    let form = form(operands, item);
    let mut sum = part.nonce;
    for (number, column) in columns(operands).into_iter().enumerate() {
        let Some(words) = column.filter(|_| is_read(part, number, form)) else { continue };
        for word in words[item] {
            sum = sum.rotate_left(5) ^ word as u32;
            sum = sum.rotate_left(5) ^ (word >> 32) as u32;
        }
    }
    sum.wrapping_add(last_word(part, operands, item))
}

/// Items that one thread reads records of at a time.
const PIECE: usize = 1_024;

/// Writes what the records say into the part's items of the batch's evidence, on the threads of the
/// current rayon pool.
///
/// # Errors
/// A record that was not written, belongs to another part or item, or was made of other operands.
pub(crate) fn collect(
    part: &Part,
    batch: &Parsed,
    bytes: &[u8],
    evidence: &mut Evidence,
) -> Result<(), Fault> {
    match evidence {
        Evidence::Rooted(rooted) => {
            collect_records::<ROOTED>(part, batch, bytes, &mut rooted.evidence)?;
            let records = Part::records::<ROOTED>(bytes, part.items.len())?;
            each(records, &mut rooted.roots[part.items.clone()], |_, record| {
                Ok(bytemuck::pod_read_unaligned(&record[RECORD..]))
            })
        }
        plain => collect_records::<RECORD>(part, batch, bytes, plain),
    }
}

/// The same of points and keys, from records of `N` bytes.
fn collect_records<const N: usize>(
    part: &Part,
    batch: &Parsed,
    bytes: &[u8],
    evidence: &mut Evidence,
) -> Result<(), Fault> {
    let records = Part::records::<N>(bytes, part.items.len())?;
    let read = |index: usize, record: &[u8; N]| {
        let record = record.first_chunk().expect("a record at least");
        read(part, batch, part.items.start + index, record)
    };
    match evidence {
        Evidence::Points(out) => each(records, &mut out[part.items.clone()], |index, record| {
            Ok(match read(index, record)? {
                Some([x, y]) => Point { x, y, z: [1, 0, 0, 0] },
                None => Point { x: [0; 4], y: [0; 4], z: [0; 4] },
            })
        }),
        Evidence::Keys(out) => each(records, &mut out[part.items.clone()], |index, record| {
            let key = read(index, record)?.map(|[x, y]| [to_be(&x), to_be(&y)]);
            Ok(*key.unwrap_or_default().as_flattened().first_chunk().expect("64 bytes"))
        }),
        _ => Err(Fault::WrongEvidence),
    }
}

fn each<T: Send, const N: usize>(
    records: &[[u8; N]],
    out: &mut [T],
    read: impl Fn(usize, &[u8; N]) -> Result<T, Fault> + Sync,
) -> Result<(), Fault> {
    let pieces = out.par_chunks_mut(PIECE).zip(records.par_chunks(PIECE)).enumerate();
    pieces.try_for_each(|(piece, (out, records))| {
        for (index, (out, record)) in out.iter_mut().zip(records).enumerate() {
            *out = read(piece * PIECE + index, record)?;
        }
        Ok(())
    })
}

/// x and y of a record; `None` where the device found no point.
fn read(
    part: &Part,
    batch: &Parsed,
    item: usize,
    record: &[u8; RECORD],
) -> Result<Option<[Words; 2]>, Fault> {
    let words: [u32; RECORD / 4] = bytemuck::pod_read_unaligned(record);
    let tail = [words[16], words[17], words[18], words[19]];
    let status = part.check(batch, item, tail, || checksum(part, batch.operands(), item))?;
    let wide = |at: usize| -> Words {
        let word = |i: usize| u64::from(words[at + i]);
        core::array::from_fn(|i| word(2 * i) | word(2 * i + 1) << 32)
    };
    match status {
        1 => Ok(Some([wide(0), wide(8)])),
        2 => Ok(None),
        _ => Err(Fault::BadEvidence),
    }
}

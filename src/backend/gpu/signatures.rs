//! Signatures: how a part's operands are laid out for the device, and what its records say.

use crate::algorithms::secp256k1::integer::to_be;
use crate::backend::gpu::buffers::Sizes;
use crate::backend::gpu::part::{Params, Part, Piece};
use crate::backend::gpu::program::Kernel;
use crate::error::Fault;
use crate::parsed::{KeyForm, Operands, Parsed, Words};
use crate::verdict::{Evidence, Point};

/// Bytes of a record: x, y, and the four words that every record ends with.
pub(crate) const RECORD: usize = 80;

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

fn form(operands: &Operands, item: usize) -> u8 {
    match operands {
        Operands::Ecdsa(o) => o.keys.form[item] as u8,
        Operands::Recover(o) => KeyForm::Even as u8 + (o.parity[item] & 1),
        _ => KeyForm::Even as u8,
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
    }
}

/// The operands.
pub(crate) fn pieces<'a>(part: &Part, batch: &'a Parsed, sizes: Sizes) -> Vec<Piece<'a>> {
    let operands = batch.operands();
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let given = match operands {
        Operands::Ecdsa(o) => o.keys.form[part.items.clone()].contains(&KeyForm::Full),
        _ => false,
    };
    for (number, column) in columns(operands).into_iter().enumerate() {
        let unread = number == 1 && !given;
        if let Some(words) = column.filter(|_| !unread) {
            let bytes = bytemuck::cast_slice(&words[part.items.clone()]);
            pieces.push((number * sizes.items * 32, bytes.into()));
        }
    }
    if !matches!(operands, Operands::Schnorr(_)) {
        let mut forms: Vec<_> = part.items.clone().map(|item| form(operands, item)).collect();
        forms.resize(forms.len().next_multiple_of(4), 0);
        pieces.push((5 * sizes.items * 32, forms.into()));
    }
    pieces
}

/// The kernels that a part runs through, with their invocations.
pub(crate) fn steps(part: &Part, batch: &Parsed) -> Vec<(Kernel, usize)> {
    let items = part.items.len();
    let few = items.div_ceil(share(items));
    let mut steps = vec![(Kernel::Decode, items)];
    if !matches!(batch.operands(), Operands::Schnorr(_)) {
        steps.push((Kernel::InvertScalars, few));
    }
    steps.extend([
        (Kernel::Prepare, items),
        (Kernel::Table, items),
        (Kernel::InvertZ, few),
        (Kernel::TableAffine, items),
        (Kernel::Multiply, items),
        (Kernel::InvertZ, few),
        (Kernel::Evidence, items),
    ]);
    steps
}

/// The checksum that a device which read these operands writes: see `evidence.wgsl`.
fn checksum(nonce: u32, operands: &Operands, item: usize) -> u32 {
    let form = form(operands, item);
    let mut sum = nonce;
    for (number, column) in columns(operands).into_iter().enumerate() {
        let Some(words) = column else { continue };
        if number == 1 && form != KeyForm::Full as u8 {
            continue;
        }
        for word in words[item] {
            sum = sum.rotate_left(5) ^ word as u32;
            sum = sum.rotate_left(5) ^ (word >> 32) as u32;
        }
    }
    sum.wrapping_add(u32::from(form))
}

/// Appends what the records say to the evidence of the batch.
///
/// # Errors
/// A record that was not written, belongs to another part or item, or was made of other operands.
pub(crate) fn collect(
    part: &Part,
    batch: &Parsed,
    bytes: &[u8],
    evidence: &mut Evidence,
) -> Result<(), Fault> {
    let operands = batch.operands();
    let records = bytes.as_chunks::<RECORD>().0;
    if records.len() < part.items.len() {
        return Err(Fault::Short { got: records.len(), want: part.items.len() });
    }
    for (item, record) in part.items.clone().zip(records) {
        let words: [u32; RECORD / 4] = bytemuck::pod_read_unaligned(record);
        let tail = [words[16], words[17], words[18], words[19]];
        let status = part.check(batch, item, tail, || checksum(part.nonce, operands, item))?;
        let wide = |at: usize| -> Words {
            let word = |i: usize| u64::from(words[at + i]);
            core::array::from_fn(|i| word(2 * i) | word(2 * i + 1) << 32)
        };
        let (x, y) = (wide(0), wide(8));
        match (&mut *evidence, status) {
            (Evidence::Points(out), 1) => out.push(Point { x, y, z: [1, 0, 0, 0] }),
            (Evidence::Points(out), 2) => out.push(Point { x: [0; 4], y: [0; 4], z: [0; 4] }),
            (Evidence::Keys(out), 1) => {
                let mut key = [0; 64];
                key[..32].copy_from_slice(&to_be(&x));
                key[32..].copy_from_slice(&to_be(&y));
                out.push(key);
            }
            (Evidence::Keys(out), 2) => out.push([0; 64]),
            _ => return Err(Fault::BadEvidence),
        }
    }
    Ok(())
}

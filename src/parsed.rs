//! A parsed batch: canonical operands only, one entry for each live item.
//!
//! All encodings and ranges are checked once, on the host, before any device sees an item. What
//! fails is `Invalid` here and has no entry in the operand columns: entry `i` belongs to the job
//! at position `live[i]`.

use std::ops::Range;

use crate::algorithm::Algorithm;
use crate::batch::{Batch, Form, Shape};
use crate::verdict::Verdict;

/// A 256-bit integer: four 64-bit words, least significant first.
pub type Words = [u64; 4];

/// What a device needs of the key's y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum KeyForm {
    /// y is even and to be computed from x.
    Even = 2,
    /// y is odd and to be computed from x.
    Odd = 3,
    /// y is given, and the point was found on the curve.
    Full = 4,
}

/// Public keys: x and, for [`KeyForm::Full`], y; both below the field prime. Whether x of the other
/// forms lies on the curve is found when y is computed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// x.
    pub x: Vec<Words>,
    /// y, or zero.
    pub y: Vec<Words>,
    /// Which of the two is there.
    pub form: Vec<KeyForm>,
}

/// Operands of ECDSA: `1 <= r, s < n`, `z < n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EcdsaOperands {
    /// The message hash, reduced mod n.
    pub z: Vec<Words>,
    /// r.
    pub r: Vec<Words>,
    /// s.
    pub s: Vec<Words>,
    /// Q.
    pub keys: Keys,
    /// Whether R's y is odd, as the sender says: of [`Form::Combined`](crate::batch::Form) alone.
    pub hints: Vec<bool>,
    /// Indices of the keys among the batch's pinned ones: of `Form::Pinned` alone.
    pub pinned: Vec<u32>,
}

/// Operands of BIP 340: `r < p`, `s < n`, `e < n`, key x below p with even y.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchnorrOperands {
    /// x of R.
    pub r: Vec<Words>,
    /// s.
    pub s: Vec<Words>,
    /// The challenge: tagged hash of r, key and message, reduced mod n.
    pub e: Vec<Words>,
    /// x of P.
    pub key: Vec<Words>,
    /// Indices of the keys among the batch's pinned ones: of `Form::Pinned` alone.
    pub pinned: Vec<u32>,
}

/// Operands of recovery: `1 <= r, s < n`, `z < n`, parity 0 or 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoverOperands {
    /// The message hash, reduced mod n.
    pub z: Vec<Words>,
    /// r, which is x of R.
    pub r: Vec<Words>,
    /// s.
    pub s: Vec<Words>,
    /// Parity of R's y.
    pub parity: Vec<u8>,
}

/// The operand columns of a parsed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operands {
    /// ECDSA.
    Ecdsa(EcdsaOperands),
    /// BIP 340.
    Schnorr(SchnorrOperands),
    /// Recovery.
    Recover(RecoverOperands),
    /// Hashes, Merkle trees and proofs: the batch's own columns are the operands, all items live.
    Columns,
}

impl Operands {
    /// Empty columns for `algorithm`.
    pub fn empty(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::EcdsaSecp256k1(_) => Operands::Ecdsa(Default::default()),
            Algorithm::SchnorrBip340 => Operands::Schnorr(Default::default()),
            Algorithm::RecoverSecp256k1(_) => Operands::Recover(Default::default()),
            _ => Operands::Columns,
        }
    }

    pub(crate) fn clear(&mut self) {
        match self {
            Operands::Ecdsa(o) => {
                [&mut o.z, &mut o.r, &mut o.s, &mut o.keys.x, &mut o.keys.y]
                    .into_iter()
                    .for_each(Vec::clear);
                o.keys.form.clear();
                o.hints.clear();
                o.pinned.clear();
            }
            Operands::Schnorr(o) => {
                [&mut o.r, &mut o.s, &mut o.e, &mut o.key].into_iter().for_each(Vec::clear);
                o.pinned.clear();
            }
            Operands::Recover(o) => {
                [&mut o.z, &mut o.r, &mut o.s].into_iter().for_each(Vec::clear);
                o.parity.clear();
            }
            Operands::Columns => {}
        }
    }

    /// Some of the entries, in the order given.
    pub(crate) fn pick(&self, entries: &[usize]) -> Operands {
        fn some<T: Copy>(column: &[T], entries: &[usize]) -> Vec<T> {
            // Columns that the batch's form has no use for are empty.
            entries.iter().filter_map(|&entry| column.get(entry).copied()).collect()
        }
        match self {
            Operands::Ecdsa(o) => Operands::Ecdsa(EcdsaOperands {
                z: some(&o.z, entries),
                r: some(&o.r, entries),
                s: some(&o.s, entries),
                keys: Keys {
                    x: some(&o.keys.x, entries),
                    y: some(&o.keys.y, entries),
                    form: some(&o.keys.form, entries),
                },
                hints: some(&o.hints, entries),
                pinned: some(&o.pinned, entries),
            }),
            Operands::Schnorr(o) => Operands::Schnorr(SchnorrOperands {
                r: some(&o.r, entries),
                s: some(&o.s, entries),
                e: some(&o.e, entries),
                key: some(&o.key, entries),
                pinned: some(&o.pinned, entries),
            }),
            Operands::Recover(o) => Operands::Recover(RecoverOperands {
                z: some(&o.z, entries),
                r: some(&o.r, entries),
                s: some(&o.s, entries),
                parity: some(&o.parity, entries),
            }),
            Operands::Columns => Operands::Columns,
        }
    }

    /// Overwrites these columns with a range of entries.
    pub(crate) fn copy_range(&mut self, from: &Operands, range: Range<usize>) {
        fn copy<T: Copy>(to: &mut Vec<T>, from: &[T], range: &Range<usize>) {
            to.clear();
            // Columns that the batch's form has no use for are empty.
            to.extend_from_slice(from.get(range.clone()).unwrap_or_default());
        }
        let range = &range;
        match (self, from) {
            (Operands::Ecdsa(to), Operands::Ecdsa(from)) => {
                copy(&mut to.z, &from.z, range);
                copy(&mut to.r, &from.r, range);
                copy(&mut to.s, &from.s, range);
                copy(&mut to.keys.x, &from.keys.x, range);
                copy(&mut to.keys.y, &from.keys.y, range);
                copy(&mut to.keys.form, &from.keys.form, range);
                copy(&mut to.hints, &from.hints, range);
                copy(&mut to.pinned, &from.pinned, range);
            }
            (Operands::Schnorr(to), Operands::Schnorr(from)) => {
                copy(&mut to.r, &from.r, range);
                copy(&mut to.s, &from.s, range);
                copy(&mut to.e, &from.e, range);
                copy(&mut to.key, &from.key, range);
                copy(&mut to.pinned, &from.pinned, range);
            }
            (Operands::Recover(to), Operands::Recover(from)) => {
                copy(&mut to.z, &from.z, range);
                copy(&mut to.r, &from.r, range);
                copy(&mut to.s, &from.s, range);
                copy(&mut to.parity, &from.parity, range);
            }
            _ => {}
        }
    }

    /// Swaps two entries.
    pub(crate) fn swap(&mut self, a: usize, b: usize) {
        fn swap<T>(column: &mut [T], a: usize, b: usize) {
            if !column.is_empty() {
                column.swap(a, b);
            }
        }
        match self {
            Operands::Ecdsa(o) => {
                for column in [&mut o.z, &mut o.r, &mut o.s, &mut o.keys.x, &mut o.keys.y] {
                    swap(column, a, b);
                }
                swap(&mut o.keys.form, a, b);
                swap(&mut o.hints, a, b);
                swap(&mut o.pinned, a, b);
            }
            Operands::Schnorr(o) => {
                for column in [&mut o.r, &mut o.s, &mut o.e, &mut o.key] {
                    swap(column, a, b);
                }
                swap(&mut o.pinned, a, b);
            }
            Operands::Recover(o) => {
                for column in [&mut o.z, &mut o.r, &mut o.s] {
                    swap(column, a, b);
                }
                swap(&mut o.parity, a, b);
            }
            Operands::Columns => {}
        }
    }

    /// Appends the entries of another piece of the same batch.
    pub(crate) fn append(&mut self, other: &Operands) {
        match (self, other) {
            (Operands::Ecdsa(a), Operands::Ecdsa(b)) => {
                a.z.extend_from_slice(&b.z);
                a.r.extend_from_slice(&b.r);
                a.s.extend_from_slice(&b.s);
                a.keys.x.extend_from_slice(&b.keys.x);
                a.keys.y.extend_from_slice(&b.keys.y);
                a.keys.form.extend_from_slice(&b.keys.form);
                a.hints.extend_from_slice(&b.hints);
                a.pinned.extend_from_slice(&b.pinned);
            }
            (Operands::Schnorr(a), Operands::Schnorr(b)) => {
                a.r.extend_from_slice(&b.r);
                a.s.extend_from_slice(&b.s);
                a.e.extend_from_slice(&b.e);
                a.key.extend_from_slice(&b.key);
                a.pinned.extend_from_slice(&b.pinned);
            }
            (Operands::Recover(a), Operands::Recover(b)) => {
                a.z.extend_from_slice(&b.z);
                a.r.extend_from_slice(&b.r);
                a.s.extend_from_slice(&b.s);
                a.parity.extend_from_slice(&b.parity);
            }
            _ => {}
        }
    }
}

/// A batch after the host's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    pub(crate) batch: Batch,
    pub(crate) form: Form,
    pub(crate) operands: Operands,
    pub(crate) live: Vec<u32>,
    pub(crate) dead: Vec<(u32, Verdict)>,
    pub(crate) roots: bool,
}

impl Parsed {
    /// The batch as submitted.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Whether the host has use for [`Evidence::Rooted`](crate::verdict::Evidence::Rooted), from a device
    /// to which roots cost little.
    pub fn wants_roots(&self) -> bool {
        self.roots
    }

    /// Algorithm, jobs and bytes.
    pub fn shape(&self) -> Shape {
        self.batch.shape()
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.batch.algorithm()
    }

    /// How its signatures are verified: as the batch says, or singly where the dispatcher decided so.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Bytes of the entries' messages, or of their trees' leaves; 0 of what is no hash.
    pub(crate) fn message_bytes(&self, entries: Range<usize>) -> usize {
        match self.algorithm() {
            Algorithm::Sha256
            | Algorithm::Sha256d
            | Algorithm::Keccak256
            | Algorithm::MerkleRootSha256d => {
                let messages = self.batch.column(0);
                messages.start(entries.end) - messages.start(entries.start)
            }
            _ => 0,
        }
    }

    /// Number of items that a device has to compute.
    pub fn live(&self) -> usize {
        match self.operands {
            Operands::Columns => self.batch.len(),
            _ => self.live.len(),
        }
    }

    /// The operand columns.
    pub fn operands(&self) -> &Operands {
        &self.operands
    }

    /// Some of the entries, which then stand at positions 0, 1, ..: what a kernel reads of them.
    pub(crate) fn pick(&self, entries: &[usize]) -> Parsed {
        let batch = match self.operands {
            Operands::Columns => self.batch.picked(entries.iter().copied()),
            _ => self.batch.emptied(),
        };
        Parsed {
            batch,
            form: Form::Single.or_pinned(self.form),
            operands: self.operands.pick(entries),
            live: (0..entries.len() as u32).collect(),
            dead: Vec::new(),
            roots: false,
        }
    }

    /// A range of the entries, which then stand at positions 0, 1, .., in the memory of an earlier one.
    pub(crate) fn piece(&self, range: Range<usize>, memory: Parsed) -> Parsed {
        let Parsed { mut operands, mut live, .. } = memory;
        if std::mem::discriminant(&operands) != std::mem::discriminant(&self.operands) {
            operands = Operands::empty(self.algorithm());
        }
        operands.copy_range(&self.operands, range.clone());
        live.clear();
        live.extend(0..range.len() as u32);
        let batch = match self.operands {
            Operands::Columns => self.batch.picked(range),
            _ => self.batch.emptied(),
        };
        Parsed { batch, form: self.form, operands, live, dead: Vec::new(), roots: false }
    }

    /// Gives the batch back, for its memory.
    pub fn into_batch(self) -> Batch {
        self.batch
    }

    /// Takes the batch out: what remains is memory.
    pub(crate) fn take_batch(&mut self) -> Batch {
        let blank = Batch::open(self.batch.algorithm()).seal();
        std::mem::replace(&mut self.batch, blank)
    }

    /// Entries that the memory holds.
    pub(crate) fn capacity(&self) -> usize {
        self.live.capacity()
    }
}

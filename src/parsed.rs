//! A parsed batch: canonical operands only, one entry for each live item.
//!
//! All encodings and ranges are checked once, on the host, before any device sees an item. What
//! fails is `Invalid` here and has no entry in the operand columns: entry `i` belongs to the job
//! at position `live[i]`.

use std::mem::discriminant;
use std::ops::Range;

use rayon::prelude::*;

use crate::algorithm::Algorithm;
use crate::algorithms::secp256k1::parse;
use crate::batch::{Batch, Shape};
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

    fn clear(&mut self) {
        match self {
            Operands::Ecdsa(o) => {
                [&mut o.z, &mut o.r, &mut o.s, &mut o.keys.x, &mut o.keys.y]
                    .into_iter()
                    .for_each(Vec::clear);
                o.keys.form.clear();
            }
            Operands::Schnorr(o) => {
                [&mut o.r, &mut o.s, &mut o.e, &mut o.key].into_iter().for_each(Vec::clear);
            }
            Operands::Recover(o) => {
                [&mut o.z, &mut o.r, &mut o.s].into_iter().for_each(Vec::clear);
                o.parity.clear();
            }
            Operands::Columns => {}
        }
    }

    /// Appends the entries of another piece of the same batch.
    fn append(&mut self, other: Operands) {
        match (self, other) {
            (Operands::Ecdsa(a), Operands::Ecdsa(b)) => {
                a.z.extend(b.z);
                a.r.extend(b.r);
                a.s.extend(b.s);
                a.keys.x.extend(b.keys.x);
                a.keys.y.extend(b.keys.y);
                a.keys.form.extend(b.keys.form);
            }
            (Operands::Schnorr(a), Operands::Schnorr(b)) => {
                a.r.extend(b.r);
                a.s.extend(b.s);
                a.e.extend(b.e);
                a.key.extend(b.key);
            }
            (Operands::Recover(a), Operands::Recover(b)) => {
                a.z.extend(b.z);
                a.r.extend(b.r);
                a.s.extend(b.s);
                a.parity.extend(b.parity);
            }
            _ => {}
        }
    }
}

/// A batch after the host's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    pub(crate) batch: Batch,
    pub(crate) operands: Operands,
    pub(crate) live: Vec<u32>,
    pub(crate) dead: Vec<(u32, Verdict)>,
}

impl Parsed {
    /// The batch as submitted.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Algorithm, jobs and bytes.
    pub fn shape(&self) -> Shape {
        self.batch.shape()
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.batch.algorithm()
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

    /// Gives the batch back, for its memory.
    pub fn into_batch(self) -> Batch {
        self.batch
    }
}

/// Items of a piece when parsing in parallel: enough that a hand-over does not count.
const PIECE: usize = 1_024;

impl Parsed {
    /// Checks all encodings and ranges of a batch.
    pub fn parse(batch: Batch) -> Parsed {
        Parsed::blank(batch.algorithm()).parse_again(batch)
    }

    /// [`Parsed::parse`] on the threads of the current rayon pool, with the same result.
    pub fn parse_pieces(batch: Batch) -> Parsed {
        let items = batch.len();
        if items < 2 * PIECE || matches!(Operands::empty(batch.algorithm()), Operands::Columns) {
            return Parsed::parse(batch);
        }
        let pieces: Vec<Parsed> = (0..items.div_ceil(PIECE))
            .into_par_iter()
            .map(|piece| {
                let mut parsed = Parsed::blank(batch.algorithm());
                parsed.read(&batch, piece * PIECE..items.min((piece + 1) * PIECE));
                parsed
            })
            .collect();
        let mut whole = Parsed::blank(batch.algorithm());
        for piece in pieces {
            whole.operands.append(piece.operands);
            whole.live.extend(piece.live);
            whole.dead.extend(piece.dead);
        }
        Parsed { batch, ..whole }
    }

    /// [`Parsed::parse`] into the memory of an earlier batch; see [`Parsed::fits`].
    pub(crate) fn parse_again(mut self, batch: Batch) -> Parsed {
        self.live.clear();
        self.dead.clear();
        self.operands.clear();
        self.read(&batch, 0..batch.len());
        Parsed { batch, ..self }
    }

    /// Whether this memory suits batches of `algorithm`.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        discriminant(&self.operands) == discriminant(&Operands::empty(algorithm))
    }

    /// The batch, and the memory that remains.
    pub(crate) fn split(self) -> (Batch, Parsed) {
        let blank = Batch::open(self.batch.algorithm()).seal();
        let Parsed { batch, operands, live, dead } = self;
        (batch, Parsed { batch: blank, operands, live, dead })
    }

    /// Position in the batch of operand entry `entry`.
    pub(crate) fn position(&self, entry: usize) -> usize {
        match self.operands {
            Operands::Columns => entry,
            _ => self.live[entry] as usize,
        }
    }

    fn blank(algorithm: Algorithm) -> Parsed {
        let batch = Batch::open(algorithm).seal();
        let operands = Operands::empty(algorithm);
        Parsed { batch, operands, live: Vec::new(), dead: Vec::new() }
    }

    /// Appends the items of a range.
    fn read(&mut self, batch: &Batch, range: Range<usize>) {
        let algorithm = batch.algorithm();
        if matches!(self.operands, Operands::Columns) {
            return;
        }
        for index in range {
            let read = match (&mut self.operands, algorithm) {
                (Operands::Ecdsa(operands), Algorithm::EcdsaSecp256k1(rule)) => {
                    parse::ecdsa(rule, batch, index, operands)
                }
                (Operands::Schnorr(operands), _) => parse::schnorr(batch, index, operands),
                (Operands::Recover(operands), Algorithm::RecoverSecp256k1(rule)) => {
                    parse::recover(rule, batch, index, operands)
                }
                _ => unreachable!("operands follow the algorithm"),
            };
            match read {
                Ok(()) => self.live.push(index as u32),
                Err(reason) => self.dead.push((index as u32, Verdict::Invalid(reason))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::{EcdsaRule, RecoverRule};
    use crate::batch::Job;

    /// A batch in which every third job is malformed.
    fn mixed(algorithm: Algorithm, items: usize) -> Batch {
        let mut batch = Batch::open(algorithm);
        for i in 0..items {
            let message = [i as u8; 32];
            let bad = i % 3 == 0;
            let signature = [if bad { 0xff } else { 1 + (i % 100) as u8 }; 64];
            let mut key = [7; 33];
            key[0] = 2 + (i & 1) as u8;
            let job = match algorithm {
                Algorithm::EcdsaSecp256k1(_) => {
                    Job::Ecdsa { message: &message, signature: &signature, key: &key }
                }
                Algorithm::SchnorrBip340 => {
                    Job::Schnorr { message: &message, signature: &signature, key: &[3; 32] }
                }
                _ => Job::Recover { message: &message, signature: &signature, recovery_id: 1 },
            };
            batch.push(job).expect("room");
        }
        batch.seal()
    }

    #[test]
    fn pieces_and_used_memory_change_nothing() {
        for algorithm in [
            Algorithm::EcdsaSecp256k1(EcdsaRule::Compact),
            Algorithm::SchnorrBip340,
            Algorithm::RecoverSecp256k1(RecoverRule::EthereumFrontier),
        ] {
            let mut memory = Parsed::parse(mixed(algorithm, 777));
            for items in [0, 1, 2_047, 2_048, 5_000] {
                let batch = mixed(algorithm, items);
                let parsed = Parsed::parse(batch.clone());
                assert_eq!(parsed.live() + parsed.dead.len(), items);
                assert_eq!(parsed.dead.len(), items.div_ceil(3));
                assert_eq!(Parsed::parse_pieces(batch.clone()), parsed);
                memory = memory.parse_again(batch);
                assert_eq!(memory, parsed);
            }
        }
    }
}

//! The first step after admission: every encoding and range is checked, once, on the host.

use std::mem::discriminant;
use std::ops::Range;

use rayon::prelude::*;

use crate::algorithm::Algorithm;
use crate::algorithms::secp256k1::parse::{self, CHALLENGES};
use crate::algorithms::sha256::Plan;
use crate::batch::{Batch, Form};
use crate::parsed::{Operands, Parsed};
use crate::verdict::Verdict;

/// Items of a piece when parsing in parallel: enough that a hand-over does not count.
const PIECE: usize = 1_024;

impl Parsed {
    /// Checks all encodings and ranges of a batch.
    pub fn parse(batch: Batch) -> Parsed {
        let mut parsed = Parsed::blank(batch.algorithm());
        parsed.parse_again(Plan::PORTABLE, batch);
        parsed
    }

    /// [`Parsed::parse_again`] on the threads of the current rayon pool, with the same result; pieces of a long
    /// batch go through the memory given.
    pub(crate) fn parse_pieces(&mut self, plan: Plan, batch: Batch, pieces: &mut Vec<Parsed>) {
        let (algorithm, items) = (batch.algorithm(), batch.len());
        if items < 2 * PIECE || matches!(self.operands, Operands::Columns) {
            return self.parse_again(plan, batch);
        }
        let count = items.div_ceil(PIECE);
        if pieces.len() < count {
            pieces.resize_with(count, || Parsed::blank(algorithm));
        }
        let pieces = &mut pieces[..count];
        pieces.par_iter_mut().enumerate().for_each(|(piece, parsed)| {
            if !parsed.fits(algorithm) {
                *parsed = Parsed::blank(algorithm);
            }
            parsed.clear();
            parsed.read(plan, &batch, piece * PIECE..items.min((piece + 1) * PIECE));
        });
        self.clear();
        for piece in pieces {
            self.operands.append(&piece.operands);
            self.live.extend_from_slice(&piece.live);
            self.dead.extend_from_slice(&piece.dead);
        }
        (self.form, self.batch) = (batch.form(), batch);
    }

    /// [`Parsed::parse`] into the memory of an earlier batch; see [`Parsed::fits`].
    pub(crate) fn parse_again(&mut self, plan: Plan, batch: Batch) {
        self.clear();
        self.read(plan, &batch, 0..batch.len());
        (self.form, self.batch) = (batch.form(), batch);
    }

    fn clear(&mut self) {
        self.live.clear();
        self.dead.clear();
        self.operands.clear();
    }

    /// Whether this memory suits batches of `algorithm`.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        discriminant(&self.operands) == discriminant(&Operands::empty(algorithm))
    }

    /// Position in the batch of operand entry `entry`.
    pub fn position(&self, entry: usize) -> usize {
        match self.operands {
            Operands::Columns => entry,
            _ => self.live[entry] as usize,
        }
    }

    pub(crate) fn blank(algorithm: Algorithm) -> Parsed {
        let batch = Batch::open(algorithm).seal();
        let operands = Operands::empty(algorithm);
        Parsed {
            batch,
            form: Form::Single,
            operands,
            live: Vec::new(),
            dead: Vec::new(),
            roots: false,
        }
    }

    /// Appends the items of a range.
    fn read(&mut self, plan: Plan, batch: &Batch, range: Range<usize>) {
        let algorithm = batch.algorithm();
        if matches!(self.operands, Operands::Columns) {
            return;
        }
        let first = range.start;
        let mut challenges = [[0; 32]; CHALLENGES];
        for index in range.clone() {
            let slot = (index - first) % CHALLENGES;
            if slot == 0 && matches!(self.operands, Operands::Schnorr(_)) {
                let block = index..range.end.min(index + CHALLENGES);
                let out = &mut challenges[..block.len()];
                parse::challenges(plan, batch, block, out);
            }
            let read = match (&mut self.operands, algorithm) {
                (Operands::Ecdsa(operands), Algorithm::EcdsaSecp256k1(rule)) => {
                    parse::ecdsa(rule, batch, index, operands)
                }
                (Operands::Schnorr(operands), _) => {
                    parse::schnorr(batch, index, &challenges[slot], operands)
                }
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
        let mut pieces = Vec::new();
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
                memory.parse_pieces(Plan::PORTABLE, batch.clone(), &mut pieces);
                assert_eq!(memory, parsed);
                memory.parse_again(Plan::PORTABLE, batch);
                assert_eq!(memory, parsed);
            }
        }
    }
}

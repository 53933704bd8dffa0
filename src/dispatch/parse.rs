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
        Parsed::blank(batch.algorithm()).parse_again(Plan::PORTABLE, batch)
    }

    /// [`Parsed::parse`] on the threads of the current rayon pool, with the same result.
    pub(crate) fn parse_pieces(plan: Plan, batch: Batch) -> Parsed {
        let items = batch.len();
        if items < 2 * PIECE || matches!(Operands::empty(batch.algorithm()), Operands::Columns) {
            return Parsed::blank(batch.algorithm()).parse_again(plan, batch);
        }
        let pieces: Vec<Parsed> = (0..items.div_ceil(PIECE))
            .into_par_iter()
            .map(|piece| {
                let mut parsed = Parsed::blank(batch.algorithm());
                parsed.read(plan, &batch, piece * PIECE..items.min((piece + 1) * PIECE));
                parsed
            })
            .collect();
        let mut whole = Parsed::blank(batch.algorithm());
        for piece in pieces {
            whole.operands.append(piece.operands);
            whole.live.extend(piece.live);
            whole.dead.extend(piece.dead);
        }
        Parsed { form: batch.form(), batch, ..whole }
    }

    /// The same, its signatures verified singly where `form` says so.
    pub(crate) fn in_form(self, form: Form) -> Parsed {
        Parsed { form, ..self }
    }

    /// [`Parsed::parse`] into the memory of an earlier batch; see [`Parsed::fits`].
    pub(crate) fn parse_again(mut self, plan: Plan, batch: Batch) -> Parsed {
        self.live.clear();
        self.dead.clear();
        self.operands.clear();
        self.read(plan, &batch, 0..batch.len());
        Parsed { form: batch.form(), batch, ..self }
    }

    /// Whether this memory suits batches of `algorithm`.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        discriminant(&self.operands) == discriminant(&Operands::empty(algorithm))
    }

    /// The batch, and the memory that remains.
    pub(crate) fn split(self) -> (Batch, Parsed) {
        let blank = Batch::open(self.batch.algorithm()).seal();
        let Parsed { batch, form, operands, live, dead } = self;
        (batch, Parsed { batch: blank, form, operands, live, dead })
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
        Parsed { batch, form: Form::Single, operands, live: Vec::new(), dead: Vec::new() }
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
                assert_eq!(Parsed::parse_pieces(Plan::PORTABLE, batch.clone()), parsed);
                memory = memory.parse_again(Plan::PORTABLE, batch);
                assert_eq!(memory, parsed);
            }
        }
    }
}

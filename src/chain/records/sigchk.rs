//! `.sigchk`: signature checks with the verdict that is expected.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 1 | algorithm: 1 ECDSA on secp256k1, 2 BIP 340 |
//! | 1 | 1 | expected: 1 valid, 0 invalid |
//! | 2 | 1 | key length: 33 or 65, 32 for BIP 340 |
//! | 3 | 1 | flags: bit 0, S is above half the order |
//! | 4 | 65 | key, filled with zeros |
//! | 69 | 32 | message |
//! | 101 | 64 | r and s, big-endian |
//! | 165 | 8 | transaction and input, u32 little-endian each |
//! | 173 | 3 | zeros |

use crate::algorithm::{Algorithm, EcdsaRule};
use crate::batch::{Batch, Job};
use crate::verdict::{Answers, Outcome};

use super::super::cut::Cut;
use super::super::{ChainError, Check, Kind, Records, Report};
use super::ROUND_RECORDS;
use super::header::{SIGCHK_MAGIC, bad_field, part, records};

const RECORD: usize = 176;

/// The check of a file of signature checks, judged under [`EcdsaRule::Compact`] and BIP 340.
#[derive(Debug)]
pub struct SigchkCheck {
    records: Vec<[u8; RECORD]>,
    next: usize,
    /// The records of each batch in flight.
    sent: Vec<Vec<usize>>,
    /// Records that do not agree: position and what was found.
    disagreements: Vec<(usize, String)>,
    report: Report,
}

impl SigchkCheck {
    /// Reads the file. Fails, naming record and field, if it is not of the form.
    pub fn new(bytes: &[u8]) -> Result<Self, ChainError> {
        let records = records::<RECORD>(bytes, SIGCHK_MAGIC)?;
        for (position, record) in records.iter().enumerate() {
            check_fields(position, record)?;
        }
        Ok(SigchkCheck {
            records: records.to_vec(),
            next: 0,
            sent: Vec::new(),
            disagreements: Vec::new(),
            report: Report {
                records: Some(Records { total: records.len() as u64, ..Records::default() }),
                ..Report::new(Kind::Sigchk)
            },
        })
    }

    fn take(&mut self, answers: &[Answers]) {
        for (index, positions) in std::mem::take(&mut self.sent).into_iter().enumerate() {
            let answers = answers.get(index);
            if let Some(answers) = answers {
                self.report.count(answers);
            }
            for (job, position) in positions.into_iter().enumerate() {
                let expected = self.records[position][1] == 1;
                match answers.and_then(|answers| answers.get(job)) {
                    Some(Outcome::Verdict(verdict)) if verdict.is_valid() == expected => {
                        self.report.records.get_or_insert_default().agree += 1;
                    }
                    Some(Outcome::Verdict(verdict)) => {
                        let stated = if expected { "valid" } else { "invalid" };
                        let found = format!("stated {stated}, found {verdict:?}");
                        self.disagreements.push((position, found));
                    }
                    // Neither agreed nor disagreed.
                    _ => self.report.complete = false,
                }
            }
        }
    }

    fn conclude(&mut self) {
        // Batches of two algorithms come back one after the other.
        self.disagreements.sort_by_key(|(position, _)| *position);
        for (position, found) in std::mem::take(&mut self.disagreements) {
            self.report.records.get_or_insert_default().disagree += 1;
            let record = &self.records[position];
            let transaction = u32::from_le_bytes(*part(record, 165));
            let input = u32::from_le_bytes(*part(record, 169));
            self.report.find(format!(
                "record {position} (transaction {transaction} input {input}): {found}"
            ));
        }
    }
}

impl Check for SigchkCheck {
    fn round(&mut self, answers: &[Answers]) -> Vec<Batch> {
        self.take(answers);
        let end = self.records.len().min(self.next + ROUND_RECORDS);
        let mut ecdsa = Cut::new(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact));
        let mut schnorr = Cut::new(Algorithm::SchnorrBip340);
        for (position, record) in self.records.iter().enumerate().take(end).skip(self.next) {
            let (message, signature) = (part::<32>(record, 69), part::<64>(record, 101));
            let pushed = if record[0] == 1 {
                let key = &record[4..4 + usize::from(record[2])];
                ecdsa.push(Job::Ecdsa { message, signature, key }, RECORD, position)
            } else {
                let key = part::<32>(record, 4);
                schnorr.push(Job::Schnorr { message, signature, key }, RECORD, position)
            };
            pushed.expect("a record is shorter than a job may be");
        }
        self.next = end;
        let (batches, sent): (Vec<_>, _) =
            ecdsa.finish().into_iter().chain(schnorr.finish()).unzip();
        self.sent = sent;
        if batches.is_empty() {
            self.conclude();
        }
        batches
    }

    fn report(&self) -> Report {
        self.report.clone()
    }
}

fn check_fields(position: usize, record: &[u8; RECORD]) -> Result<(), ChainError> {
    let bad = |field, value: u8| Err(bad_field(position, field, format!("{value} has no meaning")));
    let [algorithm, expected, key_length, flags, ..] = *record;
    match (algorithm, key_length) {
        (1, 33 | 65) | (2, 32) => {}
        (1 | 2, _) => return bad("key length", key_length),
        _ => return bad("algorithm", algorithm),
    }
    if expected > 1 {
        return bad("expected", expected);
    }
    if flags > 1 {
        return bad("flags", flags);
    }
    let unused = [&record[4 + usize::from(key_length)..69], &record[173..]].concat();
    match unused.iter().find(|byte| **byte != 0) {
        Some(byte) => bad("padding", *byte),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::driver::{data, drive};
    use super::*;

    #[test]
    fn real_records_agree_and_a_flipped_one_is_named() {
        let Some(data) = data("sigchk records") else { return };
        for name in ["1087400", "210000", "866342"] {
            let bytes = std::fs::read(data.join(format!("bitcoin/block{name}.sigchk"))).unwrap();
            let report = drive(&mut SigchkCheck::new(&bytes).unwrap());
            let records = report.records.unwrap();
            assert!(report.ok && report.complete && records.total > 0);
            assert_eq!((records.agree, records.disagree), (records.total, 0));

            let (mut flipped, at) = (bytes.clone(), 16 + 176 * 5);
            flipped[at + 101 + 31] ^= 1;
            let report = drive(&mut SigchkCheck::new(&flipped).unwrap());
            assert!(!report.ok && report.records.unwrap().disagree == 1);
            assert!(report.findings[0].starts_with("record 5 ("), "{:?}", report.findings);
            for (field, value) in [(0, 3), (1, 2), (2, 34), (3, 2), (173, 1)] {
                let mut wrong = bytes.clone();
                wrong[at + field] = value;
                let error = SigchkCheck::new(&wrong).unwrap_err().to_string();
                assert!(error.starts_with("record 5 field"), "{error}");
            }
        }
    }
}

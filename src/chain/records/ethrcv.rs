//! `.ethrcv`: Ethereum transactions' signatures with the sender that is expected.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 1 | recovery id: 0 or 1 |
//! | 1 | 1 | transaction type: 0 to 4 |
//! | 2 | 2 | zeros |
//! | 4 | 32 | message |
//! | 36 | 64 | r and s, big-endian |
//! | 100 | 20 | sender |
//! | 120 | 32 | transaction hash |
//! | 152 | 8 | block and transaction, u32 little-endian each |

use crate::algorithm::{Algorithm, RecoverRule};
use crate::batch::{Batch, Job};
use crate::verdict::{Answers, Outcome, Verdict};

use super::super::cut::Cut;
use super::super::{ChainError, Check, Kind, Records, Report};
use super::ROUND_RECORDS;
use super::header::{ETHRCV_MAGIC, bad_field, part, records};

const RECORD: usize = 160;
/// First block that wants a low S (EIP-2).
const HOMESTEAD: u32 = 1_150_000;

/// The check of a file of recoveries, under [`RecoverRule::EthereumFrontier`] before block
/// 1,150,000 and [`RecoverRule::EthereumTransaction`] from there on.
#[derive(Debug)]
pub struct EthrcvCheck {
    records: Vec<[u8; RECORD]>,
    next: usize,
    /// The records of each batch in flight.
    sent: Vec<Vec<usize>>,
    /// Records that do not agree: position and what was found.
    disagreements: Vec<(usize, String)>,
    report: Report,
}

impl EthrcvCheck {
    /// Reads the file. Fails, naming record and field, if it is not of the form.
    pub fn new(bytes: &[u8]) -> Result<Self, ChainError> {
        let records = records::<RECORD>(bytes, ETHRCV_MAGIC)?;
        for (position, record) in records.iter().enumerate() {
            check_fields(position, record)?;
        }
        Ok(EthrcvCheck {
            records: records.to_vec(),
            next: 0,
            sent: Vec::new(),
            disagreements: Vec::new(),
            report: Report {
                records: Some(Records { total: records.len() as u64, ..Records::default() }),
                ..Report::new(Kind::Ethrcv)
            },
        })
    }

    /// Reads the answers; keys that were recovered are hashed in the round to come.
    fn take(&mut self, answers: &[Answers]) -> Vec<(Batch, Vec<usize>)> {
        let mut addresses = Cut::new(Algorithm::Keccak256);
        for (index, positions) in std::mem::take(&mut self.sent).into_iter().enumerate() {
            let answers = answers.get(index);
            if let Some(answers) = answers {
                self.report.count(answers);
            }
            for (job, position) in positions.into_iter().enumerate() {
                match answers.and_then(|answers| answers.get(job)) {
                    Some(Outcome::Key(key)) => addresses
                        .push(Job::Hash { message: key }, key.len(), position)
                        .expect("a key is shorter than a job's field may be"),
                    Some(Outcome::Digest(digest)) => self.compare(position, part(digest, 12)),
                    Some(Outcome::Verdict(Verdict::Invalid(reason))) => {
                        self.disagreements.push((position, format!("no sender ({reason:?})")));
                    }
                    // Neither agreed nor disagreed.
                    _ => self.report.complete = false,
                }
            }
        }
        addresses.finish()
    }

    /// The sender is the last 20 bytes of the key's Keccak-256.
    fn compare(&mut self, position: usize, found: &[u8; 20]) {
        if part(&self.records[position], 100) == found {
            self.report.records.get_or_insert_default().agree += 1;
        } else {
            let hex: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
            self.disagreements.push((position, format!("the sender is 0x{hex}")));
        }
    }

    fn recoveries(&mut self) -> Vec<(Batch, Vec<usize>)> {
        let end = self.records.len().min(self.next + ROUND_RECORDS);
        let mut frontier = Cut::new(Algorithm::RecoverSecp256k1(RecoverRule::EthereumFrontier));
        let mut later = Cut::new(Algorithm::RecoverSecp256k1(RecoverRule::EthereumTransaction));
        for (position, record) in self.records.iter().enumerate().take(end).skip(self.next) {
            let early = u32::from_le_bytes(*part(record, 152)) < HOMESTEAD;
            let cut = if early { &mut frontier } else { &mut later };
            let job = Job::Recover {
                message: part(record, 4),
                signature: part(record, 36),
                recovery_id: record[0],
            };
            cut.push(job, RECORD, position).expect("a record is shorter than a job may be");
        }
        self.next = end;
        let mut cuts = frontier.finish();
        cuts.append(&mut later.finish());
        cuts
    }

    fn conclude(&mut self) {
        // Batches of two rules come back one after the other.
        self.disagreements.sort_by_key(|(position, _)| *position);
        for (position, found) in std::mem::take(&mut self.disagreements) {
            self.report.records.get_or_insert_default().disagree += 1;
            let record = &self.records[position];
            let block = u32::from_le_bytes(*part(record, 152));
            let transaction = u32::from_le_bytes(*part(record, 156));
            self.report.find(format!(
                "record {position} (block {block} transaction {transaction}): {found}"
            ));
        }
    }
}

impl Check for EthrcvCheck {
    fn round(&mut self, answers: &[Answers]) -> Vec<Batch> {
        let mut cuts = self.take(answers);
        cuts.append(&mut self.recoveries());
        let (batches, sent): (Vec<_>, _) = cuts.into_iter().unzip();
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
    let [id, kind, low, high, ..] = *record;
    match (id, kind, low | high) {
        (0..=1, 0..=4, 0) => Ok(()),
        (0..=1, 0..=4, padding) => bad("padding", padding),
        (0..=1, ..) => bad("transaction type", kind),
        _ => bad("recovery id", id),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::driver::{data, drive};
    use super::*;

    #[test]
    fn real_records_agree_and_a_flipped_one_is_named() {
        let Some(data) = data("ethrcv records") else { return };
        let bytes = std::fs::read(data.join("ethereum/blocks.ethrcv")).unwrap();
        let report = drive(&mut EthrcvCheck::new(&bytes).unwrap());
        let records = report.records.unwrap();
        assert!(report.ok && report.complete && records.total > 10_000, "{:?}", report.findings);
        assert_eq!((records.agree, records.disagree), (records.total, 0));
        assert_eq!(report.by_algorithm["recover-secp256k1"].valid, Some(records.total));
        assert_eq!(report.by_algorithm["keccak256"].computed, Some(records.total));

        let at = 16 + 160 * 7;
        for byte in [0, 4 + 31, 36 + 63, 100] {
            let mut flipped = bytes.clone();
            flipped[at + byte] ^= 1;
            let report = drive(&mut EthrcvCheck::new(&flipped).unwrap());
            assert!(!report.ok && report.records.unwrap().disagree == 1);
            assert!(report.findings[0].starts_with("record 7 ("), "{:?}", report.findings);
        }
        for (field, value) in [(0, 2), (1, 5), (2, 1), (3, 1)] {
            let mut wrong = bytes.clone();
            wrong[at + field] = value;
            let error = EthrcvCheck::new(&wrong).unwrap_err().to_string();
            assert!(error.starts_with("record 7 field"), "{error}");
        }
    }
}

//! Real formats to batches: blocks and record files.
//!
//! A check knows no engine: it hands out batches in rounds and reads the answers.

use std::collections::BTreeMap;

use crate::algorithm::Algorithm;
use crate::batch::Batch;
use crate::verdict::{Answers, Outcome, Verdict};

pub mod bitcoin;
mod cut;
mod detect;
#[cfg(test)]
mod driver;
pub mod ethereum;
pub mod records;

pub use detect::{detect, limit, open};

/// Work over one input file: rounds of batches, then a report.
///
/// ```text
/// round(&[]) -> batches -> engine -> answers -> round(&answers) -> ... -> no batches -> report()
/// ```
pub trait Check: Send {
    /// Takes the answers of the round before, in the order of its batches (none at first), and
    /// returns the batches of the next round; an empty list ends the check.
    fn round(&mut self, answers: &[Answers]) -> Vec<Batch>;

    /// What was found, once a round came back empty.
    fn report(&self) -> Report;
}

/// Why an input cannot be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The input is not of the form it was taken for.
    #[error("{what}: {why}")]
    Malformed {
        /// What was being read: `block`, `prevouts`, `record 17`.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The input is larger than any input of its kind.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What was being read.
        what: String,
        /// The most that is taken.
        limit: usize,
    },
}

/// Which form an input has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A Bitcoin block: wire bytes or hex.
    BitcoinBlock,
    /// An Ethereum block: a node's JSON, or RLP.
    EthereumBlock,
    /// Flattened signature checks.
    Sigchk,
    /// Flattened recovery records.
    Ethrcv,
}

/// Jobs of one algorithm by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Jobs submitted.
    pub checked: u64,
    /// Jobs that satisfy their rule; for recovery, keys found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<u64>,
    /// Jobs that do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid: Option<u64>,
    /// Hashes and roots computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computed: Option<u64>,
    /// Jobs without an answer.
    pub errors: u64,
}

/// Signatures by outcome, all algorithms together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Signatures {
    /// Signatures submitted.
    pub checked: u64,
    /// Valid, or recovered.
    pub valid: u64,
    /// Invalid.
    pub invalid: u64,
    /// Without an answer.
    pub errors: u64,
}

/// Inputs of a Bitcoin block, the coinbase apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Inputs {
    /// All inputs.
    pub total: u64,
    /// Inputs whose signatures satisfy their script, the spent output being known.
    pub verified: u64,
    /// Likewise, the spent script being inferred from the input itself.
    pub assumed: u64,
    /// Inputs whose signatures do not satisfy their script.
    pub failed: u64,
    /// Inputs that could not be judged, by reason.
    pub unresolved: BTreeMap<String, u64>,
}

/// Senders of an Ethereum block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Senders {
    /// Transactions whose sender was recovered.
    pub checked: u64,
    /// Those whose sender equals the one that the block's JSON states; where none is stated (RLP),
    /// every recovered sender counts.
    pub matched: u64,
}

/// Records of a record file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Records {
    /// All records.
    pub total: u64,
    /// Records whose stated answer equals ours.
    pub agree: u64,
    /// The others.
    pub disagree: u64,
}

/// What a check found. Field order is the order of the JSON object.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    /// Form of the input.
    pub kind: Kind,
    /// Block hash, as the chain's tools print it; `None` for record files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Nothing failed.
    pub ok: bool,
    /// Nothing was left unresolved.
    pub complete: bool,
    /// Commitments of the block: `true` holds, `false` does not, `null` is not made by this block.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub commitments: BTreeMap<&'static str, Option<bool>>,
    /// Signatures by outcome.
    pub signatures: Signatures,
    /// Jobs by algorithm name and outcome.
    pub by_algorithm: BTreeMap<&'static str, Tally>,
    /// Bitcoin blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Inputs>,
    /// Ethereum blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub senders: Option<Senders>,
    /// Record files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<Records>,
    /// What failed and where, one line each, in the input's order:
    /// `transaction 12 (txid) input 3: ...`, `merkle_root: ...`. Inputs of one transaction that
    /// fail alike share a line: `transaction 12 (txid) inputs 0 to 442, 444: ...`. At most
    /// [`FINDINGS_LIMIT`], then a last line that counts the other lines.
    pub findings: Vec<String>,
    /// Findings that the last line counts.
    #[serde(skip)]
    unlisted: u64,
}

/// Most findings that a report lists one by one.
pub const FINDINGS_LIMIT: usize = 100;

impl Report {
    /// A report that found nothing yet.
    pub fn new(kind: Kind) -> Self {
        Report {
            kind,
            hash: None,
            ok: true,
            complete: true,
            commitments: BTreeMap::new(),
            signatures: Signatures::default(),
            by_algorithm: BTreeMap::new(),
            inputs: None,
            senders: None,
            records: None,
            findings: Vec::new(),
            unlisted: 0,
        }
    }

    /// Counts a batch's answers under its algorithm.
    pub fn count(&mut self, answers: &Answers) {
        let algorithm = answers.algorithm();
        let hashes = algorithm.value_bytes() == 32;
        let name = match algorithm {
            // Trees and proofs are double SHA-256 to whoever reads the report.
            Algorithm::MerkleRootSha256d | Algorithm::MerkleProofSha256d => "sha256d",
            other => other.name(),
        };
        let tally = self.by_algorithm.entry(name).or_default();
        for outcome in answers.iter() {
            tally.checked += 1;
            let signatures = (!hashes).then_some(&mut self.signatures);
            match outcome {
                Outcome::Verdict(Verdict::Valid) | Outcome::Key(_) => {
                    *tally.valid.get_or_insert(0) += 1;
                    if let Some(s) = signatures {
                        (s.checked, s.valid) = (s.checked + 1, s.valid + 1);
                    }
                }
                Outcome::Verdict(Verdict::Invalid(_)) => {
                    *tally.invalid.get_or_insert(0) += 1;
                    if let Some(s) = signatures {
                        (s.checked, s.invalid) = (s.checked + 1, s.invalid + 1);
                    }
                }
                Outcome::Digest(_) | Outcome::Done => *tally.computed.get_or_insert(0) += 1,
                Outcome::Error(_) => {
                    tally.errors += 1;
                    if let Some(s) = signatures {
                        (s.checked, s.errors) = (s.checked + 1, s.errors + 1);
                    }
                }
            }
        }
        if hashes {
            tally.computed.get_or_insert(0);
        } else {
            tally.valid.get_or_insert(0);
            tally.invalid.get_or_insert(0);
        }
    }

    /// Records a failure; past [`FINDINGS_LIMIT`] it is only counted, in a last line.
    pub fn find(&mut self, finding: String) {
        self.ok = false;
        if self.findings.len() < FINDINGS_LIMIT {
            self.findings.push(finding);
            return;
        }
        self.unlisted += 1;
        self.findings.truncate(FINDINGS_LIMIT);
        self.findings.push(format!("and {} more", self.unlisted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_counted_past_the_limit() {
        let mut report = Report::new(Kind::Sigchk);
        (0..FINDINGS_LIMIT).for_each(|index| report.find(format!("record {index}")));
        assert_eq!(report.findings.len(), FINDINGS_LIMIT);
        (0..7).for_each(|index| report.find(format!("later {index}")));
        assert_eq!(report.findings.len(), FINDINGS_LIMIT + 1);
        assert_eq!(report.findings[FINDINGS_LIMIT - 1], "record 99");
        assert_eq!(report.findings[FINDINGS_LIMIT], "and 7 more");
        assert!(!report.ok);
    }
}

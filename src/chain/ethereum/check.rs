//! The check of one block, in three rounds: hashes, recoveries, addresses.

use alloy_consensus::proofs::calculate_transaction_root;
use alloy_primitives::{Address, B256, U256};
use alloy_rlp::Encodable;

use super::read::{Block, authorisations, encoded, joined, signed};
use crate::algorithm::{Algorithm, RecoverRule};
use crate::batch::{Batch, Job};
use crate::chain::cut::Cut;
use crate::chain::{ChainError, Check, Kind, Report, Senders};
use crate::verdict::{Answers, Outcome};

/// The block from which a high s is refused (EIP-2, Homestead).
const HOMESTEAD: u64 = 1_150_000;

/// The check of an Ethereum block.
#[derive(Debug)]
pub struct BlockCheck {
    block: Block,
    phase: Phase,
    /// What each job of the round in flight is for, batch by batch.
    tags: Vec<Vec<Tag>>,
    signatures: Vec<Signature>,
    header_hash: Option<[u8; 32]>,
    hashes: Vec<Option<[u8; 32]>>,
    senders: Vec<Sender>,
    report: Report,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Hashes,
    Recoveries,
    Addresses,
    Ended,
}

/// What a job is for.
#[derive(Clone, Copy, Debug)]
enum Tag {
    Header,
    Hash(usize),
    /// The signing hash of this signature, its recovery, or its key's hash.
    Signature(usize),
}

/// A signature to be recovered.
#[derive(Clone, Debug)]
struct Signature {
    /// Of this transaction; `None`: an authorisation, which may fail.
    transaction: Option<usize>,
    message: Option<[u8; 32]>,
    bytes: [u8; 64],
    parity: u8,
    key: Option<[u8; 64]>,
}

/// What is known of a transaction's sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    /// No answer yet.
    Unknown,
    /// The signature yields no key.
    None,
    Recovered(Address),
}

impl BlockCheck {
    /// Reads a block: a node's JSON, or RLP.
    ///
    /// # Errors
    /// [`ChainError::Malformed`] with the reader's reason.
    pub fn new(bytes: &[u8]) -> Result<Self, ChainError> {
        let limit = crate::chain::limit(Kind::EthereumBlock);
        if bytes.len() > limit {
            return Err(ChainError::TooLarge { what: "Ethereum block".to_owned(), limit });
        }
        Ok(BlockCheck::of(Block::read(bytes)?))
    }

    /// The check of a block as read.
    pub(super) fn of(block: Block) -> Self {
        let count = block.transactions.len();
        BlockCheck {
            block,
            phase: Phase::Hashes,
            tags: Vec::new(),
            signatures: Vec::new(),
            header_hash: None,
            hashes: vec![None; count],
            senders: vec![Sender::Unknown; count],
            report: Report::new(Kind::EthereumBlock),
        }
    }

    fn hashes(&mut self) -> Vec<Batch> {
        let mut cut = Cut::new(Algorithm::Keccak256);
        let mut header = Vec::new();
        self.block.header.encode(&mut header);
        hash(&mut cut, &header, Tag::Header);
        for (index, transaction) in self.block.transactions.iter().enumerate() {
            hash(&mut cut, &encoded(transaction), Tag::Hash(index));
            let (bytes, signature) = signed(transaction);
            hash(&mut cut, &bytes, Tag::Signature(self.signatures.len()));
            let word = |number: U256| number.to_be_bytes();
            self.signatures.push(Signature {
                transaction: Some(index),
                message: None,
                bytes: joined(&word(signature.r()), &word(signature.s())),
                parity: u8::from(signature.v()),
                key: None,
            });
            for (bytes, signature, parity) in authorisations(transaction) {
                hash(&mut cut, &bytes, Tag::Signature(self.signatures.len()));
                let (transaction, message, key) = (None, None, None);
                self.signatures.push(Signature {
                    transaction,
                    message,
                    bytes: signature,
                    parity,
                    key,
                });
            }
        }
        self.keep(cut)
    }

    fn recoveries(&mut self) -> Vec<Batch> {
        let frontier = self.block.header.number < HOMESTEAD;
        let rule = match frontier {
            true => RecoverRule::EthereumFrontier,
            false => RecoverRule::EthereumTransaction,
        };
        let mut cut = Cut::new(Algorithm::RecoverSecp256k1(rule));
        for (index, signature) in self.signatures.iter().enumerate() {
            let Some(message) = &signature.message else { continue };
            let (signature, recovery_id) = (&signature.bytes, signature.parity);
            let job = Job::Recover { message, signature, recovery_id };
            // A job of fixed size fits.
            let _ = cut.push(job, 97, Tag::Signature(index));
        }
        self.keep(cut)
    }

    fn addresses(&mut self) -> Vec<Batch> {
        let mut cut = Cut::new(Algorithm::Keccak256);
        for (index, signature) in self.signatures.iter().enumerate() {
            if let Some(key) = &signature.key {
                hash(&mut cut, key, Tag::Signature(index));
            }
        }
        self.keep(cut)
    }

    fn keep(&mut self, cut: Cut<Tag>) -> Vec<Batch> {
        let (batches, tags) = cut.finish().into_iter().unzip();
        self.tags = tags;
        batches
    }

    /// Takes in the answers of the round in flight.
    fn learn(&mut self, answers: &[Answers]) {
        let tags = std::mem::take(&mut self.tags);
        for (answers, tags) in answers.iter().zip(&tags) {
            self.report.count(answers);
            for (outcome, tag) in answers.iter().zip(tags) {
                match (outcome, *tag) {
                    (Outcome::Digest(digest), Tag::Header) => self.header_hash = Some(*digest),
                    (Outcome::Digest(digest), Tag::Hash(index)) => {
                        self.hashes[index] = Some(*digest);
                    }
                    (Outcome::Digest(digest), Tag::Signature(index)) => {
                        let signature = &mut self.signatures[index];
                        if self.phase == Phase::Recoveries {
                            signature.message = Some(*digest);
                        } else if let Some(transaction) = signature.transaction {
                            let address = Address::from_slice(&digest[12..]);
                            self.senders[transaction] = Sender::Recovered(address);
                        }
                    }
                    (Outcome::Key(key), Tag::Signature(index)) => {
                        self.signatures[index].key = Some(*key);
                    }
                    (Outcome::Verdict(_), Tag::Signature(index)) => {
                        if let Some(transaction) = self.signatures[index].transaction {
                            self.senders[transaction] = Sender::None;
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn conclude(&mut self) {
        let hash = self.header_hash.map(B256::from);
        self.report.hash = hash.map(|hash| hash.to_string());
        self.conclude_block(hash);
        self.conclude_transactions();
        self.conclude_senders();
        let silent = self.report.by_algorithm.values().any(|tally| tally.errors > 0);
        self.report.complete = !silent && !self.senders.contains(&Sender::Unknown);
    }

    fn conclude_block(&mut self, hash: Option<B256>) {
        let root = calculate_transaction_root(&self.block.transactions);
        let stated = self.block.header.transactions_root;
        if root != stated {
            let why =
                format!("transactions_root: the transactions give {root}, the header {stated}");
            self.report.find(why);
        }
        self.report.commitments.insert("transactions_root", Some(root == stated));
        let holds = match (hash, &self.block.stated) {
            (Some(hash), Some(stated)) if hash != stated.hash => {
                let why = format!("block_hash: the header gives {hash}, not {}", stated.hash);
                self.report.find(why);
                Some(false)
            }
            (Some(_), Some(_)) => Some(true),
            _ => None,
        };
        self.report.commitments.insert("block_hash", holds);
    }

    fn conclude_transactions(&mut self) {
        let mut holds = self.block.stated.as_ref().map(|_| true);
        for (index, hash) in self.hashes.iter().enumerate() {
            let Some(stated) = &self.block.stated else { break };
            let stated = stated.transactions[index].0;
            match hash.map(B256::from) {
                Some(hash) if hash != stated => {
                    holds = Some(false);
                    self.report.find(format!(
                        "transaction_hashes: transaction {index} has the hash {hash}, not {stated}"
                    ));
                }
                Some(_) => {}
                None => holds = holds.filter(|holds| !holds),
            }
        }
        self.report.commitments.insert("transaction_hashes", holds);
    }

    fn conclude_senders(&mut self) {
        let mut senders = Senders::default();
        for (index, sender) in self.senders.iter().enumerate() {
            let stated = self.block.stated.as_ref().map(|stated| stated.transactions[index].1);
            let hash = self.hashes[index].map(|hash| format!(" ({})", B256::from(hash)));
            let name = format!("transaction {index}{}", hash.unwrap_or_default());
            match *sender {
                Sender::Unknown => {}
                Sender::None => {
                    senders.checked += 1;
                    self.report.find(format!("{name}: the signature yields no key"));
                }
                Sender::Recovered(address) => {
                    senders.checked += 1;
                    if stated.is_none_or(|stated| stated == address) {
                        senders.matched += 1;
                    } else {
                        let stated = stated.unwrap_or_default();
                        self.report.find(format!("{name}: sent by {address}, not by {stated}"));
                    }
                }
            }
        }
        self.report.senders = Some(senders);
    }
}

fn hash(cut: &mut Cut<Tag>, message: &[u8], tag: Tag) {
    // A message longer than a job may carry stays unanswered, and the check incomplete.
    let _ = cut.push(Job::Hash { message }, message.len(), tag);
}

impl Check for BlockCheck {
    fn round(&mut self, answers: &[Answers]) -> Vec<Batch> {
        self.learn(answers);
        let (batches, next) = match self.phase {
            Phase::Hashes => (self.hashes(), Phase::Recoveries),
            Phase::Recoveries => (self.recoveries(), Phase::Addresses),
            Phase::Addresses => (self.addresses(), Phase::Ended),
            Phase::Ended => (Vec::new(), Phase::Ended),
        };
        self.phase = next;
        if batches.is_empty() {
            self.phase = Phase::Ended;
            self.conclude();
        }
        batches
    }

    fn report(&self) -> Report {
        self.report.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::driver::{data, drive};

    fn check(bytes: &[u8]) -> Report {
        drive(&mut BlockCheck::new(bytes).expect("a block"))
    }

    fn small_block() -> Option<String> {
        let folder = data("Ethereum blocks")?;
        Some(std::fs::read_to_string(folder.join("ethereum/blocks/46147.json")).expect("a file"))
    }

    #[test]
    fn every_real_block_holds_as_json_and_as_rlp() {
        let Some(folder) = data("Ethereum blocks") else { return };
        let mut blocks = 0;
        for entry in std::fs::read_dir(folder.join("ethereum/blocks")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("a file");
            let report = check(&bytes);
            assert!(report.ok && report.complete, "{}: {:?}", path.display(), report.findings);
            assert!(report.commitments.values().all(|holds| *holds == Some(true)));
            let senders = report.senders.expect("senders");
            assert_eq!(senders.checked, senders.matched);
            let rlp = Block::read(&bytes).expect("a block").to_rlp();
            let from_rlp = check(&rlp);
            assert!(from_rlp.ok && from_rlp.complete, "{:?}", from_rlp.findings);
            assert_eq!(from_rlp.hash, report.hash);
            assert_eq!(from_rlp.senders, Some(senders));
            assert_eq!(from_rlp.commitments["block_hash"], None);
            let answer = [&b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"[..], &bytes, b"}"].concat();
            assert_eq!(check(&answer).hash, report.hash);
            blocks += 1;
        }
        assert_eq!(blocks, 61);
    }

    #[test]
    fn what_was_changed_is_named() {
        let Some(text) = small_block() else { return };
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let tx = &json["transactions"][0];
        let flip = |value: &serde_json::Value, what: &str, expected: &[&str]| {
            let old = value.as_str().expect("text");
            let last = if old.ends_with('1') { "2" } else { "1" };
            let new = format!("{}{last}", &old[..old.len() - 1]);
            // Only the member named, not the same value elsewhere.
            let changed = text.replacen(
                &format!("\"{what}\":\"{old}\""),
                &format!("\"{what}\":\"{new}\""),
                usize::MAX,
            );
            assert_ne!(changed, text, "{what}");
            let report = check(changed.as_bytes());
            assert!(!report.ok, "{what}");
            for finding in expected {
                assert!(
                    report.findings.iter().any(|f| f.contains(finding)),
                    "{what}: {:?}",
                    report.findings
                );
            }
        };
        flip(&tx["from"], "from", &["not by"]);
        flip(&tx["s"], "s", &["transaction 0", "transactions_root", "transaction_hashes"]);
        flip(&tx["r"], "r", &["transaction 0", "transactions_root", "transaction_hashes"]);
        flip(&tx["value"], "value", &["transactions_root", "transaction_hashes", "not by"]);
        flip(&json["stateRoot"], "stateRoot", &["block_hash"]);
        flip(&json["transactionsRoot"], "transactionsRoot", &["transactions_root", "block_hash"]);
    }

    #[test]
    fn malformed_input_is_an_error() {
        let Some(text) = small_block() else { return };
        let rlp = Block::read(text.as_bytes()).expect("a block").to_rlp();
        for end in (0..text.len()).step_by(53) {
            assert!(BlockCheck::new(&text.as_bytes()[..end]).is_err(), "{end} bytes of JSON");
        }
        for end in 0..rlp.len() {
            assert!(BlockCheck::new(&rlp[..end]).is_err(), "{end} bytes of RLP");
        }
        let hashes = text.replacen("\"transactions\":[", "\"transactions\":[\"0x\",", 1);
        assert!(BlockCheck::new(hashes.as_bytes()).is_err());
        assert!(BlockCheck::new(b"{\"result\":null}").is_err());
        assert!(BlockCheck::new(&[rlp, vec![0]].concat()).is_err());
    }

    /// EIP-7702: the one authorisation of a real transaction is recovered beside its sender.
    #[test]
    fn authorisations_are_recovered_and_may_fail() {
        let Some(folder) = data("an EIP-7702 transaction") else { return };
        let json = std::fs::read_to_string(folder.join("ethereum/tx_7702_block22763678.json"));
        let json: serde_json::Value = serde_json::from_str(&json.expect("a file")).expect("JSON");
        let hex = |value: &serde_json::Value| -> Option<Vec<u8>> {
            alloy_primitives::hex::decode(value.as_str()?).ok().filter(|bytes| bytes.len() > 100)
        };
        let bytes = json.as_object().expect("an object").values().find_map(hex).expect("raw bytes");
        let transaction = crate::chain::ethereum::transaction(&bytes).expect("a transaction");
        let count = authorisations(&transaction).len();
        assert!(count > 0);
        let header = alloy_consensus::Header {
            number: 22_763_678,
            transactions_root: calculate_transaction_root(std::slice::from_ref(&transaction)),
            ..Default::default()
        };
        let block = Block { header, transactions: vec![transaction], stated: None };
        let report = check(&block.to_rlp());
        assert!(report.ok && report.complete, "{:?}", report.findings);
        assert_eq!(report.by_algorithm["recover-secp256k1"].valid, Some(1 + count as u64));
        // A tuple that fails is skipped: the transaction stays.
        let mut block = Block::read(&block.to_rlp()).expect("a block");
        if let super::super::Transaction::Eip7702(tx) = &block.transactions[0] {
            let mut changed = tx.tx().clone();
            let old = &changed.authorization_list[0];
            let broken = alloy_eips::eip7702::SignedAuthorization::new_unchecked(
                old.inner().clone(),
                9,
                old.r(),
                old.s(),
            );
            changed.authorization_list[0] = broken;
            let signed = alloy_consensus::Signed::new_unhashed(changed, *tx.signature());
            block.transactions[0] = super::super::Transaction::Eip7702(signed);
        }
        block.header.transactions_root = calculate_transaction_root(&block.transactions);
        let report = check(&block.to_rlp());
        assert!(report.ok, "{:?}", report.findings);
        assert_eq!(report.by_algorithm["recover-secp256k1"].invalid, Some(1));
    }
}

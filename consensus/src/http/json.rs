//! Answers as JSON, for the interface that writes and the client that reads them. Heights, times and
//! numbers of things are numbers; amounts, which may exceed 2^53, are decimal texts.

use alloy_primitives::hex;
use serde::{Deserialize, Serialize};

use crate::service::{self, Final};
use crate::sets::ValidatorSet;
use crate::text::Hex32;
use crate::{address, genesis, state};

/// `/v1/status`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    chain: Hex32,
    height: u64,
    block: Hex32,
    state_root: Hex32,
    time_ms: u64,
    pooled: usize,
    pooled_bytes: usize,
}

impl From<service::Status> for Status {
    fn from(status: service::Status) -> Self {
        Status {
            chain: Hex32(status.chain),
            height: status.height,
            block: Hex32(status.block),
            state_root: Hex32(status.state_root),
            time_ms: status.time_ms,
            pooled: status.pooled,
            pooled_bytes: status.pooled_bytes,
        }
    }
}

impl From<Status> for service::Status {
    fn from(status: Status) -> Self {
        service::Status {
            chain: status.chain.0,
            height: status.height,
            block: status.block.0,
            state_root: status.state_root.0,
            time_ms: status.time_ms,
            pooled: status.pooled,
            pooled_bytes: status.pooled_bytes,
        }
    }
}

/// `/v1/accounts/{address}`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    balance: String,
    nonce: u64,
}

impl From<state::Account> for Account {
    fn from(account: state::Account) -> Self {
        Account { balance: account.balance.to_string(), nonce: account.nonce }
    }
}

impl Account {
    /// `None` where the balance is none.
    pub fn read(self) -> Option<state::Account> {
        Some(state::Account { balance: self.balance.parse().ok()?, nonce: self.nonce })
    }
}

/// `/v1/records/{namespace}/{digest}`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    author: String,
    height: u64,
}

impl From<state::Record> for Record {
    fn from(record: state::Record) -> Self {
        Record { author: record.author.to_checksum(None), height: record.height }
    }
}

impl Record {
    /// `None` where the author is no address.
    pub fn read(self) -> Option<state::Record> {
        let author = address::parse(&self.author).ok()?;
        Some(state::Record { author, height: self.height })
    }
}

/// `/v1/lanes/{chain}/{address}`: the sequences of the next messages.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Lane {
    sent: u64,
    received: u64,
}

impl From<[state::Sequence; 2]> for Lane {
    fn from([outbox, inbox]: [state::Sequence; 2]) -> Self {
        Lane { sent: outbox.next, received: inbox.next }
    }
}

impl Lane {
    /// Sent, received.
    pub fn read(self) -> (u64, u64) {
        (self.sent, self.received)
    }
}

/// `/v1/validators`.
#[derive(Debug, Serialize)]
pub(crate) struct Validators {
    from_epoch: u64,
    validators: Vec<Validator>,
}

#[derive(Debug, Serialize)]
struct Validator {
    identity: String,
    vote: String,
}

impl From<ValidatorSet> for Validators {
    fn from(set: ValidatorSet) -> Self {
        let hex = |one: &genesis::Validator| Validator {
            identity: hex::encode(&one.identity),
            vote: hex::encode(one.vote),
        };
        Validators { from_epoch: set.from, validators: set.validators.iter().map(hex).collect() }
    }
}

/// `/v1/receipts/{hash}`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Receipt {
    height: u64,
    index: u32,
}

impl From<service::Receipt> for Receipt {
    fn from(receipt: service::Receipt) -> Self {
        Receipt { height: receipt.height, index: receipt.index }
    }
}

impl From<Receipt> for service::Receipt {
    fn from(receipt: Receipt) -> Self {
        service::Receipt { height: receipt.height, index: receipt.index }
    }
}

/// `/v1/blocks/{height}`: the header's fields, the block's hash, when it was final, the hashes of its
/// transactions.
#[derive(Debug, Serialize)]
pub(crate) struct Block {
    hash: Hex32,
    chain: Hex32,
    height: u64,
    epoch: u64,
    view: u64,
    parent: Hex32,
    time_ms: u64,
    final_ms: u64,
    proposer: u32,
    transactions_root: Hex32,
    state_root: Hex32,
    transactions: Vec<Hex32>,
}

impl From<&Final> for Block {
    fn from(final_: &Final) -> Self {
        let header = &final_.block.header;
        Block {
            hash: Hex32(header.hash().0),
            chain: Hex32(header.chain.0),
            height: header.height,
            epoch: header.epoch,
            view: header.view,
            parent: Hex32(header.parent.0),
            time_ms: header.time_ms,
            final_ms: final_.final_ms,
            proposer: header.proposer,
            transactions_root: Hex32(header.transactions_root),
            state_root: Hex32(header.state_root),
            transactions: final_.hashes.iter().copied().map(Hex32).collect(),
        }
    }
}

/// The name of a transaction that was taken.
pub(crate) fn hash(hash: &[u8; 32]) -> String {
    hex::encode_prefixed(hash)
}

/// `{"error": {"code", "message"}}`, what a client needs of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Error {
    pub error: ErrorBody,
}

/// What is said to a transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    Hash(Hex32),
    Error(ErrorBody),
}

/// What [`Error`] wraps.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub code: String,
    pub message: String,
}

//! What a pool is handed, and how much of it.

use crate::address::Address;
use crate::ledger::Fault;
use crate::state::Account;
use crate::transaction::{Action, Signed, SignedTransaction};
use serde::{Deserialize, Serialize};

/// How much a pool holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolLimits {
    /// Bytes of encoded transactions, 145 to 217 each but for deliveries; in memory each takes about 1 KiB.
    pub bytes: usize,
    /// Transactions.
    pub transactions: usize,
    /// Per cent of both that one peer may fill, 0 to 100.
    pub peer_percent: u8,
}

impl Default for PoolLimits {
    /// 128 MiB, 2^19 transactions, half of them a peer's.
    fn default() -> Self {
        PoolLimits { bytes: 128 << 20, transactions: 1 << 19, peer_percent: 50 }
    }
}

/// A transaction with its hash and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The transaction.
    pub transaction: SignedTransaction,
    /// Its hash.
    pub hash: [u8; 32],
    /// Who signed it.
    pub sender: Address,
}

impl Entry {
    /// With who signed it; what it delivers is not known here.
    pub(crate) fn signed(&self) -> Signed<'_> {
        Signed { sender: &self.sender, transaction: &self.transaction, delivered: &[] }
    }

    pub(super) fn nonce(&self) -> u64 {
        self.transaction.transaction.nonce
    }

    pub(super) fn expiry(&self) -> u64 {
        self.transaction.transaction.expiry
    }

    pub(super) fn bytes(&self) -> usize {
        self.transaction.encoded_bytes()
    }

    /// What its sender has less afterwards.
    pub(super) fn moves(&self) -> u64 {
        match &self.transaction.transaction.action {
            Action::Transfer { to, amount } if *to != self.sender => *amount,
            Action::Message(message) => message.amount,
            _ => 0,
        }
    }
}

/// Who brought a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A client of this validator.
    Client,
    /// Another validator, by its index.
    Peer(u32),
}

/// What the final state says of a transaction. It is read after the last call of [`Pool::settle`](super::Pool::settle).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The sender's account.
    pub sender: Option<Account>,
    /// Whether the account that receives, or the record, exists.
    pub target: bool,
    /// Why it cannot take effect any more, whatever goes before it.
    pub fault: Option<Fault>,
}

/// Transactions, and bytes of their encodings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub transactions: usize,
    pub bytes: usize,
}

impl Usage {
    pub fn add(&mut self, entry: &Entry) {
        self.transactions += 1;
        self.bytes += entry.bytes();
    }

    pub fn remove(&mut self, entry: &Entry) {
        self.transactions -= 1;
        self.bytes -= entry.bytes();
    }

    /// Whether another transaction fits under the limits.
    pub fn holds(&self, bytes: usize, limits: Usage) -> bool {
        self.transactions < limits.transactions && self.bytes.saturating_add(bytes) <= limits.bytes
    }
}

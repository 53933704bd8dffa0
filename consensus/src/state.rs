//! What the ledger keeps: accounts, records and counters of messages, as keys and values of 32 bytes.

use crate::address::Address;
use crate::{Hash, keccak};

/// Where an account or a record lies.
pub type Key = [u8; 32];
/// What lies there.
pub type Value = [u8; 32];

/// What goes before a namespace and a digest when they are hashed to the key of a record.
pub const RECORD_TAG: &[u8; 16] = b"sigmill:record01";
/// What goes before the receiving chain and the sender in the key of a counter of what was sent.
pub const OUTBOX_TAG: &[u8; 16] = b"sigmill:outbox01";
/// What goes before the sending chain and the sender in the key of a counter of what was received.
pub const INBOX_TAG: &[u8; 16] = b"sigmill:inbox001";
/// What goes before another chain when it is hashed to the address of what is locked for it.
pub const ESCROW_TAG: &[u8; 16] = b"sigmill:escrow01";
/// What goes after an address in the key of its account, then zeros.
const ACCOUNT_SUFFIX: &[u8; 7] = b"account";

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// How much, in the smallest unit.
    pub balance: u64,
    /// How many transactions it has sent.
    pub nonce: u64,
}

impl Account {
    /// Where the account of an address lies.
    pub fn key(address: &Address) -> Key {
        let mut key = [0; 32];
        key[..20].copy_from_slice(address.as_slice());
        key[20..27].copy_from_slice(ACCOUNT_SUFFIX);
        key
    }

    /// balance || nonce, big-endian, then zeros.
    pub fn value(&self) -> Value {
        pair(self.balance, self.nonce)
    }

    /// Reads [`Account::value`].
    pub fn of(value: &Value) -> Self {
        let (balance, nonce) = read_pair(value);
        Account { balance, nonce }
    }
}

/// What was written down of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who wrote it.
    pub author: Address,
    /// Height of the block that holds it.
    pub height: u64,
}

impl Record {
    /// Where the record of a digest lies.
    pub fn key(namespace: &[u8; 32], digest: &[u8; 32]) -> Key {
        keccak(&[RECORD_TAG, namespace, digest]).0
    }

    /// author || height, big-endian, then zeros.
    pub fn value(&self) -> Value {
        let mut value = [0; 32];
        value[..20].copy_from_slice(self.author.as_slice());
        value[20..28].copy_from_slice(&self.height.to_be_bytes());
        value
    }

    /// Reads [`Record::value`].
    pub fn of(value: &Value) -> Self {
        let height = u64::from_be_bytes(value[20..28].try_into().expect("8 bytes"));
        Record { author: Address::from_slice(&value[..20]), height }
    }
}

/// A counter of messages between an account and another chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The sequence of the next one.
    pub next: u64,
    /// Height of the block with the last one.
    pub height: u64,
}

impl Sequence {
    /// Where what an account of this chain has sent to another is counted.
    pub fn outbox(receiver: &Hash, sender: &Address) -> Key {
        keccak(&[OUTBOX_TAG, &receiver.0, sender.as_slice()]).0
    }

    /// Where what an account of another chain has sent to this one is counted.
    pub fn inbox(source: &Hash, sender: &Address) -> Key {
        keccak(&[INBOX_TAG, &source.0, sender.as_slice()]).0
    }

    /// next || height, big-endian, then zeros.
    pub fn value(&self) -> Value {
        pair(self.next, self.height)
    }

    /// Reads [`Sequence::value`].
    pub fn of(value: &Value) -> Self {
        let (next, height) = read_pair(value);
        Sequence { next, height }
    }
}

/// Two numbers, big-endian, then zeros.
fn pair(first: u64, second: u64) -> Value {
    let mut value = [0; 32];
    value[..8].copy_from_slice(&first.to_be_bytes());
    value[8..16].copy_from_slice(&second.to_be_bytes());
    value
}

fn read_pair(value: &Value) -> (u64, u64) {
    let word = |at: usize| u64::from_be_bytes(value[at..at + 8].try_into().expect("8 bytes"));
    (word(0), word(8))
}

/// The account that holds what is locked here for another chain. Nobody has its key.
pub fn escrow(chain: &Hash) -> Address {
    Address::from_slice(&keccak(&[ESCROW_TAG, &chain.0]).0[12..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_written() {
        let account = Account { balance: u64::MAX, nonce: 7 };
        assert_eq!(Account::of(&account.value()), account);
        let record = Record { author: Address::repeat_byte(3), height: 1 << 40 };
        assert_eq!(Record::of(&record.value()), record);
        let sequence = Sequence { next: 5, height: u64::MAX };
        assert_eq!(Sequence::of(&sequence.value()), sequence);
    }

    #[test]
    fn keys_are_where_the_specification_puts_them() {
        let key = Account::key(&Address::repeat_byte(9));
        assert_eq!((&key[..20], &key[20..]), (&[9; 20][..], &b"account\0\0\0\0\0"[..]));
        let other = [[1; 32], [2; 32]];
        assert_ne!(Record::key(&other[0], &other[1]), Record::key(&other[1], &other[0]));
        let (chain, sender) = (Hash::from([1; 32]), Address::repeat_byte(2));
        assert_ne!(Sequence::outbox(&chain, &sender), Sequence::inbox(&chain, &sender));
        assert_ne!(escrow(&chain), escrow(&Hash::from([2; 32])));
    }
}

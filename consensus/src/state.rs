//! What the ledger keeps: accounts and records, as keys and values of 32 bytes.

use crate::address::Address;
use crate::keccak;

/// Where an account or a record lies.
pub type Key = [u8; 32];
/// What lies there.
pub type Value = [u8; 32];

/// What goes before a namespace and a digest when they are hashed to the key of a record.
pub const RECORD_TAG: &[u8; 16] = b"sigmill:record01";
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
        let mut value = [0; 32];
        value[..8].copy_from_slice(&self.balance.to_be_bytes());
        value[8..16].copy_from_slice(&self.nonce.to_be_bytes());
        value
    }

    /// Reads [`Account::value`].
    pub fn of(value: &Value) -> Self {
        let word = |at: usize| u64::from_be_bytes(value[at..at + 8].try_into().expect("8 bytes"));
        Account { balance: word(0), nonce: word(8) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_written() {
        let account = Account { balance: u64::MAX, nonce: 7 };
        assert_eq!(Account::of(&account.value()), account);
        let record = Record { author: Address::repeat_byte(3), height: 1 << 40 };
        assert_eq!(Record::of(&record.value()), record);
    }

    #[test]
    fn keys_are_where_the_specification_puts_them() {
        let key = Account::key(&Address::repeat_byte(9));
        assert_eq!((&key[..20], &key[20..]), (&[9; 20][..], &b"account\0\0\0\0\0"[..]));
        let other = [[1; 32], [2; 32]];
        assert_ne!(Record::key(&other[0], &other[1]), Record::key(&other[1], &other[0]));
    }
}

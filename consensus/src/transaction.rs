//! Transactions: what an account signs.
//!
//! Encoding and decoding are pure; signatures and hashes of many are batches: [`hashes`],
//! [`senders`].

use crate::address::Address;
use crate::fields::{DecodeError, Fields};
use crate::keys::AccountKey;
use crate::{Hash, keccak};

mod action;
mod batches;
mod list;

pub(crate) use action::Kinds;
pub use action::{Action, Message};
use action::{MESSAGE_BYTES, TRANSFER_BYTES};
pub use batches::{Hashes, hash_batch, hashes, recover_batch, senders};
pub(crate) use batches::{addresses, read_hashes};
pub use list::{decode_list, encode_list};

/// What goes before a transaction when it is hashed for its signature, and never on the wire.
pub const SIGNING_TAG: &[u8; 16] = b"sigmill:transact";

/// Bytes before the payload.
const HEAD: usize = 52;
/// Bytes of a signature: r, s, v.
pub const SIGNATURE_BYTES: usize = 65;
/// Bytes of the shortest signed transaction, a transfer.
pub const SHORTEST: usize = HEAD + TRANSFER_BYTES + SIGNATURE_BYTES;
/// Bytes of a signed message.
pub const MESSAGE: usize = HEAD + MESSAGE_BYTES + SIGNATURE_BYTES;
/// Most bytes of a payload.
pub const MOST_PAYLOAD_BYTES: usize = u16::MAX as usize;
/// Bytes of the longest signed transaction, a delivery.
pub const LONGEST: usize = HEAD + MOST_PAYLOAD_BYTES + SIGNATURE_BYTES;

/// What an account asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The chain that it is meant for: a transaction of another chain is refused.
    pub chain: Hash,
    /// How many transactions of the account went before it.
    pub nonce: u64,
    /// The last height at which a block may hold it.
    pub expiry: u64,
    /// What is to happen.
    pub action: Action,
}

impl Transaction {
    /// Appends the encoding without signature.
    ///
    /// # Panics
    /// The payload has more than [`MOST_PAYLOAD_BYTES`]: a delivery or decree that is too long.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        bytes.push(1);
        bytes.extend_from_slice(&self.chain.0);
        bytes.extend_from_slice(&self.nonce.to_be_bytes());
        bytes.extend_from_slice(&self.expiry.to_be_bytes());
        bytes.push(self.action.kind());
        let length = self.action.payload_bytes();
        let length = u16::try_from(length).expect("no payload has more than 65,535 bytes");
        bytes.extend_from_slice(&length.to_be_bytes());
        self.action.encode_payload(bytes);
    }

    /// The hash that its account signs.
    pub fn signing_hash(&self) -> Hash {
        let mut bytes = Vec::with_capacity(256);
        self.encode_into(&mut bytes);
        keccak(&[SIGNING_TAG, &bytes])
    }

    /// Signs it.
    pub fn sign(self, key: &AccountKey) -> SignedTransaction {
        let signature = key.sign(&self.signing_hash().0);
        SignedTransaction { transaction: self, signature }
    }

    fn read(fields: &mut Fields<'_>, kinds: Kinds) -> Result<Self, DecodeError> {
        fields.version()?;
        let chain = Hash::from(fields.array::<32>("chain")?);
        let nonce = fields.u64("nonce")?;
        let expiry = fields.u64("expiry")?;
        let action = Action::read(fields, kinds)?;
        Ok(Transaction { chain, nonce, expiry, action })
    }
}

/// A transaction with a signature, which need not be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// What is signed.
    pub transaction: Transaction,
    /// r || s || v, big-endian; v is 0 or 1.
    pub signature: [u8; SIGNATURE_BYTES],
}

impl SignedTransaction {
    /// Appends the encoding.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        self.transaction.encode_into(bytes);
        bytes.extend_from_slice(&self.signature);
    }

    /// Its encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_bytes());
        self.encode_into(&mut bytes);
        bytes
    }

    /// Bytes of its encoding.
    pub fn encoded_bytes(&self) -> usize {
        HEAD + self.transaction.action.payload_bytes() + SIGNATURE_BYTES
    }

    /// Its name: Keccak-256 of its encoding.
    pub fn hash(&self) -> Hash {
        keccak(&[&self.encode()])
    }

    /// Reads one transaction, the whole of the bytes.
    ///
    /// # Errors
    /// [`DecodeError`]: the first field that no encoder writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes);
        let transaction = SignedTransaction::read(&mut fields, Kinds::All)?;
        fields.end()?;
        Ok(transaction)
    }

    /// Reads the next transaction.
    pub(crate) fn read(fields: &mut Fields<'_>, kinds: Kinds) -> Result<Self, DecodeError> {
        let transaction = Transaction::read(fields, kinds)?;
        let signature: [u8; SIGNATURE_BYTES] = fields.array("signature")?;
        SignedTransaction::check_v(signature[64])?;
        Ok(SignedTransaction { transaction, signature })
    }

    pub(crate) fn check_v(v: u8) -> Result<u8, DecodeError> {
        match v {
            0 | 1 => Ok(v),
            v => Err(DecodeError::Value { field: "v", value: v.into(), allowed: "0 or 1" }),
        }
    }
}

/// A transaction whose signatures have been recovered.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Who signed it.
    pub sender: &'a Address,
    /// The transaction.
    pub transaction: &'a SignedTransaction,
    /// Who signed what it delivers, in order; none for other kinds.
    pub delivered: &'a [Address],
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A signed transfer of an account named by a byte, 1 to 255.
    pub(crate) fn transfer(account: u8, nonce: u64) -> SignedTransaction {
        let key = AccountKey::from_bytes(&[account; 32]).unwrap();
        let action = Action::Transfer { to: Address::repeat_byte(account), amount: 5 };
        Transaction { chain: Hash::from([9; 32]), nonce, expiry: 100, action }.sign(&key)
    }

    /// A signed record.
    pub(crate) fn record(account: u8, nonce: u64) -> SignedTransaction {
        let key = AccountKey::from_bytes(&[account; 32]).unwrap();
        let action = Action::Record { namespace: [3; 32], digest: [account; 32] };
        Transaction { chain: Hash::from([9; 32]), nonce, expiry: 100, action }.sign(&key)
    }

    /// n - s and the other v: the same key for libsecp256k1, and not allowed in a transaction.
    pub(crate) fn high_s(one: &SignedTransaction) -> SignedTransaction {
        use k256::elliptic_curve::PrimeField;
        let s: [u8; 32] = one.signature[32..64].try_into().unwrap();
        let s = k256::Scalar::from_repr(s.into()).unwrap();
        let mut other = one.clone();
        other.signature[32..64].copy_from_slice(&(-s).to_bytes());
        other.signature[64] ^= 1;
        other
    }

    #[test]
    fn fields_lie_where_the_specification_says() {
        let bytes = transfer(1, 0x0102_0304_0506_0708).encode();
        assert_eq!(bytes.len(), 145);
        assert_eq!((bytes[0], &bytes[1..33]), (1, &[9; 32][..]));
        assert_eq!(bytes[33..41], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(bytes[41..49], [0, 0, 0, 0, 0, 0, 0, 100]);
        assert_eq!(bytes[49..52], [0, 0, 28]);
        assert_eq!((&bytes[52..72], &bytes[72..80]), (&[1; 20][..], &5_u64.to_be_bytes()[..]));
        let bytes = record(1, 0).encode();
        assert_eq!((bytes.len(), &bytes[49..52]), (181, &[1, 0, 64][..]));
        assert_eq!((&bytes[52..84], &bytes[84..116]), (&[3; 32][..], &[1; 32][..]));
    }

    #[test]
    fn what_is_decoded_encodes_to_the_same_bytes() {
        for one in [transfer(1, 0), transfer(2, u64::MAX), record(3, 7)] {
            let bytes = one.encode();
            assert_eq!(bytes.len(), one.encoded_bytes());
            assert_eq!(SignedTransaction::decode(&bytes), Ok(one));
        }
    }

    #[test]
    fn every_cut_is_refused_and_named() {
        for one in [transfer(1, 0), record(1, 0)] {
            let bytes = one.encode();
            for end in 0..bytes.len() {
                let error = SignedTransaction::decode(&bytes[..end]).unwrap_err();
                assert!(matches!(error, DecodeError::Short { .. }), "{end}: {error}");
            }
            let longer = [&bytes[..], &[0]].concat();
            let error = SignedTransaction::decode(&longer).unwrap_err();
            assert_eq!(error, DecodeError::Trailing { bytes: 1 });
        }
    }

    #[test]
    fn other_versions_kinds_lengths_and_v_are_refused() {
        for (at, value, field) in [
            (0, 0, "version"),
            (0, 2, "version"),
            (49, 5, "kind"),
            (49, 2, "payload length"),
            (49, 1, "payload length"),
            (50, 1, "payload length"),
            (51, 27, "payload length"),
            (144, 2, "v"),
            (144, 27, "v"),
        ] {
            let mut bytes = transfer(1, 0).encode();
            bytes[at] = value;
            match SignedTransaction::decode(&bytes).unwrap_err() {
                DecodeError::Value { field: found, .. } => assert_eq!(found, field, "byte {at}"),
                other => panic!("byte {at}: {other}"),
            }
        }
    }

    #[test]
    fn every_bit_of_what_is_signed_counts() {
        let one = transfer(1, 0);
        let (hash, bytes) = (one.transaction.signing_hash(), one.encode());
        for bit in 0..80 * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = SignedTransaction::decode(&other) {
                assert_ne!(other.transaction.signing_hash(), hash, "bit {bit}");
            }
        }
    }
}

//! Signed transactions as JSON.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::block::One;
use super::hex::{Hex, HexBytes};
use crate::decree::Decree;
use crate::fields::DecodeError;
use crate::proof::Proof;
use crate::transaction::{
    Action, Kinds, MOST_PAYLOAD_BYTES, Message, SignedTransaction, Transaction,
};
use crate::{Address, Hash, address};

/// [`SignedTransaction`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransactionText {
    version: One,
    chain: Hex<32>,
    nonce: u64,
    expiry: u64,
    payload: Payload,
    r: Hex<32>,
    s: Hex<32>,
    v: u8,
}

/// [`Action`], under the name of its kind.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Payload {
    Transfer {
        to: AddressText,
        amount: Decimal,
    },
    Record {
        namespace: Hex<32>,
        digest: Hex<32>,
    },
    Message {
        receiver: Hex<32>,
        sequence: u64,
        to: AddressText,
        amount: Decimal,
        digest: Hex<32>,
    },
    /// The bytes of the payload: a proof.
    Deliver {
        proof: HexBytes,
    },
    /// The bytes of the payload.
    Decree {
        bytes: HexBytes,
    },
}

impl Payload {
    fn of(action: &Action) -> Self {
        match action {
            Action::Transfer { to, amount } => {
                Payload::Transfer { to: AddressText(*to), amount: Decimal(*amount) }
            }
            Action::Record { namespace, digest } => {
                Payload::Record { namespace: Hex(*namespace), digest: Hex(*digest) }
            }
            Action::Message(Message { receiver, sequence, to, amount, digest }) => {
                Payload::Message {
                    receiver: Hex(receiver.0),
                    sequence: *sequence,
                    to: AddressText(*to),
                    amount: Decimal(*amount),
                    digest: Hex(*digest),
                }
            }
            Action::Deliver(proof) => Payload::Deliver { proof: HexBytes(proof.encode()) },
            Action::Decree(decree) => {
                let mut bytes = Vec::with_capacity(decree.encoded_bytes());
                decree.encode_into(&mut bytes);
                Payload::Decree { bytes: HexBytes(bytes) }
            }
        }
    }

    fn read(self) -> Result<Action, DecodeError> {
        let fits = |field, HexBytes(bytes): &HexBytes| match bytes.len() <= MOST_PAYLOAD_BYTES {
            true => Ok(()),
            false => {
                let (value, limit) = (bytes.len() as u64, MOST_PAYLOAD_BYTES as u64);
                Err(DecodeError::Limit { field, value, limit })
            }
        };
        Ok(match self {
            Payload::Transfer { to: AddressText(to), amount: Decimal(amount) } => {
                Action::Transfer { to, amount }
            }
            Payload::Record { namespace: Hex(namespace), digest: Hex(digest) } => {
                Action::Record { namespace, digest }
            }
            Payload::Message { receiver, sequence, to, amount, digest } => {
                let (receiver, to) = (Hash::from(receiver.0), to.0);
                let (amount, digest) = (amount.0, digest.0);
                Action::Message(Message { receiver, sequence, to, amount, digest })
            }
            Payload::Deliver { proof } => {
                fits("proof", &proof)?;
                Action::Deliver(Arc::new(Proof::decode_of(&proof.0, Kinds::Travelling)?))
            }
            Payload::Decree { bytes } => {
                fits("bytes", &bytes)?;
                Action::Decree(Arc::new(Decree::decode(&bytes.0)?))
            }
        })
    }
}

impl TransactionText {
    pub fn of(SignedTransaction { transaction, signature }: &SignedTransaction) -> Self {
        let half = |at: usize| Hex(signature[at..at + 32].try_into().expect("32 bytes"));
        TransactionText {
            version: One,
            chain: Hex(transaction.chain.0),
            nonce: transaction.nonce,
            expiry: transaction.expiry,
            payload: Payload::of(&transaction.action),
            r: half(0),
            s: half(32),
            v: signature[64],
        }
    }

    pub fn read(self) -> Result<SignedTransaction, DecodeError> {
        let action = self.payload.read()?;
        let (chain, nonce, expiry) = (Hash::from(self.chain.0), self.nonce, self.expiry);
        let mut signature = [0; 65];
        signature[..32].copy_from_slice(&self.r.0);
        signature[32..64].copy_from_slice(&self.s.0);
        signature[64] = SignedTransaction::check_v(self.v)?;
        Ok(SignedTransaction {
            transaction: Transaction { chain, nonce, expiry, action },
            signature,
        })
    }
}

/// An amount as decimal text: it may exceed 2^53.
struct Decimal(u64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let canonical = text.bytes().all(|digit| digit.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        let amount = text.parse().ok().filter(|_| canonical).map(Decimal);
        amount.ok_or_else(|| de::Error::custom("an amount is a decimal text below 2^64"))
    }
}

/// An address with its checksum.
pub struct AddressText(pub Address);

impl Serialize for AddressText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.to_checksum(None))
    }
}

impl<'de> Deserialize<'de> for AddressText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What is longer is wrong as well, and an error does not repeat all of it.
        let text: String = String::deserialize(deserializer)?.chars().take(64).collect();
        address::parse(&text).map(AddressText).map_err(de::Error::custom)
    }
}

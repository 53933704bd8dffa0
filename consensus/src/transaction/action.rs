//! What a transaction asks for: the kinds and their payloads (SPEC.md, 6).

use std::sync::Arc;

use crate::Hash;
use crate::address::Address;
use crate::decree::Decree;
use crate::fields::{DecodeError, Fields};
use crate::proof::Proof;

const TRANSFER: u8 = 0;
const RECORD: u8 = 1;
const MESSAGE: u8 = 2;
const DELIVER: u8 = 3;
const DECREE: u8 = 4;

pub(super) const TRANSFER_BYTES: usize = 28;
const RECORD_BYTES: usize = 64;
pub(super) const MESSAGE_BYTES: usize = 100;

/// Kinds that a decoder takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinds {
    /// All.
    All,
    /// Those that a delivery brings: it has no delivery inside it.
    Travelling,
}

/// What is to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Moves an amount to another account.
    Transfer {
        /// Who gets it.
        to: Address,
        /// How much, in the smallest unit.
        amount: u64,
    },
    /// Writes down, for ever, that the account knew a digest.
    Record {
        /// What kind of thing it is: a name padded with zeros, or a hash.
        namespace: [u8; 32],
        /// Digest of the thing.
        digest: [u8; 32],
    },
    /// Sends to another chain.
    Message(Message),
    /// Brings in what is final on another chain: its messages to this one, and its decrees.
    Deliver(Arc<Proof>),
    /// What the validators decide together.
    Decree(Arc<Decree>),
}

/// What an account sends to another chain. The sending chain and the sender are those of the
/// transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The chain that it is meant for.
    pub receiver: Hash,
    /// Messages of the sender to that chain before it, from 0.
    pub sequence: u64,
    /// Who gets the amount there.
    pub to: Address,
    /// How much is locked here and released there, in the smallest unit; may be 0.
    pub amount: u64,
    /// Digest of what is said.
    pub digest: [u8; 32],
}

impl Action {
    pub(super) fn kind(&self) -> u8 {
        match self {
            Action::Transfer { .. } => TRANSFER,
            Action::Record { .. } => RECORD,
            Action::Message(_) => MESSAGE,
            Action::Deliver(_) => DELIVER,
            Action::Decree(_) => DECREE,
        }
    }

    /// Bytes of its payload.
    pub(super) fn payload_bytes(&self) -> usize {
        match self {
            Action::Transfer { .. } => TRANSFER_BYTES,
            Action::Record { .. } => RECORD_BYTES,
            Action::Message(_) => MESSAGE_BYTES,
            Action::Deliver(proof) => proof.encoded_bytes(),
            Action::Decree(decree) => decree.encoded_bytes(),
        }
    }

    /// Appends the payload.
    pub(super) fn encode_payload(&self, bytes: &mut Vec<u8>) {
        match self {
            Action::Transfer { to, amount } => {
                bytes.extend_from_slice(to.as_slice());
                bytes.extend_from_slice(&amount.to_be_bytes());
            }
            Action::Record { namespace, digest } => {
                bytes.extend_from_slice(namespace);
                bytes.extend_from_slice(digest);
            }
            Action::Message(Message { receiver, sequence, to, amount, digest }) => {
                bytes.extend_from_slice(&receiver.0);
                bytes.extend_from_slice(&sequence.to_be_bytes());
                bytes.extend_from_slice(to.as_slice());
                bytes.extend_from_slice(&amount.to_be_bytes());
                bytes.extend_from_slice(digest);
            }
            Action::Deliver(proof) => proof.encode_into(bytes),
            Action::Decree(decree) => decree.encode_into(bytes),
        }
    }

    /// Reads kind, length and payload.
    pub(super) fn read(fields: &mut Fields<'_>, kinds: Kinds) -> Result<Self, DecodeError> {
        let kind = fields.u8("kind")?;
        if kinds == Kinds::Travelling && !matches!(kind, MESSAGE | DECREE) {
            let allowed = "2 (message) or 4 (decree), inside a delivery,";
            return Err(DecodeError::Value { field: "kind", value: kind.into(), allowed });
        }
        let found = usize::from(fields.u16("payload length")?);
        let fixed = match kind {
            TRANSFER => Some((TRANSFER_BYTES, "28, a transfer's,")),
            RECORD => Some((RECORD_BYTES, "64, a record's,")),
            MESSAGE => Some((MESSAGE_BYTES, "100, a message's,")),
            DELIVER | DECREE => None,
            _ => {
                let allowed = "0 (transfer), 1 (record), 2 (message), 3 (deliver) or 4 (decree)";
                return Err(DecodeError::Value { field: "kind", value: kind.into(), allowed });
            }
        };
        if let Some((length, allowed)) = fixed
            && found != length
        {
            let (field, value) = ("payload length", found as u64);
            return Err(DecodeError::Value { field, value, allowed });
        }
        Ok(match kind {
            TRANSFER => Action::Transfer {
                to: Address::from(fields.array::<20>("to")?),
                amount: fields.u64("amount")?,
            },
            RECORD => Action::Record {
                namespace: fields.array("namespace")?,
                digest: fields.array("digest")?,
            },
            MESSAGE => Action::Message(Message {
                receiver: Hash::from(fields.array::<32>("receiver")?),
                sequence: fields.u64("sequence")?,
                to: Address::from(fields.array::<20>("to")?),
                amount: fields.u64("amount")?,
                digest: fields.array("digest")?,
            }),
            DELIVER => {
                let proof = fields.take("payload", found)?;
                Action::Deliver(Arc::new(Proof::decode_of(proof, Kinds::Travelling)?))
            }
            _ => Action::Decree(Arc::new(Decree::decode(fields.take("payload", found)?)?)),
        })
    }
}

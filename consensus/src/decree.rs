//! What the validators of a chain decide together: their successors, and whom of another chain to
//! believe (SPEC.md, 17).

use commonware_codec::{Copying, DecodeExt};
use commonware_cryptography::ed25519;

use crate::fields::{DecodeError, Fields};
use crate::genesis::Validator;
use crate::keys::VoteKey;
use crate::proof::{certificate_bytes, decode_certificate, encode_certificate};
use crate::scheme::{Certificate, VoteSignature};
use crate::sets::{SetError, ValidatorSet};
use crate::{Committee, Hash};

mod file;

pub use file::{DraftError, DraftFile};

/// What goes before a decree when it is signed, and never on the wire.
pub const DECREE_TAG: &[u8; 16] = b"sigmill:decree01";

const VALIDATORS: u8 = 0;
const LINK: u8 = 1;

/// A decision with the signatures that make it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decree {
    /// What is decided.
    pub draft: Draft,
    /// The signatures of a quorum of the validators of the draft's epoch.
    pub certificate: Certificate,
}

/// A decision that validators may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The epoch in which it may take effect.
    pub epoch: u64,
    /// What it says.
    pub order: Order,
}

/// What a decree says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Who validates from a later epoch on.
    Validators(ValidatorSet),
    /// That a chain is believed: who validates it. Its own decrees say who does later.
    Link {
        /// The chain.
        chain: Hash,
        /// Its validators.
        set: ValidatorSet,
    },
}

impl Draft {
    pub(crate) fn set(&self) -> &ValidatorSet {
        match &self.order {
            Order::Validators(set) | Order::Link { set, .. } => set,
        }
    }

    fn encoded_bytes(&self) -> usize {
        let chain = if matches!(self.order, Order::Link { .. }) { 32 } else { 0 };
        9 + chain + 10 + 64 * self.set().validators.len()
    }

    /// Appends the encoding.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        match &self.order {
            Order::Validators(_) => bytes.push(VALIDATORS),
            Order::Link { chain, .. } => {
                bytes.push(LINK);
                bytes.extend_from_slice(&chain.0);
            }
        }
        let ValidatorSet { from, validators } = self.set();
        bytes.extend_from_slice(&from.to_be_bytes());
        bytes.extend_from_slice(&(validators.len() as u16).to_be_bytes());
        for Validator { identity, vote } in validators {
            bytes.extend_from_slice(identity.as_ref());
            bytes.extend_from_slice(vote);
        }
    }

    /// What its validators sign on their chain: tag || chain || encoding. No vote begins like it: a vote
    /// begins with the length of its namespace, 56 or 57, and this with 115.
    pub fn signed_bytes(&self, chain: Hash) -> Vec<u8> {
        let mut bytes = [&DECREE_TAG[..], &chain.0].concat();
        self.encode_into(&mut bytes);
        bytes
    }

    /// A validator's signature of it; `None` if the signer's own check failed.
    pub fn sign(&self, chain: Hash, key: &VoteKey) -> Option<VoteSignature> {
        key.sign(&self.signed_bytes(chain)).map(VoteSignature)
    }

    /// Reads one draft, the whole of the bytes.
    ///
    /// # Errors
    /// [`DecodeError`]: the first field that no encoder writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes);
        let draft = Draft::read(&mut fields)?;
        fields.end()?;
        Ok(draft)
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let epoch = fields.u64("epoch")?;
        let order = match fields.u8("order")? {
            VALIDATORS => Order::Validators(read_set(fields)?),
            LINK => {
                let chain = Hash::from(fields.array::<32>("chain")?);
                Order::Link { chain, set: read_set(fields)? }
            }
            other => {
                let allowed = "0 (validators) or 1 (link)";
                let (field, value) = ("order", other.into());
                return Err(DecodeError::Value { field, value, allowed });
            }
        };
        Ok(Draft { epoch, order })
    }
}

/// First epoch (8), number (2), identity and vote key of each (64).
fn read_set(fields: &mut Fields<'_>) -> Result<ValidatorSet, DecodeError> {
    let from = fields.u64("from")?;
    let count = fields.u16("validators")?;
    let mut validators = Vec::new();
    for index in 0..count {
        let identity: [u8; 32] = fields.array("identity")?;
        let Ok(identity) = ed25519::PublicKey::decode(Copying(&identity)) else {
            let (field, allowed) = ("validators", "only public keys of ed25519");
            return Err(DecodeError::Value { field, value: index.into(), allowed });
        };
        validators.push(Validator { identity, vote: fields.array("vote")? });
    }
    let set = ValidatorSet { from, validators };
    let wrong = |value, allowed| Err(DecodeError::Value { field: "validators", value, allowed });
    match set.check() {
        Ok(()) => Ok(set),
        Err(SetError::Number) => wrong(count.into(), "1 to 500"),
        Err(SetError::Order(at)) => wrong(at as u64, "an ascending order"),
        Err(SetError::VoteKey(at)) => wrong(at as u64, "only points of secp256k1"),
        Err(SetError::VoteTwice) => wrong(count.into(), "no key twice"),
    }
}

impl Decree {
    /// Appends the encoding.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        self.draft.encode_into(bytes);
        encode_certificate(&self.certificate, bytes);
    }

    /// Bytes of its encoding.
    pub fn encoded_bytes(&self) -> usize {
        self.draft.encoded_bytes() + certificate_bytes(&self.certificate)
    }

    /// Reads one decree, the whole of the bytes.
    ///
    /// # Errors
    /// [`DecodeError`]: the first field that no encoder writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes);
        let draft = Draft::read(&mut fields)?;
        let certificate = decode_certificate(&mut fields)?;
        fields.end()?;
        Ok(Decree { draft, certificate })
    }

    /// Whether a quorum of the committee signed it on this chain. That the committee is its epoch's
    /// is the caller's to know.
    pub fn is_signed_by(&self, chain: Hash, committee: &Committee) -> bool {
        committee.verify_signed(&self.draft.signed_bytes(chain), &self.certificate)
    }
}

#[cfg(test)]
mod tests;

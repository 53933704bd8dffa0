//! Proofs of state: what an account has, or what was written down of a digest, after a block.

use super::FinalHeader;
use crate::address::Address;
use crate::fields::{DecodeError, Fields};
use crate::state::{Account, Key, Record, Value};

/// What every proof of state begins with.
pub const STATE_TAG: &[u8; 8] = b"sigstate";
/// Most bytes of the database's proof: more than one of 2^62 operations has.
pub const MOST_OPENING_BYTES: usize = 4_096;

/// What a proof of state is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The account of an address.
    Account(Address),
    /// What was written down of a digest.
    Record {
        /// What kind of thing it is.
        namespace: [u8; 32],
        /// Digest of the thing.
        digest: [u8; 32],
    },
}

impl Subject {
    /// Where the state has it.
    pub fn key(&self) -> Key {
        match self {
            Subject::Account(address) => Account::key(address),
            Subject::Record { namespace, digest } => Record::key(namespace, digest),
        }
    }
}

/// That the state had a value of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateProof {
    /// The block whose header names the state: the value was the current one after its parent.
    pub block: FinalHeader,
    /// Of what.
    pub subject: Subject,
    /// What the state had there.
    pub value: Value,
    /// The database's proof, which only a verification looks at.
    pub opening: Vec<u8>,
}

impl StateProof {
    /// Height of the block that left the state.
    pub fn height(&self) -> u64 {
        self.block.header.height.saturating_sub(1)
    }

    /// The encoding.
    ///
    /// # Panics
    /// More than 255 descendants, or [`MOST_OPENING_BYTES`].
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = STATE_TAG.to_vec();
        bytes.push(1);
        self.block.encode_into(&mut bytes);
        match &self.subject {
            Subject::Account(address) => {
                bytes.push(ACCOUNT);
                bytes.extend_from_slice(address.as_slice());
            }
            Subject::Record { namespace, digest } => {
                bytes.push(RECORD);
                bytes.extend_from_slice(namespace);
                bytes.extend_from_slice(digest);
            }
        }
        bytes.extend_from_slice(&self.value);
        assert!(self.opening.len() <= MOST_OPENING_BYTES, "an opening is shorter");
        bytes.extend_from_slice(&(self.opening.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&self.opening);
        bytes
    }

    /// Reads one proof, the whole of the bytes. Takes memory for what is there, and no more.
    ///
    /// # Errors
    /// [`DecodeError`]: the first field that no encoder writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes);
        if fields.array("tag")? != *STATE_TAG {
            return Err(DecodeError::Value { field: "tag", value: 0, allowed: "\"sigstate\"" });
        }
        fields.version()?;
        let block = FinalHeader::read(&mut fields)?;
        let subject = match fields.u8("subject")? {
            ACCOUNT => Subject::Account(Address::from(fields.array::<20>("address")?)),
            RECORD => {
                let namespace = fields.array("namespace")?;
                Subject::Record { namespace, digest: fields.array("digest")? }
            }
            other => {
                let (value, allowed) = (other.into(), "0 (account) or 1 (record)");
                return Err(DecodeError::Value { field: "subject", value, allowed });
            }
        };
        let value = fields.array("value")?;
        let length = fields.u16("opening length")?;
        check_opening(length.into())?;
        let opening = fields.take("opening", length.into())?.to_vec();
        fields.end()?;
        Ok(StateProof { block, subject, value, opening })
    }
}

const ACCOUNT: u8 = 0;
const RECORD: u8 = 1;

/// An opening of so many bytes is no opening where they are more than the limit.
pub(super) fn check_opening(bytes: usize) -> Result<(), DecodeError> {
    let (value, limit) = (bytes as u64, MOST_OPENING_BYTES as u64);
    match value <= limit {
        true => Ok(()),
        false => Err(DecodeError::Limit { field: "opening length", value, limit }),
    }
}

#[cfg(feature = "validator")]
mod verify {
    use rayon::prelude::*;
    use sigmill::{Engine, Terms};

    use super::StateProof;
    use crate::Hash;
    use crate::ledger::is_current;
    use crate::proof::verify::votes;
    use crate::proof::{Refusal, Trusted};

    /// Judges all proofs of state, in order: the votes in batches, the openings on the host. The hash of
    /// each block's header, and whether the proof holds.
    pub fn verify_states(
        engine: &Engine,
        trusted: &Trusted,
        proofs: &[StateProof],
        terms: Terms,
    ) -> Vec<(Hash, Result<(), Refusal>)> {
        let blocks: Vec<_> = proofs.iter().map(|proof| &proof.block).collect();
        let blocks = votes(engine, trusted, &blocks, terms);
        let judge = |((hash, block), proof): ((Hash, Result<(), Refusal>), &StateProof)| {
            let StateProof { block: of, subject, value, opening } = proof;
            let judged = block.and_then(|()| {
                let root = &of.header.state_root;
                match is_current(root, &subject.key(), value, opening) {
                    true => Ok(()),
                    false => Err(Refusal::WrongState),
                }
            });
            (hash, judged)
        };
        blocks.into_par_iter().zip(proofs).map(judge).collect()
    }
}

#[cfg(feature = "validator")]
pub use verify::verify_states;

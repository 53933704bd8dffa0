//! Proofs of what is final: small, and checked without a validator (SPEC.md, 16).
//!
//! ```text
//! quorum's votes -> block header -> root of its transactions -> path -> transaction -> its sender
//! ```
//!
//! Each arrow is one batch for all proofs that are verified together: [`verify`].

use crate::fields::{DecodeError, Fields};
use crate::transaction::{Kinds, SignedTransaction};

mod checkpoint;
#[cfg(feature = "json")]
mod evidence;
mod final_header;
mod follow;
#[cfg(feature = "json")]
mod json;
mod messages;
mod path;
mod refusal;
mod state;
mod trusted;
mod verify;

pub use checkpoint::{Checkpoint, MOST_SETS};
#[cfg(feature = "json")]
pub use evidence::Evidence;
pub use final_header::FinalHeader;
pub(crate) use final_header::{certificate_bytes, decode_certificate, encode_certificate};
#[cfg(feature = "json")]
pub use json::{JsonError, MOST_JSON_BYTES};
pub use messages::{Received, verify_messages};
pub use path::{Path, depth, paths};
pub use refusal::Refusal;
#[cfg(feature = "validator")]
pub use state::verify_states;
pub use state::{MOST_OPENING_BYTES, STATE_TAG, StateProof, Subject};
pub use trusted::Trusted;
#[cfg(feature = "validator")]
pub(crate) use trusted::quorum;
pub use verify::{Judged, verify};
#[cfg(feature = "validator")]
pub(crate) use verify::{has_place, senders};

/// What every proof begins with.
pub const PROOF_TAG: &[u8; 8] = b"sigproof";
/// Most bytes of a proof's file: far more than any certificate and 1,000 transactions take.
pub const MOST_PROOF_BYTES: u64 = 1 << 20;
/// Most headers between a block and its certificate.
pub const MOST_DESCENDANTS: usize = 255;

/// A transaction with its place in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// Where it stands among the block's transactions; a verification says whether there is such a place.
    pub index: u32,
    /// From its hash to the root.
    pub path: Path,
    /// The transaction.
    pub transaction: SignedTransaction,
}

impl Included {
    /// Bytes of its part of a proof's encoding.
    pub fn encoded_bytes(&self) -> usize {
        4 + 32 * self.path.siblings().len() + self.transaction.encoded_bytes()
    }
}

/// That a block is final, and that it holds transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The block.
    pub block: FinalHeader,
    /// Some of its transactions; none is a proof of the header alone.
    pub transactions: Vec<Included>,
}

impl Proof {
    /// The encoding.
    ///
    /// # Panics
    /// More than [`MOST_DESCENDANTS`] descendants, or than 2^16 - 1 transactions.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_bytes());
        self.encode_into(&mut bytes);
        bytes
    }

    /// Bytes of its encoding.
    pub fn encoded_bytes(&self) -> usize {
        let transactions = self.transactions.iter().map(Included::encoded_bytes);
        PROOF_TAG.len() + 1 + self.block.encoded_bytes() + 2 + transactions.sum::<usize>()
    }

    /// Appends the encoding.
    ///
    /// # Panics
    /// As [`Proof::encode`].
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(PROOF_TAG);
        bytes.push(1);
        self.block.encode_into(bytes);
        let count = u16::try_from(self.transactions.len()).expect("a proof has fewer");
        bytes.extend_from_slice(&count.to_be_bytes());
        for Included { index, path, transaction } in &self.transactions {
            bytes.extend_from_slice(&index.to_be_bytes());
            bytes.extend_from_slice(path.siblings().as_flattened());
            transaction.encode_into(bytes);
        }
    }

    /// Reads one proof, the whole of the bytes. That its fields fit each other is all that is known
    /// then. Takes memory for what is there, and no more.
    ///
    /// # Errors
    /// [`DecodeError`]: the first field that no encoder writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Proof::decode_of(bytes, Kinds::All)
    }

    pub(crate) fn decode_of(bytes: &[u8], kinds: Kinds) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes);
        if fields.array(TAG)? != *PROOF_TAG {
            return Err(DecodeError::Value { field: TAG, value: 0, allowed: "\"sigproof\"" });
        }
        fields.version()?;
        let block = FinalHeader::read(&mut fields)?;
        let count = fields.u16("transactions")?;
        let leaves = block.header.transactions;
        let mut transactions = Vec::new();
        for _ in 0..count {
            let index = fields.u32("index")?;
            let path = Path::read(&mut fields, depth(leaves))?;
            let transaction = SignedTransaction::read(&mut fields, kinds)?;
            transactions.push(Included { index, path, transaction });
        }
        fields.end()?;
        Ok(Proof { block, transactions })
    }
}

const TAG: &str = "tag";

#[cfg(test)]
mod tests;

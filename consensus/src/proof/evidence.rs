//! Files of proofs, of either kind and in either form.

use serde::Deserialize;

use super::{JsonError, MOST_JSON_BYTES, MOST_PROOF_BYTES, Proof, STATE_TAG, StateProof};

/// What a file proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Transactions of a block.
    Block(Proof),
    /// What the state had.
    State(StateProof),
}

impl Evidence {
    /// Reads a file: JSON where it begins with `{`, else bytes, of the kind that its tag names.
    ///
    /// # Errors
    /// [`JsonError`].
    pub fn read(bytes: &[u8]) -> Result<Self, JsonError> {
        let json = bytes.first() == Some(&b'{');
        let limit = if json { MOST_JSON_BYTES } else { MOST_PROOF_BYTES };
        if bytes.len() as u64 > limit {
            return Err(JsonError::Long { bytes: bytes.len() as u64, limit });
        }
        let state = match json {
            true => serde_json::from_slice::<Tagged>(bytes)?.tag.as_bytes() == STATE_TAG,
            false => bytes.starts_with(STATE_TAG),
        };
        Ok(match (json, state) {
            (true, true) => Evidence::State(StateProof::from_json(bytes)?),
            (true, false) => Evidence::Block(Proof::from_json(bytes)?),
            (false, true) => Evidence::State(StateProof::decode(bytes)?),
            (false, false) => Evidence::Block(Proof::decode(bytes)?),
        })
    }
}

/// The tag of a proof; what else there is, is read with it.
#[derive(Deserialize)]
struct Tagged {
    tag: String,
}

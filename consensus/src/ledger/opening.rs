//! Openings of the state root: that a value is the current one of a key (SPEC.md, 16).

use commonware_codec::{Decode as _, Encode as _};
use commonware_cryptography::{Sha256, sha256};
use commonware_parallel::Strategy;
use commonware_runtime::Spawner;
use commonware_storage::merkle::mmr::MAX_PROOF_DIGESTS_PER_ELEMENT;
use commonware_storage::qmdb::any::unordered::Update;
use commonware_storage::qmdb::any::unordered::fixed::Operation;
use commonware_storage::qmdb::current::unordered::proof::constant::KeyValueProof;

use super::{CHUNK, Family, Ledger, LedgerError, StoreError, Word};
use crate::Hash;
use crate::state::{Key, Value};

type Opening = KeyValueProof<Family, sha256::Digest, CHUNK>;

/// What lies at a key in a final state, and the database's proof of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The value.
    pub value: Value,
    /// The database's proof: at most [`MOST_OPENING_BYTES`](crate::proof::MOST_OPENING_BYTES) bytes.
    pub opening: Vec<u8>,
}

/// Whether the state of this root has the value at the key. Any bytes may be an opening.
pub fn is_current(root: &[u8; 32], key: &Key, value: &Value, opening: &[u8]) -> bool {
    let Ok(opening) = Opening::decode_cfg(opening.to_vec(), &MAX_PROOF_DIGESTS_PER_ELEMENT) else {
        return false;
    };
    let operation =
        Operation::<Family, Word, Word>::Update(Update(Word::new(*key), Word::new(*value)));
    opening.verify::<Sha256, _>(operation, &sha256::Digest(*root))
}

impl<E, S> Ledger<E, S>
where
    E: commonware_storage::Context + Spawner,
    S: Strategy,
{
    /// The value at a key in the last final state, with its proof, and the block that left this state;
    /// without the first if nothing is there.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn open_key(&self, key: &Key) -> Result<(Hash, Option<Opened>), LedgerError> {
        let guard = self.database.read().await;
        let database = guard.as_ref().ok_or(LedgerError::Closed)?;
        let applied = self.states().applied; // changes with the database
        let key = Word::new(*key);
        let Some(value) = database.get(&key).await? else { return Ok((applied, None)) };
        let opening = match database.key_value_proof(key).await {
            Ok(opening) => opening.encode().to_vec(),
            Err(StoreError::KeyNotFound) => return Ok((applied, None)),
            Err(error) => return Err(error.into()),
        };
        Ok((applied, Some(Opened { value: Value::from(value), opening })))
    }
}

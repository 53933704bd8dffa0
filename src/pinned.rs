//! Keys known ahead, such as those of a validator set.

use std::fmt;
use std::sync::Arc;

use crate::algorithms::secp256k1::integer::to_be;
use crate::algorithms::secp256k1::key;
use crate::error::PinError;
use crate::parsed::Words;

/// A list of public keys that jobs name by index; clones share it.
///
/// Made by [`Engine::pin`](crate::Engine::pin).
#[derive(Clone)]
pub struct PinnedKeys(Arc<Inner>);

struct Inner {
    points: Vec<[Words; 2]>,
}

impl PinnedKeys {
    /// Reads the keys: 33 or 65 bytes (SEC 1), or 32 (BIP 340: x, with even y).
    pub(crate) fn new(keys: &[impl AsRef<[u8]>]) -> Result<Self, PinError> {
        let mut points = Vec::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            points.push(key::point(key.as_ref()).ok_or(PinError::Key { index })?);
        }
        Ok(PinnedKeys(Arc::new(Inner { points })))
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.0.points.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.points.is_empty()
    }

    /// Key `index` as 65 bytes, 04 || x || y; `None` past the end.
    pub fn encoded(&self, index: usize) -> Option<[u8; 65]> {
        let [x, y] = self.0.points.get(index)?;
        let mut bytes = [4; 65];
        bytes[1..33].copy_from_slice(&to_be(x));
        bytes[33..].copy_from_slice(&to_be(y));
        Some(bytes)
    }

    /// x and y of key `index`, below the field prime.
    pub(crate) fn point(&self, index: u32) -> [Words; 2] {
        self.0.points[index as usize]
    }
}

impl PartialEq for PinnedKeys {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for PinnedKeys {}

impl fmt::Debug for PinnedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedKeys").field("keys", &self.len()).finish_non_exhaustive()
    }
}

//! Keys known ahead, such as those of a validator set.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "gpu")]
use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::algorithms::secp256k1::field::Row;
use crate::algorithms::secp256k1::integer::to_be;
use crate::algorithms::secp256k1::key;
use crate::algorithms::secp256k1::pinned::{KEY_BYTES, tables};
use crate::error::PinError;
use crate::isa::Isa;
use crate::parsed::Words;

/// A list of public keys that jobs name by index, with their tables; clones share them.
///
/// Made by [`Engine::pin`](crate::Engine::pin). The tables, [`PinnedKeys::bytes`] of memory, go, and
/// the engine's budget has them back, with the last clone: one's own, or that of a batch, open or
/// sealed or in flight.
#[derive(Clone)]
pub struct PinnedKeys(Arc<Inner>);

struct Inner {
    points: Vec<[Words; 2]>,
    rows: Vec<Row>,
    lease: Lease,
}

impl PinnedKeys {
    /// Bytes of one key's table.
    pub const KEY_BYTES: usize = KEY_BYTES;

    /// Reads the keys, 33 or 65 bytes (SEC 1), or 32 (BIP 340: x, with even y), and makes their
    /// tables on the threads of the current rayon pool.
    pub(crate) fn new(
        isa: Isa,
        keys: &[impl AsRef<[u8]>],
        budget: &Arc<Budget>,
    ) -> Result<Self, PinError> {
        let lease = Budget::take(budget, keys.len().saturating_mul(KEY_BYTES))?;
        let mut points = Vec::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            points.push(key::point(key.as_ref()).ok_or(PinError::Key { index })?);
        }
        let rows = tables(isa, &points);
        Ok(PinnedKeys(Arc::new(Inner { points, rows, lease })))
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.0.points.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.points.is_empty()
    }

    /// Bytes of the tables: [`PinnedKeys::KEY_BYTES`] a key.
    pub fn bytes(&self) -> usize {
        self.0.lease.bytes
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

    /// The list without a hold on it.
    #[cfg(feature = "gpu")]
    pub(crate) fn downgrade(&self) -> WeakKeys {
        WeakKeys(Arc::downgrade(&self.0))
    }

    /// The tables, one after the other.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.0.rows
    }
}

/// A list of keys that others may give up.
#[cfg(feature = "gpu")]
pub(crate) struct WeakKeys(Weak<Inner>);

#[cfg(feature = "gpu")]
impl WeakKeys {
    /// Whether it is this list.
    pub(crate) fn is(&self, keys: &PinnedKeys) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&keys.0))
    }

    /// Whether nobody holds it any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

#[cfg(feature = "gpu")]
impl fmt::Debug for WeakKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakKeys").field("gone", &self.is_gone()).finish()
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

/// How many bytes an engine's pinned tables may take together.
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Budget { limit, used: AtomicUsize::new(0) })
    }

    fn take(budget: &Arc<Self>, bytes: usize) -> Result<Lease, PinError> {
        let more = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= budget.limit);
        match budget.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(Lease { budget: budget.clone(), bytes }),
            Err(used) => Err(PinError::Budget { needed: bytes, free: budget.limit - used }),
        }
    }
}

/// A part of a budget, given back when dropped.
struct Lease {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

//! Which pinned keys' tables lie on the device, and where.

use crate::backend::gpu::sizes::ROW;
use crate::pinned::{PinnedKeys, WeakKeys};

/// Tables on the device, in the order in which they lie there.
#[derive(Debug)]
pub(crate) struct Residents {
    /// Rows of the buffer.
    rows: usize,
    all: Vec<Resident>,
}

#[derive(Debug)]
struct Resident {
    keys: WeakKeys,
    first: usize,
    rows: usize,
}

/// Where tables lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// They are there, from this row on.
    Taken(usize),
    /// They have yet to be copied to this row.
    New(usize),
}

impl Residents {
    /// An empty buffer of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Residents { rows: bytes / ROW, all: Vec::new() }
    }

    /// The place of these keys; `None` where no gap is wide enough. The places of keys that nobody holds
    /// any more are free: no batch in flight reads them.
    pub fn seat(&mut self, keys: &PinnedKeys) -> Option<Seat> {
        if let Some(resident) = self.all.iter().find(|resident| resident.keys.is(keys)) {
            return Some(Seat::Taken(resident.first));
        }
        self.all.retain(|resident| !resident.keys.is_gone());
        let rows = keys.bytes() / ROW;
        let mut first = 0;
        let mut at = 0;
        for resident in &self.all {
            if resident.first - first >= rows {
                break;
            }
            first = resident.first + resident.rows;
            at += 1;
        }
        if first + rows > self.rows {
            return None;
        }
        self.all.insert(at, Resident { keys: keys.downgrade(), first, rows });
        Some(Seat::New(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;
    use crate::pinned::Budget;

    fn keys(count: usize) -> PinnedKeys {
        let budget = Budget::new(usize::MAX);
        let generator = crate::algorithms::secp256k1::integer::to_be(
            &<crate::algorithms::secp256k1::curve::Secp256k1 as crate::algorithms::secp256k1::curve::Curve>::GENERATOR[0],
        );
        PinnedKeys::new(Isa::PORTABLE, &vec![generator; count], &budget).expect("a key")
    }

    #[test]
    fn tables_take_gaps_and_leave_them() {
        let row = |keys: usize| keys * PinnedKeys::KEY_BYTES / ROW;
        let mut residents = Residents::new(4 * PinnedKeys::KEY_BYTES);
        let (a, b, c) = (keys(1), keys(2), keys(1));
        assert_eq!(residents.seat(&a), Some(Seat::New(0)));
        assert_eq!(residents.seat(&b), Some(Seat::New(row(1))));
        assert_eq!(residents.seat(&c), Some(Seat::New(row(3))));
        assert_eq!(residents.seat(&b), Some(Seat::Taken(row(1))));
        let d = keys(2);
        assert_eq!(residents.seat(&d), None);
        drop(b);
        assert_eq!(residents.seat(&d), Some(Seat::New(row(1))));
        assert_eq!(residents.seat(&a), Some(Seat::Taken(0)));
        drop((a, d));
        assert_eq!(residents.seat(&keys(4)), None);
        assert_eq!(residents.seat(&c), Some(Seat::Taken(row(3))));
    }
}

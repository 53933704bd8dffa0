//! How much of everything a device holds, and how many bytes each item takes of it.

use crate::algorithms::secp256k1::curve::{Curve, Secp256k1};
use crate::algorithms::secp256k1::field::Row;
use crate::backend::gpu::part::Params;
use crate::backend::gpu::program::WORKGROUP;
use crate::batch::ITEM_BYTES_LIMIT;

/// Parts in flight: one is uploaded, one computed, one read back.
pub(crate) const SLOTS: usize = 3;

/// Columns of 32 bytes a part has room for.
pub(crate) const COLUMNS: usize = 5;
/// Bytes of the parameters.
pub(crate) const PARAMS: usize = size_of::<Params>();

/// Bytes of a signature's record: x, y, and the four words that every record ends with.
pub(crate) const RECORD: usize = 80;
/// Bytes of a signature's record that ends with y of the key.
pub(crate) const ROOTED: usize = RECORD + 32;
/// Bytes of a digest's record.
pub(crate) const DIGEST_RECORD: usize = 48;

/// Bytes an item takes in each buffer that the slots share: see `bindings.wgsl`.
pub(crate) const POINT: usize = 4 * 32;
pub(crate) const HALVES: usize = 4 * 20;
pub(crate) const TABLE: usize = 16 * 64;
pub(crate) const RATIOS: usize = 15 * 32;
/// Bytes an item takes in the columns, with the word after them.
const INPUT: usize = COLUMNS * 32 + 4;

/// Bytes of a row of a table.
pub(crate) const ROW: usize = size_of::<Row>();

/// Bytes of the columns with room for the longest message and where it ends.
const LONGEST: usize = ITEM_BYTES_LIMIT + 64;

/// Fewest items that a part has room for.
pub(crate) const LEAST: usize = 1_024;
/// Most items of a part: enough to fill any device several times over.
const MOST: usize = 1 << 18;

/// How much of everything there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Items of a part: a multiple of the workgroup.
    pub items: usize,
    /// Bytes of the columns. Under a budget too small for [`LONGEST`] a message may be longer: it is
    /// hashed on the host then.
    pub input: usize,
}

impl Sizes {
    /// The largest that the budget and the device's limits allow.
    pub fn fit(bytes: usize, limits: &wgpu::Limits) -> Option<Sizes> {
        let shared = POINT + HALVES + TABLE + RATIOS + ROOTED + SLOTS * 2 * ROOTED;
        let fixed = generator_bytes() + SLOTS * 2 * PARAMS;
        let binding = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size) as usize;
        let groups = limits.max_compute_workgroups_per_dimension as usize;
        let most = (binding / TABLE).min(groups * WORKGROUP).min(MOST);
        let items = |fixed: usize, each: usize| {
            (bytes.saturating_sub(fixed) / each).min(most) / WORKGROUP * WORKGROUP
        };
        let plain = items(fixed, shared + SLOTS * 2 * INPUT);
        let roomy = items(fixed + SLOTS * 2 * LONGEST, shared);
        // Room for the longest message is worth three quarters of the items, not more.
        let long = plain * INPUT < LONGEST && roomy >= plain / 4 && LONGEST <= binding;
        let (items, input) =
            if long { (roomy.min(LONGEST / INPUT), LONGEST) } else { (plain, plain * INPUT) };
        let items = items / WORKGROUP * WORKGROUP;
        let input = input.next_multiple_of(16);
        (items >= LEAST && generator_bytes() <= binding).then_some(Sizes { items, input })
    }

    /// Most leaves of a part: 2^k, so that pieces of a tree rise by k levels. The columns hold them, and
    /// each half of the tables holds half as many nodes and one more for each tree, of 48 bytes:
    /// 8 + 1 an item where there are 10.
    pub fn leaves(self) -> usize {
        let most = ((self.input - 16) / 32).min(16 * self.items);
        1 << most.ilog2()
    }
}

/// Bytes of the generator's buffer: see `scalar.wgsl` for its rows.
pub(crate) fn generator_bytes() -> usize {
    COMB_AT + (Secp256k1::GENERATOR_COMB.rows() + 1) * ROW
}

/// Where the generator's comb begins: after its odd multiples and two more rows.
pub(crate) const COMB_AT: usize = ((1 << 14) + 2) * ROW;

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(bytes: usize) -> Option<Sizes> {
        let limits = wgpu::Limits {
            max_buffer_size: (1 << 31) - 1,
            max_storage_buffer_binding_size: 128 << 20,
            max_compute_workgroups_per_dimension: 65_535,
            ..wgpu::Limits::default()
        };
        Sizes::fit(bytes, &limits)
    }

    /// What all buffers take together.
    fn total(sizes: Sizes) -> usize {
        let shared = POINT + HALVES + TABLE + RATIOS + ROOTED;
        let slot = 2 * PARAMS + 2 * sizes.input + sizes.items * 2 * ROOTED;
        generator_bytes() + sizes.items * shared + SLOTS * slot
    }

    #[test]
    fn the_longest_message_fits_where_the_budget_allows() {
        for bytes in [128 << 20, 256 << 20, 1 << 30, 4 << 30] {
            let sizes = fit(bytes).expect("room");
            assert!(sizes.input >= LONGEST && total(sizes) <= bytes, "{bytes}: {sizes:?}");
        }
    }

    #[test]
    fn nothing_outgrows_the_budget_or_the_tables() {
        assert_eq!(fit(6 << 20), None);
        for bytes in (8 << 20..300 << 20).step_by(999_983) {
            let sizes = fit(bytes).expect("room");
            assert!(total(sizes) <= bytes + SLOTS * 2 * 16, "{bytes}: {sizes:?}");
            assert!(sizes.input >= sizes.items * INPUT, "{bytes}: {sizes:?}");
            let nodes = sizes.leaves() / 2 + sizes.items;
            assert!(nodes <= sizes.items * TABLE / 16 / 6, "{bytes}: {sizes:?}");
            assert!(16 + 32 * sizes.leaves() <= sizes.input, "{bytes}: {sizes:?}");
            // Lanes of Keccak-256 under way, for as many messages as there are records.
            assert!(sizes.items * RECORD / DIGEST_RECORD * 200 <= sizes.items * TABLE);
        }
        // A small budget goes to items alone.
        let small = fit(8 << 20).expect("room");
        assert_eq!(small.input, (small.items * INPUT).next_multiple_of(16));
    }
}

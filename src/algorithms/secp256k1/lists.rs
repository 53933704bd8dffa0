//! Sums of lists of affine points, many lists at once.
//!
//! Entries come in any order. As soon as a list has four they are added as a tree, and the sum is an
//! entry again: so a point is gathered, and a sum scattered, once for three additions. An affine
//! addition costs 2 products and a squaring beside the inverse of x2 - x1; all additions of a round
//! share an inversion, at 3 products each. Equal and opposite points, which senders can force, are
//! found by a zero among the differences; they take a doubling's slope, or their sum is infinity.

use std::ops::{Deref, DerefMut};

use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::round::Round;

/// A point of a list: the index of its row, and whether it is negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(u32);

impl Entry {
    const SIGN: u32 = 1 << 31;

    #[inline(always)]
    pub(crate) fn new(row: usize, negative: bool) -> Self {
        Entry(row as u32 | u32::from(negative) << 31)
    }

    #[inline(always)]
    pub(crate) fn row(self) -> usize {
        (self.0 & !Self::SIGN) as usize
    }

    #[inline(always)]
    pub(crate) fn negative(self) -> bool {
        self.0 & Self::SIGN != 0
    }

    /// The sign in the highest bit.
    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// The opposite point if the number is negative.
    #[inline(always)]
    pub(crate) fn with_sign_of(self, number: i32) -> Self {
        Entry(self.0 ^ (number as u32 & Self::SIGN))
    }
}

/// Rows that grow and shrink without being cleared.
#[derive(Default)]
pub(crate) struct Rows {
    all: Vec<Row>,
    used: usize,
}

impl Rows {
    /// In place of a sum that is infinity: no point of the curve has x = 0.
    pub(crate) const INFINITY: Row = Row([[0; 4]; 2]);

    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Sets the length; new rows hold anything.
    pub(crate) fn set_len(&mut self, rows: usize) {
        self.used = rows;
        if self.all.len() < rows {
            self.all.resize(rows.next_power_of_two(), Self::INFINITY);
        }
    }

    pub(crate) fn extend(&mut self, rows: &[Row]) {
        let first = self.used;
        self.set_len(first + rows.len());
        self[first..].copy_from_slice(rows);
    }
}

impl Deref for Rows {
    type Target = [Row];

    #[inline(always)]
    fn deref(&self) -> &[Row] {
        &self.all[..self.used]
    }
}

impl DerefMut for Rows {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [Row] {
        &mut self.all[..self.used]
    }
}

/// Entries that are added at once.
const TREE: usize = 4;

/// Groups of trees that share inversions: their points, 5 KiB a group of two vectors, leave room in the
/// second-level cache.
const BLOCK: usize = 128;

/// What a list has: up to three entries, and in the last place their number.
type Waiting = [u32; TREE];

/// Adds lists up; keeps its memory from call to call.
pub(crate) struct Adder<V: FieldVec> {
    lists: Vec<Waiting>,
    /// Entries to be added next, each with its list: trees, or pairs in the end. There is room for
    /// one more than `filled`.
    trees: Vec<[Entry; TREE]>,
    owners: Vec<u32>,
    filled: usize,
    /// Rows from here on hold sums.
    first: usize,
    /// Those of them that were added since.
    free: Vec<u32>,
    /// Where the sums of a block go.
    targets: Vec<u32>,
    round: Round<V>,
}

impl<V: FieldVec> Default for Adder<V> {
    fn default() -> Self {
        Adder {
            lists: Vec::new(),
            trees: Vec::new(),
            owners: Vec::new(),
            filled: 0,
            first: 0,
            free: Vec::new(),
            targets: Vec::new(),
            round: Round::default(),
        }
    }
}

impl<V: FieldVec> Adder<V> {
    /// Trees of a block.
    const FULL: usize = BLOCK * V::LANES;

    /// Forgets all sums; those to come go behind the rows that there are.
    pub(crate) fn begin(&mut self, rows: &Rows) {
        self.first = rows.len();
        self.free.clear();
    }

    /// Where additions take place; sums that come to infinity are remembered there.
    pub(crate) fn round(&mut self) -> &mut Round<V> {
        &mut self.round
    }

    /// Empties the lists, of which there are so many then.
    pub(crate) fn open(&mut self, lists: usize) {
        self.lists.clear();
        self.lists.resize(lists, [0; TREE]);
        self.trees.resize(Self::FULL + 1, [Entry(0); TREE]);
        self.owners.resize(Self::FULL + 1, 0);
        self.filled = 0;
    }

    /// Adds entries to lists, each named by its number.
    #[inline(always)]
    pub(crate) fn put(&mut self, rows: &mut Rows, entries: impl Iterator<Item = (usize, Entry)>) {
        let mut entries = entries;
        self.put_some(&mut entries);
        while self.filled == Self::FULL {
            self.flush::<TREE>(rows);
            self.put_some(&mut entries);
        }
    }

    /// Adds one entry to a list.
    #[inline(always)]
    pub(crate) fn put_one(&mut self, rows: &mut Rows, list: usize, entry: Entry) {
        let waiting = &mut self.lists[list];
        let count = waiting[3];
        if count < 3 {
            waiting[count as usize] = entry.0;
            waiting[3] = count + 1;
        } else {
            self.put(rows, std::iter::once((list, entry)));
        }
    }

    /// Adds entries until the block is full or there are no more.
    #[inline(always)]
    fn put_some(&mut self, entries: &mut impl Iterator<Item = (usize, Entry)>) {
        let (lists, trees) = (&mut self.lists[..], &mut self.trees[..=Self::FULL]);
        let owners = &mut self.owners[..=Self::FULL];
        let mut filled = self.filled;
        while filled < Self::FULL
            && let Some((list, entry)) = entries.next()
        {
            // Whether this is the fourth is anyone's guess: it is written as such, and counts if it
            // is.
            let waiting = &mut lists[list];
            let count = waiting[3];
            trees[filled] = waiting.map(Entry);
            trees[filled][3] = entry;
            owners[filled] = list as u32;
            filled += usize::from(count == 3);
            waiting[(count & 3) as usize] = entry.0;
            waiting[3] = (count + 1) & 3;
        }
        self.filled = filled;
    }

    /// Adds until every list has one entry at most.
    pub(crate) fn finish(&mut self, rows: &mut Rows) {
        while self.filled > 0 {
            self.flush::<TREE>(rows);
        }
        // Of three entries two are left, then one.
        for _ in 0..2 {
            let mut next = 0;
            while next < self.lists.len() {
                next = self.pair_some(next);
                if self.filled > 0 {
                    self.flush::<2>(rows);
                }
            }
        }
    }

    /// Takes pairs from the lists from `next` on until the block is full; where it ended.
    fn pair_some(&mut self, mut next: usize) -> usize {
        let (trees, owners) = (&mut self.trees[..=Self::FULL], &mut self.owners[..=Self::FULL]);
        let mut filled = 0;
        while filled < Self::FULL
            && let Some(list) = self.lists.get_mut(next)
        {
            let [a, b, c, count] = *list;
            trees[filled] = [a, b, 0, 0].map(Entry);
            owners[filled] = next as u32;
            let pays = count >= 2;
            filled += usize::from(pays);
            *list = [if pays { c } else { a }, b, c, if pays { count - 2 } else { count }];
            next += 1;
        }
        self.filled = filled;
        next
    }

    /// The sum of each list after [`finish`](Self::finish); none where nothing was put.
    pub(crate) fn sums(&self) -> impl Iterator<Item = Option<Entry>> {
        self.lists.iter().map(|list| (list[3] > 0).then_some(Entry(list[0])))
    }

    /// Adds the first `LEAVES` entries of each tree, and puts the sums into their lists.
    fn flush<const LEAVES: usize>(&mut self, rows: &mut Rows) {
        let filled = std::mem::take(&mut self.filled);
        // Lanes past the last tree repeat it.
        let groups = filled.div_ceil(V::LANES);
        let last = self.trees[filled - 1];
        self.trees[filled..groups * V::LANES].fill(last);
        self.find_targets::<LEAVES>(filled, rows);
        V::enter(AddTrees::<V, LEAVES> {
            round: &mut self.round,
            trees: &self.trees[..groups * V::LANES],
            targets: &self.targets,
            rows,
        });
        // Of so many sums fewer become trees: what is read has not been written yet.
        for tree in 0..filled {
            let entry = (self.owners[tree] as usize, Entry(self.targets[tree]));
            self.put_some(&mut std::iter::once(entry));
        }
    }

    /// Finds rows for the sums of the first trees: such as are free once these are added, then new
    /// ones.
    fn find_targets<const LEAVES: usize>(&mut self, trees: usize, rows: &mut Rows) {
        let Adder { free, targets, .. } = self;
        let (first, mut left) = (self.first as u32, free.len());
        free.resize(left + LEAVES * trees, 0);
        for tree in &self.trees[..trees] {
            for entry in &tree[..LEAVES] {
                let row = entry.row() as u32;
                free[left] = row;
                left += usize::from(row >= first);
            }
        }
        let kept = left.saturating_sub(trees);
        targets.clear();
        targets.extend_from_slice(&free[kept..left]);
        free.truncate(kept);
        let (end, more) = (rows.len(), trees - targets.len());
        targets.extend(end as u32..(end + more) as u32);
        rows.set_len(end + more);
    }
}

/// Adds trees of entries into their targets.
struct AddTrees<'a, V: FieldVec, const LEAVES: usize> {
    round: &'a mut Round<V>,
    /// Whole groups of lanes.
    trees: &'a [[Entry; TREE]],
    targets: &'a [u32],
    rows: &'a mut [Row],
}

/// The points of one entry a lane; y has magnitude 2 and is not fresh.
#[inline(always)]
fn gather<V: FieldVec>(rows: &[Row], trees: &[[Entry; TREE]], leaf: usize) -> [V; 2] {
    let mut entries = [0; LANES];
    for (entry, tree) in entries.iter_mut().zip(trees) {
        *entry = tree[leaf].0;
    }
    let [x, y] = V::gather(|lane| &rows[Entry(entries[lane]).row()]);
    [x, V::select(V::Mask::from_signs(&entries), y.negate(1), y)]
}

impl<V: FieldVec, const LEAVES: usize> Stage for AddTrees<'_, V, LEAVES> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let AddTrees { round, trees, targets, rows } = self;
        round.clear(trees.len() / V::LANES * LEAVES / 2);
        for these in trees.chunks_exact(V::LANES) {
            for leaf in (0..LEAVES).step_by(2) {
                round.push(gather(rows, these, leaf), gather(rows, these, leaf + 1));
            }
        }
        round.add();
        if LEAVES > 2 {
            round.pair();
            round.add();
        }
        for ([x, y], targets) in round.sums().zip(targets.chunks(V::LANES)) {
            V::scatter([x.normalize(), y.normalize()], |lane, row| {
                if let Some(&target) = targets.get(lane) {
                    rows[target as usize] = row;
                }
            });
        }
    }
}

const _: () = assert!(LANES <= 32, "a mask of signs has 32 bits");

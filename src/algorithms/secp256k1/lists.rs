//! Sums of lists of affine points, many lists at once.
//!
//! The points of each list are added in pairs, the sums again, until one is left (a tree). An affine
//! addition costs 2 products and a squaring beside the inverse of x2 - x1; all additions of a round
//! share inversions, at 3 products each. Equal and opposite points, which senders can force, are
//! found by a zero among the differences and take a doubling's slope, or leave the list.

use std::ops::{Deref, DerefMut};

use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::inversion::{invert, products, unwind};

/// A point of a list: the index of its row, and whether it is negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(u32);

impl Entry {
    #[inline(always)]
    pub(crate) fn new(row: usize, negative: bool) -> Self {
        Entry((row as u32) << 1 | u32::from(negative))
    }

    #[inline(always)]
    pub(crate) fn row(self) -> usize {
        (self.0 >> 1) as usize
    }

    #[inline(always)]
    pub(crate) fn negative(self) -> bool {
        self.0 & 1 == 1
    }

    /// The opposite point if `negate`.
    #[inline(always)]
    pub(crate) fn negate_where(self, negate: bool) -> Self {
        Entry(self.0 ^ u32::from(negate))
    }
}

/// Lists of points: list i ends at `ends[i]` in `entries`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    pub(crate) entries: Vec<Entry>,
    pub(crate) ends: Vec<u32>,
}

impl Lists {
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.ends.clear();
    }

    /// Ends the list that takes entries.
    pub(crate) fn close(&mut self) {
        self.ends.push(self.entries.len() as u32);
    }

    /// The entries of each list.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Entry]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let list = &self.entries[start..end as usize];
            start = end as usize;
            list
        })
    }
}

/// Rows that grow and shrink without being cleared.
#[derive(Default)]
pub(crate) struct Rows {
    all: Vec<Row>,
    used: usize,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Sets the length; new rows hold anything.
    pub(crate) fn set_len(&mut self, rows: usize) {
        self.used = rows;
        if self.all.len() < rows {
            self.all.resize(rows.next_power_of_two(), INFINITY);
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

/// In place of a sum that is infinity: no point of the curve has x = y = 0.
const INFINITY: Row = Row([[0; 4]; 2]);

/// Groups of lanes that share an inversion: their operands, 3 KiB each in two vectors, stay in the
/// second-level cache.
const BLOCK: usize = 128;

/// Pairs that are copied at once when lists are paired.
const STRIDE: usize = 8;

/// Groups by which rows are asked for ahead of their use.
const AHEAD: usize = 3;

/// Adds lists up; keeps its memory from call to call.
pub(crate) struct Adder<V: FieldVec> {
    pairs: Vec<[Entry; 2]>,
    /// x1, y1, x2, y2 of each group of pairs.
    operands: Vec<[V; 4]>,
    denominators: Vec<V>,
    prefixes: Vec<V>,
    /// Groups with lanes of equal x: where the points are equal, and where they are opposite.
    equal: Vec<(usize, V::Mask, V::Mask)>,
    next: Lists,
}

impl<V: FieldVec> Default for Adder<V> {
    fn default() -> Self {
        Adder {
            pairs: Vec::new(),
            operands: Vec::new(),
            denominators: Vec::new(),
            prefixes: Vec::new(),
            equal: Vec::new(),
            next: Lists::default(),
        }
    }
}

impl<V: FieldVec> Adder<V> {
    /// Pairs the entries of each list, and replaces them by those of their sums, which go to the rows
    /// from `first` on.
    fn pair(&mut self, first: usize, lists: &mut Lists) {
        let blank = Entry::new(0, false);
        let Lists { entries, ends } = lists;
        // Lists are short and of any length: whole strides are copied, whatever of them counts, so
        // that nothing is to be guessed but how many. `STRIDE` more entries give them room.
        entries.resize(entries.len() + 2 * STRIDE, blank);
        let Lists { entries: next, .. } = &mut self.next;
        next.resize(next.len().max(entries.len()), blank);
        self.pairs.resize(self.pairs.len().max(entries.len()), [blank; 2]);
        let (mut start, mut pairs, mut kept) = (0, 0, 0);
        for end in ends.iter_mut() {
            let list = start..*end as usize;
            let (half, odd) = (list.len() / 2, list.len() % 2);
            for at in (0..half).step_by(STRIDE) {
                let from: &[Entry; 2 * STRIDE] =
                    entries[list.start + 2 * at..].first_chunk().expect("there is room");
                let to = self.pairs[pairs + at..].first_chunk_mut::<STRIDE>();
                to.expect("there is room").as_flattened_mut().copy_from_slice(from);
                let to = next[kept + at..].first_chunk_mut::<STRIDE>().expect("there is room");
                for (i, entry) in to.iter_mut().enumerate() {
                    *entry = Entry(((first + pairs + at + i) as u32) << 1);
                }
            }
            next[kept + half] = entries[(list.start + 2 * half).min(entries.len() - 1)];
            (start, pairs, kept) = (list.end, pairs + half, kept + half + odd);
            *end = kept as u32;
        }
        self.pairs.truncate(pairs);
        std::mem::swap(entries, next);
        entries.truncate(kept);
    }

    /// Replaces each list by its sum: one entry, or none where the list is empty or the sum infinity.
    /// Sums are appended to `rows`, which the entries name.
    pub(crate) fn add_up(&mut self, rows: &mut Rows, lists: &mut Lists) {
        loop {
            self.pair(rows.len(), lists);
            if self.pairs.is_empty() {
                return;
            }
            let first = rows.len();
            rows.set_len(first + self.pairs.len());
            let pairs = std::mem::take(&mut self.pairs);
            let mut infinite = false;
            for (block, pairs) in pairs.chunks(BLOCK * V::LANES).enumerate() {
                let first = first + block * BLOCK * V::LANES;
                infinite |= V::enter(AddPairs { adder: self, rows, pairs, first });
            }
            self.pairs = pairs;
            if infinite {
                drop_infinite(rows, lists);
            }
        }
    }
}

/// Rewrites the lists without the entries whose rows are zero.
#[cold]
fn drop_infinite(rows: &[Row], lists: &mut Lists) {
    let mut kept = Lists::default();
    for list in lists.iter() {
        let finite = |entry: &&Entry| rows[entry.row()] != INFINITY;
        kept.entries.extend(list.iter().filter(finite));
        kept.close();
    }
    *lists = kept;
}

/// Adds pairs of points into the rows from `first` on; says whether any sum is infinity.
struct AddPairs<'a, V: FieldVec> {
    adder: &'a mut Adder<V>,
    rows: &'a mut [Row],
    pairs: &'a [[Entry; 2]],
    first: usize,
}

/// The points of one entry a lane, y of magnitude 2 and not fresh; lanes past the last pair repeat it.
#[inline(always)]
fn gather<V: FieldVec>(rows: &[Row], pairs: &[[Entry; 2]], side: usize) -> [V; 2] {
    let entry = |lane: usize| pairs[lane.min(pairs.len() - 1)][side];
    let mut negative = 0;
    for lane in 0..V::LANES {
        negative |= u32::from(entry(lane).negative()) << lane;
    }
    let [x, y] = V::gather(|lane| &rows[entry(lane).row()]);
    [x, V::select(V::Mask::from_bits(negative), y.negate(1), y)]
}

impl<V: FieldVec> Stage for AddPairs<'_, V> {
    type Out = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let AddPairs { adder, rows, pairs, first } = self;
        adder.operands.clear();
        adder.denominators.clear();
        adder.prefixes.clear();
        let mut total = V::splat(&[1, 0, 0, 0]);
        for (group, these) in pairs.chunks(V::LANES).enumerate() {
            // Rows lie anywhere: they are asked for while earlier ones are at work.
            for pair in pairs.iter().skip((group + AHEAD) * V::LANES).take(V::LANES) {
                V::prefetch(&rows[pair[0].row()]);
                V::prefetch(&rows[pair[1].row()]);
            }
            let pairs = these;
            let [x1, y1] = gather::<V>(rows, pairs, 0);
            let [x2, y2] = gather::<V>(rows, pairs, 1);
            adder.operands.push([x1, y1, x2, y2]);
            let denominator = x2.add(x1.negate(1)).carry();
            adder.denominators.push(denominator);
            // The chain of products waits for itself; rows are read meanwhile.
            adder.prefixes.push(total);
            total = total.mul(denominator);
        }
        adder.equal.clear();
        if total.is_zero().any() {
            for (group, denominator) in adder.denominators.iter_mut().enumerate() {
                let same = denominator.is_zero();
                if same.any() {
                    let [_, y1, _, y2] = adder.operands[group];
                    let opposite = same.and(y1.add(y2).is_zero());
                    let equal = same.and(opposite.not());
                    let doubling = V::select(equal, y1.times(2).carry(), *denominator);
                    *denominator = V::select(opposite, V::splat(&[1, 0, 0, 0]), doubling);
                    adder.equal.push((group, equal, opposite));
                }
            }
            total = products(&adder.denominators, &mut adder.prefixes);
        }
        unwind(&mut adder.denominators, &adder.prefixes, invert(total));
        // Step by step over all groups: the products of one step wait for nothing, those of one sum
        // for each other.
        let mut equal = adder.equal.iter().peekable();
        for (group, [x1, y1, _, y2]) in adder.operands.iter().enumerate() {
            let mut rise = y2.add(y1.negate(2)).carry();
            if let Some((_, same, _)) = equal.next_if(|(at, ..)| *at == group) {
                rise = V::select(*same, x1.square().times(3).carry(), rise);
            }
            adder.denominators[group] = rise.mul(adder.denominators[group]);
        }
        let slopes = &adder.denominators;
        adder.prefixes.clear();
        for ([x1, _, x2, _], slope) in adder.operands.iter().zip(slopes) {
            adder.prefixes.push(slope.square_add(x1.add(*x2).negate(2)).normalize());
        }
        let mut equal = adder.equal.iter().peekable();
        let mut infinite = false;
        let sums = adder.operands.iter().zip(slopes).zip(&adder.prefixes);
        for (group, (([x1, y1, ..], slope), x)) in sums.enumerate() {
            let y = slope.mul_add(x1.add(x.negate(1)).carry(), y1.negate(2)).normalize();
            let start = group * V::LANES;
            let live = V::LANES.min(pairs.len() - start);
            let rows = &mut rows[first + start..][..live];
            V::scatter([*x, y], |lane, row| {
                if let Some(slot) = rows.get_mut(lane) {
                    *slot = row;
                }
            });
            if let Some((.., opposite)) = equal.next_if(|(at, ..)| *at == group) {
                for (lane, row) in rows.iter_mut().enumerate() {
                    if opposite.lane(lane) {
                        infinite = true;
                        *row = INFINITY;
                    }
                }
            }
        }
        infinite
    }
}

const _: () = assert!(LANES <= 32, "a mask of signs has 32 bits");

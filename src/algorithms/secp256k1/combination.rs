//! A random combination of equations u1 G + u2 Q = R, for any points R that are claimed: whether
//! sum of a_i (u1_i G + u2_i Q_i - R_i) is zero.
//!
//! All points lie in a group of prime order, so the sum is zero for one in 2^128 choices of a_i
//! where any equation fails. The a_i come from a hash of all that the sum is made of, R_i included:
//! whoever chose an input or a claim did not know them. A sum that is not zero accuses no item:
//! chunks are tried, and what is in those that fail has to be computed for itself.

use std::ops::Range;

use crate::algorithms::secp256k1::buckets::{Buckets, Term};
use crate::algorithms::secp256k1::curve::{BETA, Curve, Secp256k1};
use crate::algorithms::secp256k1::field::{FieldVec, LANES, Row, Stage};
use crate::algorithms::secp256k1::integer::ZERO;
use crate::algorithms::secp256k1::inversion::Factor;
use crate::algorithms::secp256k1::lists::Rows;
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::order::OrderVec;
use crate::algorithms::secp256k1::piece::PIECE;
use crate::algorithms::secp256k1::point::Affine;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::scalar::{self, Half};
use crate::algorithms::sha256::{self, Plan};
use crate::parsed::Words;

/// Items of one equation at most: more save few additions, and their points leave the caches.
pub(crate) const MOST: usize = 8_192;

/// Rows of the generator and of each key: the point, and lambda times the point.
const IMAGES: usize = 2;

/// Cuts a range into parts of equal size, since a small rest would be dear.
pub(crate) fn parts(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let parts = range.len().div_ceil(MOST).max(1);
    let size = range.len().div_ceil(parts).max(1);
    range.clone().step_by(size).map(move |start| start..range.end.min(start + size))
}

/// The sum over one part of a batch, in chunks of [`PIECE`] items; keeps its memory.
pub(crate) struct Combination<V: FieldVec> {
    buckets: Buckets<V>,
    /// [`IMAGES`] of G and of each key, then R of each item.
    rows: Rows,
    keys: usize,
    /// The key of each item; empty where each has its own.
    slots: Vec<u32>,
    /// u1 and u2 of each item.
    scalars: Vec<Scalars>,
    /// a of each item.
    coefficients: Vec<[u64; 2]>,
    /// a u2 of each item, where items share keys.
    products: Vec<Words>,
    /// The halves of a u2 of each item, where none do.
    halves: Vec<[Half; 2]>,
    /// The sum of a u1 of each chunk.
    fixed: Vec<Words>,
    terms: Vec<Term>,
}

impl<V: FieldVec> Default for Combination<V> {
    fn default() -> Self {
        Combination {
            buckets: Buckets::default(),
            rows: Rows::default(),
            keys: 0,
            slots: Vec::new(),
            scalars: Vec::new(),
            coefficients: Vec::new(),
            products: Vec::new(),
            halves: Vec::new(),
            fixed: Vec::new(),
            terms: Vec::new(),
        }
    }
}

impl<V: FieldVec> Combination<V> {
    /// Begins a part of so many items. `slots` gives the key of each among `keys`; it is empty where
    /// each item has its own.
    pub(crate) fn begin(&mut self, items: usize, keys: usize, slots: &[u32]) {
        let [x, y] = Secp256k1::GENERATOR;
        let beta_x = product(&x, &BETA);
        self.keys = keys;
        self.slots.clear();
        self.slots.extend_from_slice(slots);
        self.rows.set_len(0);
        self.rows.extend(&[Row([x, y]), Row([beta_x, y])]);
        self.rows.set_len(IMAGES * (1 + keys) + items);
        self.scalars.clear();
    }

    /// Adds keys, groups of lanes, from one of them on.
    #[inline(always)]
    pub(crate) fn add_keys(&mut self, first: usize, points: &[Affine<V>]) {
        let end = IMAGES * (1 + self.keys);
        let rows = &mut self.rows[IMAGES * (1 + first)..end];
        let beta = V::splat(&BETA);
        for (key, rows) in points.iter().zip(rows.chunks_mut(IMAGES * V::LANES)) {
            put(*key, rows, IMAGES, 0);
            put(Affine { x: key.x.mul(beta), y: key.y }, rows, IMAGES, 1);
        }
    }

    /// Adds a chunk: the scalars of its items, and groups of lanes of R.
    #[inline(always)]
    pub(crate) fn add(&mut self, scalars: &[Scalars], claims: &[Affine<V>]) {
        let first = IMAGES * (1 + self.keys) + self.scalars.len();
        let rows = &mut self.rows[first..][..scalars.len()];
        for (claim, rows) in claims.iter().zip(rows.chunks_mut(V::LANES)) {
            put(*claim, rows, 1, 0);
        }
        self.scalars.extend_from_slice(scalars);
    }

    /// Draws the coefficients of a part that was added; an item that does not count takes no part. `seed`: nobody who
    /// had a say in the part could know it; `None`: a digest of the part.
    pub(crate) fn draw(&mut self, plan: Plan, seed: Option<Seed>, counts: impl Fn(usize) -> bool) {
        let (keys, claims) = self.rows.split_at(IMAGES * (1 + self.keys));
        let key = |item| &keys[IMAGES * (1 + slot(&self.slots, item))];
        let seed = seed.unwrap_or_else(|| bind(plan, claims, key, &self.scalars));
        self.coefficients = coefficients(plan, &seed, self.scalars.len());
        for (item, coefficient) in self.coefficients.iter_mut().enumerate() {
            if !counts(item) {
                *coefficient = [0; 2];
            }
        }
        V::enter(Multiply { sum: self });
    }

    /// The chunks that are not known to hold, in order: those that `apart` names, which no sum may
    /// judge, and those whose sums are not zero.
    #[inline(always)]
    pub(crate) fn failing(&mut self, apart: &[bool]) -> Vec<usize> {
        let chunks = apart.len();
        let all_hold = self.holds((0..chunks).filter(|&chunk| !apart[chunk]));
        // Where the whole fails, chunks are tried as long as that pays: once most of those tried
        // failed, the rest counts as failing at once.
        let (mut held, mut failed) = (0, 0);
        let mut failing = Vec::new();
        for (chunk, &apart) in apart.iter().enumerate() {
            let mut holds = all_hold;
            if !all_hold && chunks > 1 && failed <= held + 1 && !apart {
                holds = self.holds(chunk..chunk + 1);
                (held, failed) = (held + usize::from(holds), failed + usize::from(!holds));
            }
            if !holds || apart {
                failing.push(chunk);
            }
        }
        failing
    }

    /// Whether the sum over the chunks is zero.
    #[inline(always)]
    fn holds(&mut self, chunks: impl Iterator<Item = usize>) -> bool {
        let Combination {
            buckets, rows, keys, slots, coefficients, products, halves, terms, ..
        } = self;
        let claims = IMAGES * (1 + *keys);
        terms.clear();
        let mut multiply = |row: usize, halves: [Half; 2]| {
            for (row, scalar) in (row as u32..).zip(halves) {
                terms.push(Term { row, scalar });
            }
        };
        let mut fixed = ZERO;
        // Of keys with many items.
        let mut sums = vec![ZERO; if slots.is_empty() { 0 } else { *keys }];
        let mut items = Vec::new();
        for chunk in chunks {
            fixed = scalar::add(&fixed, &self.fixed[chunk]);
            let range = chunk * PIECE..coefficients.len().min((chunk + 1) * PIECE);
            items.push(range.clone());
            for item in range {
                match slots.get(item) {
                    Some(&slot) => {
                        let sum = &mut sums[slot as usize];
                        *sum = scalar::add(sum, &products[item]);
                    }
                    None => multiply(IMAGES * (1 + item), halves[item]),
                }
            }
        }
        multiply(0, scalar::split(&fixed));
        for (slot, sum) in sums.iter().enumerate().filter(|(_, sum)| **sum != ZERO) {
            multiply(IMAGES * (1 + slot), scalar::split(sum));
        }
        for item in items.into_iter().flatten() {
            let [low, high] = coefficients[item];
            let scalar = Half { negative: true, size: [low, high, 0] };
            terms.push(Term { row: (claims + item) as u32, scalar });
        }
        buckets.sum(rows, terms).z.is_zero()
    }
}

/// The key of an item.
#[inline(always)]
fn slot(slots: &[u32], item: usize) -> usize {
    slots.get(item).map_or(item, |&slot| slot as usize)
}

/// Multiplies the scalars of a part by its coefficients.
struct Multiply<'a, V: FieldVec> {
    sum: &'a mut Combination<V>,
}

impl<V: FieldVec> Stage for Multiply<'_, V> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Combination { slots, scalars, coefficients, products, halves, fixed, .. } = self.sum;
        let (lanes, shared) = (V::Order::LANES, !slots.is_empty());
        const BLANK: Half = Half { negative: false, size: [0; 3] };
        products.clear();
        products.resize(if shared { scalars.len() } else { 0 }, ZERO);
        halves.clear();
        halves.resize(if shared { 0 } else { scalars.len() }, [BLANK; 2]);
        fixed.clear();
        fixed.resize(scalars.len().div_ceil(PIECE), ZERO);
        let groups = scalars.chunks(lanes).zip(coefficients.chunks(lanes));
        for (group, (scalars, coefficients)) in groups.enumerate() {
            let (items, first) = (scalars.len(), group * lanes);
            let a =
                V::Order::read(items, |item| [coefficients[item][0], coefficients[item][1], 0, 0]);
            let [mut u1, mut u2] = [[ZERO; LANES]; 2];
            a.product(V::Order::read(items, |item| scalars[item].u1)).store(&mut u1[..lanes]);
            let fixed = &mut fixed[first / PIECE];
            for u1 in &u1[..items] {
                *fixed = scalar::add(fixed, u1);
            }
            let product = a.product(V::Order::read(items, |item| scalars[item].u2));
            if shared {
                product.store(&mut u2[..lanes]);
                products[first..first + items].copy_from_slice(&u2[..items]);
            } else {
                product.split(&mut halves[first..first + items]);
            }
        }
    }
}

/// Writes a point a lane to row `at` of each lane's `stride` rows.
#[inline(always)]
fn put<V: FieldVec>(point: Affine<V>, rows: &mut [Row], stride: usize, at: usize) {
    let point = [point.x.normalize(), point.y.normalize()];
    V::scatter(point, |lane, row| {
        if let Some(slot) = rows.get_mut(stride * lane + at) {
            *slot = row;
        }
    });
}

/// a b mod p.
fn product(a: &Words, b: &Words) -> Words {
    let mut out = [ZERO];
    Scalar5x52::splat(a).mul(Scalar5x52::splat(b)).store(&mut out);
    out[0]
}

/// Items whose numbers are hashed as one message.
const BOUND: usize = 16;

/// What coefficients are made of.
pub(crate) type Seed = [u8; 32];

/// A digest of R, Q, u1 and u2 of all items, which make the sum: they are what the operands and the claims say, and
/// no two different sums have the same.
fn bind<'a>(
    plan: Plan,
    claims: &[Row],
    key: impl Fn(usize) -> &'a Row,
    scalars: &[Scalars],
) -> Seed {
    let items = scalars.len();
    let bound = digests(plan, items.div_ceil(BOUND), |message, out| {
        let (mut odd, end) = (0u32, out.len() + BOUND * 128);
        for item in BOUND * message..items.min(BOUND * (message + 1)) {
            // Of points of the curve x and the parity of y say all; lambda Q says nothing new.
            let ([r, r_y], [q, q_y]) = (claims[item].0, key(item).0);
            let Scalars { u1, u2 } = scalars[item];
            out.extend_from_slice(bytemuck::cast_slice(&[r, q, u1, u2]));
            odd = odd << 2 | ((r_y[0] & 1) << 1 | q_y[0] & 1) as u32;
        }
        // Messages of one length are hashed side by side; the number of items is bound below.
        out.resize(end, 0);
        out.extend_from_slice(&odd.to_le_bytes());
    });
    digests(plan, 1, |_, out| {
        out.extend_from_slice(&(items as u64).to_le_bytes());
        out.extend_from_slice(bound.as_flattened());
    })[0]
}

/// The coefficients: 1 for the first item, for the others 128 bits of hashes of a counter and a seed,
/// and never 0.
fn coefficients(plan: Plan, seed: &Seed, items: usize) -> Vec<[u64; 2]> {
    let blocks = digests(plan, items.div_ceil(2), |counter, out| {
        out.extend_from_slice(seed);
        out.extend_from_slice(&(counter as u64).to_le_bytes());
    });
    let mut coefficients: Vec<[u64; 2]> = bytemuck::cast_slice(&blocks).to_vec();
    coefficients.truncate(items);
    for coefficient in &mut coefficients {
        if *coefficient == [0, 0] {
            *coefficient = [1, 0];
        }
    }
    if let Some(first) = coefficients.first_mut() {
        *first = [1, 0];
    }
    coefficients
}

/// SHA-256 of each message; `write(index, ..)` appends it to others. All have the same length.
fn digests(plan: Plan, messages: usize, write: impl Fn(usize, &mut Vec<u8>)) -> Vec<[u8; 32]> {
    /// Messages that are written before they are hashed: they stay in the caches.
    const SIDE: usize = 16;
    let (mut bytes, mut out) = (Vec::new(), vec![[0; 32]; messages]);
    for (group, out) in out.chunks_mut(SIDE).enumerate() {
        bytes.clear();
        (0..out.len()).for_each(|index| write(group * SIDE + index, &mut bytes));
        sha256::digest_equal(plan, &bytes, bytes.len() / out.len(), out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that a sum is made of moves every coefficient but the first: who changes a claim to suit
    /// the coefficients gets others.
    #[test]
    fn coefficients_depend_on_all_that_is_summed() {
        for items in [2, 16, 17, 40] {
            let number = |at: usize| [at as u64 + 1, 7, 0, 9];
            let row = |at: usize| Row([number(at), number(at + 500)]);
            // R and Q.
            let rows: Vec<Row> = (0..2 * items).map(row).collect();
            let pair = |at: usize| Scalars { u1: number(at), u2: number(at + 900) };
            let scalars: Vec<Scalars> = (0..items).map(pair).collect();
            let draw = |rows: &[Row], scalars: &[Scalars]| {
                let claims: Vec<Row> = rows.iter().step_by(2).copied().collect();
                let key = |item| &rows[2 * item + 1];
                let seed = bind(Plan::PORTABLE, &claims, key, scalars);
                coefficients(Plan::PORTABLE, &seed, scalars.len())
            };
            let drawn = draw(&rows, &scalars);
            assert_eq!((drawn.len(), drawn[0]), (items, [1, 0]));
            let moved = |rows: &[Row], scalars: &[Scalars]| {
                let others = draw(rows, scalars);
                assert!(drawn[1..].iter().zip(&others[1..]).all(|(a, b)| a != b && *a != [0, 0]));
            };
            moved(&[&rows[..], &[row(0); 2]].concat(), &[&scalars[..], &[pair(0)]].concat());
            for item in [0, items / 2, items - 1] {
                // x of R and Q, and the parity of their y: there are two with one x.
                for at in [0, 1, 2, 3] {
                    let mut rows = rows.clone();
                    rows[2 * item + at / 2].0[at % 2][0] ^= 1;
                    moved(&rows, &scalars);
                }
                let mut scalars = scalars.clone();
                scalars[item].u1[0] ^= 1;
                moved(&rows, &scalars);
                scalars[item].u1[0] ^= 1;
                scalars[item].u2[3] ^= 1;
                moved(&rows, &scalars);
            }
        }
    }
}

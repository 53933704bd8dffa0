//! A random combination of equations u1 G + u2 Q = R, for any points R that are claimed: whether
//! sum of a_i (u1_i G + u2_i Q_i - R_i) is zero.
//!
//! All points lie in a group of prime order, so the sum is zero for one in 2^128 choices of a_i
//! where any equation fails. The a_i come from a hash of all that the sum is made of, R_i included:
//! whoever chose an input or a claim did not know them. A sum that is not zero accuses no item:
//! chunks are tried, and what is in those that fail has to be computed for itself.

use std::ops::Range;

use crate::algorithm::Algorithm;
use crate::algorithms::secp256k1::buckets::{Buckets, Term};
use crate::algorithms::secp256k1::curve::{BETA, Curve, Secp256k1};
use crate::algorithms::secp256k1::field::{FieldVec, Row};
use crate::algorithms::secp256k1::integer::ZERO;
use crate::algorithms::secp256k1::lists::Rows;
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::piece::PIECE;
use crate::algorithms::secp256k1::point::Affine;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::scalar::{self, Half};
use crate::algorithms::sha256::{self, Plan};
use crate::batch::{Batch, Job};
use crate::parsed::Words;

/// Items of one equation at most: more save few additions, and their points leave the caches.
pub(crate) const MOST: usize = 8_192;

/// Rows of an item: R, Q, lambda Q.
const ROWS: usize = 3;

/// Rows before those of the items: G, lambda G.
const FIXED: usize = 2;

/// Cuts a range into parts of equal size, since a small rest would be dear.
pub(crate) fn parts(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let parts = range.len().div_ceil(MOST).max(1);
    let size = range.len().div_ceil(parts).max(1);
    range.clone().step_by(size).map(move |start| start..range.end.min(start + size))
}

/// The sum over one part of a batch, in chunks of [`PIECE`] items; keeps its memory.
pub(crate) struct Combination<V: FieldVec> {
    buckets: Buckets<V>,
    /// [`FIXED`], then [`ROWS`] an item.
    rows: Rows,
    /// u1 and u2 of each item.
    scalars: Vec<Scalars>,
    /// Scalars of each item's rows.
    halves: Vec<[Half; ROWS]>,
    /// a u1 of each item.
    fixed: Vec<Words>,
    terms: Vec<Term>,
}

impl<V: FieldVec> Default for Combination<V> {
    fn default() -> Self {
        Combination {
            buckets: Buckets::default(),
            rows: Rows::default(),
            scalars: Vec::new(),
            halves: Vec::new(),
            fixed: Vec::new(),
            terms: Vec::new(),
        }
    }
}

impl<V: FieldVec> Combination<V> {
    /// Begins a part.
    pub(crate) fn begin(&mut self, items: usize) {
        let [x, y] = Secp256k1::GENERATOR;
        let beta_x = product(&x, &BETA);
        self.rows.set_len(0);
        self.rows.extend(&[Row([x, y]), Row([beta_x, y])]);
        self.rows.set_len(FIXED + ROWS * items);
        self.scalars.clear();
    }

    /// Adds a chunk: the scalars of its items, and groups of lanes of R and Q.
    #[inline(always)]
    pub(crate) fn add(
        &mut self,
        scalars: &[Scalars],
        points: impl Iterator<Item = (Affine<V>, Affine<V>)>,
    ) {
        let rows = &mut self.rows[FIXED + ROWS * self.scalars.len()..][..ROWS * scalars.len()];
        let beta = V::splat(&BETA);
        for ((claim, key), rows) in points.zip(rows.chunks_mut(ROWS * V::LANES)) {
            put(claim, rows, 0);
            put(key, rows, 1);
            put(Affine { x: key.x.mul(beta), y: key.y }, rows, 2);
        }
        self.scalars.extend_from_slice(scalars);
    }

    /// Draws the coefficients of a part that was added; an item that does not count takes no part.
    pub(crate) fn draw(&mut self, plan: Plan, counts: impl Fn(usize) -> bool) {
        let coefficients = coefficients(plan, &self.rows[FIXED..], &self.scalars);
        self.halves.clear();
        self.fixed.clear();
        for (item, (Scalars { u1, u2 }, a)) in self.scalars.iter().zip(coefficients).enumerate() {
            let a = if counts(item) { a } else { [0; 2] };
            let [first, second] = scalar::split(&scalar::mul_short(&a, u2));
            self.fixed.push(scalar::mul_short(&a, u1));
            let claim = Half { negative: true, size: [a[0], a[1], 0] };
            self.halves.push([claim, first, second]);
        }
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
        self.terms.clear();
        let mut fixed = ZERO;
        for chunk in chunks {
            let items = chunk * PIECE..self.halves.len().min((chunk + 1) * PIECE);
            for item in items {
                fixed = scalar::add(&fixed, &self.fixed[item]);
                for (row, scalar) in (FIXED + ROWS * item..).zip(self.halves[item]) {
                    self.terms.push(Term { row: row as u32, scalar });
                }
            }
        }
        for (row, scalar) in scalar::split(&fixed).into_iter().enumerate() {
            self.terms.push(Term { row: row as u32, scalar });
        }
        self.buckets.sum(&mut self.rows, &self.terms).z.is_zero()
    }
}

/// Writes a point a lane to row `at` of each lane's [`ROWS`].
#[inline(always)]
fn put<V: FieldVec>(point: Affine<V>, rows: &mut [Row], at: usize) {
    let point = [point.x.normalize(), point.y.normalize()];
    V::scatter(point, |lane, row| {
        if let Some(slot) = rows.get_mut(ROWS * lane + at) {
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

/// The coefficients: 1 for the first item, for the others 128 bits of hashes of a counter and a seed,
/// and never 0. The seed is a digest of R, Q, u1 and u2 of all items, which make the sum: they are
/// what the operands and the claims say, and no two different sums have the same.
fn coefficients(plan: Plan, rows: &[Row], scalars: &[Scalars]) -> Vec<[u64; 2]> {
    let items = scalars.len();
    let bound = digests(plan, items.div_ceil(BOUND), |message, out| {
        for item in BOUND * message..items.min(BOUND * (message + 1)) {
            // lambda Q says nothing new.
            out.extend_from_slice(bytemuck::cast_slice(&rows[ROWS * item..][..2]));
            let Scalars { u1, u2 } = &scalars[item];
            out.extend_from_slice(bytemuck::cast_slice(&[*u1, *u2]));
        }
        // Messages of one length are hashed side by side; the number of items is bound below.
        out.resize(BOUND * 192, 0);
    });
    let seed = digests(plan, 1, |_, out| {
        out.extend_from_slice(&(items as u64).to_le_bytes());
        out.extend_from_slice(bound.as_flattened());
    });
    let blocks = digests(plan, items.div_ceil(2), |counter, out| {
        out.extend_from_slice(&seed[0]);
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

/// SHA-256 of each message; `write(index, ..)` appends it.
fn digests(plan: Plan, messages: usize, write: impl Fn(usize, &mut Vec<u8>)) -> Vec<[u8; 32]> {
    let mut batch = Batch::open(Algorithm::Sha256);
    let mut message = Vec::new();
    for index in 0..messages {
        message.clear();
        write(index, &mut message);
        batch.push(Job::Hash { message: &message }).expect("a part is smaller than a batch");
    }
    let batch = batch.seal();
    let mut out = vec![[0; 32]; batch.len()];
    sha256::digest(plan, batch.column(0), 0..batch.len(), &mut out);
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
            let rows: Vec<Row> = (0..ROWS * items).map(row).collect();
            let pair = |at: usize| Scalars { u1: number(at), u2: number(at + 900) };
            let scalars: Vec<Scalars> = (0..items).map(pair).collect();
            let drawn = coefficients(Plan::PORTABLE, &rows, &scalars);
            assert_eq!((drawn.len(), drawn[0]), (items, [1, 0]));
            let moved = |rows: &[Row], scalars: &[Scalars]| {
                let others = coefficients(Plan::PORTABLE, rows, scalars);
                assert!(drawn[1..].iter().zip(&others[1..]).all(|(a, b)| a != b && *a != [0, 0]));
            };
            moved(&[&rows[..], &[row(0); ROWS]].concat(), &[&scalars[..], &[pair(0)]].concat());
            for item in [0, items / 2, items - 1] {
                // R and Q, each coordinate.
                for at in [0, 1, 2, 3] {
                    let mut rows = rows.clone();
                    rows[ROWS * item + at / 2].0[at % 2][3] ^= 1 << 40;
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

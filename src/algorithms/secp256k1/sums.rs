//! Sums of many affine points a lane, by pairs.
//!
//! An affine addition costs two products and a squaring beside the inverse of x2 - x1, and one
//! inversion serves a whole round over all groups: 5M + 1S where a mixed addition takes 8M + 3S. When
//! a round has too few sums to pay its inversion, mixed additions end the work.

use crate::algorithms::secp256k1::comb::Digit;
use crate::algorithms::secp256k1::curve::BETA;
use crate::algorithms::secp256k1::field::{FieldVec, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::inversion::invert;
use crate::algorithms::secp256k1::point::{Affine, Jacobian};

/// Fewest sums of a round that are worth an inversion, which takes as long as some 400 products.
const WORTH: usize = 100;

/// Pairs by which rows are asked for ahead of their use; fewer than a chain has.
const AHEAD: isize = 3;

/// The points to be added up: rows of two tables, named by digits.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The tables of the keys.
    pub keys: &'a [Row],
    /// The table of the generator.
    pub generator: &'a [Row],
    /// How many of a half's digits name rows of the keys' tables; the others follow.
    pub key_digits: usize,
    /// The digits: two halves a group.
    pub digits: &'a [Digit],
}

/// Chains of points of equal length, two a group.
trait Chains<V>: Copy {
    /// Points of a chain.
    fn len(&self) -> usize;
    /// x, of magnitude 1.
    fn x(&self, chain: usize, index: usize) -> V;
    /// Asks for the pair of a chain that is wanted `ahead` pairs later, or earlier.
    fn prefetch(&self, chain: usize, pair: usize, ahead: isize);
    /// x of magnitude 1 and y of at most 2.
    fn point(&self, chain: usize, index: usize) -> [V; 2];
}

#[derive(Clone, Copy)]
struct Gathered<'a> {
    rows: Rows<'a>,
    len: usize,
}

impl<V: FieldVec> Chains<V> for Gathered<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn x(&self, chain: usize, index: usize) -> V {
        let Rows { keys, generator, key_digits, digits } = self.rows;
        let digit = &digits[chain * self.len + index];
        let table = if index < key_digits { keys } else { generator };
        V::gather_x(|lane| &table[digit.row(lane)])
    }

    #[inline(always)]
    fn prefetch(&self, chain: usize, pair: usize, ahead: isize) {
        let Rows { keys, generator, key_digits, digits } = self.rows;
        let pairs = (self.len / 2) as isize;
        let (mut chain, mut pair) = (chain as isize, pair as isize + ahead);
        if pair >= pairs {
            (chain, pair) = (chain + 1, pair - pairs);
        } else if pair < 0 {
            (chain, pair) = (chain - 1, pair + pairs);
        }
        for index in [2 * pair, 2 * pair + 1] {
            let Some(digit) = digits.get((chain * self.len as isize + index) as usize) else {
                return;
            };
            let table = if (index as usize) < key_digits { keys } else { generator };
            for lane in 0..V::LANES {
                if let Some(row) = table.get(digit.row(lane)) {
                    V::prefetch(row);
                }
            }
        }
    }

    #[inline(always)]
    fn point(&self, chain: usize, index: usize) -> [V; 2] {
        let Rows { keys, generator, key_digits, digits } = self.rows;
        let digit = &digits[chain * self.len + index];
        let table = if index < key_digits { keys } else { generator };
        let [x, y] = V::gather(|lane| &table[digit.row(lane)]);
        [x, V::select(digit.negative::<V>(), y.negate(1), y)]
    }
}

#[derive(Clone, Copy)]
struct Stored<'a, V> {
    points: &'a [[V; 2]],
    len: usize,
}

impl<V: FieldVec> Chains<V> for Stored<'_, V> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn x(&self, chain: usize, index: usize) -> V {
        self.points[chain * self.len + index][0]
    }

    #[inline(always)]
    fn prefetch(&self, _: usize, _: usize, _: isize) {}

    #[inline(always)]
    fn point(&self, chain: usize, index: usize) -> [V; 2] {
        self.points[chain * self.len + index]
    }
}

/// Adds up; keeps its memory from piece to piece.
#[derive(Debug)]
pub struct Sums<V: FieldVec> {
    /// Lanes in which points with equal x met, by group: their sums are worthless.
    pub exceptional: Vec<V::Mask>,
    now: Vec<[V; 2]>,
    next: Vec<[V; 2]>,
}

impl<V: FieldVec> Sums<V> {
    /// S1 + lambda S2 of each group, S1 and S2 being the sums of its two chains. What the formulas do
    /// not hold for ends with Z = 0 or in `exceptional`.
    #[inline(always)]
    pub fn run(&mut self, rows: Rows<'_>, groups: usize, out: &mut Vec<Jacobian<V>>) {
        out.clear();
        self.exceptional.clear();
        self.exceptional.resize(groups, V::Mask::splat(false));
        if groups == 0 {
            return;
        }
        let chains = 2 * groups;
        let mut len = rows.digits.len() / chains;
        let pays = |len: usize| chains * (len / 2) >= WORTH;
        if !pays(len) {
            return V::enter(Finish { chains: Gathered { rows, len }, groups, out });
        }
        self.round(Gathered { rows, len }, chains);
        len = len.div_ceil(2);
        while pays(len) {
            let points = std::mem::take(&mut self.now);
            self.round(Stored { points: &points, len }, chains);
            self.next = points;
            len = len.div_ceil(2);
        }
        V::enter(Finish { chains: Stored { points: &self.now, len }, groups, out });
    }

    /// Adds pairs; the sums, and what has no partner, are `now` then.
    #[inline(always)]
    fn round<C: Chains<V>>(&mut self, source: C, chains: usize) {
        let mut out = std::mem::take(&mut self.next);
        let sums = chains * source.len().div_ceil(2);
        if out.len() < sums {
            out.resize(sums, [V::splat(&[0; 4]); 2]);
        }
        V::enter(Round { source, out: &mut out[..sums], exceptional: &mut self.exceptional });
        self.now = out;
    }
}

impl<V: FieldVec> Default for Sums<V> {
    fn default() -> Self {
        Sums { exceptional: Vec::new(), now: Vec::new(), next: Vec::new() }
    }
}

struct Round<'a, V: FieldVec, C> {
    source: C,
    out: &'a mut [[V; 2]],
    exceptional: &'a mut [V::Mask],
}

impl<V: FieldVec, C: Chains<V>> Stage for Round<'_, V, C> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Round { source, out, exceptional } = self;
        let (pairs, width) = (source.len() / 2, source.len().div_ceil(2));
        // On the way forward a sum's place holds x2 - x1 and the product of all before it.
        let mut product = V::splat(&[1, 0, 0, 0]);
        for (chain, out) in out.chunks_mut(width).enumerate() {
            for (pair, slot) in out[..pairs].iter_mut().enumerate() {
                source.prefetch(chain, pair, AHEAD);
                let (a, b) = (source.x(chain, 2 * pair), source.x(chain, 2 * pair + 1));
                let difference = b.add(a.negate(1)).carry();
                *slot = [difference, product];
                product = product.mul(difference);
            }
        }
        if product.is_zero().any() {
            // One zero would turn the whole product to zero: ones stand in.
            let one = V::splat(&[1, 0, 0, 0]);
            product = one;
            for (chain, out) in out.chunks_mut(width).enumerate() {
                for slot in &mut out[..pairs] {
                    let zero = slot[0].is_zero();
                    exceptional[chain / 2] = exceptional[chain / 2].or(zero);
                    *slot = [V::select(zero, one, slot[0]), product];
                    product = product.mul(slot[0]);
                }
            }
        }
        let mut inverse = invert(product);
        for (chain, out) in out.chunks_mut(width).enumerate().rev() {
            if width > pairs {
                out[pairs] = source.point(chain, 2 * pairs);
            }
            for (pair, slot) in out[..pairs].iter_mut().enumerate().rev() {
                source.prefetch(chain, pair, -AHEAD);
                let [difference, before] = *slot;
                let this = inverse.mul(before);
                inverse = inverse.mul(difference);
                let (a, b) = (source.point(chain, 2 * pair), source.point(chain, 2 * pair + 1));
                let slope = b[1].add(a[1].negate(2)).carry().mul(this);
                *slot = chord(slope, a, b);
            }
        }
    }
}

/// The third point of a line of this slope through A and B, mirrored: x3 = s^2 - x1 - x2,
/// y3 = s (x1 - x3) - y1.
#[inline(always)]
fn chord<V: FieldVec>(slope: V, a: [V; 2], b: [V; 2]) -> [V; 2] {
    let x = slope.square_add(a[0].add(b[0]).negate(2)).settle();
    let y = slope.mul_add(a[0].add(x.negate(1)).carry(), a[1].negate(2)).settle();
    [x, y]
}

/// Adds up what is left of each group by mixed additions.
struct Finish<'a, V, C> {
    chains: C,
    groups: usize,
    out: &'a mut Vec<Jacobian<V>>,
}

impl<V: FieldVec, C: Chains<V>> Stage for Finish<'_, V, C> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Finish { chains, groups, out } = self;
        let point = |chain, index| {
            let [x, y] = chains.point(chain, index);
            Affine { x, y: y.carry() }
        };
        let beta = V::splat(&BETA);
        for group in 0..groups {
            // S2 first: the endomorphism takes one product then.
            let mut sum = point(2 * group + 1, 0).to_jacobian();
            for step in 1..2 * chains.len() {
                let (chain, index) = if step < chains.len() {
                    (2 * group + 1, step)
                } else {
                    (2 * group, step - chains.len())
                };
                if step == chains.len() {
                    sum.x = sum.x.mul(beta);
                }
                sum = sum.add_affine(point(chain, index));
            }
            out.push(sum);
        }
    }
}

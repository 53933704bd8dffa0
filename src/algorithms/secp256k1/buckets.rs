//! Sums of many multiples by buckets (Pippenger).
//!
//! Scalars are cut into signed digits of c bits. For each digit position the points are thrown into
//! the bucket of their digit's size, and each bucket is added up. Of bucket k the sum counts k
//! times; k is cut into a low and a high half, buckets of the same half are added up, then those
//! of the same bit of the half: one point a bit of the scalars is left, for one chain of doublings.

use crate::algorithms::secp256k1::columns::{Columns, TILE};
use crate::algorithms::secp256k1::field::{FieldVec, Row, Stage};
use crate::algorithms::secp256k1::integer::{self, ZERO};
use crate::algorithms::secp256k1::lists::{Adder, Entry, Rows};
use crate::algorithms::secp256k1::point::{Affine, OneLane};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::scalar::Half;
use crate::algorithms::secp256k1::twin::Twin;

/// A multiple to be added: the index of its point's row, and the scalar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) row: u32,
    pub(crate) scalar: Half,
}

/// Adds multiples up; keeps its memory from call to call.
pub(crate) struct Buckets<V: FieldVec> {
    /// Over two vectors: its chains of products wait for each other less.
    adder: Adder<Twin<V>>,
    /// The sizes of the scalars, raised: their lowest words, and so on.
    raised: [Vec<u64>; 4],
    /// The points, negated where their scalars are negative.
    points: Vec<Entry>,
    columns: Columns,
}

/// Bits of a scalar's size, one for the carry of its raised digits, and one so that the highest
/// digit is as small as the others.
const BITS: u32 = 130;

/// Bits a digit, for the least time: each position costs an addition a term and one a bucket, whose
/// first entry is for free but whose sum counts twice, in additions that are half as dear again.
fn digit_bits(terms: usize) -> u32 {
    let cost = |c: &u32| BITS.div_ceil(*c) as usize * (2 * terms + (3 << (c - 1)));
    (3..16).min_by_key(cost).expect("the range is not empty")
}

impl<V: FieldVec> Default for Buckets<V> {
    fn default() -> Self {
        Buckets {
            adder: Adder::default(),
            raised: Default::default(),
            points: Vec::new(),
            columns: Columns::default(),
        }
    }
}

impl<V: FieldVec> Buckets<V> {
    /// The sum of the terms, whose scalars lie below 2^128 in size. `rows` is used as memory past its
    /// end and comes back as it was.
    pub(crate) fn sum(&mut self, rows: &mut Rows, terms: &[Term]) -> OneLane {
        let points = rows.len();
        let c = digit_bits(terms.len());
        let positions = BITS.div_ceil(c);
        self.adder.round().begin();
        self.throw(rows, terms, c);
        self.by_half(rows, c);
        self.by_bit(rows, c);
        let mut sum = OneLane::infinity();
        let bits: Vec<_> = self.adder.sums().collect();
        debug_assert_eq!(bits.len(), (positions * c) as usize);
        for bit in bits.into_iter().rev() {
            sum = sum.double();
            if let Some(entry) = bit.filter(|bit| rows[bit.row()] != Rows::INFINITY) {
                sum = sum.add_complete(point(rows, entry));
            }
        }
        rows.set_len(points);
        sum
    }

    /// Sums of the buckets 1 to 2^(c - 1) of every digit position.
    fn throw(&mut self, rows: &mut Rows, terms: &[Term], c: u32) {
        let Buckets { adder, raised, points, columns } = self;
        let (positions, buckets) = (BITS.div_ceil(c), 1 << (c - 1));
        let raise = raise(c);
        raised.iter_mut().for_each(Vec::clear);
        for Term { scalar, .. } in terms {
            let [low, middle, high] = scalar.size;
            let sum = integer::add(&raise, &[low, middle, high, 0]).0;
            raised.iter_mut().zip(sum).for_each(|(words, word)| words.push(word));
        }
        points.clear();
        let signed = |term: &Term| Entry::new(term.row as usize, term.scalar.negative);
        points.extend(terms.iter().map(signed));
        adder.begin(rows);
        adder.open(positions as usize * buckets);
        // Few buckets fill a tile together.
        let some = (TILE / buckets).max(1) as u32;
        for start in (0..positions).step_by(some as usize) {
            let end = positions.min(start + some);
            columns.lists.clear();
            columns.points.clear();
            for position in start..end {
                let first = (position - start) as usize * buckets;
                V::enter(Digits { raised, points, c, position, first, out: columns });
            }
            let lists = (end - start) as usize * buckets;
            columns.add(adder, rows, start as usize * buckets, lists);
        }
        adder.finish(rows);
    }

    /// From the buckets' sums, for each position: the sums of those with the same low h bits of their
    /// number, 1 to 2^h - 1, then of those with the same bits above, 1 to 2^(c - 1 - h).
    fn by_half(&mut self, rows: &mut Rows, c: u32) {
        let (buckets, [lows, highs]) = (1 << (c - 1), halves(c));
        let sums: Vec<_> = self.adder.sums().collect();
        self.adder.begin(rows);
        self.adder.open(sums.len() / buckets * (lows + highs));
        let Columns { lists, points, .. } = &mut self.columns;
        lists.clear();
        points.clear();
        for (position, sums) in sums.chunks(buckets).enumerate() {
            let first = position * (lows + highs);
            for (number, sum) in (1..).zip(sums) {
                let &Some(sum) = sum else { continue };
                let (low, high) = (number & lows, number / (lows + 1));
                let list = |half: usize, first| if half == 0 { 0 } else { (first + half) as u16 };
                lists.extend([list(low, first), list(high, first + lows)]);
                points.extend([sum; 2]);
            }
        }
        self.columns.add(&mut self.adder, rows, 0, sums.len() / buckets * (lows + highs));
        self.adder.finish(rows);
    }

    /// From these, for each bit of the scalars: the sum of those of its position that have the bit.
    fn by_bit(&mut self, rows: &mut Rows, c: u32) {
        let [lows, highs] = halves(c);
        let (h, bits) = (lows.count_ones(), c as usize);
        let sums: Vec<_> = self.adder.sums().collect();
        self.adder.begin(rows);
        self.adder.open(sums.len() / (lows + highs) * bits);
        for (position, sums) in sums.chunks(lows + highs).enumerate() {
            let number = |index| if index < lows { index + 1 } else { (index - lows + 1) << h };
            let sums = sums.iter().enumerate().filter_map(|(at, sum)| Some((number(at), (*sum)?)));
            let split = sums.flat_map(|(number, sum)| {
                let bits = (0..bits).filter(move |bit| number >> bit & 1 == 1);
                bits.map(move |bit| (position * c as usize + bit, sum))
            });
            self.adder.put(rows, split);
        }
        self.adder.finish(rows);
    }
}

/// How many low halves a bucket's number may have, and how many high ones, without zero.
fn halves(c: u32) -> [usize; 2] {
    let h = c / 2;
    [(1 << h) - 1, 1 << (c - 1 - h)]
}

/// 2^(c - 1) at every digit position but the highest. The digits of a size, between -2^(c - 1) and
/// 2^(c - 1), are those of its sum with this, less 2^(c - 1), with no carry to hand on.
fn raise(c: u32) -> [u64; 4] {
    let mut raise = ZERO;
    for position in 0..BITS.div_ceil(c) - 1 {
        let bit = position * c + c - 1;
        raise[(bit / 64) as usize] |= 1 << (bit % 64);
    }
    raise
}

/// Digits of one position, by vectors where the level has any: the bucket of each point.
struct Digits<'a> {
    raised: &'a [Vec<u64>; 4],
    points: &'a [Entry],
    c: u32,
    position: u32,
    /// Buckets before those of this position.
    first: usize,
    out: &'a mut Columns,
}

impl Stage for Digits<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Digits { raised, points, c, position, first, out } = self;
        let (word, bit) = ((position * c / 64) as usize, position * c % 64);
        let less = if position + 1 < BITS.div_ceil(c) { 1 << (c - 1) } else { 0 };
        let (old, first) = (out.lists.len(), first as u32);
        out.lists.resize(old + points.len(), 0);
        out.points.resize(old + points.len(), Entry::new(0, false));
        let words = raised[word].iter().zip(&raised[word + 1]).zip(points);
        let outs = out.lists[old..].iter_mut().zip(&mut out.points[old..]);
        for (((low, high), point), (list, signed)) in words.zip(outs) {
            let bits = low >> bit | high << 1 << (63 - bit);
            let digit = (bits & ((1 << c) - 1)) as i32 - less;
            let size = digit.unsigned_abs();
            *list = if size == 0 { 0 } else { (first + size) as u16 };
            *signed = point.with_sign_of(digit);
        }
    }
}

fn point(rows: &[Row], entry: Entry) -> Affine<Scalar5x52> {
    let [x, y] = Scalar5x52::gather(|_| &rows[entry.row()]);
    Affine { x, y }.negate_where(entry.negative())
}

#[cfg(test)]
mod tests {
    use k256::elliptic_curve::PrimeField;

    use k256::{ProjectivePoint, Scalar};
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::algorithms::secp256k1::integer::to_be;
    use crate::algorithms::secp256k1::multiply::tests::affine;
    use crate::isa::{Isa, Kernel};
    use crate::parsed::Words;

    struct Sum<'a>(&'a mut Rows, &'a [Term]);

    impl Kernel for Sum<'_> {
        type Out = Option<[Words; 2]>;

        #[inline(always)]
        fn run<V: FieldVec>(self) -> Self::Out {
            Buckets::<V>::default().sum(self.0, self.1).to_affine()
        }
    }

    fn scalar(half: &Half) -> Scalar {
        let size = Scalar::from_repr(to_be(&[half.size[0], half.size[1], 0, 0]).into());
        let size = size.expect("below n");
        if half.negative { -size } else { size }
    }

    /// Compares the sum with k256's at every level.
    fn compare(points: &[ProjectivePoint], terms: &[Term]) {
        let of = |term: &Term| points[term.row as usize] * scalar(&term.scalar);
        let expected = affine(terms.iter().map(of).sum());
        for isa in Isa::all() {
            let mut rows = Rows::default();
            for point in points {
                rows.extend(&[Row(affine(*point).expect("finite"))]);
            }
            assert_eq!(isa.run(Sum(&mut rows, terms)), expected, "{isa}, {} terms", terms.len());
            assert_eq!(rows.len(), points.len());
        }
    }

    fn half(random: &mut StdRng) -> Half {
        let word = |random: &mut StdRng| match random.random_range(0..4) {
            0 => 0,
            1 => u64::MAX,
            _ => random.random::<u64>(),
        };
        Half { negative: random.random(), size: [word(random), word(random), 0] }
    }

    #[test]
    fn sums_agree_with_k256() {
        let mut random = StdRng::seed_from_u64(31);
        // The last fills several tiles of lanes.
        for count in [0, 1, 2, 3, 9, 50, 200, 700, 3_000] {
            let mut point = ProjectivePoint::GENERATOR;
            let points: Vec<_> = (0..count)
                .map(|_| {
                    point = point.double() + ProjectivePoint::GENERATOR;
                    point
                })
                .collect();
            let term = |row| Term { row, scalar: half(&mut random) };
            compare(&points, &(0..count as u32).map(term).collect::<Vec<_>>());
        }
    }

    /// Buckets whose points cancel beside such whose points do not.
    #[test]
    fn sums_of_infinity_among_others_agree_with_k256() {
        let mut random = StdRng::seed_from_u64(33);
        let g = ProjectivePoint::GENERATOR;
        let points = [g, g.double(), g + g.double()];
        for count in [3, 20, 300] {
            let mut terms = Vec::new();
            for _ in 0..count {
                let scalar = half(&mut random);
                terms.push(Term { row: 0, scalar });
                terms.push(Term { row: 0, scalar: Half { negative: !scalar.negative, ..scalar } });
                terms.push(Term { row: random.random_range(1..3), scalar: half(&mut random) });
            }
            compare(&points, &terms);
        }
    }

    /// Few different points, their opposites, and equal scalars: buckets full of equal and opposite
    /// points, and sums of infinity on the way and at the end.
    #[test]
    fn equal_and_opposite_points_agree_with_k256() {
        let mut random = StdRng::seed_from_u64(32);
        let g = ProjectivePoint::GENERATOR;
        let points = [g, -g, g.double(), g, -g.double(), g + g.double()];
        let scalars: Vec<_> = (0..3).map(|_| half(&mut random)).collect();
        for count in [2, 7, 64, 300] {
            let mut term = |_| Term {
                row: random.random_range(0..points.len() as u32),
                scalar: scalars[random.random_range(0..scalars.len())],
            };
            let mut terms: Vec<_> = (0..count).map(&mut term).collect();
            compare(&points, &terms);
            let mut opposite = terms.clone();
            opposite.iter_mut().for_each(|term| term.scalar.negative ^= true);
            terms.append(&mut opposite);
            compare(&points, &terms);
        }
    }

    /// A pair that cancels among points that have nothing in common: its buckets come to infinity, and are entries of
    /// the sums that follow, where nothing else is an exception.
    #[test]
    fn a_bucket_that_comes_to_infinity_agrees_with_k256() {
        let mut random = StdRng::seed_from_u64(33);
        for count in [1, 4, 30, 300] {
            let mut point = ProjectivePoint::GENERATOR;
            let points: Vec<_> = (0..=count)
                .map(|_| {
                    point = point.double() + ProjectivePoint::GENERATOR;
                    point
                })
                .collect();
            let mut terms: Vec<_> =
                (0..=count).map(|row| Term { row, scalar: half(&mut random) }).collect();
            let Term { row, scalar } = terms[0];
            let opposite = Half { negative: !scalar.negative, ..scalar };
            terms.push(Term { row, scalar: opposite });
            compare(&points, &terms);
        }
    }
}

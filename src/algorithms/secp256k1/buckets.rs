//! Sums of many multiples by buckets (Pippenger).
//!
//! Scalars are cut into signed digits of c bits. For each digit position the points are thrown into
//! the bucket of their digit's size, and each bucket is added up. Of bucket k the sum counts k
//! times; k is cut into a low and a high half, buckets of the same half are added up, then those
//! of the same bit of the half: one point a bit of the scalars is left, for one chain of doublings.

use crate::algorithms::secp256k1::field::{FieldVec, Row, Stage};
use crate::algorithms::secp256k1::integer::{self, ZERO};
use crate::algorithms::secp256k1::lists::{Adder, Entry, Lists, Rows};
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
    lists: Lists,
    /// The sizes of the scalars, raised.
    raised: Vec<[u64; 4]>,
    /// The points, negated where their scalars are negative.
    points: Vec<Entry>,
    /// Digits of one position.
    digits: Vec<i32>,
    /// The bucket of each digit size and position: at most one entry a list.
    sums: Lists,
}

/// Bits of a scalar's size, one for the carry of its raised digits, and one so that the highest
/// digit is as small as the others.
const BITS: u32 = 130;

/// Bits a digit, for the fewest additions: each position costs one a term and two a bucket.
fn digit_bits(terms: usize) -> u32 {
    let additions = |c: &u32| BITS.div_ceil(*c) as usize * (terms + (2 << (c - 1)));
    (3..14).min_by_key(additions).expect("the range is not empty")
}

impl<V: FieldVec> Default for Buckets<V> {
    fn default() -> Self {
        Buckets {
            adder: Adder::default(),
            lists: Lists::default(),
            raised: Vec::new(),
            points: Vec::new(),
            digits: Vec::new(),
            sums: Lists::default(),
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
        self.sums.clear();
        self.raised.clear();
        self.raised.extend(terms.iter().map(|term| raise(&term.scalar.size, c)));
        self.points.clear();
        let signed = |term: &Term| Entry::new(term.row as usize, term.scalar.negative);
        self.points.extend(terms.iter().map(signed));
        for position in 0..positions {
            self.fill(c, position);
            let kept = rows.len();
            self.adder.add_up(rows, &mut self.lists);
            self.keep(rows, kept);
        }
        // k = low + high 2^h, then bit by bit.
        let h = c / 2;
        let halves = self.by_half(c, h);
        self.lists = halves;
        self.adder.add_up(rows, &mut self.lists);
        self.lists = by_bit(&self.lists, c, h);
        self.adder.add_up(rows, &mut self.lists);
        let bits: Vec<Option<Entry>> =
            self.lists.iter().map(|list| list.first().copied()).collect();
        let mut sum = OneLane::infinity();
        for bit in bits.into_iter().rev() {
            sum = sum.double();
            if let Some(entry) = bit {
                sum = sum.add_complete(point(rows, entry));
            }
        }
        rows.set_len(points);
        sum
    }

    /// Fills the lists with the buckets 1 to 2^(c - 1) of one digit position.
    fn fill(&mut self, c: u32, position: u32) {
        let buckets = 1 << (c - 1);
        let Lists { entries, ends } = &mut self.lists;
        ends.clear();
        ends.resize(buckets + 1, 0);
        V::enter(Digits { raised: &self.raised, c, position, out: &mut self.digits });
        for digit in &self.digits {
            ends[digit.unsigned_abs() as usize] += 1;
        }
        // Where each bucket starts; filling moves it to where it ends. Digit 0 has no bucket.
        let mut start = 0;
        ends[0] = 0;
        for end in ends.iter_mut() {
            (*end, start) = (start, start + *end);
        }
        entries.clear();
        // Those of digit 0 fall behind the others, and are cut off.
        let kept = start as usize;
        entries.resize(self.digits.len(), Entry::new(0, false));
        ends[0] = start;
        for (point, &digit) in self.points.iter().zip(&self.digits) {
            let end = &mut ends[digit.unsigned_abs() as usize];
            entries[*end as usize] = point.negate_where(digit < 0);
            *end += 1;
        }
        entries.truncate(kept);
        ends.remove(0);
    }

    /// Takes over the sums of one position, and moves those of their rows that are new down to `kept`.
    fn keep(&mut self, rows: &mut Rows, kept: usize) {
        let mut moved = Vec::new();
        for list in self.lists.iter() {
            if let Some(&entry) = list.first() {
                if entry.row() < kept {
                    self.sums.entries.push(entry);
                } else {
                    self.sums.entries.push(Entry::new(kept + moved.len(), entry.negative()));
                    moved.push(rows[entry.row()]);
                }
            }
            self.sums.close();
        }
        rows.set_len(kept);
        rows.extend(&moved);
    }

    /// For each position the lists of buckets with the same low h bits of their number, 1 to 2^h - 1,
    /// then those with the same bits above, 1 to 2^(c - 1 - h).
    fn by_half(&self, c: u32, h: u32) -> Lists {
        let buckets = 1usize << (c - 1);
        let sums: Vec<Option<Entry>> = self.sums.iter().map(|list| list.first().copied()).collect();
        let mut lists = Lists::default();
        for sums in sums.chunks(buckets) {
            let sum = |number: usize| sums[number - 1];
            for low in 1..1usize << h {
                lists.entries.extend((low..=buckets).step_by(1 << h).filter_map(sum));
                lists.close();
            }
            for high in 1..=buckets >> h {
                let numbers = high << h..=buckets.min((high << h) + (1 << h) - 1);
                lists.entries.extend(numbers.filter_map(sum));
                lists.close();
            }
        }
        lists
    }
}

/// For each position and each bit of a bucket's number the list of half sums that have the bit.
fn by_bit(halves: &Lists, c: u32, h: u32) -> Lists {
    let (lows, highs) = ((1usize << h) - 1, 1usize << (c - 1 - h));
    let sums: Vec<Option<Entry>> = halves.iter().map(|list| list.first().copied()).collect();
    let mut lists = Lists::default();
    for sums in sums.chunks(lows + highs) {
        let (low, high) = sums.split_at(lows);
        for bit in 0..c {
            let (sums, bit) = if bit < h { (low, bit) } else { (high, bit - h) };
            let has = |(index, _): &(usize, &Option<Entry>)| (index + 1) >> bit & 1 == 1;
            lists.entries.extend(sums.iter().enumerate().filter(has).filter_map(|(_, sum)| *sum));
            lists.close();
        }
    }
    lists
}

/// A scalar's size with 2^(c - 1) added at every digit position but the highest: the digits of the
/// size itself, between -2^(c - 1) and 2^(c - 1), are those of this sum less 2^(c - 1), with no
/// carry to hand on.
fn raise(size: &[u64; 3], c: u32) -> [u64; 4] {
    let mut halves = ZERO;
    for position in 0..BITS.div_ceil(c) - 1 {
        let bit = position * c + c - 1;
        halves[(bit / 64) as usize] |= 1 << (bit % 64);
    }
    let [low, middle, high] = *size;
    integer::add(&halves, &[low, middle, high, 0]).0
}

/// Digits of one position, by vectors where the level has any.
struct Digits<'a> {
    raised: &'a [[u64; 4]],
    c: u32,
    position: u32,
    out: &'a mut Vec<i32>,
}

impl Stage for Digits<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Digits { raised, c, position, out } = self;
        out.resize(raised.len(), 0);
        for (out, raised) in out.iter_mut().zip(raised) {
            *out = digit(raised, c, position);
        }
    }
}

/// Digit `position` of a raised size.
#[inline(always)]
fn digit(raised: &[u64; 4], c: u32, position: u32) -> i32 {
    let (word, bit) = ((position * c / 64) as usize, position * c % 64);
    let bits = raised[word] >> bit | raised[word + 1] << 1 << (63 - bit);
    let bits = (bits & ((1 << c) - 1)) as i32;
    if position + 1 < BITS.div_ceil(c) { bits - (1 << (c - 1)) } else { bits }
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
        for count in [0, 1, 2, 3, 9, 50, 200, 700] {
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
}

//! u1 G + u2 Q for many pairs at once.
//!
//! Each scalar is split into two odd halves by the endomorphism, each half written in odd digits of
//! fixed windows, and the four chains share their doublings (Straus). Every lane takes the same
//! steps. A lane that meets a case outside the formulas ends with Z = 0, as does a result of
//! infinity. Senders can force that, so such a group climbs once more, from a start from which the
//! same inputs meet no such case; what is left takes the complete one-lane formulas.

use std::marker::PhantomData;

use crate::algorithms::secp256k1::curve::{BETA, Curve};
use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::point::{Affine, Jacobian, OneLane};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::scalar::recode;
use crate::algorithms::secp256k1::table::KeyTables;
use crate::algorithms::secp256k1::twin::Twin;
use crate::laps::lap;
use crate::parsed::Words;

/// Most windows of a half.
const WINDOWS: usize = 26;

/// The pair of scalars of one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scalars {
    /// Of the generator.
    pub u1: Words,
    /// Of the key.
    pub u2: Words,
}

/// One odd digit a lane.
#[derive(Clone, Copy)]
struct Digit {
    /// The row of the odd multiple: |d| = 2 row + 1.
    rows: [u32; LANES],
    /// The lanes in which it is negative.
    negative: u32,
}

impl Digit {
    const ONES: Digit = Digit { rows: [0; LANES], negative: 0 };

    fn set(&mut self, lane: usize, digit: i32) {
        self.rows[lane] = digit.unsigned_abs() >> 1;
        self.negative |= u32::from(digit < 0) << lane;
    }
}

/// The digits of a group, by half and window.
struct Digits {
    generator: [[Digit; WINDOWS]; 2],
    key: [[Digit; WINDOWS]; 2],
}

impl Digits {
    fn new<C: Curve>(scalars: &[Scalars]) -> Self {
        let blank = [[Digit::ONES; WINDOWS]; 2];
        let mut digits = Digits { generator: blank, key: blank };
        let mut row = [0; WINDOWS];
        let strides = C::WINDOWS.div_ceil(C::GENERATOR_STRIDE);
        let generator_width = C::KEY_WIDTH * C::GENERATOR_STRIDE as u32;
        for (lane, Scalars { u1, u2 }) in scalars.iter().enumerate() {
            for (half, out) in C::split(u1).iter().zip(&mut digits.generator) {
                recode(half, generator_width, &mut row[..strides]);
                out.iter_mut().zip(&row[..strides]).for_each(|(d, digit)| d.set(lane, *digit));
            }
            for (half, out) in C::split(u2).iter().zip(&mut digits.key) {
                recode(half, C::KEY_WIDTH, &mut row[..C::WINDOWS]);
                out.iter_mut().zip(&row[..C::WINDOWS]).for_each(|(d, digit)| d.set(lane, *digit));
            }
        }
        digits
    }
}

/// Computes the products of one piece; `tables` keeps its memory from piece to piece.
///
/// `keys` holds a group of lanes each, `scalars` an entry for each item; lanes past the last item
/// repeat anything valid. `out` gets a point for each group, infinity as Z = 0.
#[inline(always)]
pub fn double_mul<C: Curve, V: FieldVec>(
    keys: &[Affine<V>],
    scalars: &[Scalars],
    tables: &mut KeyTables<Twin<V>>,
    out: &mut Vec<Jacobian<V>>,
) {
    tables.build(pairs(keys), C::KEY_WIDTH);
    lap("table");
    out.clear();
    for (group, scalars) in scalars.chunks(V::LANES).enumerate() {
        let digits = Digits::new::<C>(scalars);
        let rows = tables.keys(group * V::LANES, V::LANES);
        let ladder = |start| Ladder::<C, V> { start, rows, digits: &digits, over: PhantomData };
        let Climbed { mut sum, infinite } = V::enter(ladder(None));
        let spoilt =
            V::Mask::from_bits(tables.exceptional(group / 2).bits() >> (group % 2 * V::LANES));
        let redo = sum.z.is_zero().and(infinite.not()).or(spoilt);
        let redo = redo.and(V::Mask::first(scalars.len()));
        if redo.any() {
            let key = &keys[group];
            let ladder = ladder(Some(C::offset().start));
            sum = V::enter(Again { ladder, sum, redo, spoilt, key, scalars });
        }
        out.push(sum);
    }
    lap("multiply");
}

/// Groups two by two; the last may stand twice.
fn pairs<V: FieldVec>(keys: &[Affine<V>]) -> impl Iterator<Item = Affine<Twin<V>>> {
    keys.chunks(2).map(|pair| {
        let (a, b) = (pair[0], pair[pair.len() - 1]);
        Affine { x: Twin(a.x, b.x), y: Twin(a.y, b.y) }
    })
}

/// The shared chain of doublings, from the top window down.
struct Ladder<'a, C, V> {
    /// Where to start, if not from nothing.
    start: Option<[Words; 2]>,
    /// The odd multiples of the group's keys.
    rows: &'a [Row],
    digits: &'a Digits,
    over: PhantomData<(C, V)>,
}

/// What a ladder gives: Z = 0 where it failed, and where the sum is infinity, which its last
/// addition tells apart.
struct Climbed<V: FieldVec> {
    sum: Jacobian<V>,
    infinite: V::Mask,
}

impl<C: Curve, V: FieldVec> Stage for Ladder<'_, C, V> {
    type Out = Climbed<V>;

    #[inline(always)]
    fn run(self) -> Climbed<V> {
        let Ladder { start, rows, digits, .. } = self;
        let generator = C::generator_table().as_slice();
        let beta = V::splat(&BETA);
        let entries = rows.len() / V::LANES;
        let top = C::WINDOWS - 1;
        let first = match start {
            Some([x, y]) => Affine { x: V::splat(&x), y: V::splat(&y) },
            None => addend(rows, entries, &digits.key[0][top]),
        };
        let mut sum = first.to_jacobian();
        let mut last = (sum, first);
        for window in (0..=top).rev() {
            if window < top {
                for _ in 0..C::KEY_WIDTH {
                    sum = sum.double();
                }
            }
            let stride = window / C::GENERATOR_STRIDE;
            let fixed = window % C::GENERATOR_STRIDE == 0;
            // The same code adds all four, so that the loop stays in the cache of decoded
            // instructions.
            let first = usize::from(window == top && start.is_none());
            for source in first..if fixed { 4 } else { 2 } {
                let half = source & 1;
                let mut a = if source < 2 {
                    addend::<V>(rows, entries, &digits.key[half][window])
                } else {
                    addend::<V>(generator, 0, &digits.generator[half][stride])
                };
                if half == 1 {
                    a.x = a.x.mul(beta);
                }
                if window == 0 {
                    last = (sum, a);
                }
                sum = sum.add_affine(a);
            }
        }
        let mut infinite = sum.z.is_zero();
        if infinite.any() {
            // -y of the addend where the sum before was a point: opposite, since x is equal.
            let (before, a) = last;
            let opposite = a.y.mul_add(before.z.square().mul(before.z), before.y).is_zero();
            infinite = infinite.and(before.z.is_zero().not()).and(opposite);
        }
        Climbed { sum, infinite }
    }
}

/// The multiple that a digit names, from lane l's rows at `l * offset`.
#[inline(always)]
fn addend<V: FieldVec>(rows: &[Row], offset: usize, digit: &Digit) -> Affine<V> {
    let [x, y] = V::gather(|lane| &rows[lane * offset + digit.rows[lane] as usize]);
    Affine { x, y }.negate_where(V::Mask::from_bits(digit.negative))
}

/// Computes the lanes named by `redo` again, of which those in `spoilt` have no tables.
struct Again<'a, C, V: FieldVec> {
    /// From the offset.
    ladder: Ladder<'a, C, V>,
    sum: Jacobian<V>,
    redo: V::Mask,
    spoilt: V::Mask,
    key: &'a Affine<V>,
    scalars: &'a [Scalars],
}

impl<C: Curve, V: FieldVec> Stage for Again<'_, C, V> {
    type Out = Jacobian<V>;

    #[inline(always)]
    fn run(self) -> Jacobian<V> {
        let Again { ladder, sum, redo, spoilt, key, scalars } = self;
        let [x, y] = C::offset().end.map(|words| V::splat(&words));
        let Climbed { sum: high, .. } = V::enter(ladder);
        let low = high.add_affine(Affine { x, y: y.negate(1).carry() });
        // Where the sum is the offset itself, the rest is infinity. Any other Z = 0 says that the
        // formulas failed here too.
        let same_y = y.mul_add(high.z.square().mul(high.z), high.y.negate(3)).is_zero();
        let infinite = high.z.is_zero().not().and(high.has_x(x)).and(same_y);
        let failed = redo.and(low.z.is_zero()).and(infinite.not()).or(spoilt);
        let sum = Jacobian {
            x: V::select(redo, low.x, sum.x),
            y: V::select(redo, low.y, sum.y),
            z: V::select(redo, low.z, sum.z),
        };
        if failed.any() { complete_lanes::<C, V>(sum, failed, key, scalars) } else { sum }
    }
}

/// Computes the lanes named by `redo` by the complete formulas.
#[cold]
fn complete_lanes<C: Curve, V: FieldVec>(
    sum: Jacobian<V>,
    redo: V::Mask,
    key: &Affine<V>,
    scalars: &[Scalars],
) -> Jacobian<V> {
    let mut planes = [[[0; 4]; LANES]; 5];
    for (plane, v) in planes.iter_mut().zip([sum.x, sum.y, sum.z, key.x, key.y]) {
        v.store(&mut plane[..V::LANES]);
    }
    let [mut x, mut y, mut z, key_x, key_y] = planes;
    for (lane, scalars) in scalars.iter().enumerate() {
        if redo.lane(lane) {
            let point = complete::<C>(scalars, &[key_x[lane], key_y[lane]]);
            point.x.store(&mut x[lane..=lane]);
            point.y.store(&mut y[lane..=lane]);
            point.z.store(&mut z[lane..=lane]);
        }
    }
    let [x, y, z] = [x, y, z].map(|plane| V::load(&plane[..V::LANES]));
    Jacobian { x, y, z }
}

/// u1 G + u2 Q bit by bit, for any scalars and any Q.
pub fn complete<C: Curve>(scalars: &Scalars, key: &[Words; 2]) -> OneLane {
    let point = |[x, y]: &[Words; 2]| Affine { x: Scalar5x52::splat(x), y: Scalar5x52::splat(y) };
    let (generator, key) = (point(&C::GENERATOR), point(key));
    let mut sum = OneLane::infinity();
    for bit in (0..256).rev() {
        sum = sum.double();
        let set = |k: &Words| k[bit / 64] >> (bit % 64) & 1 == 1;
        if set(&scalars.u1) {
            sum = sum.add_complete(generator);
        }
        if set(&scalars.u2) {
            sum = sum.add_complete(key);
        }
    }
    sum
}

#[cfg(test)]
pub(crate) mod tests {
    use k256::elliptic_curve::PrimeField;
    use k256::elliptic_curve::sec1::ToSec1Point;
    use k256::{ProjectivePoint, Scalar};
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::algorithms::secp256k1::curve::Secp256k1;
    use crate::algorithms::secp256k1::integer::{self, N, ZERO, from_be, reduce_n, to_be};
    use crate::isa::{Isa, Kernel};
    use crate::verdict::Point;

    pub(crate) const LAMBDA: Words = [
        0xdf02_967c_1b23_bd72,
        0x122e_22ea_2081_6678,
        0xa526_1c02_8812_645a,
        0x5363_ad4c_c05c_30e0,
    ];

    pub(crate) fn scalar(words: &Words) -> Scalar {
        Scalar::from_repr(to_be(words).into()).expect("below n")
    }

    /// x and y; `None` for infinity.
    pub(crate) fn affine(point: ProjectivePoint) -> Option<[Words; 2]> {
        let encoded = point.to_affine().to_sec1_point(false);
        let half = |range: std::ops::Range<usize>| -> Option<Words> {
            Some(from_be(encoded.as_bytes().get(range)?.try_into().ok()?))
        };
        Some([half(1..33)?, half(33..65)?])
    }

    /// The products of one piece, over a level's vector.
    struct Products<'a, C> {
        keys: &'a [[Words; 2]],
        scalars: &'a [Scalars],
        over: PhantomData<C>,
    }

    impl<C: Curve> Kernel for Products<'_, C> {
        type Out = Vec<Option<[Words; 2]>>;

        fn run<V: FieldVec>(self) -> Self::Out {
            let group = |keys: &[[Words; 2]]| {
                let [x, y] = [0, 1].map(|i| {
                    let mut lanes = [C::GENERATOR[i]; LANES];
                    lanes.iter_mut().zip(keys).for_each(|(lane, key)| *lane = key[i]);
                    V::load(&lanes[..V::LANES])
                });
                Affine { x, y }
            };
            let keys: Vec<_> = self.keys.chunks(V::LANES).map(group).collect();
            let mut sums = Vec::new();
            double_mul::<C, V>(&keys, self.scalars, &mut KeyTables::new(), &mut sums);
            assert_eq!(sums.len(), keys.len());
            let infinity = Point { x: [0; 4], y: [0; 4], z: [0; 4] };
            let mut points = vec![infinity; sums.len() * V::LANES];
            for (sum, out) in sums.iter().zip(points.chunks_mut(V::LANES)) {
                sum.store(out);
            }
            points.truncate(self.scalars.len());
            points.iter().map(|point| OneLane::load(point).to_affine()).collect()
        }
    }

    /// u1 G + u2 Q of each item of a piece on a level, affine.
    pub(crate) fn products<C: Curve>(
        isa: Isa,
        keys: &[[Words; 2]],
        scalars: &[Scalars],
    ) -> Vec<Option<[Words; 2]>> {
        isa.run(Products::<C> { keys, scalars, over: PhantomData })
    }

    /// Runs all items as one piece on every level and compares each with k256.
    fn compare(items: &[(Words, Words, ProjectivePoint)]) {
        let keys: Vec<_> =
            items.iter().map(|(.., q)| affine(*q).expect("a key is finite")).collect();
        let scalars: Vec<_> = items.iter().map(|&(u1, u2, _)| Scalars { u1, u2 }).collect();
        let expected: Vec<_> = items
            .iter()
            .map(|(u1, u2, q)| affine(ProjectivePoint::GENERATOR * scalar(u1) + *q * scalar(u2)))
            .collect();
        for isa in Isa::all() {
            let points = products::<Secp256k1>(isa, &keys, &scalars);
            assert_eq!(points.len(), items.len());
            for (i, (point, expected)) in points.iter().zip(&expected).enumerate() {
                assert_eq!(point, expected, "{isa}, item {i}: {:x?}", scalars[i]);
            }
        }
    }

    fn small(k: u64) -> Words {
        [k, 0, 0, 0]
    }

    fn minus(k: u64) -> Words {
        integer::sub(&N, &small(k)).0
    }

    #[test]
    fn random_and_biased_pairs_agree_with_k256() {
        let mut random = StdRng::seed_from_u64(2);
        let word = |random: &mut StdRng| match random.random_range(0..4) {
            0 => 0,
            1 => u64::MAX,
            _ => random.random::<u64>(),
        };
        let mut items = Vec::new();
        for _ in 0..if cfg!(debug_assertions) { 100 } else { 2_000 } {
            let mut next = || reduce_n(core::array::from_fn(|_| word(&mut random)));
            let (u1, u2, mut d) = (next(), next(), next());
            if d == ZERO {
                d = small(1);
            }
            items.push((u1, u2, ProjectivePoint::GENERATOR * scalar(&d)));
        }
        compare(&items);
        for size in [0, 1, 2, 3, 7, 8, 9] {
            compare(&items[..size]);
        }
    }

    /// Keys that meet the generator's multiples and scalars that cancel, in one piece with each
    /// other: each item's neighbours are exceptional too.
    #[test]
    fn special_points_agree_with_k256() {
        let g = ProjectivePoint::GENERATOR;
        let lambda = scalar(&LAMBDA);
        let keys = [
            g,
            -g,
            g.double(),
            -g.double(),
            g * scalar(&small(3)),
            g * lambda,
            -(g * lambda),
            g * lambda * lambda,
            g * scalar(&small(0x1234_5678_9abc)),
        ];
        let scalars = [
            small(0),
            small(1),
            small(2),
            small(3),
            small(31),
            small(32),
            small(1 << 15),
            minus(1),
            minus(2),
            LAMBDA,
            integer::sub(&N, &LAMBDA).0,
            [0, 0, 1, 0],
            [u64::MAX, u64::MAX, 0, 0],
        ];
        let mut items = Vec::new();
        for key in keys {
            for u1 in scalars {
                for u2 in scalars {
                    items.push((u1, u2, key));
                }
            }
        }
        for piece in items.chunks(if cfg!(debug_assertions) { 500 } else { 100 }) {
            compare(piece);
        }
    }

    /// u1 G = u2 Q, and u1 G = -u2 Q, for a key of which we know the logarithm.
    #[test]
    fn equal_and_opposite_products() {
        let d = [0x1111, 0x2222, 0x3333, 0x4444];
        let q = ProjectivePoint::GENERATOR * scalar(&d);
        let mut items = Vec::new();
        for u2 in [small(1), small(77), LAMBDA, minus(5)] {
            let product = from_be(&(scalar(&u2) * scalar(&d)).to_repr().into());
            items.push((product, u2, q));
            items.push((integer::sub(&N, &product).0, u2, q));
        }
        compare(&items);
    }
}

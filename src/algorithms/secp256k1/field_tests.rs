//! The field over every level of this machine: operations against big integers and against the
//! portable level, at the bounds of magnitude, with another value in each lane.

use num_bigint::BigUint;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::algorithms::secp256k1::field::{FieldVec, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::integer::{self, P, from_be, to_be};
use crate::algorithms::secp256k1::inversion::{invert, invert_all};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::sqrt::sqrt_all;
use crate::isa::{Isa, Kernel};
use crate::parsed::Words;

pub(crate) fn prime() -> BigUint {
    BigUint::from_bytes_be(&to_be(&P))
}

pub(crate) fn referee(words: &Words) -> BigUint {
    BigUint::from_bytes_be(&to_be(words))
}

/// The value mod p.
pub(crate) fn words(value: &BigUint) -> Words {
    let bytes = (value % prime()).to_bytes_be();
    let mut padded = [0; 32];
    padded[32 - bytes.len()..].copy_from_slice(&bytes);
    from_be(&padded)
}

/// The elements of all lanes.
fn stored<V: FieldVec>(value: V) -> Vec<Words> {
    let mut out = vec![[0; 4]; V::LANES];
    value.store(&mut out);
    out
}

/// A value below p: random words among words of zeros and ones, limbs of ones, single bits, edges.
fn biased(random: &mut StdRng) -> Words {
    let mut value: Words = core::array::from_fn(|_| match random.random_range(0..4) {
        0 => 0,
        1 => u64::MAX,
        _ => random.random(),
    });
    match random.random_range(0..16) {
        0 => value = [random.random_range(0..3), 0, 0, 0],
        1 => value = integer::sub(&P, &[random.random_range(1..3), 0, 0, 0]).0,
        2 | 3 => {
            // One limb of ones, or all but one.
            let width = [1, 26, 29, 52][random.random_range(0..4)];
            let first = random.random_range(0..256 / width) * width;
            let invert = random.random::<bool>();
            value = [0; 4];
            for bit in 0..256 {
                let one = (first..first + width).contains(&bit) != invert;
                value[bit / 64] |= u64::from(one) << (bit % 64);
            }
        }
        _ => {}
    }
    if integer::is_below(&value, &P) { value } else { integer::sub(&value, &P).0 }
}

fn negated(value: &Words) -> Words {
    if *value == [0; 4] { *value } else { integer::sub(&P, value).0 }
}

/// The values with the largest limbs that magnitude m comes to: each negation adds one.
#[inline(always)]
fn stretched<V: FieldVec>(values: &[Words], negatives: &[Words], magnitude: u64) -> V {
    let mut a = V::load(if magnitude % 2 == 1 { values } else { negatives });
    for have in 1..magnitude {
        a = a.negate(have);
    }
    a
}

/// Three values a lane, their opposites, and the magnitudes they are stretched to.
#[derive(Clone, Debug)]
struct Input {
    values: [Vec<Words>; 3],
    negatives: [Vec<Words>; 3],
    magnitudes: [u64; 3],
}

impl Input {
    fn new(random: &mut StdRng, lanes: usize) -> Self {
        let values = [(); 3].map(|()| (0..lanes).map(|_| biased(random)).collect::<Vec<_>>());
        let negatives = values.clone().map(|plane| plane.iter().map(negated).collect());
        let mut magnitudes = [(); 3].map(|()| random.random_range(1..9));
        if random.random_range(0..4) == 0 {
            magnitudes[2] = 30;
        }
        Input { values, negatives, magnitudes }
    }

    fn lane(&self, lane: usize) -> Self {
        let cut = |planes: &[Vec<Words>; 3]| planes.clone().map(|plane| vec![plane[lane]]);
        Input { values: cut(&self.values), negatives: cut(&self.negatives), ..*self }
    }
}

/// Results of [`Operations`].
const RESULTS: usize = 13;

/// Every operation once, on one input.
struct Operations<'a, V>(&'a Input, std::marker::PhantomData<V>);

impl<V: FieldVec> Stage for Operations<'_, V> {
    type Out = ([V; RESULTS], [V::Mask; 3]);

    #[inline(always)]
    fn run(self) -> Self::Out {
        let Input { values, negatives, magnitudes } = self.0;
        let [m, n, o] = *magnitudes;
        let a: V = stretched(&values[0], &negatives[0], m);
        let b: V = stretched(&values[1], &negatives[1], n);
        let c: V = stretched(&values[2], &negatives[2], o);
        let (u, v) = (a.carry(), b.carry());
        let odd = a.normalize().is_odd();
        // Magnitude 3 (1 / 2 + 1) is a factor still.
        let halves = V::load(&values[0]).half().times(3).carry();
        let sum = u.mul_add(v, a.negate(8).negate(9));
        (
            [
                u.mul(v),
                u.square(),
                u.mul_add(v, c),
                u.square_add(c),
                u.half(),
                a.add(b),
                a.negate(8),
                a.times(3),
                V::select(odd, a, b),
                a.normalize(),
                u,
                // A sum that is fresh as it comes, times one that had to be carried.
                u.mul_add(v, V::load(&values[2]).negate(1)).mul(halves),
                sum.normalize(),
            ],
            [a.is_zero(), a.add(a.negate(8)).is_zero(), odd],
        )
    }
}

/// The same results by big integers, of one lane.
fn expected(input: &Input) -> ([Words; RESULTS], [bool; 3]) {
    let p = prime();
    let [x, y, z] = [0, 1, 2].map(|i| referee(&input.values[i][0]));
    let half = |value: &BigUint| value * ((&p + 1u8) >> 1);
    let odd = input.values[0][0][0] & 1 == 1;
    let results = [
        &x * &y,
        &x * &x,
        &x * &y + &z,
        &x * &x + &z,
        half(&x),
        &x + &y,
        &p - &x,
        &x * 3u8,
        if odd { x.clone() } else { y.clone() },
        x.clone(),
        x.clone(),
        (&x * &y + &p - &z) * half(&x) * 3u8,
        &x * &y + &x,
    ];
    (results.each_ref().map(words), [x == BigUint::ZERO, true, odd])
}

/// How many operations on biased operands each level does: `SIGMILL_FIELD_OPERATIONS`.
fn operations() -> usize {
    match std::env::var("SIGMILL_FIELD_OPERATIONS") {
        Ok(count) => count.parse().expect("SIGMILL_FIELD_OPERATIONS is a number"),
        Err(_) => 1_000_000,
    }
}

struct Agree;

impl Kernel for Agree {
    type Out = ();

    fn run<V: FieldVec>(self) {
        let mut random = StdRng::seed_from_u64(3);
        for round in 0..operations().div_ceil(RESULTS * V::LANES) {
            let input = Input::new(&mut random, V::LANES);
            let (results, masks) = V::enter(Operations::<V>(&input, std::marker::PhantomData));
            let results = results.map(stored);
            for lane in 0..V::LANES {
                let lane_input = input.lane(lane);
                let by_lane = (
                    results.each_ref().map(|result| result[lane]),
                    masks.each_ref().map(|mask| mask.lane(lane)),
                );
                let stage = Operations::<Scalar5x52>(&lane_input, std::marker::PhantomData);
                let (portable, bits) = Scalar5x52::enter(stage);
                let portable = portable.map(|value| stored(value)[0]);
                assert_eq!(by_lane, (portable, bits), "lane {lane}: {lane_input:x?}");
                if round < 500 || round % 64 == 0 {
                    assert_eq!(by_lane, expected(&lane_input), "lane {lane}: {lane_input:x?}");
                }
            }
        }
    }
}

#[test]
fn operations_agree_with_big_integers_and_the_portable_level() {
    for isa in Isa::all() {
        isa.run(Agree);
    }
}

struct Moves;

impl Kernel for Moves {
    type Out = ();

    fn run<V: FieldVec>(self) {
        let mut random = StdRng::seed_from_u64(5);
        let rows: Vec<_> =
            (0..64).map(|_| Row([biased(&mut random), biased(&mut random)])).collect();
        for _ in 0..200 {
            let at: Vec<_> = (0..V::LANES).map(|_| random.random_range(0..64)).collect();
            let [x, y] = V::gather(|lane| &rows[at[lane]]);
            for (lane, (x, y)) in stored(x).into_iter().zip(stored(y)).enumerate() {
                assert_eq!(Row([x, y]), rows[at[lane]]);
            }
            let mut seen = Vec::new();
            V::scatter([x.normalize(), y.normalize()], |lane, row| seen.push((lane, row)));
            let wanted: Vec<_> = at.iter().map(|&i| rows[i]).enumerate().collect();
            assert_eq!(seen, wanted);
            let xs: Vec<_> = at.iter().map(|&i| rows[i].0[0]).collect();
            assert_eq!(stored(V::load(&xs)), xs);
            assert_eq!(stored(V::splat(&xs[0])), vec![xs[0]; V::LANES]);
        }
        let all = u32::MAX >> (32 - V::LANES);
        for bits in 0..1 << V::LANES {
            let mask = V::Mask::from_bits(bits | !all);
            assert_eq!(mask.bits(), bits);
            assert_eq!(mask.not().bits(), !bits & all);
            assert_eq!(mask.any(), bits != 0);
            assert_eq!(mask.and(V::Mask::from_bits(5)).bits(), bits & 5 & all);
            assert_eq!(mask.or(V::Mask::from_bits(5)).bits(), (bits | 5) & all);
            let chosen = V::select(mask, V::splat(&[1, 0, 0, 0]), V::splat(&[0; 4]));
            assert_eq!(chosen.is_zero().bits(), !bits & all);
            assert_eq!(chosen.is_odd().bits(), bits);
        }
    }
}

#[test]
fn elements_and_masks_move_in_and_out() {
    for isa in Isa::all() {
        isa.run(Moves);
    }
}

struct Roots;

impl Kernel for Roots {
    type Out = ();

    fn run<V: FieldVec>(self) {
        let mut random = StdRng::seed_from_u64(4);
        let one = [1, 0, 0, 0];
        // Zeros at both ends, in the middle, in some lanes and in all, disturb nobody.
        let vectors = 65;
        let mut planes: Vec<Vec<Words>> = Vec::new();
        for i in 0..vectors {
            let mut plane: Vec<_> = (0..V::LANES).map(|_| biased(&mut random)).collect();
            match i {
                0 | 40 => plane.fill([0; 4]),
                64 => plane[0] = [0; 4],
                _ => {}
            }
            planes.push(plane);
        }
        let values: Vec<V> = planes.iter().map(|plane| V::load(plane)).collect();
        let mut inverses = values.clone();
        invert_all(&mut inverses, &mut Vec::new());
        for ((plane, value), inverse) in planes.iter().zip(&values).zip(&inverses) {
            assert_eq!(stored(*inverse), stored(invert(*value)));
            for (product, a) in stored(value.mul(*inverse)).into_iter().zip(plane) {
                assert_eq!(product, if *a == [0; 4] { [0; 4] } else { one });
            }
        }
        let mut exist = Vec::new();
        let mut roots: Vec<V> = values.iter().map(|value| value.square()).collect();
        sqrt_all(&mut roots, &mut exist);
        for ((plane, root), exists) in planes.iter().zip(&roots).zip(&exist) {
            assert!(!exists.not().any());
            let (plus, minus) = (stored(*root), stored(root.negate(1)));
            for (lane, a) in plane.iter().enumerate() {
                assert!(plus[lane] == *a || minus[lane] == *a);
            }
        }
        // -1 is no square mod p.
        let mut roots: Vec<V> = values.iter().map(|v| v.square().negate(1).normalize()).collect();
        sqrt_all(&mut roots, &mut exist);
        for (plane, exists) in planes.iter().zip(&exist) {
            for (lane, a) in plane.iter().enumerate() {
                assert_eq!(exists.lane(lane), *a == [0; 4]);
            }
        }
    }
}

#[test]
fn roots_and_inverses() {
    for isa in Isa::all() {
        isa.run(Roots);
    }
}

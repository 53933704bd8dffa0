//! The field of p = 2^256 - 2^32 - 977 over a vector of lanes.
//!
//! A level supplies [`FieldVec`] for its vector; roots, inverses and everything above are written
//! once, here and in the files beside.

use crate::algorithms::secp256k1::integer::P;
use crate::algorithms::secp256k1::inverse::Modulus;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::twin::Twin;
use crate::parsed::Words;

/// One truth value a lane.
pub trait MaskVec: Copy + 'static {
    /// Lane i holds where bit i is set; bits past the last lane are dropped.
    fn from_bits(bits: u32) -> Self;
    /// Bit i is set where lane i holds.
    fn bits(self) -> u32;

    /// The highest bit of each word.
    #[inline(always)]
    fn from_signs(words: &[u32; LANES]) -> Self {
        Self::from_bits((0..LANES).fold(0, |bits, lane| bits | words[lane] >> 31 << lane))
    }

    /// The same value in every lane.
    #[inline(always)]
    fn splat(value: bool) -> Self {
        Self::from_bits(if value { u32::MAX } else { 0 })
    }

    /// `value(lane)` in each lane.
    #[inline(always)]
    fn from_fn(lanes: usize, mut value: impl FnMut(usize) -> bool) -> Self {
        Self::from_bits((0..lanes).fold(0, |bits, lane| bits | u32::from(value(lane)) << lane))
    }

    /// The value in one lane.
    #[inline(always)]
    fn lane(self, lane: usize) -> bool {
        self.bits() >> lane & 1 == 1
    }

    /// Whether any lane holds.
    #[inline(always)]
    fn any(self) -> bool {
        self.bits() != 0
    }

    /// Both.
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self::from_bits(self.bits() & other.bits())
    }

    /// Either.
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self::from_bits(self.bits() | other.bits())
    }

    /// The opposite.
    #[inline(always)]
    fn not(self) -> Self {
        Self::from_bits(!self.bits())
    }
}

/// The truth values of vectors without a type for them, lane 0 in the lowest bit.
#[derive(Clone, Copy, Debug)]
pub struct Bits<const LANES: usize>(u8);

impl<const LANES: usize> MaskVec for Bits<LANES> {
    #[inline(always)]
    fn from_bits(bits: u32) -> Self {
        Bits((bits & ((1 << LANES) - 1)) as u8)
    }

    #[inline(always)]
    fn bits(self) -> u32 {
        self.0.into()
    }
}

/// An affine point packed for a table, x and y: a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Row(pub [Words; 2]);

/// Work that a level compiles as a function of its own.
pub trait Stage {
    /// What it gives.
    type Out;

    /// Runs it. Implementations are `#[inline(always)]`: the function around them is the one that is
    /// compiled for the level.
    fn run(self) -> Self::Out;
}

/// Most lanes of a vector.
pub const LANES: usize = 16;

/// One field element a lane.
///
/// # Correctness
/// A value has a magnitude m: it is a sum of at most m products. [`add`](Self::add) sums
/// magnitudes; [`negate`](Self::negate) takes a bound m and returns m + 1. What a magnitude means
/// for the limbs is each level's own.
///
/// Factors are fresh and of magnitude up to 8. Fresh are loads and the results of products,
/// [`normalize`](Self::normalize), all of magnitude 1, and of [`carry`](Self::carry), which a sum
/// goes through before it becomes a factor.
pub trait FieldVec: Copy + Send + Sync + 'static {
    /// Number of lanes.
    const LANES: usize;
    /// One truth value a lane.
    type Mask: MaskVec;

    /// The same element in every lane. `words` lies below p.
    fn splat(words: &Words) -> Self;
    /// One element a lane; `words` has [`Self::LANES`] entries below p.
    fn load(words: &[Words]) -> Self;
    /// The elements, below p.
    fn store(self, out: &mut [Words]);
    /// x and y of one row a lane.
    fn gather<'a>(row: impl Fn(usize) -> &'a Row) -> [Self; 2];
    /// x of one row a lane.
    fn gather_x<'a>(row: impl Fn(usize) -> &'a Row) -> Self;
    /// Asks for a row that will be gathered soon.
    #[inline(always)]
    fn prefetch(_row: &Row) {}
    /// Packs normalized x and y and puts one row a lane.
    fn scatter(point: [Self; 2], put: impl FnMut(usize, Row));
    /// Runs a stage as a function compiled for this level.
    fn enter<S: Stage>(stage: S) -> S::Out;

    /// a + b.
    fn add(self, other: Self) -> Self;
    /// -a, where a has at most this magnitude (up to 31).
    fn negate(self, magnitude: u64) -> Self;
    /// k a, for small k: multiplies the magnitude.
    fn times(self, k: u64) -> Self;
    /// a / 2 for a fresh a: magnitude m becomes m / 2 + 1.
    fn half(self) -> Self;
    /// a, fresh, for a of magnitude up to 8; levels whose products take sums leave it as it is.
    fn carry(self) -> Self;
    /// A fresh a, of magnitude 1.
    fn settle(self) -> Self;
    /// a b.
    fn mul(self, other: Self) -> Self;
    /// a b + c, fresh, of a magnitude up to that of c plus 1.
    fn mul_add(self, other: Self, addend: Self) -> Self;
    /// a^2.
    fn square(self) -> Self;
    /// a^2 + c, fresh, of a magnitude up to that of c plus 1.
    fn square_add(self, addend: Self) -> Self;
    /// The representative below p.
    fn normalize(self) -> Self;
    /// Whether a = 0.
    fn is_zero(self) -> Self::Mask;
    /// Whether the representative below p is odd; `self` is normalized.
    fn is_odd(self) -> Self::Mask;
    /// a where the mask holds, else b; of the larger magnitude.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;
}

/// a^(2^n).
#[inline(always)]
fn square_times<V: FieldVec>(mut a: V, n: usize) -> V {
    for _ in 0..n {
        a = a.square();
    }
    a
}

/// a^(2^2 - 1), a^(2^22 - 1) and a^(2^223 - 1): the exponent below has long runs of ones, since
/// p = 2^256 - 2^32 - 977.
#[inline(always)]
fn powers<V: FieldVec>(a: V) -> (V, V, V) {
    let x2 = square_times(a, 1).mul(a);
    let x3 = square_times(x2, 1).mul(a);
    let x6 = square_times(x3, 3).mul(x3);
    let x9 = square_times(x6, 3).mul(x3);
    let x11 = square_times(x9, 2).mul(x2);
    let x22 = square_times(x11, 11).mul(x11);
    let x44 = square_times(x22, 22).mul(x22);
    let x88 = square_times(x44, 44).mul(x44);
    let x176 = square_times(x88, 88).mul(x88);
    let x220 = square_times(x176, 44).mul(x44);
    let x223 = square_times(x220, 3).mul(x3);
    (x2, x22, x223)
}

/// 1/a in every lane, and 0 for 0, by one inversion for all lanes: on words, where division steps
/// take a third of the time of a power.
#[inline(always)]
pub fn invert<V: FieldVec>(a: V) -> V {
    let mut words = [[0; 4]; LANES];
    a.store(&mut words[..V::LANES]);
    invert_words(&mut words[..V::LANES]);
    V::load(&words[..V::LANES])
}

/// Inverts words below p, at most [`LANES`] of them.
fn invert_words(words: &mut [Words]) {
    static PRIME: Modulus = Modulus::new(&P);
    let one = Scalar5x52::splat(&[1, 0, 0, 0]);
    let mut prefixes = [one; LANES];
    let mut total = one;
    for (word, prefix) in words.iter().zip(&mut prefixes) {
        *prefix = total;
        if *word != [0; 4] {
            total = total.mul(Scalar5x52::splat(word));
        }
    }
    let mut product = [[0; 4]];
    total.store(&mut product);
    let mut inverse = Scalar5x52::splat(&PRIME.invert(&product[0]));
    for (word, prefix) in words.iter_mut().zip(&prefixes).rev() {
        if *word != [0; 4] {
            let value = Scalar5x52::splat(word);
            inverse.mul(*prefix).store(std::slice::from_mut(word));
            inverse = inverse.mul(value);
        }
    }
}

/// a^((p + 1) / 4) in place of each a, and whether its square is a: p = 3 mod 4, so that one of a and
/// -a has this root. 253 squarings and 13 products. Each `a` is fresh, of magnitude 1.
#[inline(always)]
pub fn sqrt_all<V: FieldVec>(values: &mut [V], exist: &mut Vec<V::Mask>) {
    exist.clear();
    let (pairs, rest) = values.as_chunks_mut::<2>();
    for [a, b] in pairs {
        let (root, exists) = V::enter(Sqrt(Twin(*a, *b)));
        (*a, *b) = (root.0, root.1);
        exist.extend([exists.0, exists.1]);
    }
    for a in rest {
        let (root, exists) = sqrt(*a);
        *a = root;
        exist.push(exists);
    }
}

/// [`sqrt_all`] of one.
pub fn sqrt<V: FieldVec>(a: V) -> (V, V::Mask) {
    V::enter(Sqrt(a))
}

struct Sqrt<V>(V);

impl<V: FieldVec> Stage for Sqrt<V> {
    type Out = (V, V::Mask);

    #[inline(always)]
    fn run(self) -> (V, V::Mask) {
        let Sqrt(a) = self;
        let (x2, x22, x223) = powers(a);
        // (p + 1) / 4 = (2^223 - 1) 2^31 + (2^22 - 1) 2^8 + 12
        let t = square_times(x223, 23).mul(x22);
        let t = square_times(t, 6).mul(x2);
        let root = square_times(t, 2);
        (root, root.square_add(a.negate(1)).is_zero())
    }
}

/// Writes the product of all values before each, and returns that of all.
#[inline(always)]
pub(crate) fn products<V: FieldVec>(values: &[V], prefixes: &mut Vec<V>) -> V {
    let mut product = V::splat(&[1, 0, 0, 0]);
    prefixes.clear();
    for value in values {
        prefixes.push(product);
        product = product.mul(*value);
    }
    product
}

/// From the products before each and the inverse of that of all to the inverse of each.
#[inline(always)]
pub(crate) fn unwind<V: FieldVec>(values: &mut [V], prefixes: &[V], mut inverse: V) {
    for (value, prefix) in values.iter_mut().zip(prefixes).rev() {
        let this = inverse.mul(*prefix);
        inverse = inverse.mul(*value);
        *value = this;
    }
}

/// Inverts every element of every lane with one inversion (Montgomery's trick: three products
/// each). Zeros stay zero and disturb nobody. Elements are fresh, of magnitude up to 8; results have
/// magnitude 1.
#[inline(always)]
pub fn invert_all<V: FieldVec>(values: &mut [V], prefixes: &mut Vec<V>) {
    let one = V::splat(&[1, 0, 0, 0]);
    let mut total = products(values, prefixes);
    let mut zeros = Vec::new();
    if total.is_zero().any() {
        // One zero would turn the whole product to zero: ones stand in.
        for value in values.iter_mut() {
            let zero = value.is_zero();
            zeros.push(zero);
            *value = V::select(zero, one, *value);
        }
        total = products(values, prefixes);
    }
    unwind(values, prefixes, invert(total));
    for (value, zero) in values.iter_mut().zip(&zeros) {
        *value = V::select(*zero, V::splat(&[0; 4]), *value);
    }
}

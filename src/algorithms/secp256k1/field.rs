//! The field of p = 2^256 - 2^32 - 977 over a vector of lanes.
//!
//! A level supplies [`FieldVec`] for its vector; roots, inverses and everything above are written
//! once, here and in the files beside.

use crate::parsed::Words;

/// One truth value a lane.
pub trait MaskVec: Copy {
    /// The same value in every lane.
    fn splat(value: bool) -> Self;
    /// `value(lane)` in each lane.
    fn from_fn(value: impl FnMut(usize) -> bool) -> Self;
    /// The value in one lane.
    fn lane(self, lane: usize) -> bool;
    /// Whether any lane holds.
    fn any(self) -> bool;
    /// Both.
    fn and(self, other: Self) -> Self;
    /// Either.
    fn or(self, other: Self) -> Self;
    /// The opposite.
    fn not(self) -> Self;
}

/// One field element a lane.
///
/// # Correctness
/// A value has a magnitude m: it is a sum of at most m products. [`mul`](Self::mul) and
/// [`square`](Self::square) take magnitudes up to 8 and return 1, as do loads and
/// [`normalize`](Self::normalize); [`add`](Self::add) sums magnitudes; [`negate`](Self::negate)
/// takes a bound m and returns m + 1. What a magnitude means for the limbs is each level's own.
pub trait FieldVec: Copy + Send + Sync {
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
    /// Picks an affine point a lane out of the lane's own table: entry `rows[lane]`.
    fn pick(table: &[[Self; 2]], rows: &[usize]) -> [Self; 2];
    /// Picks an affine point a lane out of one table for all, packed as x and y.
    fn gather(table: &[[Words; 2]], rows: &[usize]) -> [Self; 2];

    /// a + b.
    fn add(self, other: Self) -> Self;
    /// -a, where a has at most this magnitude (up to 31).
    fn negate(self, magnitude: u64) -> Self;
    /// k a, for small k: multiplies the magnitude.
    fn times(self, k: u64) -> Self;
    /// a / 2: magnitude m becomes m / 2 + 1.
    fn half(self) -> Self;
    /// a b.
    fn mul(self, other: Self) -> Self;
    /// a^2.
    fn square(self) -> Self;
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

/// a^(2^2 - 1), a^(2^22 - 1) and a^(2^223 - 1), which both exponents below share. All have long
/// runs of ones: p = 2^256 - 2^32 - 977.
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

/// a^(p - 2): 1/a, and 0 for 0. 255 squarings and 15 products.
#[inline(never)]
pub fn invert<V: FieldVec>(a: V) -> V {
    let (x2, x22, x223) = powers(a);
    // p - 2 = (2^223 - 1) 2^33 + (2^22 - 1) 2^10 + 45
    let t = square_times(x223, 23).mul(x22);
    let t = square_times(t, 5).mul(a);
    let t = square_times(t, 3).mul(x2);
    square_times(t, 2).mul(a)
}

/// a^((p + 1) / 4), and whether its square is a: p = 3 mod 4, so that one of a and -a has this
/// root. 253 squarings and 13 products. `a` has magnitude 1.
#[inline(never)]
pub fn sqrt<V: FieldVec>(a: V) -> (V, V::Mask) {
    let (x2, x22, x223) = powers(a);
    // (p + 1) / 4 = (2^223 - 1) 2^31 + (2^22 - 1) 2^8 + 12
    let t = square_times(x223, 23).mul(x22);
    let t = square_times(t, 6).mul(x2);
    let root = square_times(t, 2);
    (root, root.square().add(a.negate(1)).is_zero())
}

/// Inverts every element of every lane with one inversion (Montgomery's trick: three products
/// each). Zeros stay zero and disturb nobody. Elements have magnitude up to 8; results have 1.
pub fn invert_all<V: FieldVec>(values: &mut [V], prefixes: &mut Vec<V>) {
    let one = V::splat(&[1, 0, 0, 0]);
    let product = |values: &[V], prefixes: &mut Vec<V>| {
        prefixes.clear();
        values.iter().fold(one, |product, value| {
            prefixes.push(product);
            product.mul(*value)
        })
    };
    let mut total = product(values, prefixes);
    let mut zeros = Vec::new();
    if total.is_zero().any() {
        // One zero would turn the whole product to zero: ones stand in.
        zeros.extend(values.iter().map(|value| value.is_zero()));
        for (value, zero) in values.iter_mut().zip(&zeros) {
            *value = V::select(*zero, one, *value);
        }
        total = product(values, prefixes);
    }
    let mut inverse = invert(total);
    for (value, prefix) in values.iter_mut().zip(prefixes.iter()).rev() {
        let this = inverse.mul(*prefix);
        inverse = inverse.mul(*value);
        *value = this;
    }
    for (value, zero) in values.iter_mut().zip(&zeros) {
        *value = V::select(*zero, V::splat(&[0; 4]), *value);
    }
}

//! The field of p = 2^256 - 2^32 - 977 over a vector of lanes.
//!
//! A level supplies [`FieldVec`] for its vector; roots, inverses and everything above are written
//! once, in the files beside.

use crate::algorithms::secp256k1::inversion;
use crate::algorithms::secp256k1::order::OrderVec;
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

    /// The first lanes.
    #[inline(always)]
    fn first(lanes: usize) -> Self {
        Self::from_bits((1u32 << lanes) - 1)
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
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

/// Chains of [`FieldVec::products`]: more than the latency of a product times the ports that take one.
pub const CHAINS: usize = 16;

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
    /// Instructions with an integer product in [`mul`](Self::mul) and in [`square`](Self::square).
    const PRODUCTS: [u32; 2];
    /// One truth value a lane.
    type Mask: MaskVec;
    /// Numbers mod n beside it, of a number of lanes of their own.
    type Order: OrderVec;

    /// The same element in every lane. `words` lies below p.
    fn splat(words: &Words) -> Self;
    /// One element a lane; `words` has [`Self::LANES`] entries below p.
    fn load(words: &[Words]) -> Self;
    /// Nothing but such instructions, [`CHAINS`] a round, each feeding itself alone; no element of the field.
    fn products(rounds: usize) -> Self;
    /// The elements, below p.
    fn store(self, out: &mut [Words]);
    /// One element a lane, each below p, from where it lies.
    #[inline(always)]
    fn pick<'a>(words: impl Fn(usize) -> &'a Words) -> Self {
        let mut all = [[0; 4]; LANES];
        all[..Self::LANES].iter_mut().enumerate().for_each(|(lane, all)| *all = *words(lane));
        Self::load(&all[..Self::LANES])
    }
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
    /// 1/a, and 0 for 0.
    #[inline(always)]
    fn invert(self) -> Self {
        inversion::invert_lanes(self)
    }
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

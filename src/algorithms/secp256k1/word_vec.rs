//! Vectors of 64-bit words: what a level without a wide multiplier supplies.

use crate::algorithms::secp256k1::field::{MaskVec, Stage};
use crate::parsed::Words;

/// A vector of 64-bit words, one a lane.
pub trait WordVec: Copy + Send + Sync + 'static {
    /// Number of lanes.
    const LANES: usize;
    /// One truth value a lane.
    type Mask: MaskVec;

    /// Runs a stage as a function compiled for this level.
    fn enter<S: Stage>(stage: S) -> S::Out;
    /// The same word in every lane.
    fn set(word: u64) -> Self;
    /// Word k of each lane's four, as vector k.
    fn read<'a>(lane: impl Fn(usize) -> &'a Words) -> [Self; 4];
    /// The reverse of [`read`](Self::read); `out` has an entry a lane.
    fn write(planes: [Self; 4], out: &mut [Words]);
    /// a + b mod 2^64.
    fn add(self, other: Self) -> Self;
    /// a - b mod 2^64.
    fn sub(self, other: Self) -> Self;
    /// Both bits.
    fn and(self, other: Self) -> Self;
    /// Either bit.
    fn or(self, other: Self) -> Self;
    /// Different bits.
    fn xor(self, other: Self) -> Self;
    /// a 2^BITS mod 2^64.
    fn shl<const BITS: i32>(self) -> Self;
    /// a / 2^BITS, rounded down.
    fn shr<const BITS: i32>(self) -> Self;
    /// The sum of `self` and the product of the low halves of a and b.
    fn plus_mul(self, a: Self, b: Self) -> Self;
    /// The lanes that are zero.
    fn zeros(self) -> Self::Mask;
    /// a where the mask holds, else b.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;
}

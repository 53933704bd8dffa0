//! Two vectors as one of twice the lanes: in a chain of products, each waiting for the one before,
//! two chains side by side take little longer than one.

use crate::algorithms::secp256k1::field::{FieldVec, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::inversion;
use crate::parsed::Words;

/// The lanes of the first vector, then those of the second.
#[derive(Clone, Copy, Debug)]
pub struct Twin<V>(pub V, pub V);

/// The truth values of both.
#[derive(Clone, Copy, Debug)]
pub struct TwinMask<V: FieldVec>(pub V::Mask, pub V::Mask);

impl<V: FieldVec> MaskVec for TwinMask<V> {
    #[inline(always)]
    fn from_bits(bits: u32) -> Self {
        TwinMask(V::Mask::from_bits(bits), V::Mask::from_bits(bits >> V::LANES))
    }

    #[inline(always)]
    fn bits(self) -> u32 {
        self.0.bits() | self.1.bits() << V::LANES
    }
}

impl<V: FieldVec> FieldVec for Twin<V> {
    const LANES: usize = 2 * V::LANES;
    const PRODUCTS: [u32; 2] = [2 * V::PRODUCTS[0], 2 * V::PRODUCTS[1]];
    type Mask = TwinMask<V>;
    type Order = V::Order;

    #[inline(always)]
    fn splat(words: &Words) -> Self {
        let v = V::splat(words);
        Twin(v, v)
    }

    #[inline(always)]
    fn load(words: &[Words]) -> Self {
        Twin(V::load(&words[..V::LANES]), V::load(&words[V::LANES..]))
    }

    #[inline(always)]
    fn products(rounds: usize) -> Self {
        Twin(V::products(rounds), V::products(rounds))
    }

    #[inline(always)]
    fn store(self, out: &mut [Words]) {
        let (first, second) = out.split_at_mut(V::LANES);
        self.0.store(first);
        self.1.store(second);
    }

    #[inline(always)]
    fn gather<'a>(row: impl Fn(usize) -> &'a Row) -> [Self; 2] {
        let [x0, y0] = V::gather(&row);
        let [x1, y1] = V::gather(|lane| row(V::LANES + lane));
        [Twin(x0, x1), Twin(y0, y1)]
    }

    #[inline(always)]
    fn gather_x<'a>(row: impl Fn(usize) -> &'a Row) -> Self {
        Twin(V::gather_x(&row), V::gather_x(|lane| row(V::LANES + lane)))
    }

    #[inline(always)]
    fn prefetch(row: &Row) {
        V::prefetch(row);
    }

    #[inline(always)]
    fn scatter([x, y]: [Self; 2], mut put: impl FnMut(usize, Row)) {
        V::scatter([x.0, y.0], &mut put);
        V::scatter([x.1, y.1], |lane, row| put(V::LANES + lane, row));
    }

    #[inline(always)]
    fn enter<S: Stage>(stage: S) -> S::Out {
        V::enter(stage)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Twin(self.0.add(other.0), self.1.add(other.1))
    }

    #[inline(always)]
    fn negate(self, magnitude: u64) -> Self {
        Twin(self.0.negate(magnitude), self.1.negate(magnitude))
    }

    #[inline(always)]
    fn times(self, k: u64) -> Self {
        Twin(self.0.times(k), self.1.times(k))
    }

    #[inline(always)]
    fn half(self) -> Self {
        Twin(self.0.half(), self.1.half())
    }

    #[inline(always)]
    fn carry(self) -> Self {
        Twin(self.0.carry(), self.1.carry())
    }

    #[inline(always)]
    fn settle(self) -> Self {
        Twin(self.0.settle(), self.1.settle())
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Twin(self.0.mul(other.0), self.1.mul(other.1))
    }

    #[inline(always)]
    fn mul_add(self, other: Self, addend: Self) -> Self {
        Twin(self.0.mul_add(other.0, addend.0), self.1.mul_add(other.1, addend.1))
    }

    #[inline(always)]
    fn invert(self) -> Self {
        let product = self.0.mul(self.1);
        if product.is_zero().any() {
            return inversion::invert_lanes(self);
        }
        let inverse = product.invert();
        Twin(inverse.mul(self.1), inverse.mul(self.0))
    }

    #[inline(always)]
    fn square(self) -> Self {
        Twin(self.0.square(), self.1.square())
    }

    #[inline(always)]
    fn square_add(self, addend: Self) -> Self {
        Twin(self.0.square_add(addend.0), self.1.square_add(addend.1))
    }

    #[inline(always)]
    fn normalize(self) -> Self {
        Twin(self.0.normalize(), self.1.normalize())
    }

    #[inline(always)]
    fn is_zero(self) -> Self::Mask {
        TwinMask(self.0.is_zero(), self.1.is_zero())
    }

    #[inline(always)]
    fn is_odd(self) -> Self::Mask {
        TwinMask(self.0.is_odd(), self.1.is_odd())
    }

    #[inline(always)]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        Twin(V::select(mask.0, a.0, b.0), V::select(mask.1, a.1, b.1))
    }
}

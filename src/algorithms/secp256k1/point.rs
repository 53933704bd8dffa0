//! Points: affine and Jacobian (x = X / Z^2, y = Y / Z^3), over a vector of lanes.
//!
//! Magnitudes, kept by every formula: affine x 1, y at most 2; Jacobian X at most 5, Y at most 3,
//! Z 1.

use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec};
use crate::algorithms::secp256k1::integer::{P, is_below};
use crate::algorithms::secp256k1::inversion::invert;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::parsed::Words;
use crate::verdict::Point;

/// An affine point a lane; never infinity.
#[derive(Clone, Copy, Debug)]
pub struct Affine<V> {
    /// x.
    pub x: V,
    /// y.
    pub y: V,
}

/// A Jacobian point a lane; infinity where Z = 0.
#[derive(Clone, Copy, Debug)]
pub struct Jacobian<V> {
    /// X.
    pub x: V,
    /// Y.
    pub y: V,
    /// Z.
    pub z: V,
}

impl<V: FieldVec> Affine<V> {
    /// y^2 of the points with this x: x^3 + 7, of magnitude 1.
    #[inline(always)]
    pub fn square_of_y(x: V) -> V {
        x.square().mul_add(x, V::splat(&[7, 0, 0, 0])).normalize()
    }

    /// Of the two y with the same square, of which one is given, that of the given parity.
    #[inline(always)]
    pub fn with_parity(y: V, odd: V::Mask) -> V {
        let y = y.normalize();
        let same = y.is_odd().and(odd).or(y.is_odd().not().and(odd.not()));
        V::select(same, y, y.negate(1)).normalize()
    }

    /// -P where the mask holds. y has magnitude 1 on input.
    #[inline(always)]
    pub fn negate_where(self, mask: V::Mask) -> Self {
        Affine { x: self.x, y: V::select(mask, self.y.negate(1), self.y).carry() }
    }

    /// The same point with Z = 1.
    #[inline(always)]
    pub fn to_jacobian(self) -> Jacobian<V> {
        Jacobian { x: self.x, y: self.y, z: V::splat(&[1, 0, 0, 0]) }
    }
}

impl<V: FieldVec> Jacobian<V> {
    /// 2 P. Z = 0 stays.
    ///
    /// With the tangent's slope halved, L = 3/2 X^2, S = Y^2, T = X S (for a = 0):
    /// X3 = L^2 - 2 T, Y3 = L (T - X3) - S^2, Z3 = Y Z. 3 products and 4 squarings.
    #[inline(always)]
    pub fn double(self) -> Self {
        let xx = self.x.square();
        let s = self.y.square();
        let z = self.y.mul(self.z);
        let l = xx.half().times(3).carry();
        let t = self.x.mul(s);
        let ss = s.square();
        let x = l.square_add(t.times(2).negate(2));
        let y = l.mul_add(t.add(x.negate(4)).carry(), ss.negate(1));
        Jacobian { x, y, z }
    }

    /// P + A for an affine A with P != A and P != -A; otherwise, or where P is infinity, Z3 = 0, and
    /// Z stays 0 through whatever follows.
    ///
    /// madd-2004-hmv (EFD): H = x2 Z1^2 - X1, R = y2 Z1^3 - Y1, V = X1 H^2, X3 = R^2 - H^3 - 2 V,
    /// Y3 = R (V - X3) - Y1 H^3, Z3 = Z1 H. 8 products and 3 squarings.
    #[inline(always)]
    pub fn add_affine(self, a: Affine<V>) -> Self {
        let zz = self.z.square();
        let zzz = zz.mul(self.z);
        let h = a.x.mul_add(zz, self.x.negate(5));
        let r = a.y.mul_add(zzz, self.y.negate(3));
        let hh = h.square();
        let z = self.z.mul(h);
        let hhh = h.mul(hh);
        let v = self.x.mul(hh);
        let x = r.square_add(hhh.add(v.times(2)).negate(3));
        let w = self.y.mul(hhh).negate(1);
        let y = r.mul_add(v.add(x.negate(5)).carry(), w);
        Jacobian { x, y, z }
    }

    /// Whether the affine x is `x`, without an inversion: X = x Z^2. Not for Z = 0.
    #[inline(always)]
    pub fn has_x(self, x: V) -> V::Mask {
        x.mul_add(self.z.square(), self.x.negate(5)).is_zero()
    }

    /// The point as evidence, one a lane.
    #[inline(always)]
    pub fn store(self, out: &mut [Point]) {
        let mut words = [[0; 4]; LANES];
        let mut write = |v: V, put: fn(&mut Point, Words)| {
            v.store(&mut words[..V::LANES]);
            out.iter_mut().zip(words).for_each(|(point, words)| put(point, words));
        };
        write(self.x, |point, x| point.x = x);
        write(self.y, |point, y| point.y = y);
        write(self.z, |point, z| point.z = z);
    }
}

/// One lane.
pub type OneLane = Jacobian<Scalar5x52>;

impl OneLane {
    /// The neutral element.
    pub fn infinity() -> Self {
        let [one, zero] = [[1, 0, 0, 0], [0; 4]].map(|words| Scalar5x52::splat(&words));
        Jacobian { x: one, y: one, z: zero }
    }

    /// Reads evidence whose coordinates lie below p.
    pub fn load(point: &Point) -> Self {
        let [x, y, z] = [point.x, point.y, point.z].map(|words| Scalar5x52::splat(&words));
        Jacobian { x, y, z }
    }

    /// P + A, for any P and A.
    pub fn add_complete(self, a: Affine<Scalar5x52>) -> Self {
        if self.z.is_zero() {
            return a.to_jacobian();
        }
        let sum = self.add_affine(a);
        if !sum.z.is_zero() {
            return sum;
        }
        // x agrees: the same point, or its opposite.
        let y = a.y.mul(self.z.square().mul(self.z));
        if y.add(self.y.negate(3)).is_zero() { self.double() } else { Self::infinity() }
    }

    /// Whether both are the same point, without an inversion.
    pub fn is(self, other: Self) -> bool {
        let (a, b) = (self, other);
        if a.z.is_zero() || b.z.is_zero() {
            return a.z.is_zero() && b.z.is_zero();
        }
        let (aa, bb) = (a.z.square(), b.z.square());
        let x = a.x.mul(bb).add(b.x.mul(aa).negate(1));
        let y = a.y.mul(bb.mul(b.z)).add(b.y.mul(aa.mul(a.z)).negate(1));
        x.is_zero() && y.is_zero()
    }

    /// x and y below p; `None` for infinity.
    pub fn to_affine(self) -> Option<[Words; 2]> {
        if self.z.is_zero() {
            return None;
        }
        let inverse = invert(self.z);
        let square = inverse.square();
        let mut out = [[0; 4]; 2];
        self.x.mul(square).store(&mut out[..1]);
        self.y.mul(square.mul(inverse)).store(&mut out[1..]);
        Some(out)
    }
}

/// Whether (x, y) satisfies y^2 = x^3 + 7 with both below p.
pub fn is_on_curve(x: &Words, y: &Words) -> bool {
    if !is_below(x, &P) || !is_below(y, &P) {
        return false;
    }
    let [x, y] = [x, y].map(Scalar5x52::splat);
    let right = x.square().mul(x).add(Scalar5x52::splat(&[7, 0, 0, 0]));
    y.square().add(right.negate(2)).is_zero()
}

/// Whether evidence is infinity or a point of the curve with coordinates below p:
/// Y^2 = X^3 + 7 Z^6.
pub fn is_possible(point: &Point) -> bool {
    if point.z == [1, 0, 0, 0] {
        return is_on_curve(&point.x, &point.y);
    }
    if [point.x, point.y, point.z].iter().any(|words| !is_below(words, &P)) {
        return false;
    }
    let OneLane { x, y, z } = OneLane::load(point);
    if z.is_zero() {
        return true;
    }
    let z2 = z.square();
    let z6 = z2.square().mul(z2);
    let right = x.square().mul(x).add(z6.times(7));
    y.square().add(right.negate(8)).is_zero()
}

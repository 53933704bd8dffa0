//! Public-key recovery: Q = (s/r) R - (z/r) G, where R has x = r and the given parity
//! (SEC 1, 4.1.6).

use std::ops::Range;

use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec};
use crate::algorithms::secp256k1::integer::to_be;
use crate::algorithms::secp256k1::inversion::invert_all;
use crate::algorithms::secp256k1::key::Key;
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::order::quotients;
#[cfg(feature = "fpga")]
use crate::algorithms::secp256k1::piece::PIECE;
use crate::algorithms::secp256k1::piece::{Piece, Products, pieces};
use crate::algorithms::secp256k1::point::Jacobian;
use crate::algorithms::secp256k1::{scalar, scratch};
use crate::isa::{Isa, Kernel};
use crate::laps::lap;
#[cfg(feature = "fpga")]
use crate::parsed::Words;
use crate::parsed::{KeyForm, RecoverOperands};
#[cfg(feature = "fpga")]
use crate::verdict::Point;

/// Recovers the keys of a range of a batch: x || y, big-endian; `out` has its length. All zero where
/// r is no x coordinate or the key would be infinity: no point of the curve has x = y = 0.
pub fn recover(isa: Isa, operands: &RecoverOperands, range: Range<usize>, out: &mut [[u8; 64]]) {
    isa.run(Recover { operands, range, out });
}

pub(crate) struct Recover<'a> {
    pub(crate) operands: &'a RecoverOperands,
    pub(crate) range: Range<usize>,
    pub(crate) out: &'a mut [[u8; 64]],
}

impl Kernel for Recover<'_> {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        let operands = self.operands;
        let mut piece = scratch::take::<Piece<V>>();
        for (items, slot) in pieces(self.range) {
            operands.prepare(&mut piece, items);
            piece.double_mul();
            let Piece { keys, points, affine, .. } = &mut *piece;
            affine.store(points, |group| keys.missing[group], &mut self.out[slot]);
            lap("evidence");
        }
        scratch::put(piece);
    }
}

/// The keys of points that a device computed, whose coordinates lie below p, by shared inversions:
/// x || y, big-endian, and zeros for infinity.
#[cfg(feature = "fpga")]
pub(crate) fn keys(isa: Isa, points: &[Point], out: &mut [[u8; 64]]) {
    isa.run(Keys { points, out });
}

#[cfg(feature = "fpga")]
struct Keys<'a> {
    points: &'a [Point],
    out: &'a mut [[u8; 64]],
}

#[cfg(feature = "fpga")]
impl Kernel for Keys<'_> {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        let mut affine = ToAffine::default();
        let mut groups: Vec<Jacobian<V>> = Vec::new();
        for (points, out) in self.points.chunks(PIECE).zip(self.out.chunks_mut(PIECE)) {
            groups.clear();
            for points in points.chunks(V::LANES) {
                let load = |coordinate: fn(&Point) -> Words| {
                    let mut words = [[0; 4]; LANES];
                    words
                        .iter_mut()
                        .zip(points)
                        .for_each(|(word, point)| *word = coordinate(point));
                    V::load(&words[..V::LANES])
                };
                let [x, y, z] = [load(|p| p.x), load(|p| p.y), load(|p| p.z)];
                groups.push(Jacobian { x, y, z });
            }
            affine.store(&groups, |_| V::Mask::splat(false), out);
        }
    }
}

impl Products for RecoverOperands {
    /// R.
    #[inline(always)]
    fn point(&self, item: usize) -> Key {
        let form = if self.parity[item] & 1 == 1 { KeyForm::Odd } else { KeyForm::Even };
        (self.r[item], form, [0; 4])
    }

    #[inline(always)]
    fn scalars<V: FieldVec>(&self, items: Range<usize>, out: &mut Vec<Scalars>) {
        let [z, s, r] = [&self.z, &self.s, &self.r].map(|column| &column[items.clone()]);
        quotients::<V::Order>(z, s, r, out);
        for Scalars { u1, .. } in out {
            *u1 = scalar::negate(u1);
        }
    }
}

/// Working memory of the way from Jacobian points to keys.
pub(crate) struct ToAffine<V> {
    inverses: Vec<V>,
    prefixes: Vec<V>,
}

impl<V> Default for ToAffine<V> {
    fn default() -> Self {
        ToAffine { inverses: Vec::new(), prefixes: Vec::new() }
    }
}

impl<V: FieldVec> ToAffine<V> {
    /// 1/Z of groups of points, by one inversion.
    #[inline(always)]
    pub(crate) fn invert(&mut self, points: &[Jacobian<V>]) -> &[V] {
        let ToAffine { inverses, prefixes } = self;
        inverses.clear();
        inverses.extend(points.iter().map(|point| point.z));
        invert_all(inverses, prefixes);
        inverses
    }

    /// Writes the keys of groups of points, by one inversion; zeros for infinity and where
    /// `missing(group)` says so.
    #[inline(always)]
    fn store(
        &mut self,
        points: &[Jacobian<V>],
        missing: impl Fn(usize) -> V::Mask,
        out: &mut [[u8; 64]],
    ) {
        let inverses = self.invert(points);
        for (group, out) in out.chunks_mut(V::LANES).enumerate() {
            let (point, inverse) = (&points[group], inverses[group]);
            let absent = missing(group).or(point.z.is_zero());
            let square = inverse.square();
            let [mut x, mut y] = [[[0; 4]; LANES]; 2];
            point.x.mul(square).store(&mut x[..V::LANES]);
            point.y.mul(square.mul(inverse)).store(&mut y[..V::LANES]);
            for (lane, out) in out.iter_mut().enumerate() {
                if absent.lane(lane) {
                    *out = [0; 64];
                } else {
                    out[..32].copy_from_slice(&to_be(&x[lane]));
                    out[32..].copy_from_slice(&to_be(&y[lane]));
                }
            }
        }
    }
}

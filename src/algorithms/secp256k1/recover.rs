//! Public-key recovery: Q = (s/r) R - (z/r) G, where R has x = r and the given parity
//! (SEC 1, 4.1.6).

use std::ops::Range;

use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec};
use crate::algorithms::secp256k1::integer::to_be;
use crate::algorithms::secp256k1::inversion::invert_all;
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::piece::{Piece, pieces};
use crate::algorithms::secp256k1::{scalar, scratch};
use crate::isa::{Isa, Kernel};
use crate::parsed::{KeyForm, RecoverOperands};

/// Recovers the keys of a range of a batch: x || y, big-endian; `out` has its length. All zero where
/// r is no x coordinate or the key would be infinity: no point of the curve has x = y = 0.
pub fn recover(isa: Isa, operands: &RecoverOperands, range: Range<usize>, out: &mut [[u8; 64]]) {
    isa.run(Recover { operands, range, out });
}

struct Recover<'a> {
    operands: &'a RecoverOperands,
    range: Range<usize>,
    out: &'a mut [[u8; 64]],
}

impl Kernel for Recover<'_> {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        let operands = self.operands;
        let mut piece = scratch::take::<Piece<V>>();
        let (mut of_r, mut inverses, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
        for (items, slot) in pieces(self.range) {
            piece.keys.read(items.len(), |i| {
                let i = items.start + i;
                let odd = operands.parity[i] & 1 == 1;
                let form = if odd { KeyForm::Odd } else { KeyForm::Even };
                (operands.r[i], form, [0; 4])
            });
            scalar::invert_all(&operands.r[items.clone()], &mut of_r);
            piece.scalars.clear();
            for (inverse, i) in of_r.iter().zip(items) {
                let u1 = scalar::negate(&scalar::mul_montgomery(&operands.z[i], inverse));
                let u2 = scalar::mul_montgomery(&operands.s[i], inverse);
                piece.scalars.push(Scalars { u1, u2 });
            }
            piece.double_mul();
            inverses.clear();
            inverses.extend(piece.points.iter().map(|point| point.z));
            invert_all(&mut inverses, &mut prefixes);
            for (group, out) in self.out[slot].chunks_mut(V::LANES).enumerate() {
                let (point, inverse) = (&piece.points[group], inverses[group]);
                let absent = piece.keys.missing[group].or(point.z.is_zero());
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
        scratch::put(piece);
    }
}

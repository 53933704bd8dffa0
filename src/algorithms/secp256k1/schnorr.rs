//! BIP 340 verification: R = s G - e P, valid when R is finite, y(R) is even and x(R) = r.

use std::ops::Range;

use crate::algorithms::secp256k1::field::{FieldVec, MaskVec, invert_all};
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::piece::{Piece, pieces};
use crate::algorithms::secp256k1::point::{Jacobian, OneLane, is_possible};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::scalar;
use crate::error::Fault;
use crate::isa::{Isa, Kernel};
use crate::parsed::{KeyForm, SchnorrOperands};
use crate::verdict::{Point, Reason, Verdict};

/// Verifies a range of a batch; `out` has its length.
pub fn verify(isa: Isa, operands: &SchnorrOperands, range: Range<usize>, out: &mut [Verdict]) {
    isa.run(Verify { operands, range, out });
}

/// Computes R for a range of a batch, as evidence; `out` has its length. Infinity, or a key that
/// names no point, gives Z = 0.
pub fn points(isa: Isa, operands: &SchnorrOperands, range: Range<usize>, out: &mut [Point]) {
    isa.run(Points { operands, range, out });
}

/// Judges a device's point for entry `index`.
///
/// # Errors
/// [`Fault::BadEvidence`] for coordinates above p or a point off the curve.
pub fn judge(operands: &SchnorrOperands, index: usize, point: &Point) -> Result<Verdict, Fault> {
    if !is_possible(point) {
        return Err(Fault::BadEvidence);
    }
    let [x, y, z] = [point.x, point.y, point.z].map(|words| Scalar5x52::splat(&words));
    let affine = OneLane { x, y, z }.to_affine();
    Ok(verdict(affine.is_some_and(|[x, y]| x == operands.r[index] && y[0] & 1 == 0)))
}

struct Verify<'a> {
    operands: &'a SchnorrOperands,
    range: Range<usize>,
    out: &'a mut [Verdict],
}

impl Kernel for Verify<'_> {
    fn run<V: FieldVec>(self) {
        let mut piece = Piece::<V>::new();
        let (mut inverses, mut prefixes) = (Vec::new(), Vec::new());
        for (items, slot) in pieces(self.range) {
            multiply(&mut piece, self.operands, items.clone());
            inverses.clear();
            inverses.extend(piece.points.iter().map(|point| point.z));
            invert_all(&mut inverses, &mut prefixes);
            let r = &self.operands.r[items];
            for (group, out) in self.out[slot].chunks_mut(V::LANES).enumerate() {
                let mut words = [[0; 4]; 8];
                let r = &r[group * V::LANES..][..out.len()];
                words[..r.len()].copy_from_slice(r);
                let point = &piece.points[group];
                let agrees = point
                    .has_x(V::load(&words[..V::LANES]))
                    .and(has_even_y(point, inverses[group]))
                    .and(point.z.is_zero().not());
                for (lane, out) in out.iter_mut().enumerate() {
                    *out = if piece.missing[group].lane(lane) {
                        Verdict::Invalid(Reason::Key)
                    } else {
                        verdict(agrees.lane(lane))
                    };
                }
            }
        }
    }
}

fn has_even_y<V: FieldVec>(point: &Jacobian<V>, inverse: V) -> V::Mask {
    let cube = inverse.square().mul(inverse);
    point.y.mul(cube).normalize().is_odd().not()
}

struct Points<'a> {
    operands: &'a SchnorrOperands,
    range: Range<usize>,
    out: &'a mut [Point],
}

impl Kernel for Points<'_> {
    fn run<V: FieldVec>(self) {
        let mut piece = Piece::<V>::new();
        for (items, slot) in pieces(self.range) {
            multiply(&mut piece, self.operands, items);
            piece.store(&mut self.out[slot]);
        }
    }
}

/// Decode, prepare and double multiplication of one piece.
fn multiply<V: FieldVec>(piece: &mut Piece<V>, operands: &SchnorrOperands, items: Range<usize>) {
    piece.decode(items.len(), |i| (operands.key[items.start + i], KeyForm::Even, [0; 4]));
    piece.scalars.clear();
    for i in items {
        let (u1, u2) = (operands.s[i], scalar::negate(&operands.e[i]));
        piece.scalars.push(Scalars { u1, u2 });
    }
    piece.double_mul();
}

fn verdict(agrees: bool) -> Verdict {
    if agrees { Verdict::Valid } else { Verdict::Invalid(Reason::Equation) }
}

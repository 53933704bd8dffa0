//! BIP 340 verification: R = s G - e P, valid when R is finite, y(R) is even and x(R) = r.

use std::ops::Range;

use crate::algorithms::secp256k1::combine;
use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec};
use crate::algorithms::secp256k1::key::Key;
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::piece::{self, Equation, Piece, Products, verdict};
use crate::algorithms::secp256k1::point::{Jacobian, OneLane, is_possible};
use crate::algorithms::secp256k1::scalar;
use crate::algorithms::sha256::Plan;
use crate::error::Fault;
use crate::isa::Isa;
use crate::parsed::{KeyForm, SchnorrOperands, Words};
use crate::verdict::{Point, Verdict};

/// Verifies a range of a batch; `out` has its length.
pub fn verify(isa: Isa, operands: &SchnorrOperands, range: Range<usize>, out: &mut [Verdict]) {
    piece::verify(isa, operands, range, out);
}

/// [`verify`] by combined equations, for a batch of [`Form::Combined`](crate::Form).
pub fn verify_combined(
    isa: Isa,
    plan: Plan,
    operands: &SchnorrOperands,
    range: Range<usize>,
    out: &mut [Verdict],
) {
    combine::verify(isa, plan, operands, range, out);
}

/// Computes R for a range of a batch, as evidence; `out` has its length. Infinity, or a key that
/// names no point, gives Z = 0.
pub fn points(isa: Isa, operands: &SchnorrOperands, range: Range<usize>, out: &mut [Point]) {
    piece::points(isa, operands, range, out);
}

/// Judges a device's point for entry `index`.
///
/// # Errors
/// [`Fault::BadEvidence`] for coordinates above p or a point off the curve.
pub fn judge(operands: &SchnorrOperands, index: usize, point: &Point) -> Result<Verdict, Fault> {
    if is_possible(point) {
        Ok(judge_proved(operands, index, point))
    } else {
        Err(Fault::BadEvidence)
    }
}

/// Judges a point of the curve.
pub(crate) fn judge_proved(operands: &SchnorrOperands, index: usize, point: &Point) -> Verdict {
    let is_valid = |[x, y]: [Words; 2]| x == operands.r[index] && y[0] & 1 == 0;
    verdict(match point.z {
        [1, 0, 0, 0] => is_valid([point.x, point.y]),
        _ => OneLane::load(point).to_affine().is_some_and(is_valid),
    })
}

impl Products for SchnorrOperands {
    #[inline(always)]
    fn point(&self, item: usize) -> Key {
        (self.key[item], KeyForm::Even, [0; 4])
    }

    #[inline(always)]
    fn scalars<V: FieldVec>(&self, items: Range<usize>, out: &mut Vec<Scalars>) {
        out.clear();
        for i in items {
            let (u1, u2) = (self.s[i], scalar::negate(&self.e[i]));
            out.push(Scalars { u1, u2 });
        }
    }
}

impl Equation for SchnorrOperands {
    const EVEN_KEYS: bool = true;

    fn pinned(&self) -> &[u32] {
        &self.pinned
    }

    #[inline(always)]
    fn agrees<V: FieldVec>(&self, piece: &mut Piece<V>, items: Range<usize>) {
        let Piece { points, affine, agrees, .. } = piece;
        // y's parity needs 1/Z: one inversion serves the piece.
        let inverses = affine.invert(points);
        agrees.clear();
        for ((point, inverse), r) in points.iter().zip(inverses).zip(self.r[items].chunks(V::LANES))
        {
            let mut words = [[0; 4]; LANES];
            words[..r.len()].copy_from_slice(r);
            agrees.push(
                point
                    .has_x(V::load(&words[..V::LANES]))
                    .and(has_even_y(point, *inverse))
                    .and(point.z.is_zero().not()),
            );
        }
    }

    fn claim(&self, item: usize) -> (Words, bool) {
        (self.r[item], false)
    }

    const BINDING: bool = true;
}

#[inline(always)]
fn has_even_y<V: FieldVec>(point: &Jacobian<V>, inverse: V) -> V::Mask {
    let cube = inverse.square().mul(inverse);
    point.y.mul(cube).normalize().is_odd().not()
}

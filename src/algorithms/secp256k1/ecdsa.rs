//! ECDSA verification: R = (z/s) G + (r/s) Q, valid when x(R) mod n = r.

use std::ops::Range;

use crate::algorithms::secp256k1::combine;
use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec};
use crate::algorithms::secp256k1::integer::{self, N, P_MINUS_N, is_below};
use crate::algorithms::secp256k1::key::Key;
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::order::quotients;
use crate::algorithms::secp256k1::piece::{self, Equation, Piece, Products, verdict};
use crate::algorithms::secp256k1::point::{Jacobian, OneLane, is_possible};
use crate::algorithms::sha256::Plan;
use crate::error::Fault;
use crate::isa::Isa;
use crate::parsed::{EcdsaOperands, Words};
use crate::verdict::{Point, Verdict};

/// Verifies a range of a batch; `out` has its length.
pub fn verify(isa: Isa, operands: &EcdsaOperands, range: Range<usize>, out: &mut [Verdict]) {
    piece::verify(isa, operands, range, out);
}

/// [`verify`] by combined equations, for a batch of [`Form::Combined`](crate::Form).
pub fn verify_combined(
    isa: Isa,
    plan: Plan,
    operands: &EcdsaOperands,
    range: Range<usize>,
    out: &mut [Verdict],
) {
    combine::verify(isa, plan, operands, range, out);
}

/// Computes R for a range of a batch, as evidence; `out` has its length. Infinity, or a key that
/// names no point, gives Z = 0.
pub fn points(isa: Isa, operands: &EcdsaOperands, range: Range<usize>, out: &mut [Point]) {
    piece::points(isa, operands, range, out);
}

/// Judges a device's point for entry `index`.
///
/// # Errors
/// [`Fault::BadEvidence`] for coordinates above p or a point off the curve.
pub fn judge(operands: &EcdsaOperands, index: usize, point: &Point) -> Result<Verdict, Fault> {
    if is_possible(point) {
        Ok(judge_proved(operands, index, point))
    } else {
        Err(Fault::BadEvidence)
    }
}

/// Judges a point of the curve.
pub(crate) fn judge_proved(operands: &EcdsaOperands, index: usize, point: &Point) -> Verdict {
    verdict(match point.z {
        // Affine: a comparison is enough.
        [1, 0, 0, 0] => integer::reduce_n(point.x) == operands.r[index],
        _ => has_r(&OneLane::load(point), &operands.r[index..=index]),
    })
}

impl Products for EcdsaOperands {
    #[inline(always)]
    fn point(&self, item: usize) -> Key {
        (self.keys.x[item], self.keys.form[item], self.keys.y[item])
    }

    #[inline(always)]
    fn scalars<V: FieldVec>(&self, items: Range<usize>, out: &mut Vec<Scalars>) {
        let [z, r, s] = [&self.z, &self.r, &self.s].map(|column| &column[items.clone()]);
        quotients::<V::Order>(z, r, s, out);
    }
}

impl Equation for EcdsaOperands {
    const EVEN_KEYS: bool = false;

    fn pinned(&self) -> &[u32] {
        &self.pinned
    }

    #[inline(always)]
    fn agrees<V: FieldVec>(&self, piece: &mut Piece<V>, items: Range<usize>) {
        piece.agrees.clear();
        for (point, r) in piece.points.iter().zip(self.r[items].chunks(V::LANES)) {
            piece.agrees.push(has_r(point, r));
        }
    }

    fn claim(&self, item: usize) -> (Words, bool) {
        (self.r[item], self.hints[item])
    }

    /// r leaves the sign of y open, and whether x is r or r + n.
    const BINDING: bool = false;
}

/// Whether x(R) mod n = r in each lane, without inversion: X = r Z^2 or, where r + n is still below
/// p, X = (r + n) Z^2. Infinity agrees with nothing.
#[inline(always)]
fn has_r<V: FieldVec>(point: &Jacobian<V>, r: &[Words]) -> V::Mask {
    let mut candidates = [[1, 0, 0, 0]; LANES];
    candidates[..r.len()].copy_from_slice(r);
    let mut same = point.has_x(V::load(&candidates[..V::LANES]));
    let wraps = V::Mask::from_fn(V::LANES, |lane| is_below(&candidates[lane], &P_MINUS_N));
    if wraps.any() {
        let second = |r| if is_below(&r, &P_MINUS_N) { integer::add(&r, &N).0 } else { r };
        let second = candidates.map(second);
        same = same.or(wraps.and(point.has_x(V::load(&second[..V::LANES]))));
    }
    same.and(point.z.is_zero().not())
}

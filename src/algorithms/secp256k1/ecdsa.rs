//! ECDSA verification: R = (z/s) G + (r/s) Q, valid when x(R) mod n = r.

use std::ops::Range;

use crate::algorithms::secp256k1::field::{FieldVec, MaskVec};
use crate::algorithms::secp256k1::integer::{self, N, P_MINUS_N, is_below};
use crate::algorithms::secp256k1::piece::{Piece, pieces};
use crate::algorithms::secp256k1::point::{Jacobian, is_possible};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::{multiply::Scalars, scalar};
use crate::error::Fault;
use crate::isa::{Isa, Kernel};
use crate::parsed::{EcdsaOperands, Words};
use crate::verdict::{Point, Reason, Verdict};

/// Verifies a range of a batch; `out` has its length.
pub fn verify(isa: Isa, operands: &EcdsaOperands, range: Range<usize>, out: &mut [Verdict]) {
    isa.run(Verify { operands, range, out });
}

/// Computes R for a range of a batch, as evidence; `out` has its length. Infinity, or a key that
/// names no point, gives Z = 0.
pub fn points(isa: Isa, operands: &EcdsaOperands, range: Range<usize>, out: &mut [Point]) {
    isa.run(Points { operands, range, out });
}

/// Judges a device's point for entry `index`.
///
/// # Errors
/// [`Fault::BadEvidence`] for coordinates above p or a point off the curve.
pub fn judge(operands: &EcdsaOperands, index: usize, point: &Point) -> Result<Verdict, Fault> {
    if !is_possible(point) {
        return Err(Fault::BadEvidence);
    }
    let [x, y, z] = [point.x, point.y, point.z].map(|words| Scalar5x52::splat(&words));
    let point = Jacobian { x, y, z };
    Ok(verdict(agrees(&point, &operands.r[index..=index])))
}

struct Verify<'a> {
    operands: &'a EcdsaOperands,
    range: Range<usize>,
    out: &'a mut [Verdict],
}

impl Kernel for Verify<'_> {
    fn run<V: FieldVec>(self) {
        let mut piece = Piece::<V>::new();
        for (items, slot) in pieces(self.range) {
            multiply(&mut piece, self.operands, items.clone());
            let r = &self.operands.r[items];
            let groups = piece.points.iter().zip(&piece.missing).zip(r.chunks(V::LANES));
            for (((point, missing), r), out) in groups.zip(self.out[slot].chunks_mut(V::LANES)) {
                let agrees = agrees(point, r);
                for (lane, out) in out.iter_mut().enumerate() {
                    *out = if missing.lane(lane) {
                        Verdict::Invalid(Reason::Key)
                    } else {
                        verdict(agrees.lane(lane))
                    };
                }
            }
        }
    }
}

struct Points<'a> {
    operands: &'a EcdsaOperands,
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
fn multiply<V: FieldVec>(piece: &mut Piece<V>, operands: &EcdsaOperands, items: Range<usize>) {
    let keys = &operands.keys;
    piece.decode(items.len(), |i| {
        let i = items.start + i;
        (keys.x[i], keys.form[i], keys.y[i])
    });
    let mut inverses = Vec::new();
    scalar::invert_all(&operands.s[items.clone()], &mut inverses);
    piece.scalars.clear();
    for (inverse, i) in inverses.iter().zip(items) {
        let u1 = scalar::mul_montgomery(&operands.z[i], inverse);
        let u2 = scalar::mul_montgomery(&operands.r[i], inverse);
        piece.scalars.push(Scalars { u1, u2 });
    }
    piece.double_mul();
}

/// Whether x(R) mod n = r in each lane, without inversion: X = r Z^2 or, where r + n is still below
/// p, X = (r + n) Z^2. Infinity agrees with nothing.
fn agrees<V: FieldVec>(point: &Jacobian<V>, r: &[Words]) -> V::Mask {
    let mut candidates = [[1, 0, 0, 0]; 8];
    candidates[..r.len()].copy_from_slice(r);
    let mut same = point.has_x(V::load(&candidates[..V::LANES]));
    let wraps = V::Mask::from_fn(|lane| is_below(&candidates[lane], &P_MINUS_N));
    if wraps.any() {
        let second =
            candidates.map(|r| if is_below(&r, &P_MINUS_N) { integer::add(&r, &N).0 } else { r });
        same = same.or(wraps.and(point.has_x(V::load(&second[..V::LANES]))));
    }
    same.and(point.z.is_zero().not())
}

fn verdict(agrees: bool) -> Verdict {
    if agrees { Verdict::Valid } else { Verdict::Invalid(Reason::Equation) }
}

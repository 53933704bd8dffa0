//! Many signatures in one equation: sum of a_i (u1_i G + u2_i Q_i - R_i) = 0 for random a_i
//! (BIP 340, "Batch Verification"), where R_i is the point that the signature claims.

use std::ops::Range;

use crate::algorithms::secp256k1::combination::{Combination, parts};
use crate::algorithms::secp256k1::field::{FieldVec, MaskVec, Stage};
use crate::algorithms::secp256k1::integer::ZERO;
use crate::algorithms::secp256k1::piece::{Equation, Lifted, PIECE, Piece, Verify};
use crate::algorithms::secp256k1::scratch;
use crate::algorithms::sha256::Plan;
use crate::isa::{Isa, Kernel};
use crate::laps::lap;
use crate::parsed::KeyForm;
use crate::verdict::{Reason, Verdict};

/// Fewest items that one equation serves clearly faster than their own do: by a fifth with AVX-512.
const LEAST: usize = 128;

/// Verifies a range by combined equations; `out` has its length. The verdicts are those of
/// [`piece::verify`](crate::algorithms::secp256k1::piece::verify).
pub(crate) fn verify(
    isa: Isa,
    plan: Plan,
    equation: &impl Equation,
    range: Range<usize>,
    out: &mut [Verdict],
) {
    isa.run(Combined { plan, equation, range, out });
}

struct Combined<'a, E> {
    plan: Plan,
    equation: &'a E,
    range: Range<usize>,
    out: &'a mut [Verdict],
}

impl<E: Equation> Kernel for Combined<'_, E> {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        let Combined { plan, equation, range, out } = self;
        let mut part = scratch::take::<Part<V>>();
        for items in parts(range.clone()) {
            let out = &mut out[items.start - range.start..items.end - range.start];
            if items.len() < LEAST {
                part.singly(equation, items, out);
            } else {
                part.fill(plan, equation, items.clone(), out);
                part.resolve(equation, items, out);
            }
        }
        scratch::put(part);
    }
}

/// Working memory of one part of a batch.
struct Part<V: FieldVec> {
    piece: Piece<V>,
    claims: Lifted<V>,
    sum: Combination<V>,
    /// Chunks that no combined equation may judge.
    apart: Vec<bool>,
}

impl<V: FieldVec> Default for Part<V> {
    fn default() -> Self {
        Part {
            piece: Piece::default(),
            claims: Lifted::default(),
            sum: Combination::default(),
            apart: Vec::new(),
        }
    }
}

impl<V: FieldVec> Part<V> {
    /// Reads all points and scalars of a part. Items whose points do not exist get their verdict.
    #[inline(always)]
    fn fill<E: Equation>(
        &mut self,
        plan: Plan,
        equation: &E,
        items: Range<usize>,
        out: &mut [Verdict],
    ) {
        out.fill(Verdict::Valid);
        self.sum.begin(items.len(), items.len(), &[]);
        self.apart.clear();
        for start in items.clone().step_by(PIECE) {
            let chunk = start..items.end.min(start + PIECE);
            let out = &mut out[start - items.start..][..chunk.len()];
            V::enter(Chunk { part: self, equation, chunk, at: start - items.start, out });
        }
        // An item that has its verdict takes no part.
        self.sum.draw(plan, None, |item| out[item].is_valid());
    }

    /// Verdicts of a part that was filled.
    #[inline(always)]
    fn resolve(&mut self, equation: &impl Equation, items: Range<usize>, out: &mut [Verdict]) {
        for chunk in self.sum.failing(&self.apart) {
            let start = items.start + chunk * PIECE;
            let range = start..items.end.min(start + PIECE);
            let out = &mut out[range.start - items.start..range.end - items.start];
            self.singly(equation, range, out);
        }
    }

    #[inline(always)]
    fn singly(&mut self, equation: &impl Equation, range: Range<usize>, out: &mut [Verdict]) {
        V::enter(Verify { piece: &mut self.piece, equation, range, out });
    }
}

/// Reads the points and scalars of a chunk.
struct Chunk<'a, V: FieldVec, E> {
    part: &'a mut Part<V>,
    equation: &'a E,
    chunk: Range<usize>,
    /// Where it is in the part.
    at: usize,
    out: &'a mut [Verdict],
}

impl<V: FieldVec, E: Equation> Stage for Chunk<'_, V, E> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Chunk { part: Part { piece, claims, sum, apart }, equation, chunk, at, out } = self;
        equation.prepare(piece, chunk.clone());
        claims.read(chunk.len(), |i| {
            let (x, odd) = equation.claim(chunk.start + i);
            (x, if odd { KeyForm::Odd } else { KeyForm::Even }, ZERO)
        });
        lap("claims");
        let mut unsure = false;
        for (group, out) in out.chunks_mut(V::LANES).enumerate() {
            let (no_claim, no_key) = (claims.missing[group], piece.keys.missing[group]);
            if no_claim.or(no_key).any() {
                for (lane, out) in out.iter_mut().enumerate() {
                    if no_key.lane(lane) {
                        *out = Verdict::Invalid(Reason::Key);
                    } else if no_claim.lane(lane) {
                        *out = Verdict::Invalid(Reason::Equation);
                        unsure |= !E::BINDING;
                    }
                }
            }
        }
        apart.push(unsure);
        sum.add_keys(at, &piece.keys.points);
        sum.add(&piece.scalars, &claims.points);
        lap("prepare");
    }
}

//! Many signatures in one equation: sum of a_i (u1_i G + u2_i Q_i - R_i) = 0 for random a_i
//! (BIP 340, "Batch Verification").
//!
//! All points lie in a group of prime order, so the sum is zero for one in 2^128 choices of a_i
//! where any item fails. The a_i come from a hash of all inputs: whoever chose an input did not know
//! them. A sum that is not zero accuses no item: chunks that fail are verified item by item.

use std::ops::Range;

use crate::algorithm::Algorithm;
use crate::algorithms::secp256k1::buckets::{Buckets, Term};
use crate::algorithms::secp256k1::curve::{BETA, Curve, Secp256k1};
use crate::algorithms::secp256k1::field::{FieldVec, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::integer::ZERO;
use crate::algorithms::secp256k1::lists::Rows;
use crate::algorithms::secp256k1::piece::{Equation, Lifted, PIECE, Piece, Verify};
use crate::algorithms::secp256k1::point::Affine;
use crate::algorithms::secp256k1::scalar::{self, Half};
use crate::algorithms::secp256k1::scratch;
use crate::algorithms::sha256::{self, Plan};
use crate::batch::{Batch, Job};
use crate::isa::{Isa, Kernel};
use crate::parsed::{KeyForm, Words};
use crate::verdict::{Reason, Verdict};

/// Fewest items that one equation serves faster than their own do.
const LEAST: usize = 384;

/// Items of one equation at most: more save few additions, and their points leave the caches.
const MOST: usize = 8_192;

/// Rows of an item: R, Q, lambda Q.
const ROWS: usize = 3;

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
        let mut sum = scratch::take::<Combination<V>>();
        // Parts of equal size: a small rest would be dear.
        let parts = range.len().div_ceil(MOST).max(1);
        let size = range.len().div_ceil(parts).max(1);
        for start in range.clone().step_by(size) {
            let items = start..range.end.min(start + size);
            let out = &mut out[items.start - range.start..items.end - range.start];
            if items.len() < LEAST {
                sum.singly(equation, items, out);
            } else {
                sum.fill(plan, equation, items.clone(), out);
                sum.resolve(equation, items, out);
            }
        }
        scratch::put(sum);
    }
}

/// One combined equation over a part of a batch, chunk by chunk of [`PIECE`] items.
struct Combination<V: FieldVec> {
    piece: Piece<V>,
    claims: Lifted<V>,
    buckets: Buckets<V>,
    /// G, lambda G, then [`ROWS`] an item.
    rows: Rows,
    /// Scalars of an item's rows.
    halves: Vec<[Half; ROWS]>,
    /// a u1 of each item.
    fixed: Vec<Words>,
    /// Chunks that no combined equation may judge.
    apart: Vec<bool>,
    terms: Vec<Term>,
}

/// Rows before those of the items.
const FIXED: usize = 2;

impl<V: FieldVec> Default for Combination<V> {
    fn default() -> Self {
        Combination {
            piece: Piece::default(),
            claims: Lifted::default(),
            buckets: Buckets::default(),
            rows: Rows::default(),
            halves: Vec::new(),
            fixed: Vec::new(),
            apart: Vec::new(),
            terms: Vec::new(),
        }
    }
}

impl<V: FieldVec> Combination<V> {
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
        let coefficients = coefficients(plan, equation, items.clone());
        let [x, y] = Secp256k1::GENERATOR;
        let beta_x = product(&x, &BETA);
        self.rows.set_len(0);
        self.rows.extend(&[Row([x, y]), Row([beta_x, y])]);
        self.rows.set_len(FIXED + ROWS * items.len());
        self.halves.clear();
        self.fixed.clear();
        self.apart.clear();
        for start in items.clone().step_by(PIECE) {
            let first = start - items.start;
            let chunk = start..items.end.min(start + PIECE);
            let coefficients = &coefficients[first..][..chunk.len()];
            let out = &mut out[first..][..chunk.len()];
            V::enter(Chunk { sum: self, equation, chunk, first, coefficients, out });
        }
    }

    /// Whether the equation over the chunks holds.
    #[inline(always)]
    fn holds(&mut self, chunks: Range<usize>) -> bool {
        self.terms.clear();
        let mut fixed = ZERO;
        for chunk in chunks.filter(|&chunk| !self.apart[chunk]) {
            let items = chunk * PIECE..self.halves.len().min((chunk + 1) * PIECE);
            for item in items {
                fixed = scalar::add(&fixed, &self.fixed[item]);
                for (row, scalar) in (FIXED + ROWS * item..).zip(self.halves[item]) {
                    self.terms.push(Term { row: row as u32, scalar });
                }
            }
        }
        for (row, scalar) in scalar::split(&fixed).into_iter().enumerate() {
            self.terms.push(Term { row: row as u32, scalar });
        }
        self.buckets.sum(&mut self.rows, &self.terms).z.is_zero()
    }

    /// Verdicts of a part that was filled.
    #[inline(always)]
    fn resolve(&mut self, equation: &impl Equation, items: Range<usize>, out: &mut [Verdict]) {
        let chunks = self.apart.len();
        let all_hold = self.holds(0..chunks);
        // Where the whole fails, chunks are tried as long as that pays: once most of those tried
        // failed, the rest is verified singly at once.
        let (mut held, mut failed) = (0, 0);
        for chunk in 0..chunks {
            let start = items.start + chunk * PIECE;
            let range = start..items.end.min(start + PIECE);
            let mut holds = all_hold;
            if !all_hold && chunks > 1 && failed <= held + 1 && !self.apart[chunk] {
                holds = self.holds(chunk..chunk + 1);
                (held, failed) = (held + usize::from(holds), failed + usize::from(!holds));
            }
            if !holds || self.apart[chunk] {
                let out = &mut out[range.start - items.start..range.end - items.start];
                self.singly(equation, range, out);
            }
        }
    }

    #[inline(always)]
    fn singly(&mut self, equation: &impl Equation, range: Range<usize>, out: &mut [Verdict]) {
        V::enter(Verify { piece: &mut self.piece, equation, range, out });
    }
}

/// Reads the points and scalars of a chunk.
struct Chunk<'a, V: FieldVec, E> {
    sum: &'a mut Combination<V>,
    equation: &'a E,
    /// The items.
    chunk: Range<usize>,
    /// Place of the first item in its part.
    first: usize,
    coefficients: &'a [[u64; 2]],
    out: &'a mut [Verdict],
}

impl<V: FieldVec, E: Equation> Stage for Chunk<'_, V, E> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Chunk { sum, equation, chunk, first, coefficients, out } = self;
        equation.prepare(&mut sum.piece, chunk.clone());
        sum.claims.read(chunk.len(), |i| {
            let (x, odd) = equation.claim(chunk.start + i);
            (x, if odd { KeyForm::Odd } else { KeyForm::Even }, ZERO)
        });
        let beta = V::splat(&BETA);
        let mut apart = false;
        for group in 0..sum.claims.points.len() {
            let (claim, key) = (sum.claims.points[group], sum.piece.keys.points[group]);
            let start = group * V::LANES;
            let live = V::LANES.min(chunk.len() - start);
            let rows = &mut sum.rows[FIXED + ROWS * (first + start)..][..ROWS * live];
            put(claim, rows, 0);
            put(key, rows, 1);
            put(Affine { x: key.x.mul(beta).normalize(), y: key.y }, rows, 2);
            let (no_claim, no_key) = (sum.claims.missing[group], sum.piece.keys.missing[group]);
            if no_claim.or(no_key).any() {
                for (lane, out) in out[start..][..live].iter_mut().enumerate() {
                    if no_key.lane(lane) {
                        *out = Verdict::Invalid(Reason::Key);
                    } else if no_claim.lane(lane) {
                        *out = Verdict::Invalid(Reason::Equation);
                        apart |= !E::BINDING;
                    }
                }
            }
        }
        sum.apart.push(apart);
        for ((scalars, [low, high]), out) in sum.piece.scalars.iter().zip(coefficients).zip(out) {
            // An item that has its verdict takes no part.
            let a = if out.is_valid() { [*low, *high, 0, 0] } else { ZERO };
            let montgomery = scalar::to_montgomery(&a);
            let [first, second] = scalar::split(&scalar::mul_montgomery(&scalars.u2, &montgomery));
            sum.fixed.push(scalar::mul_montgomery(&scalars.u1, &montgomery));
            let claim = Half { negative: true, size: [a[0], a[1], 0] };
            sum.halves.push([claim, first, second]);
        }
    }
}

/// Writes a point a lane to row `at` of each lane's [`ROWS`].
#[inline(always)]
fn put<V: FieldVec>(point: Affine<V>, rows: &mut [Row], at: usize) {
    let point = [point.x.normalize(), point.y.normalize()];
    V::scatter(point, |lane, row| {
        if let Some(slot) = rows.get_mut(ROWS * lane + at) {
            *slot = row;
        }
    });
}

/// a b mod p.
fn product(a: &Words, b: &Words) -> Words {
    use crate::algorithms::secp256k1::portable::Scalar5x52;
    let mut out = [ZERO];
    Scalar5x52::splat(a).mul(Scalar5x52::splat(b)).store(&mut out);
    out[0]
}

/// Items whose digests are hashed together when the inputs are bound.
const FAN_IN: usize = 64;

/// The coefficients: 1 for the first item, for the others 128 bits of hashes of a counter and of a
/// digest of all inputs, and never 0.
fn coefficients(plan: Plan, equation: &impl Equation, items: Range<usize>) -> Vec<[u64; 2]> {
    let mut digests = digests(
        plan,
        items.clone().map(|item| {
            let mut bound = Vec::new();
            equation.bind(item, &mut bound);
            bound
        }),
    );
    while digests.len() > 1 {
        digests = self::digests(plan, digests.chunks(FAN_IN).map(|digests| digests.concat()));
    }
    let seed = digests[0];
    let counters = (0..items.len().div_ceil(2) as u64)
        .map(|counter| [&seed[..], &counter.to_le_bytes()].concat());
    let mut coefficients: Vec<[u64; 2]> =
        bytemuck::cast_slice(&self::digests(plan, counters)).to_vec();
    coefficients.truncate(items.len());
    coefficients[0] = [1, 0];
    for coefficient in &mut coefficients {
        if *coefficient == [0, 0] {
            *coefficient = [1, 0];
        }
    }
    coefficients
}

/// SHA-256 of each message.
fn digests(plan: Plan, messages: impl Iterator<Item = Vec<u8>>) -> Vec<[u8; 32]> {
    let mut batch = Batch::open(Algorithm::Sha256);
    for message in messages {
        batch.push(Job::Hash { message: &message }).expect("a part is smaller than a batch");
    }
    let batch = batch.seal();
    let mut out = vec![[0; 32]; batch.len()];
    sha256::digest(plan, batch.column(0), 0..batch.len(), &mut out);
    out
}

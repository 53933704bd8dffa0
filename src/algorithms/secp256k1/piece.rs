//! One piece of a batch in lanes: its keys decompressed, its scalars, its points; and the two
//! kernels of an algorithm that verifies, to verdicts or to points.

use std::ops::Range;

use crate::algorithms::secp256k1::curve::{Curve, Secp256k1};
use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec, Stage};
use crate::algorithms::secp256k1::integer::{P, ZERO, is_below};
use crate::algorithms::secp256k1::key::Key;
use crate::algorithms::secp256k1::multiply::{Scalars, double_mul};
use crate::algorithms::secp256k1::point::{Affine, Jacobian};
use crate::algorithms::secp256k1::recover::ToAffine;
use crate::algorithms::secp256k1::scratch;
use crate::algorithms::secp256k1::sqrt::sqrt_all;
use crate::algorithms::secp256k1::table::KeyTables;
use crate::algorithms::secp256k1::twin::Twin;
use crate::isa::{Isa, Kernel};
use crate::laps::lap;
use crate::parsed::{KeyForm, Words};
use crate::verdict::{Point, Reason, Verdict};

/// Items of a piece: they share the inversions of their tables. Larger ones share better, but
/// their tables, 1 KiB a key and more, leave the second-level cache.
pub(crate) const PIECE: usize = 256;

/// Points read from x and what is known of y, a group of lanes each.
pub(crate) struct Lifted<V: FieldVec> {
    pub(crate) points: Vec<Affine<V>>,
    /// Lanes whose x lies on no point; the generator stands in.
    pub(crate) missing: Vec<V::Mask>,
    /// Lanes for which somebody guessed a y that is not the point's.
    pub(crate) misfits: Vec<V::Mask>,
    /// For each group the lanes whose y is given, and those whose y is to be odd.
    forms: Vec<(V::Mask, V::Mask)>,
    /// The roots of the groups that want any, and whether they exist.
    roots: Vec<V>,
    exist: Vec<V::Mask>,
}

impl<V: FieldVec> Default for Lifted<V> {
    fn default() -> Self {
        Lifted {
            points: Vec::new(),
            missing: Vec::new(),
            misfits: Vec::new(),
            forms: Vec::new(),
            roots: Vec::new(),
            exist: Vec::new(),
        }
    }
}

impl<V: FieldVec> Lifted<V> {
    /// Reads `items` points. `point(i)` gives x, form and, if the form says so, y. Any other y that is
    /// not zero is somebody's guess: it spares the root where it fits, and is dropped where not.
    ///
    /// A point that does not exist must not reach the tables: points of other curves have small
    /// orders, and equal x in one lane would cost every lane of the piece.
    #[inline(always)]
    pub(crate) fn read(&mut self, items: usize, point: impl Fn(usize) -> (Words, KeyForm, Words)) {
        self.points.clear();
        self.missing.clear();
        self.misfits.clear();
        self.roots.clear();
        self.forms.clear();
        let [generator_x, generator_y] = Secp256k1::GENERATOR;
        for start in (0..items).step_by(V::LANES) {
            let mut x = [generator_x; LANES];
            let mut y = [generator_y; LANES];
            let mut form = [KeyForm::Full; LANES];
            let mut guessed = 0;
            for lane in 0..V::LANES.min(items - start) {
                (x[lane], form[lane], y[lane]) = point(start + lane);
                if form[lane] != KeyForm::Full && y[lane] != ZERO {
                    guessed |= 1 << lane;
                    if !is_below(&y[lane], &P) {
                        y[lane] = ZERO;
                    }
                }
            }
            let is = |wanted| V::Mask::from_fn(V::LANES, |lane| form[lane] == wanted);
            let affine = Affine { x: V::load(&x[..V::LANES]), y: V::load(&y[..V::LANES]) };
            let (mut full, odd) = (is(KeyForm::Full), is(KeyForm::Odd));
            let mut misfits = V::Mask::splat(false);
            if full.not().any() {
                let square = Affine::square_of_y(affine.x);
                if guessed != 0 {
                    let root = affine.y.square_add(square.negate(1)).is_zero();
                    let is_odd = affine.y.normalize().is_odd();
                    let fits = is_odd.and(odd).or(is_odd.not().and(odd.not()));
                    misfits = V::Mask::from_bits(guessed).and(root.and(fits).not());
                    full = full.or(root.and(fits));
                }
                if full.not().any() {
                    self.roots.push(square);
                }
            }
            self.misfits.push(misfits);
            self.forms.push((full, odd));
            self.points.push(affine);
        }
        sqrt_all(&mut self.roots, &mut self.exist);
        let mut roots = self.roots.iter().zip(&self.exist);
        for (affine, (full, odd)) in self.points.iter_mut().zip(&self.forms) {
            let mut missing = V::Mask::splat(false);
            if full.not().any() {
                let (root, exists) = roots.next().expect("one for each group that wants it");
                affine.y = V::select(*full, affine.y, Affine::with_parity(*root, *odd));
                missing = exists.or(*full).not();
                if missing.any() {
                    affine.x = V::select(missing, V::splat(&generator_x), affine.x);
                    affine.y = V::select(missing, V::splat(&generator_y), affine.y);
                }
            }
            self.missing.push(missing);
        }
    }
}

/// Working memory of a kernel, kept from piece to piece.
pub(crate) struct Piece<V: FieldVec> {
    pub(crate) keys: Lifted<V>,
    /// An entry for each item.
    pub(crate) scalars: Vec<Scalars>,
    /// The results: a group of lanes each.
    pub(crate) points: Vec<Jacobian<V>>,
    /// Whether each is what its signature claims.
    pub(crate) agrees: Vec<V::Mask>,
    pub(crate) affine: ToAffine<V>,
    /// Over two vectors: their chains of products wait for each other less.
    tables: KeyTables<Twin<V>>,
}

impl<V: FieldVec> Default for Piece<V> {
    fn default() -> Self {
        Piece {
            keys: Lifted::default(),
            scalars: Vec::new(),
            points: Vec::new(),
            agrees: Vec::new(),
            affine: ToAffine::default(),
            tables: KeyTables::new(),
        }
    }
}

impl<V: FieldVec> Piece<V> {
    /// u1 G + u2 Q for all items.
    #[inline(always)]
    pub(crate) fn double_mul(&mut self) {
        let keys = &self.keys.points;
        double_mul::<Secp256k1, V>(keys, &self.scalars, &mut self.tables, &mut self.points);
    }

    /// The results as evidence; infinity for a key that does not exist.
    #[inline(always)]
    pub(crate) fn store(&self, out: &mut [Point]) {
        for ((point, missing), out) in
            self.points.iter().zip(&self.keys.missing).zip(out.chunks_mut(V::LANES))
        {
            point.store(out);
            for (lane, point) in out.iter_mut().enumerate() {
                if missing.lane(lane) {
                    point.z = [0; 4];
                }
            }
        }
    }
}

/// Cuts a range into pieces: (items, where their output lies).
pub(crate) fn pieces(range: Range<usize>) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let first = range.start;
    range.clone().step_by(PIECE).map(move |start| {
        let items = start..range.end.min(start + PIECE);
        (items.clone(), items.start - first..items.end - first)
    })
}

/// An algorithm that computes a point u1 G + u2 Q for each item.
pub(crate) trait Products {
    /// Q of an item, as [`Lifted::read`] takes it.
    fn point(&self, item: usize) -> Key;

    /// u1 and u2 of the items.
    fn scalars<V: FieldVec>(&self, items: Range<usize>, out: &mut Vec<Scalars>);

    /// Reads the items' points and prepares their scalars.
    #[inline(always)]
    fn prepare<V: FieldVec>(&self, piece: &mut Piece<V>, items: Range<usize>) {
        piece.keys.read(items.len(), |i| self.point(items.start + i));
        lap("decode");
        self.scalars::<V>(items, &mut piece.scalars);
        lap("prepare");
    }
}

/// An algorithm whose point is R, and that verifies by looking at it.
pub(crate) trait Equation: Products {
    /// Whether a key stands for the one of its two points whose y is even.
    const EVEN_KEYS: bool;

    /// Indices of the keys among the pinned ones, where the batch has those.
    fn pinned(&self) -> &[u32];

    /// Fills [`Piece::agrees`]: whether each lane's R satisfies the rule, of the piece of `items`.
    fn agrees<V: FieldVec>(&self, piece: &mut Piece<V>, items: Range<usize>);

    /// x of R and the parity of its y, as the signature of an item claims: `true` is odd.
    fn claim(&self, item: usize) -> (Words, bool);

    /// Whether an R that differs from the claim makes the signature invalid.
    const BINDING: bool;
}

/// Verifies a range; `out` has its length.
pub(crate) fn verify(isa: Isa, equation: &impl Equation, range: Range<usize>, out: &mut [Verdict]) {
    isa.run(VerifyOver { equation, range, out });
}

/// Computes the points of a range, as evidence; `out` has its length.
pub(crate) fn points(isa: Isa, equation: &impl Products, range: Range<usize>, out: &mut [Point]) {
    isa.run(Points { equation, range, out });
}

/// The verdict of an item whose key exists.
pub(crate) fn verdict(agrees: bool) -> Verdict {
    if agrees { Verdict::Valid } else { Verdict::Invalid(Reason::Equation) }
}

pub(crate) struct VerifyOver<'a, E> {
    pub(crate) equation: &'a E,
    pub(crate) range: Range<usize>,
    pub(crate) out: &'a mut [Verdict],
}

impl<E: Equation> Kernel for VerifyOver<'_, E> {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        let VerifyOver { equation, range, out } = self;
        let mut piece = scratch::take::<Piece<V>>();
        V::enter(Verify { piece: &mut piece, equation, range, out });
        scratch::put(piece);
    }
}

/// Verifies a range, each item for itself.
pub(crate) struct Verify<'a, E, V: FieldVec> {
    pub(crate) piece: &'a mut Piece<V>,
    pub(crate) equation: &'a E,
    pub(crate) range: Range<usize>,
    pub(crate) out: &'a mut [Verdict],
}

impl<E: Equation, V: FieldVec> Stage for Verify<'_, E, V> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Verify { piece, equation, range, out } = self;
        for (items, slot) in pieces(range) {
            equation.prepare(piece, items.clone());
            piece.double_mul();
            equation.agrees(piece, items);
            for (group, out) in out[slot].chunks_mut(V::LANES).enumerate() {
                for (lane, out) in out.iter_mut().enumerate() {
                    *out = if piece.keys.missing[group].lane(lane) {
                        Verdict::Invalid(Reason::Key)
                    } else {
                        verdict(piece.agrees[group].lane(lane))
                    };
                }
            }
            lap("evidence");
        }
    }
}

struct Points<'a, E> {
    equation: &'a E,
    range: Range<usize>,
    out: &'a mut [Point],
}

impl<E: Products> Kernel for Points<'_, E> {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        let mut piece = scratch::take::<Piece<V>>();
        for (items, slot) in pieces(self.range) {
            self.equation.prepare(&mut piece, items);
            piece.double_mul();
            piece.store(&mut self.out[slot]);
            lap("evidence");
        }
        scratch::put(piece);
    }
}

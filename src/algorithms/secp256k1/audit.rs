//! Proof of what a device returned, by one equation for a whole batch: sum of
//! a_i (u1_i G + u2_i Q_i - R_i) = 0, where R_i is the point that came back. For recovery Q_i is the
//! point that r and the parity name, and R_i the key.
//!
//! Not the signatures are proved, but the arithmetic: an invalid signature has a point as well. Where
//! any point is wrong the sum is zero for one in 2^128 choices of a_i, and the a_i come from the system's
//! randomness once the points are there, or for want of it from a hash of the points too: not even who lies on
//! purpose gets more.

use std::ops::Range;

use crate::algorithms::secp256k1::combination::{Combination, Seed, parts};
use crate::algorithms::secp256k1::curve::{Curve, Secp256k1};
use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec, Stage};
use crate::algorithms::secp256k1::integer::{P, ZERO, from_be, is_below};
use crate::algorithms::secp256k1::inversion::invert_all;
use crate::algorithms::secp256k1::key::Key;
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::piece::{Lifted, PIECE, Products};
use crate::algorithms::secp256k1::point::{Affine, OneLane, is_possible};
use crate::algorithms::secp256k1::{ecdsa, recover, schnorr, scratch};
use crate::algorithms::sha256::Plan;
use crate::isa::{Isa, Kernel};
use crate::parsed::{KeyForm, Operands, Words};
use crate::verdict::{Evidence, Point};

/// Fewest items that one equation proves faster than their points are computed again: 3 to 12 % with
/// AVX-512, where 32 took longer (Zen 5).
const LEAST: usize = 64;

/// Names the entries of a range whose evidence is wrong, in order; all others are proved, but for one
/// in 2^128 wrong ones. Evidence is wrong that a correct device does not send: another point, none
/// where there is one, coordinates not below p, a point off the curve.
///
/// `evidence` has an entry for each of the batch, as `operands` have; evidence of another kind proves
/// nothing. Items of a pinned key share its multiple, so that such a batch costs a third. `roots` may give the y of
/// the points that operands name by x alone, Q or for recovery R, zero where unknown; empty: those that the
/// evidence has. It spares a root an item, and is not trusted: another y than the point's is wrong evidence.
///
/// What is wrong costs as much as with combined verification: a chunk that fails is computed again.
pub fn audit(
    isa: Isa,
    plan: Plan,
    operands: &Operands,
    evidence: &Evidence,
    roots: &[Words],
    range: Range<usize>,
) -> Vec<usize> {
    match evidence {
        Evidence::Rooted(rooted) => {
            let roots = if roots.is_empty() { &rooted.roots } else { roots };
            audit_from(LEAST, isa, plan, operands, &rooted.evidence, roots, range)
        }
        plain => audit_from(LEAST, isa, plan, operands, plain, roots, range),
    }
}

/// [`audit`] that takes one equation for `least` items and more.
fn audit_from(
    least: usize,
    isa: Isa,
    plan: Plan,
    operands: &Operands,
    evidence: &Evidence,
    roots: &[Words],
    range: Range<usize>,
) -> Vec<usize> {
    let Found { mut wrong, open } = match (operands, evidence) {
        (Operands::Ecdsa(products), Evidence::Points(points)) => {
            let (claim, pinned) = (&points[..], &products.pinned);
            isa.run(Audit { least, plan, products, pinned, claim, roots, range })
        }
        (Operands::Schnorr(products), Evidence::Points(points)) => {
            let (claim, pinned) = (&points[..], &products.pinned);
            isa.run(Audit { least, plan, products, pinned, claim, roots, range })
        }
        (Operands::Recover(products), Evidence::Keys(keys)) => {
            let (claim, pinned) = (&keys[..], &[]);
            isa.run(Audit { least, plan, products, pinned, claim, roots, range })
        }
        _ => return range.collect(),
    };
    if !open.is_empty() {
        wrong.extend(recompute(isa, operands, evidence, &open));
        wrong.sort_unstable();
    }
    wrong
}

/// Those of some entries whose evidence is not what the kernels compute.
fn recompute(isa: Isa, operands: &Operands, evidence: &Evidence, entries: &[usize]) -> Vec<usize> {
    const BLANK: Point = Point { x: ZERO, y: ZERO, z: ZERO };
    let (picked, all) = (operands.pick(entries), 0..entries.len());
    let differs: Box<dyn Fn(usize) -> bool> = match (&picked, evidence) {
        (Operands::Recover(operands), Evidence::Keys(keys)) => {
            let mut own = vec![[0; 64]; entries.len()];
            recover::recover(isa, operands, all.clone(), &mut own);
            Box::new(move |at| own[at] != keys[entries[at]])
        }
        (_, Evidence::Points(points)) => {
            let mut own = vec![BLANK; entries.len()];
            match &picked {
                Operands::Ecdsa(operands) => ecdsa::points(isa, operands, all.clone(), &mut own),
                Operands::Schnorr(operands) => {
                    schnorr::points(isa, operands, all.clone(), &mut own);
                }
                _ => unreachable!("algorithms whose evidence is a point"),
            }
            Box::new(move |at| {
                let claim = &points[entries[at]];
                !is_possible(claim) || !OneLane::load(claim).is(OneLane::load(&own[at]))
            })
        }
        _ => unreachable!("evidence of the operands' kind"),
    };
    all.filter(|&at| differs(at)).map(|at| entries[at]).collect()
}

/// Evidence that holds a point an item.
trait Claimed: Copy {
    fn get(self, item: usize) -> Point;

    /// The point where it lies, if it does.
    fn stored<'a>(self, item: usize) -> Option<&'a Point>
    where
        Self: 'a;
}

impl Claimed for &[Point] {
    #[inline(always)]
    fn get(self, item: usize) -> Point {
        self[item]
    }

    #[inline(always)]
    fn stored<'a>(self, item: usize) -> Option<&'a Point>
    where
        Self: 'a,
    {
        Some(&self[item])
    }
}

impl Claimed for &[[u8; 64]] {
    #[inline(always)]
    fn get(self, item: usize) -> Point {
        point_of(&self[item])
    }

    #[inline(always)]
    fn stored<'a>(self, _: usize) -> Option<&'a Point>
    where
        Self: 'a,
    {
        None
    }
}

/// A recovered key as evidence.
#[inline(always)]
fn point_of(key: &[u8; 64]) -> Point {
    let [x, y] = [0, 32].map(|at| from_be(key[at..].first_chunk().expect("32 bytes")));
    let finite = x != ZERO || y != ZERO;
    Point { x, y, z: [u64::from(finite), 0, 0, 0] }
}

/// Entries that were found wrong, and those that must be computed again.
#[derive(Default)]
struct Found {
    wrong: Vec<usize>,
    open: Vec<usize>,
}

struct Audit<'a, P, C> {
    least: usize,
    plan: Plan,
    products: &'a P,
    /// Indices of the items' keys, if pinned.
    pinned: &'a [u32],
    claim: C,
    roots: &'a [Words],
    range: Range<usize>,
}

impl<P: Products, C: Claimed> Kernel for Audit<'_, P, C> {
    type Out = Found;

    #[inline(always)]
    fn run<V: FieldVec>(self) -> Found {
        let Audit { least, plan, products, pinned, claim, roots, range } = self;
        let mut found = Found::default();
        let mut part = scratch::take::<Part<V>>();
        for items in parts(range) {
            if items.len() < least {
                // Roots that nobody needs are believed.
                found.open.extend(items);
                continue;
            }
            part.counts.clear();
            let input = Input { products, pinned, claim, roots };
            V::enter(Prepare { part: &mut *part, input: &input, items: items.clone() });
            for start in items.clone().step_by(PIECE) {
                let chunk = start..items.end.min(start + PIECE);
                let (part, found) = (&mut *part, &mut found);
                let at = start - items.start;
                V::enter(Chunk { part, input: &input, chunk, at, found });
            }
            let Part { sum, counts, .. } = &mut *part;
            sum.draw(plan, seed(), |item| counts[item]);
            for chunk in sum.failing(&vec![false; items.len().div_ceil(PIECE)]) {
                let at = chunk * PIECE..items.len().min((chunk + 1) * PIECE);
                let counting = at.filter(|&item| counts[item]).map(|item| items.start + item);
                found.open.extend(counting);
            }
        }
        scratch::put(part);
        found
    }
}

/// From the system, if it has any.
fn seed() -> Option<Seed> {
    let mut seed = Seed::default();
    getrandom::fill(&mut seed).is_ok().then_some(seed)
}

/// What a kernel reads.
struct Input<'a, P, C> {
    products: &'a P,
    pinned: &'a [u32],
    claim: C,
    roots: &'a [Words],
}

impl<P: Products, C> Input<'_, P, C> {
    /// The key of an item, with y if that is known or guessed.
    #[inline(always)]
    fn key(&self, item: usize) -> Key {
        let (x, form, y) = self.products.point(item);
        match self.roots.get(item) {
            Some(root) if form != KeyForm::Full => (x, form, *root),
            _ => (x, form, y),
        }
    }

    /// The first item of each pinned key, and for each of `items` which of these keys it has.
    fn shared(&self, items: Range<usize>) -> (Vec<usize>, Vec<u32>) {
        // More keys than any machine has room for the tables of.
        const MOST: usize = 1 << 24;
        const NONE: u32 = u32::MAX;
        let indices = self.pinned.get(items.clone()).unwrap_or_default();
        let most = indices.iter().max().map_or(0, |most| *most as usize + 1);
        if most > MOST {
            return Default::default();
        }
        let (mut known, mut firsts) = (vec![NONE; most], Vec::new());
        let slots = indices.iter().zip(items).map(|(&index, item)| {
            let slot = &mut known[index as usize];
            if *slot == NONE {
                *slot = firsts.len() as u32;
                firsts.push(item);
            }
            *slot
        });
        let slots = slots.collect();
        (firsts, slots)
    }
}

/// Working memory of one part of a batch.
struct Part<V: FieldVec> {
    /// Those of all items where they share keys, else of a chunk.
    keys: Lifted<V>,
    /// Which of them each item has; empty where each has its own.
    slots: Vec<u32>,
    claims: Claims<V>,
    scalars: Vec<Scalars>,
    sum: Combination<V>,
    /// Whether each item takes part in the sum.
    counts: Vec<bool>,
}

impl<V: FieldVec> Default for Part<V> {
    fn default() -> Self {
        Part {
            keys: Lifted::default(),
            slots: Vec::new(),
            claims: Claims::default(),
            scalars: Vec::new(),
            sum: Combination::default(),
            counts: Vec::new(),
        }
    }
}

/// Computes the scalars of a part, by one inversion, and reads its pinned keys.
struct Prepare<'a, V: FieldVec, P, C> {
    part: &'a mut Part<V>,
    input: &'a Input<'a, P, C>,
    items: Range<usize>,
}

impl<V: FieldVec, P: Products, C> Stage for Prepare<'_, V, P, C> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Prepare { part: Part { keys, slots, scalars, sum, .. }, input, items } = self;
        input.products.scalars::<V>(items.clone(), scalars);
        let firsts;
        (firsts, *slots) = input.shared(items.clone());
        if slots.is_empty() {
            sum.begin(items.len(), items.len(), &[]);
        } else {
            sum.begin(items.len(), firsts.len(), slots);
            keys.read(firsts.len(), |i| input.key(firsts[i]));
            sum.add_keys(0, &keys.points);
        }
    }
}

/// Reads the points of a chunk.
struct Chunk<'a, V: FieldVec, P, C> {
    part: &'a mut Part<V>,
    input: &'a Input<'a, P, C>,
    chunk: Range<usize>,
    /// Where it is in the part.
    at: usize,
    found: &'a mut Found,
}

impl<V: FieldVec, P: Products, C: Claimed> Stage for Chunk<'_, V, P, C> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Chunk { part, input, chunk, at, found } = self;
        let Part { keys, slots, claims, scalars, sum, counts } = part;
        if slots.is_empty() {
            keys.read(chunk.len(), |i| input.key(chunk.start + i));
            sum.add_keys(at, &keys.points);
        }
        claims.read(chunk.clone(), input.claim);
        for (group, start) in chunk.clone().step_by(V::LANES).enumerate() {
            let absent = claims.absent[group];
            let mut wrong = claims.wrong[group];
            let no_key = if slots.is_empty() {
                wrong = wrong.or(keys.misfits[group]);
                keys.missing[group]
            } else {
                let slots = &slots[at + group * V::LANES..];
                V::Mask::from_fn(V::LANES.min(slots.len()), |lane| {
                    let slot = slots[lane] as usize;
                    keys.missing[slot / V::LANES].lane(slot % V::LANES)
                })
            };
            let well = !absent.or(wrong).or(no_key).any();
            for (lane, item) in (start..chunk.end.min(start + V::LANES)).enumerate() {
                counts.push(well || !absent.or(wrong).or(no_key).lane(lane));
                if well {
                    continue;
                }
                if wrong.lane(lane) || no_key.lane(lane) && !absent.lane(lane) {
                    found.wrong.push(item);
                } else if absent.lane(lane) && !no_key.lane(lane) {
                    found.open.push(item);
                }
            }
        }
        sum.add(&scalars[at..][..chunk.len()], &claims.points);
    }
}

/// Points that came back, a group of lanes each.
struct Claims<V: FieldVec> {
    /// The generator stands in where there is none.
    points: Vec<Affine<V>>,
    /// Lanes with Z = 0.
    absent: Vec<V::Mask>,
    /// Lanes with coordinates that are no point of the curve.
    wrong: Vec<V::Mask>,
    inverses: Vec<V>,
    prefixes: Vec<V>,
}

impl<V: FieldVec> Default for Claims<V> {
    fn default() -> Self {
        Claims {
            points: Vec::new(),
            absent: Vec::new(),
            wrong: Vec::new(),
            inverses: Vec::new(),
            prefixes: Vec::new(),
        }
    }
}

const ONE: Words = [1, 0, 0, 0];

/// x and y of a point a lane, of such points as all have Z = 1 and coordinates clearly below p.
#[inline(always)]
fn plain<'a, V: FieldVec>(point: impl Fn(usize) -> Option<&'a Point>) -> Option<[V; 2]> {
    let mut points = [&GENERATOR; LANES];
    for (lane, slot) in points[..V::LANES].iter_mut().enumerate() {
        *slot = point(lane)?;
    }
    let is_plain = |point: &&Point| point.x[3] != P[3] && point.y[3] != P[3] && point.z == ONE;
    let all = points[..V::LANES].iter().all(is_plain);
    if !all {
        return None;
    }
    // No closure around vectors: it may be compiled for another level.
    Some([V::pick(|lane| &points[lane].x), V::pick(|lane| &points[lane].y)])
}

const GENERATOR: Point = {
    let [x, y] = Secp256k1::GENERATOR;
    Point { x, y, z: ONE }
};

impl<V: FieldVec> Claims<V> {
    /// Reads `items` points; one inversion makes those affine that are not.
    #[inline(always)]
    fn read(&mut self, items: Range<usize>, claim: impl Claimed) {
        let Claims { points, absent, wrong, inverses, prefixes } = self;
        points.clear();
        absent.clear();
        wrong.clear();
        inverses.clear();
        let [generator_x, generator_y] = Secp256k1::GENERATOR;
        let mut affine = true;
        for start in items.clone().step_by(V::LANES) {
            if items.end - start >= V::LANES
                && let Some([x, y]) = plain(|lane| claim.stored(start + lane))
            {
                points.push(Affine { x, y });
                inverses.push(V::splat(&ONE));
                absent.push(V::Mask::splat(false));
                wrong.push(V::Mask::splat(false));
                continue;
            }
            let mut x = [generator_x; LANES];
            let mut y = [generator_y; LANES];
            let mut z = [ONE; LANES];
            let (mut none, mut large) = (0, 0);
            for lane in 0..V::LANES.min(items.end - start) {
                let point = claim.get(start + lane);
                if [&point.x, &point.y, &point.z].into_iter().any(|words| !is_below(words, &P)) {
                    large |= 1 << lane;
                } else if point.z == ZERO {
                    none |= 1 << lane;
                } else {
                    (x[lane], y[lane], z[lane]) = (point.x, point.y, point.z);
                    affine &= point.z == ONE;
                }
            }
            let [x, y, z] = [x, y, z].map(|words| V::load(&words[..V::LANES]));
            points.push(Affine { x, y });
            inverses.push(z);
            absent.push(V::Mask::from_bits(none));
            wrong.push(V::Mask::from_bits(large));
        }
        if !affine {
            invert_all(inverses, prefixes);
            for (Affine { x, y }, inverse) in points.iter_mut().zip(&*inverses) {
                let square = inverse.square();
                *x = x.mul(square);
                *y = y.mul(square.mul(*inverse));
            }
        }
        for (Affine { x, y }, wrong) in points.iter_mut().zip(wrong) {
            let off = y.square_add(Affine::square_of_y(*x).negate(1)).is_zero().not();
            if off.any() {
                *wrong = wrong.or(off);
                *x = V::select(off, V::splat(&generator_x), *x);
                *y = V::select(off, V::splat(&generator_y), *y);
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Verification against keys whose tables were made before: u1 G + u2 Q as a sum of table rows.

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use crate::algorithms::secp256k1::comb::{self, Digit};
use crate::algorithms::secp256k1::curve::{Curve, Secp256k1};
use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::multiply::{Scalars, double_mul};
use crate::algorithms::secp256k1::piece::{Equation, Piece, verdict};
use crate::algorithms::secp256k1::point::{Affine, Jacobian};
use crate::algorithms::secp256k1::scalar;
use crate::algorithms::secp256k1::scratch;
use crate::algorithms::secp256k1::sums::{Rows, Sums};
use crate::algorithms::secp256k1::table::KeyTables;
use crate::isa::{Isa, Kernel};
use crate::laps::lap;
use crate::parsed::Words;
use crate::pinned::PinnedKeys;
use crate::verdict::Verdict;

/// Items that share the inversions of their sums. Their sums, 3 KiB an item, leave a second-level
/// cache of 1 MiB, but are read and written in order; pieces of 512 took 3 to 5 % longer there.
const PIECE: usize = 1024;

/// Bytes of one key's table.
pub(crate) const KEY_BYTES: usize = Secp256k1::KEY_COMB.rows() * size_of::<Row>();

/// Makes the tables of all keys, on the threads of the current rayon pool.
pub(crate) fn tables(isa: Isa, keys: &[[Words; 2]]) -> Vec<Row> {
    let rows = Secp256k1::KEY_COMB.rows();
    let mut out = vec![Row([[0; 4]; 2]); keys.len() * rows];
    keys.par_chunks(LANES)
        .zip(out.par_chunks_mut(LANES * rows))
        .for_each(|(keys, out)| comb::key_tables::<Secp256k1>(isa, keys, out));
    Secp256k1::generator_comb(isa);
    out
}

/// Verifies a range of a batch; `out` has its length.
pub(crate) fn verify(
    isa: Isa,
    keys: &PinnedKeys,
    equation: &impl Equation,
    range: Range<usize>,
    out: &mut [Verdict],
) {
    isa.run(Verify { isa, keys, equation, range, out });
}

struct Verify<'a, E> {
    isa: Isa,
    keys: &'a PinnedKeys,
    equation: &'a E,
    range: Range<usize>,
    out: &'a mut [Verdict],
}

impl<E: Equation> Kernel for Verify<'_, E> {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        let Verify { isa, keys, equation, range, out } = self;
        let mut piece = scratch::take::<Piece<V>>();
        let mut multiplier = scratch::take::<Multiplier<V>>();
        let mut start = range.start;
        for out in out.chunks_mut(PIECE) {
            let items = start..start + out.len();
            start = items.end;
            equation.scalars::<V>(items.clone(), &mut piece.scalars);
            let indices = &equation.pinned()[items.clone()];
            if E::EVEN_KEYS {
                // -e Q for the even one of Q and -Q.
                for (scalars, &key) in piece.scalars.iter_mut().zip(indices) {
                    if keys.point(key)[1][0] & 1 == 1 {
                        scalars.u2 = scalar::negate(&scalars.u2);
                    }
                }
            }
            lap("prepare");
            let tables = Tables {
                generator: Secp256k1::generator_comb(isa),
                keys: keys.rows(),
                point: |key| keys.point(key),
            };
            multiplier.run::<Secp256k1>(&tables, &piece.scalars, indices, &mut piece.points);
            lap("multiply_pinned");
            equation.agrees(&mut piece, items);
            for (group, out) in out.chunks_mut(V::LANES).enumerate() {
                for (lane, out) in out.iter_mut().enumerate() {
                    *out = verdict(piece.agrees[group].lane(lane));
                }
            }
            lap("evidence");
        }
        scratch::put(multiplier);
        scratch::put(piece);
    }
}

/// What a multiplier adds up.
pub(crate) struct Tables<'a, P> {
    /// The generator's table.
    pub(crate) generator: &'a [Row],
    /// The tables of the keys, one after the other.
    pub(crate) keys: &'a [Row],
    /// The key at an index.
    pub(crate) point: P,
}

/// Computes u1 G + u2 Q for the items of a piece; keeps its memory from piece to piece.
pub(crate) struct Multiplier<V: FieldVec> {
    digits: Vec<Digit>,
    sums: Sums<V>,
}

impl<V: FieldVec> Default for Multiplier<V> {
    fn default() -> Self {
        Multiplier { digits: Vec::new(), sums: Sums::default() }
    }
}

impl<V: FieldVec> Multiplier<V> {
    /// `indices` names the key of each item. `out` gets a point for each group of lanes, infinity as
    /// Z = 0.
    #[inline(always)]
    pub(crate) fn run<C: Curve>(
        &mut self,
        tables: &Tables<'_, impl Fn(u32) -> [Words; 2]>,
        scalars: &[Scalars],
        indices: &[u32],
        out: &mut Vec<Jacobian<V>>,
    ) {
        let key_digits = C::KEY_COMB.windows().len();
        let digits = 2 * (key_digits + C::GENERATOR_COMB.windows().len());
        let groups = scalars.len().div_ceil(V::LANES);
        self.digits.clear();
        self.digits.resize(groups * digits, Digit::BLANK);
        let lanes = scalars.chunks(V::LANES).zip(indices.chunks(V::LANES));
        for ((scalars, indices), digits) in lanes.zip(self.digits.chunks_mut(digits)) {
            let mut first = [0; LANES];
            for (first, &index) in first.iter_mut().zip(indices) {
                *first = index * C::KEY_COMB.rows() as u32;
            }
            comb::digits::<C, V>(scalars, &first, digits);
        }
        let Tables { generator, keys, .. } = *tables;
        let rows = Rows { keys, generator, key_digits, digits: &self.digits };
        self.sums.run(rows, groups, out);
        let items = scalars.chunks(V::LANES).zip(indices.chunks(V::LANES));
        for ((point, exceptional), items) in out.iter_mut().zip(&self.sums.exceptional).zip(items) {
            let (scalars, indices) = items;
            let redo = point.z.is_zero().or(*exceptional).and(V::Mask::first(scalars.len()));
            if redo.any() {
                let [mut x, mut y] = [[[0; 4]; LANES]; 2];
                for lane in 0..V::LANES {
                    let index = indices[lane.min(indices.len() - 1)];
                    [x[lane], y[lane]] = (tables.point)(index);
                }
                let [x, y] = [V::load(&x[..V::LANES]), V::load(&y[..V::LANES])];
                let key = Affine { x, y };
                let again = V::enter(Unpinned::<C, V> { key, scalars, curve: PhantomData });
                *point = Jacobian {
                    x: V::select(redo, again.x, point.x),
                    y: V::select(redo, again.y, point.y),
                    z: V::select(redo, again.z, point.z),
                };
            }
        }
    }
}

/// Computes a group again as if its keys were not pinned: senders can force a case outside the
/// formulas here, and there it costs no more than a second ladder.
struct Unpinned<'a, C, V: FieldVec> {
    /// A key a lane.
    key: Affine<V>,
    scalars: &'a [Scalars],
    curve: PhantomData<C>,
}

impl<C: Curve, V: FieldVec> Stage for Unpinned<'_, C, V> {
    type Out = Jacobian<V>;

    #[inline(always)]
    fn run(self) -> Jacobian<V> {
        let mut points = Vec::new();
        double_mul::<C, V>(&[self.key], self.scalars, &mut KeyTables::new(), &mut points);
        points[0]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use k256::elliptic_curve::PrimeField;

    use k256::ProjectivePoint;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::algorithms::secp256k1::integer::{self, N, from_be, reduce_n};
    use crate::algorithms::secp256k1::multiply::tests::{LAMBDA, affine, scalar};
    use crate::algorithms::secp256k1::point::OneLane;
    use crate::verdict::Point;

    /// A piece over tables of any curve, to points.
    pub(crate) struct Pinned<'a, C> {
        pub(crate) keys: &'a [[Words; 2]],
        pub(crate) rows: &'a [Row],
        pub(crate) generator: &'a [Row],
        pub(crate) scalars: &'a [Scalars],
        pub(crate) indices: &'a [u32],
        pub(crate) over: PhantomData<C>,
    }

    impl<C: Curve> Kernel for Pinned<'_, C> {
        type Out = Vec<Point>;

        #[inline(always)]
        fn run<V: FieldVec>(self) -> Vec<Point> {
            let Pinned { keys, rows, generator, scalars, indices, .. } = self;
            let tables = Tables { generator, keys: rows, point: |key| keys[key as usize] };
            let mut sums = Vec::new();
            Multiplier::<V>::default().run::<C>(&tables, scalars, indices, &mut sums);
            let mut out = vec![Point { x: [0; 4], y: [0; 4], z: [0; 4] }; scalars.len()];
            sums.iter().zip(out.chunks_mut(V::LANES)).for_each(|(sum, out)| sum.store(out));
            out
        }
    }

    fn small(k: u64) -> Words {
        [k, 0, 0, 0]
    }

    fn minus(k: u64) -> Words {
        integer::sub(&N, &small(k)).0
    }

    /// Computes items (u1, u2, logarithm of the key's index) in pieces on every level and compares
    /// with k256.
    fn compare(logarithms: &[Words], items: &[(Words, Words, u32)], piece: usize) {
        let g = ProjectivePoint::GENERATOR;
        let points: Vec<_> = logarithms.iter().map(|d| g * scalar(d)).collect();
        let keys: Vec<_> = points.iter().map(|q| affine(*q).expect("finite")).collect();
        let sum = |(u1, u2, key): &(Words, Words, u32)| {
            affine(g * scalar(u1) + points[*key as usize] * scalar(u2))
        };
        let expected: Vec<_> = items.iter().map(sum).collect();
        for isa in Isa::all() {
            let rows = tables(isa, &keys);
            for (items, expected) in items.chunks(piece).zip(expected.chunks(piece)) {
                let scalars: Vec<_> = items.iter().map(|&(u1, u2, _)| Scalars { u1, u2 }).collect();
                let indices: Vec<_> = items.iter().map(|item| item.2).collect();
                let sums = isa.run(Pinned::<Secp256k1> {
                    keys: &keys,
                    rows: &rows,
                    generator: Secp256k1::generator_comb(isa),
                    scalars: &scalars,
                    indices: &indices,
                    over: PhantomData,
                });
                for ((sum, expected), item) in sums.iter().zip(expected).zip(items) {
                    assert_eq!(OneLane::load(sum).to_affine(), *expected, "{isa}: {item:x?}");
                }
            }
        }
    }

    #[test]
    fn random_and_biased_pairs_agree_with_k256() {
        let mut random = StdRng::seed_from_u64(12);
        let mut next = || {
            reduce_n(core::array::from_fn(|_| match random.random_range(0..4) {
                0 => 0,
                1 => u64::MAX,
                _ => random.random::<u64>(),
            }))
        };
        let mut logarithms: Vec<_> = (0..20).map(|_| next()).collect();
        logarithms.retain(|d| *d != [0; 4]);
        let keys = logarithms.len() as u32;
        let count = if cfg!(debug_assertions) { 150 } else { 1_500 };
        let items: Vec<_> = (0..count).map(|i| (next(), next(), i % keys)).collect();
        for piece in [1, 3, 7, 8, 9, 65, 512] {
            compare(&logarithms, &items[..items.len().min(4 * piece + 40)], piece);
        }
        compare(&logarithms, &items, 512);
        // One key in all items.
        let same: Vec<_> = items.iter().take(130).map(|&(u1, u2, _)| (u1, u2, 1)).collect();
        compare(&logarithms, &same, 130);
    }

    /// Keys that meet the generator's multiples, and scalars that cancel, next to each other.
    #[test]
    fn special_points_agree_with_k256() {
        let squared = integer::sub(&minus(1), &LAMBDA).0;
        let logarithms =
            [small(1), minus(1), small(2), minus(2), small(3), LAMBDA, squared, small(1 << 40)];
        let scalars = [
            small(0),
            small(1),
            small(2),
            small(3),
            small(256),
            small(1 << 15),
            minus(1),
            minus(2),
            LAMBDA,
            integer::sub(&N, &LAMBDA).0,
            [0, 0, 1, 0],
            [u64::MAX, u64::MAX, 0, 0],
        ];
        let mut items = Vec::new();
        for key in 0..logarithms.len() as u32 {
            for u1 in scalars {
                for u2 in scalars {
                    items.push((u1, u2, key));
                }
            }
        }
        compare(&logarithms, &items, 512);
        compare(&logarithms, &items[..144], 10);
    }

    /// u1 G = u2 Q and u1 G = -u2 Q: the doubled product, and infinity.
    #[test]
    fn equal_and_opposite_products() {
        let d = [0x1111, 0x2222, 0x3333, 0x4444];
        let mut items = Vec::new();
        for u2 in [small(1), small(77), LAMBDA, minus(5)] {
            let product = from_be(&(scalar(&u2) * scalar(&d)).to_repr().into());
            items.push((product, u2, 0));
            items.push((integer::sub(&N, &product).0, u2, 0));
        }
        items.extend((1..200).map(|i| (small(i), minus(i), 0)));
        compare(&[d], &items, 512);
    }
}

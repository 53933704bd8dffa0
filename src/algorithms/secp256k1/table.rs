//! Tables of odd multiples: one for each key of a piece, and one for the generator.

use crate::algorithms::secp256k1::curve::Curve;
use crate::algorithms::secp256k1::field::{FieldVec, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::inversion::invert_all;
use crate::algorithms::secp256k1::point::{Affine, Jacobian};
use crate::algorithms::secp256k1::portable::Scalar5x52;

/// Odd multiples of the generator: entry i is (2 i + 1) G. For secp256k1, 2^14 entries of 64 bytes,
/// 1 MiB; the endomorphism gives those of lambda G for one product each.
pub type GeneratorTable = Vec<Row>;

/// Computes the generator's table: additions of 2 G, then one shared inversion.
pub fn generator_table<C: Curve>() -> GeneratorTable {
    let entries = 1 << (C::KEY_WIDTH as usize * C::GENERATOR_STRIDE - 1);
    let generator: Affine<Scalar5x52> = {
        let [x, y] = C::GENERATOR.map(|words| Scalar5x52::splat(&words));
        Affine { x, y }
    };
    let [x, y] = generator.to_jacobian().double().to_affine().expect("2 G is not infinity");
    let twice = Affine { x: Scalar5x52::splat(&x), y: Scalar5x52::splat(&y) };
    let mut points: Vec<Jacobian<Scalar5x52>> = vec![generator.to_jacobian()];
    for i in 1..entries {
        points.push(points[i - 1].add_complete(twice));
    }
    let mut inverses: Vec<_> = points.iter().map(|point| point.z).collect();
    invert_all(&mut inverses, &mut Vec::new());
    let affine = |(point, inverse): (&Jacobian<Scalar5x52>, &Scalar5x52)| {
        let square = inverse.square();
        let mut row = [[0; 4]; 2];
        point.x.mul(square).store(&mut row[..1]);
        point.y.mul(square.mul(*inverse)).store(&mut row[1..]);
        Row(row)
    };
    points.iter().zip(&inverses).map(affine).collect()
}

/// The tables of a piece's keys: for each group of lanes 2^(width - 1) odd multiples of Q.
///
/// All points are affine. An affine addition costs 2 products and a squaring beside the inverse of
/// x2 - x1, and one inversion serves the whole piece. Multiples are made in rounds, each doubling
/// what is there: from Q, .., (2^k - 1) Q and 2^k Q come (2^k + 1) Q, .., (2^(k+1) - 1) Q by
/// adding, and 2^(k+1) Q by doubling.
#[derive(Debug)]
pub struct KeyTables<V: FieldVec> {
    /// Entry (2 i + 1) Q of the key in lane l of group g at `(g * LANES + l) * entries + i`.
    rows: Vec<Row>,
    entries: usize,
    /// Lanes in which a sum met equal x: their entries are worthless.
    exceptional: Vec<V::Mask>,
    /// x and y of entry (2 i + 1) Q of group g at `g * entries / 2 + i`: what later ones are made
    /// of.
    points: Vec<[V; 2]>,
    powers: Vec<[V; 2]>,
    denominators: Vec<V>,
    prefixes: Vec<V>,
}

impl<V: FieldVec> KeyTables<V> {
    /// No tables yet.
    pub fn new() -> Self {
        KeyTables {
            rows: Vec::new(),
            entries: 0,
            exceptional: Vec::new(),
            points: Vec::new(),
            powers: Vec::new(),
            denominators: Vec::new(),
            prefixes: Vec::new(),
        }
    }

    /// The odd multiples of some keys, key after key: entry i of a key is (2 i + 1) Q.
    #[inline(always)]
    pub fn keys(&self, first: usize, keys: usize) -> &[Row] {
        &self.rows[first * self.entries..][..keys * self.entries]
    }

    /// The lanes of a group whose entries are worthless.
    #[inline(always)]
    pub fn exceptional(&self, group: usize) -> V::Mask {
        self.exceptional[group]
    }

    /// Computes the tables of all keys. On return `exceptional` names the lanes that failed.
    pub fn build(&mut self, keys: impl Iterator<Item = Affine<V>>, width: u32) {
        let entries = 1 << (width - 1);
        self.entries = entries;
        self.powers.clear();
        self.powers.extend(keys.map(|key| [key.x, key.y]));
        let groups = self.powers.len();
        self.exceptional.clear();
        self.exceptional.resize(groups, V::Mask::splat(false));
        // Whatever stood there before is written over.
        self.rows.resize(groups * V::LANES * entries, Row([[0; 4]; 2]));
        self.points.resize_with(groups * (entries / 2).max(1), || self.powers[0]);
        // The first power is 2 Q; no odd multiple but Q exists below it.
        V::enter(Round { tables: self, have: 0 });
        let mut have = 1;
        while have < entries {
            V::enter(Round { tables: self, have });
            have *= 2;
        }
    }

    /// Writes an entry of a group: to its rows, and to the points if others are made of it.
    #[inline(always)]
    fn put(&mut self, group: usize, entry: usize, point: [V; 2]) {
        let entries = self.entries;
        if entry < (entries / 2).max(1) {
            self.points[group * (entries / 2).max(1) + entry] = point;
        }
        let rows = &mut self.rows[group * V::LANES * entries..][..V::LANES * entries];
        V::scatter(point, |lane, row| rows[lane * entries + entry] = row);
    }
}

impl<V: FieldVec> Default for KeyTables<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Adds the present power to the first `have` odd multiples, and doubles the power unless this is
/// the last round. Round 0 writes Q itself.
struct Round<'a, V: FieldVec> {
    tables: &'a mut KeyTables<V>,
    have: usize,
}

impl<V: FieldVec> Stage for Round<'_, V> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Round { tables, have } = self;
        let entries = tables.entries;
        let sources = (entries / 2).max(1);
        let last = 2 * have >= entries;
        let mut denominators = std::mem::take(&mut tables.denominators);
        denominators.clear();
        for group in 0..tables.powers.len() {
            let [x, y] = tables.powers[group];
            if have == 0 {
                tables.put(group, 0, [x, y]);
            }
            for [source, _] in &tables.points[group * sources..][..have] {
                denominators.push(x.add(source.negate(1)).carry());
            }
            if !last {
                denominators.push(y.times(2).carry());
            }
        }
        invert_all(&mut denominators, &mut tables.prefixes);
        let mut inverses = denominators.iter();
        for group in 0..tables.powers.len() {
            let mut exceptional = tables.exceptional[group];
            let power = tables.powers[group];
            for i in 0..have {
                let inverse = *inverses.next().expect("one for each sum");
                exceptional = exceptional.or(inverse.is_zero());
                let from = tables.points[group * sources + i];
                let slope = power[1].add(from[1].negate(1)).carry().mul(inverse);
                tables.put(group, have + i, chord(slope, from, power));
            }
            if !last {
                let inverse = *inverses.next().expect("one for each doubling");
                exceptional = exceptional.or(inverse.is_zero());
                let slope = power[0].square().times(3).carry().mul(inverse);
                tables.powers[group] = chord(slope, power, power);
            }
            tables.exceptional[group] = exceptional;
        }
        tables.denominators = denominators;
    }
}

/// The third point of a line of this slope through P and A, mirrored: x3 = s^2 - x1 - x2,
/// y3 = s (x1 - x3) - y1. Coordinates are normalized.
#[inline(always)]
fn chord<V: FieldVec>(slope: V, p: [V; 2], a: [V; 2]) -> [V; 2] {
    let x = slope.square_add(p[0].add(a[0]).negate(2)).normalize();
    let y = slope.mul_add(p[0].add(x.negate(1)).carry(), p[1].negate(1)).normalize();
    [x, y]
}

//! Tables of odd multiples: one for each key of a piece, and one for the generator.

use crate::algorithms::secp256k1::curve::Curve;
use crate::algorithms::secp256k1::field::{FieldVec, MaskVec, invert_all};
use crate::algorithms::secp256k1::point::{Affine, Jacobian};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::parsed::Words;

/// Odd multiples of the generator: entry i is (2 i + 1) G, packed as x and y. For secp256k1, 2^14
/// entries of 64 bytes, 1 MiB; the endomorphism gives those of lambda G for one product each.
pub type GeneratorTable = Vec<[Words; 2]>;

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
        let mut out = [[0; 4]; 2];
        point.x.mul(square).store(&mut out[..1]);
        point.y.mul(square.mul(*inverse)).store(&mut out[1..]);
        out
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
    /// x and y of entry (2 i + 1) Q of group g at `g * entries + i`.
    points: Vec<[V; 2]>,
    entries: usize,
    /// Lanes in which a sum met equal x: their entries are worthless.
    exceptional: Vec<V::Mask>,
    powers: Vec<[V; 2]>,
    denominators: Vec<V>,
    prefixes: Vec<V>,
}

impl<V: FieldVec> KeyTables<V> {
    /// No tables yet.
    pub fn new() -> Self {
        KeyTables {
            points: Vec::new(),
            entries: 0,
            exceptional: Vec::new(),
            powers: Vec::new(),
            denominators: Vec::new(),
            prefixes: Vec::new(),
        }
    }

    /// The odd multiples of group `group`: entry i is (2 i + 1) Q.
    #[inline(always)]
    pub fn group(&self, group: usize) -> &[[V; 2]] {
        &self.points[group * self.entries..][..self.entries]
    }

    /// The lanes of a group whose entries are worthless.
    #[inline(always)]
    pub fn exceptional(&self, group: usize) -> V::Mask {
        self.exceptional[group]
    }

    /// Computes the tables of all keys. On return `exceptional` names the lanes that failed.
    pub fn build(&mut self, keys: &[Affine<V>], width: u32) {
        let entries = 1 << (width - 1);
        self.entries = entries;
        self.exceptional.clear();
        self.exceptional.resize(keys.len(), V::Mask::splat(false));
        let blank = V::splat(&[0; 4]);
        self.points.clear();
        self.points.resize(keys.len() * entries, [blank; 2]);
        self.powers.clear();
        for (group, key) in keys.iter().enumerate() {
            self.points[group * entries] = [key.x, key.y];
            self.powers.push([key.x, key.y]);
        }
        // The first power is 2 Q; no odd multiple but Q exists below it.
        self.round(0);
        let mut have = 1;
        while have < entries {
            self.round(have);
            have *= 2;
        }
    }

    /// Adds the present power to the first `have` odd multiples, and doubles the power unless this
    /// was the last round.
    fn round(&mut self, have: usize) {
        let entries = self.entries;
        let last = 2 * have >= entries && have > 0;
        self.denominators.clear();
        for (group, power) in self.powers.iter().enumerate() {
            for i in 0..have {
                let [x, _] = self.points[group * entries + i];
                self.denominators.push(power[0].add(x.negate(1)));
            }
            if !last {
                self.denominators.push(power[1].times(2));
            }
        }
        invert_all(&mut self.denominators, &mut self.prefixes);
        let mut inverses = self.denominators.iter();
        for (group, power) in self.powers.iter_mut().enumerate() {
            let mut exceptional = self.exceptional[group];
            for i in 0..have {
                let inverse = *inverses.next().expect("one for each sum");
                exceptional = exceptional.or(inverse.is_zero());
                let from = self.points[group * entries + i];
                let slope = power[1].add(from[1].negate(1)).mul(inverse);
                self.points[group * entries + have + i] = chord(slope, from, *power);
            }
            if !last {
                let inverse = *inverses.next().expect("one for each doubling");
                exceptional = exceptional.or(inverse.is_zero());
                let slope = power[0].square().times(3).mul(inverse);
                *power = chord(slope, *power, *power);
            }
            self.exceptional[group] = exceptional;
        }
    }
}

impl<V: FieldVec> Default for KeyTables<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// The third point of a line of this slope through P and A, mirrored: x3 = s^2 - x1 - x2,
/// y3 = s (x1 - x3) - y1. Coordinates have magnitude 1.
#[inline(always)]
fn chord<V: FieldVec>(slope: V, p: [V; 2], a: [V; 2]) -> [V; 2] {
    let x = slope.square().add(p[0].add(a[0]).negate(2)).normalize();
    let y = slope.mul(p[0].add(x.negate(1))).add(p[1].negate(1)).normalize();
    [x, y]
}

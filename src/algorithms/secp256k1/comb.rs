//! Tables of multiples so wide that a product is a sum of their rows, without doublings: one for the
//! generator, one for each key known ahead.
//!
//! A half of a scalar is odd, so it is a sum of odd digits, one a window: for the window at bit s,
//! of w bits, d 2^s with |d| < 2^w. The table has the row (2 i + 1) 2^s Q for each |d| = 2 i + 1.

use crate::algorithms::secp256k1::curve::Curve;
use crate::algorithms::secp256k1::field::{FieldVec, LANES, Row, invert_all};
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::point::{Affine, Jacobian};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::scalar::Half;
use crate::algorithms::secp256k1::table::KeyTables;
use crate::isa::{Isa, Kernel};
use crate::parsed::Words;

/// Most windows of a half.
const WINDOWS: usize = 32;

/// One window of a half.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Its lowest bit.
    pub shift: u32,
    /// Its bits: digits are odd and below 2^width in size.
    pub width: u32,
    /// The row of its digit 1.
    pub row: u32,
}

/// How halves are cut into windows.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    windows: [Window; WINDOWS],
    count: usize,
    rows: usize,
}

impl Layout {
    /// `count` windows for odd halves below 2^bits, as equal as they can be: the lower ones have a bit
    /// more where `bits` does not divide.
    pub const fn new(bits: u32, count: usize) -> Layout {
        let mut windows = [Window { shift: 0, width: 0, row: 0 }; WINDOWS];
        let (mut shift, mut row) = (0, 0);
        let mut i = 0;
        while i < count {
            let width = bits / count as u32 + (i < (bits as usize % count)) as u32;
            windows[i] = Window { shift, width, row };
            shift += width;
            row += 1 << (width - 1);
            i += 1;
        }
        Layout { windows, count, rows: row as usize }
    }

    /// The windows, from the lowest bits upward.
    pub fn windows(&self) -> &[Window] {
        &self.windows[..self.count]
    }

    /// Rows of a table.
    pub const fn rows(&self) -> usize {
        self.rows
    }
}

/// One digit a lane, as the row that it adds.
#[derive(Clone, Copy, Debug)]
pub struct Digit {
    /// The row.
    pub rows: [u32; LANES],
    /// The lanes that subtract it.
    pub negative: u32,
}

impl Digit {
    /// Row 0 in every lane.
    pub const BLANK: Digit = Digit { rows: [0; LANES], negative: 0 };
}

/// Writes the digits of a half, of whose table the first row is `first`.
///
/// For odd m the digit of a window is (m mod 2^(w+1)) - 2^w, after which the rest, m >> w, is made odd
/// again by setting its lowest bit. So the bit above a window says whether its digit is positive, and
/// the bits of the window but the lowest are i, or their complement where it is not: no digit waits
/// for another.
#[inline(always)]
pub fn write(half: &Half, layout: &Layout, first: u32, lane: usize, out: &mut [Digit]) {
    let [a, b, c] = half.size;
    debug_assert!(a & 1 == 1 && c < 2);
    // Without the lowest bit, which is one, a half fits 128 bits.
    let bits = u128::from(a >> 1 | b << 63) | u128::from(b >> 1 | c << 63) << 64;
    let windows = layout.windows();
    for (index, (window, digit)) in windows.iter().zip(out).enumerate() {
        let low = (bits >> window.shift) as u32;
        let top = window.width - 1;
        // Nothing stands above the last window: its digit is positive.
        let plus = if index + 1 == windows.len() { 1 } else { low >> top & 1 };
        let row = (low ^ plus.wrapping_sub(1)) & ((1 << top) - 1);
        digit.rows[lane] = first + window.row + row;
        digit.negative |= (plus ^ 1 ^ u32::from(half.negative)) << lane;
    }
}

/// The digits of a group of items: those of k1 and then those of k2, each first over the key's table
/// and then over the generator's.
#[inline(always)]
pub fn digits<C: Curve, V: FieldVec>(scalars: &[Scalars], first: &[u32], out: &mut [Digit]) {
    let (k1, k2) = out.split_at_mut(out.len() / 2);
    let keys = C::KEY_COMB.windows().len();
    for lane in 0..V::LANES {
        // Lanes past the last item repeat it.
        let item = lane.min(scalars.len() - 1);
        let Scalars { u1, u2 } = &scalars[item];
        for (half, out) in C::split(u2).iter().zip([&mut *k1, &mut *k2]) {
            write(half, &C::KEY_COMB, first[item], lane, &mut out[..keys]);
        }
        for (half, out) in C::split(u1).iter().zip([&mut *k1, &mut *k2]) {
            write(half, &C::GENERATOR_COMB, 0, lane, &mut out[keys..]);
        }
    }
}

/// The table of the generator.
pub fn generator_table<C: Curve>(isa: Isa) -> Vec<Row> {
    let [x, y] = C::GENERATOR.map(|words| Scalar5x52::splat(&words));
    let mut power = Affine { x, y }.to_jacobian();
    let mut bases = Vec::new();
    for window in C::GENERATOR_COMB.windows() {
        bases.push(power.to_affine().expect("the order is odd"));
        (0..window.width).for_each(|_| power = power.double());
    }
    isa.run(Generator { bases, layout: &C::GENERATOR_COMB })
}

struct Generator<'a> {
    /// 2^shift G of each window.
    bases: Vec<[Words; 2]>,
    layout: &'a Layout,
}

impl Kernel for Generator<'_> {
    type Out = Vec<Row>;

    #[inline(always)]
    fn run<V: FieldVec>(self) -> Vec<Row> {
        let Generator { bases, layout } = self;
        let mut rows = vec![Row([[0; 4]; 2]); layout.rows()];
        let mut tables = KeyTables::<V>::new();
        // A lane a window, as many at once as have the same width.
        let mut start = 0;
        for windows in layout.windows().chunk_by(|a, b| a.width == b.width) {
            let groups = windows.chunks(V::LANES).zip(bases[start..].chunks(V::LANES));
            for (windows, bases) in groups {
                let load = |k: usize| {
                    let lane = |lane: usize| bases[lane.min(windows.len() - 1)][k];
                    V::load(&std::array::from_fn::<Words, LANES, _>(lane)[..V::LANES])
                };
                tables.build(&[Affine { x: load(0), y: load(1) }], windows[0].width);
                let made = tables.group(0).chunks(tables.group(0).len() / V::LANES);
                for (window, made) in windows.iter().zip(made) {
                    rows[window.row as usize..][..made.len()].copy_from_slice(made);
                }
            }
            start += windows.len();
        }
        rows
    }
}

/// Writes the tables of up to [`LANES`] keys, one after the other.
pub fn key_tables<C: Curve>(isa: Isa, keys: &[[Words; 2]], out: &mut [Row]) {
    isa.run(Keys { keys, layout: &C::KEY_COMB, out });
}

struct Keys<'a> {
    keys: &'a [[Words; 2]],
    layout: &'a Layout,
    out: &'a mut [Row],
}

impl Kernel for Keys<'_> {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        let Keys { keys, layout, out } = self;
        let mut tables = KeyTables::<V>::new();
        let outs = out.chunks_mut(V::LANES * layout.rows());
        for (keys, out) in keys.chunks(V::LANES).zip(outs) {
            let load = |k: usize| {
                let lane = |lane: usize| keys[lane.min(keys.len() - 1)][k];
                V::load(&std::array::from_fn::<Words, LANES, _>(lane)[..V::LANES])
            };
            let bases = bases(Affine { x: load(0), y: load(1) }, layout);
            let same = layout.windows().chunk_by(|a, b| a.width == b.width);
            let mut start = 0;
            for windows in same {
                tables.build(&bases[start..start + windows.len()], windows[0].width);
                start += windows.len();
                for (group, window) in windows.iter().enumerate() {
                    let entries = 1 << (window.width - 1);
                    let made = tables.group(group).chunks(entries);
                    for (made, table) in made.zip(out.chunks_mut(layout.rows())) {
                        table[window.row as usize..][..entries].copy_from_slice(made);
                    }
                }
            }
        }
    }
}

/// 2^shift Q of each window.
#[inline(always)]
fn bases<V: FieldVec>(key: Affine<V>, layout: &Layout) -> Vec<Affine<V>> {
    let mut power = key.to_jacobian();
    let mut powers: Vec<Jacobian<V>> = Vec::new();
    for window in layout.windows() {
        powers.push(power);
        for _ in 0..window.width {
            power = power.double();
        }
    }
    let mut inverses: Vec<V> = powers.iter().map(|power| power.z).collect();
    invert_all(&mut inverses, &mut Vec::new());
    let affine = |(power, inverse): (&Jacobian<V>, &V)| {
        let square = inverse.square();
        let x = power.x.mul(square).normalize();
        Affine { x, y: power.y.mul(square.mul(*inverse)).normalize() }
    };
    powers.iter().zip(&inverses).map(affine).collect()
}

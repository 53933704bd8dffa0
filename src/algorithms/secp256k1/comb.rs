//! Tables of multiples so wide that a product is a sum of their rows, without doublings: one for the
//! generator, one for each key known ahead.
//!
//! A half of a scalar is odd, so it is a sum of odd digits, one a window: for the window at bit s,
//! of w bits, d 2^s with |d| < 2^w. The table has the row (2 i + 1) 2^s Q for each |d| = 2 i + 1.

use std::marker::PhantomData;

use crate::algorithms::secp256k1::curve::Curve;
use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::inversion::invert_all;
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

/// One digit a lane: the row that it adds, and, in the highest bit, whether it subtracts it instead.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub struct Digit([u32; LANES]);

const SIGN: u32 = 1 << 31;

impl Digit {
    /// Row 0 in every lane.
    pub const BLANK: Digit = Digit([0; LANES]);

    /// The row of a lane.
    #[inline(always)]
    pub fn row(&self, lane: usize) -> usize {
        (self.0[lane] & !SIGN) as usize
    }

    /// The lanes that subtract.
    #[inline(always)]
    pub fn negative<V: FieldVec>(&self) -> V::Mask {
        V::Mask::from_signs(&self.0)
    }
}

/// One half of each lane's scalar, without the lowest bit, which is one: so it fits 128 bits.
#[derive(Clone, Copy)]
struct Halves {
    low: [u64; LANES],
    high: [u64; LANES],
    negative: [u32; LANES],
}

impl Halves {
    const BLANK: Halves = Halves { low: [0; LANES], high: [0; LANES], negative: [0; LANES] };

    #[inline(always)]
    fn set(&mut self, lane: usize, half: &Half) {
        let [a, b, c] = half.size;
        debug_assert!(a & 1 == 1 && c < 2);
        self.low[lane] = a >> 1 | b << 63;
        self.high[lane] = b >> 1 | c << 63;
        self.negative[lane] = u32::from(half.negative);
    }
}

/// Writes the digits of halves, of whose tables the first row is `first`.
///
/// For odd m the digit of a window is (m mod 2^(w+1)) - 2^w, after which the rest, m >> w, is made odd
/// again by setting its lowest bit. So the bit above a window says whether its digit is positive, and
/// the bits of the window but the lowest are i, or their complement where it is not: no digit waits
/// for another, and all lanes take the same steps.
#[inline(always)]
fn write(halves: &Halves, layout: &Layout, first: &[u32; LANES], out: &mut [Digit]) {
    let windows = layout.windows();
    for (index, (window, Digit(digit))) in windows.iter().zip(out).enumerate() {
        let (shift, top) = (window.shift, window.width - 1);
        // Nothing stands above the last window: its digit is positive.
        let last = u32::from(index + 1 == windows.len());
        let mut bits = [0; LANES];
        if shift < 64 {
            for (bits, (low, high)) in bits.iter_mut().zip(halves.low.iter().zip(&halves.high)) {
                *bits = (low >> shift | high << 1 << (63 - shift)) as u32;
            }
        } else {
            for (bits, high) in bits.iter_mut().zip(&halves.high) {
                *bits = (high >> (shift - 64)) as u32;
            }
        }
        for lane in 0..LANES {
            let minus = (bits[lane] >> top & 1 | last) ^ 1;
            let row = (bits[lane] ^ minus.wrapping_neg()) & ((1 << top) - 1);
            let sign = (minus ^ halves.negative[lane]) << 31;
            digit[lane] = (first[lane] + window.row + row) | sign;
        }
    }
}

/// The digits of a group of items: those of k1 and then those of k2, each first over the key's table
/// and then over the generator's. Lanes past the last item repeat it.
pub fn digits<C: Curve, V: FieldVec>(scalars: &[Scalars], first: &[u32], out: &mut [Digit]) {
    V::enter(Digits::<C, V> { scalars, first, out, over: PhantomData });
}

struct Digits<'a, C, V> {
    scalars: &'a [Scalars],
    first: &'a [u32],
    out: &'a mut [Digit],
    over: PhantomData<(C, V)>,
}

impl<C: Curve, V: FieldVec> Stage for Digits<'_, C, V> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Digits { scalars, first, out, .. } = self;
        let mut rows = [0; LANES];
        let mut keys = [Halves::BLANK; 2];
        let mut generator = [Halves::BLANK; 2];
        for (lane, row) in rows.iter_mut().enumerate().take(V::LANES) {
            let item = lane.min(scalars.len() - 1);
            let Scalars { u1, u2 } = &scalars[item];
            *row = first[item];
            C::split(u2).iter().zip(&mut keys).for_each(|(half, out)| out.set(lane, half));
            C::split(u1).iter().zip(&mut generator).for_each(|(half, out)| out.set(lane, half));
        }
        let count = C::KEY_COMB.windows().len();
        let chains = out.chunks_mut(out.len() / 2);
        for ((key, generator), out) in keys.iter().zip(&generator).zip(chains) {
            let (over_key, over_generator) = out.split_at_mut(count);
            write(key, &C::KEY_COMB, &rows, over_key);
            write(generator, &C::GENERATOR_COMB, &[0; LANES], over_generator);
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
                let base = Affine { x: load(0), y: load(1) };
                tables.build(std::iter::once(base), windows[0].width);
                let made = tables.keys(0, V::LANES).chunks(1 << (windows[0].width - 1));
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
            let bases = V::enter(Bases { key: Affine { x: load(0), y: load(1) }, layout });
            let same = layout.windows().chunk_by(|a, b| a.width == b.width);
            let mut start = 0;
            for windows in same {
                let bases = bases[start..start + windows.len()].iter().copied();
                tables.build(bases, windows[0].width);
                start += windows.len();
                for (group, window) in windows.iter().enumerate() {
                    let entries = 1 << (window.width - 1);
                    let made = tables.keys(group * V::LANES, V::LANES).chunks(entries);
                    for (made, table) in made.zip(out.chunks_mut(layout.rows())) {
                        table[window.row as usize..][..entries].copy_from_slice(made);
                    }
                }
            }
        }
    }
}

/// 2^shift Q of each window.
struct Bases<'a, V> {
    key: Affine<V>,
    layout: &'a Layout,
}

impl<V: FieldVec> Stage for Bases<'_, V> {
    type Out = Vec<Affine<V>>;

    #[inline(always)]
    fn run(self) -> Vec<Affine<V>> {
        let Bases { key, layout } = self;
        let mut power = key.to_jacobian();
        let mut powers: Vec<Jacobian<V>> = Vec::with_capacity(WINDOWS);
        for window in layout.windows() {
            powers.push(power);
            for _ in 0..window.width {
                power = power.double();
            }
        }
        let mut inverses = Vec::with_capacity(WINDOWS);
        for power in &powers {
            inverses.push(power.z);
        }
        invert_all(&mut inverses, &mut Vec::new());
        let mut bases = Vec::with_capacity(WINDOWS);
        for (power, inverse) in powers.iter().zip(inverses) {
            let square = inverse.square();
            let x = power.x.mul(square).normalize();
            bases.push(Affine { x, y: power.y.mul(square.mul(inverse)).normalize() });
        }
        bases
    }
}

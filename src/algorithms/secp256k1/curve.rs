//! The curve as a parameter: y^2 = x^3 + b over the field of secp256k1, with a group of prime
//! order and the endomorphism (x, y) -> (beta x, y).

use std::sync::OnceLock;

use crate::algorithms::secp256k1::comb::{self, Layout};
use crate::algorithms::secp256k1::field::{FieldVec, Row};
use crate::algorithms::secp256k1::integer::{self, from_be, to_be};
use crate::algorithms::secp256k1::key;
use crate::algorithms::secp256k1::point::Affine;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::scalar::{self, Half};
use crate::algorithms::secp256k1::table::{self, GeneratorTable};
use crate::algorithms::sha256;
use crate::isa::Isa;
use crate::parsed::Words;

/// beta: a cube root of one mod p, so that (beta x, y) = lambda (x, y).
pub const BETA: Words =
    [0xc139_6c28_7195_01ee, 0x9cf0_4975_12f5_8995, 0x6e64_479e_ac34_34e9, 0x7ae9_6a2b_657c_0710];

/// A group that the double multiplication works in.
///
/// Small groups on other curves y^2 = x^3 + b over the same field run the very same code, so that
/// it can be tested on every pair of scalars.
pub trait Curve: Send + Sync + 'static {
    /// The generator, affine.
    const GENERATOR: [Words; 2];
    /// Width of the windows over Q: digits are odd and below 2^width in size.
    const KEY_WIDTH: u32;
    /// Width of the windows over G, as a multiple of [`Curve::KEY_WIDTH`].
    const GENERATOR_STRIDE: usize;
    /// Windows over Q that hold a half.
    const WINDOWS: usize;
    /// Windows of the tables of keys known ahead.
    const KEY_COMB: Layout;
    /// Windows of the generator's table beside them.
    const GENERATOR_COMB: Layout;

    /// Odd k1 and k2 with k = k1 + k2 lambda, both below 2^(KEY_WIDTH * WINDOWS) in size.
    fn split(k: &Words) -> [Half; 2];
    /// Where a ladder starts that must not meet what the plain one met: see [`Offset`].
    fn offset() -> &'static Offset;
    /// Odd multiples of G: built at first use, kept for good.
    fn generator_table() -> &'static GeneratorTable;
    /// The generator's table for sums with those of pinned keys: built at first use, kept for good.
    fn generator_comb(isa: Isa) -> &'static [Row];
}

/// A point T, and what the doublings of a ladder make of it. Whoever sends keys does not know T's
/// logarithm, so no input leads both the ladder from T and the one from nothing into a case
/// outside the formulas.
#[derive(Clone, Copy, Debug)]
pub struct Offset {
    /// T.
    pub start: [Words; 2],
    /// 2^d T after d doublings.
    pub end: [Words; 2],
}

impl Offset {
    /// Doubles T as often as a ladder does.
    pub(crate) fn new<C: Curve>(start: [Words; 2]) -> Self {
        let [x, y] = start.map(|words| Scalar5x52::splat(&words));
        let mut end = Affine { x, y }.to_jacobian();
        for _ in 0..C::KEY_WIDTH as usize * (C::WINDOWS - 1) {
            end = end.double();
        }
        Offset { start, end: end.to_affine().expect("a point of odd order has no end") }
    }
}

/// secp256k1 (SEC 2, 2.4.1): y^2 = x^3 + 7.
#[derive(Clone, Copy, Debug)]
pub struct Secp256k1;

impl Curve for Secp256k1 {
    const GENERATOR: [Words; 2] = [
        [
            0x59f2_815b_16f8_1798,
            0x029b_fcdb_2dce_28d9,
            0x55a0_6295_ce87_0b07,
            0x79be_667e_f9dc_bbac,
        ],
        [
            0x9c47_d08f_fb10_d4b8,
            0xfd17_b448_a685_5419,
            0x5da4_fbfc_0e11_08a8,
            0x483a_da77_26a3_c465,
        ],
    ];
    const KEY_WIDTH: u32 = 5;
    const GENERATOR_STRIDE: usize = 3;
    const WINDOWS: usize = 26;
    // 2,176 rows, 136 KiB a key: with 128 keys, 18 windows took up to 6 % longer, 20 took 5 to 9.
    const KEY_COMB: Layout = Layout::new(129, 16);
    // 38,912 rows, 2.4 MiB: 8 and 9 windows, of 18 and 6 MiB, were no faster.
    const GENERATOR_COMB: Layout = Layout::new(129, 10);

    fn split(k: &Words) -> [Half; 2] {
        scalar::split_odd(k)
    }

    fn offset() -> &'static Offset {
        static OFFSET: OnceLock<Offset> = OnceLock::new();
        OFFSET.get_or_init(|| {
            // The first x from this hash on that lies on a point: nothing to choose.
            let mut x = from_be(&sha256::hash(b"sigmill: a point of unknown logarithm"));
            loop {
                if let Some(start) = key::point(&to_be(&x)) {
                    return Offset::new::<Secp256k1>(start);
                }
                x = integer::add(&x, &[1, 0, 0, 0]).0;
            }
        })
    }

    fn generator_table() -> &'static GeneratorTable {
        static TABLE: OnceLock<GeneratorTable> = OnceLock::new();
        TABLE.get_or_init(table::generator_table::<Secp256k1>)
    }

    fn generator_comb(isa: Isa) -> &'static [Row] {
        static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
        TABLE.get_or_init(|| comb::generator_table::<Secp256k1>(isa))
    }
}

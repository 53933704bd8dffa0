//! The double multiplication over groups so small that every pair of scalars can be tried: the
//! exceptional cases, one in 2^128 on secp256k1, come up all the time.
//!
//! The groups are subgroups of y^2 = x^3 + b over the same field (sextic twists of secp256k1), of
//! an order that is 1 mod 3, so that the endomorphism is there too.

use std::marker::PhantomData;
use std::sync::OnceLock;

use crate::algorithms::secp256k1::comb::{self, Layout};
use crate::algorithms::secp256k1::curve::{BETA, Curve, Offset};
use crate::algorithms::secp256k1::field::{FieldVec, Row};
use crate::algorithms::secp256k1::multiply::tests::products;
use crate::algorithms::secp256k1::multiply::{Scalars, complete};
use crate::algorithms::secp256k1::pinned::tests::Pinned;
use crate::algorithms::secp256k1::point::OneLane;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::scalar::Half;
use crate::algorithms::secp256k1::table::{GeneratorTable, generator_table};
use crate::isa::Isa;
use crate::parsed::Words;

/// Any odd k1 and k2 with k = k1 + k2 lambda mod order; negative ones among them.
fn split(k: u64, order: i64, lambda: i64) -> [Half; 2] {
    let k = k as i64;
    let k2 = 2 * (k % 5) - 3;
    let mut k1 = (k - k2 * lambda).rem_euclid(order);
    if k1 & 1 == 0 {
        k1 -= order;
    }
    [k1, k2].map(|half| Half { negative: half < 0, size: [half.unsigned_abs(), 0, 0] })
}

macro_rules! small_group {
    ($name:ident, $order:literal, $lambda:literal, $width:literal, $stride:literal,
     $windows:literal, $comb:literal, $generator_comb:literal, $generator:expr) => {
        struct $name;

        impl Curve for $name {
            const GENERATOR: [Words; 2] = $generator;
            const KEY_WIDTH: u32 = $width;
            const GENERATOR_STRIDE: usize = $stride;
            const WINDOWS: usize = $windows;
            const KEY_COMB: Layout = Layout::new($width * $windows, $comb);
            const GENERATOR_COMB: Layout = Layout::new($width * $windows, $generator_comb);

            fn split(k: &Words) -> [Half; 2] {
                split(k[0], $order, $lambda)
            }

            // A point of the group itself, so that the second ladder fails too, as often as the first.
            fn offset() -> &'static Offset {
                static OFFSET: OnceLock<Offset> = OnceLock::new();
                OFFSET.get_or_init(|| Offset::new::<$name>($generator))
            }

            fn generator_table() -> &'static GeneratorTable {
                static TABLE: OnceLock<GeneratorTable> = OnceLock::new();
                TABLE.get_or_init(generator_table::<$name>)
            }

            fn generator_comb(isa: Isa) -> &'static [Row] {
                static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
                TABLE.get_or_init(|| comb::generator_table::<$name>(isa))
            }
        }
    };
}

// Windows are narrow enough that no table holds a multiple of the order.
small_group!(
    Order7,
    7,
    2,
    2,
    1,
    3,
    3,
    4,
    [
        [
            0xda03_e084_4148_f6b6,
            0x0c46_a3e8_6f8c_5d90,
            0x18bf_4f59_e42f_e81a,
            0x0232_6e2a_429e_6400
        ],
        [
            0x3b25_418c_ff4a_b0cf,
            0x6425_2f42_8ca4_4e17,
            0x2df5_3eb6_9827_4ff4,
            0x1e60_e897_a7c0_0c7c
        ],
    ]
);
small_group!(
    Order13,
    13,
    9,
    3,
    1,
    2,
    3,
    2,
    [
        [
            0xc151_f97c_1290_2b8a,
            0x9624_76b8_7ca0_4bcd,
            0xfa2e_3b40_491d_77e7,
            0x79ee_1c36_aebd_658a
        ],
        [
            0x166d_3b19_ba84_b045,
            0xdf18_2aa9_15b8_aa6a,
            0x3a70_1cc3_ee3e_443f,
            0x9425_36cb_a3e4_9492
        ],
    ]
);
small_group!(
    Order199,
    199,
    92,
    3,
    2,
    4,
    5,
    3,
    [
        [
            0xfb12_940c_9ea6_6c18,
            0x3b01_7a7d_a808_c2f1,
            0xa749_dd39_2b4f_b069,
            0xfa7c_c9a7_0737_f2db
        ],
        [
            0xcfe5_2572_7f05_01ed,
            0x48df_246c_808d_ae72,
            0x8732_bc91_1f3a_2868,
            0x78ac_123a_5ed8_aef3
        ],
    ]
);

/// k G for each k below the order, by the complete formulas; entry 0 is infinity.
fn multiples<C: Curve>(order: u64) -> Vec<Option<[Words; 2]>> {
    let zero = Scalars::default();
    let multiple =
        |k: u64| complete::<C>(&Scalars { u1: [k, 0, 0, 0], ..zero }, &C::GENERATOR).to_affine();
    let all: Vec<_> = (0..order).map(multiple).collect();
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), order as usize);
    assert_eq!(multiple(order), None);
    all
}

fn exhaust<C: Curve>(order: u64, lambda: u64, keys: impl Fn(Isa) -> Vec<u64>) {
    let multiples = multiples::<C>(order);
    let [x, y] = C::GENERATOR;
    let mut image = [[0; 4]];
    Scalar5x52::splat(&x).mul(Scalar5x52::splat(&BETA)).store(&mut image);
    assert_eq!(multiples[lambda as usize], Some([image[0], y]));
    for isa in Isa::all() {
        for d in keys(isa) {
            let key = multiples[d as usize].expect("a key is finite");
            for u1 in 0..order {
                let pair = |u2| Scalars { u1: [u1, 0, 0, 0], u2: [u2, 0, 0, 0] };
                let scalars: Vec<_> = (0..order).map(pair).collect();
                let points = products::<C>(isa, &vec![key; scalars.len()], &scalars);
                for (u2, point) in points.into_iter().enumerate() {
                    let expected = multiples[((u1 + u2 as u64 * d) % order) as usize];
                    assert_eq!(point, expected, "{isa}: {u1} G + {u2} * {d} G");
                }
            }
        }
    }
}

#[test]
fn every_triple_of_order_7() {
    exhaust::<Order7>(7, 2, |_| (1..7).collect());
}

#[test]
fn every_triple_of_order_13() {
    exhaust::<Order13>(13, 9, |_| (1..13).collect());
}

/// All at the best level. The others take the same steps over their own field, which the smaller
/// groups exhaust; some keys there: G, its image under the endomorphism, and its opposite.
#[test]
fn every_triple_of_order_199() {
    let best = *Isa::all().last().expect("portable is always there");
    exhaust::<Order199>(199, 92, |isa| match isa == best {
        _ if cfg!(debug_assertions) => vec![1, 92],
        true => (1..199).collect(),
        false => vec![1, 92, 198],
    });
}

/// The same sums over tables without doublings, in lanes, for every pair of scalars: pieces large
/// enough for rounds of shared inversions, and small ones, which mixed additions end.
fn exhaust_pinned<C: Curve>(isa: Isa, order: u64, keys: &[u64], piece: usize) {
    let multiples = multiples::<C>(order);
    let points: Vec<_> = keys.iter().map(|&d| multiples[d as usize].expect("finite")).collect();
    let mut rows = vec![Row([[0; 4]; 2]); keys.len() * C::KEY_COMB.rows()];
    comb::key_tables::<C>(isa, &points, &mut rows);
    let mut items = Vec::new();
    for u1 in 0..order {
        for u2 in 0..order {
            for key in 0..keys.len() as u32 {
                items.push((Scalars { u1: [u1, 0, 0, 0], u2: [u2, 0, 0, 0] }, key));
            }
        }
    }
    for items in items.chunks(piece) {
        let (scalars, indices): (Vec<_>, Vec<_>) = items.iter().copied().unzip();
        let sums = isa.run(Pinned::<C> {
            keys: &points,
            rows: &rows,
            generator: C::generator_comb(isa),
            scalars: &scalars,
            indices: &indices,
            over: PhantomData,
        });
        for ((Scalars { u1, u2 }, key), sum) in items.iter().zip(sums) {
            let d = keys[*key as usize];
            let expected = multiples[((u1[0] + u2[0] * d) % order) as usize];
            let sum = OneLane::load(&sum).to_affine();
            assert_eq!(sum, expected, "{} G + {} * {d} G, {isa}", u1[0], u2[0]);
        }
    }
}

#[test]
fn pinned_keys_of_every_small_group() {
    for isa in Isa::all() {
        for piece in [1, 7, 64, 343] {
            exhaust_pinned::<Order7>(isa, 7, &[1, 2, 3, 4, 5, 6], piece);
        }
        for piece in [9, 500] {
            exhaust_pinned::<Order13>(isa, 13, &[1, 2, 3, 4, 9, 10, 11, 12, 5, 8], piece);
        }
        let keys = [1, 92, 198, 107, 2, 50, 77];
        let keys = &keys[..if cfg!(debug_assertions) { 2 } else { 7 }];
        exhaust_pinned::<Order199>(isa, 199, keys, 512);
    }
}

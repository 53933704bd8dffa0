//! Numbers mod n = 2^256 - D in eight lanes: five vectors of limbs of 52 bits.
//!
//! A number is fresh as a factor is in `avx512`, and below 2^256 + 2^134.

use std::arch::x86_64::*;

use crate::algorithms::secp256k1::avx512::{
    Ifma5x52, LIMB, TOP, accumulate, add, and, chain, hi, lo, set, shr,
};
use crate::algorithms::secp256k1::field::FieldVec;
use crate::algorithms::secp256k1::inversion::Factor;
use crate::algorithms::secp256k1::order::OrderVec;
use crate::parsed::Words;

/// Eight numbers.
#[derive(Clone, Copy, Debug)]
pub struct IfmaOrder(Ifma5x52);

/// The limbs of D = 2^256 - n.
const COMPLEMENT: [i64; 3] = [0xd_a173_2fc9_bebf, 0x1_950b_75fc_4402, 0x145_5123];
/// The limbs of 2^260 mod n = 16 D.
const COMPLEMENT_LIMB: [i64; 3] = [0xa_1732_fc9b_ebf0, 0x9_50b7_5fc4_402d, 0x1455_1231];

/// a + k D, carried.
#[inline(always)]
fn plus_complement(Ifma5x52([a, b, c, d, e]): Ifma5x52, k: __m512i) -> Ifma5x52 {
    let [p, q, r] = COMPLEMENT.map(set);
    chain([lo(a, k, p), hi(lo(b, k, q), k, p), hi(lo(c, k, r), k, q), d, e])
}

impl OrderVec for IfmaOrder {
    const LANES: usize = 8;

    #[inline(always)]
    fn load(words: &[Words]) -> Self {
        IfmaOrder(Ifma5x52::load(words))
    }

    #[inline(always)]
    fn store(self, out: &mut [Words]) {
        // Below 2 n; subtracting n, where that leaves no less than 0, is adding D and dropping bit 256.
        let above = shr::<48>(plus_complement(self.0, set(1)).0[4]);
        let mut reduced = plus_complement(self.0, above);
        reduced.0[4] = and(reduced.0[4], set(TOP));
        reduced.put(out);
    }
}

impl Factor for IfmaOrder {
    #[inline(always)]
    fn product(self, other: Self) -> Self {
        let zero = set(0);
        let limb = set(LIMB);
        let complement = COMPLEMENT_LIMB.map(set);
        // 520 bits in ten limbs.
        let mut c = accumulate(&self.0.0, &other.0.0, [zero; 10]);
        for k in 0..9 {
            c[k + 1] = add(c[k + 1], shr::<52>(c[k]));
            c[k] = and(c[k], limb);
        }
        // Limbs 5 to 9 fold by 2^260: below 2^386 then.
        let mut t = [c[0], c[1], c[2], c[3], c[4], zero, zero, zero];
        for (i, high) in c[5..].iter().enumerate() {
            for (j, d) in complement.iter().enumerate() {
                t[i + j] = lo(t[i + j], *high, *d);
                t[i + j + 1] = hi(t[i + j + 1], *high, *d);
            }
        }
        for k in 0..7 {
            t[k + 1] = add(t[k + 1], shr::<52>(t[k]));
            t[k] = and(t[k], limb);
        }
        // Limbs 5 to 7, 126 bits, fold again: below 2^261.
        let mut r = [t[0], t[1], t[2], t[3], t[4], zero];
        for (i, high) in t[5..].iter().enumerate() {
            for (j, d) in complement.iter().enumerate() {
                r[i + j] = lo(r[i + j], *high, *d);
                r[i + j + 1] = hi(r[i + j + 1], *high, *d);
            }
        }
        // What exceeds 256 bits, below 2^5, folds by 2^256.
        let [r0, r1, r2, r3, r4, _] = r;
        let Ifma5x52([r0, r1, r2, r3, r4]) = chain([r0, r1, r2, r3, r4]);
        let (over, r4) = (shr::<48>(r4), and(r4, set(TOP)));
        IfmaOrder(plus_complement(Ifma5x52([r0, r1, r2, r3, r4]), over))
    }
}

//! Numbers mod n = 2^256 - D in eight lanes: five vectors of limbs of 52 bits.
//!
//! A number is fresh as a factor is in `avx512`, and below 2^256 + 2^134.

use std::arch::x86_64::*;

use crate::algorithms::secp256k1::avx512::{
    Ifma5x52, LIMB, TOP, accumulate, add, and, chain, hi, lo, or, sar, set, shl, shr, sub, words,
    xor,
};
use crate::algorithms::secp256k1::field::FieldVec;
use crate::algorithms::secp256k1::inversion::Factor;
use crate::algorithms::secp256k1::order::OrderVec;
use crate::algorithms::secp256k1::scalar::{A1, A2, B1, G1, G2, Half};
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

/// The limbs of a number.
const fn limbs(w: &Words) -> [i64; 5] {
    [
        w[0] as i64 & LIMB,
        (w[0] >> 52 | w[1] << 12) as i64 & LIMB,
        (w[1] >> 40 | w[2] << 24) as i64 & LIMB,
        (w[2] >> 28 | w[3] << 36) as i64 & LIMB,
        (w[3] >> 16) as i64,
    ]
}

/// k g / 2^384 to the nearest integer, in limbs, as [`scalar::split`] has it.
#[inline(always)]
fn rounded_quotient(k: &[__m512i; 5], g: &[i64; 5]) -> [__m512i; 3] {
    let g = [set(g[0]), set(g[1]), set(g[2]), set(g[3]), set(g[4])];
    let mut c = accumulate(k, &g, [set(0); 10]);
    // 2^383, the half that rounds, is bit 19 of limb 7. What columns below the fifth would carry, below
    // 2^-60 of the quotient, is left out.
    c[7] = add(c[7], set(1 << 19));
    for column in 5..9 {
        c[column + 1] = add(c[column + 1], shr::<52>(c[column]));
    }
    let [low, high] = [and(c[7], set(LIMB)), and(c[8], set(LIMB))];
    [
        and(or(shr::<20>(low), shl::<32>(high)), set(LIMB)),
        and(or(shr::<20>(high), shl::<32>(c[9])), set(LIMB)),
        shr::<20>(c[9]),
    ]
}

/// Takes a b, mod 2^156, from three columns.
#[inline(always)]
fn less_product(t: [__m512i; 3], a: &[__m512i; 3], b: &[i64; 5]) -> [__m512i; 3] {
    let b = [set(b[0]), set(b[1]), set(b[2])];
    let mut sum = [set(0); 3];
    for i in 0..3 {
        for j in 0..3 - i {
            sum[i + j] = lo(sum[i + j], a[i], b[j]);
        }
        for j in 0..2usize.saturating_sub(i) {
            sum[i + j + 1] = hi(sum[i + j + 1], a[i], b[j]);
        }
    }
    [sub(t[0], sum[0]), sub(t[1], sum[1]), sub(t[2], sum[2])]
}

/// Carries signed columns upward; the highest limb has the sign, of a number of 156 bits.
#[inline(always)]
fn signed([a, b, c]: [__m512i; 3]) -> [__m512i; 3] {
    let b = add(b, sar::<52>(a));
    let c = add(c, sar::<52>(b));
    [and(a, set(LIMB)), and(b, set(LIMB)), sar::<12>(shl::<12>(c))]
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

    #[inline(always)]
    fn split(self, out: &mut [[Half; 2]]) {
        const BASIS: [[i64; 5]; 3] = [limbs(&A1), limbs(&A2), limbs(&B1)];
        const RATIOS: [[i64; 5]; 2] = [limbs(&G1), limbs(&G2)];
        // Below 2^257: the halves of a number above n are as short.
        let k = self.0.0;
        let (c1, c2) = (rounded_quotient(&k, &RATIOS[0]), rounded_quotient(&k, &RATIOS[1]));
        let zero = set(0);
        let first = less_product([k[0], k[1], k[2]], &c1, &BASIS[0]);
        let first = less_product(first, &c2, &BASIS[1]);
        let [a, b, c] = less_product([zero; 3], &c1, &BASIS[2]);
        let plus = [sub(zero, a), sub(zero, b), sub(zero, c)];
        let second = less_product(plus, &c2, &BASIS[0]);
        for (which, half) in [first, second].into_iter().enumerate() {
            let [a, b, c] = signed(half);
            let sign = sar::<63>(c);
            let size = [sub(xor(a, sign), sign), sub(xor(b, sign), sign), sub(xor(c, sign), sign)];
            let [a, b, c] = signed(size);
            let low = words(or(a, shl::<52>(b)));
            let high = words(or(shr::<12>(b), shl::<40>(c)));
            let sign = words(sign);
            for (lane, out) in out.iter_mut().enumerate() {
                out[which] = Half { negative: sign[lane] != 0, size: [low[lane], high[lane], 0] };
            }
        }
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

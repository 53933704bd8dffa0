//! One lane: five 64-bit limbs of radix 2^52, products in 128 bits.
//!
//! Magnitude m: limbs 0 to 3 at most 2 m (2^52 - 1), limb 4 at most 2 m (2^48 - 1).

use crate::algorithms::secp256k1::field::{CHAINS, FieldVec, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::order::OneOrder;
use crate::parsed::Words;

/// A field element.
#[derive(Clone, Copy, Debug)]
pub struct Scalar5x52([u64; 5]);

const MASK: u64 = (1 << 52) - 1;
const TOP: u64 = (1 << 48) - 1;
/// 2^256 mod p.
const FOLD: u64 = 0x1_0000_03d1;
/// 2^260 mod p.
const FOLD_LIMB: u64 = FOLD << 4;
/// The limbs of p.
const PRIME: [u64; 5] = [0xf_fffe_ffff_fc2f, MASK, MASK, MASK, TOP];

impl MaskVec for bool {
    #[inline(always)]
    fn from_bits(bits: u32) -> Self {
        bits & 1 == 1
    }

    #[inline(always)]
    fn bits(self) -> u32 {
        self.into()
    }
}

#[inline(always)]
fn wide(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

/// Reduces nine columns of products, column k standing for 2^(52 k). Each column is below 2^116.
#[inline(always)]
fn reduce(c: [u128; 9]) -> Scalar5x52 {
    // Columns 4 to 8 become limbs h4 to h9 of 52 bits; h9 is below 2^64.
    let h4 = c[4] as u64 & MASK;
    let c5 = c[5] + (c[4] >> 52);
    let h5 = c5 as u64 & MASK;
    let c6 = c[6] + (c5 >> 52);
    let h6 = c6 as u64 & MASK;
    let c7 = c[7] + (c6 >> 52);
    let h7 = c7 as u64 & MASK;
    let c8 = c[8] + (c7 >> 52);
    let h8 = c8 as u64 & MASK;
    let h9 = (c8 >> 52) as u64;
    // Limbs 5 to 9 fold onto 0 to 4 by 2^260 = FOLD_LIMB, of 37 bits.
    let c0 = c[0] + wide(h5, FOLD_LIMB);
    let c1 = c[1] + wide(h6, FOLD_LIMB) + (c0 >> 52);
    let c2 = c[2] + wide(h7, FOLD_LIMB) + (c1 >> 52);
    let c3 = c[3] + wide(h8, FOLD_LIMB) + (c2 >> 52);
    let c4 = u128::from(h4) + wide(h9, FOLD_LIMB) + (c3 >> 52);
    // Bits 256 and up, fewer than 64, fold by 2^256 = FOLD.
    let t0 = u128::from(c0 as u64 & MASK) + wide((c4 >> 48) as u64, FOLD);
    let r0 = t0 as u64 & MASK;
    let r1 = (c1 as u64 & MASK) + (t0 >> 52) as u64;
    Scalar5x52([r0, r1, c2 as u64 & MASK, c3 as u64 & MASK, c4 as u64 & TOP])
}

impl Scalar5x52 {
    /// Whether the limbs keep a magnitude.
    fn keeps(self, magnitude: u64) -> bool {
        let [limbs @ .., top] = self.0;
        limbs.iter().all(|&limb| limb <= 2 * magnitude * MASK) && top <= 2 * magnitude * TOP
    }

    /// Four words of a normalized element.
    #[inline(always)]
    fn pack(self) -> Words {
        let [a, b, c, d, e] = self.0;
        [a | b << 52, b >> 12 | c << 40, c >> 24 | d << 28, d >> 36 | e << 16]
    }

    /// Carries every limb into its width; the value stays below 2^256 + 2^214.
    #[inline(always)]
    fn settled(self) -> Self {
        let [mut t0, mut t1, mut t2, mut t3, mut t4] = self.0;
        let over = t4 >> 48;
        t4 &= TOP;
        t0 += over * FOLD;
        t1 += t0 >> 52;
        t2 += t1 >> 52;
        t3 += t2 >> 52;
        t4 += t3 >> 52;
        Scalar5x52([t0 & MASK, t1 & MASK, t2 & MASK, t3 & MASK, t4])
    }
}

impl FieldVec for Scalar5x52 {
    const LANES: usize = 1;
    // 25 pairs of limbs, 15 in a square; 6 in the reduction.
    const PRODUCTS: [u32; 2] = [25 + 6, 15 + 6];
    type Mask = bool;
    type Order = OneOrder;

    #[inline(always)]
    fn splat(w: &Words) -> Self {
        Scalar5x52([
            w[0] & MASK,
            (w[0] >> 52 | w[1] << 12) & MASK,
            (w[1] >> 40 | w[2] << 24) & MASK,
            (w[2] >> 28 | w[3] << 36) & MASK,
            w[3] >> 16,
        ])
    }

    #[inline(always)]
    fn load(words: &[Words]) -> Self {
        Self::splat(&words[0])
    }

    #[inline(always)]
    fn products(rounds: usize) -> Self {
        // Half of the chains, twice: they stay in registers.
        let mut chains: [u64; CHAINS / 2] = std::array::from_fn(|chain| chain as u64 + 3);
        for _ in 0..2 * rounds {
            for chain in &mut chains {
                let product = wide(*chain, FOLD);
                *chain = product as u64 ^ (product >> 64) as u64;
            }
        }
        Scalar5x52([chains.into_iter().fold(0, u64::wrapping_add); 5])
    }

    #[inline(always)]
    fn store(self, out: &mut [Words]) {
        out[0] = self.normalize().pack();
    }

    #[inline(always)]
    fn gather<'a>(row: impl Fn(usize) -> &'a Row) -> [Self; 2] {
        let Row([x, y]) = row(0);
        [Self::splat(x), Self::splat(y)]
    }

    #[inline(always)]
    fn gather_x<'a>(row: impl Fn(usize) -> &'a Row) -> Self {
        Self::splat(&row(0).0[0])
    }

    #[inline(always)]
    fn scatter([x, y]: [Self; 2], mut put: impl FnMut(usize, Row)) {
        put(0, Row([x.pack(), y.pack()]));
    }

    #[inline(never)]
    fn enter<S: Stage>(stage: S) -> S::Out {
        stage.run()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        Scalar5x52([a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]])
    }

    #[inline(always)]
    fn negate(self, magnitude: u64) -> Self {
        debug_assert!(self.keeps(magnitude));
        // 2 (m + 1) p has larger limbs than any value of magnitude m.
        let (a, k) = (self.0, 2 * (magnitude + 1));
        Scalar5x52([
            PRIME[0] * k - a[0],
            PRIME[1] * k - a[1],
            PRIME[2] * k - a[2],
            PRIME[3] * k - a[3],
            PRIME[4] * k - a[4],
        ])
    }

    #[inline(always)]
    fn times(self, k: u64) -> Self {
        let a = self.0;
        Scalar5x52([a[0] * k, a[1] * k, a[2] * k, a[3] * k, a[4] * k])
    }

    #[inline(always)]
    fn half(self) -> Self {
        // Odd values become even by adding p; then every limb hands its lowest bit down.
        let [a0, a1, a2, a3, a4] = self.0;
        let odd = (a0 & 1).wrapping_neg();
        let t0 = a0 + (PRIME[0] & odd);
        let t1 = a1 + (PRIME[1] & odd);
        let t2 = a2 + (PRIME[2] & odd);
        let t3 = a3 + (PRIME[3] & odd);
        let t4 = a4 + (PRIME[4] & odd);
        Scalar5x52([
            (t0 >> 1) + ((t1 & 1) << 51),
            (t1 >> 1) + ((t2 & 1) << 51),
            (t2 >> 1) + ((t3 & 1) << 51),
            (t3 >> 1) + ((t4 & 1) << 51),
            t4 >> 1,
        ])
    }

    #[inline(always)]
    fn carry(self) -> Self {
        self
    }

    #[inline(always)]
    fn settle(self) -> Self {
        self.settled()
    }

    #[inline(always)]
    fn mul_add(self, other: Self, addend: Self) -> Self {
        self.mul(other).add(addend)
    }

    #[inline(always)]
    fn square_add(self, addend: Self) -> Self {
        self.square().add(addend)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        debug_assert!(self.keeps(8) && other.keeps(8));
        let (a, b) = (self.0, other.0);
        // Limbs stay below 2^56: a column sums five products below 2^112.
        reduce([
            wide(a[0], b[0]),
            wide(a[0], b[1]) + wide(a[1], b[0]),
            wide(a[0], b[2]) + wide(a[1], b[1]) + wide(a[2], b[0]),
            wide(a[0], b[3]) + wide(a[1], b[2]) + wide(a[2], b[1]) + wide(a[3], b[0]),
            wide(a[0], b[4])
                + wide(a[1], b[3])
                + wide(a[2], b[2])
                + wide(a[3], b[1])
                + wide(a[4], b[0]),
            wide(a[1], b[4]) + wide(a[2], b[3]) + wide(a[3], b[2]) + wide(a[4], b[1]),
            wide(a[2], b[4]) + wide(a[3], b[3]) + wide(a[4], b[2]),
            wide(a[3], b[4]) + wide(a[4], b[3]),
            wide(a[4], b[4]),
        ])
    }

    #[inline(always)]
    fn square(self) -> Self {
        debug_assert!(self.keeps(8));
        let a = self.0;
        let (d0, d1, d2, d3) = (a[0] * 2, a[1] * 2, a[2] * 2, a[3] * 2);
        reduce([
            wide(a[0], a[0]),
            wide(d0, a[1]),
            wide(d0, a[2]) + wide(a[1], a[1]),
            wide(d0, a[3]) + wide(d1, a[2]),
            wide(d0, a[4]) + wide(d1, a[3]) + wide(a[2], a[2]),
            wide(d1, a[4]) + wide(d2, a[3]),
            wide(d2, a[4]) + wide(a[3], a[3]),
            wide(d3, a[4]),
            wide(a[4], a[4]),
        ])
    }

    #[inline(always)]
    fn normalize(self) -> Self {
        let mut t = self.settled().0;
        // The value is below 2 p: at most one p too large.
        let above =
            t[4] >> 48 != 0 || t[4] == TOP && t[3] & t[2] & t[1] == MASK && t[0] >= PRIME[0];
        if above {
            t[0] += FOLD;
            t[1] += t[0] >> 52;
            t[2] += t[1] >> 52;
            t[3] += t[2] >> 52;
            t[4] += t[3] >> 52;
            t = [t[0] & MASK, t[1] & MASK, t[2] & MASK, t[3] & MASK, t[4] & TOP];
        }
        Scalar5x52(t)
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        let t = self.settled().0;
        // The value is below 2 p: a multiple of p is 0 or p.
        (t[0] | t[1] | t[2] | t[3] | t[4]) == 0 || t == PRIME
    }

    #[inline(always)]
    fn is_odd(self) -> bool {
        self.0[0] & 1 == 1
    }

    #[inline(always)]
    fn select(mask: bool, a: Self, b: Self) -> Self {
        let m = u64::from(mask).wrapping_neg();
        let (a, b) = (a.0, b.0);
        Scalar5x52([
            b[0] ^ ((a[0] ^ b[0]) & m),
            b[1] ^ ((a[1] ^ b[1]) & m),
            b[2] ^ ((a[2] ^ b[2]) & m),
            b[3] ^ ((a[3] ^ b[3]) & m),
            b[4] ^ ((a[4] ^ b[4]) & m),
        ])
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;
    use crate::algorithms::secp256k1::field_tests::words;

    fn stored(value: Scalar5x52) -> Words {
        let mut out = [[0; 4]];
        value.store(&mut out);
        out[0]
    }

    #[test]
    fn products_at_the_bound() {
        // Every limb at the most that magnitude 8 allows.
        let most = Scalar5x52([16 * MASK, 16 * MASK, 16 * MASK, 16 * MASK, 16 * TOP]);
        let value =
            most.0.iter().rev().fold(BigUint::from(0u8), |value, &limb| (value << 52) + limb);
        assert_eq!(stored(most.mul(most)), words(&(&value * &value)));
        assert_eq!(stored(most.square()), words(&(&value * &value)));
        assert!(most.mul(most).keeps(1) && most.square().keeps(1));
        assert_eq!(stored(most), words(&value));
    }
}

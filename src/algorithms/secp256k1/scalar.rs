//! Numbers mod n, on the host: products, inverses, and the split into two short halves.

use crate::algorithms::secp256k1::integer::{self, N, ZERO};
use crate::algorithms::secp256k1::inverse::Modulus;
use crate::parsed::Words;

/// -1/n mod 2^64, by Newton's iteration: each round doubles the correct bits.
const N_INVERSE: u64 = {
    let mut inverse = 1u64;
    let mut round = 0;
    while round < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(N[0].wrapping_mul(inverse)));
        round += 1;
    }
    inverse.wrapping_neg()
};

/// 2^512 mod n.
const SQUARE_OF_RADIX: Words =
    [0x896c_f214_67d7_d140, 0x7414_96c2_0e7c_f878, 0xe697_f5e4_5bcd_07c6, 0x9d67_1cd5_81c6_9bc5];

/// a b / 2^256 mod n (Montgomery's product). One operand may be any 256-bit integer, the other
/// lies below n; the result does.
pub fn mul_montgomery(a: &Words, b: &Words) -> Words {
    let mut t = [0u64; 6];
    for &digit in a {
        let mut carry = 0u128;
        for i in 0..4 {
            let sum = u128::from(t[i]) + u128::from(digit) * u128::from(b[i]) + carry;
            (t[i], carry) = (sum as u64, sum >> 64);
        }
        let sum = u128::from(t[4]) + carry;
        (t[4], t[5]) = (sum as u64, (sum >> 64) as u64);
        let factor = t[0].wrapping_mul(N_INVERSE);
        let mut carry = (u128::from(t[0]) + u128::from(factor) * u128::from(N[0])) >> 64;
        for i in 1..4 {
            let sum = u128::from(t[i]) + u128::from(factor) * u128::from(N[i]) + carry;
            (t[i - 1], carry) = (sum as u64, sum >> 64);
        }
        let sum = u128::from(t[4]) + carry;
        (t[3], t[4]) = (sum as u64, t[5] + (sum >> 64) as u64);
    }
    let result = [t[0], t[1], t[2], t[3]];
    // Below 2 n.
    let (reduced, borrow) = integer::sub(&result, &N);
    if t[4] == 0 && borrow { result } else { reduced }
}

/// a 2^256 mod n.
pub fn to_montgomery(a: &Words) -> Words {
    mul_montgomery(a, &SQUARE_OF_RADIX)
}

/// a b mod n.
pub fn mul(a: &Words, b: &Words) -> Words {
    mul_montgomery(a, &to_montgomery(b))
}

/// a b mod n, for a and b of any size.
pub fn mul_wide(a: &Words, b: &Words) -> Words {
    let mut t = [0u64; 8];
    for (at, &digit) in a.iter().enumerate() {
        multiply_add(&mut t, at, digit, b);
    }
    // 2^256 = D mod n, and D has 129 bits: 512 bits become 386, these 261, these a carry at most.
    for _ in 0..3 {
        let high = [t[4], t[5], t[6], t[7]];
        t[4..].fill(0);
        for (at, &digit) in high.iter().enumerate().filter(|(_, digit)| **digit != 0) {
            multiply_add(&mut t, at, digit, &N_COMPLEMENT);
        }
    }
    let low = [t[0], t[1], t[2], t[3]];
    // After a carry the rest is far below n.
    let low = if t[4] == 0 { low } else { integer::add(&low, &N_COMPLEMENT).0 };
    integer::reduce_n(low)
}

/// 2^256 - n.
const N_COMPLEMENT: Words = [0x402d_a173_2fc9_bebf, 0x4551_2319_50b7_5fc4, 1, 0];

/// t + digit b 2^(64 at), of which the caller knows that it fits.
#[inline(always)]
fn multiply_add(t: &mut [u64; 8], at: usize, digit: u64, b: &Words) {
    let mut carry = 0u128;
    for (t, &b) in t[at..].iter_mut().zip(b.iter().chain(&[0; 4])) {
        let sum = u128::from(*t) + u128::from(digit) * u128::from(b) + carry;
        (*t, carry) = (sum as u64, sum >> 64);
    }
    debug_assert!(carry == 0);
}

/// a + b mod n, for a and b below n.
pub fn add(a: &Words, b: &Words) -> Words {
    let (sum, carry) = integer::add(a, b);
    let (reduced, borrow) = integer::sub(&sum, &N);
    if borrow && !carry { sum } else { reduced }
}

/// -a mod n, for a below n.
pub fn negate(a: &Words) -> Words {
    if *a == ZERO { ZERO } else { integer::sub(&N, a).0 }
}

/// 1/a mod n, 0 for 0.
pub fn invert(a: &Words) -> Words {
    static ORDER: Modulus = Modulus::new(&N);
    ORDER.invert(a)
}

/// One half of a split scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Half {
    /// Its sign.
    pub negative: bool,
    /// Its size, below 2^129.
    pub size: [u64; 3],
}

/// The short lattice basis of (k1, k2) with k1 + k2 lambda = 0 mod n: (A1, -B1) and (A2, A1).
/// (Guide to Elliptic Curve Cryptography, algorithm 3.74, gives it for any such curve.)
pub(super) const A1: Words = [0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd, 0, 0];
pub(super) const B1: Words = [0x6f54_7fa9_0abf_e4c3, 0xe443_7ed6_010e_8828, 0, 0];
pub(super) const A2: Words = [0x57c1_108d_9d44_cfd8, 0x14ca_50f7_a8e2_f3f6, 1, 0];
/// round(2^384 A1 / n) and round(2^384 B1 / n).
pub(super) const G1: Words =
    [0xe893_209a_45db_b031, 0x3daa_8a14_71e8_ca7f, 0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd];
pub(super) const G2: Words =
    [0x1571_b4ae_8ac4_7f71, 0x2212_08ac_9df5_06c6, 0x6f54_7fa9_0abf_e4c4, 0xe443_7ed6_010e_8828];

/// Splits k mod n into k1 and k2 with k = k1 + k2 lambda, |k1| and |k2| below 2^128: k (A1, B1) / n
/// rounded to lattice coordinates.
pub fn split(k: &Words) -> [Half; 2] {
    nearest(k).map(|half| signed(&half))
}

/// [`split`] into odd halves, |k1| and |k2| below 2^129.
///
/// A basis vector added to make k1 odd, then the other to make k2 odd (mod 2 the basis is (1, 1),
/// (0, 1)), keeps them that short, and odd halves need no zero digits: see [`recode`].
pub fn split_odd(k: &Words) -> [Half; 2] {
    let [mut first, mut second] = nearest(k);
    // Odd or even is anyone's guess: masks, not branches.
    let even = (first[0] & 1).wrapping_sub(1);
    let down = !sign(&first);
    first = add_where(&first, &A1, even, down);
    second = add_where(&second, &B1, even, !down);
    let even = (second[0] & 1).wrapping_sub(1);
    let down = !sign(&second);
    first = add_where(&first, &A2, even, down);
    second = add_where(&second, &A1, even, down);
    [first, second].map(|half| signed(&half))
}

/// k1 and k2 in two's complement: both are short, so arithmetic mod 2^192 is exact.
#[inline(always)]
fn nearest(k: &Words) -> [[u64; 3]; 2] {
    let c1 = rounded_quotient(k, &G1);
    let c2 = rounded_quotient(k, &G2);
    let [k0, k1, k2, _] = *k;
    let [mut a2, low_a1] = [product(&c2, &A2), product(&c1, &A1)];
    // The third word of A2 is one.
    a2[2] = a2[2].wrapping_add(c2[0]);
    let first = sub(&sub(&[k0, k1, k2], &low_a1), &a2);
    let second = sub(&product(&c1, &B1), &product(&c2, &A1));
    [first, second]
}

/// Size and sign of a short integer in two's complement.
#[inline(always)]
fn signed(half: &[u64; 3]) -> Half {
    let sign = sign(half);
    let size = sub(&half.map(|word| word ^ sign), &[sign; 3]);
    debug_assert!(size[2] < 2);
    Half { negative: sign != 0, size }
}

/// k g / 2^384, to the nearest integer. What the low columns of the product would carry into the sum,
/// below 2^-60, is left out: a half then exceeds its bound by that part of a basis vector.
#[inline(always)]
fn rounded_quotient(k: &Words, g: &Words) -> [u64; 2] {
    let mut t = [0u64; 4];
    for i in 1..4 {
        let mut carry = 0u128;
        for j in 4 - i..4 {
            let sum = u128::from(t[i + j - 4]) + u128::from(k[i]) * u128::from(g[j]) + carry;
            (t[i + j - 4], carry) = (sum as u64, sum >> 64);
        }
        t[i] = carry as u64;
    }
    let quotient = (u128::from(t[2]) | u128::from(t[3]) << 64) + u128::from(t[1] >> 63);
    [quotient as u64, (quotient >> 64) as u64]
}

/// The low three words of c times the low two of `a`.
#[inline(always)]
fn product(c: &[u64; 2], a: &Words) -> [u64; 3] {
    let wide = |a: u64, b: u64| u128::from(a) * u128::from(b);
    let low = wide(c[0], a[0]);
    let (cross, over) = wide(c[0], a[1]).overflowing_add(wide(c[1], a[0]));
    let (middle, carry) = cross.overflowing_add(low >> 64);
    debug_assert!(!over || !carry);
    let high = ((middle >> 64) as u64).wrapping_add(c[1].wrapping_mul(a[1]));
    // What `cross` carries stands above the third word.
    [low as u64, middle as u64, high]
}

#[inline(always)]
fn sub(a: &[u64; 3], b: &[u64; 3]) -> [u64; 3] {
    let low = |a: &[u64; 3]| u128::from(a[0]) | u128::from(a[1]) << 64;
    let (difference, borrow) = low(a).overflowing_sub(low(b));
    let high = a[2].wrapping_sub(b[2]).wrapping_sub(u64::from(borrow));
    [difference as u64, (difference >> 64) as u64, high]
}

/// All ones for negative numbers.
#[inline(always)]
fn sign(k: &[u64; 3]) -> u64 {
    ((k[2] as i64) >> 63) as u64
}

/// k + a, or k - a where `down` is all ones, if `wanted` is; else k.
#[inline(always)]
fn add_where(k: &[u64; 3], a: &Words, wanted: u64, down: u64) -> [u64; 3] {
    // k - (-a) and k - a.
    let up = !down;
    let a = [a[0], a[1], a[2]];
    let addend = sub(&a.map(|word| word ^ up), &[up; 3]);
    sub(k, &addend.map(|word| word & wanted))
}

/// Writes an odd half as odd digits d with |d| < 2^width: half = sum of `digits[i]` 2^(width i).
///
/// # Correctness
/// The half's size lies below 2^(width * digits.len()).
pub fn recode(half: &Half, width: u32, digits: &mut [i32]) {
    let [mut a, mut b, mut c] = half.size;
    debug_assert!(a & 1 == 1);
    let sign = if half.negative { -1 } else { 1 };
    let (last, rest) = digits.split_last_mut().expect("at least one digit");
    for digit in rest {
        // For odd m: d = m mod 2^(width + 1) - 2^width is odd, and so is (m - d) / 2^width, whose
        // lowest bit is always one.
        let low = (a & ((2 << width) - 1)) as i32;
        *digit = sign * (low - (1 << width));
        a = (a >> width | b << (64 - width)) | 1;
        b = b >> width | c << (64 - width);
        c >>= width;
    }
    debug_assert!(a < 1 << width && b == 0 && c == 0);
    *last = sign * a as i32;
}

#[cfg(test)]
pub(crate) mod tests {
    use k256::elliptic_curve::PrimeField;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    const ONE: Words = [1, 0, 0, 0];
    use crate::algorithms::secp256k1::integer::{HALF_N, from_be, reduce_n, to_be};

    pub(crate) const LAMBDA: Words = [
        0xdf02_967c_1b23_bd72,
        0x122e_22ea_2081_6678,
        0xa526_1c02_8812_645a,
        0x5363_ad4c_c05c_30e0,
    ];

    fn referee(a: &Words) -> k256::Scalar {
        k256::Scalar::from_repr(to_be(a).into()).expect("below n")
    }

    fn ours(a: k256::Scalar) -> Words {
        from_be(&a.to_repr().into())
    }

    /// Edge values and limb-biased random numbers below n.
    pub(crate) fn samples(count: usize) -> Vec<Words> {
        let mut random = StdRng::seed_from_u64(1);
        let minus = |k: u64| integer::sub(&N, &[k, 0, 0, 0]).0;
        let mut all = vec![ZERO, ONE, [2, 0, 0, 0], minus(1), minus(2), HALF_N, LAMBDA];
        all.extend([negate(&LAMBDA), A1, B1, A2, [0, 1, 0, 0], [u64::MAX, 0, 0, 0]]);
        while all.len() < count {
            let word = |random: &mut StdRng| match random.random_range(0..4) {
                0 => 0,
                1 => u64::MAX,
                _ => random.random(),
            };
            all.push(reduce_n(core::array::from_fn(|_| word(&mut random))));
        }
        all
    }

    #[test]
    fn constants() {
        let radix = reduce_n(integer::sub(&ZERO, &N).0);
        assert_eq!(ours(referee(&radix).square()), SQUARE_OF_RADIX);
        assert_eq!(N_INVERSE.wrapping_mul(N[0]), u64::MAX);
        let zero = |a: &Words, b: k256::Scalar| ours(referee(a) + b * referee(&LAMBDA));
        assert_eq!(zero(&A1, -referee(&B1)), ZERO);
        assert_eq!(zero(&A2, referee(&A1)), ZERO);
    }

    #[test]
    fn products_and_inverses_agree_with_k256() {
        let samples = samples(2_000);
        for pair in samples.windows(2) {
            assert_eq!(mul(&pair[0], &pair[1]), ours(referee(&pair[0]) * referee(&pair[1])));
            assert_eq!(negate(&pair[0]), ours(-referee(&pair[0])));
        }
        for a in samples.iter().take(200).filter(|a| **a != ZERO) {
            assert_eq!(invert(a), ours(referee(a).invert().expect("not zero")));
        }
    }

    #[test]
    fn products_of_any_numbers_agree_with_k256() {
        assert_eq!(integer::add(&N_COMPLEMENT, &N), (ZERO, true));
        let samples = samples(3_000);
        let most = [u64::MAX; 4];
        for (i, b) in samples.iter().enumerate() {
            let a = samples[(i * 7 + 3) % samples.len()];
            assert_eq!(mul_wide(&a, b), ours(referee(&a) * referee(b)), "{a:x?} {b:x?}");
            assert_eq!(mul_wide(&most, b), ours(referee(&reduce_n(most)) * referee(b)));
        }
        assert_eq!(mul_wide(&most, &most), ours(referee(&reduce_n(most)).square()));
    }

    #[test]
    fn halves_are_odd_and_short_and_add_up() {
        let signed = |half: &Half| {
            let size = referee(&[half.size[0], half.size[1], half.size[2], 0]);
            if half.negative { -size } else { size }
        };
        for k in samples(20_000) {
            let [k1, k2] = split_odd(&k);
            for half in [&k1, &k2] {
                assert!(half.size[0] & 1 == 1 && half.size[2] < 2, "{half:?}");
            }
            assert_eq!(ours(signed(&k1) + signed(&k2) * referee(&LAMBDA)), k);
            let [k1, k2] = split(&k);
            assert!(k1.size[2] == 0 && k2.size[2] == 0);
            assert_eq!(ours(signed(&k1) + signed(&k2) * referee(&LAMBDA)), k);
        }
    }

    #[test]
    fn digits_add_up() {
        for k in samples(2_000) {
            for half in split_odd(&k) {
                for (width, count) in [(5, 26), (15, 9), (4, 33), (8, 17)] {
                    let mut digits = vec![0; count];
                    recode(&half, width, &mut digits);
                    assert!(digits.iter().all(|d| d & 1 == 1 && d.abs() < 1 << width));
                    let radix = referee(&[1 << width, 0, 0, 0]);
                    let value = digits.iter().rev().fold(k256::Scalar::ZERO, |value, &digit| {
                        let size = referee(&[u64::from(digit.unsigned_abs()), 0, 0, 0]);
                        value * radix + if digit < 0 { -size } else { size }
                    });
                    let size = referee(&[half.size[0], half.size[1], half.size[2], 0]);
                    assert_eq!(value, if half.negative { -size } else { size });
                }
            }
        }
    }
}

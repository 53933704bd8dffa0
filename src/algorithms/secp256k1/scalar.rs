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

const ONE: Words = [1, 0, 0, 0];

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

/// 1/a in Montgomery's form, from a in that form.
fn invert_montgomery(a: &Words) -> Words {
    // From a R: 1/(a R), then twice times R.
    to_montgomery(&to_montgomery(&invert(a)))
}

/// Inverts all, which are neither 0 nor above n, with one inversion; the results are in
/// Montgomery's form, so that [`mul_montgomery`] by an ordinary number gives an ordinary product.
pub fn invert_all(values: &[Words], inverses: &mut Vec<Words>) {
    inverses.clear();
    let mut total = to_montgomery(&ONE);
    for value in values {
        inverses.push(total);
        total = mul_montgomery(&total, &to_montgomery(value));
    }
    let mut inverse = invert_montgomery(&total);
    for (value, out) in values.iter().zip(inverses.iter_mut()).rev() {
        *out = mul_montgomery(out, &inverse);
        inverse = mul_montgomery(&inverse, &to_montgomery(value));
    }
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
const A1: Words = [0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd, 0, 0];
const B1: Words = [0x6f54_7fa9_0abf_e4c3, 0xe443_7ed6_010e_8828, 0, 0];
const A2: Words = [0x57c1_108d_9d44_cfd8, 0x14ca_50f7_a8e2_f3f6, 1, 0];
/// round(2^384 A1 / n) and round(2^384 B1 / n).
const G1: Words =
    [0xe893_209a_45db_b031, 0x3daa_8a14_71e8_ca7f, 0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd];
const G2: Words =
    [0x1571_b4ae_8ac4_7f71, 0x2212_08ac_9df5_06c6, 0x6f54_7fa9_0abf_e4c4, 0xe443_7ed6_010e_8828];

/// Splits k mod n into k1 and k2 with k = k1 + k2 lambda, |k1| and |k2| below 2^128: k (A1, B1) / n
/// rounded to lattice coordinates.
pub fn split(k: &Words) -> [Half; 2] {
    nearest(k).map(|k| half(&k))
}

/// [`split`] into odd halves, |k1| and |k2| below 2^129.
///
/// A basis vector added to make k1 odd, then the other to make k2 odd (mod 2 the basis is (1, 1),
/// (0, 1)), keeps them that short, and odd halves need no zero digits: see [`recode`].
pub fn split_odd(k: &Words) -> [Half; 2] {
    let [mut k1, mut k2] = nearest(k);
    let negative = |k: &Words| k[3] >> 63 == 1;
    let sub = |a: &Words, b: &Words| integer::sub(a, b).0;
    let add = |a: &Words, b: &Words| integer::add(a, b).0;
    if k1[0] & 1 == 0 {
        (k1, k2) = if negative(&k1) {
            (add(&k1, &A1), sub(&k2, &B1))
        } else {
            (sub(&k1, &A1), add(&k2, &B1))
        };
    }
    if k2[0] & 1 == 0 {
        (k1, k2) = if negative(&k2) {
            (add(&k1, &A2), add(&k2, &A1))
        } else {
            (sub(&k1, &A2), sub(&k2, &A1))
        };
    }
    [half(&k1), half(&k2)]
}

/// k1 and k2 in two's complement: both are short, so arithmetic mod 2^256 is exact.
fn nearest(k: &Words) -> [Words; 2] {
    let c1 = rounded_product(k, &G1);
    let c2 = rounded_product(k, &G2);
    let sub = |a: &Words, b: &Words| integer::sub(a, b).0;
    let k1 = sub(&sub(k, &low_product(&c1, &A1)), &low_product(&c2, &A2));
    let k2 = sub(&low_product(&c1, &B1), &low_product(&c2, &A1));
    [k1, k2]
}

/// Size and sign of a short integer in two's complement.
fn half(k: &Words) -> Half {
    let negative = k[3] >> 63 == 1;
    let [a, b, c, d] = if negative { integer::sub(&ZERO, k).0 } else { *k };
    debug_assert!(d == 0 && c < 2);
    Half { negative, size: [a, b, c] }
}

/// round(k g / 2^384).
fn rounded_product(k: &Words, g: &Words) -> Words {
    let product = wide_product(k, g);
    let round = product[5] >> 63;
    integer::add(&[product[6], product[7], 0, 0], &[round, 0, 0, 0]).0
}

fn low_product(a: &Words, b: &Words) -> Words {
    let product = wide_product(a, b);
    [product[0], product[1], product[2], product[3]]
}

fn wide_product(a: &Words, b: &Words) -> [u64; 8] {
    let mut product = [0u64; 8];
    for i in 0..4 {
        let mut carry = 0u128;
        for j in 0..4 {
            let sum = u128::from(product[i + j]) + u128::from(a[i]) * u128::from(b[j]) + carry;
            (product[i + j], carry) = (sum as u64, sum >> 64);
        }
        product[i + 4] = carry as u64;
    }
    product
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
mod tests {
    use k256::elliptic_curve::PrimeField;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::algorithms::secp256k1::integer::{HALF_N, from_be, reduce_n, to_be};

    const LAMBDA: Words = [
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
    fn samples(count: usize) -> Vec<Words> {
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
        let values: Vec<_> = samples.iter().filter(|a| **a != ZERO).copied().collect();
        let mut inverses = Vec::new();
        invert_all(&values, &mut inverses);
        for (value, inverse) in values.iter().zip(&inverses) {
            assert_eq!(mul_montgomery(value, inverse), ONE);
        }
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

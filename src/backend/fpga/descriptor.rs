//! Jobs as lines of the submission ring.

use crate::algorithms::secp256k1::prepare::Prepared;
use crate::algorithms::secp256k1::scalar::{self, Half};
use crate::backend::fpga::manifest::Core;
use crate::parsed::Words;

/// A line of a ring.
pub(crate) type Line = [u8; 64];

/// Flag of [`Core::Sha256`]: the digest is hashed once more.
pub(crate) const TWICE: u8 = 1;

/// The first 16 bytes of a job.
pub(crate) fn header(core: Core, flags: u8, tag: u32, count: u32) -> Line {
    let mut line = [0; 64];
    (line[0], line[1]) = (core.op(), flags);
    line[4..8].copy_from_slice(&tag.to_le_bytes());
    line[8..12].copy_from_slice(&count.to_le_bytes());
    line
}

/// Windows of a half of the key's scalar, of 5 bits, and of the generator's, of 10.
const KEY_WINDOWS: usize = 26;
const GENERATOR_WINDOWS: usize = 13;
const GENERATOR_WIDTH: u32 = 10;

/// Where the digits begin, and where Q does.
const DIGITS: usize = 24;
const KEY: usize = 128;

/// The lines of u1 G + u2 Q; `None` where there is no Q.
pub(crate) fn secp256k1(tag: u32, prepared: &Prepared) -> Option<[Line; 3]> {
    let key = prepared.key?;
    let mut job = [[0; 64]; 3];
    job[0] = header(Core::Secp256k1, 0, tag, 2);
    let bytes = job.as_flattened_mut();
    let mut lane = |index: usize, low: u8, high: u8| {
        bytes[DIGITS + 2 * index..][..2].copy_from_slice(&[low, high]);
    };
    let [first, second] = scalar::split(&prepared.scalars.u2).map(|half| recode_key(&half));
    for (window, (first, second)) in first.into_iter().zip(second).enumerate() {
        lane(window, key_digit(first), key_digit(second));
    }
    for (half, split) in scalar::split_odd(&prepared.scalars.u1).iter().enumerate() {
        let mut digits = [0; GENERATOR_WINDOWS];
        scalar::recode(split, GENERATOR_WIDTH, &mut digits);
        for (window, digit) in digits.into_iter().enumerate() {
            let row = (digit.unsigned_abs() - 1) / 2;
            let [low, high] = (row as u16).to_le_bytes();
            lane(KEY_WINDOWS + 2 * window + half, low, high | sign(digit));
        }
    }
    for (at, word) in key.as_flattened().iter().enumerate() {
        bytes[KEY + 8 * at..][..8].copy_from_slice(&word.to_le_bytes());
    }
    Some(job)
}

fn key_digit(digit: i32) -> u8 {
    digit.unsigned_abs() as u8 | sign(digit)
}

fn sign(digit: i32) -> u8 {
    if digit < 0 { 0x80 } else { 0 }
}

/// Writes a half as digits d with |d| <= 16: half = sum of `digits[w]` 32^w.
///
/// # Correctness
/// The half's size lies below 2^128.
fn recode_key(half: &Half) -> [i32; KEY_WINDOWS] {
    let [low, high, top] = half.size;
    debug_assert!(top == 0);
    let mut rest = u128::from(low) | u128::from(high) << 64;
    let mut carry = 0;
    let mut digits = [0; KEY_WINDOWS];
    for digit in &mut digits {
        let window = (rest & 31) as i32 + carry;
        rest >>= 5;
        // -16..=15: a table of 16 multiples is enough.
        carry = i32::from(window >= 16);
        let d = window - 32 * carry;
        *digit = if half.negative { -d } else { d };
    }
    // The last window holds three bits and a carry.
    debug_assert!(carry == 0);
    digits
}

/// A 256-bit integer from 32 little-endian bytes.
pub(crate) fn words(bytes: &[u8; 32]) -> Words {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

#[cfg(test)]
pub(crate) mod tests {
    use k256::elliptic_curve::PrimeField;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::algorithms::secp256k1::integer::{self, HALF_N, N, reduce_n, to_be};
    use crate::algorithms::secp256k1::multiply::Scalars;

    pub const LAMBDA: Words = [
        0xdf02_967c_1b23_bd72,
        0x122e_22ea_2081_6678,
        0xa526_1c02_8812_645a,
        0x5363_ad4c_c05c_30e0,
    ];

    pub fn referee(a: &Words) -> k256::Scalar {
        k256::Scalar::from_repr(to_be(a).into()).expect("below n")
    }

    /// u1, u2 and Q of a job, read from its lines as the contract has them; `None` where a digit is none.
    pub fn decode(job: &[u8; 192]) -> Option<([k256::Scalar; 2], [Words; 2])> {
        let small = |size: u64, negative: bool| {
            let size = k256::Scalar::from(size);
            if negative { -size } else { size }
        };
        let lane = |index: usize| -> [u8; 2] { [job[24 + 2 * index], job[25 + 2 * index]] };
        let mut sums = [[k256::Scalar::ZERO; 2]; 2];
        for window in (0..26).rev() {
            for (byte, sum) in lane(window).into_iter().zip(&mut sums[1]) {
                (byte & 0x7F <= 16).then_some(())?;
                let digit = small(u64::from(byte & 0x7F), byte & 0x80 != 0);
                *sum = *sum * k256::Scalar::from(32u64) + digit;
            }
        }
        for window in (0..13).rev() {
            for (half, sum) in sums[0].iter_mut().enumerate() {
                let word = u16::from_le_bytes(lane(26 + 2 * window + half));
                (word & 0x7E00 == 0).then_some(())?;
                let digit = small(u64::from(word & 0x1FF) * 2 + 1, word & 0x8000 != 0);
                *sum = *sum * k256::Scalar::from(1024u64) + digit;
            }
        }
        let scalars = sums.map(|[first, second]| first + second * referee(&LAMBDA));
        let word = |at: usize| words(job[at..at + 32].try_into().expect("32 bytes"));
        Some((scalars, [word(128), word(160)]))
    }

    #[test]
    fn digits_add_up_to_their_scalars() {
        let mut random = StdRng::seed_from_u64(8);
        let minus = |k: u64| integer::sub(&N, &[k, 0, 0, 0]).0;
        let mut scalars = vec![[0; 4], [1, 0, 0, 0], [16, 0, 0, 0], [31, 0, 0, 0], HALF_N];
        scalars.extend([minus(1), minus(2), minus(16), LAMBDA, scalar::negate(&LAMBDA)]);
        scalars.extend([[0, 0, 1, 0], [u64::MAX, u64::MAX, 0, 0], [0, 1 << 63, 0, 0]]);
        for _ in 0..2_000 {
            scalars.push(reduce_n(random.random()));
        }
        let key = [[1, 2, 3, 4], [5, 6, 7, u64::MAX]];
        for (i, u1) in scalars.iter().enumerate() {
            let u2 = scalars[(7 * i + 3) % scalars.len()];
            for scalars in [Scalars { u1: *u1, u2 }, Scalars { u1: u2, u2: *u1 }] {
                let job = secp256k1(0x0403_0201, &Prepared { key: Some(key), scalars });
                let job = job.expect("a key");
                let bytes: &[u8; 192] = job.as_flattened().try_into().expect("192 bytes");
                assert_eq!(bytes[..16], [4, 0, 0, 0, 1, 2, 3, 4, 2, 0, 0, 0, 0, 0, 0, 0]);
                assert_eq!(bytes[16..24], [0; 8]);
                let expected = [scalars.u1, scalars.u2].map(|u| referee(&u));
                assert_eq!(decode(bytes), Some((expected, key)));
            }
        }
        let scalars = Scalars::default();
        assert_eq!(secp256k1(1, &Prepared { key: None, scalars }), None);
        let job = secp256k1(1, &Prepared { key: Some(key), scalars }).expect("a key");
        assert_eq!(job.as_flattened()[24..76], [0; 52], "no digit of zero has a sign");
    }
}

//! 256-bit integers as four little-endian words: what the host checks before any device sees them.

use crate::parsed::Words;

/// The field prime, 2^256 - 2^32 - 977 (SEC 2, 2.4.1).
pub const P: Words = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];
/// The group order (SEC 2, 2.4.1).
pub const N: Words =
    [0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, u64::MAX];
/// (n - 1) / 2: the largest low s.
pub const HALF_N: Words =
    [0xdfe9_2f46_681b_20a0, 0x5d57_6e73_57a4_501d, u64::MAX, 0x7fff_ffff_ffff_ffff];
/// p - n: an r below it has a second candidate x, r + n.
pub const P_MINUS_N: Words = [0x402d_a172_2fc9_baee, 0x4551_2319_50b7_5fc4, 1, 0];
/// Zero.
pub const ZERO: Words = [0; 4];

/// Reads 32 big-endian bytes.
pub fn from_be(bytes: &[u8; 32]) -> Words {
    let word = |i: usize| u64::from_be_bytes(*bytes[i..].first_chunk().expect("eight bytes"));
    [word(24), word(16), word(8), word(0)]
}

/// Writes 32 big-endian bytes.
pub fn to_be(words: &Words) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(words.iter().rev()) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

/// a < b.
#[inline]
pub fn is_below(a: &Words, b: &Words) -> bool {
    // The highest words decide nearly always.
    if a[3] == b[3] { a.iter().rev().lt(b.iter().rev()) } else { a[3] < b[3] }
}

/// a + b mod 2^256, and the carry.
pub fn add(a: &Words, b: &Words) -> (Words, bool) {
    let mut sum = ZERO;
    let mut carry = false;
    for i in 0..4 {
        (sum[i], carry) = carrying_add(a[i], b[i], carry);
    }
    (sum, carry)
}

/// a - b mod 2^256, and the borrow.
pub fn sub(a: &Words, b: &Words) -> (Words, bool) {
    let mut difference = ZERO;
    let mut borrow = false;
    for i in 0..4 {
        let (first, b0) = a[i].overflowing_sub(b[i]);
        let (second, b1) = first.overflowing_sub(u64::from(borrow));
        (difference[i], borrow) = (second, b0 | b1);
    }
    (difference, borrow)
}

/// a mod n; since n > 2^255, one subtraction is enough.
pub fn reduce_n(a: Words) -> Words {
    let (reduced, borrow) = sub(&a, &N);
    if borrow { a } else { reduced }
}

fn carrying_add(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (first, c0) = a.overflowing_add(b);
    let (second, c1) = first.overflowing_add(u64::from(carry));
    (second, c0 | c1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_fit_together() {
        assert_eq!(sub(&P, &N), (P_MINUS_N, false));
        let (double, carry) = add(&HALF_N, &HALF_N);
        assert_eq!((add(&double, &[1, 0, 0, 0]).0, carry), (N, false));
    }

    #[test]
    fn bytes_go_round() {
        let bytes: [u8; 32] = core::array::from_fn(|i| i as u8);
        assert_eq!(to_be(&from_be(&bytes)), bytes);
        assert_eq!(from_be(&bytes)[3], 0x0001_0203_0405_0607);
    }

    #[test]
    fn order_and_reduction() {
        assert!(is_below(&N, &P) && !is_below(&P, &N) && !is_below(&P, &P));
        assert!(is_below(&[u64::MAX, 0, 0, 0], &[0, 1, 0, 0]));
        assert_eq!(reduce_n(N), ZERO);
        assert_eq!(reduce_n([u64::MAX; 4]), sub(&[u64::MAX; 4], &N).0);
        assert_eq!(reduce_n(HALF_N), HALF_N);
    }
}

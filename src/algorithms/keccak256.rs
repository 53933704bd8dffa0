#![doc = include_str!("keccak256/SPEC.md")]

use std::ops::Range;

use crate::batch::Column;

/// Bytes absorbed by one permutation: 1600 / 8 - 2 * 32.
pub const RATE: usize = 136;

/// Round constants of iota (FIPS 202, 3.2.5).
#[rustfmt::skip]
const ROUND: [u64; 24] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a, 0x8000_0000_8000_8000,
    0x0000_0000_0000_808b, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
    0x0000_0000_0000_008a, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000a,
    0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
    0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800a, 0x8000_0000_8000_000a,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
];

/// Keccak-256 of each message in the range; `out` has its length.
pub fn digest(messages: &Column, range: Range<usize>, out: &mut [[u8; 32]]) {
    for (index, out) in range.zip(out) {
        *out = hash(messages.get(index));
    }
}

/// Keccak-256 of one message.
pub fn hash(message: &[u8]) -> [u8; 32] {
    let mut state = [0; 25];
    let (blocks, tail) = message.as_chunks::<RATE>();
    for block in blocks {
        absorb(&mut state, block);
    }
    // Padding: 0x01, zeros, 0x80; in the last byte of a block both meet as 0x81.
    let mut last = [0; RATE];
    last[..tail.len()].copy_from_slice(tail);
    last[tail.len()] = 0x01;
    last[RATE - 1] |= 0x80;
    absorb(&mut state, &last);
    let mut digest = [0; 32];
    for (chunk, word) in digest.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *chunk = word.to_le_bytes();
    }
    digest
}

/// The Ethereum address of a public key x || y: the last 20 bytes of its Keccak-256
/// (Yellow Paper, appendix F).
pub fn address(key: &[u8; 64]) -> [u8; 20] {
    *hash(key).last_chunk().expect("a digest is longer")
}

fn absorb(state: &mut [u64; 25], block: &[u8; RATE]) {
    for (word, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *word ^= u64::from_le_bytes(*bytes);
    }
    permute(state);
}

/// Keccak-f[1600]. Lane (x, y) lies at 5 y + x (FIPS 202, 3.2).
fn permute(a: &mut [u64; 25]) {
    for constant in ROUND {
        // theta
        let mut c = [0; 5];
        for x in 0..5 {
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        }
        let mut d = [0; 5];
        for x in 0..5 {
            d[x] = c[(x + 4) % 5] ^ c[(x + 1) % 5].rotate_left(1);
        }
        // rho and pi: lane (x, y) turns by its offset and moves to (y, 2 x + 3 y)
        let mut b = [0; 25];
        for y in 0..5 {
            for x in 0..5 {
                let turned = (a[5 * y + x] ^ d[x]).rotate_left(OFFSET[5 * y + x]);
                b[5 * ((2 * x + 3 * y) % 5) + y] = turned;
            }
        }
        // chi
        for y in 0..5 {
            for x in 0..5 {
                a[5 * y + x] = b[5 * y + x] ^ (!b[5 * y + (x + 1) % 5] & b[5 * y + (x + 2) % 5]);
            }
        }
        // iota
        a[0] ^= constant;
    }
}

/// Offsets of rho (FIPS 202, 3.2.2).
const OFFSET: [u32; 25] =
    [0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14];

#[cfg(test)]
mod tests {
    use sha3::{Digest, Keccak256};

    use super::*;

    #[test]
    fn every_length_to_700_agrees_with_sha3() {
        for length in (0..700).chain([10_000]) {
            let buffer: Vec<u8> = (0..=length).map(|i| (i * 37 + length) as u8).collect();
            let message = &buffer[1..];
            let expected: [u8; 32] = Keccak256::digest(message).into();
            assert_eq!(hash(message), expected, "length {length}");
        }
    }

    #[test]
    fn the_empty_message_is_not_that_of_sha3() {
        assert_eq!(hash(b"")[..4], [0xc5, 0xd2, 0x46, 0x01]);
    }
}

#![doc = include_str!("sha256/SPEC.md")]

use std::ops::Range;
use std::sync::OnceLock;

use crate::batch::Column;

/// The eight chaining words.
type State = [u32; 8];

/// H(0) (FIPS 180-4, 5.3.3).
#[rustfmt::skip]
const INITIAL: State = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
];

/// K (FIPS 180-4, 4.2.2).
#[rustfmt::skip]
const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
    0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
    0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
    0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
    0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
    0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
    0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
    0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
    0xc671_78f2,
];

/// K + W of the block that ends a message of 64 bytes: it is all padding, the same for every such
/// message, so its schedule is a constant.
const PADDING_OF_64: [u32; 64] = {
    let mut w = [0u32; 64];
    w[0] = 0x8000_0000;
    w[15] = 512;
    let mut i = 16;
    while i < 64 {
        w[i] = small_sigma_1(w[i - 2])
            .wrapping_add(w[i - 7])
            .wrapping_add(small_sigma_0(w[i - 15]))
            .wrapping_add(w[i - 16]);
        i += 1;
    }
    i = 0;
    while i < 64 {
        w[i] = w[i].wrapping_add(K[i]);
        i += 1;
    }
    w
};

/// SHA-256 of each message in the range; `out` has its length.
pub fn digest(messages: &Column, range: Range<usize>, out: &mut [[u8; 32]]) {
    for (index, out) in range.zip(out) {
        *out = hash(messages.get(index));
    }
}

/// SHA-256 of the SHA-256 of each message in the range; `out` has its length.
pub fn digest_twice(messages: &Column, range: Range<usize>, out: &mut [[u8; 32]]) {
    for (index, out) in range.zip(out) {
        *out = hash_twice(messages.get(index));
    }
}

/// SHA-256 of one message.
pub fn hash(message: &[u8]) -> [u8; 32] {
    to_bytes(&absorb(INITIAL, 0, message))
}

/// SHA-256 of the SHA-256 of one message.
pub fn hash_twice(message: &[u8]) -> [u8; 32] {
    let first = absorb(INITIAL, 0, message);
    // A digest of 32 bytes, the padding bit, and a length of 256 bits: one block.
    let mut block = [0; 16];
    block[..8].copy_from_slice(&first);
    (block[8], block[15]) = (0x8000_0000, 256);
    let mut state = INITIAL;
    compress(&mut state, block);
    to_bytes(&state)
}

/// The tagged hash of BIP 340: SHA-256(SHA-256(tag) || SHA-256(tag) || parts).
pub fn tagged(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    let state = match tag {
        "BIP0340/challenge" => {
            static CHALLENGE: OnceLock<State> = OnceLock::new();
            *CHALLENGE.get_or_init(|| tag_state(tag))
        }
        _ => tag_state(tag),
    };
    // Short messages, the rule, are put together on the stack.
    let length = parts.iter().map(|part| part.len()).sum();
    let mut short = [0; 192];
    if length <= short.len() {
        let mut end = 0;
        for part in parts {
            short[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        return to_bytes(&absorb(state, 64, &short[..length]));
    }
    to_bytes(&absorb(state, 64, &parts.concat()))
}

/// The state after the block that two hashes of the tag fill.
fn tag_state(tag: &str) -> State {
    let tag = hash(tag.as_bytes());
    let mut state = INITIAL;
    compress(&mut state, words(&[tag, tag].concat().try_into().expect("64 bytes")));
    state
}

/// Takes in the rest of a message, of which `before` bytes, whole blocks, went into `state`, and
/// its padding.
fn absorb(mut state: State, before: u64, message: &[u8]) -> State {
    let (blocks, tail) = message.as_chunks::<64>();
    for block in blocks {
        compress(&mut state, words(block));
    }
    if before == 0 && message.len() == 64 {
        compress_scheduled(&mut state, &PADDING_OF_64);
        return state;
    }
    let (padded, count) = padding(tail, before + message.len() as u64);
    for block in &padded.as_chunks::<64>().0[..count] {
        compress(&mut state, words(block));
    }
    state
}

/// The last one or two blocks: the tail, one bit, zeros, the length of the whole message in bits.
fn padding(tail: &[u8], length: u64) -> ([u8; 128], usize) {
    let mut padded = [0; 128];
    padded[..tail.len()].copy_from_slice(tail);
    padded[tail.len()] = 0x80;
    let count = if tail.len() < 56 { 1 } else { 2 };
    padded[count * 64 - 8..count * 64].copy_from_slice(&(length << 3).to_be_bytes());
    (padded, count)
}

fn words(block: &[u8; 64]) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    words
}

fn to_bytes(state: &State) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *chunk = word.to_be_bytes();
    }
    bytes
}

const fn small_sigma_0(x: u32) -> u32 {
    x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3)
}

const fn small_sigma_1(x: u32) -> u32 {
    x.rotate_right(17) ^ x.rotate_right(19) ^ (x >> 10)
}

/// One round (FIPS 180-4, 6.2.2, step 3) on a state that turns instead of moving.
#[inline(always)]
fn round(s: &mut State, turn: usize, kw: u32) {
    let at = |i: usize| (i + 64 - turn) & 7;
    let (a, b, c) = (s[at(0)], s[at(1)], s[at(2)]);
    let (e, f, g) = (s[at(4)], s[at(5)], s[at(6)]);
    let big_sigma_1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
    let choose = g ^ (e & (f ^ g));
    let t1 = s[at(7)].wrapping_add(big_sigma_1).wrapping_add(choose).wrapping_add(kw);
    let big_sigma_0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
    let majority = (a & b) | (c & (a | b));
    s[at(3)] = s[at(3)].wrapping_add(t1);
    s[at(7)] = t1.wrapping_add(big_sigma_0).wrapping_add(majority);
}

/// The compression function over one block.
fn compress(state: &mut State, mut w: [u32; 16]) {
    let mut s = *state;
    for i in 0..16 {
        round(&mut s, i, K[i].wrapping_add(w[i]));
    }
    for group in 1..4 {
        for i in 0..16 {
            // The schedule in a ring of 16 words: w[i] is W of 16 rounds ago.
            w[i] = w[i]
                .wrapping_add(small_sigma_0(w[(i + 1) & 15]))
                .wrapping_add(w[(i + 9) & 15])
                .wrapping_add(small_sigma_1(w[(i + 14) & 15]));
            round(&mut s, i, K[16 * group + i].wrapping_add(w[i]));
        }
    }
    add(state, &s);
}

/// The compression function over a block whose schedule is known.
fn compress_scheduled(state: &mut State, kw: &[u32; 64]) {
    let mut s = *state;
    for group in 0..8 {
        for i in 0..8 {
            round(&mut s, i, kw[8 * group + i]);
        }
    }
    add(state, &s);
}

fn add(state: &mut State, s: &State) {
    for (word, new) in state.iter_mut().zip(s) {
        *word = word.wrapping_add(*new);
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn message(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 131 + length) as u8).collect()
    }

    #[test]
    fn every_length_to_300_agrees_with_sha2() {
        for length in (0..300).chain([1_000, 4_095, 4_096, 100_000]) {
            // One byte into a buffer: messages need no alignment.
            let buffer = message(length + 1);
            let message = &buffer[1..];
            let once: [u8; 32] = Sha256::digest(message).into();
            let twice: [u8; 32] = Sha256::digest(once).into();
            assert_eq!(hash(message), once, "length {length}");
            assert_eq!(hash_twice(message), twice, "length {length}");
        }
    }

    #[test]
    fn tagged_hashes_agree_with_their_definition() {
        for tag in ["BIP0340/challenge", "TapLeaf", ""] {
            let t = Sha256::digest(tag);
            for length in [0, 1, 64, 96, 191, 192, 193, 500] {
                let message = message(length);
                let (left, right) = message.split_at(length / 3);
                let expected: [u8; 32] = Sha256::new()
                    .chain_update(t)
                    .chain_update(t)
                    .chain_update(&message)
                    .finalize()
                    .into();
                assert_eq!(tagged(tag, &[left, right]), expected);
            }
        }
    }

    /// Lengths that no test can hold in memory: 2^29 bytes are 2^32 bits.
    #[test]
    fn padding_counts_bits_in_64_bits() {
        for length in [0, 55, 56, 63, (1 << 29) - 1, 1 << 29, (1 << 29) + 1, 1 << 32, (1 << 32) + 9]
        {
            let tail = message((length % 64) as usize);
            let (padded, count) = padding(&tail, length);
            assert_eq!(count, if tail.len() < 56 { 1 } else { 2 });
            assert_eq!(padded[..tail.len()], tail);
            assert_eq!(padded[tail.len()], 0x80);
            assert!(padded[tail.len() + 1..count * 64 - 8].iter().all(|&byte| byte == 0));
            assert_eq!(padded[count * 64 - 8..count * 64], (length * 8).to_be_bytes());
        }
    }

    #[test]
    fn mixed_lengths_in_one_column() {
        let mut column = crate::Batch::open(crate::Algorithm::Sha256);
        let messages: Vec<_> = [3, 0, 64, 0, 129, 55, 56].map(message).into();
        for message in &messages {
            column.push(crate::Job::Hash { message }).expect("room");
        }
        let batch = column.seal();
        let mut out = [[0; 32]; 4];
        digest(batch.column(0), 2..6, &mut out);
        assert_eq!(out.to_vec(), messages[2..6].iter().map(|m| hash(m)).collect::<Vec<_>>());
    }
}

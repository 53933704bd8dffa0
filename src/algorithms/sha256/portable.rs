//! Constants, padding, and the compression function in plain Rust: the oracle of the other kernels.

/// The eight chaining words, a to h.
pub(super) type State = [u32; 8];

/// H(0) (FIPS 180-4, 5.3.3).
#[rustfmt::skip]
pub(super) const INITIAL: State = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
];

/// K (FIPS 180-4, 4.2.2).
#[rustfmt::skip]
pub(super) const K: [u32; 64] = [
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
pub(super) const PADDING_OF_64: [u32; 64] = {
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

/// The last one or two blocks: the tail, one bit, zeros, the length of the whole message in bits.
pub(crate) fn padding(tail: &[u8], length: u64) -> ([u8; 128], usize) {
    let mut padded = [0; 128];
    padded[..tail.len()].copy_from_slice(tail);
    padded[tail.len()] = 0x80;
    let count = if tail.len() < 56 { 1 } else { 2 };
    padded[count * 64 - 8..count * 64].copy_from_slice(&(length << 3).to_be_bytes());
    (padded, count)
}

pub(super) fn words(block: &[u8; 64]) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    words
}

pub(super) fn to_bytes(state: &State) -> [u8; 32] {
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
pub(super) fn compress(state: &mut State, mut w: [u32; 16]) {
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
pub(super) fn compress_scheduled(state: &mut State, kw: &[u32; 64]) {
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

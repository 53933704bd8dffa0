//! 16 lanes of AVX-512: rotations in one instruction, any function of three words in one.
#![expect(unsafe_code, reason = "AVX-512 intrinsics, justified by the token")]

use std::arch::x86_64::*;
use std::array::from_fn;

use super::lanes::{Lanes, WordVec};
use super::streams::Work;
use crate::isa::Avx512;

/// Runs a computation compiled for this level.
pub(super) fn run<W: Work>(token: Avx512, work: W) {
    #[target_feature(enable = "avx512f,avx512bw")]
    fn inner<W: Work>(token: Avx512, work: W) {
        work.run::<Lanes<Words16, 16>, 16>(token);
    }
    // SAFETY: the token proves both features.
    unsafe { inner(token, work) }
}

/// 16 words. Made from a token or from another one alone, which is what every SAFETY comment below
/// rests on.
#[derive(Clone, Copy)]
struct Words16(__m512i);

/// Truth tables of `vpternlogd`: bit 4 a + 2 b + c of the table is f(a, b, c).
const XOR_3: i32 = 0x96;
const CHOOSE: i32 = 0xca;
const MAJORITY: i32 = 0xe8;

impl WordVec<16> for Words16 {
    type Token = Avx512;

    #[inline(always)]
    fn splat(_: Avx512, word: u32) -> Self {
        // SAFETY: the token proves AVX-512F.
        Words16(unsafe { _mm512_set1_epi32(word as i32) })
    }

    #[inline(always)]
    fn from_array(_: Avx512, words: &[u32; 16]) -> Self {
        // SAFETY: the token proves AVX-512F; the array has 64 bytes.
        Words16(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn to_array(self) -> [u32; 16] {
        let mut words = [0; 16];
        // SAFETY: the vector proves AVX-512F; the array has 64 bytes.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) };
        words
    }

    #[inline(always)]
    fn load_64(_: Avx512, blocks: [&[u8; 64]; 16]) -> [Self; 16] {
        // SAFETY: the token proves both features.
        unsafe { load_64(blocks) }.map(Words16)
    }

    #[inline(always)]
    fn load_32(_: Avx512, halves: [&[u8; 32]; 16]) -> [Self; 8] {
        // SAFETY: the token proves both features.
        unsafe { load_32(halves) }.map(Words16)
    }

    #[inline(always)]
    fn store_32(words: [Self; 8]) -> [[u8; 32]; 16] {
        // SAFETY: the vectors prove both features.
        unsafe { store_32(words.map(|word| word.0)) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: the vectors prove AVX-512F.
        Words16(unsafe { _mm512_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: the vectors prove AVX-512F.
        Words16(unsafe { _mm512_sub_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn add_late(self, other: Self) -> Self {
        // SAFETY: the vectors prove AVX-512F.
        Words16(unsafe { add_late(self.0, other.0) })
    }

    #[inline(always)]
    fn add_word(self, word: u32) -> Self {
        // SAFETY: the vector proves AVX-512F.
        Words16(unsafe { _mm512_add_epi32(self.0, _mm512_set1_epi32(word as i32)) })
    }

    #[inline(always)]
    fn big_sigma<const I: i32, const J: i32, const K: i32>(self) -> Self {
        // SAFETY: the vector proves AVX-512F.
        Words16(unsafe {
            let (i, j) = (_mm512_ror_epi32::<I>(self.0), _mm512_ror_epi32::<J>(self.0));
            _mm512_ternarylogic_epi32::<XOR_3>(i, j, _mm512_ror_epi32::<K>(self.0))
        })
    }

    #[inline(always)]
    fn small_sigma<const I: i32, const J: i32, const K: u32>(self) -> Self {
        // SAFETY: the vector proves AVX-512F.
        Words16(unsafe {
            let (i, j) = (_mm512_ror_epi32::<I>(self.0), _mm512_ror_epi32::<J>(self.0));
            _mm512_ternarylogic_epi32::<XOR_3>(i, j, _mm512_srli_epi32::<K>(self.0))
        })
    }

    #[inline(always)]
    fn choose(e: Self, f: Self, g: Self) -> Self {
        // SAFETY: the vectors prove AVX-512F.
        Words16(unsafe { _mm512_ternarylogic_epi32::<CHOOSE>(e.0, f.0, g.0) })
    }

    #[inline(always)]
    fn majority(a: Self, b: Self, c: Self) -> Self {
        // SAFETY: the vectors prove AVX-512F.
        Words16(unsafe { _mm512_ternarylogic_epi32::<MAJORITY>(a.0, b.0, c.0) })
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_64(blocks: [&[u8; 64]; 16]) -> [__m512i; 16] {
    let row = |lane: usize| {
        // SAFETY: a block has 64 bytes.
        swap_bytes(unsafe { _mm512_loadu_si512(blocks[lane].as_ptr().cast()) })
    };
    // quads[i][j]: in part b of 128 bits, word 4 b + j of lanes 4 i to 4 i + 3.
    let quads: [[__m512i; 4]; 4] = from_fn(|i| interleave(from_fn(|k| row(4 * i + k))));
    let mut words = [quads[0][0]; 16];
    for j in 0..4 {
        let [q0, q1, q2, q3] = quads.map(|quad| quad[j]);
        let low = [_mm512_shuffle_i32x4::<0x44>(q0, q1), _mm512_shuffle_i32x4::<0x44>(q2, q3)];
        let high = [_mm512_shuffle_i32x4::<0xee>(q0, q1), _mm512_shuffle_i32x4::<0xee>(q2, q3)];
        words[j] = _mm512_shuffle_i32x4::<0x88>(low[0], low[1]);
        words[4 + j] = _mm512_shuffle_i32x4::<0xdd>(low[0], low[1]);
        words[8 + j] = _mm512_shuffle_i32x4::<0x88>(high[0], high[1]);
        words[12 + j] = _mm512_shuffle_i32x4::<0xdd>(high[0], high[1]);
    }
    words
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_32(halves: [&[u8; 32]; 16]) -> [__m512i; 8] {
    // One lane below the lane four further on: the parts then come out in the order of the lanes.
    let row = |lane: usize| {
        let half = |lane: usize| {
            // SAFETY: half a block has 32 bytes.
            unsafe { _mm256_loadu_si256(halves[lane].as_ptr().cast()) }
        };
        let below = _mm512_castsi256_si512(half(lane));
        swap_bytes(_mm512_inserti64x4::<1>(below, half(lane + 4)))
    };
    let (first, second) = (interleave(from_fn(row)), interleave(from_fn(|k| row(8 + k))));
    let mut words = [first[0]; 8];
    for j in 0..4 {
        words[j] = _mm512_shuffle_i32x4::<0x88>(first[j], second[j]);
        words[4 + j] = _mm512_shuffle_i32x4::<0xdd>(first[j], second[j]);
    }
    words
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store_32(words: [__m512i; 8]) -> [[u8; 32]; 16] {
    let word = |i: usize| swap_bytes(words[i]);
    // In part b of entry j: words 0 to 3, and 4 to 7, of lane 4 b + j.
    let (first, second) = (interleave(from_fn(word)), interleave(from_fn(|k| word(4 + k))));
    let low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    let high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    let mut out = [[0; 32]; 16];
    for j in 0..4 {
        for (lane, order) in [(j, low), (8 + j, high)] {
            let two = _mm512_permutex2var_epi64(first[j], order, second[j]);
            let (below, above) = (_mm512_castsi512_si256(two), _mm512_extracti64x4_epi64::<1>(two));
            // SAFETY: an entry has 32 bytes.
            unsafe {
                _mm256_storeu_si256(out[lane].as_mut_ptr().cast(), below);
                _mm256_storeu_si256(out[lane + 4].as_mut_ptr().cast(), above);
            }
        }
    }
    out
}

/// Transposes 4 x 4 words in each part of 128 bits.
#[inline]
#[target_feature(enable = "avx512f")]
fn interleave([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(ab, cd),
        _mm512_unpackhi_epi64(ab, cd),
        _mm512_unpacklo_epi64(ab_high, cd_high),
        _mm512_unpackhi_epi64(ab_high, cd_high),
    ]
}

/// Turns the bytes of every word around.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn swap_bytes(words: __m512i) -> __m512i {
    let order = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(order))
}

/// a + b in an instruction that the compiler sees as a whole.
#[inline]
#[target_feature(enable = "avx512f")]
fn add_late(a: __m512i, b: __m512i) -> __m512i {
    let sum;
    // SAFETY: the instruction touches registers alone.
    unsafe {
        std::arch::asm!(
            "vpaddd {}, {}, {}",
            lateout(zmm_reg) sum, in(zmm_reg) a, in(zmm_reg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

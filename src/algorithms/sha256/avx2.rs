//! 8 lanes of AVX2.
#![expect(unsafe_code, reason = "AVX2 intrinsics, justified by the token")]

use std::arch::x86_64::*;
use std::array::from_fn;

use super::lanes::{Lanes, WordVec};
use super::streams::Work;
use crate::isa::Avx2;

/// Runs a computation compiled for this level.
pub(super) fn run<W: Work>(token: Avx2, work: W) {
    #[target_feature(enable = "avx2")]
    fn inner<W: Work>(token: Avx2, work: W) {
        work.run::<Lanes<Words8, 8>, 8>(token);
    }
    // SAFETY: the token proves AVX2.
    unsafe { inner(token, work) }
}

/// 8 words. Made from a token or from another one alone, which is what every SAFETY comment below
/// rests on.
#[derive(Clone, Copy)]
struct Words8(__m256i);

impl WordVec<8> for Words8 {
    type Token = Avx2;

    #[inline(always)]
    fn splat(_: Avx2, word: u32) -> Self {
        // SAFETY: the token proves AVX2.
        Words8(unsafe { _mm256_set1_epi32(word as i32) })
    }

    #[inline(always)]
    fn from_array(_: Avx2, words: &[u32; 8]) -> Self {
        // SAFETY: the token proves AVX2; the array has 32 bytes.
        Words8(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn to_array(self) -> [u32; 8] {
        let mut words = [0; 8];
        // SAFETY: the vector proves AVX2; the array has 32 bytes.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) };
        words
    }

    #[inline(always)]
    fn load_64(token: Avx2, blocks: [&[u8; 64]; 8]) -> [Self; 16] {
        let low = blocks.map(|block| block.first_chunk().expect("32 of 64 bytes"));
        let high = blocks.map(|block| block.last_chunk().expect("32 of 64 bytes"));
        let (low, high) = (Self::load_32(token, low), Self::load_32(token, high));
        from_fn(|i| if i < 8 { low[i] } else { high[i - 8] })
    }

    #[inline(always)]
    fn load_32(_: Avx2, halves: [&[u8; 32]; 8]) -> [Self; 8] {
        // SAFETY: the token proves AVX2.
        unsafe { load_32(halves) }.map(Words8)
    }

    #[inline(always)]
    fn store_32(words: [Self; 8]) -> [[u8; 32]; 8] {
        // SAFETY: the vectors prove AVX2.
        unsafe { store_32(words.map(|word| word.0)) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: the vectors prove AVX2.
        Words8(unsafe { _mm256_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: the vectors prove AVX2.
        Words8(unsafe { _mm256_sub_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn add_late(self, other: Self) -> Self {
        // Three instructions a rotation leave no slack that the order could win.
        self.add(other)
    }

    #[inline(always)]
    fn add_word(self, word: u32) -> Self {
        // SAFETY: the vector proves AVX2.
        Words8(unsafe { _mm256_add_epi32(self.0, _mm256_set1_epi32(word as i32)) })
    }

    #[inline(always)]
    fn big_sigma<const I: i32, const J: i32, const K: i32>(self) -> Self {
        // SAFETY: the vector proves AVX2.
        Words8(unsafe {
            let two = _mm256_xor_si256(rotate::<I>(self.0), rotate::<J>(self.0));
            _mm256_xor_si256(two, rotate::<K>(self.0))
        })
    }

    #[inline(always)]
    fn small_sigma<const I: i32, const J: i32, const K: u32>(self) -> Self {
        // SAFETY: the vector proves AVX2.
        Words8(unsafe {
            let two = _mm256_xor_si256(rotate::<I>(self.0), rotate::<J>(self.0));
            _mm256_xor_si256(two, _mm256_srl_epi32(self.0, _mm_cvtsi32_si128(K as i32)))
        })
    }

    #[inline(always)]
    fn choose(e: Self, f: Self, g: Self) -> Self {
        // SAFETY: the vectors prove AVX2.
        Words8(unsafe { _mm256_xor_si256(g.0, _mm256_and_si256(e.0, _mm256_xor_si256(f.0, g.0))) })
    }

    #[inline(always)]
    fn majority(a: Self, b: Self, c: Self) -> Self {
        // SAFETY: the vectors prove AVX2.
        Words8(unsafe {
            let either = _mm256_or_si256(a.0, b.0);
            _mm256_or_si256(_mm256_and_si256(a.0, b.0), _mm256_and_si256(c.0, either))
        })
    }
}

/// a >>> I.
#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const I: i32>(a: __m256i) -> __m256i {
    let right = _mm256_srl_epi32(a, _mm_cvtsi32_si128(I));
    _mm256_or_si256(right, _mm256_sll_epi32(a, _mm_cvtsi32_si128(32 - I)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_32(halves: [&[u8; 32]; 8]) -> [__m256i; 8] {
    transpose(halves.map(|half| {
        // SAFETY: half a block has 32 bytes.
        swap_bytes(unsafe { _mm256_loadu_si256(half.as_ptr().cast()) })
    }))
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_32(words: [__m256i; 8]) -> [[u8; 32]; 8] {
    let mut out = [[0; 32]; 8];
    for (out, row) in out.iter_mut().zip(transpose(words)) {
        // SAFETY: an entry has 32 bytes.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), swap_bytes(row)) };
    }
    out
}

/// Transposes 8 x 8 words.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose(rows: [__m256i; 8]) -> [__m256i; 8] {
    // quads[i][j]: in part b of 128 bits, word 4 b + j of rows 4 i to 4 i + 3.
    let quads: [[__m256i; 4]; 2] = from_fn(|i| {
        let [a, b, c, d] = from_fn(|k| rows[4 * i + k]);
        let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
        let (ab_high, cd_high) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
        [
            _mm256_unpacklo_epi64(ab, cd),
            _mm256_unpackhi_epi64(ab, cd),
            _mm256_unpacklo_epi64(ab_high, cd_high),
            _mm256_unpackhi_epi64(ab_high, cd_high),
        ]
    });
    let mut columns = rows;
    for j in 0..4 {
        columns[j] = _mm256_permute2x128_si256::<0x20>(quads[0][j], quads[1][j]);
        columns[4 + j] = _mm256_permute2x128_si256::<0x31>(quads[0][j], quads[1][j]);
    }
    columns
}

/// Turns the bytes of every word around.
#[inline]
#[target_feature(enable = "avx2")]
fn swap_bytes(words: __m256i) -> __m256i {
    let order = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    _mm256_shuffle_epi8(words, _mm256_broadcastsi128_si256(order))
}

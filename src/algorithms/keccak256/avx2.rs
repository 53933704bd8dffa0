//! 4 lanes of AVX2.
#![expect(unsafe_code, reason = "AVX2 intrinsics, justified by the token")]

use std::arch::x86_64::*;
use std::array::from_fn;

use super::lanes::WordVec;
use super::{RATE, Work};
use crate::isa::Avx2;

/// Runs a computation compiled for this level.
pub(super) fn run<W: Work>(token: Avx2, work: W) {
    #[target_feature(enable = "avx2")]
    fn inner<W: Work>(token: Avx2, work: W) {
        work.run::<Words4, 4>(token);
    }
    // SAFETY: the token proves AVX2.
    unsafe { inner(token, work) }
}

/// 4 words. Made from a token or from another one alone, which is what every SAFETY comment below
/// rests on.
#[derive(Clone, Copy)]
struct Words4(__m256i);

impl WordVec<4> for Words4 {
    type Token = Avx2;

    #[inline(always)]
    fn from_array(_: Avx2, words: &[u64; 4]) -> Self {
        // SAFETY: the token proves AVX2; the array has 32 bytes.
        Words4(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn to_array(self) -> [u64; 4] {
        let mut words = [0; 4];
        // SAFETY: the vector proves AVX2; the array has 32 bytes.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) };
        words
    }

    #[inline(always)]
    fn load(_: Avx2, blocks: [&[u8; RATE]; 4]) -> [Self; RATE / 8] {
        // SAFETY: the token proves AVX2.
        unsafe { load(blocks) }.map(Words4)
    }

    #[inline(always)]
    fn store(words: [Self; 4]) -> [[u8; 32]; 4] {
        // SAFETY: the vectors prove AVX2.
        unsafe { store(words.map(|word| word.0)) }
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: the vectors prove AVX2.
        Words4(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn xor_word(self, word: u64) -> Self {
        // SAFETY: the vector proves AVX2.
        Words4(unsafe { _mm256_xor_si256(self.0, _mm256_set1_epi64x(word as i64)) })
    }

    #[inline(always)]
    fn xor_3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }

    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: the vectors prove AVX2.
        Words4(unsafe { _mm256_xor_si256(self.0, _mm256_andnot_si256(b.0, c.0)) })
    }

    #[inline(always)]
    fn rotate(self, bits: u32) -> Self {
        // SAFETY: the vector proves AVX2. The counts become part of the instructions; a shift by
        // 64, where the lane does not turn, gives zero.
        Words4(unsafe {
            let left = _mm256_sll_epi64(self.0, _mm_cvtsi32_si128(bits as i32));
            let right = _mm256_srl_epi64(self.0, _mm_cvtsi32_si128(64 - bits as i32));
            _mm256_or_si256(left, right)
        })
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(blocks: [&[u8; RATE]; 4]) -> [__m256i; RATE / 8] {
    let fours: [[__m256i; 4]; 4] = from_fn(|i| {
        transpose(blocks.map(|block| {
            let bytes: &[u8; 32] = block[32 * i..].first_chunk().expect("32 of 136 bytes");
            // SAFETY: these are 32 bytes.
            unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
        }))
    });
    let last = blocks.map(|block| i64::from_le_bytes(*block.last_chunk().expect("eight bytes")));
    let last = _mm256_setr_epi64x(last[0], last[1], last[2], last[3]);
    from_fn(|i| if i < 16 { fours[i / 4][i % 4] } else { last })
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(words: [__m256i; 4]) -> [[u8; 32]; 4] {
    let mut out = [[0; 32]; 4];
    for (out, row) in out.iter_mut().zip(transpose(words)) {
        // SAFETY: an entry has 32 bytes.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), row) };
    }
    out
}

/// Transposes 4 x 4 words.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (ab, cd) = (_mm256_unpacklo_epi64(a, b), _mm256_unpacklo_epi64(c, d));
    let (ab_odd, cd_odd) = (_mm256_unpackhi_epi64(a, b), _mm256_unpackhi_epi64(c, d));
    [
        _mm256_permute2x128_si256::<0x20>(ab, cd),
        _mm256_permute2x128_si256::<0x20>(ab_odd, cd_odd),
        _mm256_permute2x128_si256::<0x31>(ab, cd),
        _mm256_permute2x128_si256::<0x31>(ab_odd, cd_odd),
    ]
}

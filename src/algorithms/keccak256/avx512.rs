//! 8 lanes of AVX-512: rotations in one instruction, any function of three words in one.
#![expect(unsafe_code, reason = "AVX-512 intrinsics, justified by the token")]

use std::arch::x86_64::*;
use std::array::from_fn;

use super::lanes::WordVec;
use super::{RATE, Work};
use crate::isa::Avx512;

/// Runs a computation compiled for this level.
pub(super) fn run<W: Work>(token: Avx512, work: W) {
    #[target_feature(enable = "avx512f")]
    fn inner<W: Work>(token: Avx512, work: W) {
        work.run::<Words8, 8>(token);
    }
    // SAFETY: the token proves AVX-512F.
    unsafe { inner(token, work) }
}

/// 8 words. Made from a token or from another one alone, which is what every SAFETY comment below
/// rests on.
#[derive(Clone, Copy)]
struct Words8(__m512i);

/// Truth tables of `vpternlogq`: bit 4 a + 2 b + c of the table is f(a, b, c).
const XOR_3: i32 = 0x96;
const CHI: i32 = 0xd2;

impl WordVec<8> for Words8 {
    type Token = Avx512;

    #[inline(always)]
    fn from_array(_: Avx512, words: &[u64; 8]) -> Self {
        // SAFETY: the token proves AVX-512F; the array has 64 bytes.
        Words8(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn to_array(self) -> [u64; 8] {
        let mut words = [0; 8];
        // SAFETY: the vector proves AVX-512F; the array has 64 bytes.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) };
        words
    }

    #[inline(always)]
    fn load(_: Avx512, blocks: [&[u8; RATE]; 8]) -> [Self; RATE / 8] {
        // SAFETY: the token proves AVX-512F.
        unsafe { load(blocks) }.map(Words8)
    }

    #[inline(always)]
    fn store(words: [Self; 4]) -> [[u8; 32]; 8] {
        // SAFETY: the vectors prove AVX-512F.
        unsafe { store(words.map(|word| word.0)) }
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: the vectors prove AVX-512F.
        Words8(unsafe { _mm512_xor_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn xor_word(self, word: u64) -> Self {
        // SAFETY: the vector proves AVX-512F.
        Words8(unsafe { _mm512_xor_si512(self.0, _mm512_set1_epi64(word as i64)) })
    }

    #[inline(always)]
    fn xor_3(self, b: Self, c: Self) -> Self {
        // SAFETY: the vectors prove AVX-512F.
        Words8(unsafe { _mm512_ternarylogic_epi64::<XOR_3>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: the vectors prove AVX-512F.
        Words8(unsafe { _mm512_ternarylogic_epi64::<CHI>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn rotate(self, bits: u32) -> Self {
        // SAFETY: the vector proves AVX-512F. The count becomes part of the instruction.
        Words8(unsafe { _mm512_rolv_epi64(self.0, _mm512_set1_epi64(i64::from(bits))) })
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(blocks: [&[u8; RATE]; 8]) -> [__m512i; RATE / 8] {
    let eight = |at: usize| {
        transpose(blocks.map(|block| {
            let bytes: &[u8; 64] = block[at..].first_chunk().expect("64 of 136 bytes");
            // SAFETY: these are 64 bytes.
            unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
        }))
    };
    let (first, second) = (eight(0), eight(64));
    let last = blocks.map(|block| i64::from_le_bytes(*block.last_chunk().expect("eight bytes")));
    let [a, b, c, d, e, f, g, h] = last;
    let last = _mm512_setr_epi64(a, b, c, d, e, f, g, h);
    from_fn(|i| match i / 8 {
        0 => first[i],
        1 => second[i - 8],
        _ => last,
    })
}

/// Transposes 8 x 8 words.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; 8]) -> [__m512i; 8] {
    let mut columns = rows;
    for p in 0..2 {
        // pairs[i]: in part b of 128 bits, word 2 b + p of rows 2 i and 2 i + 1.
        let pairs: [__m512i; 4] = from_fn(|i| {
            let (even, odd) = (rows[2 * i], rows[2 * i + 1]);
            if p == 0 { _mm512_unpacklo_epi64(even, odd) } else { _mm512_unpackhi_epi64(even, odd) }
        });
        let [a, b, c, d] = pairs;
        let low = [_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0x44>(c, d)];
        let high = [_mm512_shuffle_i64x2::<0xee>(a, b), _mm512_shuffle_i64x2::<0xee>(c, d)];
        columns[p] = _mm512_shuffle_i64x2::<0x88>(low[0], low[1]);
        columns[2 + p] = _mm512_shuffle_i64x2::<0xdd>(low[0], low[1]);
        columns[4 + p] = _mm512_shuffle_i64x2::<0x88>(high[0], high[1]);
        columns[6 + p] = _mm512_shuffle_i64x2::<0xdd>(high[0], high[1]);
    }
    columns
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store([a, b, c, d]: [__m512i; 4]) -> [[u8; 32]; 8] {
    let low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    let high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    let mut out = [[0; 32]; 8];
    for p in 0..2 {
        // In part b of 128 bits: two words of lane 2 b + p.
        let (ab, cd) = if p == 0 {
            (_mm512_unpacklo_epi64(a, b), _mm512_unpacklo_epi64(c, d))
        } else {
            (_mm512_unpackhi_epi64(a, b), _mm512_unpackhi_epi64(c, d))
        };
        for (lane, order) in [(p, low), (4 + p, high)] {
            let two = _mm512_permutex2var_epi64(ab, order, cd);
            let (below, above) = (_mm512_castsi512_si256(two), _mm512_extracti64x4_epi64::<1>(two));
            // SAFETY: an entry has 32 bytes.
            unsafe {
                _mm256_storeu_si256(out[lane].as_mut_ptr().cast(), below);
                _mm256_storeu_si256(out[lane + 2].as_mut_ptr().cast(), above);
            }
        }
    }
    out
}

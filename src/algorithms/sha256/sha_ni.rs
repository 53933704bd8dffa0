//! The SHA extensions: two rounds an instruction, several messages in turn, so that one's latency
//! hides behind the others.
#![expect(unsafe_code, reason = "intrinsics of the SHA extensions, justified by the token")]

use std::arch::x86_64::*;
use std::array::from_fn;

use super::portable::{INITIAL, K, PADDING_OF_64, State};
use super::streams::{Streams, Work};
use crate::isa::ShaNi;

/// Messages in turn: as measured on Zen 5, see `SPEC.md`.
const STREAMS: usize = 2;

/// Runs a computation compiled for this level.
pub(super) fn run<W: Work>(token: ShaNi, work: W) {
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn inner<W: Work>(token: ShaNi, work: W) {
        work.run::<Turns<STREAMS>, STREAMS>(token);
    }
    // SAFETY: the token proves the three features.
    unsafe { inner(token, work) }
}

/// The states of `N` messages, each as the instructions want it: words f, e, b, a and h, g, d, c.
/// Made from a token or from another one alone, which is what every SAFETY comment below rests on.
#[derive(Clone, Copy)]
struct Turns<const N: usize> {
    states: [[__m128i; 2]; N],
    token: ShaNi,
}

impl<const N: usize> Streams<N> for Turns<N> {
    type Token = ShaNi;

    #[inline(always)]
    fn start(token: ShaNi, state: &State) -> Self {
        // SAFETY: the token proves the features.
        Turns { states: [unsafe { pack(state) }; N], token }
    }

    #[inline(always)]
    fn compress(self, blocks: [&[u8; 64]; N]) -> Self {
        // SAFETY: the token proves the features.
        let words = blocks.map(|block| unsafe { load(block) });
        self.plus(self.rounds(words))
    }

    #[inline(always)]
    fn compress_last_32(self, tails: [&[u8; 32]; N], bits: u32) -> Self {
        let words = tails.map(|tail| {
            let mut block = [0; 64];
            block[..32].copy_from_slice(tail);
            block[32] = 0x80;
            block[60..].copy_from_slice(&bits.to_be_bytes());
            // SAFETY: the token proves the features.
            unsafe { load(&block) }
        });
        self.plus(self.rounds(words))
    }

    #[inline(always)]
    fn compress_padding_of_64(self) -> Self {
        let mut states = self.states;
        for kw in PADDING_OF_64.as_chunks().0 {
            for state in &mut states {
                // SAFETY: the token proves the features.
                unsafe { four_rounds(state, vector(kw)) };
            }
        }
        self.plus(states)
    }

    #[inline(always)]
    fn again(self) -> Self {
        let words = self.states.map(|state| {
            // SAFETY: the token proves the features.
            unsafe {
                let [abcd, efgh] = unpack(state);
                [abcd, efgh, vector(&[0x8000_0000, 0, 0, 0]), vector(&[0, 0, 0, 256])]
            }
        });
        let initial = Self::start(self.token, &INITIAL);
        initial.plus(initial.rounds(words))
    }

    #[inline(always)]
    fn digests(self) -> [[u8; 32]; N] {
        // SAFETY: the token proves the features.
        self.states.map(|state| unsafe { digest(state) })
    }

    #[inline(always)]
    fn words(self) -> [[u32; N]; 8] {
        // The digest is the words, big-endian.
        let digests = self.digests();
        from_fn(|i| digests.map(|digest| u32::from_be_bytes(digest.as_chunks().0[i])))
    }

    #[inline(always)]
    fn from_words(token: ShaNi, words: &[[u32; N]; 8]) -> Self {
        // SAFETY: the token proves the features.
        Turns { states: from_fn(|n| unsafe { pack(&words.map(|word| word[n])) }), token }
    }
}

impl<const N: usize> Turns<N> {
    #[inline(always)]
    fn plus(self, states: [[__m128i; 2]; N]) -> Self {
        // SAFETY: the token proves the features.
        let sum = |n: usize, i: usize| unsafe { _mm_add_epi32(self.states[n][i], states[n][i]) };
        Turns { states: from_fn(|n| from_fn(|i| sum(n, i))), ..self }
    }

    /// The 64 rounds; `words` is the block, and becomes the schedule in a ring of 16 words.
    #[inline(always)]
    fn rounds(self, mut words: [[__m128i; 4]; N]) -> [[__m128i; 2]; N] {
        let mut states = self.states;
        let k = K.as_chunks::<4>().0;
        for group in 0..4 {
            for i in 0..4 {
                for (state, w) in states.iter_mut().zip(&mut words) {
                    // SAFETY: the token proves the features.
                    unsafe {
                        if group > 0 {
                            w[i] = schedule(w[i], w[(i + 1) % 4], w[(i + 2) % 4], w[(i + 3) % 4]);
                        }
                        four_rounds(state, _mm_add_epi32(w[i], vector(&k[4 * group + i])));
                    }
                }
            }
        }
        states
    }
}

/// Four words of the schedule from the sixteen before them.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn schedule(w0: __m128i, w4: __m128i, w8: __m128i, w12: __m128i) -> __m128i {
    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), _mm_alignr_epi8::<4>(w12, w8));
    _mm_sha256msg2_epu32(sum, w12)
}

/// Four rounds, given K + W. After two, what was f, e, b, a has become h, g, d, c.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn four_rounds(state: &mut [__m128i; 2], kw: __m128i) {
    let [feba, hgdc] = *state;
    let next = _mm_sha256rnds2_epu32(hgdc, feba, kw);
    let after = _mm_sha256rnds2_epu32(feba, next, _mm_shuffle_epi32::<0x0e>(kw));
    *state = [after, next];
}

/// From a to h to the order of the instructions.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn pack(state: &State) -> [__m128i; 2] {
    let [abcd, efgh] = [0, 4].map(|at| vector(state[at..].first_chunk().expect("four words")));
    let (badc, hgfe) = (_mm_shuffle_epi32::<0xb1>(abcd), _mm_shuffle_epi32::<0x1b>(efgh));
    [_mm_alignr_epi8::<8>(badc, hgfe), _mm_blend_epi16::<0xf0>(hgfe, badc)]
}

/// The opposite of [`pack`].
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn unpack([feba, hgdc]: [__m128i; 2]) -> [__m128i; 2] {
    let abef = _mm_shuffle_epi32::<0x1b>(feba);
    let cdgh = _mm_shuffle_epi32::<0x1b>(hgdc);
    [_mm_unpacklo_epi64(abef, cdgh), _mm_unpackhi_epi64(abef, cdgh)]
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn digest(state: [__m128i; 2]) -> [u8; 32] {
    let mut digest = [0; 32];
    for (chunk, words) in digest.as_chunks_mut::<16>().0.iter_mut().zip(unpack(state)) {
        // SAFETY: the chunk has 16 bytes.
        unsafe { _mm_storeu_si128(chunk.as_mut_ptr().cast(), swap_bytes(words)) };
    }
    digest
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn load(block: &[u8; 64]) -> [__m128i; 4] {
    let rows = block.as_chunks::<16>().0;
    // SAFETY: a row has 16 bytes.
    from_fn(|i| swap_bytes(unsafe { _mm_loadu_si128(rows[i].as_ptr().cast()) }))
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn vector(words: &[u32; 4]) -> __m128i {
    // SAFETY: four words are 16 bytes.
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}

/// Turns the bytes of every word around.
#[inline]
#[target_feature(enable = "ssse3")]
fn swap_bytes(words: __m128i) -> __m128i {
    let order = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    _mm_shuffle_epi8(words, order)
}

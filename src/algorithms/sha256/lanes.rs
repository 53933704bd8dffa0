//! One message a lane: the compression function over vectors of 32-bit words, written once.

use super::portable::{INITIAL, K, PADDING_OF_64, State};
use super::streams::Streams;

/// A vector of `N` words. Holding one proves that this machine has the level.
pub(super) trait WordVec<const N: usize>: Copy {
    /// The proof that the first vector is made from.
    type Token: Copy;

    /// The same word in every lane.
    fn splat(token: Self::Token, word: u32) -> Self;
    /// Words as they lie in memory, lane 0 first.
    fn from_array(token: Self::Token, words: &[u32; N]) -> Self;
    /// Words as they lie in memory, lane 0 first.
    fn to_array(self) -> [u32; N];
    /// Transposes blocks: vector i holds word i, big-endian, of each lane's block.
    fn load_64(token: Self::Token, blocks: [&[u8; 64]; N]) -> [Self; 16];
    /// The same for half blocks.
    fn load_32(token: Self::Token, halves: [&[u8; 32]; N]) -> [Self; 8];
    /// The opposite of [`load_32`](Self::load_32).
    fn store_32(words: [Self; 8]) -> [[u8; 32]; N];

    /// a + b.
    fn add(self, other: Self) -> Self;
    /// a - b.
    fn sub(self, other: Self) -> Self;
    /// a + b, where b is late: a sum that the compiler should not regroup with others.
    fn add_late(self, other: Self) -> Self;
    /// a + w, the same w in every lane.
    fn add_word(self, word: u32) -> Self;
    /// (a >>> i) ^ (a >>> j) ^ (a >>> k).
    fn big_sigma<const I: i32, const J: i32, const K: i32>(self) -> Self;
    /// (a >>> i) ^ (a >>> j) ^ (a >> k).
    fn small_sigma<const I: i32, const J: i32, const K: u32>(self) -> Self;
    /// Ch: where e has a bit, f's, elsewhere g's.
    fn choose(e: Self, f: Self, g: Self) -> Self;
    /// Maj: the bit that two of three have.
    fn majority(a: Self, b: Self, c: Self) -> Self;
}

/// The states of `N` messages, word by word.
#[derive(Clone, Copy)]
pub(super) struct Lanes<V: WordVec<N>, const N: usize> {
    state: [V; 8],
    token: V::Token,
}

/// Arrays of vectors are filled by loops: closures that the compiler leaves apart would be compiled
/// without the level's instructions.
impl<V: WordVec<N>, const N: usize> Streams<N> for Lanes<V, N> {
    type Token = V::Token;

    #[inline(always)]
    fn start(token: V::Token, state: &State) -> Self {
        let mut vectors = [V::splat(token, 0); 8];
        for (vector, &word) in vectors.iter_mut().zip(state) {
            *vector = V::splat(token, word);
        }
        Lanes { state: vectors, token }
    }

    #[inline(always)]
    fn compress(self, blocks: [&[u8; 64]; N]) -> Self {
        let mut s = self.state;
        let mut w = V::load_64(self.token, blocks);
        unrolled!(I in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 => round(&mut s, I, w[I].add_word(K[I])));
        rounds_16_to_63(&mut s, &mut w);
        self.plus(s)
    }

    #[inline(always)]
    fn compress_last_32(self, tails: [&[u8; 32]; N], bits: u32) -> Self {
        let data = V::load_32(self.token, tails);
        self.plus(compress_half(self.token, self.state, data, bits))
    }

    #[inline(always)]
    fn compress_padding_of_64(self) -> Self {
        let mut s = self.state;
        for group in PADDING_OF_64.as_chunks::<16>().0 {
            unrolled!(I in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 => round_of(&mut s, I, |h| h.add_word(group[I])));
        }
        self.plus(s)
    }

    #[inline(always)]
    fn again(self) -> Self {
        let initial = Self::start(self.token, &INITIAL);
        initial.plus(compress_half(self.token, initial.state, self.state, 256))
    }

    #[inline(always)]
    fn digests(self) -> [[u8; 32]; N] {
        V::store_32(self.state)
    }

    #[inline(always)]
    fn words(self) -> [[u32; N]; 8] {
        let mut words = [[0; N]; 8];
        for (words, vector) in words.iter_mut().zip(self.state) {
            *words = vector.to_array();
        }
        words
    }

    #[inline(always)]
    fn from_words(token: V::Token, words: &[[u32; N]; 8]) -> Self {
        let mut state = [V::splat(token, 0); 8];
        for (vector, words) in state.iter_mut().zip(words) {
            *vector = V::from_array(token, words);
        }
        Lanes { state, token }
    }
}

impl<V: WordVec<N>, const N: usize> Lanes<V, N> {
    #[inline(always)]
    fn plus(mut self, s: [V; 8]) -> Self {
        for (vector, s) in self.state.iter_mut().zip(s) {
            *vector = vector.add(s);
        }
        self
    }
}

/// The rounds over a block of eight words of data, the padding bit, and the length. The first half
/// of the block alone is transposed; K + W of the other is one word for all lanes.
#[inline(always)]
fn compress_half<V: WordVec<N>, const N: usize>(
    token: V::Token,
    mut s: [V; 8],
    data: [V; 8],
    bits: u32,
) -> [V; 8] {
    let end = [0x8000_0000, 0, 0, 0, 0, 0, 0, bits];
    unrolled!(I in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 => if I < 8 {
        round(&mut s, I, data[I % 8].add_word(K[I]));
    } else {
        round_of(&mut s, I, |h| h.add_word(K[I].wrapping_add(end[I % 8])));
    });
    let mut w = [V::splat(token, 0); 16];
    w[..8].copy_from_slice(&data);
    w[8] = V::splat(token, end[0]);
    w[15] = V::splat(token, bits);
    rounds_16_to_63(&mut s, &mut w);
    s
}

/// The schedule in a ring of 16 vectors: `w[i]` is W of 16 rounds ago.
#[inline(always)]
fn rounds_16_to_63<V: WordVec<N>, const N: usize>(s: &mut [V; 8], w: &mut [V; 16]) {
    for group in 1..4 {
        unrolled!(I in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 => {
            w[I] = w[I]
                .add(w[(I + 1) & 15].small_sigma::<7, 18, 3>())
                .add(w[(I + 9) & 15])
                .add(w[(I + 14) & 15].small_sigma::<17, 19, 10>());
            round(s, I, w[I].add_word(K[16 * group + I]));
        });
    }
}

/// One round with K + W in a vector.
#[inline(always)]
fn round<V: WordVec<N>, const N: usize>(s: &mut [V; 8], turn: usize, kw: V) {
    round_of(s, turn, |h| h.add(kw));
}

/// One round (FIPS 180-4, 6.2.2, step 3) on a state that turns instead of moving; `plus_kw` adds
/// K + W. The next e is made first and T1 from it, so that from one e to the next lie a rotation, a
/// function of three words and one sum: on wide machines the rounds wait for nothing else.
#[inline(always)]
fn round_of<V: WordVec<N>, const N: usize>(
    s: &mut [V; 8],
    turn: usize,
    plus_kw: impl FnOnce(V) -> V,
) {
    let at = |i: usize| (i + 64 - turn) & 7;
    let (a, b, c) = (s[at(0)], s[at(1)], s[at(2)]);
    let (e, f, g) = (s[at(4)], s[at(5)], s[at(6)]);
    let d = s[at(3)];
    let e_next =
        plus_kw(s[at(7)]).add(d).add_late(V::choose(e, f, g)).add_late(e.big_sigma::<6, 11, 25>());
    let t1 = e_next.sub(d);
    s[at(3)] = e_next;
    s[at(7)] = t1.add(V::majority(a, b, c)).add_late(a.big_sigma::<2, 13, 22>());
}

//! Messages side by side: what a level supplies, and the work that is written once over it.

use super::portable::{self, State};

/// `N` messages at the same step, each with a state of its own.
///
/// A level's words need not be those of memory: only [`words`](Self::words) and
/// [`from_words`](Self::from_words) show them, word by word, one entry a message.
pub(super) trait Streams<const N: usize>: Copy {
    /// Proof that this machine has the level.
    type Token: Copy;

    /// All messages in the same state.
    fn start(token: Self::Token, state: &State) -> Self;
    /// The compression function over one block a message.
    fn compress(self, blocks: [&[u8; 64]; N]) -> Self;
    /// The same over the last block of messages that end in these 32 bytes and have `bits` bits.
    fn compress_last_32(self, tails: [&[u8; 32]; N], bits: u32) -> Self;
    /// The same over the padding block of messages of 64 bytes.
    fn compress_padding_of_64(self) -> Self;
    /// The states after hashing the digests.
    fn again(self) -> Self;
    /// The digests.
    fn digests(self) -> [[u8; 32]; N];
    /// The words: `words[i][n]` is word i of message n.
    fn words(self) -> [[u32; N]; 8];
    /// From the words.
    fn from_words(token: Self::Token, words: &[[u32; N]; 8]) -> Self;
}

/// A whole computation, written once over the streams.
pub(super) trait Work {
    /// Runs it. Implementations are `#[inline(always)]`, so that they become part of the one
    /// function that is compiled for the level.
    fn run<S: Streams<N>, const N: usize>(self, token: S::Token);
}

/// One message at a time, in plain Rust.
#[derive(Clone, Copy)]
pub(super) struct Portable(State);

impl Streams<1> for Portable {
    type Token = ();

    fn start(_: (), state: &State) -> Self {
        Portable(*state)
    }

    fn compress(mut self, [block]: [&[u8; 64]; 1]) -> Self {
        portable::compress(&mut self.0, portable::words(block));
        self
    }

    fn compress_last_32(mut self, [tail]: [&[u8; 32]; 1], bits: u32) -> Self {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(tail.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        (words[8], words[15]) = (0x8000_0000, bits);
        portable::compress(&mut self.0, words);
        self
    }

    fn compress_padding_of_64(mut self) -> Self {
        portable::compress_scheduled(&mut self.0, &portable::PADDING_OF_64);
        self
    }

    fn again(self) -> Self {
        let mut words = [0; 16];
        words[..8].copy_from_slice(&self.0);
        (words[8], words[15]) = (0x8000_0000, 256);
        let mut state = portable::INITIAL;
        portable::compress(&mut state, words);
        Portable(state)
    }

    fn digests(self) -> [[u8; 32]; 1] {
        [portable::to_bytes(&self.0)]
    }

    fn words(self) -> [[u32; 1]; 8] {
        self.0.map(|word| [word])
    }

    fn from_words(_: (), words: &[[u32; 1]; 8]) -> Self {
        Portable(words.map(|[word]| word))
    }
}

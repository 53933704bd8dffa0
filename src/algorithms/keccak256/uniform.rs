//! Messages of one length: all lanes end together, so states stay in registers.

use std::array::from_fn;

use super::lanes::{State, WordVec, permute, squeeze};
use super::{RATE, Work, padding};
use crate::algorithms::bytes::copy_short;

/// Hashes messages of one length, item after item in `bytes`.
pub(super) struct Uniform<'a> {
    /// The messages.
    pub bytes: &'a [u8],
    /// Bytes of one.
    pub length: usize,
    /// One digest a message.
    pub out: &'a mut [[u8; 32]],
}

impl Work for Uniform<'_> {
    #[inline(always)]
    fn run<V: WordVec<N>, const N: usize>(self, token: V::Token) {
        let Uniform { bytes, length, out } = self;
        let whole = length / RATE;
        // Only the data in the last blocks differs between messages; the padding is laid down once.
        let mut padded = [padding(&bytes[..length % RATE]); N];
        let mut first = 0;
        for out in out.chunks_mut(N) {
            // Lanes without a message repeat the last one.
            let messages: [&[u8]; N] =
                from_fn(|lane| &bytes[(first + lane.min(out.len() - 1)) * length..][..length]);
            let mut state = [V::from_array(token, &[0; N]); 25];
            for block in 0..whole {
                let blocks = messages
                    .map(|message| message[RATE * block..].first_chunk().expect("a whole block"));
                absorb(&mut state, V::load(token, blocks));
                permute(&mut state);
            }
            for (padded, message) in padded.iter_mut().zip(messages) {
                copy_short(padded, &message[RATE * whole..]);
            }
            absorb(&mut state, V::load(token, padded.each_ref()));
            let digests = V::store(squeeze(&mut state));
            match <&mut [[u8; 32]; N]>::try_from(&mut *out) {
                Ok(out) => *out = digests,
                Err(_) => out.copy_from_slice(&digests[..out.len()]),
            }
            first += N;
        }
    }
}

/// Adds a block to the state.
#[inline(always)]
pub(super) fn absorb<V: WordVec<N>, const N: usize>(state: &mut State<V>, block: [V; RATE / 8]) {
    for (word, block) in state.iter_mut().zip(block) {
        *word = word.xor(block);
    }
}

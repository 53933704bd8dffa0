//! Messages of one length: all lanes end together, so states stay in registers.

use std::array::from_fn;

use super::Midstate;
use super::portable::padding;
use super::streams::{Streams, Work};
use crate::algorithms::bytes::copy_short;

/// Hashes messages of one length, item after item in `bytes`.
pub(super) struct Uniform<'a> {
    /// What all messages begin with.
    pub start: &'a Midstate,
    /// The block that each message begins with after that, if there is one.
    pub heads: Option<Heads<'a>>,
    /// The rest of the messages.
    pub bytes: &'a [u8],
    /// Bytes of one message's rest.
    pub length: usize,
    /// Whether the digest is hashed again.
    pub twice: bool,
    /// One digest a message.
    pub out: &'a mut [[u8; 32]],
}

/// One block a message: r, the first half of a signature, and a key.
#[derive(Clone, Copy)]
pub(super) struct Heads<'a> {
    pub signatures: &'a [[u8; 64]],
    pub keys: &'a [[u8; 32]],
}

impl<'a> Uniform<'a> {
    /// The first `items` messages, and the others.
    pub fn split_at(self, items: usize) -> (Uniform<'a>, Uniform<'a>) {
        let (bytes, rest) = self.bytes.split_at(items * self.length);
        let (out, rest_out) = self.out.split_at_mut(items);
        let (heads, rest_heads) = match self.heads {
            None => (None, None),
            Some(Heads { signatures, keys }) => {
                let (signatures, rest_signatures) = signatures.split_at(items);
                let (keys, rest_keys) = keys.split_at(items);
                let rest = Heads { signatures: rest_signatures, keys: rest_keys };
                (Some(Heads { signatures, keys }), Some(rest))
            }
        };
        let rest = Uniform { heads: rest_heads, bytes: rest, out: rest_out, ..self };
        let first = Uniform { heads, bytes, out, ..self };
        (first, rest)
    }
}

impl Work for Uniform<'_> {
    #[inline(always)]
    fn run<S: Streams<N>, const N: usize>(self, token: S::Token) {
        let Uniform { start, heads, bytes, length, twice, out } = self;
        let whole = length / 64;
        let before = start.bytes + 64 * u64::from(heads.is_some());
        let total = before + length as u64;
        let is_node = before == 0 && length == 64;
        let ends_in_32 = length % 64 == 32 && total < 1 << 29;
        // Only the data in the last blocks differs between messages; the padding is laid down once.
        let (padded, padded_blocks) = padding(&bytes[..length % 64], total);
        let mut padded = [padded; N];
        let last_blocks = if is_node || ends_in_32 { 0 } else { padded_blocks };

        let mut first = 0;
        for out in out.chunks_mut(N) {
            // Lanes without a message repeat the last one.
            let index: [usize; N] = from_fn(|lane| first + lane.min(out.len() - 1));
            let messages = index.map(|index| &bytes[index * length..][..length]);
            let tails = messages.map(|message| &message[64 * whole..]);
            let mut heads_of_lanes = [[0; 64]; N];
            if let Some(Heads { signatures, keys }) = heads {
                for (head, index) in heads_of_lanes.iter_mut().zip(index) {
                    head[..32].copy_from_slice(&signatures[index][..32]);
                    head[32..].copy_from_slice(&keys[index]);
                }
            }
            if last_blocks > 0 {
                for (padded, tail) in padded.iter_mut().zip(tails) {
                    copy_short(padded, tail);
                }
            }
            let mut streams = S::start(token, &start.state);
            for block in 0..usize::from(heads.is_some()) + whole + last_blocks {
                let block = |lane: usize| -> &[u8; 64] {
                    let blocks = match block.checked_sub(usize::from(heads.is_some())) {
                        None => return &heads_of_lanes[lane],
                        Some(at) if at < whole => &messages[lane][64 * at..],
                        Some(at) => &padded[lane][64 * (at - whole)..],
                    };
                    blocks.first_chunk().expect("a whole block")
                };
                streams = streams.compress(from_fn(block));
            }
            if is_node {
                streams = streams.compress_padding_of_64();
            } else if ends_in_32 {
                let tails = tails.map(|tail| tail.first_chunk().expect("32 bytes"));
                streams = streams.compress_last_32(tails, 8 * total as u32);
            }
            if twice {
                streams = streams.again();
            }
            let digests = streams.digests();
            match <&mut [[u8; 32]; N]>::try_from(&mut *out) {
                Ok(out) => *out = digests,
                Err(_) => out.copy_from_slice(&digests[..out.len()]),
            }
            first += N;
        }
    }
}

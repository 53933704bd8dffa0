#![doc = include_str!("keccak256/SPEC.md")]

use std::ops::Range;

use crate::algorithms::bytes::copy_short;
use crate::batch::Column;
use crate::isa::{Isa, Level};

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
mod mixed;
mod uniform;

use lanes::WordVec;
use mixed::Mixed;
use uniform::Uniform;

/// Bytes absorbed by one permutation: 1600 / 8 - 2 * 32.
pub const RATE: usize = 136;

/// Keccak-256 of each message in the range; `out` has its length.
pub fn digest(isa: Isa, messages: &Column, range: Range<usize>, out: &mut [[u8; 32]]) {
    match messages.uniform(range.clone()) {
        // The lanes of AVX2 gain from two messages on, those of AVX-512 from the first.
        Some((length, bytes)) if out.len() == 1 && matches!(isa.level(), Level::Avx2(_)) => {
            Uniform { bytes, length, out }.run::<u64, 1>(());
        }
        Some((length, bytes)) => run(isa, Uniform { bytes, length, out }),
        None => run(isa, Mixed { messages, range, out }),
    }
}

/// Keccak-256 of one message.
pub fn hash(message: &[u8]) -> [u8; 32] {
    let mut out = [[0; 32]];
    Uniform { bytes: message, length: message.len(), out: &mut out }.run::<u64, 1>(());
    out[0]
}

/// The Ethereum address of a public key x || y: the last 20 bytes of its Keccak-256
/// (Yellow Paper, appendix F).
pub fn address(key: &[u8; 64]) -> [u8; 20] {
    *hash(key).last_chunk().expect("a digest is longer")
}

/// The addresses of many keys; `out` has as many entries.
pub fn addresses(isa: Isa, keys: &[[u8; 64]], out: &mut [[u8; 20]]) {
    const PIECE: usize = 64;
    let mut digests = [[0; 32]; PIECE];
    for (keys, out) in keys.chunks(PIECE).zip(out.chunks_mut(PIECE)) {
        let digests = &mut digests[..keys.len()];
        run(isa, Uniform { bytes: keys.as_flattened(), length: 64, out: digests });
        for (out, digest) in out.iter_mut().zip(&*digests) {
            *out = *digest.last_chunk().expect("a digest is longer");
        }
    }
}

/// A whole computation, written once over the vectors.
trait Work {
    /// Runs it. Implementations are `#[inline(always)]`, so that they become part of the one
    /// function that is compiled for the level.
    fn run<V: WordVec<N>, const N: usize>(self, token: V::Token);
}

/// Enters the level once, for the whole computation.
fn run<W: Work>(isa: Isa, work: W) {
    match isa.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(token) => avx512::run(token, work),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(token) => avx2::run(token, work),
        _ => work.run::<u64, 1>(()),
    }
}

/// The last block of a message: its last 0 to 135 bytes, 0x01, zeros, 0x80; where one byte is left,
/// both meet as 0x81.
pub(crate) fn padding(tail: &[u8]) -> [u8; RATE] {
    let mut block = [0; RATE];
    copy_short(&mut block, tail);
    block[tail.len()] = 0x01;
    block[RATE - 1] |= 0x80;
    block
}

#[cfg(test)]
mod tests {
    use sha3::{Digest, Keccak256};

    use super::*;
    use crate::batch::Batch;

    #[test]
    fn every_length_to_700_agrees_with_sha3() {
        for length in (0..700).chain([10_000]) {
            let buffer: Vec<u8> = (0..=length).map(|i| (i * 37 + length) as u8).collect();
            let message = &buffer[1..];
            let expected: [u8; 32] = Keccak256::digest(message).into();
            assert_eq!(hash(message), expected, "length {length}");
        }
    }

    /// Every digest on every level, of the whole column and of a part of it.
    fn check(messages: &[Vec<u8>], what: &str) {
        let mut batch = Batch::open(crate::Algorithm::Keccak256);
        for message in messages {
            batch.push(crate::Job::Hash { message }).expect("room");
        }
        let batch = batch.seal();
        let expected: Vec<[u8; 32]> =
            messages.iter().map(|message| Keccak256::digest(message).into()).collect();
        for isa in levels() {
            for range in [0..messages.len(), messages.len() / 3..messages.len()] {
                let mut out = vec![[0; 32]; range.len()];
                digest(isa, batch.column(0), range.clone(), &mut out);
                for (index, out) in range.zip(out) {
                    let length = messages[index].len();
                    assert_eq!(out, expected[index], "{what}: {isa}: {index}, {length} bytes");
                }
            }
        }
    }

    /// The levels of this machine, with what it lacks spoken of.
    fn levels() -> Vec<Isa> {
        let levels = Isa::all();
        for level in ["avx2", "avx512"] {
            if !levels.iter().any(|isa| isa.to_string() == level) {
                println!("skipped: Keccak-256 in lanes of {level}: this machine has no {level}");
            }
        }
        levels
    }

    /// A message like no other of its length, so that a wrong lane would be seen.
    fn different(length: usize, salt: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 131 + length + salt * 89 + (i >> 6) * salt) as u8).collect()
    }

    #[test]
    fn one_length_a_batch() {
        for length in (0..=300).chain([407, 408, 409, 1_000]) {
            check(&(0..11).map(|i| different(length, i)).collect::<Vec<_>>(), "one length");
        }
    }

    #[test]
    fn mixed_lengths_in_one_batch() {
        check(&(0..=300).map(|length| different(length, length)).collect::<Vec<_>>(), "growing");
        let edges = [0, 1, 135, 136, 137, 271, 272, 273, 5_000];
        check(&(0..90).map(|i| different(edges[i * 7 % 9], i)).collect::<Vec<_>>(), "edges");
        let mut long = vec![different(20_000, 1)];
        long.extend((0..40).map(|i| different(i % 3, i)));
        check(&long, "one long message");
    }

    #[test]
    fn every_count_to_40() {
        for count in 0..=40 {
            check(&(0..count).map(|i| different(64, i)).collect::<Vec<_>>(), "count");
            check(&(0..count).map(|i| different(i * 9, i)).collect::<Vec<_>>(), "mixed count");
            check(&vec![different(136, 1); count], "all equal");
        }
    }

    #[test]
    fn addresses_are_those_of_single_keys() {
        let keys: Vec<[u8; 64]> =
            (0..150).map(|i| different(64, i).try_into().expect("64 bytes")).collect();
        for isa in levels() {
            for count in [0, 1, 7, 8, 9, 63, 64, 65, 150] {
                let mut out = vec![[0; 20]; count];
                addresses(isa, &keys[..count], &mut out);
                assert!(out.iter().zip(&keys).all(|(out, key)| *out == address(key)), "{isa}");
            }
        }
    }

    #[test]
    fn the_empty_message_is_not_that_of_sha3() {
        assert_eq!(hash(b"")[..4], [0xc5, 0xd2, 0x46, 0x01]);
    }
}

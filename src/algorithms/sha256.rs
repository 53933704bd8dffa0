#![doc = include_str!("sha256/SPEC.md")]

use std::ops::Range;
use std::sync::OnceLock;

use crate::batch::Column;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod mixed;
mod plan;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
mod streams;
mod uniform;

pub use plan::{Kernel, Plan};

use mixed::Mixed;
pub(crate) use portable::padding;
use portable::{INITIAL, PADDING_OF_64, State, compress, compress_scheduled, to_bytes};
use uniform::{Heads, Uniform};

/// The state after whole blocks that many messages begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Midstate {
    state: State,
    /// Bytes taken in so far: a multiple of 64.
    bytes: u64,
}

impl Midstate {
    /// Before any block.
    pub const INITIAL: Midstate = Midstate { state: INITIAL, bytes: 0 };

    /// After one more block.
    pub fn after(mut self, block: &[u8; 64]) -> Midstate {
        compress(&mut self.state, portable::words(block));
        Midstate { bytes: self.bytes + 64, ..self }
    }

    /// After the block that a tagged hash of BIP 340 begins with: two hashes of the tag.
    pub fn of_tag(tag: &str) -> Midstate {
        let after = || {
            let tag = hash(tag.as_bytes());
            let mut block = [0; 64];
            block[..32].copy_from_slice(&tag);
            block[32..].copy_from_slice(&tag);
            Midstate::INITIAL.after(&block)
        };
        static CHALLENGE: OnceLock<Midstate> = OnceLock::new();
        match tag {
            "BIP0340/challenge" => *CHALLENGE.get_or_init(after),
            _ => after(),
        }
    }
}

/// SHA-256 of each message in the range; `out` has its length.
pub fn digest(plan: Plan, messages: &Column, range: Range<usize>, out: &mut [[u8; 32]]) {
    hash_range(plan, &Midstate::INITIAL, messages, range, false, out);
}

/// SHA-256 of the SHA-256 of each message in the range; `out` has its length.
pub fn digest_twice(plan: Plan, messages: &Column, range: Range<usize>, out: &mut [[u8; 32]]) {
    hash_range(plan, &Midstate::INITIAL, messages, range, true, out);
}

/// SHA-256 of what went into `start` and each message in the range; `out` has its length.
pub fn digest_after(
    plan: Plan,
    start: &Midstate,
    messages: &Column,
    range: Range<usize>,
    out: &mut [[u8; 32]],
) {
    hash_range(plan, start, messages, range, false, out);
}

/// SHA-256 of messages of `length` bytes each, which lie one after the other.
pub(crate) fn digest_equal(plan: Plan, bytes: &[u8], length: usize, out: &mut [[u8; 32]]) {
    let start = &Midstate::INITIAL;
    hash_uniform(plan, Uniform { start, heads: None, bytes, length, twice: false, out });
}

/// SHA-256 of the SHA-256 of messages of 64 bytes, such as two nodes of a Merkle tree.
pub fn digest_64_twice(plan: Plan, messages: &[[u8; 64]], out: &mut [[u8; 32]]) {
    let (start, bytes) = (&Midstate::INITIAL, messages.as_flattened());
    hash_uniform(plan, Uniform { start, heads: None, bytes, length: 64, twice: true, out });
}

/// The challenges of BIP 340, not yet reduced mod n: the tagged hashes of r, key and message, for
/// the messages in the range. `signatures`, `keys` (x) and `out` have the range's length.
pub fn challenges(
    plan: Plan,
    messages: &Column,
    range: Range<usize>,
    signatures: &[[u8; 64]],
    keys: &[[u8; 32]],
    out: &mut [[u8; 32]],
) {
    let start = &Midstate::of_tag("BIP0340/challenge");
    // Runs of messages of one length; those of Bitcoin all have 32 bytes.
    let mut at = 0;
    while at < out.len() {
        let items = run_length(messages, range.start + at..range.end);
        let run = at..at + items;
        let (length, bytes) =
            messages.uniform(range.start + run.start..range.start + run.end).expect("one length");
        let heads = Some(Heads { signatures: &signatures[run.clone()], keys: &keys[run.clone()] });
        let out = &mut out[run];
        hash_uniform(plan, Uniform { start, heads, bytes, length, twice: false, out });
        at += items;
    }
}

/// Items at the start of a range that have the length of the first.
fn run_length(messages: &Column, range: Range<usize>) -> usize {
    let length = messages.get(range.start).len();
    range.take_while(|&index| messages.get(index).len() == length).count()
}

fn hash_range(
    plan: Plan,
    start: &Midstate,
    messages: &Column,
    range: Range<usize>,
    twice: bool,
    out: &mut [[u8; 32]],
) {
    if let Some((length, bytes)) = messages.uniform(range.clone()) {
        return hash_uniform(plan, Uniform { start, heads: None, bytes, length, twice, out });
    }
    let Plan { mixed, alone, few, .. } = plan;
    let kernel = if range.len() < few { alone } else { mixed };
    kernel.run(Mixed { start, messages, range, twice, out, few, alone });
}

/// Gives whole steps to the batch kernel, and a rest that would leave most lanes idle to the one
/// for single messages.
fn hash_uniform(plan: Plan, work: Uniform<'_>) {
    let items = work.out.len();
    let rest = items % plan.uniform.width();
    let rest = if rest < plan.few { rest } else { 0 };
    let (batch, single) = work.split_at(items - rest);
    if !batch.out.is_empty() {
        plan.uniform.run(batch);
    }
    if !single.out.is_empty() {
        plan.alone.run(single);
    }
}

/// SHA-256 of one message.
pub fn hash(message: &[u8]) -> [u8; 32] {
    to_bytes(&absorb(INITIAL, 0, message))
}

/// SHA-256 of the SHA-256 of one message.
pub fn hash_twice(message: &[u8]) -> [u8; 32] {
    let first = absorb(INITIAL, 0, message);
    // A digest of 32 bytes, the padding bit, and a length of 256 bits: one block.
    let mut block = [0; 16];
    block[..8].copy_from_slice(&first);
    (block[8], block[15]) = (0x8000_0000, 256);
    let mut state = INITIAL;
    compress(&mut state, block);
    to_bytes(&state)
}

/// The tagged hash of BIP 340: SHA-256(SHA-256(tag) || SHA-256(tag) || parts).
pub fn tagged(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    let Midstate { state, bytes } = Midstate::of_tag(tag);
    // Short messages, the rule, are put together on the stack.
    let length = parts.iter().map(|part| part.len()).sum();
    let mut short = [0; 192];
    if length <= short.len() {
        let mut end = 0;
        for part in parts {
            short[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        return to_bytes(&absorb(state, bytes, &short[..length]));
    }
    to_bytes(&absorb(state, bytes, &parts.concat()))
}

/// Takes in the rest of a message, of which `before` bytes, whole blocks, went into `state`, and
/// its padding.
fn absorb(mut state: State, before: u64, message: &[u8]) -> State {
    let (blocks, tail) = message.as_chunks::<64>();
    for block in blocks {
        compress(&mut state, portable::words(block));
    }
    if before == 0 && message.len() == 64 {
        compress_scheduled(&mut state, &PADDING_OF_64);
        return state;
    }
    let (padded, count) = padding(tail, before + message.len() as u64);
    for block in &padded.as_chunks::<64>().0[..count] {
        compress(&mut state, portable::words(block));
    }
    state
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::batch::Batch;
    use crate::isa::Isa;

    fn message(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 131 + length) as u8).collect()
    }

    #[test]
    fn every_length_to_300_agrees_with_sha2() {
        for length in (0..300).chain([1_000, 4_095, 4_096, 100_000]) {
            // One byte into a buffer: messages need no alignment.
            let buffer = message(length + 1);
            let message = &buffer[1..];
            let once: [u8; 32] = Sha256::digest(message).into();
            let twice: [u8; 32] = Sha256::digest(once).into();
            assert_eq!(hash(message), once, "length {length}");
            assert_eq!(hash_twice(message), twice, "length {length}");
        }
    }

    #[test]
    fn tagged_hashes_agree_with_their_definition() {
        for tag in ["BIP0340/challenge", "TapLeaf", ""] {
            let t = Sha256::digest(tag);
            for length in [0, 1, 64, 96, 191, 192, 193, 500] {
                let message = message(length);
                let (left, right) = message.split_at(length / 3);
                let expected: [u8; 32] = Sha256::new()
                    .chain_update(t)
                    .chain_update(t)
                    .chain_update(&message)
                    .finalize()
                    .into();
                assert_eq!(tagged(tag, &[left, right]), expected);
            }
        }
    }

    /// Lengths that no test can hold in memory: 2^29 bytes are 2^32 bits.
    #[test]
    fn padding_counts_bits_in_64_bits() {
        for length in [0, 55, 56, 63, (1 << 29) - 1, 1 << 29, (1 << 29) + 1, 1 << 32, (1 << 32) + 9]
        {
            let tail = message((length % 64) as usize);
            let (padded, count) = padding(&tail, length);
            assert_eq!(count, if tail.len() < 56 { 1 } else { 2 });
            assert_eq!(padded[..tail.len()], tail);
            assert_eq!(padded[tail.len()], 0x80);
            assert!(padded[tail.len() + 1..count * 64 - 8].iter().all(|&byte| byte == 0));
            assert_eq!(padded[count * 64 - 8..count * 64], (length * 8).to_be_bytes());
        }
    }

    /// Each plan of each level, with what the machine lacks spoken of.
    fn plans() -> Vec<(Isa, Plan)> {
        let levels = Isa::all();
        for level in ["avx2", "avx512"] {
            if !levels.iter().any(|isa| isa.to_string() == level) {
                println!("skipped: SHA-256 in lanes of {level}: this machine has no {level}");
            }
        }
        if levels.iter().all(|isa| isa.sha().is_none()) {
            println!("skipped: SHA-256 by the SHA extensions: this machine has none");
        }
        let plans = |isa: &Isa| Plan::all(*isa).into_iter().map(|plan| (*isa, plan)).collect();
        levels.iter().flat_map(|isa| -> Vec<_> { plans(isa) }).collect()
    }

    /// Every digest by every plan, of the whole column and of parts of it.
    fn check(messages: &[Vec<u8>], what: &str) {
        let column = column(messages);
        let n = messages.len();
        let start = Midstate::of_tag("a tag").after(&[9; 64]);
        let t = Sha256::digest("a tag");
        let expected: Vec<[[u8; 32]; 3]> = messages
            .iter()
            .map(|message| {
                let once: [u8; 32] = Sha256::digest(message).into();
                let after = Sha256::new().chain_update(t).chain_update(t).chain_update([9; 64]);
                [once, Sha256::digest(once).into(), after.chain_update(message).finalize().into()]
            })
            .collect();
        for (isa, plan) in plans() {
            for range in [0..n, n / 3..n, 0..n.saturating_sub(1)] {
                let mut out = [(); 3].map(|()| vec![[0; 32]; range.len()]);
                digest(plan, &column, range.clone(), &mut out[0]);
                digest_twice(plan, &column, range.clone(), &mut out[1]);
                digest_after(plan, &start, &column, range.clone(), &mut out[2]);
                for (i, index) in range.enumerate() {
                    let got = [out[0][i], out[1][i], out[2][i]];
                    let length = messages[index].len();
                    assert_eq!(got, expected[index], "{what}: {isa}, {plan}: {index}, {length}");
                }
            }
        }
    }

    fn column(messages: &[Vec<u8>]) -> Column {
        let mut batch = Batch::open(crate::Algorithm::Sha256);
        for message in messages {
            batch.push(crate::Job::Hash { message }).expect("room");
        }
        batch.seal().column(0).clone()
    }

    /// Every length in a batch of its own: all messages differ, so a wrong lane would be seen.
    #[test]
    fn one_length_a_batch() {
        for length in (0..=300).chain([1_000, 4_096]) {
            let messages: Vec<_> = (0..19).map(|i| different(length, i)).collect();
            check(&messages, "one length");
        }
    }

    #[test]
    fn mixed_lengths_in_one_batch() {
        let all: Vec<_> = (0..=300).map(|length| different(length, length)).collect();
        check(&all, "growing");
        let edges =
            [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 183, 184, 191, 192, 5_000];
        let edges: Vec<_> = (0..150).map(|i| different(edges[i * 7 % edges.len()], i)).collect();
        check(&edges, "edges");
        let mut long = vec![different(20_000, 1)];
        long.extend((0..40).map(|i| different(i % 3, i)));
        check(&long, "one long message");
        let nothing: Vec<_> = (0..33).map(|i| different(i % 2, i)).collect();
        check(&nothing, "every second one empty");
    }

    #[test]
    fn every_count_to_40() {
        for count in 0..=40 {
            for length in [0, 32, 64, 80] {
                check(&(0..count).map(|i| different(length, i)).collect::<Vec<_>>(), "count");
            }
            check(&(0..count).map(|i| different(i * 5, i)).collect::<Vec<_>>(), "mixed count");
            check(&vec![message(80); count], "all equal");
        }
    }

    /// What the tests of lanes rest on: a lane in another's place gives another digest.
    #[test]
    fn different_messages_differ() {
        for length in [1, 32, 64, 300] {
            let mut digests: Vec<_> = (0..19).map(|i| hash(&different(length, i))).collect();
            digests.sort_unstable();
            digests.dedup();
            assert_eq!(digests.len(), 19, "{length}");
        }
    }

    #[test]
    fn nodes_of_64_bytes() {
        let nodes: Vec<[u8; 64]> =
            (0..70).map(|i| different(64, i).try_into().expect("64 bytes")).collect();
        for (isa, plan) in plans() {
            for count in 0..nodes.len() {
                let mut out = vec![[0; 32]; count];
                digest_64_twice(plan, &nodes[..count], &mut out);
                let right = out.iter().zip(&nodes).all(|(out, node)| *out == hash_twice(node));
                assert!(right, "{isa}, {plan}: {count}");
            }
        }
    }

    #[test]
    fn challenges_agree_with_tagged_hashes() {
        for lengths in [&[32][..], &[0], &[100], &[32, 32, 32, 0, 17, 17, 64]] {
            let mut batch = Batch::open(crate::Algorithm::SchnorrBip340);
            for i in 0..45 {
                let message = &different(lengths[i % lengths.len()], i);
                let signature = &different(64, i + 1).try_into().expect("64 bytes");
                let key = &different(32, i + 2).try_into().expect("32 bytes");
                batch.push(crate::Job::Schnorr { message, signature, key }).expect("room");
            }
            let batch = batch.seal();
            for (isa, plan) in plans() {
                for range in [0..45, 3..45, 7..8, 20..20] {
                    let mut out = vec![[0; 32]; range.len()];
                    let signatures = &batch.column(1).bytes().as_chunks().0[range.clone()];
                    let keys = &batch.column(2).bytes().as_chunks().0[range.clone()];
                    let messages = batch.column(0);
                    challenges(plan, messages, range.clone(), signatures, keys, &mut out);
                    for (index, out) in range.zip(out) {
                        let parts = [
                            &batch.column(1).get(index)[..32],
                            batch.column(2).get(index),
                            batch.column(0).get(index),
                        ];
                        assert_eq!(out, tagged("BIP0340/challenge", &parts), "{isa}, {plan}");
                    }
                }
            }
        }
    }

    /// A message like no other of its length.
    fn different(length: usize, salt: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 131 + length + salt * 89 + (i >> 6) * salt) as u8).collect()
    }
}

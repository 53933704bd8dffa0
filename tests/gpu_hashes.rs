//! Hashes and trees on a GPU, against the crates `sha2` and `sha3` and against our own trees.
//!
//! It runs on a driver in software, such as lavapipe. Where there is none it says what it skips, and
//! fails if `SIGMILL_REQUIRE` lists `gpu`.
#![cfg(feature = "gpu")]

mod support;

use std::sync::LazyLock;

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use sha2::{Digest, Sha256};
use sha3::Keccak256;
use sigmill::algorithms::merkle::{self, Node};
use sigmill::backend::gpu::Limbs;
use sigmill::{Algorithm, Batch, Engine, Job, Outcome, Terms};

const HASHES: [Algorithm; 3] = [Algorithm::Sha256, Algorithm::Sha256d, Algorithm::Keccak256];

/// With the memory that a driver in software gets.
static GPU: LazyLock<Option<Engine>> = LazyLock::new(|| support::gpu_of(Limbs::U64, None));

/// With so little memory that parts are small: little more than 1,024 items, 200,000 bytes, 4,096
/// leaves.
static SMALL: LazyLock<Option<Engine>> =
    LazyLock::new(|| support::gpu_of(Limbs::U64, Some(7 << 20)));

fn answer(engine: &Engine, batch: Batch) -> Vec<[u8; 32]> {
    let done = engine.submit(batch, Terms::default()).expect("room").wait();
    let digest = |(index, outcome)| match outcome {
        Outcome::Digest(digest) => *digest,
        other => panic!("item {index}: {other:?}"),
    };
    let digests = done.answers().iter().enumerate().map(digest).collect();
    // A faulty device would be hidden by the last resort.
    for device in engine.snapshot().devices {
        assert!(device.name.starts_with("gpu") && device.faults == 0, "{device:?}");
    }
    digests
}

fn check(engine: &Engine, messages: &[Vec<u8>], what: &str) {
    for algorithm in HASHES {
        let mut batch = Batch::open(algorithm);
        for message in messages {
            batch.push(Job::Hash { message }).expect("room");
        }
        let digests = answer(engine, batch.seal());
        assert_eq!(digests.len(), messages.len());
        for (index, (digest, message)) in digests.iter().zip(messages).enumerate() {
            let expected: [u8; 32] = match algorithm {
                Algorithm::Sha256 => Sha256::digest(message).into(),
                Algorithm::Sha256d => Sha256::digest(Sha256::digest(message)).into(),
                _ => Keccak256::digest(message).into(),
            };
            let length = message.len();
            assert_eq!(*digest, expected, "{what}: {algorithm}: message {index}, {length} bytes");
        }
    }
}

fn check_trees(engine: &Engine, trees: &[Vec<Node>], what: &str) {
    let mut batch = Batch::open(Algorithm::MerkleRootSha256d);
    for leaves in trees {
        batch.push(Job::MerkleRoot { leaves }).expect("room");
    }
    let roots = answer(engine, batch.seal());
    assert_eq!(roots.len(), trees.len());
    for (index, (root, leaves)) in roots.iter().zip(trees).enumerate() {
        let count = leaves.len();
        assert_eq!(*root, merkle::root(leaves), "{what}: tree {index}, {count} leaves");
    }
}

fn random(rng: &mut StdRng, length: usize) -> Vec<u8> {
    let mut message = vec![0; length];
    rng.fill_bytes(&mut message);
    message
}

fn leaves(rng: &mut StdRng, count: usize) -> Vec<Node> {
    random(rng, 32 * count).as_chunks().0.to_vec()
}

/// Lengths at which blocks and paddings of either hash change.
fn edges() -> impl Iterator<Item = usize> {
    (1..=12).flat_map(|n| [64 * n, 64 * n - 9, 64 * n - 8, 136 * n]).flat_map(|n| n - 1..=n + 1)
}

/// Each length at each alignment: messages lie one behind the other.
#[test]
fn lengths_and_alignments() {
    let Some(engine) = &*GPU else { return };
    let mut rng = StdRng::seed_from_u64(1);
    let growing: Vec<_> = (0..300).map(|length| random(&mut rng, length)).collect();
    check(engine, &growing, "growing");
    for shift in 0..4 {
        let mut messages = vec![random(&mut rng, shift)];
        // A multiple of four between them keeps the alignment.
        for length in edges() {
            messages.push(random(&mut rng, length));
            messages.push(random(&mut rng, (4 - length % 4) % 4));
        }
        check(engine, &messages, "edges");
    }
    check(engine, &vec![Vec::new(); 200], "all empty");
}

#[test]
fn batch_sizes() {
    let Some(engine) = &*GPU else { return };
    let mut rng = StdRng::seed_from_u64(2);
    for count in [0, 1, 2, 63, 64, 65, 127, 128, 129] {
        for longest in [0, 1, 33, 200] {
            let mut message = || {
                let length = rng.random_range(0..=longest);
                random(&mut rng, length)
            };
            check(engine, &(0..count).map(|_| message()).collect::<Vec<_>>(), "sizes");
        }
        check(engine, &vec![random(&mut rng, 80); count], "all equal");
    }
}

/// The longest message that a job may carry is hashed on the device.
#[test]
fn long_messages() {
    let Some(engine) = &*GPU else { return };
    let mut rng = StdRng::seed_from_u64(3);
    let lengths = [5, (1 << 20) + 77, 0, 130, sigmill::batch::ITEM_BYTES_LIMIT, 1];
    let messages: Vec<_> = lengths.iter().map(|&length| random(&mut rng, length)).collect();
    check(engine, &messages, "long");
    // Around what one dispatch takes of a message.
    let mut around = Vec::new();
    for edge in [16_384 * 64, 2_048 * 136, 2 * 2_048 * 136] {
        let lengths = [edge - 137, edge - 65, edge - 64, edge - 9, edge - 8, edge - 1, edge];
        around.extend(lengths.map(|length| random(&mut rng, length)));
    }
    check(engine, &around, "around a dispatch");
}

#[test]
fn more_than_a_part_holds() {
    let Some(engine) = &*SMALL else { return };
    let mut rng = StdRng::seed_from_u64(4);
    let many: Vec<_> = (0..7_000).map(|i| random(&mut rng, i % 50)).collect();
    check(engine, &many, "many items");
    let big: Vec<_> = (0..300).map(|i| random(&mut rng, 5_000 + i)).collect();
    check(engine, &big, "many bytes");
    // Around the room of the columns; what is longer is the host's.
    let mut around = Vec::new();
    for length in [206_063, 206_064, 206_065, 206_080, 300_000, 1 << 21] {
        around.extend([random(&mut rng, length), random(&mut rng, 10), Vec::new()]);
    }
    check(engine, &around, "one as big as a part");
}

/// Sizes around which a tree's shape changes.
fn tree_sizes(height: u32) -> Vec<usize> {
    let powers = (2..=height).flat_map(|k| [(1 << k) - 1, 1 << k, (1 << k) + 1]);
    (0..=40).chain(powers).collect()
}

#[test]
fn trees() {
    let Some(engine) = &*GPU else { return };
    let mut rng = StdRng::seed_from_u64(5);
    let trees: Vec<_> = tree_sizes(12).iter().map(|&count| leaves(&mut rng, count)).collect();
    check_trees(engine, &trees, "together");
    for tree in &trees {
        check_trees(engine, std::slice::from_ref(tree), "alone");
    }
    check_trees(engine, &[], "no tree");
    check_trees(engine, &vec![Vec::new(); 130], "all empty");
    check_trees(engine, &vec![leaves(&mut rng, 7); 65], "all equal");
    let small: Vec<_> = (0..5_000).map(|i| leaves(&mut rng, i * 7 % 6)).collect();
    check_trees(engine, &small, "many small ones");
    check_trees(engine, &[leaves(&mut rng, (1 << 18) + 5)], "larger than a part");
}

#[test]
fn trees_in_pieces() {
    let Some(engine) = &*SMALL else { return };
    let mut rng = StdRng::seed_from_u64(6);
    let part = 4_096;
    let mut trees = Vec::new();
    for pieces in 1..=5 {
        for count in [part * pieces - 1, part * pieces, part * pieces + 1, part * pieces + 70] {
            trees.push(leaves(&mut rng, count));
            trees.push(leaves(&mut rng, pieces % 3));
        }
    }
    check_trees(engine, &trees, "pieces and small ones");
    let some: Vec<_> = (0..40).map(|i| leaves(&mut rng, 37 * i)).collect();
    check_trees(engine, &some, "parts of several trees");
    let single: Vec<_> = (0..6_000).map(|i| leaves(&mut rng, i % 2)).collect();
    check_trees(engine, &single, "more trees than a part has records for");
}

/// The portable limb format: hashes have the same text there.
#[test]
fn portable_format() {
    let Some(engine) = support::gpu_of(Limbs::U32, None) else { return };
    let mut rng = StdRng::seed_from_u64(7);
    check(&engine, &edges().map(|length| random(&mut rng, length)).collect::<Vec<_>>(), "edges");
    let trees: Vec<_> = tree_sizes(8).iter().map(|&count| leaves(&mut rng, count)).collect();
    check_trees(&engine, &trees, "trees");
}

//! Hashes, trees and proofs.

use sigmill::{Algorithm, Engine, Outcome, referee};

use super::support::{Owned, accepted, answer, batch, data, unhex};

/// (message, digest) of a file of `Len`, `Msg`, `MD` lines; whole bytes alone.
fn vectors(text: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut vectors = Vec::new();
    let (mut bits, mut message) = (0, Vec::new());
    for line in text.lines() {
        match line.split_once(" = ") {
            Some(("Len", value)) => bits = value.parse().expect("a number"),
            Some(("Msg", value)) => message = unhex(value),
            Some(("MD", value)) if bits % 8 == 0 => {
                vectors.push((message[..bits / 8].to_vec(), unhex(value)));
            }
            _ => {}
        }
    }
    vectors
}

fn short(engine: &Engine, algorithm: Algorithm, file: &str, least: usize) {
    let Some(folder) = data(file) else { return };
    let vectors = vectors(&std::fs::read_to_string(folder.join(file)).expect("a file"));
    assert!(vectors.len() >= least, "{}", vectors.len());
    let jobs: Vec<_> = vectors.iter().map(|(message, _)| Owned(vec![message.clone()])).collect();
    let answers = answer(engine, batch(algorithm, &jobs));
    for (outcome, (message, digest)) in answers.iter().zip(&vectors) {
        let expected = digest[..].try_into().expect("32 bytes");
        assert_eq!(outcome, Outcome::Digest(expected), "{} bytes", message.len());
    }
}

/// NIST's short messages.
pub fn sha256_short(engine: &Engine) {
    short(engine, Algorithm::Sha256, "hash/SHA256ShortMsg.rsp", 65);
}

/// The Keccak team's short messages, in the original padding.
pub fn keccak256_short(engine: &Engine) {
    short(engine, Algorithm::Keccak256, "hash/keccak256_ShortMsgKAT.txt", 256);
}

/// NIST's Monte Carlo test: each digest goes into the next message (SHAVS, 6.4). Ten checkpoints of a
/// hundred: each costs a thousand batches of one.
pub fn sha256_monte_carlo(engine: &Engine) {
    monte_carlo(engine, 10);
}

/// All of it.
pub fn sha256_whole_monte_carlo(engine: &Engine) {
    monte_carlo(engine, 100);
}

fn monte_carlo(engine: &Engine, checkpoints: usize) {
    let Some(folder) = data("SHA-256 Monte Carlo") else { return };
    let text = std::fs::read_to_string(folder.join("hash/SHA256Monte.rsp")).expect("a file");
    let value = |line: &str, name| Some(unhex(line.strip_prefix(name)?.strip_prefix(" = ")?));
    let mut seed = text.lines().find_map(|line| value(line, "Seed")).expect("a seed");
    let expected: Vec<_> = text.lines().filter_map(|line| value(line, "MD")).collect();
    assert_eq!(expected.len(), 100);
    for expected in &expected[..checkpoints] {
        let mut last = [seed.clone(), seed.clone(), seed.clone()];
        for _ in 0..1_000 {
            let answers = answer(engine, batch(Algorithm::Sha256, [&Owned(vec![last.concat()])]));
            let Some(Outcome::Digest(digest)) = answers.get(0) else { panic!("no digest") };
            last.rotate_left(1);
            last[2] = digest.to_vec();
        }
        seed = last[2].clone();
        assert_eq!(seed, *expected);
    }
}

/// The lengths at which paddings change, in one batch of mixed lengths, against the referee.
pub fn edge_lengths(engine: &Engine) {
    let mut lengths = vec![0, 1, 119, 120, 127, 128, 129, 135, 136, 137, 271, 272, 273];
    lengths.extend(55..=65);
    lengths.extend((0..9).map(|tail| 64 * 17 + 56 + tail));
    lengths.extend([0, 0, 100_000, 0]);
    let job = |length: &usize| Owned(vec![(0..*length).map(|i| (i * 3 + length) as u8).collect()]);
    let jobs: Vec<_> = lengths.iter().map(job).collect();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha256d, Algorithm::Keccak256] {
        let batch = batch(algorithm, &jobs);
        let answers = answer(engine, batch.clone());
        assert_eq!(referee::disagreement(&batch, &answers), None);
    }
}

/// Trees of every small size and around powers of two, and proofs of some of their leaves.
pub fn merkle_trees(engine: &Engine) {
    let leaves = |count: usize| -> Vec<[u8; 32]> {
        (0..count).map(|i| core::array::from_fn(|j| (i * 7 + j * count) as u8)).collect()
    };
    let sizes: Vec<usize> = (0..35).chain([63, 64, 65, 127, 128, 129, 1_000]).collect();
    let trees: Vec<_> = sizes.iter().map(|&size| Owned(vec![leaves(size).concat()])).collect();
    let trees = batch(Algorithm::MerkleRootSha256d, &trees);
    let answers = answer(engine, trees.clone());
    assert_eq!(referee::disagreement(&trees, &answers), None);
    let mut proofs = Vec::new();
    let mut expected = Vec::new();
    for (&size, root) in sizes.iter().zip(answers.iter()).skip(1) {
        let Outcome::Digest(root) = root else { panic!("no root") };
        let leaves = leaves(size);
        for index in [0, size / 2, size - 1] {
            let path = sigmill::algorithms::merkle::path(&leaves, index).expect("a leaf");
            for bad in [false, true] {
                let mut target = root.to_vec();
                target.extend((index as u32).to_le_bytes());
                target[3] ^= u8::from(bad);
                let fields = vec![leaves[index].to_vec(), path.concat(), target];
                proofs.push(Owned(fields));
                expected.push(!bad);
            }
        }
    }
    let proofs = batch(Algorithm::MerkleProofSha256d, &proofs);
    let answers = answer(engine, proofs.clone());
    assert_eq!(referee::disagreement(&proofs, &answers), None);
    assert_eq!(answers.iter().map(accepted).collect::<Vec<_>>(), expected);
}

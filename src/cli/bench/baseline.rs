//! Other libraries on the same jobs: libsecp256k1, sha2, sha3.

use std::ops::Range;

use rayon::ThreadPool;
use rayon::prelude::*;
use secp256k1::{Message, PublicKey, XOnlyPublicKey, ecdsa, schnorr};
use sha2::{Digest, Sha256};
use sha3::Keccak256;
use sigmill::Algorithm;

use crate::cli::workload::{Item, Source};
use crate::cli::{Failure, Status};

/// Whether this build has it.
pub(in crate::cli) const BUILT: bool = true;

/// What computes them: the pool has as many threads as the CPU backend.
pub(in crate::cli) struct Baseline {
    pool: ThreadPool,
}

/// Fewest jobs of a thread: some tens of microseconds of work, for shorter pieces cost more to hand out than they take.
fn piece(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Sha256 | Algorithm::Sha256d | Algorithm::Keccak256 => 1_024,
        Algorithm::MerkleRootSha256d => 64,
        _ => 4,
    }
}

/// So many of `wanted` jobs as are run at once. A library that goes through signatures one by one takes for each of 512
/// what it takes for each of more, and a sample of fewer lies nearer to the engine's in time.
pub(in crate::cli) fn at_once(algorithm: Algorithm, wanted: usize) -> usize {
    wanted.min(128 * piece(algorithm))
}

/// The library that an algorithm is compared with.
pub(in crate::cli) fn library(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::EcdsaSecp256k1(_)
        | Algorithm::SchnorrBip340
        | Algorithm::RecoverSecp256k1(_) => Some("libsecp256k1"),
        Algorithm::Sha256 | Algorithm::Sha256d | Algorithm::MerkleRootSha256d => Some("sha2"),
        Algorithm::Keccak256 => Some("sha3"),
        _ => None,
    }
}

impl Baseline {
    /// Starts the threads.
    pub fn new(threads: usize) -> Result<Option<Self>, Failure> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| {
            Failure::new(Status::Error, format!("the baseline's threads: {error}"))
        })?;
        Ok(Some(Baseline { pool }))
    }

    /// Does these batches of `size` jobs one after the other, counted in the order in which a ring holds them. Jobs
    /// that are not worth a second thread are done by one.
    pub fn run(
        &self,
        source: &Source,
        algorithm: Algorithm,
        size: usize,
        mut batches: Range<usize>,
    ) -> Result<(), Failure> {
        let right = |index: usize| {
            let item = source.item(index);
            judge(algorithm, item) == item.valid
        };
        let right = |batch: usize| {
            let (jobs, piece) = (batch * size..(batch + 1) * size, piece(algorithm));
            if size < 2 * piece {
                return { jobs }.all(right);
            }
            jobs.into_par_iter().with_min_len(piece).all(right)
        };
        // From within the pool: its threads are awake from one batch to the next.
        if self.pool.install(|| batches.all(right)) {
            return Ok(());
        }
        let why = format!("{algorithm}: the baseline finds otherwise than the jobs were made");
        Err(Failure::new(Status::Disagreement, why))
    }
}

/// Computes a job; whether it is valid, or what an item that is computed was made.
fn judge(algorithm: Algorithm, item: &Item) -> bool {
    let keep = |digest: [u8; 32]| {
        std::hint::black_box(digest);
        item.valid
    };
    match algorithm {
        Algorithm::EcdsaSecp256k1(_) => ecdsa_holds(item).unwrap_or(false),
        Algorithm::SchnorrBip340 => schnorr_holds(item).unwrap_or(false),
        Algorithm::RecoverSecp256k1(_) => recovers(item).unwrap_or(false),
        Algorithm::Sha256 => keep(Sha256::digest(item.long()).into()),
        Algorithm::Sha256d => keep(sha256d(&item.long())),
        Algorithm::Keccak256 => keep(Keccak256::digest(item.long()).into()),
        Algorithm::MerkleRootSha256d => keep(root(&item.leaves())),
        _ => item.valid,
    }
}

fn ecdsa_holds(item: &Item) -> Result<bool, secp256k1::Error> {
    let signature = ecdsa::Signature::from_compact(&item.ecdsa)?;
    let key = PublicKey::from_slice(&item.key)?;
    Ok(ecdsa::verify(&signature, Message::from_digest(item.message), &key).is_ok())
}

fn schnorr_holds(item: &Item) -> Result<bool, secp256k1::Error> {
    let signature = schnorr::Signature::from_byte_array(item.schnorr);
    let key = XOnlyPublicKey::from_byte_array(item.key[1..].try_into().expect("32 bytes"))?;
    Ok(schnorr::verify(&signature, &item.message, &key).is_ok())
}

fn recovers(item: &Item) -> Result<bool, secp256k1::Error> {
    let id = ecdsa::RecoveryId::try_from(i32::from(item.recovery_id))?;
    let signature = ecdsa::RecoverableSignature::from_compact(&item.recoverable, id)?;
    let key = signature.recover_ecdsa(Message::from_digest(item.message));
    Ok(key.is_ok_and(|key| {
        std::hint::black_box(key.serialize_uncompressed());
        true
    }))
}

fn sha256d(message: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(message)).into()
}

fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [root] => *root,
        _ => {
            let pairs = leaves.chunks(2).map(|pair| sha256d(pair.as_flattened()));
            root(&pairs.collect::<Vec<_>>())
        }
    }
}

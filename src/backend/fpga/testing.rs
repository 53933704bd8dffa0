//! What the tests of this folder share.

use rand::{Rng, SeedableRng, rngs::StdRng};
use secp256k1::{Keypair, Message, PublicKey, SecretKey};
use sha2::Digest;

use crate::algorithm::{Algorithm, EcdsaRule, RecoverRule};
use crate::batch::{Batch, Job};

/// The digest of a message, by the referee.
pub fn digest(algorithm: Algorithm, message: &[u8]) -> [u8; 32] {
    match algorithm {
        Algorithm::Keccak256 => sha3::Keccak256::digest(message).into(),
        Algorithm::Sha256d => sha2::Sha256::digest(sha2::Sha256::digest(message)).into(),
        _ => sha2::Sha256::digest(message).into(),
    }
}

/// [`signatures`] of ECDSA.
pub fn ecdsa(seed: u64, items: usize) -> Batch {
    signatures(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact), seed, items)
}

/// Jobs of an algorithm of signatures: valid, invalid, under keys that do not exist.
pub fn signatures(algorithm: Algorithm, seed: u64, items: usize) -> Batch {
    let mut random = StdRng::seed_from_u64(seed);
    let mut batch = Batch::open(algorithm);
    for item in 0..items {
        let message: [u8; 32] = random.random();
        let secret = SecretKey::from_secret_bytes(random.random()).expect("in range");
        let (mut key, mut signature) = match algorithm {
            Algorithm::SchnorrBip340 => {
                let pair = Keypair::from_secret_key(&secret);
                let signature = secp256k1::schnorr::sign_no_aux_rand(&message, &pair);
                let key = pair.x_only_public_key().0;
                (key.to_byte_array().to_vec(), signature.to_byte_array())
            }
            _ => {
                let signature = secp256k1::ecdsa::sign(Message::from_digest(message), &secret);
                let key = PublicKey::from_secret_key(&secret);
                (key.serialize().to_vec(), signature.serialize_compact())
            }
        };
        match item % 4 {
            1 => signature[40] ^= 1,
            2 => random.fill(&mut key[1..]),
            _ => {}
        }
        let job = match algorithm {
            Algorithm::SchnorrBip340 => {
                let key = key.as_slice().try_into().expect("32 bytes");
                Job::Schnorr { message: &message, signature: &signature, key }
            }
            Algorithm::RecoverSecp256k1(_) => {
                let recovery_id = (item % 2) as u8;
                Job::Recover { message: &message, signature: &signature, recovery_id }
            }
            _ => Job::Ecdsa { message: &message, signature: &signature, key: &key },
        };
        batch.push(job).expect("room");
    }
    batch.seal()
}

/// Messages of many lengths, every third of 64 bytes.
pub fn hashes(algorithm: Algorithm, items: usize) -> Batch {
    let mut batch = Batch::open(algorithm);
    for item in 0..items {
        let length = if item % 7 < 3 { 64 } else { 3 * item % 500 };
        let message: Vec<u8> = (0..length).map(|i| (i * 31 + item) as u8).collect();
        batch.push(Job::Hash { message: &message }).expect("room");
    }
    batch.seal()
}

/// One batch of each kind.
pub fn batches(seed: u64) -> Vec<Batch> {
    let recovery = Algorithm::RecoverSecp256k1(RecoverRule::EthereumFrontier);
    vec![
        ecdsa(seed, 30),
        hashes(Algorithm::Sha256, 40),
        signatures(Algorithm::SchnorrBip340, seed, 20),
        hashes(Algorithm::Sha256d, 50),
        signatures(recovery, seed, 20),
        hashes(Algorithm::Keccak256, 30),
    ]
}

/// Messages of 64 bytes, for the core that takes runs of them.
#[cfg(feature = "fpga-sim")]
pub fn runs(items: u32) -> Batch {
    let mut batch = Batch::open(Algorithm::Sha256d);
    for item in 0..items {
        let message = item.to_le_bytes().repeat(16);
        batch.push(Job::Hash { message: &message }).expect("room");
    }
    batch.seal()
}

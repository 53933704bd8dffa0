//! Jobs of every algorithm that has evidence, valid ones and others.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use secp256k1::{Keypair, Message, PublicKey, SecretKey, ecdsa, schnorr};
use sigmill::{Algorithm, Batch, EcdsaRule, RecoverRule};

use crate::support::{Owned, batch};

/// Every algorithm that an accelerator may serve.
pub fn algorithms() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::MerkleProofSha256d)
}

/// The algorithm of which most tests take batches.
pub const ECDSA: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);

/// A batch of such jobs, the same for the same arguments.
pub fn some(algorithm: Algorithm, count: usize, seed: u64) -> Batch {
    batch(algorithm, &jobs(algorithm, count, seed))
}

/// Jobs, the same for the same arguments: about one in six is spoilt or malformed.
pub fn jobs(algorithm: Algorithm, count: usize, seed: u64) -> Vec<Owned> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..count)
        .map(|index| {
            let mut job = Owned(fields(algorithm, &mut random));
            if index % 6 == 5 {
                let column = job.0.iter().rposition(|field| !field.is_empty()).unwrap_or(0);
                let column = random.random_range(0..=column);
                let field = &mut job.0[column];
                if let Some(at) = field.len().checked_sub(1) {
                    field[random.random_range(0..=at)] ^= 1 << random.random_range(0..8);
                }
            }
            job
        })
        .collect()
}

fn fields(algorithm: Algorithm, random: &mut StdRng) -> Vec<Vec<u8>> {
    let secret = SecretKey::from_secret_bytes(random.random()).expect("in range");
    let message: [u8; 32] = random.random();
    let digest = Message::from_digest(message);
    let signature = ecdsa::RecoverableSignature::sign_ecdsa_recoverable(digest, &secret);
    let (id, compact) = signature.serialize_compact();
    let parity = id.to_u8() & 1;
    match algorithm {
        Algorithm::EcdsaSecp256k1(rule) => {
            let key = PublicKey::from_secret_key(&secret);
            let key = match random.random_range(0..2) {
                0 => key.serialize().to_vec(),
                _ => key.serialize_uncompressed().to_vec(),
            };
            let signature = match rule {
                EcdsaRule::Compact | EcdsaRule::CompactLowS => compact.to_vec(),
                _ => signature.to_standard().serialize_der().to_vec(),
            };
            vec![message.to_vec(), signature, key]
        }
        Algorithm::SchnorrBip340 => {
            let pair = Keypair::from_secret_key(&secret);
            let message = &message[..random.random_range(0..=32)];
            let signature = schnorr::sign_no_aux_rand(message, &pair).to_byte_array();
            let key = pair.x_only_public_key().0.to_byte_array();
            vec![message.to_vec(), signature.to_vec(), key.to_vec()]
        }
        Algorithm::RecoverSecp256k1(RecoverRule::EcrecoverPrecompile) => {
            let mut input = [message.to_vec(), vec![0; 32], compact.to_vec()].concat();
            input[63] = 27 + parity;
            vec![input]
        }
        Algorithm::RecoverSecp256k1(_) => {
            vec![message.to_vec(), [&compact[..], &[parity]].concat(), Vec::new()]
        }
        Algorithm::MerkleRootSha256d => {
            let leaves: Vec<u8> =
                (0..32 * random.random_range(1..40)).map(|_| random.random()).collect();
            vec![leaves]
        }
        _ => {
            let length = random.random_range(0..300);
            vec![(0..length).map(|_| random.random()).collect()]
        }
    }
}

//! Signed jobs whose verdicts are known: each is valid unless it was spoiled.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use secp256k1::{Keypair, Message, PublicKey, SecretKey, ecdsa, schnorr};
use sigmill::{Algorithm, EcdsaRule, RecoverRule};

use super::Owned;

pub const ECDSA: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);
pub const SCHNORR: Algorithm = Algorithm::SchnorrBip340;
pub const RECOVER: Algorithm = Algorithm::RecoverSecp256k1(RecoverRule::EthereumFrontier);

/// Valid jobs under keys of their own, and whether y of their R is odd.
pub fn jobs(algorithm: Algorithm, count: usize, seed: u64) -> (Vec<Owned>, Vec<bool>) {
    let mut random = StdRng::seed_from_u64(seed);
    (0..count).map(|_| job(algorithm, &mut random)).unzip()
}

fn job(algorithm: Algorithm, random: &mut StdRng) -> (Owned, bool) {
    let secret = SecretKey::from_secret_bytes(random.random()).expect("in range");
    let message: [u8; 32] = random.random();
    if algorithm == SCHNORR {
        let pair = Keypair::from_secret_key(&secret);
        let signature = schnorr::sign_no_aux_rand(&message, &pair).to_byte_array();
        let key = pair.x_only_public_key().0.to_byte_array();
        return (Owned(vec![message.to_vec(), signature.to_vec(), key.to_vec()]), false);
    }
    let digest = Message::from_digest(message);
    let signature = ecdsa::RecoverableSignature::sign_ecdsa_recoverable(digest, &secret);
    let (id, compact) = signature.serialize_compact();
    let odd = id.to_u8() & 1 == 1;
    if algorithm == RECOVER {
        let signature = [compact.as_slice(), &[u8::from(odd)]].concat();
        return (Owned(vec![message.to_vec(), signature]), odd);
    }
    let key = PublicKey::from_secret_key(&secret).serialize();
    (Owned(vec![message.to_vec(), compact.to_vec(), key.to_vec()]), odd)
}

/// Makes a signature false, and leaves its encoding as it is.
pub fn spoil(job: &mut Owned) {
    job.0[0][7] ^= 0x20;
}

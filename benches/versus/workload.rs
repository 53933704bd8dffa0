//! Inputs of the comparison: all keys and messages distinct, all signatures valid.

use secp256k1::{Keypair, PublicKey, SecretKey, ecdsa, schnorr};
use sha2::{Digest, Sha256};
use sigmill::{Algorithm, Batch, EcdsaRule, Job, OpenBatch, RecoverRule};

/// One signature of each kind under one key.
#[derive(Clone, Copy)]
pub struct Signed {
    pub message: [u8; 32],
    pub key: [u8; 33],
    pub x_only: [u8; 32],
    pub ecdsa: [u8; 64],
    pub recoverable: ([u8; 64], u8),
    pub schnorr: [u8; 64],
}

/// Makes `count` of them.
pub fn signed(count: usize) -> Vec<Signed> {
    (0..count as u64)
        .map(|i| {
            let seed: [u8; 32] = Sha256::digest([&b"key"[..], &i.to_le_bytes()].concat()).into();
            let message: [u8; 32] = Sha256::digest(i.to_le_bytes()).into();
            let secret = SecretKey::from_secret_bytes(seed).expect("below the order");
            let key = PublicKey::from_secret_key(&secret);
            let pair = Keypair::from_secret_key(&secret);
            let digest = secp256k1::Message::from_digest(message);
            let recoverable = ecdsa::RecoverableSignature::sign_ecdsa_recoverable(digest, &secret);
            let (id, compact) = recoverable.serialize_compact();
            Signed {
                message,
                key: key.serialize(),
                x_only: key.x_only_public_key().0.to_byte_array(),
                ecdsa: recoverable.to_standard().serialize_compact(),
                recoverable: (compact, id.to_u8()),
                schnorr: schnorr::sign_no_aux_rand(&message, &pair).to_byte_array(),
            }
        })
        .collect()
}

/// The same under other messages: every signature is well formed and wrong.
pub fn spoilt(signed: &[Signed]) -> Vec<Signed> {
    let spoil = |item: &Signed| {
        let mut item = *item;
        item.message[0] ^= 1;
        item
    };
    signed.iter().map(spoil).collect()
}

pub fn ecdsa_batch(items: &[Signed]) -> Batch {
    let mut batch = Batch::open(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact));
    for item in items {
        let job = Job::Ecdsa { message: &item.message, signature: &item.ecdsa, key: &item.key };
        batch.push(job).expect("room");
    }
    batch.seal()
}

/// ECDSA with the parity of R, in one equation.
pub fn hinted_batch(items: &[Signed]) -> Batch {
    let mut batch = Batch::open_combined(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact));
    for Signed { message, ecdsa, key, recoverable: (_, id), .. } in items {
        let odd = id & 1 == 1;
        batch.push(Job::EcdsaHinted { message, signature: ecdsa, key, odd }).expect("room");
    }
    batch.seal()
}

pub fn schnorr_batch(items: &[Signed]) -> Batch {
    fill_schnorr(Batch::open(Algorithm::SchnorrBip340), items)
}

/// BIP 340 in one equation.
pub fn combined_schnorr_batch(items: &[Signed]) -> Batch {
    fill_schnorr(Batch::open_combined(Algorithm::SchnorrBip340), items)
}

fn fill_schnorr(mut batch: OpenBatch, items: &[Signed]) -> Batch {
    for Signed { message, schnorr, x_only, .. } in items {
        batch.push(Job::Schnorr { message, signature: schnorr, key: x_only }).expect("room");
    }
    batch.seal()
}

pub fn recover_batch(items: &[Signed]) -> Batch {
    let rule = RecoverRule::EthereumTransaction;
    let mut batch = Batch::open(Algorithm::RecoverSecp256k1(rule));
    for Signed { message, recoverable: (signature, id), .. } in items {
        batch.push(Job::Recover { message, signature, recovery_id: *id }).expect("room");
    }
    batch.seal()
}

/// Distinct messages of one length.
pub fn messages(count: usize, bytes: usize) -> Vec<Vec<u8>> {
    let message = |i: usize| (0..bytes).map(|j| (i * 31 + j * 7 + (i >> 8)) as u8).collect();
    (0..count).map(message).collect()
}

pub fn hash_batch(algorithm: Algorithm, messages: &[Vec<u8>]) -> Batch {
    let mut batch = Batch::open(algorithm);
    for message in messages {
        batch.push(Job::Hash { message }).expect("room");
    }
    batch.seal()
}

pub fn tree_batch(leaves: &[[u8; 32]]) -> Batch {
    let mut batch = Batch::open(Algorithm::MerkleRootSha256d);
    batch.push(Job::MerkleRoot { leaves }).expect("room");
    batch.seal()
}

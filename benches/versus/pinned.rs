//! Keys known ahead: 1,024 signatures under 128 keys whose tables are made before, against
//! libsecp256k1 with the keys parsed before.

use rayon::prelude::*;
use secp256k1::{Keypair, Message, PublicKey, SecretKey, XOnlyPublicKey, ecdsa, schnorr};
use sha2::{Digest, Sha256};
use sigmill::{Algorithm, Batch, EcdsaRule, Engine, Job};

use crate::{Case, resolve};

const KEYS: usize = 128;
const ITEMS: usize = 1_024;

struct Item {
    message: [u8; 32],
    ecdsa: [u8; 64],
    schnorr: [u8; 64],
    key: usize,
}

pub fn run(engine: &Engine, measure: &mut dyn FnMut(Case<'_>)) {
    let pairs: Vec<Keypair> = (0..KEYS as u64)
        .map(|i| {
            let seed: [u8; 32] = Sha256::digest([&b"pin"[..], &i.to_le_bytes()].concat()).into();
            let secret = SecretKey::from_secret_bytes(seed).expect("below the order");
            Keypair::from_secret_key(&secret)
        })
        .collect();
    let items: Vec<Item> = (0..ITEMS as u64)
        .map(|i| {
            let message: [u8; 32] = Sha256::digest(i.to_le_bytes()).into();
            let key = i as usize * 37 % KEYS;
            let signature =
                ecdsa::sign(Message::from_digest(message), &SecretKey::from_keypair(&pairs[key]));
            let ecdsa = signature.serialize_compact();
            let schnorr = schnorr::sign_no_aux_rand(&message, &pairs[key]).to_byte_array();
            Item { message, ecdsa, schnorr, key }
        })
        .collect();
    let keys: Vec<PublicKey> = pairs.iter().map(PublicKey::from_keypair).collect();
    let x_only: Vec<XOnlyPublicKey> = keys.iter().map(|key| key.x_only_public_key().0).collect();
    let pinned = engine.pin(&keys.iter().map(PublicKey::serialize).collect::<Vec<_>>());
    let pinned = pinned.expect("room for 128 keys");
    let open = |algorithm| Batch::open_pinned(algorithm, &pinned).expect("it has keys");
    let mut ours = open(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact));
    let mut ours_schnorr = open(Algorithm::SchnorrBip340);
    for Item { message, ecdsa, schnorr, key } in &items {
        let key = *key as u32;
        ours.push(Job::EcdsaPinned { message, signature: ecdsa, key }).expect("room");
        ours_schnorr.push(Job::SchnorrPinned { message, signature: schnorr, key }).expect("room");
    }
    let (mut ours, mut ours_schnorr) = (Some(ours.seal()), Some(ours_schnorr.seal()));
    measure(Case {
        name: format!("ecdsa-pinned/{ITEMS}"),
        baseline: "libsecp256k1",
        items: ITEMS,
        ours: Box::new(|| resolve(engine, &mut ours)),
        theirs: Box::new(|| {
            assert!(items.par_iter().with_min_len(16).all(|item| {
                let signature = ecdsa::Signature::from_compact(&item.ecdsa).expect("in range");
                signature.verify(Message::from_digest(item.message), &keys[item.key]).is_ok()
            }));
        }),
    });
    measure(Case {
        name: format!("schnorr-pinned/{ITEMS}"),
        baseline: "libsecp256k1",
        items: ITEMS,
        ours: Box::new(|| resolve(engine, &mut ours_schnorr)),
        theirs: Box::new(|| {
            assert!(items.par_iter().with_min_len(16).all(|item| {
                let signature = schnorr::Signature::from_byte_array(item.schnorr);
                signature.verify(&item.message, &x_only[item.key]).is_ok()
            }));
        }),
    });
}

//! Inputs: all keys, messages and signatures distinct, all valid.
//!
//! Keys and nonces walk by fixed steps, so that a signature costs two additions of points; every
//! thousand begins a walk of its own, on any thread.

use rayon::prelude::*;
use secp256k1::{PublicKey, SecretKey};
use sigmill::algorithms::secp256k1::integer::{from_be, reduce_n, to_be};
use sigmill::algorithms::secp256k1::{integer, scalar};
use sigmill::algorithms::sha256;
use sigmill::{Algorithm, Batch, EcdsaRule, Engine, Job, PinnedKeys, RecoverRule};

/// Signatures of one walk.
const WALK: usize = 1_024;
/// Keys that are pinned.
const PINNED: usize = 128;

type Words = [u64; 4];

/// What is timed end to end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Ecdsa,
    Recover,
    Schnorr,
    EcdsaPinned,
    Sha256d,
    Keccak256,
}

impl Case {
    pub const ALL: [Case; 6] = [
        Case::Ecdsa,
        Case::Recover,
        Case::Schnorr,
        Case::EcdsaPinned,
        Case::Sha256d,
        Case::Keccak256,
    ];

    /// The name in reports; for hashes with the bytes of a message.
    pub fn name(self) -> &'static str {
        match self {
            Case::Ecdsa => "ecdsa-verify",
            Case::Recover => "recover",
            Case::Schnorr => "schnorr-verify",
            Case::EcdsaPinned => "ecdsa-pinned",
            Case::Sha256d => "sha256d-64",
            Case::Keccak256 => "keccak256-136",
        }
    }

    pub fn algorithm(self) -> Algorithm {
        match self {
            Case::Ecdsa | Case::EcdsaPinned => Algorithm::EcdsaSecp256k1(EcdsaRule::Compact),
            Case::Recover => Algorithm::RecoverSecp256k1(RecoverRule::EthereumTransaction),
            Case::Schnorr => Algorithm::SchnorrBip340,
            Case::Sha256d => Algorithm::Sha256d,
            Case::Keccak256 => Algorithm::Keccak256,
        }
    }
}

/// A signature of each kind.
struct Signed {
    message: [u8; 32],
    key: [u8; 33],
    ecdsa: [u8; 64],
    recovery_id: u8,
    schnorr: [u8; 64],
    /// ECDSA under one of the pinned keys.
    pinned: [u8; 64],
}

pub struct Inputs {
    signed: Vec<Signed>,
    keys: PinnedKeys,
}

impl Inputs {
    /// Makes signatures for batches of up to `count`.
    pub fn new(engine: &Engine, count: usize) -> Result<Inputs, String> {
        let secrets: Vec<Words> = (0..PINNED).map(|key| number("pinned", key)).collect();
        let points: Vec<_> = secrets.iter().map(|secret| public(secret).serialize()).collect();
        let keys = engine.pin(&points).map_err(|error| error.to_string())?;
        let walk = |walk: usize| {
            (0..count.min(WALK)).zip(Walk::new(walk)).map(move |(i, at)| (walk, i, at))
        };
        let signed = (0..count.div_ceil(WALK))
            .into_par_iter()
            .flat_map_iter(|index| {
                let secrets = &secrets;
                walk(index).map(move |(walk, i, at)| at.sign(walk * WALK + i, secrets))
            })
            .collect();
        Ok(Inputs { signed, keys })
    }

    /// A batch of so many jobs.
    pub fn batch(&self, case: Case, items: usize) -> Batch {
        let mut batch = match case {
            Case::EcdsaPinned => {
                Batch::open_pinned(case.algorithm(), &self.keys).expect("it has keys")
            }
            _ => Batch::open(case.algorithm()),
        };
        let mut long = [0; 136];
        for (index, item) in self.signed[..items].iter().enumerate() {
            let Signed { message, key, ecdsa, recovery_id, schnorr, pinned } = item;
            long[..32].copy_from_slice(message);
            batch
                .push(match case {
                    Case::Ecdsa => Job::Ecdsa { message, signature: ecdsa, key },
                    Case::Recover => {
                        Job::Recover { message, signature: ecdsa, recovery_id: *recovery_id }
                    }
                    Case::Schnorr => {
                        let key = key[1..].try_into().expect("32 bytes");
                        Job::Schnorr { message, signature: schnorr, key }
                    }
                    Case::EcdsaPinned => {
                        let key = (index % PINNED) as u32;
                        Job::EcdsaPinned { message, signature: pinned, key }
                    }
                    Case::Sha256d => Job::Hash { message: &long[..64] },
                    Case::Keccak256 => Job::Hash { message: &long },
                })
                .expect("room");
        }
        batch.seal()
    }
}

/// A key and a nonce with their points.
#[derive(Clone)]
struct Walk {
    secret: Words,
    nonce: Words,
    step: Words,
    key: PublicKey,
    point: PublicKey,
    step_point: PublicKey,
}

impl Walk {
    fn new(index: usize) -> Walk {
        let [secret, nonce, step] = ["key", "nonce", "step"].map(|name| number(name, index));
        let [key, point, step_point] = [secret, nonce, step].map(|secret| public(&secret));
        Walk { secret, nonce, step, key, point, step_point }
    }

    fn sign(&self, index: usize, pinned: &[Words]) -> Signed {
        let message = sha256::hash(&(index as u64).to_le_bytes());
        let (key, point) = (self.key.serialize(), self.point.serialize());
        let r_bytes: [u8; 32] = point[1..].try_into().expect("32 bytes");
        let r = reduce_n(from_be(&r_bytes));
        let inverse = scalar::invert(&self.nonce);
        let z = reduce_n(from_be(&message));
        // s = (z + r d) / k, the lower of s and -s.
        let sign = |secret: &Words| {
            let s = scalar::mul(&scalar::add(&z, &scalar::mul(&r, secret)), &inverse);
            let high = integer::is_below(&integer::HALF_N, &s);
            let low = if high { scalar::negate(&s) } else { s };
            (join(&to_be(&r), &to_be(&low)), (point[0] & 1) ^ u8::from(high))
        };
        let (ecdsa, recovery_id) = sign(&self.secret);
        // BIP 340 takes both points with even y.
        let even = |odd: bool, k: &Words| if odd { scalar::negate(k) } else { *k };
        let e = sha256::tagged("BIP0340/challenge", &[&r_bytes, &key[1..], &message]);
        let product = scalar::mul(&reduce_n(from_be(&e)), &even(key[0] == 3, &self.secret));
        let s = scalar::add(&even(point[0] == 3, &self.nonce), &product);
        let schnorr = join(&r_bytes, &to_be(&s));
        let pinned = sign(&pinned[index % PINNED]).0;
        Signed { message, key, ecdsa, recovery_id, schnorr, pinned }
    }
}

impl Iterator for Walk {
    type Item = Walk;

    fn next(&mut self) -> Option<Walk> {
        let here = self.clone();
        self.secret = scalar::add(&self.secret, &self.step);
        self.nonce = scalar::add(&self.nonce, &self.step);
        self.key = self.key.combine(&self.step_point).expect("no walk comes by its opposite");
        self.point = self.point.combine(&self.step_point).expect("likewise");
        Some(here)
    }
}

/// A number below n, from a name and an index.
fn number(name: &str, index: usize) -> Words {
    reduce_n(from_be(&sha256::hash(&[name.as_bytes(), &index.to_le_bytes()].concat())))
}

fn public(secret: &Words) -> PublicKey {
    PublicKey::from_secret_key(&SecretKey::from_secret_bytes(to_be(secret)).expect("not zero"))
}

fn join(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    [*r, *s].as_flattened().try_into().expect("64 bytes")
}

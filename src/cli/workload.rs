//! Inputs to measure with: messages all distinct, keys as many as asked for, a share of the jobs invalid.
//!
//! The signatures come from known keys 1 G, 2 G, .. and nonces likewise, so that a signature costs
//! two additions and no signing code is needed.

use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{ProjectivePoint, Scalar};
use sigmill::algorithms::{merkle, sha256};
use sigmill::{Algorithm, Answers, Batch, EcdsaRule, Job, Outcome, PinnedKeys, RecoverRule};

use crate::cli::{Failure, Status, explain};

/// The algorithms that `bench` times, one rule each.
pub(in crate::cli) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Null,
    Algorithm::EcdsaSecp256k1(EcdsaRule::Compact),
    Algorithm::SchnorrBip340,
    Algorithm::RecoverSecp256k1(RecoverRule::EthereumTransaction),
    Algorithm::Sha256,
    Algorithm::Sha256d,
    Algorithm::Keccak256,
    Algorithm::MerkleRootSha256d,
    Algorithm::MerkleProofSha256d,
];

/// The algorithm of [`ALGORITHMS`] that a name means, its own or a usual one.
///
/// # Errors
/// A name that is not known, with the nearest that is; a rule that `bench` does not time.
pub(in crate::cli) fn algorithm(name: &str) -> Result<Algorithm, String> {
    if let Some(found) = ALGORITHMS.into_iter().find(|known| known.name() == name) {
        return Ok(found);
    }
    let meant = explain::algorithm(name)?;
    let found = ALGORITHMS.into_iter().find(|known| known.name() == meant.name());
    // Without a rule any is meant.
    match found.filter(|found| *found == meant || !name.contains(':')) {
        Some(found) => Ok(found),
        None => Err(format!("{meant} is not timed under this rule: give {}", meant.name())),
    }
}

/// Whether a job of it can be invalid.
pub(in crate::cli) fn judges(algorithm: Algorithm) -> bool {
    has_keys(algorithm)
        || matches!(algorithm, Algorithm::RecoverSecp256k1(_) | Algorithm::MerkleProofSha256d)
}

/// Whether its jobs name public keys, which can be pinned.
pub(in crate::cli) fn has_keys(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::EcdsaSecp256k1(_) | Algorithm::SchnorrBip340)
}

/// What every algorithm's jobs are made of: one of each kind under one key.
#[derive(Clone)]
pub(in crate::cli) struct Item {
    pub valid: bool,
    pub message: [u8; 32],
    pub key: [u8; 33],
    /// Index of the key among the distinct ones.
    pub key_index: u32,
    pub ecdsa: [u8; 64],
    pub schnorr: [u8; 64],
    pub recoverable: [u8; 64],
    pub recovery_id: u8,
}

impl Item {
    /// The message of a hash's job.
    pub fn long(&self) -> [u8; 64] {
        let mut long = [0; 64];
        long[..32].copy_from_slice(&self.message);
        long
    }

    /// The tree of a Merkle job.
    pub fn leaves(&self) -> [[u8; 32]; 16] {
        core::array::from_fn(|leaf| {
            let mut node = self.message;
            node[31] = node[31].wrapping_add(leaf as u8);
            node
        })
    }

    /// A leaf of that tree, its path, and the root, which an invalid job's is not.
    pub fn proof(&self) -> ([u8; 32], Vec<[u8; 32]>, [u8; 32]) {
        let leaves = self.leaves();
        let mut root = merkle::root(&leaves);
        root[0] ^= u8::from(!self.valid);
        (leaves[LEAF as usize], merkle::path(&leaves, LEAF as usize).expect("a leaf"), root)
    }

    /// Well formed, and wrong: another message, an r that is no point's, another root.
    fn spoil(&mut self) {
        self.valid = false;
        self.message[0] ^= 1;
        let mut r = self.recoverable[..32].try_into().expect("32 bytes");
        while has_point(&r) {
            // A low byte that does not run over keeps r below the order, in all but 2^-120 of the cases.
            r[31] = r[31].wrapping_add(1);
        }
        self.recoverable[..32].copy_from_slice(&r);
    }
}

/// Which leaf's proof is checked.
pub(in crate::cli) const LEAF: u32 = 5;

/// Whether x is that of a point.
fn has_point(x: &[u8; 32]) -> bool {
    let mut encoded = [2; 33];
    encoded[1..].copy_from_slice(x);
    k256::PublicKey::from_sec1_bytes(&encoded).is_ok()
}

/// Makes `count` of them under `keys` distinct keys; of a hundred, `invalid` are spoilt, evenly spread.
pub(in crate::cli) fn items(count: usize, keys: usize, invalid: f64) -> Vec<Item> {
    let first_key = Scalar::from(0x1234_5678_9abc_def1_u64);
    let mut nonce = Scalar::from(0x0fed_cba9_8765_4321_u64) * first_key;
    let mut nonce_point = ProjectivePoint::GENERATOR * nonce;
    let step = ProjectivePoint::GENERATOR;
    let mut signers = Vec::with_capacity(keys);
    let (mut key, mut key_point) = (first_key, step * first_key);
    for _ in 0..keys.min(count) {
        (key, key_point) = (key + Scalar::ONE, key_point + step);
        signers.push((key, compressed(&key_point)));
    }
    let spoilt_below = |i: usize| (i as f64 * invalid / 100.0).floor();
    (0..count)
        .map(|i| {
            (nonce, nonce_point) = (nonce + Scalar::ONE, nonce_point + step);
            let index = i % signers.len();
            let message = sha256::hash(&i.to_le_bytes());
            let mut item = sign(message, signers[index], nonce, compressed(&nonce_point));
            item.key_index = index as u32;
            if spoilt_below(i + 1) > spoilt_below(i) {
                item.spoil();
            }
            item
        })
        .collect()
}

fn compressed(point: &ProjectivePoint) -> [u8; 33] {
    let encoded = point.to_affine().to_sec1_point(true);
    encoded.as_bytes().try_into().expect("33 bytes")
}

fn sign(
    message: [u8; 32],
    (mut secret, key): (Scalar, [u8; 33]),
    mut nonce: Scalar,
    r_point: [u8; 33],
) -> Item {
    let r_bytes: [u8; 32] = r_point[1..].try_into().expect("32 bytes");
    let r = reduced(&r_bytes);
    let s = (reduced(&message) + r * secret) * nonce.invert().expect("not zero");
    let high = bool::from(k256::elliptic_curve::scalar::IsHigh::is_high(&s));
    let low_s = if high { -s } else { s };
    let mut ecdsa = [0; 64];
    ecdsa[..32].copy_from_slice(&r.to_repr());
    ecdsa[32..].copy_from_slice(&low_s.to_repr());
    // BIP 340: both points are taken with even y.
    if key[0] == 3 {
        secret = -secret;
    }
    if r_point[0] == 3 {
        nonce = -nonce;
    }
    let e = sha256::tagged("BIP0340/challenge", &[&r_bytes, &key[1..], &message]);
    let mut schnorr = [0; 64];
    schnorr[..32].copy_from_slice(&r_bytes);
    schnorr[32..].copy_from_slice(&(nonce + reduced(&e) * secret).to_repr());
    let recovery_id = (r_point[0] & 1) ^ u8::from(high);
    let (valid, key_index, recoverable) = (true, 0, ecdsa);
    Item { valid, message, key, key_index, ecdsa, schnorr, recoverable, recovery_id }
}

/// r || s in the encoding of Bitcoin's signatures.
fn der(compact: &[u8; 64]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(bytes.len() - 1);
        let mut encoded = vec![2, 0];
        // A leading bit would be a sign.
        encoded.extend((bytes[zeros] >> 7 == 1).then_some(0));
        encoded.extend(&bytes[zeros..]);
        encoded[1] = encoded.len() as u8 - 2;
        encoded
    };
    let body = [integer(&compact[..32]), integer(&compact[32..])].concat();
    [&[0x30, body.len() as u8], &body[..]].concat()
}

fn reduced(bytes: &[u8; 32]) -> Scalar {
    <Scalar as k256::elliptic_curve::ops::Reduce<k256::FieldBytes>>::reduce(&(*bytes).into())
}

/// What batches are filled from.
pub(in crate::cli) struct Source {
    pub items: Vec<Item>,
    /// The keys' tables, where jobs are to name keys by index.
    pub pinned: Option<PinnedKeys>,
    spoilt: bool,
}

/// A batch, and the index of its first job's item.
pub(in crate::cli) struct Load {
    pub batch: Batch,
    pub first: usize,
}

impl Source {
    /// Jobs that name their keys in full.
    pub fn new(items: Vec<Item>) -> Self {
        let spoilt = items.iter().any(|item| !item.valid);
        Source { items, pinned: None, spoilt }
    }

    /// Each distinct key once, in the order of [`Item::key_index`].
    pub fn keys(&self) -> Vec<[u8; 33]> {
        let count = self.items.iter().map(|item| item.key_index + 1).max().unwrap_or(0);
        self.items[..count as usize].iter().map(|item| item.key).collect()
    }

    /// The item of job `index`, counted through all batches.
    pub fn item(&self, index: usize) -> &Item {
        &self.items[index % self.items.len()]
    }

    /// A batch of `size` jobs, from the item `first` on: hashes of 64 bytes, trees of 16 leaves.
    pub fn load(&self, algorithm: Algorithm, first: usize, size: usize) -> Load {
        let mut batch = match &self.pinned {
            Some(keys) if has_keys(algorithm) => {
                Batch::open_pinned(algorithm, keys).expect("it has keys")
            }
            _ => Batch::open(algorithm),
        };
        let pinned = self.pinned.is_some();
        for item in (first..first + size).map(|index| self.item(index)) {
            let Item { message, key, key_index, ecdsa, schnorr, recoverable, .. } = item;
            let key_index = *key_index;
            let pushed = match algorithm {
                Algorithm::Null => batch.push(Job::Null),
                Algorithm::EcdsaSecp256k1(rule) => {
                    let signature = &match rule {
                        EcdsaRule::Compact | EcdsaRule::CompactLowS => ecdsa.to_vec(),
                        _ => der(ecdsa),
                    };
                    batch.push(match pinned {
                        true => Job::EcdsaPinned { message, signature, key: key_index },
                        false => Job::Ecdsa { message, signature, key },
                    })
                }
                Algorithm::SchnorrBip340 if pinned => {
                    batch.push(Job::SchnorrPinned { message, signature: schnorr, key: key_index })
                }
                Algorithm::SchnorrBip340 => {
                    let key = key[1..].try_into().expect("32 bytes");
                    batch.push(Job::Schnorr { message, signature: schnorr, key })
                }
                Algorithm::RecoverSecp256k1(_) => {
                    let recovery_id = item.recovery_id;
                    batch.push(Job::Recover { message, signature: recoverable, recovery_id })
                }
                Algorithm::MerkleRootSha256d => {
                    batch.push(Job::MerkleRoot { leaves: &item.leaves() })
                }
                Algorithm::MerkleProofSha256d => {
                    let (leaf, path, root) = &item.proof();
                    batch.push(Job::MerkleProof { leaf, index: LEAF, path, root })
                }
                _ => batch.push(Job::Hash { message: &item.long() }),
            };
            pushed.expect("room: sizes are bounded");
        }
        Load { batch: batch.seal(), first }
    }

    /// Fails unless each job was found to be what it was made.
    pub fn judge(&self, first: usize, answers: &Answers) -> Result<(), Failure> {
        let algorithm = answers.algorithm();
        let spoilt = self.spoilt && judges(algorithm);
        // The usual case, at the price of a look at each.
        if !spoilt && answers.all_well() {
            return Ok(());
        }
        for (position, outcome) in answers.iter().enumerate() {
            let found = match outcome {
                Outcome::Verdict(verdict) => verdict.is_valid(),
                Outcome::Error(error) => {
                    let why = format!("{algorithm}: a job has no answer: {error}");
                    return Err(Failure::new(Status::Error, why));
                }
                _ => true,
            };
            let made = !spoilt || self.item(first + position).valid;
            if found != made {
                let word = |valid| if valid { "valid" } else { "invalid" };
                let (made, found) = (word(made), word(found));
                let why = format!("{algorithm}: a job made {made} was found {found}");
                return Err(Failure::new(Status::Disagreement, why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

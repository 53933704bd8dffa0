//! Inputs to measure with: all keys and messages distinct, all signatures valid.
//!
//! The signatures come from known keys 1 G, 2 G, .. and nonces likewise, so that a signature costs
//! two additions and no signing code is needed.

use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{ProjectivePoint, Scalar};
use sigmill::algorithms::{merkle, sha256};
use sigmill::{Algorithm, Batch, EcdsaRule, Job, RecoverRule};

/// One of each kind under one key.
pub(super) struct Signed {
    message: [u8; 32],
    key: [u8; 33],
    ecdsa: [u8; 64],
    recovery_id: u8,
    schnorr: [u8; 64],
}

/// Makes `count` of them.
pub(super) fn signed(count: usize) -> Vec<Signed> {
    let mut key = Scalar::from(0x1234_5678_9abc_def1_u64);
    let mut nonce = Scalar::from(0x0fed_cba9_8765_4321_u64) * key;
    let mut key_point = ProjectivePoint::GENERATOR * key;
    let mut nonce_point = ProjectivePoint::GENERATOR * nonce;
    let step = ProjectivePoint::GENERATOR;
    (0..count)
        .map(|i| {
            (key, key_point) = (key + Scalar::ONE, key_point + step);
            (nonce, nonce_point) = (nonce + Scalar::ONE, nonce_point + step);
            sign(sha256::hash(&i.to_le_bytes()), key, &key_point, nonce, &nonce_point)
        })
        .collect()
}

fn sign(
    message: [u8; 32],
    mut key: Scalar,
    key_point: &ProjectivePoint,
    mut nonce: Scalar,
    nonce_point: &ProjectivePoint,
) -> Signed {
    let compressed = |point: &ProjectivePoint| -> [u8; 33] {
        let encoded = point.to_affine().to_sec1_point(true);
        encoded.as_bytes().try_into().expect("33 bytes")
    };
    let (public, r_point) = (compressed(key_point), compressed(nonce_point));
    let r_bytes: [u8; 32] = r_point[1..].try_into().expect("32 bytes");
    let r = reduced(&r_bytes);
    let s = (reduced(&message) + r * key) * nonce.invert().expect("not zero");
    let high = bool::from(k256::elliptic_curve::scalar::IsHigh::is_high(&s));
    let low_s = if high { -s } else { s };
    let mut ecdsa = [0; 64];
    ecdsa[..32].copy_from_slice(&r.to_repr());
    ecdsa[32..].copy_from_slice(&low_s.to_repr());
    // BIP 340: both points are taken with even y.
    if public[0] == 3 {
        key = -key;
    }
    if r_point[0] == 3 {
        nonce = -nonce;
    }
    let e = sha256::tagged("BIP0340/challenge", &[&r_bytes, &public[1..], &message]);
    let mut schnorr = [0; 64];
    schnorr[..32].copy_from_slice(&r_bytes);
    schnorr[32..].copy_from_slice(&(nonce + reduced(&e) * key).to_repr());
    Signed { message, key: public, ecdsa, recovery_id: (r_point[0] & 1) ^ u8::from(high), schnorr }
}

fn reduced(bytes: &[u8; 32]) -> Scalar {
    <Scalar as k256::elliptic_curve::ops::Reduce<k256::FieldBytes>>::reduce(&(*bytes).into())
}

/// The algorithms that `bench` times, one rule each.
pub(super) const ALGORITHMS: [Algorithm; 9] = [
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

/// A batch without jobs: what stands in for one that is in flight.
pub(super) fn nothing() -> Batch {
    Batch::open(Algorithm::Null).seal()
}

/// A batch of `items` jobs: messages of 64 bytes, trees of 16 leaves.
pub(super) fn batch(algorithm: Algorithm, signed: &[Signed], items: usize) -> Batch {
    let mut batch = Batch::open(algorithm);
    for (i, item) in signed.iter().cycle().take(items).enumerate() {
        let Signed { message, key, ecdsa, recovery_id, schnorr } = item;
        let mut long = [0; 64];
        long[..32].copy_from_slice(message);
        long[32..40].copy_from_slice(&i.to_le_bytes());
        let leaves: [[u8; 32]; 16] = core::array::from_fn(|leaf| {
            let mut node = *message;
            node[31] = node[31].wrapping_add(leaf as u8);
            node
        });
        let job = match algorithm {
            Algorithm::Null => Job::Null,
            Algorithm::EcdsaSecp256k1(_) => Job::Ecdsa { message, signature: ecdsa, key },
            Algorithm::SchnorrBip340 => {
                let key = key[1..].try_into().expect("32 bytes");
                Job::Schnorr { message, signature: schnorr, key }
            }
            Algorithm::RecoverSecp256k1(_) => {
                Job::Recover { message, signature: ecdsa, recovery_id: *recovery_id }
            }
            Algorithm::MerkleRootSha256d => Job::MerkleRoot { leaves: &leaves },
            Algorithm::MerkleProofSha256d => {
                let path = merkle::path(&leaves, 5).expect("a leaf");
                let root = merkle::root(&leaves);
                let job = Job::MerkleProof { leaf: &leaves[5], index: 5, path: &path, root: &root };
                batch.push(job).expect("room");
                continue;
            }
            _ => Job::Hash { message: &long },
        };
        batch.push(job).expect("room");
    }
    batch.seal()
}

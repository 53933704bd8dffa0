//! The independent second implementation: k256, sha2 and sha3, with a parser of its own.
//!
//! It arbitrates when two of our own disagree, checks a sample, and judges the tests. It is several
//! times slower and shares no code with the kernels or with the host's parsing.

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use crate::algorithm::{Algorithm, EcdsaRule, RecoverRule};
use crate::batch::Batch;
use crate::verdict::{Answers, Outcome, Reason, State, Verdict};

mod encoding;

/// Answers every job of a batch. Its reasons are coarse: every `Invalid` names the equation.
pub fn answer(batch: &Batch) -> Answers {
    let mut answers = Answers::new(batch.algorithm());
    for index in 0..batch.len() {
        let value = value(batch, index);
        answers.states.push(match (&value, batch.algorithm().value_bytes()) {
            (Some(_), 1..) => State::Computed,
            (Some(_), 0) => State::Verdict(Verdict::Valid),
            (None, _) => State::Verdict(Verdict::Invalid(Reason::Equation)),
        });
        let blank = || vec![0; batch.algorithm().value_bytes()];
        answers.values.extend(value.unwrap_or_else(blank));
    }
    answers
}

/// The first answer that the referee would give otherwise, in words; reasons are not compared, and
/// jobs without an answer are passed over.
pub fn disagreement(batch: &Batch, answers: &Answers) -> Option<String> {
    let own = answer(batch);
    let kind = |outcome: Outcome<'_>| match outcome {
        Outcome::Verdict(verdict) => {
            if verdict.is_valid() { "valid" } else { "invalid" }.to_owned()
        }
        other => format!("{other:02x?}"),
    };
    (0..batch.len()).find_map(|index| {
        let (ours, theirs) = (answers.get(index)?, own.get(index)?);
        let skip = matches!(ours, Outcome::Error(_) | Outcome::Done);
        let (ours, theirs) = (kind(ours), kind(theirs));
        (!skip && ours != theirs)
            .then(|| format!("{} item {index}: {ours}, referee: {theirs}", batch.algorithm()))
    })
}

/// The value of a job, empty for a verdict of `Valid`; `None` for one of `Invalid`.
fn value(batch: &Batch, index: usize) -> Option<Vec<u8>> {
    let field = |column: usize| batch.column(column).get(index);
    // 04 || x || y of a key that the job names by index.
    let pinned = batch.pinned().and_then(|keys| {
        let at = u32::from_le_bytes(field(2).try_into().ok()?);
        keys.encoded(at as usize)
    });
    match batch.algorithm() {
        Algorithm::EcdsaSecp256k1(rule) => {
            let key = pinned.as_ref().map_or(field(2), |key| key);
            // A hint may follow the message; it has no say.
            ecdsa(rule, &field(0)[..32], field(1), key)
        }
        Algorithm::SchnorrBip340 => {
            let key = pinned.as_ref().map_or(field(2), |key| &key[1..33]);
            let key = k256::schnorr::VerifyingKey::from_slice(key).ok()?;
            let signature = k256::schnorr::Signature::try_from(field(1)).ok()?;
            key.verify_raw(field(0), &signature).ok()?;
            Some(Vec::new())
        }
        Algorithm::RecoverSecp256k1(rule) => recover(rule, batch, index),
        Algorithm::Sha256 => Some(Sha256::digest(field(0)).to_vec()),
        Algorithm::Sha256d => Some(twice(field(0)).to_vec()),
        Algorithm::Keccak256 => Some(Keccak256::digest(field(0)).to_vec()),
        Algorithm::MerkleRootSha256d => Some(root(field(0))),
        Algorithm::MerkleProofSha256d => proof(field(0), field(1), field(2)),
        Algorithm::Null => Some(Vec::new()),
    }
}

fn ecdsa(rule: EcdsaRule, message: &[u8], signature: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let lax = rule == EcdsaRule::BitcoinLax;
    let (r, s) = match rule {
        EcdsaRule::Compact | EcdsaRule::CompactLowS if signature.len() == 64 => {
            (signature[..32].to_vec(), signature[32..].to_vec())
        }
        EcdsaRule::Compact | EcdsaRule::CompactLowS => return None,
        _ => encoding::der(signature, lax)?,
    };
    let scalars = [encoding::fixed(&r)?, encoding::fixed(&s)?];
    let signature = Signature::from_scalars(scalars[0], scalars[1]).ok()?;
    let normalized = signature.normalize_s();
    let wants_low = matches!(rule, EcdsaRule::BitcoinPolicy | EcdsaRule::CompactLowS);
    if wants_low && normalized != signature {
        return None;
    }
    let hybrid = matches!(rule, EcdsaRule::BitcoinLax | EcdsaRule::BitcoinStrict);
    let key = VerifyingKey::from_sec1_bytes(&encoding::key(key, hybrid)?).ok()?;
    key.verify_prehash(message, &normalized).ok()?;
    Some(Vec::new())
}

fn recover(rule: RecoverRule, batch: &Batch, index: usize) -> Option<Vec<u8>> {
    let field = batch.column(0).get(index);
    let mut call = [0; 128];
    let (message, signature, id) = if rule == RecoverRule::EcrecoverPrecompile {
        call[..field.len()].copy_from_slice(field);
        let id = match (&call[32..63], call[63]) {
            (high, v @ 27..=28) if high.iter().all(|&byte| byte == 0) => v - 27,
            _ => return None,
        };
        (&call[..32], &call[64..], id)
    } else {
        let packed = batch.column(1).get(index);
        (field, &packed[..64], packed[64])
    };
    let signature = Signature::from_slice(signature).ok()?;
    let normalized = signature.normalize_s();
    let high = normalized != signature;
    if id > 1 || high && rule == RecoverRule::EthereumTransaction {
        return None;
    }
    // Negating s negates R: the parity turns with it.
    let id = RecoveryId::from_byte(id ^ u8::from(high))?;
    let key = VerifyingKey::recover_from_prehash(message, &normalized, id).ok()?;
    Some(key.to_sec1_point(false).as_bytes()[1..].to_vec())
}

fn twice(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

fn root(leaves: &[u8]) -> Vec<u8> {
    let mut level: Vec<Vec<u8>> = leaves.chunks(32).map(<[u8]>::to_vec).collect();
    while level.len() > 1 {
        let parent = |pair: &[Vec<u8>]| twice(&[&pair[0][..], &pair[pair.len() - 1]].concat());
        level = level.chunks(2).map(|pair| parent(pair).to_vec()).collect();
    }
    level.pop().unwrap_or_else(|| vec![0; 32])
}

fn proof(leaf: &[u8], path: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    let mut index = u64::from(u32::from_le_bytes(target[32..].try_into().ok()?));
    let mut node = leaf.to_vec();
    for sibling in path.chunks(32) {
        let pair = if index & 1 == 1 { [sibling, &node[..]] } else { [&node[..], sibling] };
        node = twice(&pair.concat()).to_vec();
        index >>= 1;
    }
    (index == 0 && node == target[..32]).then(Vec::new)
}

//! Judges batches with other people's code, so that checks can be driven without an engine: tests
//! only.

use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use secp256k1::{Message, PublicKey, XOnlyPublicKey, schnorr};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use crate::algorithm::{Algorithm, EcdsaRule, RecoverRule};
use crate::batch::Batch;
use crate::verdict::{Answers, Reason, State, Verdict};

use super::{Check, Report};

/// Drives a check to its report.
pub(crate) fn drive(check: &mut dyn Check) -> Report {
    let mut answers = Vec::new();
    loop {
        let batches = check.round(&answers);
        if batches.is_empty() {
            return check.report();
        }
        assert!(batches.iter().all(|batch| !batch.is_empty()));
        answers = batches.iter().map(judge).collect();
    }
}

/// The folder with the real data; says what is skipped where there is none.
pub(crate) fn data(what: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("SIGMILL_DATA").map(std::path::PathBuf::from);
    if path.is_none() {
        let required = std::env::var("SIGMILL_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|part| part == "data"), "{what}: SIGMILL_DATA is not set");
        println!("skipped: {what}: SIGMILL_DATA is not set");
    }
    path
}

/// The answers of a batch.
pub(crate) fn judge(batch: &Batch) -> Answers {
    let mut answers = Answers::new(batch.algorithm());
    for index in 0..batch.len() {
        let (state, value) = judge_one(batch, index);
        answers.states.push(state);
        answers.values.extend_from_slice(&value);
    }
    answers
}

fn judge_one(batch: &Batch, index: usize) -> (State, Vec<u8>) {
    let column = |number: usize| batch.column(number).get(index);
    match batch.algorithm() {
        Algorithm::EcdsaSecp256k1(rule) => {
            (State::Verdict(ecdsa(rule, column(0), column(1), column(2))), Vec::new())
        }
        Algorithm::SchnorrBip340 => {
            let signature = schnorr::Signature::from_byte_array(column(1).try_into().unwrap());
            let verdict = match XOnlyPublicKey::from_byte_array(column(2).try_into().unwrap()) {
                Err(_) => Verdict::Invalid(Reason::Key),
                Ok(key) if schnorr::verify(&signature, column(0), &key).is_ok() => Verdict::Valid,
                Ok(_) => Verdict::Invalid(Reason::Equation),
            };
            (State::Verdict(verdict), Vec::new())
        }
        Algorithm::RecoverSecp256k1(rule) => match recover(rule, column(0), column(1)) {
            Some(key) => (State::Computed, key.to_vec()),
            None => (State::Verdict(Verdict::Invalid(Reason::Range)), vec![0; 64]),
        },
        Algorithm::Sha256 => (State::Computed, Sha256::digest(column(0)).to_vec()),
        Algorithm::Sha256d => (State::Computed, double(column(0))),
        Algorithm::Keccak256 => (State::Computed, Keccak256::digest(column(0)).to_vec()),
        Algorithm::MerkleRootSha256d => {
            let mut level: Vec<Vec<u8>> = column(0).chunks(32).map(<[u8]>::to_vec).collect();
            while level.len() > 1 {
                level = level
                    .chunks(2)
                    .map(|pair| {
                        double(&[pair[0].as_slice(), pair[pair.len() - 1].as_slice()].concat())
                    })
                    .collect();
            }
            (State::Computed, level.remove(0))
        }
        other => panic!("no check uses {other}"),
    }
}

fn double(message: &[u8]) -> Vec<u8> {
    Sha256::digest(Sha256::digest(message)).to_vec()
}

fn ecdsa(rule: EcdsaRule, message: &[u8], signature: &[u8], key: &[u8]) -> Verdict {
    let parsed = match rule {
        EcdsaRule::Compact => Signature::from_compact(signature),
        EcdsaRule::BitcoinStrict if !strict_der(signature) => {
            return Verdict::Invalid(Reason::Encoding);
        }
        _ => Signature::from_der_lax(signature),
    };
    let Ok(mut signature) = parsed else {
        return Verdict::Invalid(Reason::Encoding);
    };
    let Ok(key) = PublicKey::from_slice(key) else {
        return Verdict::Invalid(Reason::Key);
    };
    signature.normalize_s();
    let message = Message::from_digest(message.try_into().unwrap());
    match secp256k1::ecdsa::verify(&signature, message, &key) {
        Ok(()) => Verdict::Valid,
        Err(_) => Verdict::Invalid(Reason::Equation),
    }
}

/// BIP 66 without the hash type: 0x30, length, and two integers without excess bytes or sign.
fn strict_der(signature: &[u8]) -> bool {
    let integer = |bytes: &[u8]| -> Option<usize> {
        let length = usize::from(*bytes.get(1)?);
        let value = bytes.get(2..2 + length)?;
        let fits = bytes[0] == 2
            && value.first().is_some_and(|first| first & 0x80 == 0)
            && !matches!(value, [0, next, ..] if next & 0x80 == 0);
        fits.then_some(2 + length)
    };
    let both = || {
        let body = signature.get(2..)?;
        let r = integer(body)?;
        let s = integer(&body[r..])?;
        Some(r + s == body.len())
    };
    (8..=72).contains(&signature.len())
        && signature[0] == 0x30
        && usize::from(signature[1]) == signature.len() - 2
        && both() == Some(true)
}

fn recover(rule: RecoverRule, message: &[u8], packed: &[u8]) -> Option<[u8; 64]> {
    let (signature, id) = packed.split_at(64);
    let id = RecoveryId::try_from(i32::from(id[0])).ok().filter(|_| id[0] < 2)?;
    let recoverable = RecoverableSignature::from_compact(signature, id).ok()?;
    let mut low = recoverable.to_standard();
    low.normalize_s();
    if rule == RecoverRule::EthereumTransaction && low != recoverable.to_standard() {
        return None;
    }
    let message = Message::from_digest(message.try_into().ok()?);
    let key = recoverable.recover(message).ok()?;
    key.serialize_uncompressed()[1..].try_into().ok()
}

use std::sync::Arc;
use std::time::Duration;

use commonware_cryptography::Signer as _;
use sigmill::Engine;

use super::*;
use crate::scheme::Engines;

const CHAIN: Hash = commonware_cryptography::keccak256::Digest([7; 32]);

fn key(n: u8) -> VoteKey {
    VoteKey::from_bytes(&[n + 1; 32]).unwrap()
}

fn set(from: u64, validators: std::ops::Range<u8>) -> ValidatorSet {
    let validator = |n: u8| Validator {
        identity: ed25519::PrivateKey::from_seed(n.into()).public_key(),
        vote: key(n).public(),
    };
    let mut validators: Vec<_> = validators.map(validator).collect();
    validators.sort();
    ValidatorSet { from, validators }
}

fn draft(order: Order) -> DraftFile {
    let signers = set(0, 0..4).validators.iter().map(|one| one.vote).collect();
    DraftFile::new(CHAIN, Draft { epoch: 3, order }, signers)
}

fn committee() -> Arc<Committee> {
    let engine = Arc::new(Engine::builder().threads(1).open().unwrap());
    let minute = Duration::from_secs(60);
    Committee::new(CHAIN, &set(0, 0..4).validators, Engines::one(engine), minute).unwrap()
}

#[test]
fn a_draft_becomes_a_decree_once_enough_have_signed() {
    let committee = committee();
    for order in [
        Order::Validators(set(4, 2..9)),
        Order::Link { chain: Hash::from([8; 32]), set: set(0, 0..1) },
    ] {
        let mut file = draft(order);
        for n in [3, 0] {
            file.sign(&key(n)).unwrap();
            let parsed = DraftFile::parse(&file.text()).unwrap();
            assert_eq!(parsed, file);
            file = parsed;
            assert!(matches!(file.decree(), Err(DraftError::NoQuorum { quorum: 3, .. })));
        }
        file.sign(&key(0)).unwrap(); // once more
        assert_eq!(file.signed(), 2);
        assert!(matches!(file.sign(&key(4)), Err(DraftError::NoSigner)));
        file.sign(&key(2)).unwrap();
        let decree = file.decree().unwrap();
        assert!(decree.is_signed_by(CHAIN, &committee));
        assert!(!decree.is_signed_by(Hash::from([8; 32]), &committee));
        let mut bytes = Vec::new();
        decree.encode_into(&mut bytes);
        assert_eq!(bytes.len(), decree.encoded_bytes());
        assert_eq!(Decree::decode(&bytes), Ok(decree.clone()));
        // Every byte of what is signed counts, and so does every signature.
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            if let Ok(other) = Decree::decode(&other) {
                assert!(!other.is_signed_by(CHAIN, &committee), "byte {at}");
            }
        }
        for end in 0..bytes.len() {
            assert!(Decree::decode(&bytes[..end]).is_err(), "{end}");
        }
    }
}

#[test]
fn fewer_than_a_quorum_decide_nothing() {
    let mut file = draft(Order::Validators(set(4, 2..9)));
    (0..3).for_each(|n| file.sign(&key(n)).unwrap());
    let mut decree = file.decree().unwrap();
    let signers: Vec<_> = decree.certificate.signers.iter().take(2).collect();
    decree.certificate.signers =
        commonware_cryptography::certificate::Signers::new(4, signers).unwrap();
    decree.certificate.signatures.pop();
    assert!(!decree.is_signed_by(CHAIN, &committee()));
}

#[test]
fn files_that_are_none_name_their_field() {
    let good = draft(Order::Validators(set(4, 2..9))).text();
    let refused = |from: &str, to: &str| {
        assert!(good.contains(from), "{good}");
        DraftFile::parse(&good.replacen(from, to, 1)).unwrap_err().to_string()
    };
    for (from, to, field) in [
        ("format = 1", "format = 2", "format"),
        ("chain = \"", "chain = \"0", "chain"),
        ("draft = \"", "draft = \"00", "draft"),
        ("signers = [", "signers = [\"12\", ", "signers"),
        ("format", "formal", "formal"),
    ] {
        assert!(refused(from, to).contains(field), "{}", refused(from, to));
    }
    let place = format!("{good}4 = \"{}\"\n", "00".repeat(64));
    assert!(DraftFile::parse(&place).unwrap_err().to_string().contains("signatures"));
}

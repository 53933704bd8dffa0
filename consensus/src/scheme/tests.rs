use commonware_cryptography::Signer as _;
use commonware_cryptography::certificate::Signers;
use commonware_utils::Participant;

use super::*;
use crate::keys::VoteKey;

const CHAIN: [u8; 32] = [1; 32];

/// A committee of four, with their vote keys in the order of indices.
fn committee() -> (Arc<Committee>, Vec<VoteKey>) {
    let identity = |n: u8| ed25519::PrivateKey::from_seed(n.into()).public_key();
    let key = |n| VoteKey::from_bytes(&[n; 32]).unwrap();
    let mut all: Vec<_> = (1..5).map(|n| (identity(n), key(n))).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    let validators: Vec<_> = all
        .iter()
        .map(|(identity, key)| Validator { identity: identity.clone(), vote: key.public() })
        .collect();
    let engines = Engines::one(Arc::new(Engine::builder().threads(1).open().unwrap()));
    let deadline = Duration::from_secs(5);
    let committee = Committee::new(Hash::from(CHAIN), &validators, engines, deadline).unwrap();
    (committee, all.into_iter().map(|(_, key)| key).collect())
}

/// What the first `count` of them make of a vote.
fn certify(keys: &[VoteKey], vote: &Vote<'_>, count: u32) -> Certificate {
    let message = vote.signed_bytes(Hash::from(CHAIN));
    let keys = keys[..count as usize].iter();
    Certificate {
        signers: Signers::new(4, (0..count).map(Participant::new)).unwrap(),
        signatures: keys.map(|key| VoteSignature(key.sign(&message).unwrap())).collect(),
    }
}

#[test]
fn certificates_are_for_one_vote_of_one_chain() {
    let (committee, keys) = committee();
    let proposal = Proposal { epoch: 0, view: 300, parent: 299, payload: &[2; 32] };
    let votes = [
        Vote::Notarize(proposal),
        Vote::Nullify { epoch: 0, view: 300 },
        Vote::Finalize(proposal),
        Vote::Finalize(Proposal { epoch: 1, ..proposal }),
        Vote::Finalize(Proposal { view: 301, ..proposal }),
        Vote::Finalize(Proposal { parent: 298, ..proposal }),
        Vote::Finalize(Proposal { payload: &[3; 32], ..proposal }),
    ];
    let certificates: Vec<_> = votes.iter().map(|vote| certify(&keys, vote, 3)).collect();
    for (n, vote) in votes.iter().enumerate() {
        let pairs = certificates.iter().map(|certificate| (*vote, certificate));
        let expected: Vec<_> = (0..votes.len()).map(|other| other == n).collect();
        assert_eq!(committee.verify_certificates(pairs), expected, "{vote:?}");
        assert!(committee.verify_certificate(vote, &certificates[n]), "{vote:?}");
        assert!(!committee.verify_certificate(vote, &certify(&keys, vote, 2)), "{vote:?}");
        let bytes = vote.signed_bytes(Hash::from([2; 32]));
        assert_ne!(bytes, vote.signed_bytes(Hash::from(CHAIN)), "{vote:?}");
    }
    assert_eq!(committee.verify_certificates([]), Vec::<bool>::new());
}

#[test]
fn numbers_are_signed_in_their_shortest_form() {
    let most = Proposal { epoch: u64::MAX, view: 128, parent: 127, payload: &[7; 32] };
    let most = Vote::Finalize(most).signed_bytes(Hash::from(CHAIN));
    let epoch = [&[0xff; 9][..], &[1]].concat();
    let expected = [
        &[57],
        &VOTE_TAG[..],
        &CHAIN,
        b"_FINALIZE",
        &epoch,
        &[0x80, 1], // view
        &[127],
        &[7; 32],
    ];
    assert_eq!(most, expected.concat());
}

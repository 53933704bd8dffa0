use std::time::Duration;

use bytes::Bytes;
use commonware_codec::{Decode, DecodeExt, Encode, EncodeSize};
use commonware_consensus::simplex::scheme::Namespace;
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::Signer;
use commonware_cryptography::certificate::{Namespace as _, Subject as _};
use commonware_parallel::Sequential;
use commonware_utils::{TestRng, test_rng, union_unique};
use sigmill::error::PinError;
use sigmill::{Engine, Limits, PinnedKeys};

use super::*;
use crate::genesis::Validator;
use crate::scheme::{CommitteeError, Engines, vote_namespace};
use crate::{Hash, keccak};

/// As many validators as named, each with its scheme, in the order of their indices.
fn committee(chain: u8, validators: u64, engine: Engine) -> Vec<VoteScheme> {
    committee_over(chain, validators, Engines::one(Arc::new(engine)))
}

fn committee_over(chain: u8, validators: u64, engines: Engines) -> Vec<VoteScheme> {
    let key = |n: u64| {
        let secret = keccak(&[b"vote key", &n.to_be_bytes()]).0;
        VoteKey::from_bytes(&secret).unwrap()
    };
    let validator = |n| Validator {
        identity: ed25519::PrivateKey::from_seed(n).public_key(),
        vote: key(n).public(),
    };
    let all: Vec<_> = (0..validators).map(validator).collect();
    let chain = Hash::from([chain; 32]);
    let committee = Committee::new(chain, &all, engines, Duration::from_secs(5)).unwrap();
    let signer = |n| VoteScheme::signer(committee.clone(), key(n)).unwrap();
    let mut schemes: Vec<_> = (0..validators).map(signer).collect();
    schemes.sort_by_key(index);
    schemes
}

fn index(scheme: &VoteScheme) -> Participant {
    scheme.me().unwrap().index()
}

fn engine() -> Engine {
    Engine::builder().threads(2).open().unwrap()
}

fn proposal(view: u64) -> Proposal<Hash> {
    let round = Round::new(Epoch::new(7), View::new(view));
    Proposal::new(round, View::new(view - 1), Hash::from([view as u8; 32]))
}

fn votes(schemes: &[VoteScheme], subject: Subject<'_, Hash>) -> Vec<Attestation<VoteScheme>> {
    schemes.iter().map(|scheme| scheme.sign(subject).unwrap()).collect()
}

fn assemble(
    scheme: &VoteScheme,
    votes: Vec<Attestation<VoteScheme>>,
) -> Result<Certificate, AssemblyError> {
    scheme.assemble(NonEmpty::try_new(votes.into_iter()).unwrap(), &Sequential)
}

fn certificate(schemes: &[VoteScheme], subject: Subject<'_, Hash>) -> Certificate {
    assemble(&schemes[0], votes(schemes, subject)).unwrap()
}

fn is_valid(scheme: &VoteScheme, subject: Subject<'_, Hash>, certificate: &Certificate) -> bool {
    scheme.verify_certificate(&mut test_rng(), subject, certificate, &Sequential)
}

/// The indices that are valid, and those that are not.
fn judge(
    scheme: &VoteScheme,
    subject: Subject<'_, Hash>,
    votes: Vec<Attestation<VoteScheme>>,
) -> (Vec<u32>, Vec<u32>) {
    let judged = scheme.verify_attestations(&mut test_rng(), subject, votes, &Sequential);
    let verified = judged.verified.iter().map(|vote| vote.signer.get()).collect();
    (verified, judged.invalid.iter().map(|signer| signer.get()).collect())
}

fn signature(vote: &Attestation<VoteScheme>) -> [u8; 64] {
    vote.signature.get().unwrap().0
}

fn with_signature(vote: &Attestation<VoteScheme>, bytes: [u8; 64]) -> Attestation<VoteScheme> {
    Attestation { signer: vote.signer, signature: Lazy::new(VoteSignature(bytes)) }
}

/// What libsecp256k1 says of a vote, over the bytes of SPEC.md built by hand.
fn referee(key: &[u8; 32], suffix: &str, message: &[u8], signature: [u8; 64]) -> bool {
    let namespace = [b"sigmill:bftvote1", &[1; 32][..], suffix.as_bytes()].concat();
    let signed = [&[namespace.len() as u8], &namespace[..], message].concat();
    let key = secp256k1::XOnlyPublicKey::from_byte_array(*key).unwrap();
    secp256k1::schnorr::Signature::from_byte_array(signature).verify(&signed, &key).is_ok()
}

fn public(scheme: &VoteScheme) -> [u8; 32] {
    scheme.key.as_ref().unwrap().public()
}

#[test]
fn votes_sign_the_bytes_of_the_specification() {
    let schemes = committee(1, 4, engine());
    let proposal = proposal(3);
    let notarized = [&[7, 3, 2][..], &[3; 32]].concat(); // epoch, view, parent's view, digest
    let round = proposal.round;
    for scheme in &schemes {
        for (subject, suffix, message) in [
            (Subject::Notarize { proposal: &proposal }, "_NOTARIZE", &notarized[..]),
            (Subject::Finalize { proposal: &proposal }, "_FINALIZE", &notarized),
            (Subject::Nullify { round }, "_NULLIFY", &[7, 3]),
        ] {
            let vote = scheme.sign::<Hash>(subject).unwrap();
            assert!(referee(&public(scheme), suffix, message, signature(&vote)), "{suffix}");
            assert_eq!(scheme.sign::<Hash>(subject), Some(vote)); // always the same one
        }
    }
}

#[test]
fn votes_sign_the_bytes_of_commonwares_subjects() {
    let chain = Hash::from([1; 32]);
    let namespace = Namespace::derive(&vote_namespace(chain));
    let numbers = [0, 1, 127, 128, 300, 1 << 14, 1 << 35, u64::MAX - 1, u64::MAX];
    for (n, epoch) in numbers.into_iter().enumerate() {
        for view in numbers {
            let round = Round::new(Epoch::new(epoch), View::new(view));
            for parent in numbers {
                let proposal = Proposal::new(round, View::new(parent), Hash::from([n as u8; 32]));
                for subject in [
                    Subject::Notarize { proposal: &proposal },
                    Subject::Nullify { round },
                    Subject::Finalize { proposal: &proposal },
                ] {
                    let theirs = union_unique(subject.namespace(&namespace), &subject.message());
                    assert_eq!(said(subject).signed_bytes(chain), theirs, "{subject:?}");
                }
            }
        }
    }
}

#[test]
fn validators_are_numbered_by_their_identities() {
    let schemes = committee(1, 7, engine());
    let participants = schemes[0].participants();
    assert!(participants.as_ref().is_sorted());
    for (n, scheme) in schemes.iter().enumerate() {
        let me = Participant::from_usize(n);
        assert_eq!(scheme.me(), Some(Membership::Signer(me)));
        let member = participants.key(me).unwrap();
        let member = VoteScheme::member(scheme.committee().clone(), member).unwrap();
        assert_eq!(member.me(), Some(Membership::Member(me)));
        assert!(member.sign::<Hash>(Subject::Nullify { round: Round::zero() }).is_none());
    }
    let onlooker = VoteScheme::onlooker(schemes[0].committee().clone());
    assert_eq!(onlooker.me(), None);
    assert!(onlooker.sign::<Hash>(Subject::Nullify { round: Round::zero() }).is_none());
    let stranger = VoteKey::from_bytes(&[9; 32]).unwrap();
    assert!(VoteScheme::signer(schemes[0].committee().clone(), stranger).is_none());
    let stranger = ed25519::PrivateKey::from_seed(99).public_key();
    assert!(VoteScheme::member(schemes[0].committee().clone(), &stranger).is_none());
}

#[test]
fn offenders_are_named_and_nobody_else() {
    let schemes = committee(1, 10, engine());
    let (this, other) = (proposal(3), proposal(4));
    let subject = Subject::Notarize { proposal: &this };
    let good = votes(&schemes, subject);
    assert_eq!(judge(&schemes[0], subject, good.clone()), ((0..10).collect(), vec![]));
    assert_eq!(judge(&schemes[0], subject, vec![]), (vec![], vec![]));

    let mut mixed = good.clone();
    mixed[1] = schemes[1].sign(Subject::Notarize { proposal: &other }).unwrap();
    mixed[2] = schemes[2].sign(Subject::Finalize { proposal: &this }).unwrap();
    mixed[4].signer = Participant::new(10); // nobody
    mixed[5] = with_signature(&good[5], signature(&good[6])); // another's signature
    let mut flipped = signature(&good[7]);
    flipped[63] ^= 1;
    mixed[7] = with_signature(&good[7], flipped);
    mixed[8].signature = Lazy::deferred(&mut Bytes::from_static(&[1; 63]), ()); // cut short
    mixed[9] = with_signature(&good[9], [0xff; 64]); // r and s out of range
    let judged = judge(&schemes[0], subject, mixed.clone());
    assert_eq!(judged, (vec![0, 3, 6], vec![1, 2, 5, 7, 8, 9, 10]));
    for vote in &mixed {
        let valid = [0, 3, 6].contains(&vote.signer.get());
        let mut rng = test_rng();
        let found = schemes[0].verify_attestation(&mut rng, subject, vote, &Sequential);
        assert_eq!(found, valid, "{}", vote.signer);
    }
}

#[test]
fn verdicts_agree_with_libsecp256k1_bit_by_bit() {
    let schemes = committee(1, 4, engine());
    let proposal = proposal(3);
    let subject = Subject::Notarize { proposal: &proposal };
    let message = [&[7, 3, 2][..], &[3; 32]].concat();
    let good = votes(&schemes, subject);
    let mut changed = vec![];
    for (n, vote) in good.iter().enumerate() {
        for bit in (n..512).step_by(7) {
            let mut bytes = signature(vote);
            bytes[bit / 8] ^= 1 << (bit % 8);
            changed.push(with_signature(vote, bytes));
        }
        changed.push(vote.clone());
    }
    for vote in &changed {
        let key = public(&schemes[usize::from(vote.signer)]);
        let theirs = referee(&key, "_NOTARIZE", &message, signature(vote));
        let mut rng = test_rng();
        let ours = schemes[0].verify_attestation(&mut rng, subject, vote, &Sequential);
        assert_eq!(ours, theirs, "{vote:?}");
    }
}

#[test]
fn certificates_need_a_quorum_of_the_right_signatures() {
    let schemes = committee(1, 7, engine());
    let this = proposal(3);
    let subject = Subject::Finalize { proposal: &this };
    let all = votes(&schemes, subject);
    assert_eq!(schemes[0].committee().quorum(), 5);
    for from in 0..=2 {
        let good = assemble(&schemes[0], all[from..from + 5].to_vec()).unwrap();
        assert!(is_valid(&schemes[6], subject, &good));
    }
    let good = certificate(&schemes, subject);
    assert_eq!(good.signatures.len(), 7);
    assert!(is_valid(&schemes[0], subject, &good));

    // Other subjects, another chain, another committee.
    let other = proposal(4);
    assert!(!is_valid(&schemes[0], Subject::Finalize { proposal: &other }, &good));
    assert!(!is_valid(&schemes[0], Subject::Notarize { proposal: &this }, &good));
    assert!(!is_valid(&schemes[0], Subject::Nullify { round: this.round }, &good));
    assert!(!is_valid(&committee(2, 7, engine())[0], subject, &good));
    assert!(!is_valid(&committee(1, 8, engine())[0], subject, &good));
    assert!(!is_valid(&committee(1, 6, engine())[0], subject, &good));

    let signers =
        |list: &[u32]| Signers::new(7, list.iter().copied().map(Participant::new)).unwrap();
    let five = assemble(&schemes[0], all[..5].to_vec()).unwrap();
    let few =
        Certificate { signers: signers(&[0, 1, 2, 3]), signatures: five.signatures[..4].to_vec() };
    let missing = Certificate { signatures: five.signatures[..4].to_vec(), ..five.clone() };
    let unsigned = Certificate { signers: signers(&[0, 1, 2, 3, 4, 5]), ..five.clone() };
    let shifted = Certificate { signers: signers(&[1, 2, 3, 4, 5]), ..five.clone() };
    let mut swapped = five.clone();
    swapped.signatures.swap(0, 4);
    let mut extra = unsigned.clone();
    extra.signatures.push(VoteSignature([1; 64]));
    let mut doubled = five.clone();
    doubled.signatures[4] = doubled.signatures[0].clone();
    let longer = Certificate {
        signers: Signers::new(8, (0..5).map(Participant::new)).unwrap(),
        ..five.clone()
    };
    for (bad, why) in [
        (few, "four signed"),
        (missing, "a signature is missing"),
        (unsigned, "a signer without a signature"),
        (shifted, "other signers"),
        (swapped, "signatures out of order"),
        (extra, "a signature too many, which is none"),
        (doubled, "one signature twice"),
        (longer, "a longer bitmap"),
    ] {
        assert!(!is_valid(&schemes[0], subject, &bad), "{why}");
    }
    assert!(is_valid(&schemes[0], subject, &five));
}

#[test]
fn many_certificates_are_judged_singly() {
    let schemes = committee(1, 4, engine());
    let proposals: Vec<_> = (1..33).map(proposal).collect();
    let of = |n: usize| Subject::Finalize { proposal: &proposals[n] };
    let good: Vec<_> = (0..32).map(|n| certificate(&schemes, of(n))).collect();
    let bad = |n: usize| n % 5 == 3;
    let pairs: Vec<_> = (0..32).map(|n| (of(n), &good[if bad(n) { n - 1 } else { n }])).collect();
    let bisect = |pairs: &[_]| {
        schemes[0].verify_certificates_bisect::<TestRng, Hash>(&mut test_rng(), pairs, &Sequential)
    };
    let expected: Vec<_> = (0..32).map(|n| !bad(n)).collect();
    assert_eq!(bisect(&pairs), expected);
    assert_eq!(bisect(&[]), Vec::<bool>::new());
    for (pair, expected) in pairs.iter().zip(expected) {
        assert_eq!(is_valid(&schemes[1], pair.0, pair.1), expected);
    }
    let all = |pairs: &[(Subject<'_, Hash>, &Certificate)]| {
        let pairs = NonEmpty::try_new(pairs.iter().copied()).unwrap();
        schemes[0].verify_certificates(&mut test_rng(), pairs, &Sequential)
    };
    assert!(all(&pairs[..3]));
    assert!(!all(&pairs[..4]));
}

#[test]
fn assembly_sorts_and_names_what_it_refuses() {
    let schemes = committee(1, 4, engine());
    let this = proposal(3);
    let subject = Subject::Notarize { proposal: &this };
    let all = votes(&schemes, subject);
    let (turned, whole) = (all.iter().rev().cloned().collect(), assemble(&schemes[0], all.clone()));
    assert_eq!(assemble(&schemes[0], turned), whole);

    let doubled = vec![all[0].clone(), all[1].clone(), all[0].clone()];
    let signer = Participant::new(0);
    assert_eq!(assemble(&schemes[0], doubled), Err(AssemblyError::DuplicateSigner(signer)));
    let few = AssemblyError::InsufficientAttestations(3, 2);
    assert_eq!(assemble(&schemes[0], all[..2].to_vec()), Err(few));
    let mut stranger = all.clone();
    stranger[1].signer = Participant::new(4);
    let unknown = AssemblyError::UnknownSigner(Participant::new(4));
    assert_eq!(assemble(&schemes[0], stranger), Err(unknown));
    let mut cut = all.clone();
    cut[2].signature = Lazy::deferred(&mut Bytes::from_static(&[0; 63]), ());
    let malformed = AssemblyError::MalformedSignature(Participant::new(2));
    assert_eq!(assemble(&schemes[0], cut), Err(malformed));
}

#[test]
fn pending_votes_are_verified_before_they_count() {
    let schemes = committee(1, 4, engine());
    let this = proposal(3);
    let subject = Subject::Notarize { proposal: &this };
    let all = votes(&schemes, subject);
    let assemble = |pending: Vec<_>| {
        let (mut rng, own) = (test_rng(), [all[0].clone()]);
        schemes[0].optimistic_assemble(&mut rng, subject, pending, &own, &Sequential)
    };
    let certificate = assemble(all[1..3].to_vec()).ok().unwrap();
    assert!(is_valid(&schemes[3], subject, &certificate));
    let bad = with_signature(&all[2], signature(&all[3]));
    let judged = assemble(vec![all[1].clone(), bad, all[3].clone()]).err().unwrap();
    assert_eq!(judged.invalid, [Participant::new(2)]);
    assert_eq!(judged.verified, [all[1].clone(), all[3].clone()]);
    let judged = assemble(all[1..2].to_vec()).err().unwrap(); // too few
    assert_eq!((judged.verified, judged.invalid), (all[1..2].to_vec(), vec![]));
}

#[test]
fn certificates_survive_the_wire_and_nothing_longer_does() {
    for validators in [1, 4, 8, 9, 100] {
        let schemes = committee(1, validators, engine());
        let this = proposal(3);
        let certificate = certificate(&schemes, Subject::Notarize { proposal: &this });
        let bytes = certificate.encode();
        assert_eq!(bytes.len(), certificate.encode_size());
        assert!(bytes.len() <= VoteScheme::max_certificate_size(validators as u32));
        let limit = schemes[0].certificate_codec_config();
        assert_eq!(Certificate::decode_cfg(bytes.clone(), &limit).unwrap(), certificate);
        if validators > 1 {
            assert!(Certificate::decode_cfg(bytes.clone(), &(limit - 1)).is_err());
        }
        for end in (0..bytes.len()).rev().take(100) {
            assert!(Certificate::decode_cfg(bytes.slice(..end), &limit).is_err());
        }
    }
    let nobody = Signers::new(4, []).unwrap();
    let empty = Certificate { signers: nobody, signatures: vec![] }.encode();
    assert!(Certificate::decode_cfg(empty, &4).is_err());
    let lying =
        [&Signers::new(4, [Participant::new(0)]).unwrap().encode()[..], &[0xff; 4], &[0x0f]];
    let error = Certificate::decode_cfg(lying.concat(), &(u32::MAX as usize)).unwrap_err();
    assert!(matches!(error, commonware_codec::Error::EndOfBuffer), "{error}");
    assert!(VoteSignature::decode(vec![0; 63]).is_err());
}

#[test]
fn the_fields_of_a_certificate_lie_where_the_specification_says() {
    let schemes = committee(1, 9, engine());
    let this = proposal(3);
    let all = votes(&schemes, Subject::Notarize { proposal: &this });
    let bytes = assemble(&schemes[0], all[2..].to_vec()).unwrap().encode();
    assert_eq!(bytes[..8], 9_u64.to_be_bytes());
    assert_eq!(bytes[8..11], [0b1111_1100, 1, 7]); // bitmap, lowest bit first; seven signatures
    assert_eq!(bytes[11..75], signature(&all[2]));
    assert_eq!(bytes.len(), 11 + 7 * 64);
}

/// An engine that refuses everything, and one that has no device: the host answers for them.
#[test]
fn faults_of_the_engine_make_nobody_an_offender() {
    let full = Engine::builder().threads(1).limits(Limits { items: 0, ..Limits::default() });
    let bare = Engine::builder().threads(1).cpu(false);
    for engine in [full.open().unwrap(), bare.open().unwrap()] {
        let schemes = committee(1, 7, engine);
        let this = proposal(3);
        let subject = Subject::Notarize { proposal: &this };
        let mut all = votes(&schemes, subject);
        assert_eq!(judge(&schemes[0], subject, all.clone()), ((0..7).collect(), vec![]));
        let good = assemble(&schemes[0], all.clone()).unwrap();
        assert!(is_valid(&schemes[0], subject, &good));
        all[1] = with_signature(&all[1], signature(&all[0]));
        assert_eq!(judge(&schemes[0], subject, all), (vec![0, 2, 3, 4, 5, 6], vec![1]));
    }
}

#[test]
fn single_certificates_go_to_the_engine_for_them() {
    let (batches, inline) = (Arc::new(engine()), Arc::new(engine()));
    let engines = Engines { batches: batches.clone(), inline: inline.clone() };
    let schemes = committee_over(1, 7, engines);
    let submitted = || [&batches, &inline].map(|engine| engine.snapshot().counters.submitted);
    let this = proposal(3);
    let subject = Subject::Notarize { proposal: &this };
    assert!(judge(&schemes[0], subject, votes(&schemes, subject)).1.is_empty());
    assert_eq!(submitted(), [7, 0]);
    let certificate = certificate(&schemes, subject);
    assert!(is_valid(&schemes[0], subject, &certificate));
    assert_eq!(submitted(), [7, 7]);
    let pairs = [(subject, &certificate); 3];
    let (mut rng, scheme) = (test_rng(), &schemes[0]);
    assert_eq!(scheme.verify_certificates_bisect(&mut rng, &pairs, &Sequential), [true; 3]);
    assert_eq!(submitted(), [28, 7]);
}

#[test]
fn committees_that_cannot_be_are_refused() {
    let engines = Engines::one(Arc::new(engine()));
    let new = |validators: &[Validator], engines: &Engines| {
        let deadline = Duration::from_secs(1);
        Committee::new(Hash::from([1; 32]), validators, engines.clone(), deadline).err()
    };
    let validator = |n: u8| Validator {
        identity: ed25519::PrivateKey::from_seed(n.into()).public_key(),
        vote: VoteKey::from_bytes(&[n; 32]).unwrap().public(),
    };
    assert!(new(&[validator(1), validator(2)], &engines).is_none());
    assert!(matches!(new(&[], &engines), Some(CommitteeError::Identities(_))));
    let twice = [validator(1), validator(1)];
    assert!(matches!(new(&twice, &engines), Some(CommitteeError::Identities(_))));
    let none = Validator { vote: [0xff; 32], ..validator(1) };
    let error = new(&[none], &engines).unwrap();
    assert!(matches!(error, CommitteeError::Pin(PinError::Key { index: 0 })), "{error}");
    let small = Engine::builder().threads(1).pinned_bytes(PinnedKeys::KEY_BYTES).open().unwrap();
    let small = Engines::one(Arc::new(small));
    assert!(new(&[validator(1)], &small).is_none());
    let error = new(&[validator(1), validator(2)], &small).unwrap();
    assert!(matches!(error, CommitteeError::Pin(PinError::Budget { .. })), "{error}");
}

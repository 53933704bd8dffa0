//! Certificates a second: the engine against libsecp256k1 one signature after the other, interleaved
//! on one thread each; and the memory of pinned vote keys.
//!
//! A certificate alone finds the engine's thread asleep and the tables of the keys out of the caches, as
//! in a validator; several in a row do not.
//!
//! `cargo bench -p sigmill-consensus --bench certificates [-- --quick] [validators..]`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use commonware_consensus::simplex::types::{Proposal, Subject};
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::certificate::{Scheme as _, Verifier as _};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_parallel::Sequential;
use commonware_utils::non_empty;
use secp256k1::{XOnlyPublicKey, schnorr};
use sigmill::Engine;
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::VoteKey;
use sigmill_consensus::scheme::{Engines, vote_namespace};
use sigmill_consensus::{Committee, Hash, VoteScheme};

fn vote_key(n: u64) -> VoteKey {
    let mut secret = [3; 32];
    secret[24..].copy_from_slice(&(n + 1).to_be_bytes());
    VoteKey::from_bytes(&secret).expect("it is below the order")
}

fn committee(validators: u64) -> Arc<Committee> {
    let engine =
        Engine::builder().threads(1).pinned_bytes(1 << 30).open().expect("an engine opens");
    let validator = |n| Validator {
        identity: ed25519::PrivateKey::from_seed(n).public_key(),
        vote: vote_key(n).public(),
    };
    let all: Vec<_> = (0..validators).map(validator).collect();
    let engines = Engines::one(Arc::new(engine));
    Committee::new(chain(), &all, engines, Duration::from_secs(60)).expect("keys are pinned")
}

fn chain() -> Hash {
    Hash::from([1; 32])
}

fn median(mut all: Vec<f64>) -> [f64; 3] {
    all.sort_by(f64::total_cmp);
    [all[0], all[all.len() / 2], all[all.len() - 1]]
}

/// Certificates of a round that are verified one after the other, and then in one batch.
const CERTIFICATES: u64 = 8;

/// Seconds that `work` takes, a certificate of `count`.
fn seconds(count: usize, work: impl FnOnce() -> bool) -> f64 {
    let start = Instant::now();
    assert!(work(), "the certificates are valid");
    start.elapsed().as_secs_f64() / count as f64
}

/// Times certificates by both, in turn.
fn compare(validators: u64, rounds: usize) {
    let committee = committee(validators);
    let proposal = |view| {
        let round = Round::new(Epoch::new(0), View::new(view));
        Proposal::new(round, View::new(view - 1), chain())
    };
    let proposals: Vec<_> = (1..=CERTIFICATES).map(proposal).collect();
    let subjects: Vec<_> =
        proposals.iter().map(|proposal| Subject::Finalize { proposal }).collect();
    let signer = |n| {
        let scheme = VoteScheme::signer(committee.clone(), vote_key(n)).expect("a validator's key");
        (scheme, vote_key(n).public())
    };
    let mut all: Vec<_> = (0..validators).map(signer).collect();
    all.sort_by_key(|(scheme, _)| scheme.me().expect("a member").index());
    let (schemes, keys): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let scheme = &schemes[0];
    let certify = |&subject: &Subject<'_, _>| {
        let signers = schemes[..committee.quorum()].iter();
        let votes: Vec<_> = signers.map(|one| one.sign(subject).expect("it signs")).collect();
        scheme.assemble(non_empty![@votes.into_iter()], &Sequential).expect("a quorum")
    };
    let certificates: Vec<_> = subjects.iter().map(certify).collect();

    // What libsecp256k1 verifies: keys are parsed ahead, as a validator would keep them.
    use commonware_consensus::simplex::scheme::Namespace;
    use commonware_cryptography::certificate::{Namespace as _, Subject as _};
    let namespace = Namespace::derive(&vote_namespace(chain()));
    let subject = subjects[0];
    let message = commonware_utils::union_unique(subject.namespace(&namespace), &subject.message());
    let parse = |key: &[u8; 32]| XOnlyPublicKey::from_byte_array(*key).expect("a point");
    let keys: Vec<_> = keys.iter().map(parse).collect();
    let signatures = certificates[0].signatures.iter();
    let signatures: Vec<_> =
        signatures.map(|one| schnorr::Signature::from_byte_array(one.0)).collect();

    let mut rng = commonware_utils::sys_rng();
    let pairs: Vec<_> = subjects.iter().copied().zip(&certificates).collect();
    let ways = ["one, after libsecp256k1's", "one after the other", "together, in a batch"];
    let mut theirs = Vec::new();
    let mut ours: [Vec<f64>; 3] = Default::default();
    for _ in 0..rounds {
        theirs.push(seconds(1, || {
            let mut votes = keys.iter().zip(&signatures);
            votes.all(|(key, signature)| signature.verify(black_box(&message), key).is_ok())
        }));
        let mut one_by_one = |certificates: &[(Subject<'_, _>, _)]| {
            certificates.iter().all(|&(subject, certificate)| {
                black_box(scheme).verify_certificate(&mut rng, subject, certificate, &Sequential)
            })
        };
        ours[0].push(seconds(1, || one_by_one(&pairs[..1])));
        ours[1].push(seconds(pairs.len(), || one_by_one(&pairs)));
        ours[2].push(seconds(pairs.len(), || {
            let all = non_empty![@pairs.iter().copied()];
            black_box(scheme).verify_certificates(&mut rng, all, &Sequential)
        }));
    }
    println!(
        "{validators} validators, {} votes a certificate; libsecp256k1 {:.1} a second",
        committee.quorum(),
        1.0 / median(theirs.clone())[1]
    );
    for (way, ours) in ways.into_iter().zip(ours) {
        let ratios = theirs.iter().zip(&ours).map(|(theirs, ours)| theirs / ours).collect();
        let [least, ratio, most] = median(ratios);
        let rate = 1.0 / median(ours)[1];
        println!("  {way:<26} {rate:>8.0} a second, ratio {ratio:.1} ({least:.1} to {most:.1})");
    }
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let asked: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for &validators in if asked.is_empty() { &[4, 100, 1_000][..] } else { &asked } {
        compare(validators, if quick { 5 } else { 51 });
    }
    println!("memory of pinned vote keys, tables included:");
    for validators in [1, 4, 16, 64, 256, 1_000] {
        let bytes = committee(validators).pinned_bytes();
        println!(
            "{validators:>5} validators  {bytes:>11} bytes  {:>8} each",
            bytes as u64 / validators
        );
    }
}

//! Certificates a second: the engine against libsecp256k1 one signature after the other, interleaved
//! on one thread each; and the memory of pinned vote keys.
//!
//! `cargo bench -p sigmill-consensus --bench certificates [-- --quick]`

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

/// Times a certificate by both, in turn.
fn compare(validators: u64, rounds: usize) {
    let committee = committee(validators);
    let proposal = Proposal::new(Round::new(Epoch::new(0), View::new(9)), View::new(8), chain());
    let subject = Subject::Finalize { proposal: &proposal };
    let signer = |n| {
        let scheme = VoteScheme::signer(committee.clone(), vote_key(n)).expect("a validator's key");
        (scheme, vote_key(n).public())
    };
    let mut all: Vec<_> = (0..validators).map(signer).collect();
    all.sort_by_key(|(scheme, _)| scheme.me().expect("a member").index());
    let (schemes, keys): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let votes =
        schemes[..committee.quorum()].iter().map(|one| one.sign(subject).expect("it signs"));
    let votes: Vec<_> = votes.collect();
    let certificate = schemes[0].assemble(non_empty![@votes.into_iter()], &Sequential);
    let certificate = certificate.expect("a quorum");

    // What libsecp256k1 verifies: keys are parsed ahead, as a validator would keep them.
    use commonware_consensus::simplex::scheme::Namespace;
    use commonware_cryptography::certificate::{Namespace as _, Subject as _};
    let namespace = Namespace::derive(&vote_namespace(chain()));
    let message = commonware_utils::union_unique(subject.namespace(&namespace), &subject.message());
    let parse = |key: &[u8; 32]| XOnlyPublicKey::from_byte_array(*key).expect("a point");
    let keys: Vec<_> = keys.iter().map(parse).collect();
    let signatures = certificate.signatures.iter();
    let signatures: Vec<_> =
        signatures.map(|one| schnorr::Signature::from_byte_array(one.0)).collect();

    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut rng = commonware_utils::sys_rng();
    for _ in 0..rounds {
        let start = Instant::now();
        assert!(black_box(&schemes[0]).verify_certificate(
            &mut rng,
            subject,
            &certificate,
            &Sequential
        ));
        let engine = start.elapsed().as_secs_f64();
        let start = Instant::now();
        for (key, signature) in keys.iter().zip(&signatures) {
            signature.verify(black_box(&message), key).expect("valid");
        }
        let one_by_one = start.elapsed().as_secs_f64();
        ours.push(1.0 / engine);
        theirs.push(1.0 / one_by_one);
        ratios.push(one_by_one / engine);
    }
    let ([_, ours, _], [_, theirs, _], [least, ratio, most]) =
        (median(ours), median(theirs), median(ratios));
    println!(
        "{validators:>5} validators, {} votes: {ours:.0} certificates a second, libsecp256k1 {theirs:.1}; \
         ratio {ratio:.1} ({least:.1} to {most:.1})",
        committee.quorum()
    );
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    for validators in [4, 100, 1_000] {
        compare(validators, if quick { 5 } else { 101 });
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

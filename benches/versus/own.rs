//! Us against ourselves: invalid batches against valid ones, a crafted one, one job against the
//! portable level.

use secp256k1::{Message, PublicKey, SecretKey, ecdsa};
use sigmill::isa::Isa;
use sigmill::{Algorithm, Batch, EcdsaRule, Engine, Job, Terms};

use crate::Case;
use crate::workload::{self, Signed};

/// Runs the cases.
pub fn run(engine: &Engine, threads: usize, signed: &[Signed], measure: &mut dyn FnMut(Case<'_>)) {
    let spoilt = workload::spoilt(signed);
    let ecdsa = workload::ecdsa_batch;
    let schnorr = workload::schnorr_batch;
    let combined = workload::combined_schnorr_batch;
    let hinted = workload::hinted_batch;
    let (valid, invalid) = (&signed[..1_024], &spoilt[..1_024]);
    let against = "ours, valid";
    measure(case("ecdsa-invalid", against, engine, vec![ecdsa(invalid)], vec![ecdsa(valid)]));
    measure(case("schnorr-invalid", against, engine, vec![schnorr(invalid)], vec![schnorr(valid)]));
    let crafted = infinities(1_024);
    measure(case("ecdsa-crafted", against, engine, vec![crafted], vec![ecdsa(valid)]));
    let (valid, invalid) = (&signed[..4_096], &spoilt[..4_096]);
    let against = "combined, then single";
    let theirs = vec![combined(valid), schnorr(valid)];
    measure(case("schnorr-batch-invalid", against, engine, vec![combined(invalid)], theirs));
    let theirs = vec![hinted(valid), ecdsa(valid)];
    measure(case("ecdsa-hinted-invalid", against, engine, vec![hinted(invalid)], theirs));
    let builder = Engine::builder().threads(threads).isa(Isa::PORTABLE);
    let portable = builder.open().expect("an engine");
    let one = || vec![ecdsa(&signed[..1])];
    measure(Case {
        name: "ecdsa-alone/1".to_owned(),
        baseline: "ours, portable",
        items: 1,
        ours: repeat(engine, one()),
        theirs: repeat(&portable, one()),
    });
}

/// One kind of batches against another, of as many items.
fn case<'a>(
    name: &str,
    baseline: &'static str,
    engine: &'a Engine,
    ours: Vec<Batch>,
    theirs: Vec<Batch>,
) -> Case<'a> {
    let items = ours[0].len();
    Case {
        name: format!("{name}/{items}"),
        baseline,
        items,
        ours: repeat(engine, ours),
        theirs: repeat(engine, theirs),
    }
}

/// Submits batches one after the other, again and again.
fn repeat(engine: &Engine, batches: Vec<Batch>) -> Box<dyn FnMut() + '_> {
    let mut batches: Vec<_> = batches.into_iter().map(Some).collect();
    Box::new(move || {
        for batch in &mut batches {
            let sealed = batch.take().expect("it comes back each time");
            let answered = engine.submit(sealed, Terms::default()).expect("room").wait();
            *batch = Some(answered.into_batch());
        }
    })
}

/// Signatures crafted so that R is infinity: Q = d G, r = -z / d, for any s.
fn infinities(count: usize) -> Batch {
    let mut batch = Batch::open(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact));
    for i in 0..count {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&(i as u64 + 1).to_be_bytes());
        let d = SecretKey::from_secret_bytes(bytes).expect("in range");
        // z = -d r for r = 1, so that u1 + u2 d = 0; a valid signature lends its s.
        let key = PublicKey::from_secret_key(&d).serialize();
        let message = d.negate().to_secret_bytes();
        let lent = ecdsa::sign(Message::from_digest(message), &d).serialize_compact();
        let mut signature = [0; 64];
        signature[31] = 1;
        signature[32..].copy_from_slice(&lent[32..]);
        batch
            .push(Job::Ecdsa { message: &message, signature: &signature, key: &key })
            .expect("room");
    }
    batch.seal()
}

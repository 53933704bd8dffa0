//! Whole jobs under every rule of ECDSA and of the precompile: our verdict is the referee's.
//! Input: a byte for the rule, 32 of message, one for the signature's length, signature, key. What
//! can be pinned of the key is, and gives the same verdict.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill::{Algorithm, Batch, Engine, Job, Terms, referee};
use std::sync::OnceLock;

fuzz_target!(|bytes: &[u8]| {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| Engine::builder().threads(1).open().expect("an engine"));
    let Some((&[rule], rest)) = bytes.split_first_chunk() else { return };
    let algorithm = Algorithm::ALL[usize::from(rule) % 9];
    let mut batch = Batch::open(algorithm);
    let pushed = match algorithm {
        Algorithm::EcdsaSecp256k1(_) => {
            let Some((message, rest)) = rest.split_first_chunk() else { return };
            let Some((&[length], rest)) = rest.split_first_chunk() else { return };
            let (signature, key) = rest.split_at(rest.len().min(usize::from(length)));
            if let Ok(keys) = engine.pin(&[key]) {
                let mut twin = Batch::open_pinned(algorithm, &keys).expect("it has keys");
                twin.push(Job::EcdsaPinned { message, signature, key: 0 }).expect("room");
                check(engine, twin.seal());
            }
            batch.push(Job::Ecdsa { message, signature, key })
        }
        Algorithm::SchnorrBip340 => {
            let Some((signature, rest)) = rest.split_first_chunk() else { return };
            let Some((key, message)) = rest.split_first_chunk() else { return };
            if let Ok(keys) = engine.pin(&[key]) {
                let mut twin = Batch::open_pinned(algorithm, &keys).expect("it has keys");
                twin.push(Job::SchnorrPinned { message, signature, key: 0 }).expect("room");
                check(engine, twin.seal());
            }
            batch.push(Job::Schnorr { message, signature, key })
        }
        _ => match batch.push(Job::Ecrecover { input: rest }) {
            Err(_) => {
                let Some((message, rest)) = rest.split_first_chunk() else { return };
                let Some((signature, rest)) = rest.split_first_chunk() else { return };
                let recovery_id = rest.first().copied().unwrap_or_default();
                batch.push(Job::Recover { message, signature, recovery_id })
            }
            pushed => pushed,
        },
    };
    pushed.expect("room");
    check(engine, batch.seal());
});

/// Our answers are the referee's.
fn check(engine: &Engine, batch: Batch) {
    let answered = engine.submit(batch, Terms::default()).expect("room").wait();
    assert_eq!(referee::disagreement(answered.batch(), answered.answers()), None);
}

//! Us against what people use today, in one run.
//!
//! ```text
//! cargo bench --bench versus -- [--json] [--quick] [FILTER]
//! ```
//! For each case ours and the baseline run in turn, round by round; a ratio above 1 means that we
//! are faster. Ours goes from bytes to verdicts through the engine. `SIGMILL_DATA` adds the case
//! `block-check/413567`.

use std::hint::black_box;

use rayon::prelude::*;
use secp256k1::{Message, PublicKey, XOnlyPublicKey, ecdsa, schnorr};
use sha2::{Digest, Sha256};
use sha3::Keccak256;
use sigmill::algorithms::keccak256;
use sigmill::isa::Isa;
use sigmill::{Algorithm, Batch, Engine, Outcome, Terms};

mod audit;
mod block;
mod measure;
mod own;
mod pinned;
mod trust;
mod workload;

use measure::{Case, Options, measure};
use workload::Signed;

fn main() {
    let options = Options::from_arguments();
    let signed = workload::signed(if options.quick { 4_096 } else { 65_536 });
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let mut counts = vec![1, all];
    counts.dedup();
    for threads in counts {
        let engine = Engine::builder().threads(threads).open().expect("an engine");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| run(&options, threads, &engine, &signed));
    }
}

fn run(options: &Options, threads: usize, engine: &Engine, signed: &[Signed]) {
    let sizes: &[usize] = if options.quick { &[1_024] } else { &[1, 8, 128, 1_024, 16_384] };
    let run = |case: Case<'_>| measure(options, threads, case);
    for &size in sizes {
        let items = &signed[..size];
        run(verify_case("ecdsa-verify", engine, items, workload::ecdsa_batch(items), verify_ecdsa));
        run(recover_case(engine, items));
        let batch = workload::schnorr_batch(items);
        run(verify_case("schnorr-verify", engine, items, batch, verify_schnorr));
    }
    for &size in if options.quick { &[4_096][..] } else { &[4_096, 65_536] } {
        let items = &signed[..size];
        let batch = workload::combined_schnorr_batch(items);
        run(verify_case("schnorr-batch", engine, items, batch, verify_schnorr));
        let batch = workload::hinted_batch(items);
        run(verify_case("ecdsa-hinted", engine, items, batch, verify_ecdsa));
    }
    pinned::run(engine, &mut |case| measure(options, threads, case));
    let sizes: &[usize] = if options.quick { &[4_096] } else { &[1, 128, 4_096, 65_536] };
    for &size in sizes {
        let messages = workload::messages(size, 64);
        let twice = |m: &Vec<u8>| Sha256::digest(Sha256::digest(m)).into();
        run(hash_case("sha256d-64", "sha2", engine, Algorithm::Sha256d, &messages, twice));
        let messages = workload::messages(size, 80);
        run(hash_case("sha256d-80", "sha2", engine, Algorithm::Sha256d, &messages, twice));
        let messages = workload::messages(size, 32);
        let once = |m: &Vec<u8>| Sha256::digest(m).into();
        run(hash_case("sha256-32", "sha2", engine, Algorithm::Sha256, &messages, once));
        let messages = workload::messages(size, 136);
        let keccak = |m: &Vec<u8>| Keccak256::digest(m).into();
        run(hash_case("keccak256-136", "sha3", engine, Algorithm::Keccak256, &messages, keccak));
    }
    for size in if options.quick { vec![4_096] } else { vec![4_096, 65_536] } {
        let leaves: Vec<[u8; 32]> =
            (0..size as u64).map(|i| Sha256::digest(i.to_le_bytes()).into()).collect();
        let mut batch = Some(workload::tree_batch(&leaves));
        run(Case {
            name: format!("merkle/{size}"),
            baseline: "sha2",
            items: size,
            ours: Box::new(|| resolve(engine, &mut batch)),
            theirs: Box::new(|| {
                black_box(merkle(leaves.clone()));
            }),
        });
    }
    audit::run(signed, &mut |case| measure(options, threads, case));
    trust::run(signed, &mut |case| measure(options, threads, case));
    own::run(engine, threads, signed, &mut |case| measure(options, threads, case));
    block::run(options.quick, engine, &mut |case| measure(options, threads, case));
}

/// Submits a batch, waits, checks that all went well, and keeps the batch for the next time.
fn resolve(engine: &Engine, batch: &mut Option<Batch>) {
    let sealed = batch.take().expect("it comes back each time");
    let answered = engine.submit(sealed, Terms::default()).expect("room").wait();
    assert!(answered.answers().all_well(), "a valid item was not found valid");
    *batch = Some(answered.into_batch());
}

fn verify_case<'a>(
    name: &str,
    engine: &'a Engine,
    items: &'a [Signed],
    batch: Batch,
    theirs: fn(&Signed) -> bool,
) -> Case<'a> {
    let mut batch = Some(batch);
    Case {
        name: format!("{name}/{}", items.len()),
        baseline: "libsecp256k1",
        items: items.len(),
        ours: Box::new(move || resolve(engine, &mut batch)),
        theirs: Box::new(move || assert!(items.par_iter().with_min_len(16).all(theirs))),
    }
}

fn hash_case<'a>(
    name: &str,
    baseline: &'static str,
    engine: &'a Engine,
    algorithm: Algorithm,
    messages: &'a [Vec<u8>],
    theirs: fn(&Vec<u8>) -> [u8; 32],
) -> Case<'a> {
    let batch = workload::hash_batch(algorithm, messages);
    let answered = engine.submit(batch, Terms::default()).expect("room").wait();
    for (outcome, message) in answered.answers().iter().zip(messages) {
        assert_eq!(outcome, Outcome::Digest(&theirs(message)));
    }
    let mut batch = Some(answered.into_batch());
    Case {
        name: format!("{name}/{}", messages.len()),
        baseline,
        items: messages.len(),
        ours: Box::new(move || resolve(engine, &mut batch)),
        theirs: Box::new(move || {
            messages.par_iter().with_min_len(64).for_each(|message| {
                black_box(theirs(message));
            });
        }),
    }
}

fn verify_ecdsa(item: &Signed) -> bool {
    let signature = ecdsa::Signature::from_compact(&item.ecdsa).expect("64 bytes in range");
    let key = PublicKey::from_slice(&item.key).expect("a key");
    signature.verify(Message::from_digest(item.message), &key).is_ok()
}

fn verify_schnorr(item: &Signed) -> bool {
    let key = XOnlyPublicKey::from_byte_array(item.x_only).expect("a key");
    schnorr::Signature::from_byte_array(item.schnorr).verify(&item.message, &key).is_ok()
}

/// From signatures to Ethereum addresses.
fn recover_case<'a>(engine: &'a Engine, items: &'a [Signed]) -> Case<'a> {
    let isa = Isa::detect().expect("a level");
    let mut batch = Some(workload::recover_batch(items));
    let (mut keys, mut addresses) = (Vec::new(), vec![[0; 20]; items.len()]);
    Case {
        name: format!("ecdsa-recover/{}", items.len()),
        baseline: "libsecp256k1",
        items: items.len(),
        ours: Box::new(move || {
            let sealed = batch.take().expect("it comes back each time");
            let answered = engine.submit(sealed, Terms::default()).expect("room").wait();
            keys.clear();
            for outcome in answered.answers().iter() {
                let Outcome::Key(key) = outcome else { panic!("no key: {outcome:?}") };
                keys.push(*key);
            }
            keccak256::addresses(isa, &keys, &mut addresses);
            black_box(&mut addresses);
            batch = Some(answered.into_batch());
        }),
        theirs: Box::new(move || {
            items.par_iter().with_min_len(16).for_each(|item| {
                black_box(recover(item));
            });
        }),
    }
}

/// The Ethereum address: the last 20 bytes of the key's Keccak-256.
fn recover(item: &Signed) -> [u8; 20] {
    let (signature, id) = &item.recoverable;
    let id = ecdsa::RecoveryId::try_from(i32::from(*id)).expect("0 to 3");
    let signature = ecdsa::RecoverableSignature::from_compact(signature, id).expect("in range");
    let key = signature.recover(Message::from_digest(item.message)).expect("a key");
    let digest = Keccak256::digest(&key.serialize_uncompressed()[1..]);
    *digest.last_chunk().expect("a digest is longer")
}

fn merkle(mut level: Vec<[u8; 32]>) -> [u8; 32] {
    while level.len() > 1 {
        let up = |pair: &[[u8; 32]]| -> [u8; 32] {
            Sha256::digest(Sha256::digest(pair.as_flattened())).into()
        };
        level = level.par_chunks(2).with_min_len(64).map(up).collect();
    }
    level[0]
}

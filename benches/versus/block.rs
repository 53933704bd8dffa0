//! The checks of a real block: those that a block check hands to the engine, against libsecp256k1
//! over the same list.

use rayon::prelude::*;
use secp256k1::{Message, PublicKey, ecdsa};
use sigmill::chain::Check;
use sigmill::chain::bitcoin::{BlockCheck, Rules};
use sigmill::{Algorithm, Batch, Engine, Terms};

use crate::Case;

/// Runs the case if the data is there.
pub fn run(quick: bool, engine: &Engine, measure: &mut dyn FnMut(Case<'_>)) {
    let Some(folder) = std::env::var_os("SIGMILL_DATA") else {
        eprintln!("versus: SIGMILL_DATA is not set: block-check/413567 is left out");
        return;
    };
    let path = std::path::Path::new(&folder).join("bitcoin/block413567.raw");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return eprintln!("versus: {}: {error}", path.display()),
    };
    let batches = signatures(engine, &bytes);
    let mut batches: Vec<_> = batches.into_iter().map(Some).collect();
    let lists: Vec<_> = batches.iter().flatten().cloned().collect();
    let items: Vec<_> =
        lists.iter().flat_map(|batch| (0..batch.len()).map(move |i| (batch, i))).collect();
    if quick && items.is_empty() {
        return;
    }
    measure(Case {
        name: "block-check/413567".to_owned(),
        baseline: "libsecp256k1",
        items: items.len(),
        ours: Box::new(|| {
            for batch in &mut batches {
                let sealed = batch.take().expect("it comes back each time");
                let answered = engine.submit(sealed, Terms::default()).expect("room").wait();
                *batch = Some(answered.into_batch());
            }
        }),
        theirs: Box::new(|| {
            let valid = items.par_iter().with_min_len(16).filter(|(batch, i)| verify(batch, *i));
            assert!(valid.count() > 5_000);
        }),
    });
}

fn verify(batch: &Batch, index: usize) -> bool {
    let Ok(mut signature) = ecdsa::Signature::from_der_lax(batch.column(1).get(index)) else {
        return false;
    };
    signature.normalize_s();
    let Ok(key) = PublicKey::from_slice(batch.column(2).get(index)) else { return false };
    let message = Message::from_digest(*batch.column(0).array(index));
    signature.verify(message, &key).is_ok()
}

/// The ECDSA batches of all rounds.
fn signatures(engine: &Engine, bytes: &[u8]) -> Vec<Batch> {
    let mut check = BlockCheck::new(bytes, None, Rules::default()).expect("a block");
    let mut kept = Vec::new();
    let mut answers = Vec::new();
    loop {
        let batches = check.round(&answers);
        if batches.is_empty() {
            return kept;
        }
        let ecdsa = |batch: &&Batch| matches!(batch.algorithm(), Algorithm::EcdsaSecp256k1(_));
        kept.extend(batches.iter().filter(ecdsa).cloned());
        let submit = |batch| engine.submit(batch, Terms::default()).expect("room").wait();
        answers = batches.into_iter().map(|batch| submit(batch).into_answers()).collect();
    }
}

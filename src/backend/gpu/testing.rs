//! What the tests of this folder share.

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::algorithm::Algorithm;
use crate::algorithm::EcdsaRule;
use crate::backend::gpu::{Adapter, Gpu, Limbs, Options};
use crate::batch::{Batch, Job};
use crate::error::EngineError;

/// Bytes of buffers that hold a bit more than the fewest items of a part.
pub const BYTES: usize = 12 << 20;

/// A GPU in software; says so where there is none, and fails if `SIGMILL_REQUIRE` lists `gpu`.
pub fn open(limbs: Limbs) -> Option<Box<Gpu>> {
    let options = Options {
        limbs: Some(limbs),
        bytes: Some(BYTES),
        pinned_bytes: Some(1 << 20),
        ..Options::new(Adapter::Software)
    };
    match Gpu::open(&options) {
        Ok(gpu) => Some(gpu),
        Err(EngineError::Absent { why, .. }) => {
            let required = std::env::var("SIGMILL_REQUIRE").unwrap_or_default();
            let required = required.split(',').any(|name| name.trim() == "gpu");
            assert!(!required, "SIGMILL_REQUIRE lists gpu, which is absent: {why}");
            println!("skipped: gpu=software: {why}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

pub const COMPACT: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);

/// Random numbers under random keys, of which half are none.
pub fn batch(seed: u64, items: usize) -> Batch {
    let mut random = StdRng::seed_from_u64(seed);
    let mut batch = Batch::open(COMPACT);
    for _ in 0..items {
        let (message, mut key): ([u8; 32], [u8; 33]) = (random.random(), [0; 33]);
        random.fill(&mut key);
        key[0] = 2 + (key[0] & 1);
        let mut signature = [0; 64];
        random.fill(&mut signature);
        let job = Job::Ecdsa { message: &message, signature: &signature, key: &key };
        batch.push(job).expect("room");
    }
    batch.seal()
}

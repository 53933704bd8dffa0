//! Keys and scalars made to meet the cases outside the device's formulas: verdicts are the host's all
//! the same, for signatures that hold.

use super::testing::{BYTES, COMPACT};
use super::*;
use crate::algorithms::secp256k1::curve::{Curve, Secp256k1};
use crate::algorithms::secp256k1::integer::{self, N, P, reduce_n, to_be};
use crate::algorithms::secp256k1::multiply::{Scalars, complete};
use crate::algorithms::secp256k1::scalar;
use crate::batch::{Batch, Job, OpenBatch};
use crate::engine::{Engine, Terms};
use crate::parsed::Words;
use crate::verdict::{Outcome, Verdict};

/// Keys that the sum starts with or ends with, and that it passes on its way, and those of the generator.
fn keys() -> Vec<[Words; 2]> {
    let offset = Secp256k1::offset();
    let mut keys = vec![Secp256k1::GENERATOR, offset.start, offset.end];
    let multiple = |key: &[Words; 2], k: u64| {
        let scalars = Scalars { u1: [0; 4], u2: [k, 0, 0, 0] };
        complete::<Secp256k1>(&scalars, key).to_affine().expect("of large order")
    };
    for k in [2, 3, 31, 32, 33, 64, 1 << 15] {
        keys.push(multiple(&offset.start, k));
        keys.push(multiple(&Secp256k1::GENERATOR, k));
    }
    let opposite = |[x, y]: &[Words; 2]| [*x, integer::sub(&P, y).0];
    keys.extend(keys.clone().iter().map(opposite));
    keys
}

const LAMBDA: Words =
    [0xdf02_967c_1b23_bd72, 0x122e_22ea_2081_6678, 0xa526_1c02_8812_645a, 0x5363_ad4c_c05c_30e0];

fn scalars() -> Vec<Words> {
    let mut all = vec![[0; 4], LAMBDA];
    for shift in [0, 1, 4, 5, 10, 30, 60] {
        for k in [1u64, 3, 31] {
            all.push([k << shift.min(58), 0, 0, 0]);
        }
    }
    // Sizes of 2^120 and more, as the sum passes multiples of T.
    all.extend([[0, 1 << 56, 0, 0], [0, 1 << 61, 0, 0], [0, 0, 1, 0], [u64::MAX, 1, 0, 0]]);
    all.extend(all.clone().iter().map(scalar::negate));
    all
}

/// What one job is made of, and whether it is to be valid.
struct Made {
    message: [u8; 32],
    signature: [u8; 64],
    key: usize,
    valid: bool,
}

/// For each key Q and u1, u2 with R = u1 G + u2 Q finite: r = x(R), s = r / u2, z = u1 s, which holds. Where
/// R is infinity, or u2 zero, any r, which may or may not. Says for each job whether it is to be valid.
fn made(keys: &[[Words; 2]]) -> Vec<Made> {
    let mut all = Vec::new();
    for (key, point) in keys.iter().enumerate() {
        for u1 in scalars() {
            for u2 in scalars() {
                let sum = complete::<Secp256k1>(&Scalars { u1, u2 }, point).to_affine();
                let valid = sum.is_some() && u2 != [0; 4];
                let r = sum.map_or([7, 0, 0, 0], |[x, _]| reduce_n(x));
                let s = if u2 == [0; 4] { r } else { scalar::mul(&r, &scalar::invert(&u2)) };
                let message = to_be(&scalar::mul(&u1, &s));
                let signature = [to_be(&r), to_be(&s)].as_flattened().try_into();
                let signature = signature.expect("64 bytes");
                all.push(Made { message, signature, key, valid });
            }
        }
    }
    all
}

#[test]
fn made_keys_and_scalars_get_the_hosts_verdict() {
    if super::testing::open(Limbs::U64).is_none() {
        return;
    }
    assert!(integer::is_below(&LAMBDA, &N));
    let keys = keys();
    let encoded: Vec<_> =
        keys.iter().map(|[x, y]| [&[4][..], &to_be(x), &to_be(y)].concat()).collect();
    let made = made(&keys);
    let host = Engine::builder().threads(2).open().expect("an engine");
    let pinned = host.pin(&encoded).expect("keys");
    let mut batches =
        [Batch::open(COMPACT), Batch::open_pinned(COMPACT, &pinned).expect("of ECDSA")];
    for Made { message, signature, key, .. } in &made {
        let job = Job::Ecdsa { message, signature, key: &encoded[*key] };
        batches[0].push(job).expect("room");
        let job = Job::EcdsaPinned { message, signature, key: *key as u32 };
        batches[1].push(job).expect("room");
    }
    let batches = batches.map(OpenBatch::seal);
    let expected = host.submit(batches[0].clone(), Terms::default()).expect("room").wait();
    let expected = expected.into_answers();
    for (outcome, made) in expected.iter().zip(&made) {
        assert!(!made.valid || outcome == Outcome::Verdict(Verdict::Valid));
    }
    for limbs in [Limbs::U64, Limbs::U32] {
        let options =
            Options { limbs: Some(limbs), bytes: Some(BYTES), ..Options::new(Adapter::Software) };
        let device = device(options).expect("it was there before");
        let engine = Engine::builder().threads(1).cpu(false).device(device).open();
        let engine = engine.expect("an engine");
        for (form, batch) in batches.iter().enumerate() {
            let ticket = engine.submit(batch.clone(), Terms::default()).expect("room");
            let answers = ticket.wait().into_answers();
            for (item, (outcome, expected)) in answers.iter().zip(expected.iter()).enumerate() {
                assert_eq!(outcome, expected, "{limbs:?}, form {form}: item {item}");
            }
        }
        assert_eq!(engine.snapshot().devices[0].items, 2 * made.len() as u64);
    }
    println!("{} items, {} valid", made.len(), made.iter().filter(|made| made.valid).count());
}

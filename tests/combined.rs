//! Combined equations: the verdicts, reasons included, are those of single verification, whatever
//! else is in the batch and whatever the hints say.

mod support;

use rand::{Rng, SeedableRng, rngs::StdRng};
use secp256k1::{Keypair, Message, PublicKey, SecretKey, ecdsa, schnorr};
use sigmill::algorithms::secp256k1::integer::{N, P_MINUS_N, add, from_be, is_below, sub, to_be};
use sigmill::{Algorithm, EcdsaRule, Engine};

use support::{Owned, accepted, answer, batch, combined, levels};

const ECDSA: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);

/// Valid ECDSA jobs under different keys, with R's parities.
fn ecdsa_jobs(random: &mut StdRng, count: usize) -> (Vec<Owned>, Vec<bool>) {
    let mut parities = Vec::new();
    let jobs = (0..count).map(|_| {
        let secret = SecretKey::from_secret_bytes(random.random()).expect("in range");
        let message: [u8; 32] = random.random();
        let digest = Message::from_digest(message);
        let signature = ecdsa::RecoverableSignature::sign_ecdsa_recoverable(digest, &secret);
        let (id, compact) = signature.serialize_compact();
        parities.push(id.to_u8() & 1 == 1);
        let key = PublicKey::from_secret_key(&secret).serialize();
        Owned(vec![message.to_vec(), compact.to_vec(), key.to_vec()])
    });
    (jobs.collect(), parities)
}

/// Valid BIP 340 jobs, a few keys signing many each.
fn schnorr_jobs(random: &mut StdRng, count: usize) -> Vec<Owned> {
    let pair = |secret: [u8; 32]| {
        Keypair::from_secret_key(&SecretKey::from_secret_bytes(secret).expect("in range"))
    };
    let pairs: Vec<_> = (0..count / 3 + 1).map(|_| pair(random.random())).collect();
    let job = |_| {
        let pair = &pairs[random.random_range(0..pairs.len())];
        let message: [u8; 32] = random.random();
        let signature = schnorr::sign_no_aux_rand(&message, pair).to_byte_array();
        let key = pair.x_only_public_key().0.to_byte_array();
        Owned(vec![message.to_vec(), signature.to_vec(), key.to_vec()])
    };
    (0..count).map(job).collect()
}

/// Combined and single answers are equal at every level; gives the number of valid ones.
fn agree(
    engines: &[(sigmill::isa::Isa, Engine)],
    algorithm: Algorithm,
    jobs: &[Owned],
    hint: impl Fn(usize) -> bool,
) -> usize {
    let single = answer(&engines[engines.len() - 1].1, batch(algorithm, jobs));
    for (isa, engine) in engines {
        let answers = answer(engine, combined(algorithm, jobs, &hint));
        for (index, pair) in answers.iter().zip(single.iter()).enumerate() {
            assert_eq!(pair.0, pair.1, "{isa}, {} jobs, item {index}", jobs.len());
        }
    }
    single.iter().filter(|outcome| accepted(*outcome)).count()
}

/// Sizes around those at which equations begin, are tried in part and are split.
const SIZES: [usize; 9] = [0, 1, 7, 95, 500, 777, 1_025, 2_300, 9_001];

fn spoil(random: &mut StdRng, job: &mut Owned) {
    let at = random.random_range(0..job.0[1].len());
    job.0[1][at] ^= 1 << random.random_range(0..8);
}

#[test]
fn few_and_many_invalid_items_are_found() {
    let engines = levels();
    let mut random = StdRng::seed_from_u64(41);
    for size in SIZES {
        let jobs = schnorr_jobs(&mut random, size);
        let (signed, parities) = ecdsa_jobs(&mut random, size);
        assert_eq!(agree(&engines, Algorithm::SchnorrBip340, &jobs, |_| false), size);
        assert_eq!(agree(&engines, ECDSA, &signed, |i| parities[i]), size);
        if size == 0 {
            continue;
        }
        for invalid in [1, 2, size / 3 + 1, size].map(|invalid| invalid.min(size)) {
            let mut jobs = [jobs.clone(), signed.clone()];
            let mut places = std::collections::BTreeSet::new();
            while places.len() < invalid {
                let all = invalid == size;
                places.insert(if all { places.len() } else { random.random_range(0..size) });
            }
            for &place in &places {
                jobs.iter_mut().for_each(|jobs| spoil(&mut random, &mut jobs[place]));
            }
            let valid = agree(&engines, Algorithm::SchnorrBip340, &jobs[0], |_| false);
            assert_eq!(valid, size - places.len());
            assert_eq!(agree(&engines, ECDSA, &jobs[1], |i| parities[i]), size - places.len());
        }
    }
}

#[test]
fn wrong_hints_change_no_verdict() {
    let engines = levels();
    let mut random = StdRng::seed_from_u64(42);
    let (jobs, parities) = ecdsa_jobs(&mut random, 1_500);
    let wrong: Vec<bool> = (0..jobs.len()).map(|_| random.random()).collect();
    for hint in [&(|_| false) as &dyn Fn(usize) -> bool, &|i| !parities[i], &|i| wrong[i], &|i| {
        parities[i] ^ (i == 700)
    }] {
        assert_eq!(agree(&engines, ECDSA, &jobs, hint), jobs.len());
    }
}

/// Signatures whose errors cancel in a plain sum: s of one is too large by what s of the other is
/// too small. Random coefficients keep them apart.
#[test]
fn errors_do_not_cancel() {
    let engines = levels();
    let mut random = StdRng::seed_from_u64(43);
    let mut jobs = schnorr_jobs(&mut random, 600);
    let shift = [5, 0, 0, 0];
    let turn = |job: &mut Owned, up: bool| {
        let s = from_be(job.0[1][32..].try_into().expect("32 bytes"));
        let s = if up { add(&s, &shift).0 } else { sub(&s, &shift).0 };
        assert!(s[3] != 0 && is_below(&s, &N), "no wrap");
        job.0[1][32..].copy_from_slice(&to_be(&s));
    };
    turn(&mut jobs[3], true);
    turn(&mut jobs[77], false);
    assert_eq!(agree(&engines, Algorithm::SchnorrBip340, &jobs, |_| false), 598);
}

/// The same job in every place, its opposite nonce beside it, keys and nonces that are no points, r
/// that stands for r + n.
#[test]
fn equal_and_impossible_points() {
    let engines = levels();
    let mut random = StdRng::seed_from_u64(44);
    let one = schnorr_jobs(&mut random, 1).remove(0);
    let (signed, parities) = ecdsa_jobs(&mut random, 1);
    let many = vec![one.clone(); 700];
    assert_eq!(agree(&engines, Algorithm::SchnorrBip340, &many, |_| false), 700);
    let many = vec![signed[0].clone(); 700];
    assert_eq!(agree(&engines, ECDSA, &many, |_| parities[0]), 700);
    assert_eq!(agree(&engines, ECDSA, &many, |i| i % 2 == 0), 700);

    let mut jobs = schnorr_jobs(&mut random, 900);
    for (index, field) in [(5, 1), (6, 2), (300, 1), (301, 2)] {
        // About every second x lies on no point: try until this one does.
        while secp256k1::XOnlyPublicKey::from_byte_array(
            jobs[index].0[field][..32].try_into().expect("32 bytes"),
        )
        .is_ok()
        {
            jobs[index].0[field][7] = jobs[index].0[field][7].wrapping_add(1);
        }
    }
    assert_eq!(agree(&engines, Algorithm::SchnorrBip340, &jobs, |_| false), 896);

    // r = x - n for an x between n and p, found by recovery with the id that says so.
    let (mut jobs, mut parities) = ecdsa_jobs(&mut random, 900);
    let mut wrapped = 0;
    for (index, slot) in [10usize, 400, 401].into_iter().enumerate() {
        let r = sub(&P_MINUS_N, &[2 + index as u64, 0, 0, 0]).0;
        for parity in 0..2 {
            let message: [u8; 32] = random.random();
            let signature = [to_be(&r), to_be(&[9, 9, 9, 9])].concat();
            let id = ecdsa::RecoveryId::from_u8_masked(2 + parity);
            let key = ecdsa::RecoverableSignature::from_compact(&signature, id)
                .and_then(|signature| signature.recover(Message::from_digest(message)));
            if let Ok(key) = key {
                jobs[slot] = Owned(vec![message.to_vec(), signature, key.serialize().to_vec()]);
                parities[slot] = parity == 1;
                wrapped += 1;
            }
        }
    }
    assert!(wrapped > 0, "no x between n and p was found");
    assert_eq!(agree(&engines, ECDSA, &jobs, |i| parities[i]), 900);
}

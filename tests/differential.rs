//! Random and limb-biased runs against libsecp256k1 at every level of this machine and on a GPU in
//! software, and a share of them against k256.
//!
//! `SIGMILL_RUNS` sets the number of verifications by each test (100,000 in release; a million for a
//! release), `SIGMILL_GPU_RUNS` how many of them run in each limb format of the GPU (all),
//! `SIGMILL_SEED` the seed.
//! Signatures come from walks: the secret key and the nonce move by fixed steps, so that their
//! points cost one addition each, and every second item has one bit turned over.

mod support;

use rand::{Rng, SeedableRng, rngs::StdRng};
use secp256k1::{Message, PublicKey, XOnlyPublicKey, ecdsa, schnorr};
use sigmill::algorithms::secp256k1::integer::{N, from_be, sub, to_be};
use sigmill::algorithms::secp256k1::scalar;
use sigmill::isa::Isa;
use sigmill::{Algorithm, EcdsaRule, Engine, Outcome, RecoverRule, referee};

use support::{Owned, accepted, answer, batch};

const BATCH: usize = 1_000;
/// One batch in so many is judged by k256 too: more than 100,000 items over all tests.
const REFEREE_SHARE: usize = 3;

fn runs() -> usize {
    let default = if cfg!(debug_assertions) { 4_000 } else { 100_000 };
    std::env::var("SIGMILL_RUNS").map_or(default, |runs| runs.parse().expect("a number"))
}

fn gpu_runs() -> usize {
    let wanted = std::env::var("SIGMILL_GPU_RUNS");
    wanted.map_or_else(|_| runs(), |wanted| wanted.parse().expect("a number"))
}

/// What computes the same batches.
struct Device {
    name: String,
    engine: Engine,
    /// The runs of each test.
    runs: usize,
}

/// The host at every level of this machine, then a GPU in software in both limb formats.
fn devices() -> Vec<Device> {
    let level =
        |(isa, engine): (Isa, Engine)| Device { name: isa.to_string(), engine, runs: runs() };
    #[cfg_attr(not(feature = "gpu"), expect(unused_mut, reason = "no more than the levels"))]
    let mut devices: Vec<_> = support::levels().into_iter().map(level).collect();
    #[cfg(feature = "gpu")]
    for limbs in [sigmill::backend::gpu::Limbs::U64, sigmill::backend::gpu::Limbs::U32] {
        let device = |engine| Device { name: format!("gpu {limbs:?}"), engine, runs: gpu_runs() };
        devices.extend(support::one_gpu(limbs).map(device));
    }
    devices
}

fn random() -> StdRng {
    let seed = std::env::var("SIGMILL_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    println!("SIGMILL_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

type Words = [u64; 4];

/// A number whose limbs, in one of the widths in use, are zeros, ones or random.
fn biased(random: &mut StdRng) -> [u8; 32] {
    let width = [13, 26, 52, 64][random.random_range(0..4)];
    let mut bytes = [0; 32];
    let mut kind = 0;
    for bit in 0..256 {
        if bit % width == 0 {
            kind = random.random_range(0..4);
        }
        let set = match kind {
            0 => false,
            1 => true,
            _ => random.random(),
        };
        bytes[31 - bit / 8] |= u8::from(set) << (bit % 8);
    }
    bytes
}

/// Numbers at the borders of the ranges.
fn edge(random: &mut StdRng) -> [u8; 32] {
    let small = [random.random_range(0..4), 0, 0, 0];
    let half = sigmill::algorithms::secp256k1::integer::HALF_N;
    let p = sigmill::algorithms::secp256k1::integer::P;
    let wrap = sigmill::algorithms::secp256k1::integer::P_MINUS_N;
    let from = [[0; 4], N, half, p, wrap][random.random_range(0..5)];
    to_be(&if random.random() {
        sub(&from, &small).0
    } else {
        sub(&from, &sub(&[0; 4], &small).0).0
    })
}

/// A walk through keys and nonces: secret, nonce and their points.
struct Walk {
    secret: Words,
    nonce: Words,
    key: PublicKey,
    point: PublicKey,
    step: Words,
    step_point: PublicKey,
}

fn public(secret: &Words) -> PublicKey {
    let secret = secp256k1::SecretKey::from_secret_bytes(to_be(secret)).expect("in range");
    PublicKey::from_secret_key(&secret)
}

impl Walk {
    fn new(random: &mut StdRng) -> Self {
        let mut next = || -> Words {
            let mut words: Words = core::array::from_fn(|_| random.random());
            words[3] >>= 1;
            words
        };
        let (secret, nonce, step) = (next(), next(), next());
        let (key, point, step_point) = (public(&secret), public(&nonce), public(&step));
        Walk { secret, nonce, key, point, step, step_point }
    }

    fn go(&mut self) {
        let add = |a: &Words, b: &Words| scalar::negate(&minus(&scalar::negate(a), b));
        (self.secret, self.nonce) = (add(&self.secret, &self.step), add(&self.nonce, &self.step));
        self.key = self.key.combine(&self.step_point).expect("no walk comes by its opposite");
        self.point = self.point.combine(&self.step_point).expect("likewise");
    }

    /// An ECDSA signature over `message`, and the parity of R's y.
    fn sign(&self, message: &[u8; 32]) -> ([u8; 64], u8) {
        let point = self.point.serialize();
        let r = reduce(from_be(point[1..].try_into().expect("32 bytes")));
        let z = reduce(from_be(message));
        let sum = minus(&z, &scalar::negate(&scalar::mul(&r, &self.secret)));
        let s = scalar::mul(&sum, &scalar::invert(&self.nonce));
        (join(&to_be(&r), &to_be(&s)), point[0] & 1)
    }

    /// A BIP 340 signature over `message`.
    fn sign_bip_340(&self, message: &[u8]) -> [u8; 64] {
        let (point, key) = (self.point.serialize(), self.key.serialize());
        let even = |bytes: &[u8; 33], k: &Words| {
            if bytes[0] == 3 { scalar::negate(k) } else { *k }
        };
        let e = sigmill::algorithms::sha256::tagged(
            "BIP0340/challenge",
            &[&point[1..], &key[1..], message],
        );
        let product = scalar::mul(&reduce(from_be(&e)), &even(&key, &self.secret));
        let s = minus(&even(&point, &self.nonce), &scalar::negate(&product));
        join(point[1..].try_into().expect("32 bytes"), &to_be(&s))
    }
}

fn reduce(words: Words) -> Words {
    sigmill::algorithms::secp256k1::integer::reduce_n(words)
}

/// a - b mod n.
fn minus(a: &Words, b: &Words) -> Words {
    let (difference, borrow) = sub(a, b);
    if borrow {
        sigmill::algorithms::secp256k1::integer::add(&difference, &N).0
    } else {
        difference
    }
}

fn join(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    [*r, *s].as_flattened().try_into().expect("64 bytes")
}

/// Turns one bit over, in every second item.
fn spoil(random: &mut StdRng, fields: &mut [Vec<u8>]) {
    if random.random() {
        let field = random.random_range(0..fields.len());
        let field = &mut fields[field];
        let at = random.random_range(0..field.len());
        field[at] ^= 1 << random.random_range(0..8);
    }
}

/// Runs batches of one algorithm: ours against `theirs`, item by item.
fn compare(
    engines: &[Device],
    random: &mut StdRng,
    algorithm: Algorithm,
    runs: usize,
    mut next: impl FnMut(&mut StdRng) -> Owned,
    theirs: impl Fn(&Owned) -> Option<Vec<u8>>,
) {
    let (mut done, mut valid) = (0, 0);
    while done < runs {
        let size = BATCH - random.random_range(0..9);
        let jobs: Vec<_> = (0..size).map(|_| next(random)).collect();
        let batch = batch(algorithm, &jobs);
        let answers = answer(&engines[0].engine, batch.clone());
        for Device { name, engine, runs: most } in &engines[1..] {
            // Those with fewer runs take part in a share of the batches, from first to last.
            let share = runs.div_ceil((*most).max(1));
            if (done / BATCH).is_multiple_of(share) {
                assert!(answer(engine, batch.clone()) == answers, "{algorithm}: {name} differs");
            }
        }
        for (job, outcome) in jobs.iter().zip(answers.iter()) {
            let expected = theirs(job);
            assert_eq!(accepted(outcome), expected.is_some(), "{algorithm}: {job:02x?}");
            if let (Outcome::Key(key), Some(expected)) = (outcome, &expected) {
                assert_eq!(key[..], expected[..], "{algorithm}: {job:02x?}");
            }
            valid += usize::from(expected.is_some());
        }
        if (done / BATCH).is_multiple_of(REFEREE_SHARE) {
            assert_eq!(referee::disagreement(&batch, &answers), None);
        }
        done += size;
    }
    for Device { name, engine, .. } in engines {
        let snapshot = engine.snapshot();
        let items: u64 = snapshot.devices.iter().map(|device| device.items).sum();
        let faults: u64 = snapshot.devices.iter().map(|device| device.faults).sum();
        println!("{name}: {items} items so far");
        assert_eq!(faults, 0, "{name}");
    }
    println!("{algorithm}: {done} runs, {valid} valid");
    assert!(valid > done / 20 && valid < done - done / 20, "both kinds must come up");
}

fn verify(rule: EcdsaRule, job: &Owned) -> Option<Vec<u8>> {
    let [message, signature, key] = &job.0[..] else { panic!("three fields") };
    let mut parsed = match rule {
        EcdsaRule::Compact | EcdsaRule::CompactLowS => ecdsa::Signature::from_compact(signature),
        EcdsaRule::BitcoinLax => ecdsa::Signature::from_der_lax(signature),
        _ => ecdsa::Signature::from_der(signature),
    }
    .ok()?;
    let given = parsed;
    parsed.normalize_s();
    let low = matches!(rule, EcdsaRule::BitcoinPolicy | EcdsaRule::CompactLowS);
    if low && given != parsed {
        return None;
    }
    let hybrid = matches!(rule, EcdsaRule::BitcoinLax | EcdsaRule::BitcoinStrict);
    if !hybrid && matches!(key.first(), Some(6 | 7)) {
        return None;
    }
    let key = PublicKey::from_slice(key).ok()?;
    let message = Message::from_digest(message[..].try_into().expect("32 bytes"));
    parsed.verify(message, &key).ok().map(|()| Vec::new())
}

#[test]
fn ecdsa_under_every_rule() {
    let engines = devices();
    let mut random = random();
    for rule in [
        EcdsaRule::Compact,
        EcdsaRule::CompactLowS,
        EcdsaRule::BitcoinStrict,
        EcdsaRule::BitcoinPolicy,
        EcdsaRule::BitcoinLax,
    ] {
        let mut walk = Walk::new(&mut random);
        let next = |random: &mut StdRng| {
            walk.go();
            let message = if random.random() { biased(random) } else { random.random() };
            let compact = walk.sign(&message).0;
            let signature = match rule {
                EcdsaRule::Compact | EcdsaRule::CompactLowS => compact.to_vec(),
                _ => ecdsa::Signature::from_compact(&compact)
                    .expect("valid")
                    .serialize_der()
                    .to_vec(),
            };
            let key = match random.random_range(0..4) {
                0 => walk.key.serialize_uncompressed().to_vec(),
                1 => {
                    let mut key = walk.key.serialize_uncompressed().to_vec();
                    key[0] = 6 | key[64] & 1;
                    key
                }
                _ => walk.key.serialize().to_vec(),
            };
            let mut fields = vec![message.to_vec(), signature, key];
            spoil(random, &mut fields);
            Owned(fields)
        };
        let algorithm = Algorithm::EcdsaSecp256k1(rule);
        compare(&engines, &mut random, algorithm, runs() / 5, next, |job| verify(rule, job));
    }
}

/// r, s, z and the key's x at borders and biased; valid ones are built by recovering the key.
#[test]
fn ecdsa_on_biased_operands() {
    let engines = devices();
    let mut random = random();
    let next = |random: &mut StdRng| loop {
        let mut number =
            || if random.random_range(0..4) == 0 { edge(random) } else { biased(random) };
        let (message, r, s) = (number(), number(), number());
        let signature = join(&r, &s);
        let id = ecdsa::RecoveryId::from_u8_masked(random.random_range(0..4));
        let recovered = ecdsa::RecoverableSignature::from_compact(&signature, id)
            .and_then(|signature| signature.recover(Message::from_digest(message)));
        let key = match recovered {
            Ok(key) => key.serialize().to_vec(),
            Err(_) if random.random_range(0..4) == 0 => [&[2][..], &biased(random)].concat(),
            Err(_) => continue,
        };
        let mut fields = vec![message.to_vec(), signature.to_vec(), key];
        spoil(random, &mut fields);
        break Owned(fields);
    };
    let algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);
    let theirs = |job: &Owned| verify(EcdsaRule::Compact, job);
    compare(&engines, &mut random, algorithm, runs(), next, theirs);
}

#[test]
fn bip_340() {
    let engines = devices();
    let mut random = random();
    let mut walk = Walk::new(&mut random);
    let next = |random: &mut StdRng| {
        walk.go();
        let length = [0, 1, 17, 32, 32, 100, 300][random.random_range(0..7)];
        let message: Vec<u8> = (0..length.max(1)).map(|_| random.random()).collect();
        let signature = walk.sign_bip_340(&message);
        let key = walk.key.serialize()[1..].to_vec();
        let mut fields = vec![message, signature.to_vec(), key];
        spoil(random, &mut fields);
        Owned(fields)
    };
    let theirs = |job: &Owned| {
        let key = XOnlyPublicKey::from_byte_array(job.0[2][..].try_into().expect("32")).ok()?;
        let signature = job.0[1][..].try_into().expect("64 bytes");
        let signature = schnorr::Signature::from_byte_array(signature);
        signature.verify(&job.0[0], &key).ok().map(|()| Vec::new())
    };
    compare(&engines, &mut random, Algorithm::SchnorrBip340, runs(), next, theirs);
}

#[test]
fn recovery() {
    let engines = devices();
    let mut random = random();
    let mut walk = Walk::new(&mut random);
    let next = |random: &mut StdRng| {
        walk.go();
        let message: [u8; 32] = if random.random() { biased(random) } else { random.random() };
        let (signature, parity) = match random.random_range(0..3) {
            0 => (join(&biased(random), &biased(random)), random.random_range(0..2)),
            1 => (join(&edge(random), &biased(random)), random.random_range(0..2)),
            _ => walk.sign(&message),
        };
        let mut fields = vec![message.to_vec(), [&signature[..], &[parity]].concat()];
        // The id, the last byte, stays.
        if random.random() {
            fields[1][random.random_range(0..64)] ^= 1 << random.random_range(0..8);
        }
        Owned(fields)
    };
    let theirs = |job: &Owned| {
        let id = ecdsa::RecoveryId::from_u8_masked(job.0[1][64]);
        let signature = ecdsa::RecoverableSignature::from_compact(&job.0[1][..64], id).ok()?;
        let message = Message::from_digest(job.0[0][..].try_into().expect("32 bytes"));
        let key = signature.recover(message).ok()?;
        Some(key.serialize_uncompressed()[1..].to_vec())
    };
    let algorithm = Algorithm::RecoverSecp256k1(RecoverRule::EthereumFrontier);
    compare(&engines, &mut random, algorithm, runs(), next, theirs);
}

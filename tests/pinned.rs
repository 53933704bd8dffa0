//! Keys pinned by an engine: verdicts equal those of the same jobs with their keys spelled out.

mod support;

use rand::{Rng, SeedableRng, rngs::StdRng};
use secp256k1::{Keypair, Message, PublicKey, SecretKey, ecdsa, schnorr};
use sigmill::error::{BatchError, PinError};
use sigmill::{Algorithm, Batch, EcdsaRule, Engine, Job, PinnedKeys, Terms};

use support::{answer, cpu, evidence};

const KEYS: usize = 128;

/// Keys of both parities and all encodings.
struct Signers {
    pairs: Vec<Keypair>,
    encoded: Vec<Vec<u8>>,
}

fn signers(random: &mut StdRng, count: usize) -> Signers {
    let mut signers = Signers { pairs: Vec::new(), encoded: Vec::new() };
    for i in 0..count {
        let secret = SecretKey::from_secret_bytes(random.random()).expect("in range");
        let key = PublicKey::from_secret_key(&secret);
        let compressed = key.serialize();
        signers.encoded.push(match i % 3 {
            0 => compressed.to_vec(),
            1 => key.serialize_uncompressed().to_vec(),
            // BIP 340's encoding stands for the even y.
            _ if compressed[0] == 2 => compressed[1..].to_vec(),
            _ => compressed.to_vec(),
        });
        signers.pairs.push(Keypair::from_secret_key(&secret));
    }
    signers
}

/// One job in both forms.
struct Item {
    message: [u8; 32],
    signature: Vec<u8>,
    key: u32,
}

fn items(random: &mut StdRng, signers: &Signers, algorithm: Algorithm, count: usize) -> Vec<Item> {
    let mut items = Vec::new();
    for i in 0..count {
        let mut message: [u8; 32] = random.random();
        let mut key = random.random_range(0..signers.pairs.len());
        let pair = &signers.pairs[key];
        let mut signature = match algorithm {
            Algorithm::SchnorrBip340 => {
                schnorr::sign_no_aux_rand(&message, pair).to_byte_array().to_vec()
            }
            Algorithm::EcdsaSecp256k1(rule) => {
                let secret = SecretKey::from_keypair(pair);
                let signature = ecdsa::sign(Message::from_digest(message), &secret);
                match rule {
                    EcdsaRule::Compact | EcdsaRule::CompactLowS => {
                        signature.serialize_compact().to_vec()
                    }
                    _ => signature.serialize_der().to_vec(),
                }
            }
            _ => unreachable!("two algorithms have keys"),
        };
        match i % 7 {
            1 => message[random.random_range(0..32)] ^= 1,
            2 => signature[20 + random.random_range(0..40)] ^= 1 << random.random_range(0..8),
            3 => key = (key + 1) % signers.pairs.len(),
            4 if i % 2 == 0 => signature[..32].fill(0xff),
            _ => {}
        }
        items.push(Item { message, signature, key: key as u32 });
    }
    items
}

fn pinned(algorithm: Algorithm, keys: &PinnedKeys, items: &[Item]) -> Batch {
    let mut batch = Batch::open_pinned(algorithm, keys).expect("it has keys");
    for Item { message, signature, key } in items {
        let job = match algorithm {
            Algorithm::SchnorrBip340 => {
                let signature = signature.as_slice().try_into().expect("64 bytes");
                Job::SchnorrPinned { message, signature, key: *key }
            }
            _ => Job::EcdsaPinned { message, signature, key: *key },
        };
        batch.push(job).expect("room");
    }
    batch.seal()
}

fn spelled_out(algorithm: Algorithm, keys: &PinnedKeys, items: &[Item]) -> Batch {
    let mut batch = Batch::open(algorithm);
    for Item { message, signature, key } in items {
        let key = keys.encoded(*key as usize).expect("there is such a key");
        let job = match algorithm {
            Algorithm::SchnorrBip340 => {
                let signature = signature.as_slice().try_into().expect("64 bytes");
                let x = key[1..33].try_into().expect("32 bytes");
                Job::Schnorr { message, signature, key: x }
            }
            _ => Job::Ecdsa { message, signature, key: &key },
        };
        batch.push(job).expect("room");
    }
    batch.seal()
}

#[test]
fn verdicts_equal_those_of_the_keys_spelled_out() {
    let mut random = StdRng::seed_from_u64(21);
    let signers = signers(&mut random, KEYS);
    let engine = cpu();
    let other = evidence();
    let keys = engine.pin(&signers.encoded).expect("keys");
    assert_eq!(keys.len(), KEYS);
    for algorithm in [
        Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinLax),
        Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinStrict),
        Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinPolicy),
        Algorithm::EcdsaSecp256k1(EcdsaRule::Compact),
        Algorithm::EcdsaSecp256k1(EcdsaRule::CompactLowS),
        Algorithm::SchnorrBip340,
    ] {
        let all = items(&mut random, &signers, algorithm, 1_500);
        for size in [0, 1, 2, 7, 8, 9, 33, 255, 257, 1_500] {
            let items = &all[..size];
            let expected = answer(&engine, spelled_out(algorithm, &keys, items));
            let found = answer(&engine, pinned(algorithm, &keys, items));
            assert_eq!(found, expected, "{algorithm}, {size} items");
            let here = engine.compute_here(pinned(algorithm, &keys, items)).into_answers();
            assert_eq!(here, expected, "{algorithm}, {size} items, on this thread");
            if size == 257 {
                // Another engine, and a device that knows no tables.
                let found = answer(&other, pinned(algorithm, &keys, items));
                assert_eq!(found, expected, "{algorithm}, by evidence");
            }
            if size == 1_500 {
                let valid = expected.iter().filter(|outcome| support::accepted(*outcome)).count();
                assert!((600..1_400).contains(&valid), "{algorithm}: {valid} are valid");
            }
        }
    }
}

#[test]
fn what_cannot_be_pinned_or_named_is_refused() {
    let mut random = StdRng::seed_from_u64(22);
    let signers = signers(&mut random, 3);
    let engine = Engine::builder().threads(1).open().expect("an engine");
    let mut encoded = signers.encoded.clone();
    for bad in [vec![], vec![2; 32], vec![0xff; 32], vec![5; 33], vec![4; 65], vec![2; 34]] {
        // x = 0x0202.. lies on no point, or does: then y decides nothing and the key is one.
        if secp256k1::XOnlyPublicKey::from_byte_array(*bad.first_chunk().unwrap_or(&[0; 32]))
            .is_ok()
            && bad.len() == 32
        {
            continue;
        }
        encoded.push(bad);
        assert_eq!(engine.pin(&encoded), Err(PinError::Key { index: 3 }));
        encoded.pop();
    }
    let keys = engine.pin(&encoded).expect("keys");
    let algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);
    let mut batch = Batch::open_pinned(algorithm, &keys).expect("it has keys");
    let job = |key| Job::EcdsaPinned { message: &[1; 32], signature: &[1; 64], key };
    assert_eq!(batch.push(job(3)), Err(BatchError::NoSuchKey { index: 3, keys: 3 }));
    assert_eq!(batch.push(job(2)), Ok(0));
    let spelled = Job::Ecdsa { message: &[1; 32], signature: &[1; 64], key: &[2; 33] };
    assert!(matches!(batch.push(spelled), Err(BatchError::WrongJob { .. })));
    let error = Batch::open_pinned(Algorithm::Sha256, &keys).expect_err("hashes have no keys");
    assert_eq!(error, BatchError::NotPinnable { algorithm: Algorithm::Sha256 });
    let none = engine.pin(&Vec::<Vec<u8>>::new()).expect("no keys are keys");
    assert!(none.is_empty() && none.bytes() == 0);
}

#[test]
fn the_budget_refuses_and_has_its_bytes_back() {
    let mut random = StdRng::seed_from_u64(23);
    let signers = signers(&mut random, 5);
    let key = PinnedKeys::KEY_BYTES;
    let engine = Engine::builder().threads(1).pinned_bytes(4 * key + 1).open().expect("an engine");
    let over = engine.pin(&signers.encoded);
    assert_eq!(over, Err(PinError::Budget { needed: 5 * key, free: 4 * key + 1 }));
    let three = engine.pin(&signers.encoded[..3]).expect("room");
    assert_eq!(three.bytes(), 3 * key);
    let two = engine.pin(&signers.encoded[3..]);
    assert_eq!(two, Err(PinError::Budget { needed: 2 * key, free: key + 1 }));
    let clone = three.clone();
    engine.unpin(three);
    assert!(engine.pin(&signers.encoded[3..]).is_err(), "a clone is left");
    drop(clone);
    let four = engine.pin(&signers.encoded[1..]).expect("all is free again");
    // A list with a bad key holds nothing.
    engine.unpin(four);
    assert_eq!(engine.pin(&[[9; 33]; 4]), Err(PinError::Key { index: 0 }));
    assert!(engine.pin(&signers.encoded[1..]).is_ok());
}

#[test]
fn batches_in_flight_outlive_the_handle() {
    let mut random = StdRng::seed_from_u64(24);
    let signers = signers(&mut random, 4);
    let key = PinnedKeys::KEY_BYTES;
    let engine = Engine::builder().threads(2).pinned_bytes(4 * key).open().expect("an engine");
    let keys = engine.pin(&signers.encoded).expect("room");
    let algorithm = Algorithm::SchnorrBip340;
    let items = items(&mut random, &signers, algorithm, 5_000);
    let expected = answer(&engine, spelled_out(algorithm, &keys, &items));
    let batch = pinned(algorithm, &keys, &items);
    let ticket = engine.submit(batch, Terms::default()).expect("room");
    engine.unpin(keys);
    let answered = ticket.wait();
    assert_eq!(*answered.answers(), expected);
    let free = engine.pin(&signers.encoded).is_ok();
    assert!(!free, "the answered batch still holds its keys");
    drop(answered);
    // The lane's own share goes within moments.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while engine.pin(&signers.encoded).is_err() {
        assert!(std::time::Instant::now() < until, "the budget was not given back");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

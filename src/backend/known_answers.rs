//! Known answers: what a backend has to get right before it becomes a device.
//!
//! Inputs and answers are constants, made by a big-integer program apart from this one. Near misses
//! differ from a valid item in one bit. Each set runs as one batch, and again rotated and repeated,
//! so that valid and invalid items stand at every position.

use crate::algorithm::{Algorithm, EcdsaRule, RecoverRule};
use crate::batch::{Batch, Job};
use crate::error::Fault;
use crate::verdict::{Answers, Outcome};

mod vectors;

use vectors::{DIGESTS, ECDSA, RECOVER, SCHNORR};

/// An answer to be expected.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    Valid,
    Invalid,
    Value(Vec<u8>),
    Done,
}

/// One job with its answer: the fields as [`push`] wants them.
#[derive(Clone, Debug)]
struct Known {
    what: &'static str,
    fields: Vec<Vec<u8>>,
    expected: Expected,
}

/// Runs the known answers of `algorithm` through `run`. Returns how many were right, or the first
/// that was not.
pub(crate) fn check(
    algorithm: Algorithm,
    run: &mut dyn FnMut(Batch) -> Result<Answers, Fault>,
) -> Result<usize, String> {
    let known = known(algorithm);
    let count = known.len();
    // Rotations put each item first and last; three rounds of all make an odd size past one piece
    // of lanes.
    let orders: [Vec<usize>; 3] = [
        (0..count).collect(),
        (0..count).map(|i| (i + count / 2) % count).collect(),
        (0..3 * count + 1).map(|i| (i * 5 + i / count) % count).collect(),
    ];
    let mut right = 0;
    for order in orders {
        let mut batch = Batch::open(algorithm);
        for &i in &order {
            push(&mut batch, &known[i]).map_err(|error| error.to_string())?;
        }
        let answers = run(batch.seal()).map_err(|fault| fault.to_string())?;
        if answers.len() != order.len() {
            return Err(format!("{} answers to {} jobs", answers.len(), order.len()));
        }
        for (position, (outcome, &i)) in answers.iter().zip(&order).enumerate() {
            let Known { what, expected, .. } = &known[i];
            if observed(outcome).as_ref() != Some(expected) {
                return Err(format!("{what}, at position {position}: {outcome:?}"));
            }
            right += 1;
        }
    }
    Ok(right)
}

fn observed(outcome: Outcome<'_>) -> Option<Expected> {
    Some(match outcome {
        Outcome::Verdict(verdict) if verdict.is_valid() => Expected::Valid,
        Outcome::Verdict(_) => Expected::Invalid,
        Outcome::Digest(digest) => Expected::Value(digest.to_vec()),
        Outcome::Key(key) => Expected::Value(key.to_vec()),
        Outcome::Done => Expected::Done,
        Outcome::Error(_) => return None,
    })
}

fn push(batch: &mut crate::OpenBatch, known: &Known) -> Result<usize, crate::error::BatchError> {
    let field = |index: usize| known.fields[index].as_slice();
    let exact = |index: usize| field(index).try_into().expect("the vectors have this length");
    let job = match batch.algorithm() {
        Algorithm::EcdsaSecp256k1(_) => {
            Job::Ecdsa { message: exact(0), signature: field(1), key: field(2) }
        }
        Algorithm::SchnorrBip340 => Job::Schnorr {
            message: field(0),
            signature: field(1).try_into().expect("64 bytes"),
            key: exact(2),
        },
        Algorithm::RecoverSecp256k1(RecoverRule::EcrecoverPrecompile) => {
            Job::Ecrecover { input: field(0) }
        }
        Algorithm::RecoverSecp256k1(_) => Job::Recover {
            message: exact(0),
            signature: field(1).try_into().expect("64 bytes"),
            recovery_id: field(2)[0],
        },
        Algorithm::Sha256 | Algorithm::Sha256d | Algorithm::Keccak256 => {
            Job::Hash { message: field(0) }
        }
        Algorithm::MerkleRootSha256d => Job::MerkleRoot { leaves: field(0).as_chunks().0 },
        Algorithm::MerkleProofSha256d => Job::MerkleProof {
            leaf: exact(0),
            index: u32::from(field(1)[0]),
            path: field(2).as_chunks().0,
            root: exact(3),
        },
        Algorithm::Null => Job::Null,
    };
    batch.push(job)
}

fn known(algorithm: Algorithm) -> Vec<Known> {
    match algorithm {
        Algorithm::EcdsaSecp256k1(rule) => ecdsa(rule),
        Algorithm::SchnorrBip340 => SCHNORR
            .iter()
            .map(|v| {
                let signature = [unhex(v.r), unhex(v.s)].concat();
                let fields = vec![b"mill".to_vec(), signature, unhex(v.key)];
                Known { what: v.what, fields, expected: verdict(v.valid) }
            })
            .collect(),
        Algorithm::RecoverSecp256k1(rule) => recover(rule),
        Algorithm::Sha256 | Algorithm::Sha256d | Algorithm::Keccak256 => DIGESTS
            .iter()
            .filter(|v| v.algorithm == algorithm)
            .map(|v| Known {
                what: "a digest",
                fields: vec![message(v.bytes)],
                expected: Expected::Value(unhex(v.digest)),
            })
            .collect(),
        Algorithm::MerkleRootSha256d => (0..vectors::ROOTS.len())
            .map(|i| Known {
                what: "a root",
                fields: vec![leaves(i + 1).concat()],
                expected: Expected::Value(unhex(vectors::ROOTS[i])),
            })
            .collect(),
        Algorithm::MerkleProofSha256d => proofs(),
        Algorithm::Null => {
            vec![Known { what: "nothing", fields: Vec::new(), expected: Expected::Done }; 3]
        }
    }
}

fn ecdsa(rule: EcdsaRule) -> Vec<Known> {
    let der = !matches!(rule, EcdsaRule::Compact | EcdsaRule::CompactLowS);
    let low = matches!(rule, EcdsaRule::BitcoinPolicy | EcdsaRule::CompactLowS);
    let encode = |r: &[u8], s: &[u8]| if der { encode_der(r, s) } else { [r, s].concat() };
    let mut all: Vec<_> = ECDSA
        .iter()
        .map(|v| Known {
            what: v.what,
            fields: vec![unhex(v.z), encode(&unhex(v.r), &unhex(v.s)), unhex(v.key)],
            expected: verdict(v.valid),
        })
        .collect();
    let first = ECDSA[0];
    let [z, r, s, key] = [first.z, first.r, first.s, first.key].map(unhex);
    let high = unhex(vectors::HIGH_S);
    let mut add = |what, signature: Vec<u8>, key: &[u8], valid| {
        let fields = vec![z.clone(), signature, key.to_vec()];
        all.push(Known { what, fields, expected: verdict(valid) });
    };
    add("high s", encode(&r, &high), &key, !low);
    add("no signature", Vec::new(), &key, false);
    add("r is zero", encode(&[0; 32], &s), &key, false);
    add("s is the order", encode(&r, &unhex(vectors::ORDER)), &key, false);
    let full = unhex(vectors::FULL_KEY);
    add("key of 65 bytes", encode(&r, &s), &[&[4], &full[..]].concat(), true);
    let hybrid = [&[6 | full[63] & 1], &full[..]].concat();
    let takes_hybrid = matches!(rule, EcdsaRule::BitcoinLax | EcdsaRule::BitcoinStrict);
    add("hybrid key", encode(&r, &s), &hybrid, takes_hybrid);
    let wrong = [&[7 ^ full[63] & 1], &full[..]].concat();
    add("hybrid key of wrong parity", encode(&r, &s), &wrong, false);
    let mut off = [&[4], &full[..]].concat();
    off[64] ^= 1;
    add("key off the curve", encode(&r, &s), &off, false);
    let mut nowhere = [0; 33];
    (nowhere[0], nowhere[32]) = (2, 5);
    add("x on no point", encode(&r, &s), &nowhere, false);
    if der {
        let mut trailing = encode(&r, &s);
        trailing.push(0);
        add("a byte too many", trailing, &key, rule == EcdsaRule::BitcoinLax);
    } else {
        add("a byte too few", encode(&r, &s)[..63].to_vec(), &key, false);
    }
    all
}

fn recover(rule: RecoverRule) -> Vec<Known> {
    let frontier = rule != RecoverRule::EthereumTransaction;
    RECOVER
        .iter()
        .map(|v| {
            let [z, r, s] = [v.z, v.r, v.s].map(unhex);
            let fields = if rule == RecoverRule::EcrecoverPrecompile {
                let mut word = [0; 32];
                word[31] = 27 + v.parity;
                vec![[&z[..], &word, &r, &s].concat()]
            } else {
                vec![z, [r, s].concat(), vec![v.parity]]
            };
            let found = !v.key.is_empty() && (frontier || !v.high);
            let key = || Expected::Value(unhex(v.key));
            let expected = if found { key() } else { Expected::Invalid };
            Known { what: v.what, fields, expected }
        })
        .collect()
}

fn proofs() -> Vec<Known> {
    let leaves = leaves(5);
    let root = unhex(vectors::ROOTS[4]);
    // Leaf 4 stands alone at the end: its siblings are itself, its parent's double, and the rest.
    let path: Vec<u8> = vectors::PATH_OF_LEAF_4_OF_5.iter().flat_map(|node| unhex(node)).collect();
    let mut spoiled = path.clone();
    spoiled[40] ^= 4;
    let proof = |what, leaf: usize, index: u8, path: &[u8], valid| {
        let fields = vec![leaves[leaf].clone(), vec![index], path.to_vec(), root.clone()];
        Known { what, fields, expected: verdict(valid) }
    };
    vec![
        proof("a proof", 4, 4, &path, true),
        proof("a spoiled path", 4, 4, &spoiled, false),
        proof("another index", 4, 0, &path, false),
        proof("another leaf", 3, 4, &path, false),
        proof("an index past the tree", 4, 12, &path, false),
        proof("a short path", 4, 0, &path[..64], false),
    ]
}

fn verdict(valid: bool) -> Expected {
    if valid { Expected::Valid } else { Expected::Invalid }
}

/// DER of two positive integers of 32 bytes, as short as BIP 66 wants it.
fn encode_der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count().min(31);
        let digits = &bytes[zeros..];
        let pad: &[u8] = if digits[0] & 0x80 != 0 { &[0] } else { &[] };
        [&[2, (pad.len() + digits.len()) as u8], pad, digits].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [&[0x30, body.len() as u8], &body[..]].concat()
}

/// The message of a digest vector: byte i is 7 i + 3 mod 256.
fn message(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (7 * i + 3) as u8).collect()
}

/// Leaf i is 32 bytes of i + 1.
fn leaves(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| vec![i as u8 + 1; 32]).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).expect("vectors are hex") as u8;
    text.as_bytes().as_chunks::<2>().0.iter().map(|&[a, b]| digit(a) << 4 | digit(b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu;
    use crate::dispatch::judge;
    use crate::parsed::Parsed;
    use crate::verdict::{Evidence, State, Verdict};

    fn portable(batch: Batch) -> Result<Answers, Fault> {
        let parsed = Parsed::parse(batch);
        let mut evidence = Evidence::for_cpu(parsed.algorithm());
        cpu::compute(cpu::Kernels::PORTABLE, &parsed, &mut evidence);
        let mut answers = Answers::new(parsed.algorithm());
        judge::judge_all(&parsed, true, None, &evidence, &mut answers)?;
        Ok(answers)
    }

    #[test]
    fn the_portable_kernels_know_them_all() {
        for algorithm in Algorithm::ALL {
            let right = check(algorithm, &mut portable);
            assert!(right.as_ref().is_ok_and(|&n| n > 15), "{algorithm}: {right:?}");
        }
    }

    /// Each known answer can fail: one job answered otherwise is found out.
    #[test]
    fn one_wrong_answer_is_found() {
        for algorithm in Algorithm::ALL {
            for wrong in 0..known(algorithm).len() {
                let mut lie = |batch: Batch| {
                    let mut answers = portable(batch)?;
                    let at = answers.states.len() - 1 - wrong;
                    match answers.states[at] {
                        State::Verdict(Verdict::Valid) | State::Computed => {
                            let reason = crate::verdict::Reason::Equation;
                            answers.states[at] = State::Verdict(Verdict::Invalid(reason));
                        }
                        _ => answers.states[at] = State::Verdict(Verdict::Valid),
                    }
                    Ok(answers)
                };
                assert!(check(algorithm, &mut lie).is_err(), "{algorithm} {wrong}");
            }
        }
    }
}

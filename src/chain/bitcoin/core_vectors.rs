//! Bitcoin Core's vectors, as far as consensus and signatures go: scripts, transactions, hashes,
//! taproot.

use bitcoin::consensus::deserialize;
use bitcoin::hex::FromHex;
use bitcoin::opcodes::Opcode;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, absolute, transaction,
};
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::algorithm::{Algorithm, EcdsaRule};
use crate::batch::{Batch, Job};
use crate::verdict::Outcome;

use super::super::driver::{self, data};
use super::claims::{Claim, Claims, Standing};
use super::interpreter::{Passed, ScriptError};
use super::rules::Force;
use super::script::push_of;
use super::sighash::{Shared, legacy};
use super::spend::Spend;

fn vectors(name: &str) -> Option<Value> {
    let file = data(name)?.join("bitcoin/vectors").join(name);
    Some(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
}

fn hex(value: &Value) -> Vec<u8> {
    Vec::from_hex(value.as_str().unwrap()).unwrap()
}

/// Judges an input, asking the referee for its signatures.
fn judge(
    transaction: &Transaction,
    input: usize,
    outputs: &[TxOut],
    force: Force,
) -> Result<Passed, ScriptError> {
    let shared = Shared::default();
    let mut claims = Claims::default();
    loop {
        claims.begin();
        let (shared, all_known, claims_of) = (&shared, true, &mut claims);
        let mut spend =
            Spend { transaction, shared, input, outputs, all_known, force, claims: claims_of };
        let outcome = spend.judge();
        if !claims.assumed() {
            return outcome;
        }
        for claim in claims.take_asked() {
            let standing = answer(&claim, force);
            claims.settle(claim, standing);
        }
    }
}

fn answer(claim: &Claim, force: Force) -> Standing {
    let rule = if force.strict_der { EcdsaRule::BitcoinStrict } else { EcdsaRule::BitcoinLax };
    let (message, signature, key) = (&claim.message, &claim.signature[..], &claim.key[..]);
    let (algorithm, job) = if claim.schnorr {
        let (signature, key) = (signature.try_into().unwrap(), key.try_into().unwrap());
        (Algorithm::SchnorrBip340, Job::Schnorr { message, signature, key })
    } else {
        (Algorithm::EcdsaSecp256k1(rule), Job::Ecdsa { message, signature, key })
    };
    let mut batch = Batch::open(algorithm);
    batch.push(job).unwrap();
    match driver::judge(&batch.seal()).get(0) {
        Some(Outcome::Verdict(verdict)) => Standing::Settled(verdict),
        other => panic!("{other:?}"),
    }
}

/// The soft forks among `flags`; with those that they need.
fn force(flags: &str) -> Force {
    let has = |flag| flags.split(',').any(|part| part == flag);
    Force {
        script_hash: has("P2SH"),
        strict_der: has("DERSIG"),
        lock_time: has("CHECKLOCKTIMEVERIFY"),
        sequence: has("CHECKSEQUENCEVERIFY"),
        witness: has("WITNESS") && has("P2SH"),
        null_dummy: has("NULLDUMMY"),
        taproot: has("TAPROOT") && has("WITNESS"),
    }
}

/// Today's rules but for those that `flags` exclude.
fn force_without(flags: &str) -> Force {
    let not = force(flags);
    let has = |flag| flags.split(',').any(|part| part == flag);
    let script_hash = !not.script_hash;
    let witness = script_hash && !has("WITNESS");
    Force {
        script_hash,
        strict_der: !not.strict_der,
        lock_time: !not.lock_time,
        sequence: !not.sequence,
        witness,
        null_dummy: !not.null_dummy,
        taproot: witness && !has("TAPROOT"),
    }
}

/// Whether all flags are soft forks, so that a failure under them is one of consensus.
fn is_consensus(flags: &str) -> bool {
    const FORKS: [&str; 9] = [
        "",
        "NONE",
        "P2SH",
        "DERSIG",
        "CHECKLOCKTIMEVERIFY",
        "CHECKSEQUENCEVERIFY",
        "WITNESS",
        "NULLDUMMY",
        "TAPROOT",
    ];
    flags.split(',').all(|flag| FORKS.contains(&flag))
}

/// The script language of the vectors: numbers, 0x raw bytes, 'text', names without OP_.
fn assemble(text: &str) -> Vec<u8> {
    let mut script = Vec::new();
    for word in text.split_whitespace() {
        if let Some(digits) = word.strip_prefix("0x") {
            script.extend_from_slice(&Vec::from_hex(digits).unwrap());
        } else if let Some(text) = word.strip_prefix('\'') {
            script.extend_from_slice(&push_of(text.trim_end_matches('\'').as_bytes()));
        } else if let Ok(number) = word.parse::<i64>() {
            match number {
                -1 | 1..=16 => script.push((number + 0x50) as u8),
                _ => script.extend_from_slice(
                    &bitcoin::script::Builder::new().push_int(number).into_bytes(),
                ),
            }
        } else {
            let name = word.trim_start_matches("OP_");
            let name = match name {
                "CHECKLOCKTIMEVERIFY" | "NOP2" => "CLTV",
                "CHECKSEQUENCEVERIFY" | "NOP3" => "CSV",
                other => other,
            };
            let found =
                (0x4f..=0xba).find(|code| Opcode::from(*code).to_string() == format!("OP_{name}"));
            script.push(found.unwrap_or_else(|| panic!("no opcode {word}")));
        }
    }
    script
}

/// The transaction that the script vectors spend from, and the one that spends.
fn spending(
    sig: Vec<u8>,
    script: Vec<u8>,
    witness: Vec<Vec<u8>>,
    value: u64,
) -> (Transaction, TxOut) {
    let make = |previous_output, script_sig, witness, output| Transaction {
        version: transaction::Version::ONE,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn { previous_output, script_sig, sequence: Sequence::MAX, witness }],
        output: vec![output],
    };
    let value = Amount::from_sat(value);
    let output = TxOut { value, script_pubkey: ScriptBuf::from_bytes(script) };
    let first = ScriptBuf::from_bytes(vec![0, 0]);
    let credit = make(OutPoint::null(), first, Witness::new(), output.clone());
    let empty = TxOut { value, script_pubkey: ScriptBuf::new() };
    let point = OutPoint { txid: credit.compute_txid(), vout: 0 };
    let sig = ScriptBuf::from_bytes(sig);
    (make(point, sig, Witness::from_slice(&witness), empty), output)
}

#[test]
fn script_tests() {
    /// Failures of relay policy, which consensus does not know.
    const POLICY: [&str; 13] = [
        "DISCOURAGE_UPGRADABLE_NOPS",
        "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
        "SIG_PUSHONLY",
        "MINIMALDATA",
        "PUBKEYTYPE",
        "NULLFAIL",
        "SIG_HIGH_S",
        "SIG_HASHTYPE",
        "CLEANSTACK",
        "WITNESS_PUBKEYTYPE",
        "MINIMALIF",
        "SIG_DER",
        "SCRIPTNUM",
    ];
    let Some(cases) = vectors("script_tests.json") else { return };
    let (mut passed, mut failed) = (0, 0);
    for case in cases.as_array().unwrap() {
        let case = case.as_array().unwrap();
        if case.len() < 4 || case.iter().any(|part| part.to_string().contains('#')) {
            continue;
        }
        let (witness, rest) = match case[0].as_array() {
            Some(witness) => (witness.as_slice(), &case[1..]),
            None => (&[][..], &case[..]),
        };
        let text = |index: usize| rest[index].as_str().unwrap();
        let (flags, expected) = (text(2), text(3));
        let (items, value) = match witness.split_last() {
            Some((value, items)) => {
                (items.iter().map(hex).collect(), (value.as_f64().unwrap() * 1e8).round() as u64)
            }
            None => (Vec::new(), 0),
        };
        let (transaction, output) = spending(assemble(text(0)), assemble(text(1)), items, value);
        let outcome = judge(&transaction, 0, &[output], force(flags));
        if expected == "OK" {
            assert!(outcome.is_ok(), "{case:?}: {outcome:?}");
            passed += 1;
        } else if is_consensus(flags) || !POLICY.contains(&expected) {
            assert!(outcome.is_err(), "{case:?}: {outcome:?}");
            failed += 1;
        }
    }
    println!("script_tests: {passed} pass, {failed} fail");
    assert!(passed > 600 && failed > 300);
}

/// The outputs that a case of the transaction vectors spends, in input order.
fn outputs_of(case: &Value, transaction: &Transaction) -> Vec<TxOut> {
    let listed = case[0].as_array().unwrap();
    let find = |input: &TxIn| {
        let point = input.previous_output;
        let output = listed.iter().find(|output| {
            output[0].as_str() == Some(point.txid.to_string().as_str())
                && output[1].as_i64() == Some(i64::from(point.vout as i32))
        });
        let output = output.unwrap();
        let value = Amount::from_sat(output.get(3).map_or(0, |value| value.as_u64().unwrap()));
        TxOut { value, script_pubkey: assemble(output[2].as_str().unwrap()).into() }
    };
    transaction.input.iter().map(find).collect()
}

#[test]
fn transaction_tests() {
    for (name, valid) in [("tx_valid.json", true), ("tx_invalid.json", false)] {
        let Some(cases) = vectors(name) else { return };
        let mut count = 0;
        for case in cases.as_array().unwrap() {
            let Some(flags) = case.get(2).and_then(Value::as_str) else { continue };
            // A transaction that is malformed in itself is no matter of its scripts.
            if !valid && !is_consensus(flags) {
                continue;
            }
            let Ok(transaction) = deserialize::<Transaction>(&hex(&case[1])) else { continue };
            let outputs = outputs_of(case, &transaction);
            let force = if valid { force_without(flags) } else { force(flags) };
            let all = (0..transaction.input.len())
                .map(|input| judge(&transaction, input, &outputs, force))
                .collect::<Result<Vec<_>, _>>();
            assert_eq!(all.is_ok(), valid, "{case}: {all:?}");
            count += 1;
        }
        println!("{name}: {count} cases");
        assert!(count > 50);
    }
}

#[test]
fn legacy_hashes() {
    let Some(cases) = vectors("sighash.json") else { return };
    let mut count = 0;
    for case in cases.as_array().unwrap() {
        let Some(kind) = case.get(3).and_then(Value::as_i64) else { continue };
        let transaction: Transaction = deserialize(&hex(&case[0])).unwrap();
        let input = case[2].as_u64().unwrap() as usize;
        let mut hash = legacy(&transaction, input, &hex(&case[1]), kind as u32);
        hash.reverse();
        assert_eq!(hash.as_slice(), hex(&case[4]), "{case}");
        count += 1;
    }
    assert_eq!(count, 500);
}

#[test]
fn taproot_assets() {
    let Some(cases) = vectors("taproot_ref_even.json") else { return };
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in cases.as_object().unwrap() {
        let mut transaction: Transaction = deserialize(&hex(&case["tx"])).unwrap();
        let outputs: Vec<TxOut> = case["prevouts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|output| deserialize(&hex(output)).unwrap())
            .collect();
        let input = case["index"].as_u64().unwrap() as usize;
        let force = force(case["flags"].as_str().unwrap());
        for (side, good) in [("success", true), ("failure", false)] {
            let Some(side) = case.get(side).filter(|side| side.is_object()) else { continue };
            let witness: Vec<Vec<u8>> =
                side["witness"].as_array().unwrap().iter().map(hex).collect();
            transaction.input[input].script_sig = hex(&side["scriptSig"]).into();
            transaction.input[input].witness = Witness::from_slice(&witness);
            let outcome = judge(&transaction, input, &outputs, force);
            assert_eq!(outcome.is_ok(), good, "{name}: {} {outcome:?}", case["comment"]);
            *(if good { &mut passed } else { &mut failed }) += 1;
        }
    }
    println!("taproot: {passed} pass, {failed} fail");
    assert!(passed > 1000 && failed > 500);
}

#[test]
fn random_scripts_end() {
    let mut random = rand::rngs::StdRng::seed_from_u64(11);
    let mut script = |length: usize| -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            match random.random_range(0..4) {
                0 => bytes.extend_from_slice(&[1, random.random()]),
                1 => bytes.push(random.random_range(0x4f..=0x60)),
                // Flow control, signatures and lock times more often than by chance.
                2 => bytes.push(
                    [0x63, 0x64, 0x67, 0x68, 0xac, 0xae, 0xb1, 0xb2, 0xba]
                        [random.random_range(0..9)],
                ),
                _ => bytes.push(random.random_range(0x61..=0xbb)),
            }
        }
        bytes
    };
    let mut passed = 0;
    for round in 0..30_000 {
        let (sig, output) = (script(round % 30), script(round % 17));
        let (transaction, mut output) = spending(sig, output, Vec::new(), 5);
        passed += usize::from(
            judge(&transaction, 0, std::slice::from_ref(&output), Force::TODAY).is_ok(),
        );
        // The same as a witness script of version 0.
        let inner = output.script_pubkey.to_bytes();
        output.script_pubkey = ScriptBuf::new_p2wsh(&output.script_pubkey.wscript_hash());
        let items = vec![vec![1], Vec::new(), vec![2], inner];
        let (transaction, output) =
            spending(Vec::new(), output.script_pubkey.into_bytes(), items, 5);
        passed += usize::from(judge(&transaction, 0, &[output], Force::TODAY).is_ok());
    }
    println!("{passed} random scripts pass");
    assert!(passed > 100);
}

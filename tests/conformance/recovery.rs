//! Public-key recovery.

use sigmill::algorithms::keccak256::address;
use sigmill::{Algorithm, Engine, Outcome, RecoverRule};

use super::support::{Owned, answer, batch, data, unhex};

/// Every sender of 61 real blocks, under the rule of its block's time.
pub fn recovery_records(engine: &Engine) {
    records(engine, 1);
}

/// One of 20 of them.
pub fn some_recovery_records(engine: &Engine) {
    records(engine, 20);
}

fn records(engine: &Engine, every: usize) {
    let Some(folder) = data("recovery records") else { return };
    let bytes = std::fs::read(folder.join("ethereum/blocks.ethrcv")).expect("a file");
    let (records, _) = bytes[16..].as_chunks::<160>();
    assert_eq!(records.len(), 14_686);
    let block = |record: &[u8; 160]| u32::from_le_bytes(record[152..156].try_into().expect("4"));
    for rule in [RecoverRule::EthereumFrontier, RecoverRule::EthereumTransaction] {
        let frontier = rule == RecoverRule::EthereumFrontier;
        let of_rule = records.iter().filter(|record| (block(record) < 1_150_000) == frontier);
        let chosen: Vec<_> = of_rule.step_by(every).collect();
        let job = |record: &&[u8; 160]| {
            let mut signature = record[36..100].to_vec();
            signature.push(record[0]);
            Owned(vec![record[4..36].to_vec(), signature])
        };
        let jobs: Vec<_> = chosen.iter().map(job).collect();
        let answers = answer(engine, batch(Algorithm::RecoverSecp256k1(rule), &jobs));
        for (index, (outcome, record)) in answers.iter().zip(&chosen).enumerate() {
            let Outcome::Key(key) = outcome else { panic!("record {index}: {outcome:?}") };
            assert_eq!(address(key), record[100..120], "record {index}");
        }
        // High s, which the old rule takes, is refused by the new one.
        if frontier && every == 1 {
            let rule = Algorithm::RecoverSecp256k1(RecoverRule::EthereumTransaction);
            let refused = answer(engine, batch(rule, &jobs));
            let refused = refused.iter().filter(|o| matches!(o, Outcome::Verdict(_))).count();
            assert_eq!(refused, 4);
        }
    }
}

/// The precompile's vectors, and inputs shorter and longer than a call's 128 bytes.
pub fn precompile(engine: &Engine) {
    let Some(folder) = data("ecrecover vectors") else { return };
    let text = std::fs::read_to_string(folder.join("ethereum/precompiles/ecRecover.json"));
    let list: serde_json::Value = serde_json::from_str(&text.expect("a file")).expect("JSON");
    let mut jobs = Vec::new();
    let mut expected = Vec::new();
    for vector in list.as_array().expect("a list") {
        let input = unhex(vector["Input"].as_str().expect("text"));
        let output = unhex(vector["Expected"].as_str().expect("text"));
        for changed in [[&input[..], &[7; 9]].concat(), input.clone()] {
            jobs.push(Owned(vec![changed]));
            expected.push(output.clone());
        }
    }
    for short in [0, 1, 31, 32, 64, 127] {
        jobs.push(Owned(vec![vec![0x1b; short]]));
        expected.push(Vec::new());
    }
    let rule = Algorithm::RecoverSecp256k1(RecoverRule::EcrecoverPrecompile);
    for (index, outcome) in answer(engine, batch(rule, &jobs)).iter().enumerate() {
        let output = match outcome {
            Outcome::Key(key) => [&[0; 12][..], &address(key)].concat(),
            Outcome::Verdict(_) => Vec::new(),
            other => panic!("{other:?}"),
        };
        assert_eq!(output, expected[index], "input {index}");
    }
    assert!(expected.iter().any(|output| !output.is_empty()));
}

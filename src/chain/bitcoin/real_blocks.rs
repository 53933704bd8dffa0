//! Real blocks against what is known of them, and blocks that somebody changed.

use super::super::Report;
use super::super::referee::{data, drive};
use super::{BlockCheck, Rules};
use std::path::Path;

/// A block's bytes and its spent outputs.
type Files = (Vec<u8>, Option<Vec<u8>>);

fn read(data: &Path, name: &str) -> Files {
    if name == "block702861" {
        return (bitcoin_test_data::blocks::mainnet_702861().to_vec(), None);
    }
    let folder = data.join("bitcoin");
    let block = std::fs::read(folder.join(format!("{name}.raw"))).unwrap();
    (block, std::fs::read(folder.join(format!("{name}.prevouts.bin"))).ok())
}

fn check((block, prevouts): &Files) -> Report {
    drive(&mut BlockCheck::new(block, prevouts.as_deref(), Rules::default()).unwrap())
}

#[test]
fn every_block_is_as_expected() {
    let Some(data) = data("Bitcoin blocks") else { return };
    let expected = std::fs::read(data.join("bitcoin/EXPECTED.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let blocks = expected["blocks"].as_object().unwrap();
    assert_eq!(blocks.len(), 11);
    for (name, expected) in blocks {
        let report = check(&read(&data, name));
        println!("{name}: {}", serde_json::to_string(&report).unwrap());
        let number = |field: &str| expected[field].as_u64().unwrap();
        assert!(report.ok, "{name}: {:?}", report.findings);
        assert_eq!(report.hash.as_deref(), expected["hash"].as_str());
        let inputs = report.inputs.unwrap();
        let unresolved: u64 = inputs.unresolved.values().sum();
        assert_eq!(inputs.total, number("inputs"));
        assert_eq!((unresolved, inputs.failed), (number("unresolved_inputs"), 0), "{name}");
        assert_eq!(report.complete, unresolved == 0);
        let valid =
            |algorithm| report.by_algorithm.get(algorithm).map_or(0, |tally| tally.valid.unwrap());
        assert_eq!(valid("ecdsa-secp256k1"), number("ecdsa_valid"), "{name}");
        assert_eq!(valid("schnorr-bip340"), number("schnorr_valid"), "{name}");
        assert!(report.by_algorithm["ecdsa-secp256k1"].checked >= number("ecdsa_checks"));
    }
}

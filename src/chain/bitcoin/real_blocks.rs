//! Real blocks against what is known of them, and blocks that somebody changed.

use std::path::Path;

use bitcoin::consensus::{deserialize, serialize};
use bitcoin::{Block, TxIn, Witness};
use rand::{RngCore, SeedableRng};

use crate::error::ItemError;
use crate::verdict::{Answers, State};

use super::super::driver::{data, drive, judge};
use super::super::{Check, Report};
use super::{BlockCheck, Network, Rules};

/// A block's bytes and its spent outputs.
type Files = (Vec<u8>, Option<Vec<u8>>);

fn read(data: &Path, name: &str) -> Files {
    #[cfg(feature = "cli")]
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
        if cfg!(not(feature = "cli")) && name == "block702861" {
            println!("skipped: {name} comes with the feature `cli`");
            continue;
        }
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

fn parse(files: &Files) -> Block {
    deserialize(&files.0).unwrap()
}

/// The report on a changed block, with the spent outputs as they were.
fn recheck(block: &Block, files: &Files) -> Report {
    check(&(serialize(block), files.1.clone()))
}

/// Changes a bit of an item that stands in the scriptSig or in the witness.
fn change(input: &mut TxIn, item: &[u8], at: usize) {
    let find = |bytes: &[u8]| bytes.windows(item.len()).position(|window| window == item);
    let mut script = input.script_sig.to_bytes();
    if let Some(start) = find(&script) {
        script[start + at] ^= 0x10;
        input.script_sig = script.into();
        return;
    }
    let mut witness = input.witness.to_vec();
    let (changed, start) =
        witness.iter_mut().find_map(|bytes| find(bytes).map(|start| (bytes, start))).unwrap();
    changed[start + at] ^= 0x10;
    input.witness = Witness::from_slice(&witness);
}

/// Signatures and keys among the pushes and witness items of an input.
fn signatures_and_keys(input: &TxIn) -> Vec<Vec<u8>> {
    let mut items = super::script::pushes(input.script_sig.as_bytes()).unwrap();
    items.extend(input.witness.to_vec());
    items.into_iter().filter(|item| matches!(item.len(), 33 | 64 | 70..=73)).collect()
}

/// What a machine without the data has: the sample, and the figures that are known of it.
#[cfg(feature = "cli")]
#[test]
fn the_built_in_block() {
    let report = check(&(bitcoin_test_data::blocks::mainnet_702861().to_vec(), None));
    assert!(report.ok && !report.complete);
    assert!(report.commitments.values().all(|holds| *holds == Some(true)));
    let inputs = report.inputs.unwrap();
    assert_eq!((inputs.total, inputs.verified + inputs.assumed), (6517, 2372));
    assert_eq!(inputs.unresolved, [("spent output unknown".to_owned(), 4145)].into());
    assert_eq!(report.signatures.valid, 3438);
}

#[test]
fn testnet_rules_know_testnet_blocks() {
    let Some(data) = data("testnet blocks") else { return };
    for (name, height) in [("block1087400", None), ("block928828", Some(928_828))] {
        let (block, prevouts) = read(&data, name);
        let rules = Rules { network: Network::Test, height };
        let report = drive(&mut BlockCheck::new(&block, prevouts.as_deref(), rules).unwrap());
        assert!(report.ok && report.complete);
    }
}

/// The rules of the height are the ones that judge: one block, before and after BIP 66 and taproot.
#[test]
fn the_height_decides() {
    let Some(data) = data("Bitcoin blocks") else { return };
    let run = |name, height| {
        let (block, prevouts) = read(&data, name);
        let rules = Rules { network: Network::Main, height: Some(height) };
        drive(&mut BlockCheck::new(&block, prevouts.as_deref(), rules).unwrap())
    };
    let report = run("block866342", 709_631);
    let unresolved = [("taproot before its activation".to_owned(), 2373)].into();
    assert_eq!(report.inputs.unwrap().unresolved, unresolved);
    assert!(report.ok && !report.by_algorithm.contains_key("schnorr-bip340"));
    for height in [363_724, 363_725] {
        assert!(run("block300025", height).complete);
    }
}

#[test]
fn every_changed_signature_and_key_is_named() {
    let Some(data) = data("changed Bitcoin blocks") else { return };
    for (name, step) in [("block757739", 3), ("block1087400", 17), ("block866342", 1999)] {
        let files = read(&data, name);
        let block = parse(&files);
        let inputs: Vec<(usize, usize)> = (1..block.txdata.len())
            .flat_map(|position| {
                (0..block.txdata[position].input.len()).map(move |i| (position, i))
            })
            .collect();
        for &(position, index) in inputs.iter().step_by(step) {
            let input = &block.txdata[position].input[index];
            for item in signatures_and_keys(input) {
                // In r, in s, in x; the last byte of a signature may be its hash type.
                for at in [item.len() / 4, item.len() - 3, item.len() - 1] {
                    let mut changed = block.clone();
                    change(&mut changed.txdata[position].input[index], &item, at);
                    let report = recheck(&changed, &files);
                    let start = format!("transaction {position} (");
                    let place = format!(") input {index}: ");
                    assert!(!report.ok);
                    assert!(
                        report
                            .findings
                            .iter()
                            .any(|finding| finding.starts_with(&start) && finding.contains(&place)),
                        "{name} {position} {index} {at}: {:?}",
                        report.findings
                    );
                    assert_eq!(report.inputs.unwrap().failed, 1, "{:?}", report.findings);
                    let broken = |commitment| report.commitments[commitment] == Some(false);
                    assert!(broken("merkle_root") || broken("witness"));
                }
            }
        }
    }
}

#[test]
fn a_changed_message_fails_what_signs_it() {
    let Some(data) = data("changed Bitcoin blocks") else { return };
    let files = read(&data, "block757739");
    let mut block = parse(&files);
    let value = block.txdata[5].output[0].value.to_sat();
    block.txdata[5].output[0].value = bitcoin::Amount::from_sat(value ^ 1);
    let report = recheck(&block, &files);
    assert_eq!(report.commitments["merkle_root"], Some(false));
    assert_eq!(report.inputs.unwrap().failed, block.txdata[5].input.len() as u64);
    assert!(
        report.findings.iter().any(|finding| finding.ends_with("signature invalid (equation)"))
    );
}

#[test]
fn every_input_of_a_changed_transaction_is_named() {
    let Some(data) = data("changed Bitcoin blocks") else { return };
    let files = read(&data, "block757739");
    let mut block = parse(&files);
    let inputs = |position: usize| block.txdata[position].input.len();
    let largest = (1..block.txdata.len()).max_by_key(|&position| inputs(position)).unwrap();
    let count = inputs(largest);
    let value = block.txdata[largest].output[0].value.to_sat();
    block.txdata[largest].output[0].value = bitcoin::Amount::from_sat(value ^ 1);
    let report = recheck(&block, &files);
    assert_eq!(report.inputs.unwrap().failed, count as u64);
    let start = format!("transaction {largest} (");
    let mut named = vec![0; count];
    for finding in report.findings.iter().filter(|finding| finding.starts_with(&start)) {
        let (_, list) = finding.split_once(") input").unwrap();
        let (list, _) = list.trim_start_matches('s').split_once(':').unwrap();
        for run in list.split(',') {
            let (first, last) = run.split_once(" to ").unwrap_or((run, run));
            let [first, last] = [first, last].map(|number| number.trim().parse().unwrap());
            (first..=last).for_each(|index: usize| named[index] += 1);
        }
    }
    assert!(named.iter().all(|times| *times == 1), "{:?}", report.findings);
}

#[test]
fn assumed_inputs_fail_as_well() {
    let Some(data) = data("changed Bitcoin blocks") else { return };
    let files = read(&data, "block482683");
    let block = parse(&files);
    for item in signatures_and_keys(&block.txdata[3].input[0]) {
        for at in [0, item.len() / 4] {
            let mut changed = block.clone();
            change(&mut changed.txdata[3].input[0], &item, at);
            let report = recheck(&changed, &files);
            assert_eq!(report.inputs.unwrap().failed, 1, "{:?}", report.findings);
            assert!(report.findings.last().unwrap().contains("signature invalid"));
        }
    }
}

#[test]
fn any_flipped_bit_is_seen() {
    let Some(data) = data("changed Bitcoin blocks") else { return };
    let files = read(&data, "block482683");
    for (index, at) in (0..files.0.len()).step_by(29).enumerate() {
        let mut flipped = files.clone();
        flipped.0[at] ^= 1 << (index % 8);
        // What does not read as a block any more is refused outright.
        if let Ok(mut check) = BlockCheck::new(&flipped.0, None, Rules::default()) {
            let report = drive(&mut check);
            assert!(!report.ok && !report.findings.is_empty(), "byte {at}");
            assert!(report.commitments.values().any(|holds| *holds == Some(false)), "byte {at}");
        }
    }
}

#[test]
fn a_repeated_end_of_the_list_is_seen() {
    let Some(data) = data("changed Bitcoin blocks") else { return };
    let files = read(&data, "block482683");
    let mut block = parse(&files);
    assert_eq!(block.txdata.len(), 12);
    // 12 leaves, 6, 3: the third node of the third level is hashed with itself.
    block.txdata.extend_from_within(8..);
    let root = block.compute_merkle_root();
    assert_eq!(root, Some(block.header.merkle_root));
    let report = recheck(&block, &files);
    assert_eq!(report.commitments["merkle_root"], Some(false));
    assert_eq!(report.findings[0], "merkle_root: transaction 12 is transaction 8 once more");
    assert!(report.inputs.unwrap().failed > 0);
}

#[test]
fn outputs_are_spent_once_and_exist() {
    let Some(data) = data("changed Bitcoin blocks") else { return };
    let files = read(&data, "block482683");
    let mut block = parse(&files);
    block.txdata[3].input[0].previous_output = block.txdata[2].input[0].previous_output;
    let maker = block.txdata[1].compute_txid();
    block.txdata[4].input[0].previous_output = bitcoin::OutPoint { txid: maker, vout: 9999 };
    let report = recheck(&block, &files);
    for end in ["it spends an output that the block spends before", "that its maker lacks"] {
        assert!(report.findings.iter().any(|finding| finding.ends_with(end)), "{end}");
    }
}

#[test]
fn witnesses_and_work_are_committed_to() {
    let Some(data) = data("changed Bitcoin blocks") else { return };
    let files = read(&data, "block757739");
    let mut block = parse(&files);
    block.header.nonce ^= 1;
    let report = recheck(&block, &files);
    assert_eq!(report.commitments["proof_of_work"], Some(false));
    assert_eq!((report.findings.len(), report.inputs.unwrap().failed), (1, 0));

    let mut block = parse(&files);
    block.txdata[0].input[0].witness = Witness::from_slice(&[[1; 32]]);
    let report = recheck(&block, &files);
    assert_eq!(report.commitments["witness"], Some(false));
    assert_eq!(report.commitments["merkle_root"], Some(true));

    block.txdata[0].input[0].witness = Witness::new();
    let report = recheck(&block, &files);
    assert_eq!(report.findings, ["witness: the coinbase has no reserved value"]);
    block.txdata[0].output.retain(|output| !output.script_pubkey.is_op_return());
    let report = recheck(&block, &files);
    assert!(report.findings[1].starts_with("witness: there is witness data"));
}

#[test]
fn wrong_files_are_refused() {
    let rules = Rules::default();
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    for length in [0, 1, 79, 80, 81, 100, 5000] {
        let mut bytes = vec![0; length];
        assert!(BlockCheck::new(&bytes, None, rules).is_err());
        for _ in 0..50 {
            random.fill_bytes(&mut bytes);
            assert!(BlockCheck::new(&bytes, None, rules).is_err());
        }
    }
    let Some(data) = data("truncated Bitcoin blocks") else { return };
    let (block, prevouts) = read(&data, "block757739");
    let prevouts = prevouts.unwrap();
    for length in (0..block.len()).step_by(97) {
        assert!(BlockCheck::new(&block[..length], None, rules).is_err());
    }
    for length in (0..prevouts.len()).step_by(97) {
        assert!(BlockCheck::new(&block, Some(&prevouts[..length]), rules).is_err());
    }
    let longer = [&block[..], &[0]].concat();
    assert!(BlockCheck::new(&longer, None, rules).is_err());
    // Random bytes in the middle either do not read, or are seen.
    for at in (80..block.len() - 40).step_by(997) {
        let mut bytes = block.clone();
        random.fill_bytes(&mut bytes[at..at + 40]);
        if let Ok(mut check) = BlockCheck::new(&bytes, Some(&prevouts), rules) {
            assert!(!drive(&mut check).ok);
        }
    }
}

#[test]
fn hex_reads_as_wire() {
    let Some(data) = data("Bitcoin blocks") else { return };
    let (block, prevouts) = read(&data, "block1087400");
    let digits: Vec<String> = block.iter().map(|byte| format!("{byte:02X}")).collect();
    let text = digits.chunks(30).map(|line| line.concat()).collect::<Vec<_>>().join("\r\n");
    let report = check(&(format!("{text}\n").into_bytes(), prevouts));
    assert!(report.ok && report.complete);
}

#[test]
fn no_answer_is_no_verdict() {
    let Some(data) = data("Bitcoin blocks") else { return };
    let (block, prevouts) = read(&data, "block757739");
    let open = || BlockCheck::new(&block, prevouts.as_deref(), Rules::default()).unwrap();
    let fail = |mut answers: Answers| {
        answers.states.fill(State::Error(ItemError::Deadline));
        answers
    };

    // The engine answers hashes and no signatures.
    let mut check = open();
    let mut answers = Vec::new();
    loop {
        let batches = check.round(&answers);
        if batches.is_empty() {
            break;
        }
        answers = batches.iter().map(judge).collect();
        for answers in answers.iter_mut().filter(|answers| answers.algorithm().value_bytes() == 0) {
            *answers = fail(answers.clone());
        }
    }
    let report = check.report();
    let inputs = report.inputs.unwrap();
    assert!(report.ok && !report.complete);
    assert_eq!((inputs.verified, inputs.failed), (0, 0));
    assert_eq!(inputs.unresolved, [("no answer: the deadline passed".to_owned(), 91)].into());
    assert!(report.commitments.values().all(|holds| *holds == Some(true)));

    // It answers nothing, or not even that.
    for silent in [false, true] {
        let mut check = open();
        let mut answers = Vec::new();
        loop {
            let batches = check.round(if silent { &[] } else { &answers });
            if batches.is_empty() {
                break;
            }
            answers = batches.iter().map(judge).map(fail).collect();
        }
        let report = check.report();
        assert!(report.ok && !report.complete && report.hash.is_none());
        assert_eq!(report.inputs.unwrap().verified, 0);
        assert!(report.commitments.values().all(Option::is_none));
    }
}

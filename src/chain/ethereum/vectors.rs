//! The chain's own transaction vectors: what reads, what it hashes to, who sent it, fork by fork.

use alloy_consensus::proofs::calculate_transaction_root;
use alloy_consensus::{Header, Transaction as _};
use alloy_primitives::{Address, B256, hex};
use serde_json::Value;

use super::check::BlockCheck;
use super::read::{Block, Stated, transaction};
use crate::chain::Report;
use crate::chain::driver::{data, drive};

/// Legal, and not read: prices above 128 bits, which no account can pay.
const TOO_DEAR: [&str; 2] = ["GasLimitPriceProductOverflowtMinusOne", "V_equals38"];

/// Checks a block of this one transaction, with its hash and sender so stated.
fn check(bytes: &[u8], number: u64, hash: B256, sender: Address) -> Report {
    let transactions = vec![transaction(bytes).expect("a transaction")];
    let transactions_root = calculate_transaction_root(&transactions);
    let header = Header { number, transactions_root, ..Header::default() };
    let stated = Stated { hash: header.hash_slow(), transactions: vec![(hash, sender)] };
    drive(&mut BlockCheck::of(Block { header, transactions, stated: Some(stated) }))
}

#[test]
fn transaction_tests() {
    let Some(folder) = data("transaction vectors") else { return };
    let (mut accepted, mut malformed, mut foreign) = (0, 0, 0);
    for entry in std::fs::read_dir(folder.join("ethereum/TransactionTests")).expect("a folder") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a file");
        let files: Value = serde_json::from_str(&text).expect("JSON");
        let cases = files.as_object().into_iter().flatten();
        for (name, case) in cases.flat_map(|(_, file)| file.as_object().into_iter().flatten()) {
            let bytes = hex::decode(case["txbytes"].as_str().expect("text")).expect("hex");
            let read = transaction(&bytes);
            for (fork, result) in case["result"].as_object().expect("forks") {
                let Some(why) = result["exception"].as_str() else {
                    if TOO_DEAR.contains(&name.as_str()) {
                        assert!(read.is_err(), "{name}");
                        continue;
                    }
                    let text = |member: &str| result[member].as_str().expect("text");
                    let hash = text("hash").parse().expect("a hash");
                    let sender = text("sender").parse().expect("an address");
                    let number = if fork == "Frontier" { 1 } else { 20_000_000 };
                    let report = check(&bytes, number, hash, sender);
                    assert!(report.ok && report.complete, "{name} {fork}: {:?}", report.findings);
                    accepted += 1;
                    continue;
                };
                // What else may be wrong is no matter of encoding or signature: gas, forks.
                match why.trim_start_matches("TransactionException.") {
                    why if why.starts_with("RLP_") || why.starts_with("ADDRESS_") => {
                        assert!(read.is_err(), "{name} {fork}: {why}");
                        malformed += 1;
                    }
                    "INVALID_CHAINID" => {
                        let chain = read.as_ref().map(|transaction| transaction.chain_id());
                        assert!(!matches!(chain, Ok(None | Some(1))), "{name} {fork}: {chain:?}");
                        foreign += 1;
                    }
                    _ => {}
                }
            }
        }
    }
    println!("{accepted} accepted, {malformed} malformed, {foreign} of another chain");
    assert!(accepted > 100 && malformed > 100 && foreign > 200);
}

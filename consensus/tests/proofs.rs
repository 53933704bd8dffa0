//! Proofs from a running validator, checked when it is gone.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use alloy_primitives::hex;
use serde_json::Value;
use sigmill_consensus::keys::AccountKey;
use sigmill_consensus::{Action, Address, Hash, Transaction};

mod home;

use home::{Home, PROGRAM};

/// What a run prints, and its exit code.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).current_dir(folder).args(arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!errors.contains("panicked"), "{errors}");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// What `verify-proof` says of each transaction.
fn verify(folder: &Path, code: i32, arguments: &[&str]) -> Vec<Value> {
    let (ended, text) = run(folder, &[&["verify-proof", "--json"], arguments].concat());
    assert_eq!(ended, Some(code), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_final_is_proved_without_a_validator() {
    let key = AccountKey::from_bytes(&[7; 32]).unwrap();
    let home = Home::new("proofs", vec![(key.address(), 1_000_000)]);
    let at = home.path();
    let running = home.start(None);
    assert!(running.ready);
    let chain = Hash::from(home.client.status().await.unwrap().chain);
    let action = |nonce: u64| match nonce % 2 {
        0 => Action::Transfer { to: Address::repeat_byte(9), amount: 5_000 + nonce },
        _ => Action::Record { namespace: [1; 32], digest: [nonce as u8; 32] },
    };
    let sign = |nonce| Transaction { chain, nonce, expiry: 100, action: action(nonce) }.sign(&key);
    let all: Vec<_> = (0..5).map(sign).collect();
    let bytes: Vec<_> = all.iter().flat_map(|one| one.encode()).collect();
    home.client.submit(bytes).await.unwrap();
    let mut files = Vec::new();
    for (nonce, one) in all.iter().enumerate() {
        let hash = one.hash().0;
        let receipt = loop {
            if let Some(receipt) = home.client.receipt(&hash).await.unwrap() {
                break receipt;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let (name, height) = (format!("{nonce}.proof"), receipt.height.to_string());
        let mut arguments = vec!["prove", "--url", home.client.url(), "--out", &name];
        if nonce > 2 {
            arguments.extend(["--height", &height]);
        }
        let hash = hex::encode(hash);
        arguments.push(&hash);
        let (code, said) = run(at, &arguments);
        assert_eq!(code, Some(0));
        assert!(said.contains(&format!("block {height}")), "{said}");
        assert_eq!(run(at, &arguments).0, Some(2), "it is not overwritten");
        files.push(name);
    }
    let hash = hex::encode([0; 32]);
    assert_eq!(run(at, &["prove", "--url", home.client.url(), &hash]).0, Some(1));
    drop(running);

    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let lines = verify(at, 0, &files);
    assert_eq!(lines.len(), 5);
    for (nonce, (line, one)) in lines.iter().zip(&all).enumerate() {
        let fact = &line["valid"];
        assert_eq!(fact["sender"], key.address().to_string());
        assert_eq!(fact["transaction"], hex::encode_prefixed(one.hash().0));
        match nonce % 2 {
            0 => assert_eq!(fact["amount"], (5_000 + nonce).to_string()),
            _ => assert_eq!(fact["digest"], hex::encode_prefixed([nonce as u8; 32])),
        }
    }
    let whole = std::fs::read(at.join("0.proof")).unwrap();
    assert!(whole.len() < 2_048, "{} bytes", whole.len());
    std::fs::write(at.join("cut.proof"), &whole[..whole.len() - 1]).unwrap();
    let mut altered = whole.clone();
    altered[60] ^= 1;
    std::fs::write(at.join("altered.proof"), &altered).unwrap();
    let mixed = ["cut.proof", "0.proof", "altered.proof", "0.proof", "1.proof"];
    let lines = verify(at, 1, &mixed);
    let name = |file: &str| -> Vec<_> {
        let of = lines.iter().filter(|line| line["file"] == file);
        of.map(|line| line["refused"]["name"].as_str()).collect()
    };
    assert_eq!(name("cut.proof"), [Some("Malformed")]);
    assert_eq!(name("altered.proof"), [Some("BadVote")]);
    assert_eq!(name("0.proof"), [None, Some("Replayed")]);
    assert_eq!(name("1.proof"), [None]);

    let other = Home::new("other", vec![(key.address(), 1_000_000)]);
    let genesis = other.path().join("genesis.toml");
    let lines = verify(at, 1, &["--trusted", genesis.to_str().unwrap(), "0.proof"]);
    assert_eq!(lines[0]["refused"]["name"], "WrongChain");
    assert_eq!(run(at, &["verify-proof", "none.proof"]).0, Some(2));
    assert_eq!(run(at, &["verify-proof", "--trusted", "none.toml", "0.proof"]).0, Some(2));
}

//! Proofs from a running validator, checked when it is gone.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use alloy_primitives::hex;
use serde_json::Value;
use sigmill_consensus::client::Client;
use sigmill_consensus::keys::AccountKey;
use sigmill_consensus::proof::{Checkpoint, StateProof, Subject};
use sigmill_consensus::{Action, Address, Genesis, Hash, Transaction};

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

/// Waits until all transactions of an account up to this one took effect.
async fn wait_for_nonce(client: &Client, address: &Address, nonce: u64) {
    while client.account(address).await.unwrap().is_none_or(|account| account.nonce < nonce) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_state_has_is_proved_without_a_validator() {
    let key = AccountKey::from_bytes(&[7; 32]).unwrap();
    let home = Home::new("state", vec![(key.address(), 1_000_000)]);
    let at = home.path();
    let running = home.start(None);
    assert!(running.ready);
    let chain = Hash::from(home.client.status().await.unwrap().chain);
    let mut namespace = [0; 32];
    namespace[..6].copy_from_slice(b"notary");
    let (to, digest) = (Address::repeat_byte(9), [3; 32]);
    let actions = [Action::Transfer { to, amount: 5_000 }, Action::Record { namespace, digest }];
    let all = (0..)
        .zip(actions)
        .map(|(nonce, action)| Transaction { chain, nonce, expiry: 100, action }.sign(&key));
    let all: Vec<_> = all.collect();
    let bytes: Vec<_> = all.iter().flat_map(|one| one.encode()).collect();
    home.client.submit(bytes).await.unwrap();
    wait_for_nonce(&home.client, &key.address(), 2).await;

    let url = home.client.url();
    let (from, digest_text) = (key.address().to_string(), hex::encode(digest));
    let to_text = to.to_string();
    let prove = |arguments: &[&str]| {
        let (code, said) = run(at, &[&["prove", "--url", url], arguments].concat());
        assert_eq!(code, Some(0), "{said}");
    };
    prove(&["--account", &from, "--out", "from.proof"]);
    prove(&["--account", &to_text, "--json", "--out", "to.json"]);
    prove(&["--record", "notary", &digest_text, "--out", "record.proof"]);
    prove(&["--record", "notary", &digest_text, "--json"]);
    prove(&["--json", "--out", "payment.json", &hex::encode(all[0].hash().0)]);
    let (_, help) = run(at, &["prove", "--help"]);
    assert!(help.contains("cannot be proved"));
    let nobody = Address::repeat_byte(0x55);
    let missing = [
        vec!["--account".into(), nobody.to_string()],
        vec!["--record".into(), "notary".into(), hex::encode([4; 32])],
    ];
    for arguments in missing {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let all = [&["prove", "--url", url], &arguments[..]].concat();
        assert_eq!(run(at, &all).0, Some(1), "{arguments:?}");
    }
    for wrong in [&["--account", "0x12"][..], &["--record", "notary", "12"]] {
        assert_eq!(run(at, &[&["prove", "--url", url], wrong].concat()).0, Some(2), "{wrong:?}");
    }
    // Questions that wait for the next block are answered together, and none keeps the others waiting.
    let (account, record) = (Subject::Account(to), Subject::Record { namespace, digest });
    let nobody = Subject::Account(nobody);
    let (one, two, three, status) = tokio::join!(
        home.client.state_proof(&account),
        home.client.state_proof(&record),
        home.client.state_proof(&nobody),
        home.client.status()
    );
    let [one, two] = [one, two].map(|proof| proof.unwrap().unwrap());
    assert_eq!((one.subject, two.subject), (account, record));
    assert!(three.unwrap().is_none() && status.is_ok());
    assert!(one.encode().len() < 2_048, "{} bytes", one.encode().len());
    drop(running);

    let json = format!("{digest_text}.json");
    let files = ["from.proof", "payment.json", "to.json", "record.proof", &json];
    let lines = verify(at, 0, &files);
    let order: Vec<_> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(order, files);
    let fact = |n: usize| &lines[n]["valid"];
    assert_eq!((&fact(0)["account"], &fact(0)["nonce"]), (&from.clone().into(), &2.into()));
    assert_eq!(fact(0)["balance"], "995000");
    assert_eq!(fact(1)["amount"], "5000");
    assert_eq!((&fact(2)["account"], &fact(2)["balance"]), (&to_text.into(), &"5000".into()));
    for n in [3, 4] {
        assert_eq!(fact(n)["digest"], hex::encode_prefixed(digest));
        assert_eq!(fact(n)["namespace"], hex::encode_prefixed(namespace));
        assert_eq!(fact(n)["author"], from);
        assert!(fact(n)["recorded"].as_u64().unwrap() <= fact(n)["height"].as_u64().unwrap());
    }

    // A higher balance, another's account, another state: all are refused.
    let bytes = std::fs::read(at.join("from.proof")).unwrap();
    let proof = StateProof::decode(&bytes).unwrap();
    let write = |name: &str, change: &dyn Fn(&mut StateProof)| {
        let mut other = proof.clone();
        change(&mut other);
        std::fs::write(at.join(name), other.encode()).unwrap();
    };
    write("rich", &|proof| proof.value[0] = 1);
    write("other", &|proof| proof.subject = account);
    write("state", &|proof| proof.block.header.state_root[0] ^= 1);
    write("none", &|proof| proof.opening.clear());
    write("same", &|_| ());
    std::fs::write(at.join("cut"), &bytes[..bytes.len() - 1]).unwrap();
    let lines = verify(at, 1, &["rich", "other", "state", "none", "same", "cut"]);
    let names: Vec<_> = lines.iter().map(|line| line["refused"]["name"].as_str()).collect();
    let wrong = Some("WrongState");
    assert_eq!(names, [wrong, wrong, Some("BadVote"), wrong, None, Some("Malformed")]);

    // A file of sets is trusted as a genesis is.
    let genesis = Genesis::read(&at.join("genesis.toml")).unwrap();
    let mut sets = Checkpoint::of(&genesis);
    std::fs::write(at.join("sets.toml"), sets.text()).unwrap();
    assert_eq!(verify(at, 0, &[&["--trusted", "sets.toml"], &files[..]].concat()).len(), 5);
    sets.sets[0].from = 1;
    std::fs::write(at.join("sets.toml"), sets.text()).unwrap();
    let lines = verify(at, 1, &["--trusted", "sets.toml", "same"]);
    assert_eq!(lines[0]["refused"]["name"], "UnknownEpoch");
    std::fs::write(at.join("sets.toml"), sets.text() + "other = 1\n").unwrap();
    assert_eq!(run(at, &["verify-proof", "--trusted", "sets.toml", "same"]).0, Some(2));
}

//! Proofs as JSON, and proofs of state in both forms.

use serde_json::{Value, json};

use super::*;

fn state_proofs() -> [StateProof; 2] {
    let block = Validators::new(4).prove(0, &[]).block;
    let account = Subject::Account(Address::repeat_byte(0xab));
    let record = Subject::Record { namespace: [1; 32], digest: [2; 32] };
    [(account, 0), (record, 77)].map(|(subject, bytes)| StateProof {
        block: block.clone(),
        subject,
        value: [9; 32],
        opening: vec![5; bytes],
    })
}

#[test]
fn both_forms_say_the_same() {
    let validators = Validators::new(11);
    let mut proof = validators.prove(5, &[0, 3, 4]);
    let child = Header { parent: proof.block.header.hash(), ..header(0, [0; 32]) };
    for _ in 0..2 {
        let json = proof.to_json();
        assert_eq!(Proof::from_json(json.as_bytes()).unwrap(), proof);
        assert_eq!(Evidence::read(json.as_bytes()).unwrap(), Evidence::Block(proof.clone()));
        assert_eq!(Evidence::read(&proof.encode()).unwrap(), Evidence::Block(proof.clone()));
        proof.block.descendants.push(child.clone());
    }
    for proof in state_proofs() {
        let (json, bytes) = (proof.to_json(), proof.encode());
        assert_eq!(StateProof::from_json(json.as_bytes()).unwrap(), proof);
        assert_eq!(StateProof::decode(&bytes), Ok(proof.clone()));
        assert_eq!(Evidence::read(json.as_bytes()).unwrap(), Evidence::State(proof.clone()));
        assert_eq!(Evidence::read(&bytes).unwrap(), Evidence::State(proof.clone()));
        for end in 0..bytes.len() {
            assert!(StateProof::decode(&bytes[..end]).is_err(), "{end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(StateProof::decode(&longer), Err(DecodeError::Trailing { bytes: 1 }));
        assert!(Proof::from_json(json.as_bytes()).is_err());
    }
}

#[test]
fn fields_have_the_names_of_the_specification() {
    let proof = Validators::new(4).prove(2, &[0, 1]);
    let json: Value = serde_json::from_str(&proof.to_json()).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&json), ["block", "tag", "transactions", "version"]);
    let block = ["headers", "parent_view", "signatures", "signers", "validators", "view"];
    assert_eq!(names(&json["block"]), block);
    assert_eq!(
        (&json["block"]["signers"], &json["block"]["validators"]),
        (&json!("0x07"), &json!(4))
    );
    let one = &json["transactions"][0];
    assert_eq!(names(one), ["index", "path", "transaction"]);
    let one = &one["transaction"];
    assert_eq!(names(one), ["chain", "expiry", "nonce", "payload", "r", "s", "v", "version"]);
    assert_eq!(one["payload"]["transfer"]["amount"], "1");
    let digest = &json["transactions"][1]["transaction"]["payload"]["record"]["digest"];
    assert_eq!(*digest, hex::encode_prefixed([1; 32]));
}

#[test]
fn what_no_encoder_writes_is_refused() {
    let proof = Validators::new(4).prove(3, &[0, 1]);
    let good: Value = serde_json::from_str(&proof.to_json()).unwrap();
    let refused = |at: &str, value: Value| {
        let mut json = good.clone();
        let (parent, name) = at.rsplit_once('/').unwrap();
        match json.pointer_mut(parent).unwrap() {
            Value::Array(list) => list.push(value),
            Value::Object(fields) => drop(fields.insert(name.into(), value)),
            other => panic!("{other}"),
        }
        let text = json.to_string();
        let error = Proof::from_json(text.as_bytes()).expect_err(at);
        assert!(Evidence::read(text.as_bytes()).is_err());
        error.to_string()
    };
    let word = json!(format!("0x{}", "11".repeat(32)));
    let transaction = "/transactions/0/transaction";
    for parent in ["", "/block", "/block/headers/0", "/transactions/0", transaction] {
        assert!(refused(&format!("{parent}/other"), json!(1)).contains("other"), "{parent}");
    }
    let transfer = format!("{transaction}/payload/transfer");
    assert!(refused(&format!("{transfer}/other"), json!(1)).contains("other"));
    for amount in [json!(1), json!("01"), json!("+1"), json!("18446744073709551616"), json!("")] {
        refused(&format!("{transfer}/amount"), amount);
    }
    for to in [json!("0xab"), json!("a".repeat(1 << 20)), json!(1)] {
        assert!(refused(&format!("{transfer}/to"), to).len() < 300);
    }
    refused(&format!("{transaction}/payload/other"), json!({}));
    assert!(refused(&format!("{transaction}/v"), json!(2)).contains("`v` is 2"));
    for r in [json!("11".repeat(32)), json!("0x11"), json!(format!("0x{}", "1g".repeat(32)))] {
        refused(&format!("{transaction}/r"), r);
    }
    for at in ["/version", "/block/headers/0/version", &format!("{transaction}/version")] {
        assert!(refused(at, json!(2)).contains("`version` is 2"), "{at}");
    }
    assert!(refused("/tag", json!("sigstate")).contains("tag"));
    assert!(refused("/transactions/0/path/-", word).contains("`path` has 3"));
    assert!(refused("/block/headers", json!([])).contains("`headers` has 0"));
    let many = vec![good["block"]["headers"][0].clone(); 257];
    assert!(refused("/block/headers", json!(many)).contains("`headers` has 257"));
    refused("/block/validators", json!(u32::MAX));
    assert!(refused("/block/validators", json!(9)).contains("`signers` has 1"));
    assert!(refused("/block/signers", json!("0x17")).contains("no bit beyond"));
    assert!(refused("/block/signers", json!("0x00")).contains("one signer or more"));
    assert!(refused("/block/signers", json!("0x0f")).contains("signature"));
    refused("/block/signers", json!("0x03"));
    assert!(refused("/block/headers/0/height", json!(-1)).contains("-1"));
    assert!(refused("/block/headers/0/proposer", json!(1_u64 << 32)).contains("4294967296"));

    let mut long = proof.to_json().into_bytes();
    long.resize(MOST_JSON_BYTES as usize + 1, b' ');
    assert!(matches!(Evidence::read(&long), Err(JsonError::Long { .. })));
    long.pop();
    assert!(Evidence::read(&long).is_ok());
    let long = vec![0; MOST_PROOF_BYTES as usize + 1];
    assert!(matches!(Evidence::read(&long), Err(JsonError::Long { .. })));
    let deep = format!("{{\"tag\": \"sigproof\", \"version\": {}", "[".repeat(1 << 20));
    assert!(matches!(Evidence::read(deep.as_bytes()), Err(JsonError::Syntax(_))));
}

#[test]
fn openings_are_bounded() {
    let [mut proof, _] = state_proofs();
    proof.opening = vec![1; MOST_OPENING_BYTES];
    let mut bytes = proof.encode();
    assert!(StateProof::decode(&bytes).is_ok());
    let at = bytes.len() - MOST_OPENING_BYTES - 2;
    bytes[at..at + 2].copy_from_slice(&u16::MAX.to_be_bytes());
    let limit = MOST_OPENING_BYTES as u64;
    let (field, value) = ("opening length", u16::MAX.into());
    assert_eq!(StateProof::decode(&bytes), Err(DecodeError::Limit { field, value, limit }));
    proof.opening.push(1);
    assert!(StateProof::from_json(proof.to_json().as_bytes()).is_err());
    bytes = state_proofs()[0].encode();
    let subject = bytes.len() - 2 - 32 - 20 - 1;
    bytes[subject] = 2;
    let error = StateProof::decode(&bytes).unwrap_err().to_string();
    assert!(error.contains("0 (account) or 1 (record)"), "{error}");
}

/// A database's proof has no place in these: whatever stands there is refused by name.
#[test]
fn no_bytes_are_an_opening_of_a_state_that_is_not_there() {
    let validators = Validators::new(4);
    let [account, record] = state_proofs();
    let mut unsigned = account.clone();
    unsigned.block.view += 1;
    let proofs = [account, record, unsigned];
    let judged = verify_states(&validators.engine, &validators.trusted, &proofs, Terms::default());
    let hash = proofs[0].block.header.hash();
    let wrong = (hash, Err(Refusal::WrongState));
    assert_eq!(judged, [wrong, wrong, (hash, Err(Refusal::BadVote))]);
}

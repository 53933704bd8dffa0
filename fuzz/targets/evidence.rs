//! Files of proofs, of both kinds and in both forms: what is read is read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill_consensus::proof::{Evidence, MOST_OPENING_BYTES, Proof, StateProof};

fuzz_target!(|bytes: &[u8]| {
    let json = bytes.first() == Some(&b'{');
    match Evidence::read(bytes) {
        Ok(Evidence::Block(proof)) => {
            let again = proof.encode();
            assert!(json || again == bytes);
            assert_eq!(Proof::decode(&again).as_ref(), Ok(&proof));
            assert_eq!(Proof::from_json(proof.to_json().as_bytes()).unwrap(), proof);
        }
        Ok(Evidence::State(proof)) => {
            let again = proof.encode();
            assert!(json || again == bytes);
            assert!(proof.opening.len() <= MOST_OPENING_BYTES);
            assert_eq!(StateProof::decode(&again).as_ref(), Ok(&proof));
            assert_eq!(StateProof::from_json(proof.to_json().as_bytes()).unwrap(), proof);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

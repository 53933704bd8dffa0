//! Proofs: what is read has one encoding, and takes no more memory than its bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill_consensus::proof::{Proof, depth};

fuzz_target!(|bytes: &[u8]| {
    let Ok(proof) = Proof::decode(bytes) else { return };
    assert_eq!(proof.encode(), bytes);
    let header = &proof.block.header;
    for included in &proof.transactions {
        assert_eq!(included.path.siblings().len(), depth(header.transactions));
    }
    assert_eq!(proof.block.certificate.signers.count(), proof.block.certificate.signatures.len());
});

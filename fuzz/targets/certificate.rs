//! Certificates and votes' signatures: what is read has one encoding, and as many signatures as signers.
//! The first byte gives the most validators.
#![no_main]

use commonware_codec::{Decode, DecodeExt, Encode, EncodeSize};
use libfuzzer_sys::fuzz_target;
use sigmill_consensus::scheme::{Certificate, VoteSignature};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(signature) = VoteSignature::decode(bytes.to_vec()) {
        assert_eq!(signature.0, bytes);
        assert_eq!(signature.encode(), bytes);
    }
    let Some((&most, bytes)) = bytes.split_first() else { return };
    for most in [usize::from(most), u32::MAX as usize] {
        let Ok(certificate) = Certificate::decode_cfg(bytes.to_vec(), &most) else { continue };
        assert_eq!(certificate.encode(), bytes);
        assert_eq!(certificate.encode_size(), bytes.len());
        let validators = certificate.signers.len();
        assert!(validators <= most && bytes.len() <= Certificate::most_bytes(validators as u32));
        assert_eq!(certificate.signers.count(), certificate.signatures.len());
        assert!(certificate.signers.iter().is_sorted_by(|one, next| one < next));
    }
});

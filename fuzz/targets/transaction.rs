//! Transactions, single and in lists: what is read has one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill_consensus::SignedTransaction;
use sigmill_consensus::transaction::{LONGEST, decode_list, encode_list};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(one) = SignedTransaction::decode(bytes) {
        assert_eq!(one.encode(), bytes);
        assert_eq!(one.encoded_bytes(), bytes.len());
        assert_eq!(decode_list(bytes), Ok(vec![one]));
    }
    if let Ok(all) = decode_list(bytes) {
        let encoded: Vec<_> = all.iter().map(SignedTransaction::encode).collect();
        assert_eq!(encoded.concat(), bytes);
        // In parts, as they travel.
        let parts = encode_list(&encoded, LONGEST);
        assert!(parts.iter().all(|part| part.len() <= LONGEST));
        let read: Vec<_> = parts.iter().flat_map(|part| decode_list(part).unwrap()).collect();
        assert_eq!(read, all);
    }
});

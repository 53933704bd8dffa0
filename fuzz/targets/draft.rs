//! Files of drafts that validators sign: what is written again is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill_consensus::decree::DraftFile;

fuzz_target!(|text: &str| match DraftFile::parse(text) {
    Ok(file) => {
        assert!(file.signed() <= file.signers.len());
        assert_eq!(DraftFile::parse(&file.text()).unwrap(), file);
    }
    Err(error) => assert!(!error.to_string().is_empty()),
});

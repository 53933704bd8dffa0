//! Files of sets of validators: what is written again is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill_consensus::proof::{Checkpoint, MOST_SETS};

fuzz_target!(|text: &str| match Checkpoint::parse(text) {
    Ok(checkpoint) => {
        assert!((1..=MOST_SETS).contains(&checkpoint.sets.len()));
        assert!(checkpoint.sets.is_sorted_by(|a, b| a.from < b.from));
        assert_eq!(Checkpoint::parse(&checkpoint.text()).unwrap(), checkpoint);
    }
    Err(error) => assert!(!error.to_string().is_empty()),
});

//! Bitcoin blocks and their spent outputs. The first two bytes give the length of the latter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill::chain::{self, Kind, bitcoin::Rules};

fuzz_target!(|bytes: &[u8]| {
    let _ = chain::detect(bytes);
    let rules = Rules::default();
    if let Ok(mut check) = chain::open(bytes, Kind::BitcoinBlock, None, rules) {
        let _ = check.round(&[]);
        let _ = check.report();
    }
    if let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (spent, block) = rest.split_at(length);
        if let Ok(mut check) = chain::open(block, Kind::BitcoinBlock, Some(spent), rules) {
            let _ = check.round(&[]);
        }
    }
});

//! Public keys: what is taken without hybrid forms is taken with them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill::algorithms::secp256k1::key;

fuzz_target!(|bytes: &[u8]| {
    if let Some(plain) = key::read(bytes, false) {
        assert_eq!(key::read(bytes, true), Some(plain));
    }
});

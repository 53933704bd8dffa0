//! The two readings of DER: what is strict is lax, with the same numbers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill::algorithms::secp256k1::der;

fuzz_target!(|bytes: &[u8]| {
    let lax = der::lax(bytes);
    if let Some(strict) = der::strict(bytes) {
        assert_eq!(lax, Some(strict));
    }
});

//! Record files of both kinds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill::chain::{self, Kind, bitcoin::Rules};

fuzz_target!(|bytes: &[u8]| {
    for kind in [Kind::Sigchk, Kind::Ethrcv] {
        if let Ok(mut check) = chain::open(bytes, kind, None, Rules::default()) {
            let _ = check.round(&[]);
            let _ = check.report();
        }
    }
});

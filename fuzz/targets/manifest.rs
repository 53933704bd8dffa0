//! Manifests of FPGA images: as they are, and with all fields behind the input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill::backend::fpga::manifest::Manifest;

const FIELDS: &str = "\
image_sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
format = 'ice40'
device = 'ice40-hx8k'
abi_version = 1
cores = ['sha256', 'secp256k1']
source_hash = '0000000000000000000000000000000000000000000000000000000000000000'
";

fuzz_target!(|text: &str| {
    // The fields come first where the input opens a table.
    for text in [text.to_owned(), format!("{text}\n{FIELDS}"), format!("{FIELDS}{text}")] {
        match Manifest::parse(&text) {
            Ok(manifest) => {
                assert!(manifest.caps() != 0 && manifest.abi_version != 0);
                // Its SHA-256 may be that of nothing, and nothing is no bitstream.
                assert!(manifest.check(&[]).is_err());
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});

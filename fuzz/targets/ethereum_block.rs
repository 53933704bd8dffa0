//! Ethereum blocks as JSON and RLP, and single transactions. What is read is written again and
//! read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill::chain::{self, Kind, bitcoin::Rules, ethereum};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut check) = chain::open(bytes, Kind::EthereumBlock, None, Rules::default()) {
        let _ = check.round(&[]);
        let _ = check.report();
    }
    if let Ok(block) = ethereum::Block::read(bytes) {
        // What JSON states besides, a transaction's hash too, is no part of it.
        let bytes = block.to_rlp();
        let again = ethereum::Block::read(&bytes).expect("our own RLP");
        assert!(again.header == block.header && again.to_rlp() == bytes);
    }
    let _ = ethereum::transaction(bytes);
});

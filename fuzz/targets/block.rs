//! Headers and blocks, within tight limits: what is read has one encoding. A body under another's root
//! is none of commonware's codec.
#![no_main]

use commonware_codec::{Decode, Encode};
use libfuzzer_sys::fuzz_target;
use sigmill::Terms;
use sigmill_consensus::block::HEADER_BYTES;
use sigmill_consensus::{Block, Crypto, Header, Limits};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(header.encode(), bytes);
    }
    let limits = Limits { block_bytes: 4_096, block_transactions: 8, ..Limits::default() };
    let Ok(mut block) = Block::decode(bytes, &limits) else { return };
    assert!(bytes.len() <= 4_096 && block.transactions.len() <= 8);
    assert_eq!(block.encode(), bytes);
    assert_eq!(block.encoded_bytes(), bytes.len());
    assert_eq!(block.header.encode(), bytes[..HEADER_BYTES]);

    let whole = block.is_whole();
    assert_eq!(Block::decode_cfg(Encode::encode(&block), &limits).is_ok(), whole);
    // No input finds the root: the right one is written in, and another.
    let ids: Vec<_> = block.transactions.iter().map(|one| one.hash().0).collect();
    let root = Crypto::Libsecp256k1.transactions_root(&ids, Terms::default());
    assert_eq!(root == block.header.transactions_root, whole);
    block.header.transactions_root = root;
    let coded = Encode::encode(&block);
    assert_eq!(coded[4..], block.encode());
    assert_eq!(Block::decode_cfg(coded, &limits).unwrap(), block);
    block.header.transactions_root[0] ^= 1;
    assert!(Block::decode_cfg(Encode::encode(&block), &limits).is_err());
});

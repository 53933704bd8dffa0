//! SPEC.md, section 15: what an implementation written from that page alone computes.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::hex;
use commonware_consensus::simplex::types::{Proposal, Subject};
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::certificate::Scheme;
use sigmill::{Engine, Terms};
use sigmill_consensus::block::transactions_root;
use sigmill_consensus::genesis::Genesis;
use sigmill_consensus::keys::{AccountKey, VoteKey};
use sigmill_consensus::scheme::Engines;
use sigmill_consensus::transaction::{hashes, senders};
use sigmill_consensus::{
    Action, Address, Committee, Hash, Header, SignedTransaction, Transaction, VoteScheme,
};

/// RFC 8032, 7.1: the public keys of TEST 1 and TEST 2.
const IDENTITIES: [&str; 2] = [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
];

fn secret(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[31] = number;
    bytes
}

fn account(number: u8) -> AccountKey {
    AccountKey::from_bytes(&secret(number)).unwrap()
}

fn vote_key(number: u8) -> VoteKey {
    VoteKey::from_bytes(&secret(number)).unwrap()
}

fn genesis() -> Genesis {
    let mut text = String::from(
        "format = 1\nname = \"vector\"\ntime_ms = 1767225600000\n[limits]\nblock_bytes = 65536\n\
         block_transactions = 64\naccount_transactions = 4\nexpiry_heights = 100\n\
         epoch_heights = 1000\nminimum_balance = 10\n",
    );
    for (identity, number) in IDENTITIES.iter().zip(1..) {
        let vote = hex::encode(vote_key(number).public());
        writeln!(text, "[[validators]]\nidentity = \"{identity}\"\nvote = \"{vote}\"").unwrap();
    }
    writeln!(text, "[accounts]").unwrap();
    for (number, balance) in [(1, 1000), (2, 10)] {
        writeln!(text, "\"{}\" = {balance}", account(number).address()).unwrap();
    }
    Genesis::parse(&text, |_| unreachable!()).unwrap()
}

fn transactions(chain: Hash) -> [SignedTransaction; 3] {
    let signed = |number, nonce, expiry, action| {
        Transaction { chain, nonce, expiry, action }.sign(&account(number))
    };
    let mut namespace = [0; 32];
    namespace[..6].copy_from_slice(b"notary");
    let to = account(1).address();
    [
        signed(1, 0, 50, Action::Transfer { to: Address::repeat_byte(0x11), amount: 20 }),
        signed(1, 1, 50, Action::Record { namespace, digest: [0x22; 32] }),
        signed(2, 0, 60, Action::Transfer { to, amount: 1 }),
    ]
}

#[test]
fn the_chain_and_its_first_block() {
    let genesis = genesis();
    let chain = genesis.chain();
    let text = "7f6f4d9db36a163258767f14e3d777f38b1561bdde16a8fd96de66ebdea613ee";
    assert_eq!(hex::encode(chain.0), text);
    assert_eq!(account(1).address().to_string(), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    assert_eq!(account(2).address().to_string(), "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF");

    let engine = Engine::builder().threads(1).open().unwrap();
    let list = transactions(chain);
    let wire = "017f6f4d9db36a163258767f14e3d777f38b1561bdde16a8fd96de66ebdea613ee00000000000000\
                00000000000000003200001c11111111111111111111111111111111111111110000000000000014be\
                0a3c15b54100ff2065e1eaabb879c665ff59721cae61fbafdb738ac58954556aa3b8a2506d34a696c4\
                59107ddb0e541ef95cd0d5382dba08df0485bbc9e4d200";
    assert_eq!(hex::encode(list[0].encode()), wire);
    let all = hashes(&engine, &list, Terms::default()).unwrap();
    let text = "cf593191008ea8cbc5718c8ddccf1d1c764c7b9361b7d788b6979bfcac5d7b28";
    assert_eq!(hex::encode(all[0].signing), text);
    let ids: Vec<_> = all.iter().map(|hashes| hashes.id).collect();
    for (id, text) in ids.iter().zip([
        "0068f62e786ee40da7f66fbd711f08dee053a45d9de4c9886539edc0f9a26244",
        "5c79419f211130291e4d39f23a5ed031743f1cc296f55ce16b76ef7e96867dde",
        "5abf0fe1a40bd2b9f5337018d204b1f534259f793ba2f4a552597ac5fff1970a",
    ]) {
        assert_eq!(hex::encode(id), text);
    }
    let expected = [1, 1, 2].map(|number| Some(account(number).address()));
    assert_eq!(senders(&engine, &list, &all, Terms::default()).unwrap(), expected);

    let root = transactions_root(&engine, &ids, Terms::default()).unwrap();
    let text = "970b895bdfb96d22eb28d149e86250d185525f3c88526c079dbf5847ffb07817";
    assert_eq!(hex::encode(root), text);
    let block = Header::genesis(&genesis);
    let text = "2f7337bdc2f421ac26e28dc2069cf86cf4444cf9a88dab2b9ef352d26756e967";
    assert_eq!(hex::encode(block.hash().0), text);
    assert_eq!(hex::encode(first(&block, root).hash().0), FIRST);
}

const FIRST: &str = "10813cdc10c4f8bc6ce1a4c41ddbb146f4f11bc77029a0613838df5a155951e9";

fn first(genesis: &Header, transactions_root: [u8; 32]) -> Header {
    Header {
        height: 1,
        view: 300,
        parent: genesis.hash(),
        time_ms: genesis.time_ms + 1,
        proposer: 1,
        transactions: 3,
        transactions_root,
        state_root: [0x33; 32],
        ..genesis.clone()
    }
}

#[test]
fn votes_for_it() {
    let genesis = genesis();
    let engines = Engines::one(Arc::new(Engine::builder().threads(1).open().unwrap()));
    let deadline = Duration::from_secs(5);
    let committee =
        Committee::new(genesis.chain(), &genesis.validators, engines, deadline).unwrap();
    let signer = |number| VoteScheme::signer(committee.clone(), vote_key(number)).unwrap();
    let round = Round::new(Epoch::zero(), View::new(300));
    let block: [u8; 32] = hex::decode(FIRST).unwrap().try_into().unwrap();
    let proposal = Proposal::new(round, View::new(299), Hash::from(block));
    let hex_of = |vote: Option<commonware_cryptography::certificate::Attestation<VoteScheme>>| {
        hex::encode(vote.unwrap().signature.get().unwrap().0)
    };
    let finalize = signer(1).sign::<Hash>(Subject::Finalize { proposal: &proposal });
    let text = "9aad295bde9cf84818879ee65e751ad3ec897352a1b6802653f5d6f120876ac9\
                6283d165af36036b6f6afae8ec6a54ce44a6dc7b845f0879e899e5fc58646a9b";
    assert_eq!(hex_of(finalize), text);
    let nullify = signer(2).sign::<Hash>(Subject::Nullify { round });
    let text = "f030faea45c9361cea010e1cb9438fd2e3bc42d4009f8cf959c2f575da076eec\
                fef3fd48270df2bca507317bd4f49131d8d68a478f7f5d9d6601942f00a75c37";
    assert_eq!(hex_of(nullify), text);
}

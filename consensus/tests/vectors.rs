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
    let text = "db9cc9e8bb91c122baa2eec2b168111331036a40038f950c67feb87b330663d3";
    assert_eq!(hex::encode(chain.0), text);
    assert_eq!(account(1).address().to_string(), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    assert_eq!(account(2).address().to_string(), "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF");

    let engine = Engine::builder().threads(1).open().unwrap();
    let list = transactions(chain);
    let wire = "01db9cc9e8bb91c122baa2eec2b168111331036a40038f950c67feb87b330663d300000000000000\
                00000000000000003200001c1111111111111111111111111111111111111111000000000000001458\
                11709000e3a6d8aa83d9b64775968352a97b3d656d394342c404948514f240732715b67c2b127ca156\
                9dbc3628856d58a4b0bae66b4433d4ed4233db4b66c201";
    assert_eq!(hex::encode(list[0].encode()), wire);
    let all = hashes(&engine, &list, Terms::default()).unwrap();
    let text = "ddae526c54aa49d50698ea9a1b537eb53441c2a11df8a349f19570a6541c337c";
    assert_eq!(hex::encode(all[0].signing), text);
    let ids: Vec<_> = all.iter().map(|hashes| hashes.id).collect();
    for (id, text) in ids.iter().zip([
        "0c416bd20fa4b78626b9aa2626df2f6d8565f0e8f08f23f793cf8798de9f2030",
        "d0c6ec3109ee16cb05384078d62ad26a989afd597eac16454d09ef2ea1ae288e",
        "0cb82f3566688924f79cbc93fc7caf22ef353e9fc46be4f67572fe1936284422",
    ]) {
        assert_eq!(hex::encode(id), text);
    }
    let expected = [1, 1, 2].map(|number| Some(account(number).address()));
    assert_eq!(senders(&engine, &list, &all, Terms::default()).unwrap(), expected);

    let root = transactions_root(&engine, &ids, Terms::default()).unwrap();
    let text = "d3eb3126a43ca1bcaf41c7dc6b1e151c3389f5a1d084b1f7176c64e875903b13";
    assert_eq!(hex::encode(root), text);
    let block = Header::genesis(&genesis);
    let text = "71d0d222fe3dfea30eace35733a25886c3903b46a5912513e3bc206194c96d01";
    assert_eq!(hex::encode(block.hash().0), text);
    assert_eq!(hex::encode(first(&block, root).hash().0), FIRST);
}

const FIRST: &str = "c6a6cd471e594a48261fae168aa3192841ab905ad509f800e52180313ea2aa4d";

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
    let text = "5d4e5f004ea4d66847bfe8a8130d5bc287e780c40a6e8ff2d6272ddb41d7ff6d\
                1b7b2931c2044977520ff23e61a2a5dfa10f53b56662b2c944bdf6ca10c3a614";
    assert_eq!(hex_of(finalize), text);
    let nullify = signer(2).sign::<Hash>(Subject::Nullify { round });
    let text = "e7e3cbd4cb5c052102a3cde874e6e03b328bd612b1ad7c0b5499343bb8af01df\
                de455d72f23c70e627ce5262e0768958648bded0601ac347b48617f427d2cbd5";
    assert_eq!(hex_of(nullify), text);
}

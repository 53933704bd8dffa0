//! Decoders of bytes that others send: no input makes them panic, and what they take has one encoding.

use std::path::Path;
use std::sync::Arc;

use alloy_primitives::hex;
use commonware_codec::{Decode, DecodeExt, Encode};
use commonware_cryptography::certificate::Signers;
use commonware_utils::{Participant, TestRng};
use rand_core::Rng;
use sigmill::Terms;
use sigmill_consensus::decree::{Draft, DraftFile, Order};
use sigmill_consensus::keys::{AccountKey, ValidatorKeys, VoteKey};
use sigmill_consensus::proof::{Evidence, FinalHeader, Included, Proof, StateProof, paths};
use sigmill_consensus::scheme::{Certificate, VoteSignature};
use sigmill_consensus::transaction::decode_list;
use sigmill_consensus::{
    Action, Address, Block, Crypto, Genesis, Hash, Header, Limits, Message, SignedTransaction,
    Transaction, ValidatorSet, address,
};

const ROUNDS: u32 = 20_000;

/// The bytes with a few of them changed, and now and then some more or fewer.
fn spoiled(bytes: &[u8], rng: &mut TestRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + rng.next_u32() % 3 {
        let at = rng.next_u32() as usize % bytes.len();
        match rng.next_u32() % 8 {
            0 => bytes.truncate(at.max(1)),
            1 => bytes.insert(at, rng.next_u32() as u8),
            2 => bytes[at] = 0xff,
            _ => bytes[at] ^= 1 << (rng.next_u32() % 8),
        }
    }
    bytes
}

/// Spoils the bytes over and over. Says how many were taken, and checks that those encode as before.
fn spoil(seed: u64, bytes: &[u8], encoded: impl Fn(&[u8]) -> Option<Vec<u8>>) -> u32 {
    assert_eq!(encoded(bytes).as_deref(), Some(bytes), "the bytes were good");
    let mut rng = TestRng::new(seed);
    let mut taken = 0;
    for round in 0..ROUNDS {
        let bytes = spoiled(bytes, &mut rng);
        if let Some(again) = encoded(&bytes) {
            assert_eq!(again, bytes, "round {round}");
            taken += 1;
        }
    }
    taken
}

fn transactions() -> Vec<SignedTransaction> {
    let key = AccountKey::from_bytes(&[1; 32]).unwrap();
    let chain = Hash::from([2; 32]);
    let to = Address::repeat_byte(3);
    let transfer = Action::Transfer { to, amount: 4 };
    let record = Action::Record { namespace: [5; 32], digest: [6; 32] };
    let sign = |(nonce, action)| Transaction { chain, nonce, expiry: 7, action }.sign(&key);
    [(0, transfer.clone()), (1, record), (2, transfer)].map(sign).to_vec()
}

/// A draft that one of two has signed.
fn draft() -> DraftFile {
    let genesis = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals/genesis.toml");
    let validators = Genesis::read(&genesis).unwrap().validators;
    let key = VoteKey::from_bytes(&[9; 32]).unwrap();
    let order = Order::Link { chain: [7; 32].into(), set: ValidatorSet { from: 3, validators } };
    let signers = vec![key.public(), VoteKey::from_bytes(&[8; 32]).unwrap().public()];
    let mut file = DraftFile::new([2; 32].into(), Draft { epoch: 1, order }, signers);
    file.sign(&key).unwrap();
    file
}

/// A message, a decree, and a delivery of both.
fn travelling() -> Vec<SignedTransaction> {
    let key = AccountKey::from_bytes(&[1; 32]).unwrap();
    let sign = |action| {
        let chain = Hash::from([2; 32]);
        Transaction { chain, nonce: 0, expiry: 7, action }.sign(&key)
    };
    let message = sign(Action::Message(Message {
        receiver: [5; 32].into(),
        sequence: 6,
        to: Address::repeat_byte(3),
        amount: 4,
        digest: [8; 32],
    }));
    let mut file = draft();
    file.sign(&VoteKey::from_bytes(&[8; 32]).unwrap()).unwrap();
    let decree = sign(Action::Decree(Arc::new(file.decree().unwrap())));
    let ids = [message.hash().0, decree.hash().0];
    let included = |(index, (transaction, path)): (u32, (&SignedTransaction, _))| Included {
        index,
        path,
        transaction: transaction.clone(),
    };
    let all = [&message, &decree].into_iter().zip(paths(&ids, &[0, 1]));
    let transactions = (0..).zip(all).map(included).collect();
    let header = Header { transactions: 2, ..block().header };
    let signers = Signers::new(4, [Participant::new(1)]).unwrap();
    let certificate = Certificate { signers, signatures: vec![VoteSignature([3; 64])] };
    let (view, parent_view, descendants) = (2, 1, vec![]);
    let block = FinalHeader { header, descendants, view, parent_view, certificate };
    let delivery = sign(Action::Deliver(Arc::new(Proof { block, transactions })));
    vec![message, decree, delivery]
}

fn block() -> Block {
    let transactions = transactions();
    let ids: Vec<_> = transactions.iter().map(|one| one.hash().0).collect();
    let transactions_root = Crypto::Libsecp256k1.transactions_root(&ids, Terms::default());
    let header = Header {
        chain: Hash::from([2; 32]),
        height: 1,
        epoch: 0,
        view: 2,
        parent: Hash::from([8; 32]),
        time_ms: 9,
        proposer: 0,
        transactions: 3,
        transactions_root,
        state_root: [11; 32],
    };
    Block { header, transactions: Arc::new(transactions) }
}

#[test]
fn transactions_and_blocks() {
    for one in transactions().into_iter().chain(travelling()) {
        let decode = |bytes: &[u8]| Some(SignedTransaction::decode(bytes).ok()?.encode());
        assert!(spoil(1, &one.encode(), decode) > 0);
    }
    let (block, limits) = (block(), Limits::default());
    let header = |bytes: &[u8]| Some(Header::decode(bytes).ok()?.encode().to_vec());
    assert!(spoil(2, &block.header.encode(), header) > 0);
    let whole = |bytes: &[u8]| Some(Block::decode(bytes, &limits).ok()?.encode());
    assert!(spoil(3, &block.encode(), whole) > 0);
    let coded = |bytes: &[u8]| {
        Some(Encode::encode(&Block::decode_cfg(bytes.to_vec(), &limits).ok()?).to_vec())
    };
    assert!(spoil(4, &Encode::encode(&block), coded) > 0);
}

#[test]
fn certificates() {
    let signers = Signers::new(10, (0..7).map(Participant::new)).unwrap();
    let signatures = (0..7).map(|n| VoteSignature([n; 64])).collect();
    let certificate = Certificate { signers, signatures };
    let decode =
        |bytes: &[u8]| Some(Certificate::decode_cfg(bytes.to_vec(), &10).ok()?.encode().to_vec());
    assert!(spoil(5, &certificate.encode(), decode) > 0);
}

#[test]
fn proofs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let proof = |bytes: &[u8]| Some(Proof::decode(bytes).ok()?.encode());
    assert!(spoil(7, &read("Malformed.mended.proof"), proof) > 0);
    let state = |bytes: &[u8]| Some(StateProof::decode(bytes).ok()?.encode());
    assert!(spoil(8, &read("WrongState.mended.proof"), state) > 0);
    let mut rng = TestRng::new(9);
    for name in ["BrokenChain.json", "WrongState.json"] {
        let (good, mut taken) = (read(name), 0);
        for _ in 0..ROUNDS / 10 {
            let Ok(evidence) = Evidence::read(&spoiled(&good, &mut rng)) else { continue };
            let again = match &evidence {
                Evidence::Block(proof) => proof.to_json(),
                Evidence::State(proof) => proof.to_json(),
            };
            assert_eq!(Evidence::read(again.as_bytes()).unwrap(), evidence);
            taken += 1;
        }
        assert!(taken > 0, "{name}");
    }
}

#[test]
fn texts() {
    let mut rng = TestRng::new(6);
    let genesis = "format = 1\nname = \"a\"\ntime_ms = 1\n[limits]\nblock_bytes = 4096\n\
        block_transactions = 1\naccount_transactions = 1\nexpiry_heights = 1\nepoch_heights = 16\n\
        minimum_balance = 1\n[[validators]]\n\
        identity = \"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"\n\
        vote = \"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\"\n\
        [accounts]\n\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\" = 1\n";
    let keys = "sigmill validator keys 1\n\
        identity 0000000000000000000000000000000000000000000000000000000000000001\n\
        vote 0000000000000000000000000000000000000000000000000000000000000001\n";
    let list = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed 1\n";
    let parse = |text: &str| Genesis::parse(text, |_| Ok(list.to_owned()));
    let draft = draft().text();
    DraftFile::parse(&draft).unwrap();
    let chain = parse(genesis).unwrap().chain();
    ValidatorKeys::parse(keys).unwrap();
    let mut others = 0;
    for _ in 0..ROUNDS / 10 {
        let text = |good: &str, rng: &mut TestRng| {
            String::from_utf8_lossy(&spoiled(good.as_bytes(), rng)).into_owned()
        };
        others += u32::from(parse(&text(genesis, &mut rng)).is_ok_and(|one| one.chain() != chain));
        let _ = DraftFile::parse(&text(&draft, &mut rng));
        let _ = ValidatorKeys::parse(&text(keys, &mut rng));
        let _ = address::parse(&text(&list[..42], &mut rng));
    }
    assert!(others > 0, "nothing that was spoiled was read");
}

/// What the fuzzer starts from is good, so that it gets behind the first fields.
#[test]
fn seeds_of_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let bytes = |name: &str| hex::decode(read(name).replace('\n', "")).unwrap();
    for name in ["transfer", "record", "message", "decree", "deliver"] {
        let name = format!("transaction/{name}.hex");
        assert!(SignedTransaction::decode(&bytes(&name)).is_ok(), "{name}");
    }
    assert_eq!(DraftFile::parse(&read("draft/link.toml")).unwrap().signed(), 1);
    assert_eq!(decode_list(&bytes("transaction/list.hex")).unwrap().len(), 3);
    assert!(Header::decode(&bytes("block/header.hex")).is_ok());
    assert!(Block::decode(&bytes("block/block.hex"), &Limits::default()).unwrap().is_whole());
    assert!(VoteSignature::decode(bytes("certificate/signature.hex")).is_ok());
    for name in ["certificate/two.hex", "certificate/three_of_nine.hex"] {
        let bytes = bytes(name);
        let validators = usize::from(bytes[0]);
        assert!(Certificate::decode_cfg(bytes[1..].to_vec(), &validators).is_ok(), "{name}");
    }
    for name in ["proof/one.hex", "proof/two.hex"] {
        assert!(Proof::decode(&bytes(name)).is_ok(), "{name}");
    }
    let genesis = read("genesis/genesis.toml");
    let genesis = Genesis::parse(&genesis, |_| panic!("no file is named")).unwrap();
    let list = read("genesis/list.toml");
    let (text, accounts) = list.split_once("\n===\n").unwrap();
    assert_eq!(Genesis::parse(text, |_| Ok(accounts.to_owned())).unwrap(), genesis);
    assert!(ValidatorKeys::parse(&read("genesis/keys.txt")).is_ok());
    assert!(read("genesis/addresses.txt").lines().all(|line| address::parse(line).is_ok()));
}

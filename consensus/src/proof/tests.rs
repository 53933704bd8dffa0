use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::hex;
use commonware_cryptography::certificate::Signers;
use commonware_cryptography::{Signer as _, ed25519};
use commonware_utils::Participant;
use sigmill::{Engine, Terms};

use super::*;
use crate::block::{HEADER_BYTES, Header};
use crate::genesis::Validator;
use crate::keys::{AccountKey, VoteKey};
use crate::scheme::{Certificate, Committee, Engines, Proposal, Vote, VoteSignature};
use crate::transaction::{Action, Transaction};
use crate::{Address, Hash, block};

mod follow;
#[cfg(feature = "validator")]
mod json;
mod sets;

const CHAIN: [u8; 32] = [7; 32];

/// A chain's validators, who sign what they are told to.
struct Validators {
    /// In the committee's order.
    keys: Vec<VoteKey>,
    trusted: Trusted,
    engine: Arc<Engine>,
}

impl Validators {
    fn new(count: u64) -> Self {
        let engine = Arc::new(Engine::builder().threads(1).open().unwrap());
        let key = |n: u64| VoteKey::from_bytes(&[n as u8 + 1; 32]).unwrap();
        let identity = |n| ed25519::PrivateKey::from_seed(n).public_key();
        let mut all: Vec<_> = (0..count)
            .map(|n| (Validator { identity: identity(n), vote: key(n).public() }, key(n)))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let (validators, keys): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let engines = Engines::one(engine.clone());
        let minute = Duration::from_secs(60);
        let committee = Committee::new(CHAIN.into(), &validators, engines, minute).unwrap();
        Validators { keys, trusted: Trusted::new(CHAIN.into(), 0, committee), engine }
    }

    /// A final block, by the votes of the first `signers`.
    fn block(&self, header: Header, signers: usize) -> FinalHeader {
        let hash = header.hash();
        let vote =
            Vote::Finalize(Proposal { epoch: header.epoch, view: 5, parent: 4, payload: &hash.0 });
        let message = vote.signed_bytes(CHAIN.into());
        let sign = |key: &VoteKey| VoteSignature(key.sign(&message).unwrap());
        let signatures = self.keys[..signers].iter().map(sign).collect();
        let set = (0..signers as u32).map(Participant::new);
        let signers = Signers::new(self.keys.len() as u32, set).unwrap();
        let certificate = Certificate { signers, signatures };
        FinalHeader { header, descendants: vec![], view: 5, parent_view: 4, certificate }
    }

    /// A final block of so many transactions, and proofs of those at these places.
    fn prove(&self, count: u64, places: &[u32]) -> Proof {
        let transactions: Vec<_> = (0..count).map(transaction).collect();
        let leaves: Vec<_> = transactions.iter().map(|one| one.hash().0).collect();
        let root = block::transactions_root(&self.engine, &leaves, Terms::default()).unwrap();
        let quorum = self.keys.len() - (self.keys.len() - 1) / 3;
        let block = self.block(header(count as u32, root), quorum);
        let included = |(&index, path): (&u32, Path)| {
            let transaction = transactions[index as usize].clone();
            Included { index, path, transaction }
        };
        let transactions = places.iter().zip(paths(&leaves, places)).map(included).collect();
        Proof { block, transactions }
    }

    fn verify(&self, proofs: &[Proof]) -> Vec<Judged> {
        verify(&self.engine, &self.trusted, proofs, Terms::default())
    }

    /// Why the only transaction of a proof is refused, if it is.
    fn refusal(&self, proof: &Proof) -> Option<Refusal> {
        let [judged] = &self.verify(std::slice::from_ref(proof))[..] else { panic!() };
        judged.senders[0].err()
    }
}

fn header(transactions: u32, transactions_root: [u8; 32]) -> Header {
    Header {
        chain: CHAIN.into(),
        height: 3,
        epoch: 0,
        view: 5,
        parent: [1; 32].into(),
        time_ms: 9,
        proposer: 0,
        transactions,
        transactions_root,
        state_root: [2; 32],
    }
}

fn sender(n: u64) -> AccountKey {
    AccountKey::from_bytes(&[n as u8 % 200 + 1; 32]).unwrap()
}

fn transaction(n: u64) -> SignedTransaction {
    let action = match n % 2 {
        0 => Action::Transfer { to: Address::repeat_byte(3), amount: n + 1 },
        _ => Action::Record { namespace: [4; 32], digest: [n as u8; 32] },
    };
    Transaction { chain: CHAIN.into(), nonce: n, expiry: 100, action }.sign(&sender(n))
}

#[test]
fn every_place_of_every_small_block_is_proved() {
    let validators = Validators::new(4);
    for count in [1, 2, 3, 5, 8, 13] {
        let places: Vec<_> = (0..count as u32).collect();
        let proof = validators.prove(count, &places);
        assert_eq!(Proof::decode(&proof.encode()), Ok(proof.clone()));
        let judged = &validators.verify(std::slice::from_ref(&proof))[0];
        assert_eq!((judged.hash, judged.block), (proof.block.header.hash(), Ok(())));
        let senders: Vec<_> = (0..count).map(|n| Ok(sender(n).address())).collect();
        assert_eq!(judged.senders, senders, "{count} transactions");
    }
    let empty = validators.prove(0, &[]);
    assert_eq!(Proof::decode(&empty.encode()), Ok(empty.clone()));
    assert_eq!(validators.verify(&[empty])[0].block, Ok(()));
}

#[test]
fn a_proof_of_a_large_block_is_small() {
    let validators = Validators::new(4);
    let proof = validators.prove(4_096, &[4_095]);
    assert_eq!(validators.refusal(&proof), None);
    let bytes = proof.encode().len();
    assert!(bytes <= 1_024, "{bytes} bytes");
}

#[test]
fn every_cut_and_every_bit_counts() {
    let validators = Validators::new(4);
    let proof = validators.prove(3, &[1]);
    let bytes = proof.encode();
    for end in 0..bytes.len() {
        assert!(Proof::decode(&bytes[..end]).is_err(), "{end}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Proof::decode(&longer), Err(DecodeError::Trailing { bytes: 1 }));
    let mut altered = Vec::new();
    for bit in 0..8 * bytes.len() {
        let mut other = bytes.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        altered.extend(Proof::decode(&other).map(|other| (bit, other)));
    }
    let (bits, altered): (Vec<_>, Vec<_>) = altered.into_iter().unzip();
    assert!(altered.len() > 6 * bytes.len());
    let genuine = sender(1).address();
    for (bit, judged) in bits.iter().zip(validators.verify(&altered)) {
        // A spoilt signature of the transaction may be another's: the path does not lead there then.
        assert_ne!(judged.senders[..], [Ok(genuine)], "bit {bit}");
        assert!(judged.senders.iter().all(Result::is_err), "bit {bit}: {judged:?}");
    }
}

#[test]
fn refusals_have_names() {
    let validators = Validators::new(4);
    let proof = validators.prove(6, &[2]);
    let change = |change: &dyn Fn(&mut Proof)| {
        let mut other = proof.clone();
        change(&mut other);
        validators.refusal(&other)
    };
    let other = Hash::from([8; 32]);
    let foreign = change(&|proof| proof.block.header.chain = other);
    assert_eq!(foreign, Some(Refusal::WrongChain(other)));
    let few = change(&|proof| proof.block = validators.block(proof.block.header.clone(), 2));
    let no_quorum = |signers, validators| {
        Some(Refusal::NoQuorum { signers, validators, quorum: 3, expected: 4 })
    };
    assert_eq!(few, no_quorum(2, 4));
    let others = Validators::new(7);
    let set = change(&|proof| proof.block = others.block(proof.block.header.clone(), 5));
    assert_eq!(set, no_quorum(5, 7));
    let bad = Some(Refusal::BadVote);
    assert_eq!(change(&|proof| proof.block.view = 6), bad);
    assert_eq!(change(&|proof| proof.block.parent_view = 3), bad);
    assert_eq!(change(&|proof| proof.block.header.state_root[0] ^= 1), bad);
    assert_eq!(change(&|proof| proof.block.certificate.signatures.swap(0, 1)), bad);

    let no_place = Some(Refusal::NoSuchPlace);
    let mut beyond = proof.clone();
    beyond.transactions[0].index = u32::MAX;
    assert_eq!(Proof::decode(&beyond.encode()), Ok(beyond));
    assert_eq!(change(&|proof| proof.transactions[0].index = 6), no_place);
    assert_eq!(change(&|proof| proof.transactions[0].path = Path::default()), no_place);
    let wrong_root = Some(Refusal::WrongRoot);
    assert_eq!(change(&|proof| proof.transactions[0].index = 3), wrong_root);
    assert_eq!(change(&|proof| proof.transactions[0].transaction.signature[1] ^= 1), wrong_root);

    // What a majority of liars may certify is judged all the same.
    let mut moved = transaction(0);
    moved.transaction.chain = other;
    let mut unsigned = transaction(0);
    unsigned.signature = [0; 65];
    for (one, refusal) in
        [(moved, Refusal::ForeignTransaction(other)), (unsigned, Refusal::BadSignature)]
    {
        let block = validators.block(header(1, one.hash().0), 3);
        let included = Included { index: 0, path: Path::default(), transaction: one };
        let proof = Proof { block, transactions: vec![included] };
        assert_eq!(validators.refusal(&proof), Some(refusal));
    }
}

#[test]
fn a_descendants_votes_are_as_good() {
    let validators = Validators::new(4);
    let mut proof = validators.prove(3, &[0, 1, 2]);
    let child = |parent: &Header| Header { parent: parent.hash(), ..header(0, [0; 32]) };
    let (first, second) = {
        let first = child(&proof.block.header);
        (first.clone(), child(&first))
    };
    let votes = validators.block(second.clone(), 3);
    proof.block = FinalHeader {
        header: proof.block.header,
        descendants: vec![first.clone(), second.clone()],
        ..votes
    };
    assert_eq!(Proof::decode(&proof.encode()), Ok(proof.clone()));
    let block = |proof: &Proof| validators.verify(std::slice::from_ref(proof))[0].block;
    assert_eq!(block(&proof), Ok(()));
    let mut other = proof.clone();
    other.block.header.state_root[0] ^= 1;
    assert_eq!(block(&other), Err(Refusal::BrokenChain));
    other = proof.clone();
    other.block.descendants = vec![second];
    assert_eq!(block(&other), Err(Refusal::BrokenChain));
    other = proof.clone();
    other.block.descendants.pop();
    assert_eq!(block(&other), Err(Refusal::BadVote));
    other = proof;
    other.block.descendants[0].chain = Hash::from([8; 32]);
    assert_eq!(block(&other), Err(Refusal::WrongChain(Hash::from([8; 32]))));
}

#[test]
fn one_bad_proof_among_many_is_the_only_one() {
    let validators = Validators::new(4);
    let places: Vec<_> = (0..7).collect();
    let good = validators.prove(7, &places);
    let mut bad_block = good.clone();
    bad_block.block.view += 1;
    let mut bad_path = good.clone();
    bad_path.transactions[3].index ^= 1;
    let all = [good.clone(), bad_block, good.clone(), bad_path, good];
    let judged = validators.verify(&all);
    let valid = |at: usize| judged[at].senders.iter().map(Result::is_ok).collect::<Vec<_>>();
    assert_eq!(valid(0), [true; 7]);
    assert_eq!(judged[1].senders, [Err(Refusal::BadVote); 7]);
    assert_eq!(valid(2), [true; 7]);
    assert_eq!(valid(3), [true, true, true, false, true, true, true]);
    assert_eq!(valid(4), [true; 7]);
    assert_eq!(judged.iter().filter(|one| one.block.is_ok()).count(), 4);
}

/// More headers and transactions than one batch has.
#[test]
fn all_parts_are_judged() {
    let validators = Validators::new(1);
    let large = validators.prove(4_200, &(0..4_200).collect::<Vec<_>>());
    let small = validators.prove(1, &[0]);
    let mut bad = small.clone();
    bad.block.certificate.signatures[0].0[40] ^= 1;
    let mut foreign = small.clone();
    foreign.block.header.chain = Hash::from([8; 32]);
    let mut all = vec![small; 600];
    all[599] = large.clone();
    all[300] = bad;
    all[100] = foreign;
    all.push(large);
    let judged = validators.verify(&all);
    for (at, judged) in judged.iter().enumerate() {
        let count = all[at].transactions.len() as u64;
        let senders: Vec<_> = match at {
            100 => vec![Err(Refusal::WrongChain(Hash::from([8; 32])))],
            300 => vec![Err(Refusal::BadVote)],
            _ => (0..count).map(|n| Ok(sender(n).address())).collect(),
        };
        assert!(judged.senders == senders, "proof {at}");
        assert_eq!(judged.hash, all[at].block.header.hash());
    }
}

#[test]
fn depths_are_those_of_the_tree() {
    for (leaves, expected) in
        [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (4_096, 12), (4_097, 13), (u32::MAX, 32)]
    {
        assert_eq!(depth(leaves), expected, "{leaves}");
    }
}

#[test]
fn certificates_have_one_encoding() {
    let proof = Validators::new(4).prove(1, &[0]);
    let bytes = proof.encode();
    let signers = PROOF_TAG.len() + 2 + HEADER_BYTES + 16 + 4;
    assert_eq!(bytes[signers], 0b0111);
    let value = |value| {
        let mut other = bytes.clone();
        other[signers] = value;
        Proof::decode(&other).unwrap_err().to_string()
    };
    assert!(value(0b1_0111).contains("no bit beyond"));
    assert!(value(0).contains("one signer or more"));
    let mut many = bytes.clone();
    many[signers - 4..signers].copy_from_slice(&u32::MAX.to_be_bytes());
    let error = Proof::decode(&many).unwrap_err().to_string();
    assert!(error.contains("at most 1024"), "{error}");
}

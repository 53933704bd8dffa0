//! Messages of another chain: 21 validators, paths of 20 siblings, a sender each; and one proof of a chain of
//! 4 validators with 4,096 transactions a block.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use commonware_cryptography::certificate::Signers;
use commonware_cryptography::{Signer as _, ed25519};
use commonware_utils::Participant;
use rayon::prelude::*;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, XOnlyPublicKey, schnorr};
use sha2::{Digest as _, Sha256};
use sha3::Keccak256;
use sigmill::Engine;
use sigmill_consensus::block::{HEADER_TAG, Header};
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::{AccountKey, VoteKey};
use sigmill_consensus::proof::{FinalHeader, Included, Proof, Trusted, paths, verify_messages};
use sigmill_consensus::scheme::{Certificate, Committee, Engines, Proposal, Vote, VoteSignature};
use sigmill_consensus::{Action, Address, Hash, SignedTransaction, Transaction, transaction};

use crate::measure::Case;

/// How large a chain is.
#[derive(Clone, Copy)]
struct Size {
    validators: u64,
    quorum: usize,
    /// Transactions of a block.
    leaves: u32,
    /// Messages, all of one tree.
    messages: u32,
}

/// 20 siblings a path.
const LARGE: Size = Size { validators: 21, quorum: 15, leaves: 1 << 20, messages: 16_000 };
const SMALL: Size = Size { validators: 4, quorum: 3, leaves: 4_096, messages: 1 };

fn chain() -> Hash {
    Hash::from([5; 32])
}

fn vote_key(n: u64) -> VoteKey {
    let mut secret = [3; 32];
    secret[24..].copy_from_slice(&(n + 1).to_be_bytes());
    VoteKey::from_bytes(&secret).expect("it is below the order")
}

/// The chain that the messages come from.
struct Source {
    size: Size,
    /// In the committee's order.
    validators: Vec<(Validator, VoteKey)>,
    messages: Vec<Included>,
    root: [u8; 32],
}

impl Source {
    /// Makes messages of as many senders, and their tree.
    fn new(size: Size) -> Self {
        let Size { validators, leaves, messages: count, .. } = size;
        let validator = |n| {
            let identity = ed25519::PrivateKey::from_seed(n).public_key();
            (Validator { identity, vote: vote_key(n).public() }, vote_key(n))
        };
        let mut validators: Vec<_> = (0..validators).map(validator).collect();
        validators.sort_by(|a, b| a.0.cmp(&b.0));
        let message = |n: u32| {
            let mut secret = [9; 32];
            secret[28..].copy_from_slice(&n.to_be_bytes());
            let key = AccountKey::from_bytes(&secret).expect("it is below the order");
            let (receiver, to) = (Hash::from([6; 32]), Address::repeat_byte(1));
            let message =
                transaction::Message { receiver, sequence: 0, to, amount: 1, digest: secret };
            let action = Action::Message(message);
            Transaction { chain: chain(), nonce: 0, expiry: 100, action }.sign(&key)
        };
        let messages: Vec<_> = (0..count).into_par_iter().map(message).collect();
        // They lie apart; what lies between is not looked at.
        let place = |n: u32| n * (leaves / count);
        let mut leaves: Vec<[u8; 32]> = (0..leaves)
            .into_par_iter()
            .map(|n| Keccak256::digest(n.to_be_bytes()).into())
            .collect();
        for (n, message) in (0..).zip(&messages) {
            leaves[place(n) as usize] = message.hash().0;
        }
        let places: Vec<_> = (0..count).map(place).collect();
        let paths = paths(&leaves, &places);
        let all = messages.into_iter().zip(places).zip(paths);
        let messages: Vec<_> =
            all.map(|((transaction, index), path)| Included { index, path, transaction }).collect();
        let root = climb(messages[0].transaction.hash().0, &messages[0]);
        Source { size, validators, messages, root }
    }

    /// Proofs of so many messages each.
    fn prove(&self, messages: usize, each: usize) -> Vec<Proof> {
        let groups: Vec<_> = self.messages[..messages].chunks(each).collect();
        let prove = |(height, group): (usize, &&[Included])| Proof {
            block: self.block(height as u64 + 1),
            transactions: group.to_vec(),
        };
        groups.par_iter().enumerate().map(|(height, group)| prove((height, group))).collect()
    }

    fn block(&self, height: u64) -> FinalHeader {
        let header = Header {
            chain: chain(),
            height,
            epoch: 0,
            view: height,
            parent: Hash::from([2; 32]),
            time_ms: height,
            proposer: 0,
            transactions: self.size.leaves,
            transactions_root: self.root,
            state_root: [4; 32],
        };
        let hash = header.hash();
        let (view, parent) = (height, height - 1);
        let proposal = Proposal { epoch: 0, view, parent, payload: &hash.0 };
        let message = Vote::Finalize(proposal).signed_bytes(chain());
        let signers = &self.validators[..self.size.quorum];
        let sign = |(_, key): &(_, VoteKey)| VoteSignature(key.sign(&message).expect("it signs"));
        let signatures = signers.iter().map(sign).collect();
        let signers = (0..self.size.quorum as u32).map(Participant::new);
        let signers =
            Signers::new(self.size.validators as u32, signers).expect("they are in order");
        let certificate = Certificate { signers, signatures };
        FinalHeader { header, descendants: vec![], view, parent_view: parent, certificate }
    }
}

/// The root to which a path leads.
fn climb(leaf: [u8; 32], message: &Included) -> [u8; 32] {
    let (mut node, mut index) = (leaf, message.index);
    for sibling in message.path.siblings() {
        let pair = if index & 1 == 0 { [node, *sibling] } else { [*sibling, node] };
        node = Sha256::digest(Sha256::digest(pair.as_flattened())).into();
        index >>= 1;
    }
    node
}

/// libsecp256k1, sha3 and sha2 doing the same, on all threads of the pool.
struct Others {
    quorum: usize,
    keys: Vec<XOnlyPublicKey>,
}

impl Others {
    fn block(&self, block: &FinalHeader) -> bool {
        let header = Keccak256::digest([&HEADER_TAG[..], &block.header.encode()].concat());
        let hash = Hash::from(<[u8; 32]>::from(header));
        let message = block.vote(&hash).signed_bytes(chain());
        let Certificate { signers, signatures } = &block.certificate;
        signers.count() >= self.quorum
            && signers.iter().zip(signatures).all(|(signer, vote)| {
                let vote = schnorr::Signature::from_byte_array(vote.0);
                vote.verify(&message, &self.keys[usize::from(signer)]).is_ok()
            })
    }

    fn sender(block: &FinalHeader, message: &Included) -> Option<Address> {
        let SignedTransaction { transaction, signature } = &message.transaction;
        let bytes = message.transaction.encode();
        let id: [u8; 32] = Keccak256::digest(&bytes).into();
        if climb(id, message) != block.header.transactions_root {
            return None;
        }
        let signed = [&transaction::SIGNING_TAG[..], &bytes[..bytes.len() - 65]].concat();
        debug_assert_eq!(transaction.chain, block.header.chain);
        let (compact, v) = signature.split_at(64);
        let v = RecoveryId::try_from(i32::from(v[0])).ok()?;
        let signature = RecoverableSignature::from_compact(compact, v).ok()?;
        let digest = Message::from_digest(Keccak256::digest(signed).into());
        let key = signature.recover_ecdsa(digest).ok()?.serialize_uncompressed();
        Some(Address::from_slice(&Keccak256::digest(&key[1..])[12..]))
    }

    fn verify(&self, proofs: &[Proof]) -> Vec<Option<Address>> {
        let blocks: Vec<_> = proofs.par_iter().map(|proof| self.block(&proof.block)).collect();
        let messages = |(proof, &block): (&'_ Proof, &bool)| {
            let all = proof.transactions.par_iter().with_min_len(4);
            all.map(|one| block.then(|| Self::sender(&proof.block, one))?).collect::<Vec<_>>()
        };
        proofs.par_iter().zip(&blocks).flat_map(messages).collect()
    }
}

/// Both chains, once for all numbers of threads.
pub struct Sources([Source; 2]);

impl Sources {
    pub fn new() -> Self {
        Sources([LARGE, SMALL].map(Source::new))
    }
}

pub fn run(quick: bool, engine: &Arc<Engine>, sources: &Sources, run: &mut impl FnMut(Case<'_>)) {
    let Sources([large, small]) = sources;
    let many = if quick { 3_200 } else { 16_000 };
    for (source, messages, each) in [(large, many, 100), (large, 2_000, 1), (small, 1, 1)] {
        let validators: Vec<_> = source.validators.iter().map(|(one, _)| one.clone()).collect();
        let (engines, minute) = (Engines::one(engine.clone()), Duration::from_secs(60));
        let committee = Committee::new(chain(), &validators, engines, minute).expect("pinned");
        let trusted = Trusted::new(chain(), 0, committee);
        let parse = |one: &Validator| XOnlyPublicKey::from_byte_array(one.vote).expect("a point");
        let keys = validators.iter().map(parse).collect();
        let others = Others { quorum: source.size.quorum, keys };
        let proofs = source.prove(messages, each);
        let ours = || verify_messages(&trusted, &proofs);
        let senders = ours().into_iter().map(|verdict| verdict.expect("valid").sender);
        let senders: Vec<_> = senders.collect();
        let theirs = others.verify(&proofs);
        assert!(senders.iter().eq(theirs.iter().flatten()), "other senders");
        run(Case {
            name: match messages {
                1 => "proof".to_owned(),
                _ => format!("messages-{each}-a-header/{messages}"),
            },
            baseline: "libsecp256k1",
            items: messages,
            ours: Box::new(|| assert!(black_box(ours()).iter().all(Result::is_ok))),
            theirs: Box::new(|| {
                assert!(black_box(others.verify(&proofs)).iter().all(Option::is_some))
            }),
        });
    }
}

//! Verifies many proofs at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use sigmill::{Algorithm, Batch, Engine, Job, Terms};

use super::{FinalHeader, Included, Proof, depth};
use crate::Hash;
use crate::address::Address;
use crate::block::{HEADER_TAG, Header};
use crate::resolve::resolve;
use crate::scheme::{Certificate, Committee};
use crate::transaction::{self, SignedTransaction};

/// Why a proof proves nothing, or not of one of its transactions. The first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The block is another chain's.
    #[error("it is of chain {0}, which is not trusted")]
    WrongChain(Hash),
    /// A header is not the parent of the next.
    #[error("the headers are not one chain")]
    BrokenChain,
    /// The validators of its epoch are not known.
    #[error("the validators of epoch {0} are not known")]
    UnknownEpoch(u64),
    /// The certificate is another set's, or of too few.
    #[error("{signers} of {validators} validators signed; {quorum} of {expected} are needed")]
    NoQuorum {
        /// How many signed.
        signers: usize,
        /// Among how many.
        validators: usize,
        /// How many are needed.
        quorum: usize,
        /// Of how many.
        expected: usize,
    },
    /// A vote is none for this block.
    #[error("a vote is none for this block")]
    BadVote,
    /// The place is not in the block, or the path has another length.
    #[error("the block has no such place")]
    NoSuchPlace,
    /// The transaction is another chain's.
    #[error("the transaction is of chain {0}")]
    ForeignTransaction(Hash),
    /// The path leads to another root.
    #[error("the path leads to another root than the header's")]
    WrongRoot,
    /// Nobody signed the transaction.
    #[error("the transaction has no sender")]
    BadSignature,
}

impl Refusal {
    /// Its name, as in SPEC.md, 16.
    pub fn name(&self) -> &'static str {
        match self {
            Refusal::WrongChain(_) => "WrongChain",
            Refusal::BrokenChain => "BrokenChain",
            Refusal::UnknownEpoch(_) => "UnknownEpoch",
            Refusal::NoQuorum { .. } => "NoQuorum",
            Refusal::BadVote => "BadVote",
            Refusal::NoSuchPlace => "NoSuchPlace",
            Refusal::ForeignTransaction(_) => "ForeignTransaction",
            Refusal::WrongRoot => "WrongRoot",
            Refusal::BadSignature => "BadSignature",
        }
    }
}

/// What is known of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Hash of the header.
    pub hash: Hash,
    /// Whether the block is final.
    pub block: Result<(), Refusal>,
    /// Who sent each of its transactions, in order; if the block is not final, its refusal.
    pub senders: Vec<Result<Address, Refusal>>,
}

/// The committees of a chain that a verifier trusts, by epoch.
#[derive(Clone, Debug)]
pub struct Trusted {
    chain: Hash,
    committees: BTreeMap<u64, Arc<Committee>>,
}

impl Trusted {
    /// The committee of one epoch.
    pub fn new(chain: Hash, epoch: u64, committee: Arc<Committee>) -> Self {
        Trusted { chain, committees: BTreeMap::from([(epoch, committee)]) }
    }

    /// The chain.
    pub fn chain(&self) -> Hash {
        self.chain
    }

    /// What can be said of a block whose headers have these hashes without its votes: the committee
    /// that has to have signed.
    fn committee(&self, block: &FinalHeader, hashes: &[Hash]) -> Result<&Arc<Committee>, Refusal> {
        if let Some(other) = block.headers().find(|header| header.chain != self.chain) {
            return Err(Refusal::WrongChain(other.chain));
        }
        if !block.descendants.iter().zip(hashes).all(|(child, hash)| child.parent == *hash) {
            return Err(Refusal::BrokenChain);
        }
        let header = block.last();
        let unknown = Refusal::UnknownEpoch(header.epoch);
        let committee = self.committees.get(&header.epoch).ok_or(unknown)?;
        committee.quorum_of(&block.certificate)?;
        Ok(committee)
    }
}

impl Committee {
    /// Whether a certificate is of so many validators, and of enough of them.
    pub(crate) fn quorum_of(&self, certificate: &Certificate) -> Result<(), Refusal> {
        let signers = &certificate.signers;
        let (count, validators) = (signers.count(), signers.len());
        let (quorum, expected) = (self.quorum(), self.len());
        match validators == expected && count >= quorum {
            true => Ok(()),
            false => Err(Refusal::NoQuorum { signers: count, validators, quorum, expected }),
        }
    }
}

impl FinalHeader {
    /// Hash of the last header, if each is the parent of the next and all are one chain's.
    ///
    /// # Errors
    /// [`Refusal::WrongChain`], [`Refusal::BrokenChain`].
    pub fn linked(&self) -> Result<Hash, Refusal> {
        let mut hash = self.header.hash();
        for child in &self.descendants {
            if child.chain != self.header.chain {
                return Err(Refusal::WrongChain(child.chain));
            }
            if child.parent != hash {
                return Err(Refusal::BrokenChain);
            }
            hash = child.hash();
        }
        Ok(hash)
    }
}

impl Included {
    /// Whether it can be a transaction of that block at all.
    pub(crate) fn placed(&self, header: &Header) -> Result<(), Refusal> {
        let chain = self.transaction.transaction.chain;
        let count = header.transactions;
        match self.index < count && self.path.siblings().len() == depth(count) {
            false => Err(Refusal::NoSuchPlace),
            true if chain != header.chain => Err(Refusal::ForeignTransaction(chain)),
            true => Ok(()),
        }
    }
}

/// Headers or transactions of one batch at most.
const BATCH: usize = 1 << 16;

/// Judges all proofs, in order: one batch of header hashes, one of votes an epoch, one of transaction
/// hashes, one of paths, and two for the senders. No fault of a device is a refusal.
pub fn verify(engine: &Engine, trusted: &Trusted, proofs: &[Proof], terms: Terms) -> Vec<Judged> {
    let blocks = |part| judge_blocks(engine, trusted, part, terms);
    let mut judged: Vec<_> = parts(proofs).flat_map(blocks).collect();
    // Places of the transactions of final blocks.
    let mut open = Vec::new();
    for (at, (proof, judged)) in proofs.iter().zip(&judged).enumerate() {
        if judged.block.is_ok() {
            open.extend((0..proof.transactions.len()).map(|index| (at, index)));
        }
    }
    for part in open.chunks(BATCH) {
        let one = |&(at, index): &(usize, usize)| (&proofs[at], &proofs[at].transactions[index]);
        let part_of: Vec<_> = part.iter().map(one).collect();
        let senders = included_senders(engine, &part_of, terms);
        for (&(at, index), sender) in part.iter().zip(senders) {
            judged[at].senders[index] = sender;
        }
    }
    judged
}

/// Proofs in parts, of so many headers as a batch has.
fn parts(mut proofs: &[Proof]) -> impl Iterator<Item = &[Proof]> {
    std::iter::from_fn(move || {
        let mut headers = 0;
        let fits = |proof: &&Proof| {
            headers += proof.block.headers().count();
            headers <= BATCH
        };
        let count = proofs.iter().take_while(fits).count().max(1);
        let (part, rest) = proofs.split_at_checked(count)?;
        proofs = rest;
        Some(part)
    })
}

fn judge_blocks(engine: &Engine, trusted: &Trusted, proofs: &[Proof], terms: Terms) -> Vec<Judged> {
    let mut headers = Batch::open(Algorithm::Keccak256);
    for header in proofs.iter().flat_map(|proof| proof.block.headers()) {
        let header = [&HEADER_TAG[..], &header.encode()].concat();
        headers.push(Job::Hash { message: &header }).expect(FITS);
    }
    let headers = resolve(engine, headers.seal(), terms);
    let mut digests = headers.digests().map(|digest| Hash::from(*digest));
    let mut of = |proof: &Proof| -> Vec<_> {
        digests.by_ref().take(1 + proof.block.descendants.len()).collect()
    };
    let hashes: Vec<Vec<Hash>> = proofs.iter().map(&mut of).collect();

    let mut by_epoch: BTreeMap<u64, (&Arc<Committee>, Vec<usize>)> = BTreeMap::new();
    let mut blocks: Vec<Result<(), Refusal>> = Vec::with_capacity(proofs.len());
    for (at, proof) in proofs.iter().enumerate() {
        let committee = trusted.committee(&proof.block, &hashes[at]);
        blocks.push(committee.map(|committee| {
            let epoch = by_epoch.entry(proof.block.last().epoch);
            epoch.or_insert((committee, Vec::new())).1.push(at);
        }));
    }
    for (committee, of) in by_epoch.into_values() {
        let vote = |&at: &usize| {
            let block = &proofs[at].block;
            let last = hashes[at].last().expect("a block has a header");
            (block.vote(last), &block.certificate)
        };
        let valid = committee.verify_certificates(of.iter().map(vote));
        for (at, valid) in of.into_iter().zip(valid) {
            if !valid {
                blocks[at] = Err(Refusal::BadVote);
            }
        }
    }
    let judged = |((hashes, block), proof): ((Vec<Hash>, Result<(), Refusal>), &Proof)| {
        // Until the senders are known.
        let sender = Err(block.err().unwrap_or(Refusal::BadSignature));
        Judged { hash: hashes[0], block, senders: vec![sender; proof.transactions.len()] }
    };
    hashes.into_iter().zip(blocks).zip(proofs).map(judged).collect()
}

/// Who sent transactions of final blocks, if they are in them.
pub(crate) fn included_senders(
    engine: &Engine,
    all: &[(&Proof, &Included)],
    terms: Terms,
) -> Vec<Result<Address, Refusal>> {
    let transactions: Vec<&SignedTransaction> =
        all.iter().map(|(_, included)| &included.transaction).collect();
    let hashes = transaction::hashes(engine, &transactions, terms).expect(FITS);
    let mut paths = Batch::open(Algorithm::MerkleProofSha256d);
    let mut placed = Vec::with_capacity(all.len());
    for (&(proof, included), hashes) in all.iter().zip(&hashes) {
        let Included { index, path, .. } = included;
        let header = &proof.block.header;
        placed.push(included.placed(header));
        let (leaf, root) = (&hashes.id, &header.transactions_root);
        // One that has no place has a verdict already: its job keeps the others' order.
        let path = &path.siblings()[..path.siblings().len().min(32)];
        paths.push(Job::MerkleProof { leaf, index: *index, path, root }).expect(FITS);
    }
    let paths = resolve(engine, paths.seal(), terms);
    let senders = transaction::senders(engine, &transactions, &hashes, terms).expect(FITS);
    let verdicts = placed.into_iter().zip(paths.verdicts()).zip(senders);
    let sender =
        |((placed, path), sender): ((Result<(), Refusal>, sigmill::Verdict), Option<_>)| {
            placed?;
            if !path.is_valid() {
                return Err(Refusal::WrongRoot);
            }
            sender.ok_or(Refusal::BadSignature)
        };
    verdicts.map(sender).collect()
}

const FITS: &str = "a batch holds more than a part";

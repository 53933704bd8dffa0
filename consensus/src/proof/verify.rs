//! Verifies many proofs at once: votes of headers, then senders of transactions.

use std::collections::BTreeMap;

use sigmill::{Algorithm, Batch, Engine, Job, Terms};

use super::{FinalHeader, Included, Proof, Refusal, Trusted, depth};
use crate::Hash;
use crate::address::Address;
use crate::block::{HEADER_BYTES, HEADER_TAG, Header};
use crate::resolve::{Pending, at_once, resolve, submit};
use crate::scheme::Judging;
use crate::transaction::{self, Hashes, SignedTransaction};

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

/// Headers of a batch. While the engine verifies the votes of one, the next is filled.
const HEADERS: usize = 512;
/// Transactions of a batch. While the engine computes paths and senders of one, the next is filled.
const TRANSACTIONS: usize = 4_096;
/// As many proofs, or transactions, are few: to hand them over takes longer than to compute them.
const FEW: usize = 32;

/// Judges all proofs, in order. Batches: header hashes, votes, transaction hashes, paths, and two for
/// the senders. No fault of a device is a refusal.
pub fn verify(engine: &Engine, trusted: &Trusted, proofs: &[Proof], terms: Terms) -> Vec<Judged> {
    let blocks: Vec<_> = proofs.iter().map(|proof| &proof.block).collect();
    let transactions: usize = proofs.iter().map(|proof| proof.transactions.len()).sum();
    let terms = terms_for(blocks.len().max(transactions), terms);
    let voting = Voting::begin(engine, trusted, &blocks, terms);
    let mut open = Vec::new();
    for (at, proof) in proofs.iter().enumerate().filter(|(at, _)| voting.is_open(*at)) {
        open.extend((0..proof.transactions.len()).map(|index| (at, index)));
    }
    let one =
        |&(at, index): &(usize, usize)| (&proofs[at].block.header, &proofs[at].transactions[index]);
    let hash = |part: &[_]| Hashing::begin(engine, part.iter().map(one).collect(), terms);
    // The first hashes are on their way beside the votes; the others wait for the verdicts on these.
    let mut later = open.split_off(TRANSACTIONS.min(open.len()));
    let first = hash(&open);
    let blocks = voting.wait();
    later.retain(|(at, _)| blocks[*at].1.is_ok());

    let parts = std::iter::once(first).chain(later.chunks(TRANSACTIONS).map(hash));
    let senders = finish(engine, parts, terms);
    let judge = |((hash, block), proof): ((Hash, Result<(), Refusal>), &Proof)| {
        // Until the senders are known.
        let sender = Err(block.err().unwrap_or(Refusal::BadSignature));
        Judged { hash, block, senders: vec![sender; proof.transactions.len()] }
    };
    let mut judged: Vec<_> = blocks.into_iter().zip(proofs).map(judge).collect();
    for ((at, index), sender) in open.into_iter().chain(later).zip(senders) {
        if judged[at].block.is_ok() {
            judged[at].senders[index] = sender;
        }
    }
    judged
}

/// Few are computed on this thread, where that ends first.
fn terms_for(count: usize, terms: Terms) -> Terms {
    if count <= FEW { at_once(terms) } else { terms }
}

/// The votes of headers: the hash of each block's header, and whether the block is final.
#[cfg_attr(not(feature = "validator"), allow(dead_code, reason = "for proofs of state"))]
pub(crate) fn votes(
    engine: &Engine,
    trusted: &Trusted,
    blocks: &[&FinalHeader],
    terms: Terms,
) -> Vec<(Hash, Result<(), Refusal>)> {
    Voting::begin(engine, trusted, blocks, terms).wait()
}

/// The paths of transactions to the roots of given headers, and their senders.
#[cfg_attr(not(feature = "validator"), allow(dead_code, reason = "for deliveries"))]
pub(crate) fn senders(
    engine: &Engine,
    all: &[(&Header, &Included)],
    terms: Terms,
) -> Vec<Result<Address, Refusal>> {
    let terms = terms_for(all.len(), terms);
    let hash = |part: &[_]| Hashing::begin(engine, part.to_vec(), terms);
    finish(engine, all.chunks(TRANSACTIONS).map(hash), terms)
}

/// Blocks whose votes are being verified.
struct Voting<'a> {
    trusted: &'a Trusted,
    blocks: Vec<&'a FinalHeader>,
    /// Of all headers of each block.
    hashes: Vec<Vec<Hash>>,
    /// By block: what refuses it whatever its votes say.
    judged: Vec<Result<(), Refusal>>,
    /// By the first epoch of the committee that has to have signed: blocks, and their votes.
    judging: BTreeMap<u64, (Vec<usize>, Judging<'a>)>,
}

impl<'a> Voting<'a> {
    /// Hashes the headers, part by part, and submits the votes of each.
    fn begin(
        engine: &Engine,
        trusted: &'a Trusted,
        blocks: &[&'a FinalHeader],
        terms: Terms,
    ) -> Self {
        let blocks = blocks.to_vec();
        let hashes = Vec::with_capacity(blocks.len());
        let judged = Vec::with_capacity(blocks.len());
        let mut voting = Voting { trusted, blocks, hashes, judged, judging: BTreeMap::new() };
        while voting.hashes.len() < voting.blocks.len() {
            voting.part(engine, terms);
        }
        voting
    }

    /// Goes on with the next blocks, whose headers make a batch.
    fn part(&mut self, engine: &Engine, terms: Terms) {
        let mut batch = Batch::open(Algorithm::Keccak256);
        let mut bytes = [0; HEADER_TAG.len() + HEADER_BYTES];
        bytes[..HEADER_TAG.len()].copy_from_slice(HEADER_TAG);
        let (start, mut headers) = (self.hashes.len(), 0);
        let fits = |block: &&&FinalHeader| {
            headers += 1 + block.descendants.len();
            headers <= HEADERS
        };
        let count = self.blocks[start..].iter().take_while(fits).count().max(1);
        let part = start..start + count;
        for header in self.blocks[part.clone()].iter().flat_map(|block| block.headers()) {
            bytes[HEADER_TAG.len()..].copy_from_slice(&header.encode());
            batch.push(Job::Hash { message: &bytes }).expect(FITS);
        }
        let resolved = resolve(engine, batch.seal(), terms);
        let mut digests = resolved.digests().map(|digest| Hash::from(*digest));
        for at in part {
            let block = self.blocks[at];
            let hashes: Vec<_> = digests.by_ref().take(1 + block.descendants.len()).collect();
            let judged = self.push(at, &hashes);
            self.judged.push(judged);
            self.hashes.push(hashes);
        }
        self.judging.values_mut().for_each(|(_, judging)| judging.submit());
    }

    /// Adds a block to those that the committee of its epoch has to have signed.
    fn push(&mut self, at: usize, hashes: &[Hash]) -> Result<(), Refusal> {
        let block = self.blocks[at];
        let (from, committee) = self.trusted.expected(block, hashes)?;
        let few = self.blocks.len() <= FEW;
        let entry = self.judging.entry(from);
        let (of, judging) = entry.or_insert_with(|| (Vec::new(), committee.judging(few)));
        of.push(at);
        let last = hashes.last().expect("a block has a header");
        let message = block.vote(last).signed_bytes(self.trusted.chain());
        judging.push(&message, &block.certificate);
        Ok(())
    }

    /// Whether nothing but its votes can refuse a block.
    fn is_open(&self, at: usize) -> bool {
        self.judged[at].is_ok()
    }

    /// Waits: each block's hash, and whether it is final.
    fn wait(self) -> Vec<(Hash, Result<(), Refusal>)> {
        let mut blocks = self.judged;
        for (of, judging) in self.judging.into_values() {
            for (at, valid) in of.into_iter().zip(judging.wait()) {
                if !valid {
                    blocks[at] = Err(Refusal::BadVote);
                }
            }
        }
        stale(self.trusted, &self.blocks, &self.hashes, &mut blocks);
        self.hashes.into_iter().map(|hashes| hashes[0]).zip(blocks).collect()
    }
}

/// Names the set that signed where one did that was in force before.
fn stale(
    trusted: &Trusted,
    blocks: &[&FinalHeader],
    hashes: &[Vec<Hash>],
    judged: &mut [Result<(), Refusal>],
) {
    for (from, committee) in trusted.newest_first() {
        let is_later = |at: &usize| {
            let (epoch, other) = (blocks[*at].last().epoch, from);
            trusted.at(epoch).is_some_and(|(from, _)| other < from)
                && matches!(judged[*at], Err(Refusal::NoQuorum { .. } | Refusal::BadVote))
        };
        let refused: Vec<_> = (0..blocks.len()).filter(is_later).collect();
        let votes = refused.iter().map(|&at| {
            let last = hashes[at].last().expect("a block has a header");
            (blocks[at].vote(last), &blocks[at].certificate)
        });
        for (&at, valid) in refused.iter().zip(committee.verify_certificates(votes)) {
            if valid {
                let epoch = blocks[at].last().epoch;
                judged[at] = Err(Refusal::StaleSet { epoch, from });
            }
        }
    }
}

/// Transactions that are being hashed.
struct Hashing<'a> {
    all: Vec<(&'a Header, &'a Included)>,
    hashes: Pending<'a>,
}

impl<'a> Hashing<'a> {
    fn begin(engine: &'a Engine, all: Vec<(&'a Header, &'a Included)>, terms: Terms) -> Self {
        let batch = transaction::hash_batch(&transactions(&all)).expect(FITS);
        Hashing { all, hashes: submit(engine, batch, terms) }
    }

    /// Submits the paths and the signatures.
    fn prove(self, engine: &'a Engine, terms: Terms) -> Proving<'a> {
        let hashes = transaction::read_hashes(&self.hashes.wait());
        let signatures = transaction::recover_batch(&transactions(&self.all), &hashes);
        let recovered = submit(engine, signatures.expect(FITS), terms);
        let mut paths = Batch::open(Algorithm::MerkleProofSha256d);
        for ((header, Included { index, path, .. }), Hashes { id: leaf, .. }) in
            self.all.iter().zip(&hashes)
        {
            // One that has no place is refused anyway: its job keeps the others' order.
            let path = &path.siblings()[..path.siblings().len().min(32)];
            let root = &header.transactions_root;
            paths.push(Job::MerkleProof { leaf, index: *index, path, root }).expect(FITS);
        }
        Proving { all: self.all, paths: submit(engine, paths.seal(), terms), recovered }
    }
}

/// Transactions whose paths and signatures are being computed.
struct Proving<'a> {
    all: Vec<(&'a Header, &'a Included)>,
    paths: Pending<'a>,
    recovered: Pending<'a>,
}

impl Proving<'_> {
    fn wait(self, engine: &Engine, terms: Terms) -> Vec<Result<Address, Refusal>> {
        let paths = self.paths.wait();
        let senders = transaction::addresses(engine, &self.recovered.wait(), terms).expect(FITS);
        let places = self.all.iter().map(|(header, included)| has_place(header, included));
        let judged = places.zip(paths.verdicts()).zip(senders).map(|((place, path), sender)| {
            place?;
            if !path.is_valid() {
                return Err(Refusal::WrongRoot);
            }
            sender.ok_or(Refusal::BadSignature)
        });
        judged.collect()
    }
}

/// Hashes one part ahead: meanwhile the engine computes the paths and senders of the part before.
fn finish<'a>(
    engine: &'a Engine,
    parts: impl Iterator<Item = Hashing<'a>>,
    terms: Terms,
) -> Vec<Result<Address, Refusal>> {
    let mut parts = parts.fuse();
    let mut hashing = parts.next();
    let mut proving: Option<Proving<'_>> = None;
    let mut senders = Vec::new();
    while hashing.is_some() || proving.is_some() {
        let next = parts.next();
        let proved = hashing.map(|part| part.prove(engine, terms));
        if let Some(part) = std::mem::replace(&mut proving, proved) {
            senders.extend(part.wait(engine, terms));
        }
        hashing = next;
    }
    senders
}

fn transactions<'a>(all: &[(&'a Header, &'a Included)]) -> Vec<&'a SignedTransaction> {
    all.iter().map(|(_, included)| &included.transaction).collect()
}

/// Whether a transaction can be one of the header's.
pub(crate) fn has_place(header: &Header, included: &Included) -> Result<(), Refusal> {
    let Included { index, path, transaction } = included;
    if *index >= header.transactions || path.siblings().len() != depth(header.transactions) {
        return Err(Refusal::NoSuchPlace);
    }
    match transaction.transaction.chain {
        chain if chain != header.chain => Err(Refusal::ForeignTransaction(chain)),
        _ => Ok(()),
    }
}

const FITS: &str = "a batch holds more than a part";

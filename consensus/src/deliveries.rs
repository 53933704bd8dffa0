//! What other chains say here: proofs inside transactions, judged in batches (SPEC.md, 18).
//!
//! ```text
//! proof -> headers, paths, senders: a Delivered, whatever the state (remembered)
//! Delivered, the validators that the parent's state believes -> votes
//! ```

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use sigmill::Terms;

use crate::Hash;
use crate::address::Address;
use crate::block::Header;
use crate::crypto::Crypto;
use crate::proof::{self, Included, Proof, Refusal, has_place};
use crate::scheme::Committee;
use crate::transaction::SignedTransaction;

/// What a delivery says, if the votes are its chain's.
#[derive(Debug)]
pub struct Delivered {
    proof: Arc<Proof>,
    /// The last header's hash, which the votes are for.
    last: Hash,
    /// Who sent each of its transactions, in order.
    pub senders: Vec<Address>,
    /// Whose votes they were found to be, or not.
    votes: Mutex<Option<Votes>>,
}

/// Whose they should be, and whether they are.
type Votes = (Arc<Committee>, Result<(), Refusal>);

impl Delivered {
    /// The chain that it comes from.
    pub fn chain(&self) -> Hash {
        self.proof.block.header.chain
    }

    /// The epoch of its votes.
    pub fn epoch(&self) -> u64 {
        self.proof.block.last().epoch
    }

    fn votes_of(&self, committee: &Arc<Committee>) -> Option<Result<(), Refusal>> {
        let votes = self.votes.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, verdict) = votes.as_ref()?;
        Arc::ptr_eq(known, committee).then_some(*verdict)
    }
}

/// Whether each delivery has the votes of the committee beside it: one batch a committee. What was
/// judged before with the same committee is not judged again.
pub fn judge_votes(all: &[(&Delivered, &Arc<Committee>)]) -> Vec<Result<(), Refusal>> {
    let mut verdicts: Vec<_> = all.iter().map(|(one, committee)| one.votes_of(committee)).collect();
    let mut open: Vec<usize> = (0..all.len()).filter(|&at| verdicts[at].is_none()).collect();
    open.sort_by_key(|&at| Arc::as_ptr(all[at].1));
    for same in open.chunk_by(|&a, &b| Arc::ptr_eq(all[a].1, all[b].1)) {
        let committee = all[same[0]].1;
        let vote = |&at: &usize| {
            let one = all[at].0;
            (one.proof.block.vote(&one.last), &one.proof.block.certificate)
        };
        let valid = committee.verify_certificates(same.iter().map(vote));
        for (&at, valid) in same.iter().zip(valid) {
            let one = all[at].0;
            let quorum = proof::quorum(committee, &one.proof.block);
            let verdict = quorum.and(if valid { Ok(()) } else { Err(Refusal::BadVote) });
            *one.votes.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((committee.clone(), verdict));
            verdicts[at] = Some(verdict);
        }
    }
    verdicts.into_iter().flatten().collect()
}

/// Deliveries that were judged of late, by the hash of their transaction. Two generations, as
/// [`SenderCache`](crate::SenderCache) has; shared between threads.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<[HashMap<[u8; 32], Arc<Delivered>>; 2]>);

/// Deliveries of a generation: each takes 20 bytes a transaction besides its proof, which has 64 KiB
/// at most.
const GENERATION: usize = 512;

impl Deliveries {
    fn get(&self, id: &[u8; 32]) -> Option<Arc<Delivered>> {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.iter().find_map(|one| one.get(id)).cloned()
    }

    fn put(&self, id: [u8; 32], one: Arc<Delivered>) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations[0].len() >= GENERATION {
            generations[1] = mem::take(&mut generations[0]);
        }
        generations[0].insert(id, one);
    }

    /// Judges all that needs no state: one batch a kind over those that are not known.
    ///
    /// # Errors
    /// The first [`Refusal`] of each.
    pub fn judge(
        &self,
        crypto: &Crypto,
        all: &[([u8; 32], &Arc<Proof>)],
        terms: Terms,
    ) -> Vec<Result<Arc<Delivered>, Refusal>> {
        let mut judged: Vec<_> = all.iter().map(|(id, _)| self.get(id).map(Ok)).collect();
        let open: Vec<usize> = (0..all.len()).filter(|&at| judged[at].is_none()).collect();
        let proofs = open.iter().map(|&at| &**all[at].1);
        let list: Vec<(&Header, &Included)> = proofs
            .flat_map(|proof| proof.transactions.iter().map(move |one| (&proof.block.header, one)))
            .collect();
        let senders = match crypto {
            Crypto::Engine(engine) => proof::senders(engine, &list, terms),
            Crypto::Libsecp256k1 => on_host(crypto, &list, terms),
        };
        let mut senders = senders.into_iter();
        for at in open {
            let (id, proof) = all[at];
            let count = proof.transactions.len();
            let senders: Result<Vec<_>, _> =
                senders.by_ref().take(count).collect::<Vec<_>>().into_iter().collect();
            let one = senders.and_then(|senders| {
                let hashes: Vec<Hash> = proof.block.headers().map(Header::hash).collect();
                proof.block.linked(&proof.block.header.chain, &hashes)?;
                let (proof, last) = (proof.clone(), hashes[hashes.len() - 1]);
                Ok(Arc::new(Delivered { proof, last, senders, votes: Mutex::default() }))
            });
            if let Ok(one) = &one {
                self.put(id, one.clone());
            }
            judged[at] = Some(one);
        }
        judged.into_iter().flatten().collect()
    }
}

/// What [`proof::senders`] says, without an engine.
fn on_host(
    crypto: &Crypto,
    all: &[(&Header, &Included)],
    terms: Terms,
) -> Vec<Result<Address, Refusal>> {
    let list: Vec<&SignedTransaction> = all.iter().map(|(_, one)| &one.transaction).collect();
    let hashes = crypto.hashes(&list, terms);
    let senders = crypto.senders(&list, &hashes, terms);
    let roots: Vec<[u8; 32]> = all
        .par_iter()
        .zip(&hashes)
        .map(|((_, one), hashes)| one.path.root(one.index, hashes.id))
        .collect();
    let judge = |(((header, one), root), sender): ((&(&Header, &Included), _), Option<_>)| {
        has_place(header, one)?;
        match root == header.transactions_root {
            true => sender.ok_or(Refusal::BadSignature),
            false => Err(Refusal::WrongRoot),
        }
    };
    all.iter().zip(roots).zip(senders).map(judge).collect()
}

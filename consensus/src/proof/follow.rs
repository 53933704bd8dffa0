//! The chain of sets: who validates next, by decree of those who do now (SPEC.md, 17).

use std::time::Duration;

use sigmill::{Engine, Terms};

use super::{Checkpoint, MOST_SETS, Proof, Trusted, verify};
use crate::decree::Order;
use crate::scheme::{Committee, CommitteeError, Engines};
use crate::sets::ValidatorSet;
use crate::transaction::Action;

impl Checkpoint {
    /// Takes over the sets that these proofs show to be decreed, in any order, and gives how many. What
    /// proves nothing under the sets that are known by then changes nothing. Of more than [`MOST_SETS`]
    /// the latest stay.
    ///
    /// A decree in a final block has taken effect: a block holds no other.
    ///
    /// # Errors
    /// [`CommitteeError`]: the engine has no room for the keys of a set.
    pub fn follow(
        &mut self,
        engine: &Engine,
        trusted: &mut Trusted,
        proofs: &[Proof],
        (engines, deadline): (&Engines, Duration),
        terms: Terms,
    ) -> Result<usize, CommitteeError> {
        let decreeing: Vec<&Proof> =
            proofs.iter().filter(|proof| decreed(proof).next().is_some()).collect();
        let mut open: Vec<Proof> = decreeing.into_iter().cloned().collect();
        let mut added = 0;
        loop {
            let judged = verify(engine, trusted, &open, terms);
            let newest = self.sets.last().map_or(0, |set| set.from);
            let all = open.iter().zip(&judged).flat_map(|(proof, judged)| {
                decreed(proof).filter(|(place, _)| judged.senders[*place].is_ok())
            });
            // The next one first: it says who may decree the one after.
            let next = all.map(|(_, set)| set).filter(|set| set.from > newest);
            let Some(set) = next.min_by_key(|set| set.from).cloned() else { return Ok(added) };
            let committee = Committee::new(self.chain, &set.validators, engines.clone(), deadline)?;
            trusted.insert(set.from, committee);
            open.retain(|proof| decreed(proof).any(|(_, other)| other.from > set.from));
            self.sets.push(set);
            if self.sets.len() > MOST_SETS {
                trusted.remove(self.sets.remove(0).from);
            }
            added += 1;
        }
    }
}

/// The sets that a proof's transactions decree, with their places.
fn decreed(proof: &Proof) -> impl Iterator<Item = (usize, &ValidatorSet)> {
    let all = proof.transactions.iter().enumerate();
    all.filter_map(|(place, included)| match &included.transaction.transaction.action {
        Action::Decree(decree) => match &decree.draft.order {
            Order::Validators(set) => Some((place, set)),
            Order::Link { .. } => None,
        },
        _ => None,
    })
}

//! The validators that a verifier trusts.

use std::collections::BTreeMap;
use std::sync::Arc;

use sigmill::Engine;

use super::{FinalHeader, Refusal};
use crate::Hash;
use crate::scheme::Committee;

/// The committees of a chain that a verifier trusts, by the first epoch in which they are in force.
#[derive(Clone, Debug)]
pub struct Trusted {
    chain: Hash,
    committees: BTreeMap<u64, Arc<Committee>>,
}

impl Trusted {
    /// Nobody yet.
    pub fn none(chain: Hash) -> Self {
        Trusted { chain, committees: BTreeMap::new() }
    }

    /// A committee that is in force from an epoch on.
    pub fn new(chain: Hash, from: u64, committee: Arc<Committee>) -> Self {
        Trusted { chain, committees: BTreeMap::from([(from, committee)]) }
    }

    /// Adds one that is in force from an epoch on, until the next.
    pub fn insert(&mut self, from: u64, committee: Arc<Committee>) {
        self.committees.insert(from, committee);
    }

    /// Forgets the one that is in force from an epoch on.
    pub fn remove(&mut self, from: u64) {
        self.committees.remove(&from);
    }

    /// The engine of its committees; `None` without any.
    pub(super) fn engine(&self) -> Option<&Engine> {
        self.committees.values().next().map(|committee| committee.engine())
    }

    /// The chain.
    pub fn chain(&self) -> Hash {
        self.chain
    }

    /// The committee in force at an epoch, and its first epoch.
    pub(super) fn at(&self, epoch: u64) -> Option<(u64, &Arc<Committee>)> {
        self.committees.range(..=epoch).next_back().map(|(from, committee)| (*from, committee))
    }

    /// All, with their first epochs.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = (u64, &Arc<Committee>)> {
        self.committees.iter().rev().map(|(from, committee)| (*from, committee))
    }

    /// What can be said of a block whose headers have these hashes without its votes: the committee that
    /// has to have signed, and its first epoch.
    pub(super) fn expected(
        &self,
        block: &FinalHeader,
        hashes: &[Hash],
    ) -> Result<(u64, &Arc<Committee>), Refusal> {
        block.linked(&self.chain, hashes)?;
        let epoch = block.last().epoch;
        let (from, committee) = self.at(epoch).ok_or(Refusal::UnknownEpoch(epoch))?;
        quorum(committee, block)?;
        Ok((from, committee))
    }
}

/// Whether as many signed as a committee's certificate needs.
pub(crate) fn quorum(committee: &Committee, block: &FinalHeader) -> Result<(), Refusal> {
    let signers = &block.certificate.signers;
    let (count, validators) = (signers.count(), signers.len());
    let (quorum, expected) = (committee.quorum(), committee.len());
    match validators == expected && count >= quorum {
        true => Ok(()),
        false => Err(Refusal::NoQuorum { signers: count, validators, quorum, expected }),
    }
}

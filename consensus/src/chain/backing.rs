//! Transactions that stand on validators' votes: deliveries of other chains, decrees of this one.

use std::sync::{Arc, Mutex, PoisonError};

use commonware_parallel::Strategy;

use super::{Chain, Refused, Runtime};
use crate::Hash;
use crate::deliveries::{Delivered, judge_votes};
use crate::ledger::Fault;
use crate::proof::Refusal;
use crate::scheme::{Committee, CommitteeError};
use crate::sets::{Head, ValidatorSet};
use crate::transaction::{Action, Signed};

/// Committees that are kept with the tables of their keys.
const COMMITTEES: usize = 64;

/// The committees that were believed of late, the last used first.
#[derive(Debug)]
pub(super) struct Believed {
    template: Arc<Committee>,
    known: Mutex<Vec<(Hash, ValidatorSet, Arc<Committee>)>>,
}

impl Believed {
    /// None yet; they verify as this one does.
    pub fn new(template: Arc<Committee>) -> Self {
        Believed { template, known: Mutex::default() }
    }

    fn committee(&self, chain: Hash, set: ValidatorSet) -> Result<Arc<Committee>, CommitteeError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let place = known.iter().position(|one| one.0 == chain && one.1 == set);
        let one = match place {
            Some(place) => known.remove(place),
            None => {
                known.truncate(COMMITTEES - 1);
                let committee = match self.template.of(chain, &set.validators) {
                    Ok(committee) => committee,
                    // No room for the tables: those of the others are made again when they come.
                    Err(_) => {
                        known.clear();
                        self.template.of(chain, &set.validators)?
                    }
                };
                (chain, set, committee)
            }
        };
        let committee = one.2.clone();
        known.insert(0, one);
        Ok(committee)
    }
}

impl<E: Runtime, S: Strategy> Chain<E, S> {
    /// Why the votes are not there that a transaction stands on, for those of a block on top of
    /// `parent`, or of the next one: place, fault.
    pub(crate) async fn unbacked<'a>(
        &self,
        context: &E,
        parent: &Hash,
        epoch: u64,
        list: impl Iterator<Item = (usize, Signed<'a>, Option<&'a Arc<Delivered>>)>,
    ) -> Result<Vec<(usize, Fault)>, Refused> {
        let mut faults = Vec::new();
        let (mut places, mut open) = (Vec::new(), Vec::new());
        for (place, one, delivered) in list {
            match (&one.transaction.transaction.action, delivered) {
                (Action::Deliver(_), Some(delivered)) => {
                    match self.believed(parent, delivered.chain(), delivered.epoch()).await? {
                        Ok(committee) => {
                            places.push(place);
                            open.push((delivered.clone(), committee));
                        }
                        Err(fault) => faults.push((place, fault)),
                    }
                }
                (Action::Decree(decree), _) => {
                    let backed = decree.draft.epoch == epoch && {
                        let committee = self.own(parent, epoch).await?;
                        decree.is_signed_by(self.0.id, &committee)
                    };
                    if !backed {
                        faults.push((place, Fault::NoDecree));
                    }
                }
                _ => {}
            }
        }
        if !open.is_empty() {
            // On a thread that may wait for a device.
            let judge = move |_| async move {
                let pairs: Vec<_> =
                    open.iter().map(|(one, committee)| (&**one, committee)).collect();
                judge_votes(&pairs)
            };
            let judged = context.child("votes").shared(true).spawn(judge).await;
            // A task that was aborted is that of a validator that stops.
            let Ok(judged) = judged else { return std::future::pending().await };
            let refused = places.into_iter().zip(judged);
            faults.extend(
                refused
                    .filter_map(|(place, verdict)| Some((place, Fault::Unproven(verdict.err()?)))),
            );
        }
        faults.sort_by_key(|(place, _)| *place);
        Ok(faults)
    }

    /// Whose votes count for another chain's epoch, in the state after a block.
    async fn believed(
        &self,
        block: &Hash,
        chain: Hash,
        epoch: u64,
    ) -> Result<Result<Arc<Committee>, Fault>, Refused> {
        let Some(head) = self.0.ledger.head(block, &chain).await? else {
            return Ok(Err(Fault::Unlinked));
        };
        match self.set(block, &chain, &head, epoch).await? {
            Some(set) => Ok(Ok(self.0.believed.committee(chain, set)?)),
            None => Ok(Err(Fault::Unproven(Refusal::UnknownEpoch(epoch)))),
        }
    }

    /// The validators of this chain at an epoch, in the state after a block.
    async fn own(&self, block: &Hash, epoch: u64) -> Result<Arc<Committee>, Refused> {
        let id = self.0.id;
        let set = match self.0.ledger.head(block, &id).await? {
            Some(head) => self.set(block, &id, &head, epoch).await?,
            None => None,
        };
        let first = || ValidatorSet { from: 0, validators: self.0.first.clone() };
        Ok(self.0.believed.committee(id, set.unwrap_or_else(first))?)
    }

    async fn set(
        &self,
        block: &Hash,
        chain: &Hash,
        head: &Head,
        epoch: u64,
    ) -> Result<Option<ValidatorSet>, Refused> {
        match head.in_force(epoch) {
            Some(span) => Ok(Some(self.0.ledger.set(block, chain, span).await?)),
            None => Ok(None),
        }
    }
}

//! Who votes in which epoch.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use commonware_consensus::types::Epoch;
use commonware_cryptography::certificate::{Provider, Scoped};
use commonware_parallel::Strategy;

use super::journals::Journals;
use super::{NodeError, Schemes};
use crate::chain::Runtime;
use crate::genesis::{Genesis, Validator};
use crate::ledger::Ledger;
use crate::scheme::{CommitteeError, VoteScheme};

/// Epochs whose certificates can be verified: the present one, and the one before it, of whose last
/// blocks some may be on their way yet.
const KEPT: usize = 2;

/// The schemes of the last epochs, for those who verify certificates.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Mutex<BTreeMap<u64, Arc<VoteScheme>>>>);

impl Known {
    fn add(&self, epoch: u64, scheme: VoteScheme) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(epoch, Arc::new(scheme));
        while known.len() > KEPT {
            known.pop_first();
        }
    }
}

impl Provider for Known {
    type Scope = Epoch;
    type Scheme = VoteScheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<VoteScheme>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&epoch.get()).cloned().map(Scoped::scheme)
    }
}

/// An epoch in which this validator may vote.
pub(super) struct Begun {
    pub epoch: u64,
    pub scheme: VoteScheme,
    /// Partition of the journal of its votes.
    pub journal: String,
}

/// Finds out who votes in an epoch.
pub(super) struct Committees<E: Runtime> {
    context: E,
    pub genesis: Arc<Genesis>,
    pub schemes: Schemes,
    pub known: Known,
    pub journals: Journals<E>,
    /// The last set, whose keys are pinned.
    last: Option<(Vec<Validator>, VoteScheme)>,
}

impl<E: Runtime> Committees<E> {
    pub fn new(context: E, genesis: Arc<Genesis>, schemes: Schemes, journals: Journals<E>) -> Self {
        Committees { context, genesis, schemes, known: Known::default(), journals, last: None }
    }

    /// Begins an epoch, or goes on with it, where the state after the block of this height is the last
    /// final one: with the set that is in force.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn begin<S: Strategy>(
        &mut self,
        ledger: &Ledger<E, S>,
        epoch: u64,
        height: u64,
    ) -> Result<Begun, NodeError> {
        let set = ledger.set_in_force(&self.genesis.chain(), epoch).await?;
        let validators = set.map_or_else(|| self.genesis.validators.clone(), |set| set.validators);
        let scheme = match self.last.take() {
            Some((same, scheme)) if same == validators => scheme,
            _ => self.pin(validators.clone()).await?,
        };
        self.last = Some((validators, scheme.clone()));
        let journal = self.journals.begin(epoch, height).await?;
        self.known.add(epoch, scheme.clone());
        Ok(Begun { epoch, scheme, journal })
    }

    /// Pins the vote keys of a set, on a thread that may take its time.
    async fn pin(&self, validators: Vec<Validator>) -> Result<VoteScheme, CommitteeError> {
        let schemes = self.schemes.clone();
        let task = move |_| async move { schemes(&validators) };
        match self.context.child("pin").shared(true).spawn(task).await {
            Ok(scheme) => scheme,
            Err(_) => pending().await, // this validator stops
        }
    }
}

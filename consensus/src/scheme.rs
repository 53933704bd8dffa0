//! Votes and certificates: BIP 340 over secp256k1, verified in batches against pinned keys.
//!
//! commonware's `simplex` asks three questions: are these votes valid, is this certificate, are these
//! many. Each of them is one batch, whose jobs are answered one by one, so that an offender is named
//! without a second look, and a fault of a device is never an answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use commonware_cryptography::ed25519;
use commonware_utils::N3f1;
use commonware_utils::ordered::{Quorum as _, Set};
use sigmill::error::PinError;
use sigmill::{Class, Engine, PinnedKeys, Terms};

use crate::Hash;
use crate::genesis::Validator;
use crate::resolve::at_once;

mod certificate;
#[cfg(feature = "validator")]
mod consensus;
mod vote;
mod votes;

pub use certificate::{Certificate, VoteSignature};
#[cfg(feature = "validator")]
pub use consensus::VoteScheme;
pub use vote::{Proposal, VOTE_TAG, Vote, vote_namespace};
use votes::Votes;

/// Why there is no committee.
#[derive(Debug, thiserror::Error)]
pub enum CommitteeError {
    /// There is no validator, or an identity twice.
    #[error("identity keys: {0}")]
    Identities(&'static str),
    /// A vote key is none, or the engine has no room for their tables.
    #[error("vote keys: {0}")]
    Pin(#[from] PinError),
}

/// The engines that serve a committee; both may be the same.
#[derive(Clone, Debug)]
pub struct Engines {
    /// For votes and for many certificates at once.
    pub batches: Arc<Engine>,
    /// For single certificates, which `simplex` waits for in its event loop: over the CPU alone where
    /// the other has devices that are slow to begin.
    pub inline: Arc<Engine>,
}

impl Engines {
    /// One engine for everything.
    pub fn one(engine: Arc<Engine>) -> Self {
        Engines { inline: engine.clone(), batches: engine }
    }
}

/// The validators of an epoch, with the tables of their vote keys.
pub struct Committee {
    identities: Set<ed25519::PublicKey>,
    keys: PinnedKeys,
    chain: Hash,
    engines: Engines,
    terms: Terms,
}

impl Committee {
    /// Pins the vote keys: [`PinnedKeys::KEY_BYTES`] each, of the budget of `engines.batches`.
    /// `deadline` is how long votes may wait for a device before the host computes them.
    ///
    /// # Errors
    /// [`CommitteeError`].
    pub fn new(
        chain: Hash,
        validators: &[Validator],
        engines: Engines,
        deadline: Duration,
    ) -> Result<Arc<Self>, CommitteeError> {
        let terms = Terms::default().class(Class::Consensus).deadline(deadline);
        Committee::with(chain, validators, engines, terms)
    }

    fn with(
        chain: Hash,
        validators: &[Validator],
        engines: Engines,
        terms: Terms,
    ) -> Result<Arc<Self>, CommitteeError> {
        let mut sorted: Vec<_> = validators.iter().collect();
        sorted.sort();
        let identities: Vec<_> = sorted.iter().map(|one| one.identity.clone()).collect();
        let twice = |_| CommitteeError::Identities("one is there twice");
        let identities = Set::try_from(identities).map_err(twice)?;
        if identities.is_empty() {
            return Err(CommitteeError::Identities("there is none"));
        }
        let votes: Vec<_> = sorted.iter().map(|one| one.vote).collect();
        let keys = engines.batches.pin(&votes)?;
        Ok(Arc::new(Committee { identities, keys, chain, engines, terms }))
    }

    /// A committee of a chain that verifies as this one does.
    ///
    /// # Errors
    /// [`CommitteeError`].
    pub fn of(&self, chain: Hash, validators: &[Validator]) -> Result<Arc<Self>, CommitteeError> {
        let Committee { engines, terms, .. } = self;
        Committee::with(chain, validators, engines.clone(), *terms)
    }

    /// Number of validators.
    pub fn len(&self) -> usize {
        self.identities.len()
    }

    /// Never: a committee has validators.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// Votes that a certificate needs: n - f of n = 3 f + 1 and above.
    pub fn quorum(&self) -> usize {
        self.identities.quorum::<N3f1>() as usize
    }

    /// The engine for many votes at once.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engines.batches
    }

    /// Bytes of the tables of the vote keys.
    pub fn pinned_bytes(&self) -> usize {
        self.keys.bytes()
    }

    /// Whether a quorum signed what the vote says; waits for `engines.inline`.
    pub fn verify_certificate(&self, vote: &Vote<'_>, certificate: &Certificate) -> bool {
        self.verify_signed(&vote.signed_bytes(self.chain), certificate)
    }

    /// Whether a quorum signed these bytes; waits for `engines.inline`.
    pub fn verify_signed(&self, message: &[u8], certificate: &Certificate) -> bool {
        self.judge(&self.engines.inline, std::iter::once((message, certificate))) == [true]
    }

    /// The same for each of many, in order: one batch of `engines.batches` over the votes of all.
    pub fn verify_certificates<'a>(
        &self,
        certificates: impl IntoIterator<Item = (Vote<'a>, &'a Certificate)>,
    ) -> Vec<bool> {
        let signed =
            |(vote, certificate): (Vote<'_>, _)| (vote.signed_bytes(self.chain), certificate);
        self.judge(&self.engines.batches, certificates.into_iter().map(signed))
    }

    /// Whether a certificate has the form of one of this committee.
    fn is_well_formed(&self, certificate: &Certificate) -> bool {
        let signers = &certificate.signers;
        signers.len() == self.len()
            && signers.count() == certificate.signatures.len()
            && signers.count() >= self.quorum()
    }

    /// Which of the certificates are valid: one batch over the votes of all.
    fn judge<'a>(
        &self,
        engine: &Engine,
        certificates: impl IntoIterator<Item = (impl AsRef<[u8]>, &'a Certificate)>,
    ) -> Vec<bool> {
        let mut judging = Judging::new(self, engine, at_once(self.terms));
        certificates.into_iter().for_each(|(message, one)| judging.push(message.as_ref(), one));
        judging.wait()
    }

    /// Verifies certificates of which more are to come, through `engines.batches`; or of which there are
    /// few, and nothing else is done meanwhile.
    pub(crate) fn judging(&self, few: bool) -> Judging<'_> {
        let terms = if few { at_once(self.terms) } else { self.terms };
        Judging::new(self, &self.engines.batches, terms)
    }
}

/// Certificates of a committee whose votes are being verified.
pub(crate) struct Judging<'a> {
    committee: &'a Committee,
    votes: Votes<'a>,
    well_formed: Vec<bool>,
}

impl<'a> Judging<'a> {
    fn new(committee: &'a Committee, engine: &'a Engine, terms: Terms) -> Self {
        let votes = Votes::new(engine, &committee.keys, terms);
        Judging { committee, votes, well_formed: Vec::new() }
    }

    /// Adds a certificate and the bytes that it is to sign.
    pub fn push(&mut self, message: &[u8], certificate: &Certificate) {
        let index = self.well_formed.len();
        let well_formed = self.committee.is_well_formed(certificate);
        self.well_formed.push(well_formed);
        if well_formed {
            for (signer, signature) in certificate.signers.iter().zip(&certificate.signatures) {
                self.votes.push(index, message, signature, signer);
            }
        }
    }

    /// Submits the votes that have come so far.
    pub fn submit(&mut self) {
        self.votes.flush();
    }

    /// Waits: which certificates are valid, in their order.
    pub fn wait(self) -> Vec<bool> {
        let mut judged = self.well_formed;
        self.votes.resolve(|certificate, valid| judged[certificate] &= valid);
        judged
    }
}

impl fmt::Debug for Committee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committee").field("identities", &self.identities).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

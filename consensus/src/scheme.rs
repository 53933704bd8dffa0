//! Votes and certificates: BIP 340 over secp256k1, verified in batches against pinned keys.
//!
//! commonware's `simplex` asks three questions: are these votes valid, is this certificate, are these
//! many. Each of them is one batch, whose jobs are answered one by one, so that an offender is named
//! without a second look, and a fault of a device is never an answer.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use commonware_codec::types::lazy::Lazy;
use commonware_consensus::simplex::scheme::Namespace;
use commonware_consensus::simplex::types::Subject;
use commonware_cryptography::certificate::{
    AssemblyError, Attestation, Membership, Namespace as _, Scheme, Signers, Subject as _,
    Verification, Verifier, verify_then_assemble,
};
use commonware_cryptography::{Digest, ed25519};
use commonware_parallel::Strategy;
use commonware_utils::iter::NonEmpty;
use commonware_utils::ordered::{Quorum, Set};
use commonware_utils::{N3f1, Participant, union_unique};
use rand_core::CryptoRng;
use sigmill::error::PinError;
use sigmill::{Class, Engine, PinnedKeys, Terms};

use crate::Hash;
use crate::genesis::Validator;
use crate::keys::VoteKey;

mod certificate;
mod votes;

pub use certificate::{Certificate, VoteSignature};
use votes::Votes;

/// What goes before the chain's id in the namespace of votes.
pub const VOTE_TAG: &[u8; 16] = b"sigmill:bftvote1";

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
    namespace: Namespace,
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
        let namespace = Namespace::derive(&vote_namespace(chain));
        let terms = Terms::default().class(Class::Consensus).deadline(deadline);
        Ok(Arc::new(Committee { identities, keys, namespace, engines, terms }))
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

    /// Bytes of the tables of the vote keys.
    pub fn pinned_bytes(&self) -> usize {
        self.keys.bytes()
    }

    /// The bytes that a vote for the subject signs.
    fn message<D: Digest>(&self, subject: &Subject<'_, D>) -> Vec<u8> {
        union_unique(subject.namespace(&self.namespace), &subject.message())
    }

    /// Whether a certificate has the form of one of this committee.
    fn is_well_formed(&self, certificate: &Certificate) -> bool {
        let signers = &certificate.signers;
        signers.len() == self.len()
            && signers.count() == certificate.signatures.len()
            && signers.count() >= self.quorum()
    }

    /// Which of the certificates are valid: one batch over the votes of all.
    fn judge<'a, D: Digest>(
        &self,
        engine: &Engine,
        certificates: impl Iterator<Item = (Subject<'a, D>, &'a Certificate)>,
    ) -> Vec<bool> {
        let mut votes = Votes::new(engine, &self.keys, self.terms);
        let mut judged = Vec::new();
        for (index, (subject, certificate)) in certificates.enumerate() {
            let well_formed = self.is_well_formed(certificate);
            judged.push(well_formed);
            if well_formed {
                let message = self.message(&subject);
                for (signer, signature) in certificate.signers.iter().zip(&certificate.signatures) {
                    votes.push(index, &message, signature, signer);
                }
            }
        }
        votes.resolve(|certificate, valid| judged[certificate] &= valid);
        judged
    }
}

/// The namespace from which `simplex` derives those of its votes.
pub fn vote_namespace(chain: Hash) -> Vec<u8> {
    [&VOTE_TAG[..], &chain.0].concat()
}

impl fmt::Debug for Committee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committee").field("identities", &self.identities).finish_non_exhaustive()
    }
}

/// A committee as one of its validators, or an onlooker, sees it: commonware's `Scheme`.
#[derive(Clone, Debug)]
pub struct VoteScheme {
    committee: Arc<Committee>,
    me: Option<Membership>,
    key: Option<Arc<VoteKey>>,
}

impl VoteScheme {
    /// As the validator that has this vote key; `None` if none has.
    pub fn signer(committee: Arc<Committee>, key: VoteKey) -> Option<Self> {
        let public = key.public();
        let x = |index| Some(committee.keys.encoded(index)?[1..33] == public);
        let index = (0..committee.len()).find(|&index| x(index) == Some(true))?;
        let me = Some(Membership::Signer(Participant::from_usize(index)));
        Some(VoteScheme { committee, me, key: Some(Arc::new(key)) })
    }

    /// As a validator that does not vote here; `None` if the identity is none's.
    pub fn member(committee: Arc<Committee>, identity: &ed25519::PublicKey) -> Option<Self> {
        let me = Some(Membership::Member(committee.identities.index(identity)?));
        Some(VoteScheme { committee, me, key: None })
    }

    /// As one who looks on.
    pub fn onlooker(committee: Arc<Committee>) -> Self {
        VoteScheme { committee, me: None, key: None }
    }

    /// The committee.
    pub fn committee(&self) -> &Arc<Committee> {
        &self.committee
    }
}

impl Verifier for VoteScheme {
    type Subject<'a, D: Digest> = Subject<'a, D>;
    type Faults = N3f1;
    type PublicKey = ed25519::PublicKey;
    type Certificate = Certificate;

    fn verify_certificate<R: CryptoRng, D: Digest>(
        &self,
        _rng: &mut R,
        subject: Subject<'_, D>,
        certificate: &Certificate,
        _strategy: &impl Strategy,
    ) -> bool {
        let engine = &self.committee.engines.inline;
        self.committee.judge(engine, std::iter::once((subject, certificate))) == [true]
    }

    fn verify_certificates<'a, R, D, I>(
        &self,
        _rng: &mut R,
        certificates: NonEmpty<I>,
        _strategy: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: Digest,
        I: Iterator<Item = (Subject<'a, D>, &'a Certificate)>,
    {
        let engine = &self.committee.engines.batches;
        self.committee.judge(engine, certificates.into_iter()).into_iter().all(|valid| valid)
    }

    /// Needs no bisection: each signature has its own verdict.
    fn verify_certificates_bisect<'a, R, D>(
        &self,
        _rng: &mut R,
        certificates: &[(Subject<'a, D>, &'a Certificate)],
        _strategy: &impl Strategy,
    ) -> Vec<bool>
    where
        R: CryptoRng,
        D: Digest,
        Self::Subject<'a, D>: Copy,
    {
        self.committee.judge(&self.committee.engines.batches, certificates.iter().copied())
    }

    fn is_batchable() -> bool {
        true
    }

    fn max_certificate_size(participants: u32) -> usize {
        Certificate::most_bytes(participants)
    }

    fn certificate_codec_config(&self) -> usize {
        self.committee.len()
    }

    fn certificate_codec_config_unbounded() -> usize {
        u32::MAX as usize
    }
}

impl Scheme for VoteScheme {
    type Signature = VoteSignature;

    fn me(&self) -> Option<Membership> {
        self.me
    }

    fn participants(&self) -> &Set<ed25519::PublicKey> {
        &self.committee.identities
    }

    fn sign<D: Digest>(&self, subject: Subject<'_, D>) -> Option<Attestation<Self>> {
        let signer = self.me?.signer()?;
        let signature = self.key.as_ref()?.sign(&self.committee.message(&subject))?;
        Some(Attestation { signer, signature: Lazy::new(VoteSignature(signature)) })
    }

    fn verify_attestation<R: CryptoRng, D: Digest>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        attestation: &Attestation<Self>,
        strategy: &impl Strategy,
    ) -> bool {
        let one = std::iter::once(attestation.clone());
        self.verify_attestations::<R, D, _>(rng, subject, one, strategy).invalid.is_empty()
    }

    fn verify_attestations<R, D, I>(
        &self,
        _rng: &mut R,
        subject: Subject<'_, D>,
        attestations: I,
        _strategy: &impl Strategy,
    ) -> Verification<Self>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
    {
        let Committee { keys, terms, engines, .. } = &*self.committee;
        let message = self.committee.message(&subject);
        let mut votes = Votes::new(&engines.batches, keys, *terms);
        let mut entries: Vec<_> =
            attestations.into_iter().map(|attestation| (attestation, true)).collect();
        for (index, (attestation, valid)) in entries.iter_mut().enumerate() {
            let known = usize::from(attestation.signer) < self.committee.len();
            match attestation.signature.get().filter(|_| known) {
                Some(signature) => votes.push(index, &message, signature, attestation.signer),
                None => *valid = false,
            }
        }
        votes.resolve(|entry, valid| entries[entry].1 &= valid);
        let (mut verified, mut invalid) = (Vec::new(), BTreeSet::new());
        for (attestation, valid) in entries {
            if valid {
                verified.push(attestation);
            } else {
                invalid.insert(attestation.signer);
            }
        }
        Verification::new(verified, invalid.into_iter().collect())
    }

    fn optimistic_assemble<'a, R, D, I, J>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        pending: I,
        verified: J,
        strategy: &impl Strategy,
    ) -> Result<Certificate, Verification<Self>>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: ExactSizeIterator + Send,
        J: IntoIterator<Item = &'a Attestation<Self>>,
        J::IntoIter: Send,
    {
        verify_then_assemble::<_, _, D, _, _>(self, rng, subject, pending, verified, strategy)
    }

    fn assemble<I>(
        &self,
        attestations: NonEmpty<I>,
        _strategy: &impl Strategy,
    ) -> Result<Certificate, AssemblyError>
    where
        I: Iterator<Item = Attestation<Self>> + Send,
    {
        let mut votes = Vec::new();
        for Attestation { signer, signature } in attestations {
            if usize::from(signer) >= self.committee.len() {
                return Err(AssemblyError::UnknownSigner(signer));
            }
            let malformed = AssemblyError::MalformedSignature(signer);
            votes.push((signer, signature.get().cloned().ok_or(malformed)?));
        }
        votes.sort_by_key(|(signer, _)| *signer);
        let (signers, signatures): (Vec<_>, Vec<_>) = votes.into_iter().unzip();
        let signers = Signers::new(self.committee.len() as u32, signers)?;
        let (needed, found) = (self.committee.quorum(), signers.count());
        if found < needed {
            return Err(AssemblyError::InsufficientAttestations(needed as u32, found as u32));
        }
        Ok(Certificate { signers, signatures })
    }

    fn is_attributable() -> bool {
        true
    }
}

#[cfg(test)]
mod tests;

//! What commonware's `simplex` asks: its `Scheme` over a [`Committee`].

use std::collections::BTreeSet;
use std::sync::Arc;

use commonware_codec::types::lazy::Lazy;
use commonware_consensus::simplex::types::{Proposal, Subject};
use commonware_cryptography::certificate::{
    AssemblyError, Attestation, Membership, Scheme, Signers, Verification, Verifier,
    verify_then_assemble,
};
use commonware_cryptography::{Digest, ed25519};
use commonware_parallel::Strategy;
use commonware_utils::iter::NonEmpty;
use commonware_utils::ordered::{Quorum as _, Set};
use commonware_utils::{N3f1, Participant};
use rand_core::CryptoRng;

use super::votes::Votes;
use super::{Certificate, Committee, Vote, VoteSignature, vote};
use crate::keys::VoteKey;
use crate::resolve::at_once;

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

    /// As who has these keys: as the validator that has both, as a member with another vote key, or as
    /// one who looks on.
    pub fn of(committee: Arc<Committee>, identity: &ed25519::PublicKey, key: &VoteKey) -> Self {
        let place = committee.identities.index(identity);
        let signer = VoteScheme::signer(committee.clone(), key.clone())
            .filter(|signer| signer.me.and_then(|me| me.signer()) == place);
        signer
            .or_else(|| VoteScheme::member(committee.clone(), identity))
            .unwrap_or_else(|| VoteScheme::onlooker(committee))
    }

    /// The committee.
    pub fn committee(&self) -> &Arc<Committee> {
        &self.committee
    }
}

/// What a vote for commonware's subject says.
fn said<'a, D: Digest>(subject: Subject<'a, D>) -> Vote<'a> {
    let proposed = |proposal: &'a Proposal<D>| vote::Proposal {
        epoch: proposal.round.epoch().get(),
        view: proposal.round.view().get(),
        parent: proposal.parent.get(),
        payload: proposal.payload.as_ref(),
    };
    match subject {
        Subject::Notarize { proposal } => Vote::Notarize(proposed(proposal)),
        Subject::Nullify { round } => {
            Vote::Nullify { epoch: round.epoch().get(), view: round.view().get() }
        }
        Subject::Finalize { proposal } => Vote::Finalize(proposed(proposal)),
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
        self.committee.verify_certificate(&said(subject), certificate)
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
        let pairs = certificates.into_iter().map(|(subject, one)| (said(subject), one));
        self.committee.verify_certificates(pairs).into_iter().all(|valid| valid)
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
        let pairs = certificates.iter().map(|&(subject, one)| (said(subject), one));
        self.committee.verify_certificates(pairs)
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
        let message = said(subject).signed_bytes(self.committee.chain);
        let signature = self.key.as_ref()?.sign(&message)?;
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
        let Committee { keys, terms, engines, chain, .. } = &*self.committee;
        let message = said(subject).signed_bytes(*chain);
        let mut votes = Votes::new(&engines.batches, keys, at_once(*terms));
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

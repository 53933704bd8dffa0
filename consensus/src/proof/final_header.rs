//! Headers with the votes that made them final.

use commonware_cryptography::certificate::Signers;
use commonware_utils::Participant;

#[cfg(doc)]
use super::MOST_DESCENDANTS;
use super::Refusal;
use crate::Hash;
use crate::block::{HEADER_BYTES, Header};
use crate::fields::{DecodeError, Fields};
use crate::genesis::VALIDATORS_LIMIT;
use crate::scheme::{Certificate, Proposal, Vote, VoteSignature};

/// A header with the votes that made it final: its own block's, or those of a descendant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalHeader {
    /// The header.
    pub header: Header,
    /// Its child, the child's child, and so on to the block that was voted on: mostly none.
    pub descendants: Vec<Header>,
    /// The view in which that block was voted on.
    pub view: u64,
    /// The view of that block's parent, which the votes name.
    pub parent_view: u64,
    /// The votes.
    pub certificate: Certificate,
}

impl FinalHeader {
    /// The header, then its descendants.
    pub fn headers(&self) -> impl Iterator<Item = &Header> {
        std::iter::once(&self.header).chain(&self.descendants)
    }

    /// The header of the block that was voted on.
    pub fn last(&self) -> &Header {
        self.descendants.last().unwrap_or(&self.header)
    }

    /// What the votes say; `hash` is the last header's.
    pub fn vote<'a>(&self, hash: &'a Hash) -> Vote<'a> {
        let (epoch, view, parent) = (self.last().epoch, self.view, self.parent_view);
        Vote::Finalize(Proposal { epoch, view, parent, payload: &hash.0 })
    }

    /// Whether all headers, which have these hashes, are of one chain and each is the parent of the next.
    pub(crate) fn linked(&self, chain: &Hash, hashes: &[Hash]) -> Result<(), Refusal> {
        if let Some(other) = self.headers().find(|header| header.chain != *chain) {
            return Err(Refusal::WrongChain(other.chain));
        }
        let follow = self.descendants.iter().zip(hashes).all(|(child, hash)| child.parent == *hash);
        if follow { Ok(()) } else { Err(Refusal::BrokenChain) }
    }

    /// Bytes of its encoding.
    pub(super) fn encoded_bytes(&self) -> usize {
        let headers = 1 + HEADER_BYTES * (1 + self.descendants.len());
        headers + 16 + certificate_bytes(&self.certificate)
    }

    /// Appends the encoding: descendants (1), headers, view (8), parent view (8), certificate.
    ///
    /// # Panics
    /// More than [`MOST_DESCENDANTS`] descendants.
    pub(super) fn encode_into(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::try_from(self.descendants.len()).expect("a proof has fewer"));
        for header in self.headers() {
            bytes.extend_from_slice(&header.encode());
        }
        bytes.extend_from_slice(&self.view.to_be_bytes());
        bytes.extend_from_slice(&self.parent_view.to_be_bytes());
        encode_certificate(&self.certificate, bytes);
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let count = fields.u8("descendants")?;
        let mut next = || Header::decode(fields.take("header", HEADER_BYTES)?);
        let header = next()?;
        let mut descendants = Vec::new();
        for _ in 0..count {
            descendants.push(next()?);
        }
        let (view, parent_view) = (fields.u64("view")?, fields.u64("parent view")?);
        let certificate = decode_certificate(fields)?;
        Ok(FinalHeader { header, descendants, view, parent_view, certificate })
    }
}

/// Bytes of what [`encode_certificate`] writes.
pub(crate) fn certificate_bytes(Certificate { signers, signatures }: &Certificate) -> usize {
    4 + signers.len().div_ceil(8) + 64 * signatures.len()
}

/// The number of validators (4), a bit for each, the lowest of the first byte being validator 0's, and
/// the signatures of those whose bit is set (64 each).
pub(crate) fn encode_certificate(
    Certificate { signers, signatures }: &Certificate,
    bytes: &mut Vec<u8>,
) {
    bytes.extend_from_slice(&(signers.len() as u32).to_be_bytes());
    let start = bytes.len();
    bytes.resize(start + signers.len().div_ceil(8), 0);
    for signer in signers.iter() {
        let signer = usize::from(signer);
        bytes[start + signer / 8] |= 1 << (signer % 8);
    }
    for VoteSignature(signature) in signatures {
        bytes.extend_from_slice(signature);
    }
}

pub(crate) fn decode_certificate(fields: &mut Fields<'_>) -> Result<Certificate, DecodeError> {
    let validators = fields.u32("validators")?;
    let (value, limit) = (validators.into(), VALIDATORS_LIMIT as u64);
    if value > limit {
        return Err(DecodeError::Limit { field: "validators", value, limit });
    }
    let bits = fields.take("signers", (validators as usize).div_ceil(8))?;
    let set = |&n: &u32| bits[n as usize / 8] >> (n % 8) & 1 == 1;
    let all = 8 * bits.len() as u32;
    if (validators..all).any(|n| set(&n)) {
        let (field, allowed) = ("signers", "no bit beyond the last validator's");
        return Err(DecodeError::Value {
            field,
            value: (*bits.last().unwrap_or(&0)).into(),
            allowed,
        });
    }
    let signers: Vec<_> = (0..validators).filter(set).map(Participant::new).collect();
    let mut signatures = Vec::new();
    for _ in &signers {
        signatures.push(VoteSignature(fields.array("signature")?));
    }
    let none = DecodeError::Value { field: "signers", value: 0, allowed: "one signer or more" };
    let signers =
        Signers::new(validators, signers).ok().filter(|one| one.count() > 0).ok_or(none)?;
    Ok(Certificate { signers, signatures })
}

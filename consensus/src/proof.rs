//! Proofs of what is final: small, and checked without a validator (SPEC.md, 16).
//!
//! ```text
//! quorum's votes -> block header -> root of its transactions -> path -> transaction -> its sender
//! ```
//!
//! Each arrow is one batch for all proofs that are verified together: [`verify`].

use commonware_cryptography::certificate::Signers;
use commonware_utils::Participant;

use crate::Hash;
use crate::block::{HEADER_BYTES, Header};
use crate::fields::{DecodeError, Fields};
use crate::genesis::VALIDATORS_LIMIT;
use crate::scheme::{Certificate, Proposal, Vote, VoteSignature};
use crate::transaction::{Kinds, SignedTransaction};

mod path;
mod verify;

pub use path::{Path, depth, paths};
#[cfg(feature = "validator")]
pub(crate) use verify::included_senders;
pub use verify::{Judged, Refusal, Trusted, verify};

/// What every proof begins with.
pub const PROOF_TAG: &[u8; 8] = b"sigproof";
/// Most bytes of a proof's file: far more than any certificate and 1,000 transactions take.
pub const MOST_PROOF_BYTES: u64 = 1 << 20;
/// Most headers between a block and its certificate.
pub const MOST_DESCENDANTS: usize = 255;

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
}

/// A transaction with its place in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// Where it stands among the block's transactions.
    pub index: u32,
    /// From its hash to the root.
    pub path: Path,
    /// The transaction.
    pub transaction: SignedTransaction,
}

impl Included {
    /// Bytes of its part of a proof's encoding.
    pub fn encoded_bytes(&self) -> usize {
        4 + 32 * self.path.siblings().len() + self.transaction.encoded_bytes()
    }
}

/// That a block is final, and that it holds transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The block.
    pub block: FinalHeader,
    /// Some of its transactions; none is a proof of the header alone.
    pub transactions: Vec<Included>,
}

impl Proof {
    /// The encoding.
    ///
    /// # Panics
    /// More than [`MOST_DESCENDANTS`] descendants, or than 2^16 - 1 transactions.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_bytes());
        self.encode_into(&mut bytes);
        bytes
    }

    /// Bytes of its encoding.
    pub fn encoded_bytes(&self) -> usize {
        let FinalHeader { descendants, certificate, .. } = &self.block;
        let Certificate { signers, signatures } = certificate;
        PROOF_TAG.len()
            + 2
            + HEADER_BYTES * (1 + descendants.len())
            + 16
            + 4
            + signers.len().div_ceil(8)
            + 64 * signatures.len()
            + 2
            + self.transactions.iter().map(Included::encoded_bytes).sum::<usize>()
    }

    /// Appends the encoding.
    ///
    /// # Panics
    /// As [`Proof::encode`].
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        let FinalHeader { descendants, view, parent_view, certificate, .. } = &self.block;
        bytes.extend_from_slice(PROOF_TAG);
        bytes.push(1);
        bytes.push(u8::try_from(descendants.len()).expect("a proof has fewer"));
        for header in self.block.headers() {
            bytes.extend_from_slice(&header.encode());
        }
        bytes.extend_from_slice(&view.to_be_bytes());
        bytes.extend_from_slice(&parent_view.to_be_bytes());
        encode_certificate(certificate, bytes);
        let count = u16::try_from(self.transactions.len()).expect("a proof has fewer");
        bytes.extend_from_slice(&count.to_be_bytes());
        for Included { index, path, transaction } in &self.transactions {
            bytes.extend_from_slice(&index.to_be_bytes());
            bytes.extend_from_slice(path.siblings().as_flattened());
            transaction.encode_into(bytes);
        }
    }

    /// Reads one proof, the whole of the bytes. That its fields fit each other is all that is known
    /// then. Takes memory for what is there, and no more.
    ///
    /// # Errors
    /// [`DecodeError`]: the first field that no encoder writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Proof::decode_of(bytes, Kinds::All)
    }

    pub(crate) fn decode_of(bytes: &[u8], kinds: Kinds) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes);
        if fields.array(TAG)? != *PROOF_TAG {
            return Err(DecodeError::Value { field: TAG, value: 0, allowed: "\"sigproof\"" });
        }
        fields.version()?;
        let count = fields.u8("descendants")?;
        let mut header = || Header::decode(fields.take("header", HEADER_BYTES)?);
        let first = header()?;
        let mut descendants = Vec::new();
        for _ in 0..count {
            descendants.push(header()?);
        }
        let header = first;
        let (view, parent_view) = (fields.u64("view")?, fields.u64("parent view")?);
        let certificate = decode_certificate(&mut fields)?;
        let count = fields.u16("transactions")?;
        let depth = depth(header.transactions);
        let mut transactions = Vec::new();
        for _ in 0..count {
            let index = fields.u32("index")?;
            if index >= header.transactions {
                let (value, limit) = (index.into(), u64::from(header.transactions));
                return Err(DecodeError::Limit { field: "index", value, limit: limit.max(1) - 1 });
            }
            let path = Path::read(&mut fields, depth)?;
            let transaction = SignedTransaction::read(&mut fields, kinds)?;
            transactions.push(Included { index, path, transaction });
        }
        fields.end()?;
        let block = FinalHeader { header, descendants, view, parent_view, certificate };
        Ok(Proof { block, transactions })
    }
}

const TAG: &str = "tag";

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

#[cfg(test)]
mod tests;

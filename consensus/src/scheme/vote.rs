//! What votes say, and the bytes that they sign (SPEC.md, 4).

use bytes::BufMut as _;
use commonware_codec::Write as _;
use commonware_codec::varint::UInt;
use commonware_utils::union_unique;

use crate::Hash;

/// What goes before the chain's id in the namespace of votes.
pub const VOTE_TAG: &[u8; 16] = b"sigmill:bftvote1";

/// The namespace from which `simplex` derives those of its votes.
pub fn vote_namespace(chain: Hash) -> Vec<u8> {
    [&VOTE_TAG[..], &chain.0].concat()
}

/// What `simplex` votes for: a block in a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal<'a> {
    /// The epoch.
    pub epoch: u64,
    /// The view.
    pub view: u64,
    /// The view of the parent.
    pub parent: u64,
    /// The hash of the block, 32 bytes.
    pub payload: &'a [u8],
}

/// What a vote says; many make a certificate of it. It holds what commonware's `Subject` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote<'a> {
    /// The proposal is the only one of its view.
    Notarize(Proposal<'a>),
    /// The view is over without a proposal.
    Nullify {
        /// The epoch.
        epoch: u64,
        /// The view.
        view: u64,
    },
    /// The proposal is final.
    Finalize(Proposal<'a>),
}

impl Vote<'_> {
    /// The bytes that a vote on this chain signs: `varint(len ns) || ns || message`.
    pub fn signed_bytes(&self, chain: Hash) -> Vec<u8> {
        let mut message = Vec::with_capacity(62);
        let (suffix, epoch, view) = match self {
            Vote::Notarize(Proposal { epoch, view, .. }) => (&b"_NOTARIZE"[..], epoch, view),
            Vote::Nullify { epoch, view } => (&b"_NULLIFY"[..], epoch, view),
            Vote::Finalize(Proposal { epoch, view, .. }) => (&b"_FINALIZE"[..], epoch, view),
        };
        UInt(*epoch).write(&mut message);
        UInt(*view).write(&mut message);
        if let Vote::Notarize(proposal) | Vote::Finalize(proposal) = self {
            UInt(proposal.parent).write(&mut message);
            message.put_slice(proposal.payload);
        }
        union_unique(&[&vote_namespace(chain), suffix].concat(), &message)
    }
}

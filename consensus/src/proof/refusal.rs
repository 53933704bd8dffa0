//! Why proofs are refused.

use crate::Hash;

/// Why a proof proves nothing, or not of one of its transactions. The first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The block is another chain's.
    #[error("it is of chain {0}, which is not trusted")]
    WrongChain(Hash),
    /// A header is not the parent of the next.
    #[error("the headers are not one chain")]
    BrokenChain,
    /// The validators of its epoch are not known.
    #[error("the validators of epoch {0} are not known")]
    UnknownEpoch(u64),
    /// The certificate is another set's, or of too few.
    #[error("{signers} of {validators} validators signed; {quorum} of {expected} are needed")]
    NoQuorum {
        /// How many signed.
        signers: usize,
        /// Among how many.
        validators: usize,
        /// How many are needed.
        quorum: usize,
        /// Of how many.
        expected: usize,
    },
    /// The set of its epoch did not sign it, but one that was in force before did.
    #[error("the validators of epoch {epoch} did not sign it, but those from epoch {from} on did")]
    StaleSet {
        /// The last header's epoch.
        epoch: u64,
        /// First epoch of the set that signed.
        from: u64,
    },
    /// A vote is none for this block.
    #[error("a vote is none for this block")]
    BadVote,
    /// The place is not in the block, or the path has another length.
    #[error("the block has no such place")]
    NoSuchPlace,
    /// The transaction is another chain's.
    #[error("the transaction is of chain {0}")]
    ForeignTransaction(Hash),
    /// The path leads to another root.
    #[error("the path leads to another root than the header's")]
    WrongRoot,
    /// The state has another value there, or none.
    #[error("the opening leads to another root than the header's")]
    WrongState,
    /// Nobody signed the transaction.
    #[error("the transaction has no sender")]
    BadSignature,
    /// The transaction is of another kind.
    #[error("the transaction is no message")]
    NotAMessage,
}

impl Refusal {
    /// Its name, as in SPEC.md, 16.
    pub fn name(&self) -> &'static str {
        match self {
            Refusal::WrongChain(_) => "WrongChain",
            Refusal::BrokenChain => "BrokenChain",
            Refusal::UnknownEpoch(_) => "UnknownEpoch",
            Refusal::NoQuorum { .. } => "NoQuorum",
            Refusal::StaleSet { .. } => "StaleSet",
            Refusal::BadVote => "BadVote",
            Refusal::NoSuchPlace => "NoSuchPlace",
            Refusal::ForeignTransaction(_) => "ForeignTransaction",
            Refusal::WrongRoot => "WrongRoot",
            Refusal::WrongState => "WrongState",
            Refusal::BadSignature => "BadSignature",
            Refusal::NotAMessage => "NotAMessage",
        }
    }
}

//! Why a pool does not take a transaction.

use crate::fields::DecodeError;
use crate::ledger::Fault;
use crate::proof;

/// Why a transaction is not taken; the order is that of the checks (SPEC.md, 11).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its bytes are no transaction.
    #[error("no transaction: {0}")]
    Malformed(#[from] DecodeError),
    /// It is meant for another chain.
    #[error("`chain` is another chain's id")]
    WrongChain,
    /// Its last height has passed.
    #[error("`expiry` is {expiry}; the next block has height {next}")]
    Expired {
        /// The transaction's last height.
        expiry: u64,
        /// The height of the next block.
        next: u64,
    },
    /// It would stay too long.
    #[error("`expiry` is {expiry}; {limit} is the last that the next block may hold")]
    ExpiryTooFar {
        /// The transaction's last height.
        expiry: u64,
        /// The highest one allowed.
        limit: u64,
    },
    /// It moves nothing.
    #[error("`amount` is 0; 1 is the least")]
    ZeroAmount,
    /// The pool or a recent block has it.
    #[error("it is known already")]
    Known,
    /// The share of who brought it is full, or the pool is and holds nobody's with less behind it.
    #[error("the pool is full: send it again later")]
    Full,
    /// Nobody signed it.
    #[error("`signature` is nobody's")]
    BadSignature,
    /// Its sender has no account.
    #[error("its sender has no account")]
    Unfunded,
    /// Its sender has sent that many before.
    #[error("`nonce` is {nonce}; the account's next is {next}")]
    NonceUsed {
        /// The transaction's.
        nonce: u64,
        /// The account's.
        next: u64,
    },
    /// Too many of its sender would have to go before it.
    #[error("`nonce` is {nonce}; {limit} is the last that the pool takes for now")]
    NonceTooFar {
        /// The transaction's.
        nonce: u64,
        /// The highest one taken.
        limit: u64,
    },
    /// Another one of its sender has that nonce.
    #[error("another transaction of its sender in the pool has its `nonce`")]
    NonceTaken,
    /// Its sender would keep less than the least.
    #[error("its sender would keep less than the minimum balance")]
    Reserve,
    /// It would open an account with less than the least.
    #[error("`amount` is less than the minimum balance that opens an account")]
    BelowMinimum,
    /// The digest is written down already.
    #[error("the digest is recorded already")]
    RecordExists,
    /// It has no effect here, whatever goes before it.
    #[error("{0}")]
    Effect(Fault),
}

impl Refusal {
    /// Whether no honest validator passes such a transaction on: it counts against who did.
    pub fn is_offence(&self) -> bool {
        use Refusal::{BadSignature, Effect, Malformed, WrongChain, ZeroAmount};
        match self {
            Malformed(_) | WrongChain | ZeroAmount | BadSignature => true,
            // Whom another chain's votes are believed of changes, and so does the epoch.
            Effect(Fault::Unproven(why)) => !matches!(why, proof::Refusal::UnknownEpoch(_)),
            Effect(fault) => matches!(fault, Fault::OwnChain | Fault::WrongReceiver),
            _ => false,
        }
    }
}

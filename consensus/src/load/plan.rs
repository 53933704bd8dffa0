//! What is sent, and when: signed before the first transaction leaves.

use rayon::prelude::*;

use super::{Accounts, LoadError, in_range};
use crate::Hash;
use crate::transaction::{Action, MESSAGE, Message, SHORTEST, Transaction};

/// Most transfers of a plan: 8.9 GB of them, with their hashes, and 12.5 GB as messages.
pub const TRANSFERS_LIMIT: u64 = 50_000_000;
/// Most transfers a second.
const RATE_LIMIT: u64 = 1_000_000;
/// Seconds in which an account signs once.
const TURN: u64 = 60;

/// What a plan is made of.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Id of the chain.
    pub chain: Hash,
    /// Transfers a second: 1 to 1,000,000.
    pub rate: u64,
    /// For how many seconds: 1 or more.
    pub seconds: u64,
    /// The account that signs first; then they sign in turn.
    pub first: u64,
    /// The nonce of every account's first transfer; the account before `first` in the first turn
    /// signs with one more.
    pub nonce: u64,
    /// The last height at which a block may hold any of the transfers.
    pub expiry: u64,
    /// Where they go.
    pub to: Destination,
}

/// Where transfers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To accounts of the chain.
    Here,
    /// As messages to the same accounts of another chain. Their sequences count like nonces, from 0.
    Chain(Hash),
}

impl Destination {
    /// Bytes of a signed transfer.
    fn bytes(self) -> usize {
        match self {
            Destination::Here => SHORTEST,
            Destination::Chain(_) => MESSAGE,
        }
    }
}

/// Signed transfers in the order in which they are sent: each moves 1 to another account.
#[derive(Debug)]
pub struct Plan {
    terms: Terms,
    accounts: u64,
    /// The transfers, one after the other; all have one length.
    bytes: Vec<u8>,
    hashes: Vec<[u8; 32]>,
}

/// A mixing of 64 bits (splitmix64): picks recipients, no secrets.
fn mix(mut word: u64) -> u64 {
    word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The digest that a message of a plan carries: its index, so that it is known where it arrives.
fn digest(index: usize) -> [u8; 32] {
    let mut digest = [0; 32];
    digest[24..].copy_from_slice(&(index as u64).to_be_bytes());
    digest
}

impl Plan {
    /// The place of a message in its plan, by the digest that it carries.
    pub fn place(digest: &[u8; 32]) -> Option<u64> {
        let (zeros, index) = digest.split_first_chunk::<24>()?;
        (*zeros == [0; 24]).then_some(u64::from_be_bytes(index.try_into().ok()?))
    }

    /// Signs all transfers, on all cores. The same accounts and terms make the same bytes.
    ///
    /// # Errors
    /// [`LoadError::Range`], [`LoadError::Accounts`].
    pub fn sign(accounts: &Accounts, terms: Terms) -> Result<Self, LoadError> {
        let Terms { chain, rate, seconds, first, nonce, expiry, to: destination } = terms;
        let addresses = accounts.addresses();
        let count = addresses.len() as u64;
        in_range("rate", rate, 1..=RATE_LIMIT)?;
        in_range("seconds", seconds, 1..=TRANSFERS_LIMIT / rate)?;
        in_range("accounts", count, 2..=u64::MAX)?;
        in_range("first", first, 0..=count - 1)?;
        in_range("nonce", nonce, 0..=u64::MAX - TRANSFERS_LIMIT)?;
        let needed = rate * seconds.min(TURN);
        if needed > count {
            return Err(LoadError::Accounts { rate, seconds, needed, accounts: addresses.len() });
        }
        let total = (rate * seconds) as usize;
        let size = destination.bytes();
        let (mut bytes, mut hashes) = (vec![0; total * size], vec![[0; 32]; total]);
        let salt = accounts.salt();
        let slots = bytes.par_chunks_exact_mut(size).zip(&mut hashes).enumerate();
        slots.try_for_each(|(index, (slot, hash))| {
            let place = first + index as u64;
            let signer = place % count;
            let step = 1 + mix(salt ^ index as u64) % (count - 1);
            let to = addresses[((signer + step) % count) as usize];
            let action = match destination {
                Destination::Here => Action::Transfer { to, amount: 1 },
                Destination::Chain(receiver) => {
                    let (sequence, digest) = (place / count, digest(index));
                    Action::Message(Message { receiver, sequence, to, amount: 1, digest })
                }
            };
            let unsigned = Transaction { chain, nonce: nonce + place / count, expiry, action };
            let signed = unsigned.sign(&accounts.key(signer)?);
            slot.copy_from_slice(&signed.encode());
            *hash = crate::keccak(&[slot]).0;
            Ok(())
        })?;
        Ok(Plan { terms, accounts: count, bytes, hashes })
    }

    /// What it was made of.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Number of transfers.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there is none; no plan is.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Hashes of the transfers, in order.
    pub fn hashes(&self) -> &[[u8; 32]] {
        &self.hashes
    }

    /// The encoding of a transfer.
    ///
    /// # Panics
    /// Beyond the last.
    pub fn transfer(&self, index: usize) -> &[u8] {
        let size = self.terms.to.bytes();
        &self.bytes[index * size..][..size]
    }

    /// The account that signs a transfer.
    pub fn signer(&self, index: usize) -> u64 {
        (self.terms.first + index as u64) % self.accounts
    }
}

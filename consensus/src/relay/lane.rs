//! Deliveries under way: each has a nonce of the relayer's account until it is final.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tracing::{debug, warn};

use super::Progress;
use crate::Hash;
use crate::address::Address;
use crate::client::{Answer, Client, ClientError};
use crate::keys::AccountKey;
use crate::proof::Proof;
use crate::transaction::{Action, SignedTransaction, Transaction};

/// Most deliveries under way. The receiver takes as many of an account as its
/// `account_transactions` says, and refuses the others for now.
const UNDER_WAY: usize = 64;
/// Deliveries in a request: 4 MiB is its limit.
const AT_ONCE: usize = 16;
/// Heights that a delivery lives; it is signed anew when it is handed in again.
const LIFE: u64 = 100;

/// What a nonce is for.
#[derive(Debug)]
enum Cargo {
    Delivery(Arc<Proof>),
    /// It brought nothing new, and later nonces are on their way: a transfer to oneself takes its place.
    Nothing,
}

#[derive(Debug)]
struct Parcel {
    /// Height of the source's block.
    height: u64,
    cargo: Cargo,
    /// The receiver has it.
    taken: bool,
}

/// Deliveries under way, by nonce.
#[derive(Debug)]
pub(super) struct Lane {
    chain: Hash,
    key: AccountKey,
    address: Address,
    next: u64,
    parcels: BTreeMap<u64, Parcel>,
}

impl Lane {
    pub fn new(chain: Hash, key: AccountKey, nonce: u64) -> Self {
        let address = key.address();
        Lane { chain, key, address, next: nonce, parcels: BTreeMap::new() }
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    pub fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// Height of the first block of which something is under way.
    pub fn lowest(&self) -> Option<u64> {
        self.parcels.values().map(|parcel| parcel.height).min()
    }

    /// Gives nonces to proofs, in order, as long as there is room.
    pub fn load(&mut self, ahead: &mut VecDeque<(u64, Proof)>) {
        while self.parcels.len() < UNDER_WAY
            && let Some((height, proof)) = ahead.pop_front()
        {
            let cargo = Cargo::Delivery(Arc::new(proof));
            self.parcels.insert(self.next, Parcel { height, cargo, taken: false });
            self.next += 1;
        }
    }

    /// Everything is to be handed in again.
    pub fn again(&mut self) {
        self.parcels.values_mut().for_each(|parcel| parcel.taken = false);
    }

    /// Hands in what the receiver has not got.
    pub async fn hand_in(&mut self, receiver: &Client) -> Result<(), ClientError> {
        let open = self.parcels.iter().filter(|(_, parcel)| !parcel.taken);
        let nonces: Vec<u64> = open.map(|(nonce, _)| *nonce).take(AT_ONCE).collect();
        if nonces.is_empty() {
            return Ok(());
        }
        let expiry = receiver.status().await?.height.saturating_add(LIFE);
        let signed: Vec<_> = nonces.iter().map(|nonce| self.sign(*nonce, expiry)).collect();
        let answers = receiver.submit_each(&signed).await?;
        for (nonce, answer) in nonces.into_iter().zip(answers) {
            self.answered(nonce, &answer);
        }
        Ok(())
    }

    fn sign(&self, nonce: u64, expiry: u64) -> SignedTransaction {
        let action = match &self.parcels[&nonce].cargo {
            Cargo::Delivery(proof) => Action::Deliver(proof.clone()),
            Cargo::Nothing => Action::Transfer { to: self.address, amount: 1 },
        };
        Transaction { chain: self.chain, nonce, expiry, action }.sign(&self.key)
    }

    fn answered(&mut self, nonce: u64, answer: &Answer) {
        let last = self.parcels.last_key_value().is_some_and(|(last, _)| *last == nonce);
        let Some(parcel) = self.parcels.get_mut(&nonce) else { return };
        match answer {
            Answer::Hash(_) => parcel.taken = true,
            Answer::Error { code, message } => match code.as_str() {
                "Known" | "NonceTaken" | "NonceUsed" => parcel.taken = true,
                "NothingNew" if last => {
                    self.parcels.remove(&nonce);
                    self.next = nonce;
                }
                "NothingNew" => parcel.cargo = Cargo::Nothing,
                "Full" | "NonceTooFar" | "Unlinked" => debug!(nonce, code, "later"),
                _ => warn!(nonce, height = parcel.height, "{code}: {message}"),
            },
        }
    }

    /// The account has this nonce: what lies below is final.
    pub fn settle(&mut self, nonce: u64, progress: &mut Progress) {
        let later = self.parcels.split_off(&nonce);
        for parcel in std::mem::replace(&mut self.parcels, later).into_values() {
            match parcel.cargo {
                Cargo::Delivery(proof) => {
                    progress.deliveries += 1;
                    progress.messages += proof.transactions.len() as u64;
                }
                Cargo::Nothing => progress.overtaken += 1,
            }
        }
        self.next = self.next.max(nonce);
    }
}

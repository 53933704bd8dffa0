//! What transactions touch in the state, found out before it is read.

use std::collections::HashMap;
use std::ops::Range;

use crate::Hash;
use crate::decree::{Decree, Order};
use crate::proof::Proof;
use crate::sets::{Head, ValidatorSet};
use crate::state::{Account, Key, Record, Sequence, escrow};
use crate::transaction::{Action, Signed};

/// The keys that transactions touch, each once, in the order in which they are first touched.
#[derive(Debug)]
pub(crate) struct Touched {
    pub keys: Vec<Key>,
    slots: HashMap<Key, u32>,
    places: Vec<u32>,
    chain: Hash,
}

/// What a transaction touches, in [`Touched::keys`]: its sender's account first.
#[derive(Clone, Debug)]
pub(crate) struct Places(Range<usize>);

impl Touched {
    /// Nothing yet; `chain` is the one whose state it is.
    pub fn with_capacity(chain: Hash, transactions: usize) -> Self {
        let keys = 2 * transactions;
        Touched {
            keys: Vec::with_capacity(keys),
            slots: HashMap::with_capacity(keys),
            places: Vec::with_capacity(keys),
            chain,
        }
    }

    /// Adds what a transaction touches.
    pub fn add(&mut self, one: &Signed<'_>) -> Places {
        let start = self.places.len();
        self.place(Account::key(one.sender));
        match &one.transaction.transaction.action {
            Action::Transfer { to, .. } => self.place(Account::key(to)),
            Action::Record { namespace, digest } => self.place(Record::key(namespace, digest)),
            Action::Message(message) => {
                let receiver = &message.receiver;
                self.place(Account::key(&escrow(receiver)));
                self.place(Sequence::outbox(receiver, one.sender));
                self.place(Head::key(receiver));
            }
            Action::Deliver(proof) => self.deliver(proof, one),
            Action::Decree(decree) => self.decree(decree),
        }
        Places(start..self.places.len())
    }

    /// Head and escrow of the chain, then counter and account for each message, and the keys of each
    /// set.
    fn deliver(&mut self, proof: &Proof, one: &Signed<'_>) {
        let chain = proof.block.header.chain;
        self.place(Head::key(&chain));
        self.place(Account::key(&escrow(&chain)));
        for (included, sender) in proof.transactions.iter().zip(one.delivered) {
            match &included.transaction.transaction.action {
                Action::Message(message) => {
                    self.place(Sequence::inbox(&chain, sender));
                    self.place(Account::key(&message.to));
                }
                Action::Decree(decree) => {
                    if let Order::Validators(set) = &decree.draft.order {
                        self.set(&chain, set);
                    }
                }
                _ => {}
            }
        }
    }

    fn decree(&mut self, decree: &Decree) {
        let own = self.chain;
        let (chain, set) = match &decree.draft.order {
            Order::Validators(set) => (&own, set),
            Order::Link { chain, set } => (chain, set),
        };
        self.place(Head::key(chain));
        self.set(chain, set);
    }

    fn set(&mut self, chain: &Hash, set: &ValidatorSet) {
        set.span().keys(chain).into_iter().for_each(|key| self.place(key));
    }

    fn place(&mut self, key: Key) {
        let next = self.keys.len() as u32;
        let place = *self.slots.entry(key).or_insert(next);
        if place == next {
            self.keys.push(key);
        }
        self.places.push(place);
    }

    /// The places of a transaction.
    pub fn of(&self, Places(range): &Places) -> &[u32] {
        &self.places[range.clone()]
    }
}

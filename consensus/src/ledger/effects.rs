//! What transactions do to accounts and records (SPEC.md, 9): pure, on values that were read before.

use std::collections::HashMap;

use crate::address::Address;
use crate::state::{Account, Key, Record, Value};
use crate::transaction::{Action, Transaction};

/// Why a transaction does not take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is meant for another chain.
    #[error("it is meant for another chain")]
    WrongChain,
    /// Its last height has passed.
    #[error("it has expired")]
    Expired,
    /// Its last height is further ahead than the limit.
    #[error("it expires too late")]
    ExpiryTooFar,
    /// Nobody signed it.
    #[error("nobody signed it")]
    BadSignature,
    /// Its sender has more in the block than the limit.
    #[error("its sender has too many in the block")]
    AccountTransactions,
    /// Its sender has no account.
    #[error("its sender has no account")]
    Unfunded,
    /// Its nonce is not the account's.
    #[error("its nonce is not the next of its sender")]
    WrongNonce,
    /// It moves nothing.
    #[error("its amount is 0")]
    ZeroAmount,
    /// Its sender would keep less than the least.
    #[error("its sender would keep less than the minimum balance")]
    Reserve,
    /// It would open an account with less than the least.
    #[error("it would open an account with less than the minimum balance")]
    BelowMinimum,
    /// The digest is written down already.
    #[error("the digest is recorded already")]
    RecordExists,
}

/// The keys that transactions touch, each once, in the order in which they are first touched.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub keys: Vec<Key>,
    slots: HashMap<Key, u32>,
}

/// The places of what a transaction touches, in [`Touched::keys`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    from: u32,
    target: u32,
}

impl Touched {
    pub fn with_capacity(transactions: usize) -> Self {
        let keys = 2 * transactions;
        Touched { keys: Vec::with_capacity(keys), slots: HashMap::with_capacity(keys) }
    }

    /// Adds what a transaction touches.
    pub fn add(&mut self, sender: &Address, action: &Action) -> Places {
        let from = self.place(Account::key(sender));
        Places { from, target: self.place(target(action)) }
    }

    fn place(&mut self, key: Key) -> u32 {
        let next = self.keys.len() as u32;
        let place = *self.slots.entry(key).or_insert(next);
        if place == next {
            self.keys.push(key);
        }
        place
    }
}

/// What a transaction touches besides its sender: the account that gets, or the record.
pub(crate) fn target(action: &Action) -> Key {
    match action {
        Action::Transfer { to, .. } => Account::key(to),
        Action::Record { namespace, digest } => Record::key(namespace, digest),
    }
}

/// The values of [`Touched::keys`] as a block changes them.
#[derive(Debug)]
pub(crate) struct Effects {
    values: Vec<Option<Value>>,
    written: Vec<bool>,
    height: u64,
    minimum: u64,
}

impl Effects {
    /// Effects on values that were read, of a block of that height; accounts keep `minimum`.
    pub fn new(values: Vec<Option<Value>>, height: u64, minimum: u64) -> Self {
        let written = vec![false; values.len()];
        Effects { values, written, height, minimum }
    }

    /// Applies a transaction, wholly or not at all.
    pub fn apply(
        &mut self,
        transaction: &Transaction,
        sender: &Address,
        places: Places,
    ) -> Result<(), Fault> {
        let Places { from, target } = places;
        let mut account = self.account(from).ok_or(Fault::Unfunded)?;
        if transaction.nonce != account.nonce {
            return Err(Fault::WrongNonce);
        }
        account.nonce += 1;
        match transaction.action {
            Action::Transfer { amount, .. } => {
                if amount == 0 {
                    return Err(Fault::ZeroAmount);
                }
                let left = account.balance.checked_sub(amount).filter(|&left| left >= self.minimum);
                let left = left.ok_or(Fault::Reserve)?;
                if target != from {
                    let mut to = match self.account(target) {
                        Some(to) => to,
                        None if amount >= self.minimum => Account::default(),
                        None => return Err(Fault::BelowMinimum),
                    };
                    // The supply is below 2^63, and so is every sum of balances.
                    to.balance += amount;
                    self.write(target, to.value());
                    account.balance = left;
                }
            }
            Action::Record { .. } => {
                if self.values[target as usize].is_some() {
                    return Err(Fault::RecordExists);
                }
                let record = Record { author: *sender, height: self.height };
                self.write(target, record.value());
            }
        }
        self.write(from, account.value());
        Ok(())
    }

    fn account(&self, place: u32) -> Option<Account> {
        self.values[place as usize].as_ref().map(Account::of)
    }

    fn write(&mut self, place: u32, value: Value) {
        self.values[place as usize] = Some(value);
        self.written[place as usize] = true;
    }

    /// What was written, place by place.
    pub fn written(&self) -> impl Iterator<Item = Option<&Value>> {
        let values = self.values.iter().zip(&self.written);
        values.map(|(value, written)| value.as_ref().filter(|_| *written))
    }
}

#[cfg(test)]
mod tests;

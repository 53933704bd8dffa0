//! What transactions do to accounts and records (SPEC.md, 9): pure, on values that were read before.

use super::standing::overtaken;
use crate::Hash;
use crate::decree::{Decree, Order};
use crate::proof::{Proof, Refusal};
use crate::sets::{Head, ValidatorSet};
use crate::state::{Account, Record, Sequence, Value};
use crate::transaction::{Action, Message, Signed};

mod touched;

pub(crate) use touched::Touched;

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
    /// A message to its own chain, or a delivery or link of it.
    #[error("it names its own chain as another")]
    OwnChain,
    /// A delivery's proof proves nothing.
    #[error("its proof proves nothing: {0}")]
    Unproven(Refusal),
    /// A delivery has a message for another chain.
    #[error("it has a message for another chain")]
    WrongReceiver,
    /// A decree of another epoch, or without its validators' signatures.
    #[error("it is no decree of the validators of this epoch")]
    NoDecree,
    /// The other chain is not linked to this one.
    #[error("the other chain is not linked to this one")]
    Unlinked,
    /// Its sequence is not the next of its sender to that chain.
    #[error("its sequence is not the next of its sender to that chain")]
    WrongSequence,
    /// It brings nothing that has an effect.
    #[error("it brings nothing that has an effect")]
    NothingNew,
    /// Its validators would begin in an epoch that has begun.
    #[error("its validators would begin in an epoch that has begun")]
    EpochPassed,
    /// Other validators are to begin later.
    #[error("other validators are to begin in a later epoch")]
    ChangePending,
    /// The chain is linked already.
    #[error("the chain is linked already")]
    LinkExists,
}

impl Fault {
    /// Its name, as in SPEC.md, 11 and 12.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::WrongChain => "WrongChain",
            Fault::Expired => "Expired",
            Fault::ExpiryTooFar => "ExpiryTooFar",
            Fault::BadSignature => "BadSignature",
            Fault::AccountTransactions => "AccountTransactions",
            Fault::Unfunded => "Unfunded",
            Fault::WrongNonce => "WrongNonce",
            Fault::ZeroAmount => "ZeroAmount",
            Fault::Reserve => "Reserve",
            Fault::BelowMinimum => "BelowMinimum",
            Fault::RecordExists => "RecordExists",
            Fault::OwnChain => "OwnChain",
            Fault::Unproven(_) => "Unproven",
            Fault::WrongReceiver => "WrongReceiver",
            Fault::NoDecree => "NoDecree",
            Fault::Unlinked => "Unlinked",
            Fault::WrongSequence => "WrongSequence",
            Fault::NothingNew => "NothingNew",
            Fault::EpochPassed => "EpochPassed",
            Fault::ChangePending => "ChangePending",
            Fault::LinkExists => "LinkExists",
        }
    }
}

/// What is wrong with an action on a chain, whatever the state.
pub(crate) fn misdirected(action: &Action, chain: &Hash) -> Option<Fault> {
    let own = |other: &Hash| (other == chain).then_some(Fault::OwnChain);
    match action {
        Action::Transfer { amount: 0, .. } => Some(Fault::ZeroAmount),
        Action::Transfer { .. } | Action::Record { .. } => None,
        Action::Message(message) => own(&message.receiver),
        Action::Deliver(proof) => own(&proof.block.header.chain).or_else(|| {
            let mut actions = proof.transactions.iter().map(|one| &one.transaction.transaction.action);
            let other = |action: &Action| {
                matches!(action, Action::Message(message) if message.receiver != *chain)
            };
            actions.any(other).then_some(Fault::WrongReceiver)
        }),
        Action::Decree(decree) => match &decree.draft.order {
            Order::Link { chain: other, .. } => own(other),
            Order::Validators(_) => None,
        },
    }
}

/// Where and when effects happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Height of the block.
    pub height: u64,
    /// Its epoch.
    pub epoch: u64,
    /// What every account keeps.
    pub minimum: u64,
}

/// The values of [`Touched::keys`] as a block changes them.
#[derive(Debug)]
pub(crate) struct Effects {
    values: Vec<Option<Value>>,
    written: Vec<bool>,
    at: Place,
}

impl Effects {
    /// Effects on values that were read.
    pub fn new(values: Vec<Option<Value>>, at: Place) -> Self {
        let written = vec![false; values.len()];
        Effects { values, written, at }
    }

    /// Applies a transaction, wholly or not at all; `places` are those of what it touches.
    pub fn apply(&mut self, one: &Signed<'_>, places: &[u32]) -> Result<(), Fault> {
        let (&from, rest) = places.split_first().expect("the sender's account is touched");
        let account = self.account(from).ok_or(Fault::Unfunded)?;
        let transaction = &one.transaction.transaction;
        if transaction.nonce != account.nonce {
            return Err(Fault::WrongNonce);
        }
        match &transaction.action {
            Action::Transfer { amount: 0, .. } => return Err(Fault::ZeroAmount),
            Action::Transfer { amount, .. } => self.pay(from, rest[0], *amount, self.at.minimum)?,
            Action::Record { .. } => self.record(one, rest[0])?,
            Action::Message(message) => self.send(message, from, rest)?,
            Action::Deliver(proof) => self.deliver(proof, rest)?,
            Action::Decree(decree) => self.decree(decree, rest)?,
        }
        let mut account = self.account(from).ok_or(Fault::Unfunded)?; // it may have paid or got
        account.nonce += 1;
        self.write(from, account.value());
        Ok(())
    }

    /// Moves an amount, if the payer keeps so much; both may be the same account.
    fn pay(&mut self, from: u32, to: u32, amount: u64, kept: u64) -> Result<(), Fault> {
        let mut payer = self.account(from).ok_or(Fault::Reserve)?;
        let left = payer.balance.checked_sub(amount).filter(|&left| left >= kept);
        payer.balance = left.ok_or(Fault::Reserve)?;
        if from == to {
            return Ok(());
        }
        let mut payee = match self.account(to) {
            Some(payee) => payee,
            None if amount >= self.at.minimum => Account::default(),
            None => return Err(Fault::BelowMinimum),
        };
        // The supply is below 2^63, and so is every sum of balances.
        payee.balance += amount;
        self.write(from, payer.value());
        self.write(to, payee.value());
        Ok(())
    }

    fn record(&mut self, one: &Signed<'_>, place: u32) -> Result<(), Fault> {
        if self.values[place as usize].is_some() {
            return Err(Fault::RecordExists);
        }
        let record = Record { author: *one.sender, height: self.at.height };
        self.write(place, record.value());
        Ok(())
    }

    /// Places: escrow, counter, head of the receiver.
    fn send(&mut self, message: &Message, from: u32, places: &[u32]) -> Result<(), Fault> {
        let [escrow, outbox, head] = places.try_into().expect("a message touches three");
        if self.values[head as usize].is_none() {
            return Err(Fault::Unlinked);
        }
        if self.sequence(outbox).next != message.sequence {
            return Err(Fault::WrongSequence);
        }
        if message.amount > 0 {
            self.pay(from, escrow, message.amount, self.at.minimum)?;
        }
        self.count(outbox);
        Ok(())
    }

    /// Places: head and escrow of the source, then those of each transaction. That the proof proves is
    /// known. What has no effect is passed over: another may have brought it.
    fn deliver(&mut self, proof: &Proof, places: &[u32]) -> Result<(), Fault> {
        let ([head, escrow], mut rest) = places.split_first_chunk().expect("two places");
        let mut take = |count: usize| {
            let (first, left) = rest.split_at(count);
            rest = left;
            first
        };
        let mut effects = 0;
        let mut known = self.head(*head).ok_or(Fault::Unlinked)?;
        for included in &proof.transactions {
            match &included.transaction.transaction.action {
                Action::Message(message) => {
                    let places = take(2);
                    effects += u32::from(self.receive(message, *escrow, places));
                }
                Action::Decree(decree) => {
                    let Order::Validators(set) = &decree.draft.order else { continue };
                    let places = take(2 * set.validators.len());
                    if set.from > known.newest.from {
                        known = self.follow(*head, set, places);
                        effects += 1;
                    }
                }
                _ => {}
            }
        }
        if effects == 0 { Err(Fault::NothingNew) } else { Ok(()) }
    }

    /// Whether a message takes effect: it is the next of its sender, and what it releases is there.
    fn receive(&mut self, message: &Message, escrow: u32, places: &[u32]) -> bool {
        let [inbox, to] = places.try_into().expect("a message touches two");
        let next = self.sequence(inbox).next == message.sequence;
        let taken =
            next && (message.amount == 0 || self.pay(escrow, to, message.amount, 0).is_ok());
        if taken {
            self.count(inbox);
        }
        taken
    }

    /// Places: head, then the keys of the set.
    fn decree(&mut self, decree: &Decree, places: &[u32]) -> Result<(), Fault> {
        let (&head, places) = places.split_first().expect("a decree touches a head");
        if let Some(fault) = overtaken(decree, self.head(head), self.at.epoch) {
            return Err(fault);
        }
        self.follow(head, decree.draft.set(), places);
        Ok(())
    }

    /// Makes a set the newest of its chain.
    fn follow(&mut self, head: u32, set: &ValidatorSet, places: &[u32]) -> Head {
        let next = Head::then(self.head(head), set.span());
        self.write(head, next.value());
        for (&place, value) in places.iter().zip(set.values()) {
            self.write(place, value);
        }
        next
    }

    fn count(&mut self, place: u32) {
        let next = self.sequence(place).next + 1;
        self.write(place, Sequence { next, height: self.at.height }.value());
    }

    fn sequence(&self, place: u32) -> Sequence {
        self.values[place as usize].as_ref().map(Sequence::of).unwrap_or_default()
    }

    fn head(&self, place: u32) -> Option<Head> {
        self.values[place as usize].as_ref().map(Head::of)
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

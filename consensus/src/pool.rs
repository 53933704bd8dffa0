//! Transactions that wait for a block.
//!
//! ```text
//! screen -> (signature, account: the caller's) -> admit -> offer -> block -> settle
//! ```
//!
//! Nothing here reads a clock, a disk or the state: what is needed of them is handed in.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::Hash;
use crate::address::Address;
use crate::genesis::Limits;
use crate::ledger::{Fault, misdirected};
use crate::state::Account;
use crate::transaction::{Action, SignedTransaction};

mod entry;
mod lanes;
mod recent;
mod refusal;

use entry::Usage;
use lanes::{Lanes, Slot};
use recent::Recent;

pub use entry::{Entry, PoolLimits, Source, Standing};
pub use refusal::Refusal;

/// Transactions that wait for a block (SPEC.md, 11).
#[derive(Debug)]
pub struct Pool {
    chain: Hash,
    rules: Limits,
    /// What all of it may hold, and what one peer may fill.
    whole: Usage,
    share: Usage,
    lanes: Lanes,
    usage: Usage,
    shares: HashMap<u32, Usage>,
    /// By expiry, for what ends first.
    expiries: BTreeSet<(u64, [u8; 32])>,
    recent: Recent,
    /// Transactions admitted so far.
    arrivals: u64,
}

impl Pool {
    /// An empty pool of a chain; `rules` are its genesis'.
    pub fn new(chain: Hash, rules: Limits, limits: PoolLimits) -> Self {
        let percent = u128::from(limits.peer_percent.min(100));
        let part = |whole: usize| (whole as u128 * percent / 100) as usize;
        let whole = Usage { transactions: limits.transactions, bytes: limits.bytes };
        Pool {
            chain,
            rules,
            whole,
            share: Usage { transactions: part(whole.transactions), bytes: part(whole.bytes) },
            lanes: Lanes::default(),
            usage: Usage::default(),
            shares: HashMap::new(),
            expiries: BTreeSet::new(),
            recent: Recent::default(),
            arrivals: 0,
        }
    }

    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.usage.transactions
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of their encodings.
    pub fn bytes(&self) -> usize {
        self.usage.bytes
    }

    /// Whether it holds the transaction with this hash.
    pub fn contains(&self, hash: &[u8; 32]) -> bool {
        self.lanes.find(hash).is_some()
    }

    /// What needs neither signature nor state; `next_height` is the last final block's plus 1.
    ///
    /// # Errors
    /// The first of [`Refusal::WrongChain`], [`Refusal::Expired`], [`Refusal::ExpiryTooFar`],
    /// [`Refusal::ZeroAmount`], [`Refusal::Effect`], [`Refusal::Known`], and [`Refusal::Full`] where the source's share
    /// is.
    pub fn screen(
        &self,
        transaction: &SignedTransaction,
        hash: &[u8; 32],
        source: Source,
        next_height: u64,
    ) -> Result<(), Refusal> {
        let one = &transaction.transaction;
        if one.chain != self.chain {
            return Err(Refusal::WrongChain);
        }
        let expiry = one.expiry;
        if expiry < next_height {
            return Err(Refusal::Expired { expiry, next: next_height });
        }
        let limit = next_height.saturating_add(self.rules.expiry_heights.into());
        if expiry > limit {
            return Err(Refusal::ExpiryTooFar { expiry, limit });
        }
        match misdirected(&one.action, &self.chain) {
            None => {}
            Some(Fault::ZeroAmount) => return Err(Refusal::ZeroAmount),
            Some(fault) => return Err(Refusal::Effect(fault)),
        }
        if self.contains(hash) || self.recent.contains(hash) {
            return Err(Refusal::Known);
        }
        if let Source::Peer(peer) = source {
            let usage = self.shares.get(&peer).copied().unwrap_or_default();
            if !usage.holds(transaction.encoded_bytes(), self.share) {
                return Err(Refusal::Full);
            }
        }
        Ok(())
    }

    /// Takes a transaction in whose signature was recovered. Where the pool is full, the last
    /// transactions of those senders give way that have the least balance per transaction held, if
    /// it is less than this sender's would be.
    ///
    /// # Errors
    /// Those of [`Pool::screen`], again, then the first of [`Refusal::Unfunded`],
    /// [`Refusal::NonceUsed`], [`Refusal::NonceTooFar`], [`Refusal::NonceTaken`],
    /// [`Refusal::Reserve`], [`Refusal::BelowMinimum`], [`Refusal::RecordExists`],
    /// [`Refusal::Effect`] and
    /// [`Refusal::Full`].
    pub fn admit(
        &mut self,
        entry: Entry,
        source: Source,
        next_height: u64,
        standing: Standing,
    ) -> Result<(), Refusal> {
        self.screen(&entry.transaction, &entry.hash, source, next_height)?;
        let account = standing.sender.ok_or(Refusal::Unfunded)?;
        let used = self.lanes.refresh(&entry.sender, account);
        self.forget(used);
        let account = self.lanes.account(&entry.sender).unwrap_or(account);
        self.check(&entry, account, &standing)?;
        self.arrivals += 1;
        let slot = Slot { entry: Arc::new(entry), source, arrival: self.arrivals };
        self.make_room(&slot.entry, account)?;
        self.insert(account, slot);
        Ok(())
    }

    /// Nonce and effect (SPEC.md, 11: rules 9 to 11).
    fn check(&self, entry: &Entry, account: Account, standing: &Standing) -> Result<(), Refusal> {
        let nonce = entry.nonce();
        if nonce < account.nonce {
            return Err(Refusal::NonceUsed { nonce, next: account.nonce });
        }
        let ahead = u64::from(self.rules.account_transactions).saturating_sub(1);
        let limit = account.nonce.saturating_add(ahead);
        if nonce > limit {
            return Err(Refusal::NonceTooFar { nonce, limit });
        }
        if self.lanes.has(&entry.sender, nonce) {
            return Err(Refusal::NonceTaken);
        }
        let action = &entry.transaction.transaction.action;
        let paid = match action {
            Action::Transfer { amount, .. } => Some(*amount),
            Action::Message(message) => Some(message.amount).filter(|&amount| amount > 0),
            _ => None,
        };
        if let Some(amount) = paid {
            let before = self.lanes.moved_below(&entry.sender, nonce);
            let left = account.balance.saturating_sub(before).checked_sub(amount);
            if left.is_none_or(|left| left < self.rules.minimum_balance) {
                return Err(Refusal::Reserve);
            }
            if !standing.target && amount < self.rules.minimum_balance {
                return Err(Refusal::BelowMinimum);
            }
        }
        if matches!(action, Action::Record { .. }) && standing.target {
            return Err(Refusal::RecordExists);
        }
        standing.fault.map_or(Ok(()), |fault| Err(Refusal::Effect(fault)))
    }

    /// Evicts until the transaction fits, or refuses it and evicts nothing.
    fn make_room(&mut self, entry: &Entry, account: Account) -> Result<(), Refusal> {
        let ratio = lanes::ratio(account.balance, self.lanes.held(&entry.sender) + 1);
        let mut evicted = Vec::new();
        while !self.usage.holds(entry.bytes(), self.whole) {
            let Some((account, slot)) = self.lanes.pop_below(ratio) else {
                for (account, slot) in evicted.into_iter().rev() {
                    self.insert(account, slot);
                }
                return Err(Refusal::Full);
            };
            self.forget([slot.clone()]);
            evicted.push((account, slot));
        }
        Ok(())
    }

    /// What a proposer may put into a block of `next_height`, within `limits` of a block: the
    /// chain's, or less. The blocks below it need not be final: `next_nonce` gives the nonce of an
    /// account that those changed, and `None` for all others.
    ///
    /// Accounts come in the order in which the first transaction that they are offered with became
    /// the first of them to wait; each one's nonces have no gap, and none of the transactions has
    /// expired. Accounts whose next nonce after the final state is missing are passed over. Takes
    /// steps for what is offered and for the accounts that those blocks changed, not for the pool.
    pub fn offer(
        &self,
        next_height: u64,
        limits: &Limits,
        next_nonce: impl Fn(&Address) -> Option<u64>,
    ) -> Vec<Arc<Entry>> {
        self.lanes.offer(next_height, limits, next_nonce)
    }

    /// A block is final: its height, and sender, nonce and hash of its transactions, in order.
    /// Takes out what it used up and what has expired.
    pub fn settle(
        &mut self,
        height: u64,
        effects: impl IntoIterator<Item = (Address, u64, [u8; 32])>,
    ) {
        let mut hashes = Vec::new();
        for (sender, nonce, hash) in effects {
            hashes.push(hash);
            let used = self.lanes.advance(&sender, nonce.saturating_add(1), &hash);
            self.forget(used);
        }
        self.recent.push(hashes);
        while let Some(&(expiry, hash)) = self.expiries.first()
            && expiry <= height
        {
            self.discard([hash]);
        }
    }

    /// Takes out transactions that a proposer found to be without effect: they would stand before
    /// others until they expire.
    pub fn discard(&mut self, hashes: impl IntoIterator<Item = [u8; 32]>) {
        for hash in hashes {
            let slot = self.lanes.remove(&hash);
            self.forget(slot);
        }
    }

    fn insert(&mut self, account: Account, slot: Slot) {
        self.usage.add(&slot.entry);
        if let Source::Peer(peer) = slot.source {
            self.shares.entry(peer).or_default().add(&slot.entry);
        }
        self.expiries.insert((slot.entry.expiry(), slot.entry.hash));
        self.lanes.insert(account, slot);
    }

    /// Counts what has left its lane.
    fn forget(&mut self, slots: impl IntoIterator<Item = Slot>) {
        for slot in slots {
            self.usage.remove(&slot.entry);
            self.expiries.remove(&(slot.entry.expiry(), slot.entry.hash));
            if let Source::Peer(peer) = slot.source
                && let Some(usage) = self.shares.get_mut(&peer)
            {
                usage.remove(&slot.entry);
                if usage.transactions == 0 {
                    self.shares.remove(&peer);
                }
            }
        }
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

//! What each account has in the pool, in the order of nonces, and which account is next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use super::{Entry, Source};
use crate::address::Address;
use crate::block::HEADER_BYTES;
use crate::genesis::Limits;
use crate::state::Account;

/// A transaction in its lane.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub entry: Arc<Entry>,
    pub source: Source,
    /// Transactions that were admitted before it.
    pub arrival: u64,
}

/// The transactions of one account, by nonce: none is below the account's.
#[derive(Debug, Default)]
struct Lane {
    /// As it was known last: the nonce is the final one, the balance may be out of date.
    account: Account,
    slots: BTreeMap<u64, Slot>,
}

impl Lane {
    /// Its place in the order of offers, if its next transaction is here.
    fn ready(&self) -> Option<u64> {
        self.slots.get(&self.account.nonce).map(|slot| slot.arrival)
    }

    fn ratio(&self) -> Ratio {
        ratio(self.account.balance, self.slots.len())
    }

    /// Takes out what is below the account's nonce.
    fn used(&mut self) -> Vec<Slot> {
        let mut used = Vec::new();
        while let Some(first) = self.slots.first_entry()
            && *first.key() < self.account.nonce
        {
            used.push(first.remove());
        }
        used
    }
}

/// A balance by a number of transactions.
pub(super) type Ratio = u128;

/// Exact as an order: fractions with denominators up to 1,024 differ by 2^-20 at least, and 32 bits
/// lie behind the point.
pub(super) fn ratio(balance: u64, held: usize) -> Ratio {
    (u128::from(balance) << 32) / (held.max(1) as u128)
}

/// The lanes of all accounts that have something in the pool.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: HashMap<Address, Lane>,
    hashes: HashMap<[u8; 32], (Address, u64)>,
    /// Lanes whose next transaction is here, by its arrival.
    ready: BTreeMap<u64, Address>,
    ratios: BTreeSet<(Ratio, Address)>,
}

impl Lanes {
    /// Where a transaction is: sender, nonce.
    pub fn find(&self, hash: &[u8; 32]) -> Option<(Address, u64)> {
        self.hashes.get(hash).copied()
    }

    /// The account, if it has something here.
    pub fn account(&self, sender: &Address) -> Option<Account> {
        self.lanes.get(sender).map(|lane| lane.account)
    }

    /// How many transactions a sender has here.
    pub fn held(&self, sender: &Address) -> usize {
        self.lanes.get(sender).map_or(0, |lane| lane.slots.len())
    }

    /// Whether a sender has a transaction with this nonce here.
    pub fn has(&self, sender: &Address, nonce: u64) -> bool {
        self.lanes.get(sender).is_some_and(|lane| lane.slots.contains_key(&nonce))
    }

    /// What a sender's transactions with lower nonces move.
    pub fn moved_below(&self, sender: &Address, nonce: u64) -> u64 {
        let slots = self.lanes.get(sender).into_iter().flat_map(|lane| lane.slots.range(..nonce));
        slots.fold(0, |sum: u64, (_, slot)| sum.saturating_add(slot.entry.moves()))
    }

    /// Puts a transaction into its sender's lane. Its nonce is free and not used.
    pub fn insert(&mut self, account: Account, slot: Slot) {
        let (sender, nonce) = (slot.entry.sender, slot.entry.nonce());
        self.hashes.insert(slot.entry.hash, (sender, nonce));
        self.lanes.entry(sender).or_insert_with(|| Lane { account, ..Lane::default() });
        self.change(&sender, |lane| {
            lane.slots.insert(nonce, slot);
            []
        });
    }

    /// Takes a transaction out.
    pub fn remove(&mut self, hash: &[u8; 32]) -> Option<Slot> {
        let (sender, nonce) = self.find(hash)?;
        self.change(&sender, |lane| lane.slots.remove(&nonce)).pop()
    }

    /// The account is read again: takes out what has a used nonce. Nonces never fall, so that an
    /// account with a lower one is an older one.
    pub fn refresh(&mut self, sender: &Address, account: Account) -> Vec<Slot> {
        self.change(sender, |lane| {
            if account.nonce >= lane.account.nonce {
                lane.account = account;
            }
            lane.used()
        })
    }

    /// The transaction with the nonce before `next` took effect: takes out what has a used nonce.
    pub fn advance(&mut self, sender: &Address, next: u64, hash: &[u8; 32]) -> Vec<Slot> {
        self.change(sender, |lane| {
            lane.account.nonce = lane.account.nonce.max(next);
            let used = lane.used();
            if let Some(slot) = used.iter().find(|slot| slot.entry.hash == *hash) {
                let balance = lane.account.balance.saturating_sub(slot.entry.moves());
                lane.account.balance = balance;
            }
            used
        })
    }

    /// Takes out the last transaction of the lane with the lowest ratio, if it is below this one.
    pub fn pop_below(&mut self, ratio: Ratio) -> Option<(Account, Slot)> {
        let &(lowest, sender) = self.ratios.first()?;
        if lowest >= ratio {
            return None;
        }
        let account = self.account(&sender)?;
        let last = |lane: &mut Lane| lane.slots.pop_last().map(|(_, slot)| slot);
        Some((account, self.change(&sender, last).pop()?))
    }

    /// Changes a lane and what is known of all lanes; returns the slots that leave it.
    fn change<S: IntoIterator<Item = Slot>>(
        &mut self,
        sender: &Address,
        change: impl FnOnce(&mut Lane) -> S,
    ) -> Vec<Slot> {
        let Some(lane) = self.lanes.get_mut(sender) else { return Vec::new() };
        if let Some(arrival) = lane.ready() {
            self.ready.remove(&arrival);
        }
        self.ratios.remove(&(lane.ratio(), *sender));
        let left: Vec<_> = change(lane).into_iter().collect();
        for slot in &left {
            self.hashes.remove(&slot.entry.hash);
        }
        if lane.slots.is_empty() {
            self.lanes.remove(sender);
            return left;
        }
        if let Some(arrival) = lane.ready() {
            self.ready.insert(arrival, *sender);
        }
        self.ratios.insert((lane.ratio(), *sender));
        left
    }

    /// What is known of all lanes is what is known of each.
    #[cfg(test)]
    pub fn check(&self) {
        let held: usize = self.lanes.values().map(|lane| lane.slots.len()).sum();
        assert_eq!(self.hashes.len(), held);
        for (sender, lane) in &self.lanes {
            assert!(
                lane.slots.first_key_value().is_some_and(|(&low, _)| low >= lane.account.nonce)
            );
            assert!(lane.ready().is_none_or(|arrival| self.ready.get(&arrival) == Some(sender)));
            assert!(self.ratios.contains(&(lane.ratio(), *sender)));
        }
        let ready = self.lanes.values().filter(|lane| lane.ready().is_some()).count();
        assert_eq!((self.ready.len(), self.ratios.len()), (ready, self.lanes.len()));
    }

    /// See [`super::Pool::offer`].
    pub fn offer(
        &self,
        next_height: u64,
        limits: &Limits,
        next_nonce: impl Fn(&Address) -> Option<u64>,
    ) -> Vec<Arc<Entry>> {
        let mut offer = Offer {
            next_height,
            account: limits.account_transactions as usize,
            count: limits.block_transactions as usize,
            bytes: (limits.block_bytes as usize).saturating_sub(HEADER_BYTES),
            entries: Vec::new(),
        };
        // Lanes whose first transactions are in blocks that are not final, by when the first of the
        // others arrived. One that arrived before those of its lane takes the lane's place.
        let mut later = BinaryHeap::new();
        for (&arrival, sender) in &self.ready {
            while let Some(&Reverse((earlier, sender, nonce))) = later.peek()
                && earlier < arrival
            {
                later.pop();
                if !offer.take(&self.lanes[sender], nonce) {
                    return offer.entries;
                }
            }
            let lane = &self.lanes[sender];
            let nonce = next_nonce(sender).unwrap_or(lane.account.nonce);
            if nonce == lane.account.nonce {
                if !offer.take(lane, nonce) {
                    return offer.entries;
                }
            } else if let Some(slot) = lane.slots.get(&nonce) {
                later.push(Reverse((slot.arrival, sender, nonce)));
            }
        }
        while let Some(Reverse((_, sender, nonce))) = later.pop() {
            if !offer.take(&self.lanes[sender], nonce) {
                break;
            }
        }
        offer.entries
    }
}

/// A block that fills.
struct Offer {
    next_height: u64,
    /// Transactions of one account.
    account: usize,
    /// Transactions and bytes that there is room for.
    count: usize,
    bytes: usize,
    entries: Vec<Arc<Entry>>,
}

impl Offer {
    /// Takes an account's transactions from a nonce on; `false` when the block is full.
    fn take(&mut self, lane: &Lane, nonce: u64) -> bool {
        let in_turn = lane.slots.range(nonce..).zip(nonce..).take(self.account);
        for ((at, slot), turn) in in_turn {
            if *at != turn || slot.entry.expiry() < self.next_height {
                break;
            }
            let bytes = slot.entry.bytes();
            if self.count == 0 || self.bytes < bytes {
                return false;
            }
            self.count -= 1;
            self.bytes -= bytes;
            self.entries.push(slot.entry.clone());
        }
        true
    }
}

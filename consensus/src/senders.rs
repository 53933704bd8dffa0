//! Who sent what: one recovery per transaction, for the pool and for blocks.

use std::borrow::Borrow;
use std::collections::hash_map::Entry::Vacant;
use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sigmill::Terms;

use crate::address::Address;
use crate::crypto::Crypto;
use crate::transaction::{Hashes, SignedTransaction};

type Id = [u8; 32];

/// Hash of a transaction to its sender: what was recovered of late. Shared between threads.
///
/// Two generations of at most `entries` each, about 64 to 128 bytes an entry: when the young one is
/// full it becomes the old one, and the old one is forgotten. The maps are seeded anew in each
/// process, so that nobody can choose hashes that collide in them.
#[derive(Debug)]
pub struct SenderCache {
    entries: usize,
    patience: Duration,
    state: Mutex<State>,
    /// Claims were given up.
    released: Condvar,
    hits: AtomicU64,
    recovered: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    young: HashMap<Id, Address>,
    old: HashMap<Id, Address>,
    /// What some thread recovers now.
    claimed: HashSet<Id>,
}

impl SenderCache {
    /// An empty cache of 2 x `entries` senders at most, 1 being the least. Who needs a sender that
    /// another thread recovers waits for it `patience` at most, then recovers it as well: a block
    /// must not wait for long behind batches of a lower class.
    pub fn new(entries: usize, patience: Duration) -> Self {
        SenderCache {
            entries: entries.max(1),
            patience,
            state: Mutex::default(),
            released: Condvar::new(),
            hits: AtomicU64::new(0),
            recovered: AtomicU64::new(0),
        }
    }

    /// Answers that took no recovery, and recoveries, since it was made. Each transaction that was
    /// asked for counts once.
    pub fn counts(&self) -> (u64, u64) {
        (self.hits.load(Relaxed), self.recovered.load(Relaxed))
    }

    /// The state, which no panic leaves half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no thread recovers any of these, `patience` at most.
    fn wait(&self, ids: &[Id]) {
        let busy = |state: &mut State| ids.iter().any(|id| state.claimed.contains(id));
        drop(self.released.wait_timeout_while(self.lock(), self.patience, busy));
    }
}

impl State {
    /// The sender, which becomes young again.
    fn get(&mut self, id: &Id, entries: usize) -> Option<Address> {
        if let Some(sender) = self.young.get(id) {
            return Some(*sender);
        }
        let sender = self.old.remove(id)?;
        self.put(*id, sender, entries);
        Some(sender)
    }

    fn put(&mut self, id: Id, sender: Address, entries: usize) {
        if self.young.len() >= entries {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(id, sender);
    }
}

/// What this thread recovers; given up when dropped, also by a panic. Nobody holds claims while he
/// waits for others'.
struct Claims<'a> {
    cache: &'a SenderCache,
    ids: Vec<Id>,
}

impl Drop for Claims<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        for id in &self.ids {
            state.claimed.remove(id);
        }
        drop(state);
        self.cache.released.notify_all();
    }
}

/// Who signed each transaction, in order; `None` where the signature is none. What the cache does
/// not know is recovered in one batch, each transaction once, and what another thread recovers
/// already is waited for. `hashes` are those of the transactions, one each.
///
/// Transactions without a signature are not remembered: they are recovered whenever they come. Not
/// for threads of rayon's global pool, which could wait for what lies below on their own stack.
pub fn resolve_senders<T: Borrow<SignedTransaction> + Sync>(
    crypto: &Crypto,
    cache: &SenderCache,
    transactions: &[T],
    hashes: &[Hashes],
    terms: Terms,
) -> Vec<Option<Address>> {
    let hashes = &hashes[..hashes.len().min(transactions.len())];
    resolve_with(cache, hashes, |missing| {
        let borrow = |&index: &usize| transactions[index].borrow();
        let part: Vec<&SignedTransaction> = missing.iter().map(borrow).collect();
        let hashes: Vec<_> = missing.iter().map(|&index| hashes[index]).collect();
        crypto.senders(&part, &hashes, terms)
    })
}

/// The senders of all; `recover` gets the places of those that are missing and gives theirs.
fn resolve_with(
    cache: &SenderCache,
    hashes: &[Hashes],
    recover: impl Fn(&[usize]) -> Vec<Option<Address>>,
) -> Vec<Option<Address>> {
    let mut found: HashMap<Id, Option<Address>> = HashMap::with_capacity(hashes.len());
    let waiting = round(cache, hashes, &mut found, 0..hashes.len(), true, &recover);
    if !waiting.is_empty() {
        let ids: Vec<_> = waiting.iter().map(|&index| hashes[index].id).collect();
        cache.wait(&ids);
        round(cache, hashes, &mut found, waiting, false, &recover);
    }
    hashes.iter().map(|hashes| found.get(&hashes.id).copied().flatten()).collect()
}

/// Finds the senders at these places: those that the cache knows, and those that nobody else
/// recovers, or all when others are not waited for. Returns the places that are left.
fn round(
    cache: &SenderCache,
    hashes: &[Hashes],
    found: &mut HashMap<Id, Option<Address>>,
    places: impl IntoIterator<Item = usize>,
    wait: bool,
    recover: impl Fn(&[usize]) -> Vec<Option<Address>>,
) -> Vec<usize> {
    let (mut mine, mut others, mut hits) = (Vec::new(), Vec::new(), 0);
    let mut claims = Claims { cache, ids: Vec::new() };
    let mut state = cache.lock();
    for index in places {
        let id = hashes[index].id;
        let Vacant(place) = found.entry(id) else {
            hits += 1;
            continue;
        };
        if let Some(sender) = state.get(&id, cache.entries) {
            hits += 1;
            place.insert(Some(sender));
            continue;
        }
        let claimed = state.claimed.insert(id);
        if claimed {
            claims.ids.push(id);
        }
        if claimed || !wait {
            mine.push(index);
            place.insert(None); // until it is recovered
        } else {
            others.push(index);
        }
    }
    drop(state);
    cache.hits.fetch_add(hits, Relaxed);
    if !mine.is_empty() {
        cache.recovered.fetch_add(mine.len() as u64, Relaxed);
        let senders = recover(&mine);
        let mut state = cache.lock();
        for (index, sender) in mine.into_iter().zip(senders) {
            let id = hashes[index].id;
            found.insert(id, sender);
            if let Some(sender) = sender {
                state.put(id, sender, cache.entries);
            }
        }
    }
    others
}

#[cfg(test)]
mod tests;

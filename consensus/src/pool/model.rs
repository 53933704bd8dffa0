//! Random sequences of events, against a list of what should be there.

use super::tests::{CHAIN, account};
use super::*;
use crate::block::HEADER_BYTES;
use crate::keccak;
use crate::transaction::Transaction;

const ACCOUNTS: u64 = 6;
const PEERS: u32 = 3;

/// Numbers that look random, the same ones for a seed.
struct Dice(u64, u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.1 += 1;
        let hash = keccak(&[&self.0.to_be_bytes(), &self.1.to_be_bytes()]).0;
        u64::from_be_bytes(hash[..8].try_into().unwrap()) % limit
    }
}

/// Transfers between accounts that all exist.
type State = HashMap<Address, Account>;

/// Takes effect, or says why not.
fn apply(state: &mut State, entry: &Entry, minimum: u64) -> Result<(), &'static str> {
    let Action::Transfer { to, amount } = entry.transaction.transaction.action else {
        unreachable!("there are transfers only")
    };
    let from = state.get_mut(&entry.sender).unwrap();
    if from.nonce != entry.nonce() {
        return Err("nonce");
    }
    if from.balance < amount + minimum {
        return Err("reserve");
    }
    from.nonce += 1;
    from.balance -= amount;
    state.get_mut(&to).unwrap().balance += amount;
    Ok(())
}

struct Model {
    dice: Dice,
    pool: Pool,
    rules: Limits,
    limits: PoolLimits,
    state: State,
    next_height: u64,
    /// In the order of arrival.
    held: Vec<(Entry, Source)>,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed, 0);
        let rules = Limits {
            block_bytes: (HEADER_BYTES + 900) as u32,
            block_transactions: 1 + dice.below(8) as u32,
            account_transactions: 1 + dice.below(5) as u32,
            expiry_heights: 6,
            epoch_heights: 16,
            minimum_balance: 3,
        };
        let limits = PoolLimits {
            bytes: 200 + dice.below(3_000) as usize,
            transactions: 1 + dice.below(20) as usize,
            peer_percent: dice.below(101) as u8,
        };
        let opened = |n| (account(n as u8), Account { balance: 10 + 7 * n, nonce: 0 });
        Model {
            dice,
            pool: Pool::new(CHAIN.into(), rules.clone(), limits.clone()),
            rules,
            limits,
            state: (0..ACCOUNTS).map(opened).collect(),
            next_height: 1,
            held: Vec::new(),
        }
    }

    fn some_entry(&mut self) -> Entry {
        let sender = account(self.dice.below(ACCOUNTS) as u8);
        let ahead = self.rules.account_transactions.into();
        let nonce = self.state[&sender].nonce + self.dice.below(ahead);
        let to = account(self.dice.below(ACCOUNTS) as u8);
        let action = Action::Transfer { to, amount: 1 + self.dice.below(20) };
        let expiry = self.next_height + self.dice.below(7);
        let transaction = Transaction { chain: CHAIN.into(), nonce, expiry, action };
        let signature = [sender[0]; 65];
        let transaction = SignedTransaction { transaction, signature };
        let hash = transaction.hash().0;
        Entry { transaction, hash, sender }
    }

    fn has(&self, entry: &Entry) -> bool {
        self.pool.contains(&entry.hash)
    }

    /// Returns how many gave way.
    fn admit(&mut self) -> usize {
        let entry = self.some_entry();
        let source = match self.dice.below(PEERS as u64 + 1) {
            0 => Source::Client,
            peer => Source::Peer(peer as u32),
        };
        let standing =
            Standing { sender: Some(self.state[&entry.sender]), target: true, fault: None };
        let was_full = self.pool.usage;
        let taken = self.pool.admit(entry.clone(), source, self.next_height, standing);
        let (kept, lost): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|(entry, _)| self.pool.contains(&entry.hash));
        self.held = kept;
        if taken.is_err() {
            assert!(lost.is_empty(), "{taken:?} took something out");
            return 0;
        }
        self.held.push((entry.clone(), source));
        assert!(lost.is_empty() || !was_full.holds(entry.bytes(), self.pool.whole));
        for (lost, _) in &lost {
            assert_ne!(lost.sender, entry.sender);
            let last = |held: &(Entry, Source)| {
                held.0.sender != lost.sender || held.0.nonce() < lost.nonce()
            };
            assert!(self.held.iter().all(last), "a nonce in between was evicted");
        }
        lost.len()
    }

    /// A block of what the pool offers and of what it never saw, final at once.
    fn settle(&mut self) {
        let mut block: Vec<Entry> = Vec::new();
        for _ in 0..self.dice.below(3) {
            block.push(self.some_entry());
        }
        let offered = self.pool.offer(self.next_height, &self.rules, |_| None);
        block.extend(offered.iter().map(|entry| Entry::clone(entry)));
        let minimum = self.rules.minimum_balance;
        block.retain(|entry| apply(&mut self.state, entry, minimum).is_ok());
        let effects = block.iter().map(|entry| (entry.sender, entry.nonce(), entry.hash));
        self.pool.settle(self.next_height, effects);
        self.next_height += 1;
        let (state, next_height) = (&self.state, self.next_height);
        self.held.retain(|(entry, _)| {
            entry.nonce() >= state[&entry.sender].nonce && entry.expiry() >= next_height
        });
        for entry in block {
            let (transaction, hash) = (&entry.transaction, &entry.hash);
            let screened = self.pool.screen(transaction, hash, Source::Client, entry.expiry());
            assert_eq!(screened, Err(Refusal::Known));
        }
    }

    fn discard(&mut self) {
        if !self.held.is_empty() {
            let at = self.dice.below(self.held.len() as u64) as usize;
            self.pool.discard([self.held.remove(at).0.hash]);
        }
    }

    /// What should be offered when the nonces of some accounts are `changed`.
    fn should_offer(&self, height: u64, changed: &HashMap<Address, u64>) -> Vec<[u8; 32]> {
        let place = |sender: &Address, nonce| {
            let is_it =
                |(entry, _): &(Entry, Source)| entry.sender == *sender && entry.nonce() == nonce;
            self.held.iter().position(is_it)
        };
        let mut lanes: Vec<_> = self
            .state
            .iter()
            .filter_map(|(sender, account)| {
                let next = changed.get(sender).copied().unwrap_or(account.nonce);
                let first = place(sender, account.nonce)?;
                Some((place(sender, next)?.max(first), sender, next))
            })
            .collect();
        lanes.sort();
        let all = lanes.into_iter().flat_map(|(_, sender, next)| {
            (next..next + u64::from(self.rules.account_transactions))
                .map_while(|nonce| place(sender, nonce).map(|at| &self.held[at].0))
                .take_while(|entry| entry.expiry() >= height)
                .collect::<Vec<_>>()
        });
        let mut bytes = self.rules.block_bytes as usize - HEADER_BYTES;
        all.take(self.rules.block_transactions as usize)
            .take_while(|entry| {
                let fits = entry.bytes() <= bytes;
                bytes = bytes.saturating_sub(entry.bytes());
                fits
            })
            .map(|entry| entry.hash)
            .collect()
    }

    /// Two blocks that are not final, one on the other.
    fn offer(&self) {
        let (mut state, mut changed) = (self.state.clone(), HashMap::new());
        for height in self.next_height..self.next_height + 3 {
            let next = |sender: &Address| changed.get(sender).copied();
            let offered = self.pool.offer(height, &self.rules, next);
            let hashes: Vec<_> = offered.iter().map(|entry| entry.hash).collect();
            assert_eq!(hashes, self.should_offer(height, &changed));
            let mut nonces: HashMap<Address, u64> = HashMap::new();
            for entry in offered {
                let from = &state[&entry.sender];
                let nonce = nonces.entry(entry.sender).or_insert(from.nonce);
                assert_eq!(entry.nonce(), *nonce);
                *nonce += 1;
                if apply(&mut state, &entry, self.rules.minimum_balance).is_ok() {
                    changed.insert(entry.sender, entry.nonce() + 1);
                }
            }
        }
    }

    fn check(&self) {
        let pool = &self.pool;
        let usage = |keep: &dyn Fn(Source) -> bool| {
            let mut usage = Usage::default();
            self.held.iter().filter(|held| keep(held.1)).for_each(|held| usage.add(&held.0));
            usage
        };
        let all = usage(&|_| true);
        assert!(self.held.iter().all(|(entry, _)| self.has(entry)));
        assert_eq!((pool.len(), pool.bytes()), (all.transactions, all.bytes));
        assert_eq!(pool.expiries.len(), all.transactions);
        assert!(all.transactions <= self.limits.transactions && all.bytes <= self.limits.bytes);
        for peer in 1..=PEERS {
            let share = usage(&|source| source == Source::Peer(peer));
            let percent = usize::from(self.limits.peer_percent);
            assert_eq!(pool.shares.get(&peer).copied().unwrap_or_default(), share);
            assert!(share.transactions * 100 <= self.limits.transactions * percent);
            assert!(share.bytes * 100 <= self.limits.bytes * percent);
        }
        for sender in self.state.keys() {
            let held = self.held.iter().filter(|(entry, _)| entry.sender == *sender).count();
            assert_eq!(pool.lanes.held(sender), held);
            assert!(held <= self.rules.account_transactions as usize);
        }
        pool.lanes.check();
    }
}

#[test]
fn whatever_happens_the_pool_is_what_it_should_be() {
    let mut evictions = 0;
    for seed in 0..300 {
        let mut model = Model::new(seed);
        for _ in 0..150 {
            match model.dice.below(20) {
                0..15 => evictions += model.admit(),
                15 => model.discard(),
                16 | 17 => model.offer(),
                _ => model.settle(),
            }
            model.check();
        }
    }
    assert!(evictions > 100, "{evictions}");
}

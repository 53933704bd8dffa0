use super::*;
use crate::block::HEADER_BYTES;
use crate::keccak;
use crate::transaction::{SHORTEST, Transaction};

/// Bytes of a signed record.
const RECORD: usize = 181;

mod full;

pub(super) const CHAIN: [u8; 32] = [9; 32];
const NEXT: u64 = 10;

fn rules() -> Limits {
    Limits {
        account_transactions: 4,
        expiry_heights: 100,
        epoch_heights: 16,
        minimum_balance: 10,
        ..Limits::default()
    }
}

fn pool_of(bytes: usize, transactions: usize, peer_percent: u8) -> Pool {
    Pool::new(CHAIN.into(), rules(), PoolLimits { bytes, transactions, peer_percent })
}

fn pool() -> Pool {
    pool_of(1 << 20, 1_000, 50)
}

pub(super) fn account(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// An entry of an account named by a byte. The pool takes senders and hashes as they are.
fn entry(sender: u8, nonce: u64, expiry: u64, action: Action) -> Entry {
    let transaction = Transaction { chain: CHAIN.into(), nonce, expiry, action };
    let transaction = SignedTransaction { transaction, signature: [sender; 65] };
    let hash = transaction.hash().0;
    Entry { transaction, hash, sender: account(sender) }
}

fn pay(sender: u8, nonce: u64, amount: u64) -> Entry {
    entry(sender, nonce, 50, Action::Transfer { to: account(200), amount })
}

fn note(sender: u8, nonce: u64) -> Entry {
    entry(sender, nonce, 50, Action::Record { namespace: [1; 32], digest: [sender; 32] })
}

fn standing(balance: u64, nonce: u64) -> Standing {
    Standing { sender: Some(Account { balance, nonce }), target: true, fault: None }
}

/// Admits what a client brought; its sender has 1,000 and sent nothing yet, and nothing is recorded.
fn admit(pool: &mut Pool, entry: Entry) -> Result<(), Refusal> {
    let target = matches!(entry.transaction.transaction.action, Action::Transfer { .. });
    let standing = Standing { target, ..standing(1_000, 0) };
    pool.admit(entry, Source::Client, NEXT, standing)
}

/// Sender and nonce of everything offered after the final state.
fn offered(pool: &Pool, next_height: u64) -> Vec<(u8, u64)> {
    offered_after(pool, next_height, &[])
}

fn offered_after(pool: &Pool, next_height: u64, changed: &[(u8, u64)]) -> Vec<(u8, u64)> {
    let next = |address: &Address| {
        changed.iter().find(|(n, _)| account(*n) == *address).map(|&(_, nonce)| nonce)
    };
    named(&pool.offer(next_height, &rules(), next))
}

fn named(entries: &[Arc<Entry>]) -> Vec<(u8, u64)> {
    entries.iter().map(|entry| (entry.sender[0], entry.nonce())).collect()
}

fn settle(pool: &mut Pool, height: u64, entries: &[Entry]) {
    pool.settle(height, entries.iter().map(|one| (one.sender, one.nonce(), one.hash)));
}

#[test]
fn screening_names_the_first_reason() {
    let mut pool = pool_of(1 << 20, 2, 50);
    let screen =
        |pool: &Pool, one: &Entry, source| pool.screen(&one.transaction, &one.hash, source, NEXT);
    // Everything is wrong with it; one fault after the other is mended.
    let mut one = entry(1, 0, 9, Action::Transfer { to: account(2), amount: 0 });
    let peer = Source::Peer(3);
    pool.admit(pay(5, 0, 1), peer, NEXT, standing(1_000, 0)).unwrap();
    one.hash = pay(5, 0, 1).hash;
    one.transaction.transaction.chain = [8; 32].into();
    assert_eq!(screen(&pool, &one, peer), Err(Refusal::WrongChain));
    one.transaction.transaction.chain = CHAIN.into();
    assert_eq!(screen(&pool, &one, peer), Err(Refusal::Expired { expiry: 9, next: 10 }));
    one.transaction.transaction.expiry = 111;
    let far = Refusal::ExpiryTooFar { expiry: 111, limit: 110 };
    assert_eq!(screen(&pool, &one, peer), Err(far));
    for expiry in [110, 10] {
        one.transaction.transaction.expiry = expiry;
        assert_eq!(screen(&pool, &one, peer), Err(Refusal::ZeroAmount));
    }
    one.transaction.transaction.action = pay(1, 0, 1).transaction.transaction.action;
    assert_eq!(screen(&pool, &one, peer), Err(Refusal::Known));
    one.hash = [7; 32];
    assert_eq!(screen(&pool, &one, peer), Err(Refusal::Full));
    assert_eq!(screen(&pool, &one, Source::Peer(4)), Ok(()));
    assert_eq!(screen(&pool, &one, Source::Client), Ok(()));
    // Heights at the end of numbers overflow nothing.
    one.transaction.transaction.expiry = u64::MAX;
    let screened = pool.screen(&one.transaction, &one.hash, Source::Client, u64::MAX);
    assert_eq!(screened, Ok(()));
}

#[test]
fn admission_names_the_first_reason() {
    let mut pool = pool();
    admit(&mut pool, pay(1, 2, 1)).unwrap();
    let mut ask = |one: Entry, sender: Option<(u64, u64)>, target| {
        let sender = sender.map(|(balance, nonce)| Account { balance, nonce });
        pool.admit(one, Source::Client, NEXT, Standing { sender, target, fault: None })
    };
    // What was screened is screened again.
    assert_eq!(ask(pay(1, 2, 1), None, true), Err(Refusal::Known));
    assert_eq!(ask(pay(1, 1, 0), None, true), Err(Refusal::ZeroAmount));
    assert_eq!(ask(pay(2, 0, 5), None, false), Err(Refusal::Unfunded));
    let used = Refusal::NonceUsed { nonce: 1, next: 2 };
    assert_eq!(ask(pay(2, 1, 5), Some((12, 2)), false), Err(used));
    let far = Refusal::NonceTooFar { nonce: 6, limit: 5 };
    assert_eq!(ask(pay(2, 6, 5), Some((12, 2)), false), Err(far));
    // First come, first kept: also for a better one.
    assert_eq!(ask(pay(1, 2, 991), Some((1_000, 0)), false), Err(Refusal::NonceTaken));
    assert_eq!(ask(pay(2, 5, 3), Some((12, 2)), false), Err(Refusal::Reserve));
    assert_eq!(ask(pay(2, 5, 2), Some((12, 2)), false), Err(Refusal::BelowMinimum));
    assert_eq!(ask(pay(2, 5, 2), Some((12, 2)), true), Ok(()));
    assert_eq!(ask(pay(3, 0, 10), Some((20, 0)), false), Ok(()));
    assert_eq!(ask(note(4, 0), Some((1, 0)), true), Err(Refusal::RecordExists));
    assert_eq!(ask(note(4, 0), Some((1, 0)), false), Ok(()));
    assert_eq!(ask(pay(5, u64::MAX, 1), Some((11, u64::MAX)), true), Ok(()));
    assert_eq!(pool.len(), 5);
}

#[test]
fn what_goes_before_counts_against_the_balance() {
    let mut pool = pool();
    admit(&mut pool, pay(1, 1, 500)).unwrap();
    admit(&mut pool, note(1, 0)).unwrap();
    assert_eq!(admit(&mut pool, pay(1, 2, 491)), Err(Refusal::Reserve));
    let own = |amount| entry(1, 2, 50, Action::Transfer { to: account(1), amount });
    assert_eq!(admit(&mut pool, own(491)), Err(Refusal::Reserve));
    admit(&mut pool, own(490)).unwrap(); // moves nothing
    admit(&mut pool, pay(1, 3, 490)).unwrap();
    // Nothing below zero, where more has gone meanwhile.
    let poorer = pool.admit(pay(2, 3, 1), Source::Client, NEXT, standing(0, 0));
    assert_eq!(poorer, Err(Refusal::Reserve));
}

#[test]
fn nonces_are_offered_without_a_gap() {
    let mut pool = pool();
    for nonce in [3, 1, 0] {
        admit(&mut pool, pay(1, nonce, 1)).unwrap();
    }
    admit(&mut pool, pay(2, 1, 1)).unwrap();
    assert_eq!(offered(&pool, NEXT), [(1, 0), (1, 1)]);
    admit(&mut pool, pay(1, 2, 1)).unwrap();
    assert_eq!(offered(&pool, NEXT), [(1, 0), (1, 1), (1, 2), (1, 3)]);
    admit(&mut pool, pay(2, 0, 1)).unwrap();
    assert_eq!(offered(&pool, NEXT)[4..], [(2, 0), (2, 1)]);
}

#[test]
fn a_block_has_room_for_so_many() {
    let mut pool = pool();
    for sender in 1..4 {
        admit(&mut pool, note(sender, 0)).unwrap();
        admit(&mut pool, pay(sender, 1, 1)).unwrap();
    }
    let offer = |bytes: usize, transactions: u32, account: u32| {
        let limits = Limits {
            block_bytes: bytes as u32,
            block_transactions: transactions,
            account_transactions: account,
            ..rules()
        };
        named(&pool.offer(NEXT, &limits, |_| None))
    };
    let all = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)];
    let bytes = HEADER_BYTES + 3 * (RECORD + SHORTEST);
    assert_eq!(offer(bytes, 6, 2), all);
    assert_eq!(offer(bytes - 1, 6, 2), all[..5]);
    assert_eq!(offer(bytes, 3, 2), all[..3]);
    assert_eq!(offer(bytes, 6, 1), [(1, 0), (2, 0), (3, 0)]);
    for empty in [offer(bytes, 0, 2), offer(bytes, 6, 0), offer(HEADER_BYTES, 6, 2), offer(0, 6, 2)]
    {
        assert_eq!(empty, []);
    }
}

#[test]
fn an_offer_looks_at_no_more_accounts_than_it_must() {
    let mut pool = pool();
    for sender in 0..200 {
        admit(&mut pool, pay(sender, (1 - sender % 2).into(), 1)).unwrap(); // the even ones have a gap
    }
    let limits = Limits { block_transactions: 10, ..rules() };
    let asked = std::cell::Cell::new(0);
    let offered = pool.offer(NEXT, &limits, |sender| {
        asked.set(asked.get() + 1);
        (sender[0] < 20).then_some(1)
    });
    // 10 were in blocks before, 10 are offered, 1 finds no room.
    assert_eq!((offered.len(), asked.get()), (10, 21));
    assert_eq!(offered[0].sender, account(21));
}

#[test]
fn offers_stand_on_blocks_that_are_not_final() {
    let mut pool = pool();
    for (sender, nonce) in [(1, 0), (2, 0), (3, 0), (1, 1), (4, 0), (2, 1), (5, 0)] {
        admit(&mut pool, pay(sender, nonce, 1)).unwrap();
    }
    // 1 sent one, 3 all, 4 more than is known here; nothing is known of 6.
    let changed = [(1, 1), (3, 1), (4, 9), (6, 1)];
    assert_eq!(offered_after(&pool, NEXT, &changed), [(2, 0), (2, 1), (1, 1), (5, 0)]);
    assert_eq!(offered_after(&pool, NEXT, &[(1, 0)])[..2], [(1, 0), (1, 1)]);
    // A nonce below the final one is of a branch that is dead.
    settle(&mut pool, NEXT, &[pay(1, 0, 1)]);
    assert!(!offered_after(&pool, NEXT, &[(1, 0)]).iter().any(|&(sender, _)| sender == 1));
    let all: Vec<_> = (1..6).map(|n| (n, 2)).collect();
    assert_eq!(offered_after(&pool, NEXT, &all), []);
}

#[test]
fn what_expires_is_not_offered_and_leaves() {
    let mut pool = pool();
    let to = Action::Transfer { to: account(200), amount: 1 };
    for (sender, nonce, expiry) in [(1, 0, 12), (1, 1, 11), (1, 2, 13), (2, 0, 11), (3, 0, 110)] {
        admit(&mut pool, entry(sender, nonce, expiry, to.clone())).unwrap();
    }
    assert_eq!(offered(&pool, 11), [(1, 0), (1, 1), (1, 2), (2, 0), (3, 0)]);
    assert_eq!(offered(&pool, 12), [(1, 0), (3, 0)]);
    settle(&mut pool, 10, &[]);
    assert_eq!(pool.len(), 5);
    settle(&mut pool, 11, &[]);
    assert_eq!((pool.len(), pool.bytes()), (3, 3 * SHORTEST));
    settle(&mut pool, 109, &[]);
    assert_eq!(offered(&pool, 110), [(3, 0)]);
    settle(&mut pool, 110, &[]);
    assert!(pool.is_empty() && pool.bytes() == 0);
    // What has expired is not known: it can come again with another expiry, or the same.
    let again = entry(1, 0, 12, to);
    assert_eq!(pool.screen(&again.transaction, &again.hash, Source::Client, NEXT), Ok(()));
}

#[test]
fn a_final_block_takes_out_what_it_used() {
    let mut pool = pool();
    for (sender, nonce) in [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (3, 3)] {
        admit(&mut pool, pay(sender, nonce, 1)).unwrap();
    }
    // Of 2 another one took effect, of 3 some that were never here, of 4 nothing is known.
    let block = [pay(1, 0, 1), note(2, 0), note(3, 0), note(3, 1), note(3, 2), note(4, 0)];
    settle(&mut pool, NEXT, &block);
    assert_eq!((pool.len(), pool.bytes()), (4, 4 * SHORTEST));
    assert!(!pool.contains(&pay(2, 0, 1).hash) && pool.contains(&pay(2, 1, 1).hash));
    assert_eq!(offered(&pool, NEXT + 1), [(1, 1), (1, 2), (2, 1), (3, 3)]);
    for one in &block {
        assert_eq!(admit(&mut pool, one.clone()), Err(Refusal::Known));
    }
    // An account that was read before the block is an old one.
    let used = Refusal::NonceUsed { nonce: 0, next: 1 };
    assert_eq!(admit(&mut pool, pay(1, 0, 7)), Err(used));
    // One that was read after a block that the pool has not seen is a new one.
    pool.admit(pay(1, 3, 1), Source::Client, NEXT, standing(1_000, 2)).unwrap();
    assert!(!pool.contains(&pay(1, 1, 1).hash));
}

#[test]
fn only_the_last_blocks_are_known() {
    let mut pool = pool();
    for n in 0..recent::BLOCKS as u64 {
        pool.settle(NEXT + n, [(account(1), n, keccak(&[&n.to_be_bytes()]).0)]);
    }
    let known = |pool: &Pool, n: u64| pool.recent.contains(&keccak(&[&n.to_be_bytes()]).0);
    assert!(known(&pool, 0) && known(&pool, recent::BLOCKS as u64 - 1));
    settle(&mut pool, 1_000, &[]);
    assert!(!known(&pool, 0) && known(&pool, 1));
    // Many hashes push out old blocks, and never the last.
    let hash = |n: u32| keccak(&[&n.to_be_bytes()]).0;
    let many = 0..recent::HASHES as u32 + 1;
    pool.settle(1_001, many.map(|n| (account(2), n.into(), hash(n))));
    assert!(!known(&pool, 1) && pool.recent.contains(&hash(0)));
}

#[test]
fn what_has_no_effect_makes_way() {
    let mut pool = pool();
    for (sender, nonce) in [(1, 0), (1, 1), (2, 0)] {
        admit(&mut pool, pay(sender, nonce, 1)).unwrap();
    }
    pool.discard([pay(1, 0, 1).hash, [0; 32]]);
    assert_eq!((offered(&pool, NEXT), pool.len()), (vec![(2, 0)], 2));
    // It may come again: the state may have changed.
    admit(&mut pool, pay(1, 0, 1)).unwrap();
    assert_eq!(offered(&pool, NEXT), [(2, 0), (1, 0), (1, 1)]);
}

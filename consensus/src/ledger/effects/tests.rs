use std::collections::HashMap;

use super::*;
use crate::address::Address;
use crate::state::Key;
use crate::transaction::{SIGNATURE_BYTES, SignedTransaction, Transaction};

mod messages;

const MINIMUM: u64 = 10;
const OWN: Hash = commonware_cryptography::keccak256::Digest([7; 32]);

fn address(n: u8) -> Address {
    Address::repeat_byte(n)
}

fn transaction(nonce: u64, action: Action) -> Transaction {
    Transaction { chain: Hash::from([0; 32]), nonce, expiry: 9, action }
}

fn transfer(nonce: u64, to: u8, amount: u64) -> Transaction {
    transaction(nonce, Action::Transfer { to: address(to), amount })
}

/// Accounts 1 (balance 100, nonce 3) and 2 (balance 10, nonce 0), and nothing else.
fn state(key: &Key) -> Option<Value> {
    let account = |n: u8, balance, nonce| {
        (*key == Account::key(&address(n))).then(|| Account { balance, nonce }.value())
    };
    account(1, 100, 3).or_else(|| account(2, 10, 0))
}

/// Runs transactions on a state, with what they deliver; what each gives, and the state after them.
fn effects_on(
    state: impl Fn(&Key) -> Option<Value>,
    all: &[(u8, Transaction, Vec<Address>)],
) -> (Vec<Result<(), Fault>>, HashMap<Key, Value>) {
    let all: Vec<_> = all
        .iter()
        .map(|(n, one, delivered)| {
            let signature = [0; SIGNATURE_BYTES];
            (address(*n), SignedTransaction { transaction: one.clone(), signature }, delivered)
        })
        .collect();
    let signed = all.iter().map(|(sender, transaction, delivered)| Signed {
        sender,
        transaction,
        delivered,
    });
    let signed: Vec<_> = signed.collect();
    let mut touched = Touched::with_capacity(OWN, all.len());
    let places: Vec<_> = signed.iter().map(|one| touched.add(one)).collect();
    let read: Vec<_> = touched.keys.iter().map(&state).collect();
    let before = touched.keys.iter().zip(&read).filter_map(|(key, value)| Some((*key, (*value)?)));
    let mut after: HashMap<_, _> = before.collect();
    let mut effects = Effects::new(read, Place { height: 7, epoch: 2, minimum: MINIMUM });
    let results =
        signed.iter().zip(&places).map(|(one, at)| effects.apply(one, touched.of(at))).collect();
    after.extend(touched.keys.iter().zip(effects.written()).filter_map(|(k, v)| Some((*k, *v?))));
    (results, after)
}

/// Runs transactions of senders; what each gives, and the accounts 1, 2 and 3 after them.
fn run(all: &[(u8, Transaction)]) -> (Vec<Result<(), Fault>>, [Option<Account>; 3]) {
    let all: Vec<_> = all.iter().map(|(n, one)| (*n, one.clone(), vec![])).collect();
    let (results, after) = effects_on(state, &all);
    let account = |n| {
        let key = Account::key(&address(n));
        after.get(&key).copied().or_else(|| state(&key)).map(|value| Account::of(&value))
    };
    (results, [account(1), account(2), account(3)])
}

fn one(sender: u8, transaction: Transaction) -> Result<(), Fault> {
    run(&[(sender, transaction)]).0[0]
}

#[test]
fn each_rule_refuses_and_refusals_change_nothing() {
    let record = Action::Record { namespace: [1; 32], digest: [2; 32] };
    for (sender, refused, fault) in [
        (3, transfer(0, 1, 1), Fault::Unfunded),
        (1, transfer(2, 2, 1), Fault::WrongNonce),
        (1, transfer(4, 2, 1), Fault::WrongNonce),
        (1, transfer(3, 2, 0), Fault::ZeroAmount),
        (1, transfer(3, 2, 91), Fault::Reserve),
        (1, transfer(3, 2, u64::MAX), Fault::Reserve),
        (2, transfer(0, 2, 1), Fault::Reserve), // to itself, and still
        (1, transfer(3, 3, 9), Fault::BelowMinimum),
        (3, transaction(0, record), Fault::Unfunded),
    ] {
        let (results, accounts) = run(&[(sender, refused)]);
        assert_eq!(results, [Err(fault)]);
        assert_eq!(accounts, run(&[]).1, "{fault}");
    }
}

#[test]
fn amounts_move_and_nonces_count() {
    let (results, [one, two, three]) =
        run(&[(1, transfer(3, 2, 20)), (1, transfer(4, 3, 10)), (2, transfer(0, 1, 20))]);
    assert_eq!(results, [Ok(()); 3]);
    assert_eq!(one, Some(Account { balance: 90, nonce: 5 }));
    assert_eq!(two, Some(Account { balance: 10, nonce: 1 }));
    assert_eq!(three, Some(Account { balance: 10, nonce: 0 }));
}

#[test]
fn an_account_pays_itself_and_only_its_nonce_changes() {
    let (results, [one, ..]) = run(&[(1, transfer(3, 1, 90))]);
    assert_eq!((results[0], one), (Ok(()), Some(Account { balance: 100, nonce: 4 })));
}

#[test]
fn an_account_opened_in_a_block_sends_in_it() {
    let (results, [_, _, three]) = run(&[(1, transfer(3, 3, 30)), (3, transfer(0, 2, 20))]);
    assert_eq!((&results[..], three), (&[Ok(()); 2][..], Some(Account { balance: 10, nonce: 1 })));
}

#[test]
fn a_digest_is_recorded_once() {
    let record = |nonce, digest| {
        transaction(nonce, Action::Record { namespace: [1; 32], digest: [digest; 32] })
    };
    let (results, [one, two, _]) =
        run(&[(1, record(3, 5)), (2, record(0, 5)), (2, record(0, 6)), (1, record(4, 5))]);
    let exists = Err(Fault::RecordExists);
    assert_eq!(results, [Ok(()), exists, Ok(()), exists]);
    assert_eq!((one.unwrap().nonce, two.unwrap().nonce), (4, 1));
}

#[test]
fn the_exact_reserve_is_allowed() {
    assert_eq!(one(1, transfer(3, 2, 90)), Ok(()));
    assert_eq!(one(1, transfer(3, 3, 10)), Ok(()));
}

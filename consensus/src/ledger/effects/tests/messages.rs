//! Messages, deliveries and decrees.

use std::sync::Arc;

use commonware_cryptography::certificate::Signers;
use commonware_cryptography::{Signer as _, ed25519};
use commonware_utils::Participant;

use super::*;
use crate::block::Header;
use crate::decree::Draft;
use crate::genesis::Validator;
use crate::keys::VoteKey;
use crate::proof::{FinalHeader, Included, Path};
use crate::scheme::{Certificate, VoteSignature};
use crate::state::escrow;

/// Another chain, which is linked.
const OTHER: Hash = commonware_cryptography::keccak256::Digest([8; 32]);

fn set(from: u64, validators: std::ops::Range<u8>) -> ValidatorSet {
    let validator = |n: u8| Validator {
        identity: ed25519::PrivateKey::from_seed(n.into()).public_key(),
        vote: VoteKey::from_bytes(&[n + 1; 32]).unwrap().public(),
    };
    let mut validators: Vec<_> = validators.map(validator).collect();
    validators.sort();
    ValidatorSet { from, validators }
}

/// Accounts 1 and 2, the link to the other chain, what is locked for it.
fn linked(key: &Key) -> Option<Value> {
    let head = Head::then(None, set(5, 0..4).span());
    let locked = Account { balance: 50, nonce: 0 };
    match *key {
        key if key == Head::key(&OTHER) => Some(head.value()),
        key if key == Account::key(&escrow(&OTHER)) => Some(locked.value()),
        key => state(&key),
    }
}

fn message(to: Hash, sequence: u64, amount: u64) -> Message {
    Message { receiver: to, sequence, to: address(3), amount, digest: [9; 32] }
}

fn send(nonce: u64, sequence: u64, amount: u64) -> Transaction {
    transaction(nonce, Action::Message(message(OTHER, sequence, amount)))
}

fn certificate() -> Certificate {
    let signers = Signers::new(4, [Participant::new(0)]).unwrap();
    Certificate { signers, signatures: vec![VoteSignature([0; 64])] }
}

fn decree(order: Order) -> Action {
    let draft = Draft { epoch: 2, order };
    Action::Decree(Arc::new(Decree { draft, certificate: certificate() }))
}

/// A delivery of the other chain's transactions of these senders.
fn deliver(nonce: u64, all: &[(u8, Action)]) -> (u8, Transaction, Vec<Address>) {
    let header = Header {
        chain: OTHER,
        height: 3,
        epoch: 5,
        view: 3,
        parent: Hash::from([0; 32]),
        time_ms: 3,
        proposer: 0,
        transactions: 4,
        transactions_root: [0; 32],
        state_root: [0; 32],
    };
    let included = |(_, action): &(u8, Action)| Included {
        index: 0,
        path: Path::default(),
        transaction: SignedTransaction {
            transaction: Transaction { chain: OTHER, ..transaction(0, action.clone()) },
            signature: [0; SIGNATURE_BYTES],
        },
    };
    let (view, parent_view, descendants) = (3, 2, vec![]);
    let certificate = certificate();
    let block = FinalHeader { header, descendants, view, parent_view, certificate };
    let proof = Proof { block, transactions: all.iter().map(included).collect() };
    let senders = all.iter().map(|(sender, _)| address(*sender)).collect();
    (2, transaction(nonce, Action::Deliver(Arc::new(proof))), senders)
}

fn to_us(sequence: u64, amount: u64) -> Action {
    Action::Message(message(OWN, sequence, amount))
}

fn sequence(after: &HashMap<Key, Value>, key: Key) -> u64 {
    after.get(&key).map(Sequence::of).unwrap_or_default().next
}

fn balance(after: &HashMap<Key, Value>, of: &Address) -> u64 {
    after.get(&Account::key(of)).map(Account::of).unwrap_or_default().balance
}

#[test]
fn what_is_sent_is_locked_and_counted() {
    let all =
        [(1, send(3, 0, 20), vec![]), (1, send(4, 1, 0), vec![]), (1, send(5, 2, 70), vec![])];
    let (results, after) = effects_on(linked, &all);
    assert_eq!(results, [Ok(()); 3]);
    assert_eq!(balance(&after, &address(1)), 10);
    assert_eq!(balance(&after, &escrow(&OTHER)), 50 + 90);
    assert_eq!(sequence(&after, Sequence::outbox(&OTHER, &address(1))), 3);
}

#[test]
fn what_is_sent_wrongly_changes_nothing() {
    for (one, fault) in [
        (send(4, 0, 1), Fault::WrongNonce),
        (send(3, 1, 1), Fault::WrongSequence),
        (send(3, 0, 91), Fault::Reserve),
        (transaction(3, Action::Message(message(Hash::from([6; 32]), 0, 1))), Fault::Unlinked),
    ] {
        let (results, after) = effects_on(linked, &[(1, one, vec![])]);
        assert_eq!(results, [Err(fault)]);
        assert_eq!(balance(&after, &address(1)), 100);
        assert_eq!(sequence(&after, Sequence::outbox(&OTHER, &address(1))), 0);
    }
}

#[test]
fn a_message_takes_effect_once_and_in_turn() {
    let first =
        deliver(0, &[(5, to_us(0, 10)), (6, to_us(0, 0)), (5, to_us(2, 1)), (5, to_us(1, 5))]);
    let again = deliver(1, &[(5, to_us(0, 10)), (6, to_us(0, 0)), (5, to_us(1, 5))]);
    let rest = deliver(1, &[(5, to_us(1, 5)), (5, to_us(2, 1))]);
    let (results, after) = effects_on(linked, &[first, again, rest]);
    // Account 3 is opened by the first; what has a gap before it waits, and comes with the third.
    assert_eq!(results, [Ok(()), Err(Fault::NothingNew), Ok(())]);
    assert_eq!(balance(&after, &address(3)), 16);
    assert_eq!(balance(&after, &escrow(&OTHER)), 50 - 16);
    assert_eq!(sequence(&after, Sequence::inbox(&OTHER, &address(5))), 3);
    assert_eq!(sequence(&after, Sequence::inbox(&OTHER, &address(6))), 1);
}

#[test]
fn nothing_is_released_that_is_not_locked() {
    // All of the 50 may go. 9 would open an account with too little.
    for (amount, fault) in [(51, true), (50, false), (9, true), (u64::MAX, true)] {
        let (results, after) = effects_on(linked, &[deliver(0, &[(5, to_us(0, amount))])]);
        assert_eq!(results, [if fault { Err(Fault::NothingNew) } else { Ok(()) }], "{amount}");
        let inbox = Sequence::inbox(&OTHER, &address(5));
        assert_eq!(sequence(&after, inbox), u64::from(!fault), "{amount}");
    }
    let unlinked = effects_on(state, &[deliver(0, &[(5, to_us(0, 0))])]).0;
    assert_eq!(unlinked, [Err(Fault::Unlinked)]);
}

#[test]
fn who_delivers_may_be_who_gets() {
    let Action::Message(mut own) = to_us(0, 10) else { unreachable!() };
    own.to = address(2);
    let (results, after) = effects_on(linked, &[deliver(0, &[(5, Action::Message(own))])]);
    assert_eq!(results, [Ok(())]);
    let account = Account::of(&after[&Account::key(&address(2))]);
    assert_eq!(account, Account { balance: 20, nonce: 1 });
}

#[test]
fn another_chains_validators_follow_each_other() {
    let change = |from, of| (5, decree(Order::Validators(set(from, of))));
    let (results, after) = effects_on(
        linked,
        &[
            deliver(0, &[change(5, 4..8)]), // as old as what is known
            deliver(0, &[change(6, 4..8)]),
            deliver(1, &[change(6, 0..4)]),
            deliver(1, &[(5, to_us(0, 0)), change(9, 1..6)]),
            deliver(2, &[(5, decree(Order::Link { chain: OWN, set: set(0, 0..4) }))]),
        ],
    );
    let old = Err(Fault::NothingNew);
    assert_eq!(results, [old, Ok(()), old, Ok(()), old]);
    let head = Head::of(&after[&Head::key(&OTHER)]);
    assert_eq!((head.newest, head.previous), (set(9, 1..6).span(), Some(set(6, 4..8).span())));
    let values: Vec<_> =
        head.newest.keys(&OTHER).iter().map(|key| after.get(key).copied()).collect();
    assert_eq!(ValidatorSet::read(head.newest, &values), Some(set(9, 1..6)));
}

#[test]
fn decrees_change_sets_once_and_links_once() {
    let order = |nonce, order| (2, transaction(nonce, decree(order)), vec![]);
    let link = |of| Order::Link { chain: Hash::from([6; 32]), set: set(3, of) };
    let (results, after) = effects_on(
        linked,
        &[
            order(0, Order::Validators(set(2, 0..4))), // the epoch is 2
            order(0, Order::Validators(set(4, 0..5))),
            order(1, Order::Validators(set(5, 0..5))),
            order(1, link(0..4)),
            order(2, link(0..5)),
            order(2, Order::Link { chain: OTHER, set: set(9, 0..4) }),
        ],
    );
    let exists = Err(Fault::LinkExists);
    let pending = Err(Fault::ChangePending);
    assert_eq!(results, [Err(Fault::EpochPassed), Ok(()), pending, Ok(()), exists, exists]);
    let head = Head::of(&after[&Head::key(&OWN)]);
    assert_eq!((head.newest, head.previous), (set(4, 0..5).span(), None));
}

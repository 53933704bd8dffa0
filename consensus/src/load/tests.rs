use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::client::Client;
use crate::client::tests::{client, nobody};
use crate::http::fake::{self, CHAIN, NO_ROOM};
use crate::transaction::Action;
use crate::{Hash, SignedTransaction};

fn terms(rate: u64, seconds: u64) -> Terms {
    let (chain, to) = (Hash::from(CHAIN), Destination::Here);
    Terms { chain, rate, seconds, first: 0, nonce: 0, expiry: 100, to }
}

fn plan(accounts: usize, terms: Terms) -> Result<Plan, LoadError> {
    Plan::sign(&Accounts::derive(b"seed", accounts).unwrap(), terms)
}

#[test]
fn accounts_are_those_of_the_seed() {
    let accounts = Accounts::derive(b"seed", 5).unwrap();
    let secret = crate::keccak(&[b"seed", &[0, 0, 0, 0, 0, 0, 0, 3]]).0;
    let key = crate::keys::AccountKey::from_bytes(&secret).unwrap();
    assert_eq!(accounts.addresses()[3], key.address());
    assert_eq!(accounts.key(3).unwrap().address(), key.address());
    assert_eq!(accounts.addresses().iter().collect::<HashSet<_>>().len(), 5);
    let other = Accounts::derive(b"other", 5).unwrap();
    assert_ne!(other.addresses()[3], accounts.addresses()[3]);
    for count in [0, ACCOUNTS_LIMIT + 1] {
        assert!(matches!(Accounts::derive(b"", count), Err(LoadError::Range { .. })));
    }
}

#[test]
fn the_file_of_accounts_grows_and_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.bin");
    let cached = |seed: &[u8], count| {
        let accounts = Accounts::cached(seed, count, &path).unwrap();
        assert_eq!(accounts.addresses(), Accounts::derive(seed, count).unwrap().addresses());
        std::fs::read(&path).unwrap()
    };
    let first = cached(b"seed", 4);
    assert_eq!(first.len(), 56 + 4 * 20 + 32);
    assert_eq!(cached(b"seed", 2), first);
    let second = cached(b"seed", 9);
    assert_eq!(second.len(), 56 + 9 * 20 + 32);
    assert_ne!(cached(b"other", 9), second);
    for at in [20, 55, 60, second.len() - 1] {
        let mut damaged = second.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(cached(b"seed", 9), second, "byte {at}");
    }
    std::fs::write(&path, &second[..second.len() - 1]).unwrap();
    assert_eq!(cached(b"seed", 9), second);
    std::fs::write(&path, "a letter").unwrap();
    let error = Accounts::cached(b"seed", 1, &path).unwrap_err();
    assert!(matches!(error, LoadError::Cache { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"a letter");
    let error = Accounts::cached(b"seed", 1, Path::new("/nowhere/at/all")).unwrap_err();
    assert!(matches!(error, LoadError::Io { .. }), "{error}");
}

#[test]
fn accounts_sign_in_turn_and_nonces_go_on() {
    let accounts = Accounts::derive(b"seed", 70).unwrap();
    let plan = Plan::sign(&accounts, Terms { first: 3, nonce: 5, ..terms(1, 150) }).unwrap();
    assert_eq!(plan.len(), 150);
    for index in 0..plan.len() {
        let signed = SignedTransaction::decode(plan.transfer(index)).unwrap();
        assert_eq!(signed.hash().0, plan.hashes()[index]);
        let place = 3 + index as u64;
        assert_eq!((plan.signer(index), signed.transaction.nonce), (place % 70, 5 + place / 70));
        let key = accounts.key(place % 70).unwrap();
        assert_eq!(signed, signed.transaction.clone().sign(&key));
        let Action::Transfer { to, amount: 1 } = signed.transaction.action else { panic!() };
        assert!(to != key.address() && accounts.addresses().contains(&to));
    }
    let again = Plan::sign(&accounts, *plan.terms()).unwrap();
    assert_eq!(again.hashes(), plan.hashes());
}

#[test]
fn plans_that_cannot_be_are_refused_with_the_numbers() {
    assert!(plan(10, terms(5, 2)).is_ok());
    assert!(plan(60, terms(1, 1_000)).is_ok());
    let error = plan(9, terms(5, 2)).unwrap_err().to_string();
    assert!(error.contains("take 10 accounts") && error.ends_with("there are 9"), "{error}");
    assert!(matches!(plan(59, terms(1, 61)), Err(LoadError::Accounts { needed: 60, .. })));
    for (terms, name) in [
        (terms(0, 1), "rate"),
        (terms(1_000_001, 1), "rate"),
        (terms(1, 0), "seconds"),
        (terms(1, u64::MAX), "seconds"),
        (Terms { first: 10, ..terms(1, 1) }, "first"),
        (Terms { nonce: u64::MAX, ..terms(1, 1) }, "nonce"),
    ] {
        match plan(10, terms) {
            Err(LoadError::Range { field, .. }) => assert_eq!(field, name),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(plan(1, terms(1, 1)), Err(LoadError::Range { field: "accounts", .. })));
}

async fn outcome(plan: Plan, clients: &[Client], settings: Settings) -> Outcome {
    let mut seconds = 0;
    let outcome = run(Arc::new(plan), clients, &settings, |_| seconds += 1).await.unwrap();
    assert!(seconds >= 2, "{seconds}");
    outcome
}

#[tokio::test]
async fn every_transfer_is_sent_and_found_and_a_dead_validator_is_left_out() {
    let chain = fake::validator();
    let clients = [client(chain.clone()).await, nobody().await, client(chain.clone()).await];
    let outcome = outcome(plan(130, terms(130, 1)).unwrap(), &clients, Settings::default()).await;
    let total = &outcome.total;
    assert_eq!((total.sent, total.taken, total.committed), (130, 130, 130), "{outcome:?}");
    assert_eq!((total.late, total.refused, outcome.lost, outcome.twice), (0, 0, 0, 0));
    assert!(outcome.is_complete() && outcome.refused.is_empty());
    assert_eq!((outcome.finality.len(), outcome.receipts.len()), (130, 130));
    assert_eq!(outcome.receipts.iter().map(|(hash, _)| hash).collect::<HashSet<_>>().len(), 130);
    let (first, last) = outcome.receipts.heights().unwrap();
    assert!(first >= 1 && last <= total.height, "{first} {last}");
    // One validator agrees, one is down, one is of another history.
    let others = [clients[0].clone(), clients[1].clone(), client(fake::validator()).await];
    let checked = outcome.receipts.check(&others, Duration::from_millis(1)).await;
    assert!(checked[0].is_complete() && checked[0].found == 130, "{checked:?}");
    for checked in &checked[1..] {
        assert_eq!((checked.missing.len(), checked.found), (130, 0));
        assert!(checked.failure.is_some() && !checked.is_complete());
    }
    // Height 1 is there, but is another block.
    let other = fake::validator();
    let stranger = client(other).await;
    let one = crate::transaction::tests::transfer(1, 0).encode();
    for _ in 0..=last {
        stranger.submit(one.clone()).await.unwrap();
    }
    let checked = outcome.receipts.check(&[stranger], Duration::ZERO).await.remove(0);
    assert!(checked.failure.is_none() && !checked.different.is_empty(), "{checked:?}");
    assert_eq!(checked.missing.len(), 130);
}

#[tokio::test]
async fn refusals_are_told_by_reason_and_nothing_is_waited_for() {
    let clients = [client(fake::validator()).await];
    let full = plan(40, Terms { nonce: NO_ROOM, ..terms(40, 1) }).unwrap();
    let outcome = outcome(full, &clients, Settings::default()).await;
    assert_eq!(outcome.refused.get("Full"), Some(&40));
    assert_eq!((outcome.total.taken, outcome.total.committed, outcome.lost), (0, 0, 0));
    assert!(!outcome.is_complete() && outcome.receipts.is_empty());
    assert!(outcome.receipts.heights().is_none());
}

#[tokio::test]
async fn what_finds_no_room_in_flight_is_late() {
    let clients = [client(fake::validator()).await];
    let settings = Settings { in_flight: 0, ..Settings::default() };
    let outcome = outcome(plan(40, terms(40, 1)).unwrap(), &clients, settings).await;
    assert_eq!((outcome.total.late, outcome.total.sent), (40, 0));
}

#[tokio::test]
async fn what_is_taken_and_never_final_is_lost() {
    // The validator knows the transfers already: they are in blocks from before the load.
    let clients = [client(fake::validator()).await];
    let plan = Arc::new(plan(4, terms(4, 1)).unwrap());
    let bytes: Vec<u8> = (0..4).flat_map(|index| plan.transfer(index)).copied().collect();
    clients[0].submit(bytes).await.unwrap();
    let settings = Settings { settle: Duration::from_millis(50), ..Settings::default() };
    let outcome = run(plan, &clients, &settings, |_| ()).await.unwrap();
    assert_eq!((outcome.total.taken, outcome.total.committed, outcome.lost), (4, 0, 4));
}

#[tokio::test]
async fn there_must_be_a_validator_of_the_chain() {
    let of = |chain: [u8; 32]| Terms { chain: Hash::from(chain), ..terms(4, 1) };
    let run = async |chain, clients: &[Client]| {
        let plan = Arc::new(plan(4, of(chain)).unwrap());
        run(plan, clients, &Settings::default(), |_| ()).await.unwrap_err()
    };
    assert!(matches!(run(CHAIN, &[]).await, LoadError::Nobody));
    assert!(matches!(run(CHAIN, &[nobody().await]).await, LoadError::Silent(_)));
    let clients = [client(fake::validator()).await];
    assert!(matches!(run([1; 32], &clients).await, LoadError::Chain { .. }));
}

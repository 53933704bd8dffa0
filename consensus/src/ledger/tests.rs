use std::collections::HashMap;

use commonware_parallel::Sequential;
use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
use commonware_utils::{NZU16, NZU64, NZUsize};

use super::*;
use crate::address::Address;
use crate::genesis::Validator;
use crate::keys::{AccountKey, ValidatorKeys, VoteKey};
use crate::sets::{Head, Span, ValidatorSet};
use crate::transaction::{Action, SignedTransaction, Transaction};

type TestLedger = Ledger<deterministic::Context, Sequential>;

fn key(n: u8) -> AccountKey {
    AccountKey::from_bytes(&[n; 32]).unwrap()
}

fn genesis() -> Genesis {
    let keys = ValidatorKeys {
        identity: <commonware_cryptography::ed25519::PrivateKey as commonware_cryptography::Signer>::from_seed(1),
        vote: VoteKey::from_bytes(&[1; 32]).unwrap(),
    };
    let (identity, vote) = keys.public();
    let mut accounts: Vec<_> = (1..200).map(|n| (key(n).address(), 1_000)).collect();
    accounts.sort_unstable();
    Genesis {
        name: "test".into(),
        time_ms: 1,
        limits: Limits { minimum_balance: 10, ..Limits::default() },
        validators: vec![Validator { identity, vote }],
        accounts,
    }
}

async fn open(context: &deterministic::Context, name: &'static str) -> TestLedger {
    let store = Store {
        partition: name.into(),
        page_cache: CacheRef::new(NZU16!(1_024), NZUsize!(64)),
        write_buffer: NZUsize!(4_096),
        items_per_blob: NZU64!(512),
        strategy: Sequential,
        stages: Arc::default(),
    };
    Ledger::open(context.child("ledger"), store, &genesis()).await.unwrap()
}

/// A transfer that is not signed: the ledger does not look at signatures.
fn transfer(from: u8, nonce: u64, to: u8, amount: u64) -> (Address, SignedTransaction) {
    let action = Action::Transfer { to: key(to).address(), amount };
    let transaction = Transaction { chain: Hash::from([0; 32]), nonce, expiry: 9, action };
    (key(from).address(), SignedTransaction { transaction, signature: [0; 65] })
}

fn list(all: &[(Address, SignedTransaction)]) -> impl ExactSizeIterator<Item = Signed<'_>> {
    all.iter().map(|(sender, transaction)| Signed { sender, transaction, delivered: &[] })
}

fn name(n: u8) -> Hash {
    Hash::from([n; 32])
}

async fn balance(ledger: &TestLedger, n: u8) -> u64 {
    let values = ledger.read(&[Account::key(&key(n).address())]).await.unwrap();
    Account::of(&values[0].unwrap()).balance
}

#[test]
fn drafts_and_blocks_have_one_root_and_final_ones_are_read() {
    deterministic::Runner::default().start(|context| async move {
        let (one, two) = (open(&context, "one").await, open(&context, "two").await);
        let start = one.applied();
        assert_eq!(one.root(&start).await.unwrap(), two.root(&start).await.unwrap());

        let offered = [
            transfer(1, 0, 2, 100),
            transfer(3, 7, 2, 1),
            transfer(2, 0, 4, 1_090),
            transfer(1, 1, 2, 5),
        ];
        let draft = one.draft(&start, 1, list(&offered)).await.unwrap();
        assert_eq!(draft.taken, [0, 2, 3]); // the second has a nonce too high
        let taken: Vec<_> = draft.taken.iter().map(|&at| offered[at].clone()).collect();
        one.finish(draft, name(1)).await.unwrap();
        two.execute(name(1), &start, 1, list(&taken)).await.unwrap();
        let root = one.root(&name(1)).await.unwrap();
        assert_eq!(root, two.root(&name(1)).await.unwrap());
        assert_ne!(root, one.root(&start).await.unwrap());

        assert_eq!(balance(&one, 2).await, 1_000, "what is not final is not read");
        one.apply(&name(1)).await.unwrap().await.unwrap();
        assert_eq!(one.applied(), name(1));
        assert_eq!((balance(&one, 1).await, balance(&one, 2).await), (895, 15));
        assert_eq!(one.root(&name(1)).await.unwrap(), root);
        assert!(matches!(one.root(&start).await, Err(LedgerError::NoParent(_))));
    });
}

#[test]
fn what_is_current_is_opened() {
    deterministic::Runner::default().start(|context| async move {
        let ledger = open(&context, "ledger").await;
        let at = |n| Account::key(&key(n).address());
        let (start, mut values) = (ledger.applied(), HashMap::new());
        for height in 0..4 {
            let (block, parent) =
                (name(height), if height == 1 { start } else { name(height - 1) });
            if height > 0 {
                let all = [transfer(1, u64::from(height) - 1, 2, 5)];
                ledger.execute(block, &parent, height.into(), list(&all)).await.unwrap();
                ledger.apply(&block).await.unwrap().await.unwrap();
            }
            for n in [1, 2, 3] {
                let (applied, opened) = ledger.open_key(&at(n)).await.unwrap();
                let root = ledger.root(&applied).await.unwrap();
                let Opened { value, opening } = opened.unwrap();
                assert!(opening.len() <= crate::proof::MOST_OPENING_BYTES);
                assert!(is_current(&root, &at(n), &value, &opening), "{n} at {height}");
                assert!(!is_current(&root, &at(n + 1), &value, &opening));
                assert!(!is_current(&[0; 32], &at(n), &value, &opening));
                // What was current before, or is another's, is not.
                let before = values.insert(n, (value, opening.clone()));
                if let Some((old, by)) = before.filter(|(old, _)| *old != value) {
                    assert!(!is_current(&root, &at(n), &old, &opening));
                    assert!(!is_current(&root, &at(n), &old, &by));
                }
                for bit in 0..8 * opening.len() {
                    let mut other = opening.clone();
                    other[bit / 8] ^= 1 << (bit % 8);
                    assert!(!is_current(&root, &at(n), &value, &other), "bit {bit}");
                }
                for end in 0..opening.len() {
                    assert!(!is_current(&root, &at(n), &value, &opening[..end]));
                }
                assert!(!is_current(&root, &at(n), &value, &[&opening[..], &[0]].concat()));
            }
        }
        assert_eq!(ledger.open_key(&at(200)).await.unwrap(), (name(3), None));
    });
}

#[test]
fn a_block_with_a_fault_has_no_state() {
    deterministic::Runner::default().start(|context| async move {
        let ledger = open(&context, "ledger").await;
        let start = ledger.applied();
        let all = [transfer(1, 0, 2, 1), transfer(1, 0, 2, 1)];
        match ledger.execute(name(1), &start, 1, list(&all)).await {
            Err(EffectsError::Transaction { index: 1, fault: Fault::WrongNonce }) => (),
            other => panic!("{other:?}"),
        }
        assert!(!ledger.has(&name(1)));
        match ledger.execute(name(2), &name(1), 2, list(&[])).await {
            Err(EffectsError::Ledger(LedgerError::NoParent(block))) => assert_eq!(block, name(1)),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn blocks_that_lost_go_with_their_descendants_and_children_of_the_winner_stay() {
    deterministic::Runner::default().start(|context| async move {
        let ledger = open(&context, "ledger").await;
        let start = ledger.applied();
        let pay = |nonce, to, amount| [transfer(1, nonce, to, amount)];
        for (block, parent, height, all) in [
            (name(1), start, 1, pay(0, 2, 1)),
            (name(2), start, 1, pay(0, 2, 2)),
            (name(3), name(2), 2, pay(1, 3, 2)),
            (name(4), name(1), 2, pay(1, 3, 1)),
            (name(5), name(3), 3, pay(2, 3, 2)),
            (name(6), name(4), 3, pay(2, 3, 1)),
        ] {
            ledger.execute(block, &parent, height, list(&all)).await.unwrap();
        }
        let root = ledger.root(&name(6)).await.unwrap();
        let draft = ledger.draft(&name(2), 2, list(&pay(1, 2, 2))).await.unwrap();
        ledger.apply(&name(1)).await.unwrap().await.unwrap();
        for (n, there) in [(1, true), (2, false), (3, false), (4, true), (5, false), (6, true)] {
            assert_eq!(ledger.has(&name(n)), there, "{n}");
        }
        assert!(matches!(ledger.finish(draft, name(7)).await, Err(LedgerError::NoParent(_))));
        assert!(matches!(ledger.apply(&name(2)).await, Err(LedgerError::NoParent(_))));
        ledger.apply(&name(4)).await.unwrap().await.unwrap();
        ledger.apply(&name(6)).await.unwrap().await.unwrap();
        assert_eq!(ledger.root(&name(6)).await.unwrap(), root);
        assert_eq!(balance(&ledger, 3).await, 1_002);
    });
}

#[test]
fn every_final_state_is_there_after_a_restart_and_none_that_was_not_written() {
    let mut roots: HashMap<u8, [u8; 32]> = HashMap::new();
    let (_, mut checkpoint) =
        deterministic::Runner::default().start_and_recover(|context| async move {
            open(&context, "ledger").await;
        });
    let runs = |from: u8| {
        move |context: deterministic::Context| async move {
            let ledger = open(&context, "ledger").await;
            let mut last = ledger.applied();
            let mut roots = vec![];
            for n in from..from + 5 {
                let all: Vec<_> =
                    (1..100).map(|who| transfer(who, u64::from(n), who + 1, 3)).collect();
                ledger.execute(name(n + 1), &last, u64::from(n) + 1, list(&all)).await.unwrap();
                let written = ledger.apply(&name(n + 1)).await.unwrap();
                if n + 1 < from + 5 {
                    written.await.unwrap();
                    roots.push((n + 1, ledger.root(&name(n + 1)).await.unwrap()));
                }
                last = name(n + 1);
            }
            ledger.prune().await.unwrap();
            roots
        }
    };
    for from in [0, 4, 8] {
        let (seen, next) = deterministic::Runner::from(checkpoint).start_and_recover(runs(from));
        roots.extend(seen);
        let roots = roots.clone();
        let (last, next) =
            deterministic::Runner::from(next).start_and_recover(|context| async move {
                let ledger = open(&context, "ledger").await;
                let last = ledger.applied();
                // The last block may have been written, or not; what was waited for is there.
                let written = from + 4;
                assert!([name(written), name(written + 1)].contains(&last), "{last}");
                let root = ledger.root(&last).await.unwrap();
                if last == name(written) {
                    assert_eq!(root, roots[&written]);
                }
                last.0[0]
            });
        assert!(last >= from + 4);
        checkpoint = next;
        if last == from + 5 {
            return; // the blocks' numbers would no longer fit the nonces
        }
    }
}

#[test]
fn the_state_says_which_validators_are_in_force() {
    deterministic::Runner::default().start(|context| async move {
        let ledger = open(&context, "sets").await;
        let chain = genesis().chain();
        let force = async |epoch| ledger.set_in_force(&chain, epoch).await.unwrap();
        assert_eq!(force(9).await, None, "that of the genesis");
        let set = |from, votes: &[u8]| {
            let vote = |&n: &u8| VoteKey::from_bytes(&[n; 32]).unwrap().public();
            let identity = genesis().validators[0].identity.clone();
            let one = |n| Validator { identity: identity.clone(), vote: vote(n) };
            ValidatorSet { from, validators: votes.iter().map(one).collect() }
        };
        let (first, second) = (set(3, &[1]), set(7, &[2, 3]));
        let head = Head::then(None, first.span());
        let pairs = first.pairs(&chain).into_iter().chain([(Head::key(&chain), head.value())]);
        ledger.plant(pairs).await.unwrap();
        assert_eq!(force(2).await, None);
        assert_eq!(force(3).await, Some(first.clone()));
        let head = Head::then(Some(head), second.span());
        let pairs = second.pairs(&chain).into_iter().chain([(Head::key(&chain), head.value())]);
        ledger.plant(pairs).await.unwrap();
        for (epoch, expected) in [(2, None), (6, Some(first)), (7, Some(second.clone()))] {
            assert_eq!(force(epoch).await, expected, "{epoch}");
        }
        let mut third = Head::then(Some(head), Span { from: 8, validators: 1 });
        ledger.plant([(Head::key(&chain), third.value())]).await.unwrap();
        assert!(matches!(ledger.set_in_force(&chain, 8).await, Err(LedgerError::NoSet(8))));
        third.newest.from = 9;
        ledger.plant([(Head::key(&chain), third.value())]).await.unwrap();
        assert_eq!(force(8).await, Some(second));
    });
}

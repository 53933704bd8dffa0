use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::keys::AccountKey;
use crate::transaction::tests::{high_s, record, transfer};

const LONG: Duration = Duration::from_secs(300);

fn cache(entries: usize) -> SenderCache {
    SenderCache::new(entries, LONG)
}

/// Hashes that nothing has.
fn ids(range: std::ops::Range<u8>) -> Vec<Hashes> {
    range.map(|n| Hashes { signing: [0; 32], id: [n; 32] }).collect()
}

/// Gives each place the address of its hash.
fn named(hashes: &[Hashes]) -> impl Fn(&[usize]) -> Vec<Option<Address>> {
    let senders: Vec<_> = hashes.iter().map(|one| Some(Address::repeat_byte(one.id[0]))).collect();
    move |places| places.iter().map(|&place| senders[place]).collect()
}

fn none(places: &[usize]) -> Vec<Option<Address>> {
    panic!("{places:?} are recovered again")
}

#[test]
fn every_transaction_is_recovered_once() {
    let crypto = Crypto::Libsecp256k1;
    let good: Vec<_> = (1..9).flat_map(|n| [transfer(n, 0), record(n, 1)]).collect();
    let bad = high_s(&good[0]);
    let list = [&good[..], &[bad.clone(), bad], &good[..4]].concat();
    let hashes = crypto.hashes(&list, Terms::default());
    let cache = cache(100);
    let resolve = |part: std::ops::Range<usize>| {
        let (list, hashes) = (&list[part.clone()], &hashes[part]);
        resolve_senders(&crypto, &cache, list, hashes, Terms::default())
    };
    let senders = resolve(0..22);
    assert_eq!(cache.counts(), (5, 17));
    let address = |n| Some(AccountKey::from_bytes(&[n; 32]).unwrap().address());
    assert_eq!(senders[..2], [address(1); 2]);
    assert_eq!((senders[14], senders[15]), (address(8), address(8)));
    assert_eq!(senders[16..18], [None; 2]);
    assert_eq!(senders[18..], senders[..4]);

    assert_eq!(resolve(0..16), senders[..16]);
    assert_eq!(cache.counts(), (21, 17));
    // What is no signature is not remembered.
    assert_eq!(resolve(16..17), [None]);
    assert_eq!(cache.counts(), (21, 18));
    assert_eq!(resolve(0..0), []);
}

#[test]
fn it_holds_two_generations() {
    let cache = cache(4);
    let all = ids(0..200);
    for part in all.chunks(3) {
        resolve_with(&cache, part, named(part));
        let state = cache.lock();
        assert!(state.young.len() <= 4 && state.old.len() <= 4 && state.claimed.is_empty());
    }
    assert_eq!(cache.counts(), (0, 200));
    resolve_with(&cache, &all[196..], none);
    // What is asked for stays, whatever else comes.
    for part in all[..190].chunks(3) {
        resolve_with(&cache, part, named(part));
        resolve_with(&cache, &all[199..], none);
    }
    // More than it holds, at once.
    let senders = resolve_with(&cache, &all, named(&all));
    assert!(senders.iter().zip(0..).all(|(sender, n)| *sender == Some(Address::repeat_byte(n))));
}

#[test]
fn what_another_thread_recovers_is_waited_for() {
    let cache = cache(100);
    let (first, second) = (ids(0..2), ids(1..3));
    let (inside, began) = channel();
    let (go, gone) = channel();
    thread::scope(|scope| {
        let (cache, first) = (&cache, &first);
        scope.spawn(move || {
            resolve_with(cache, first, |places| {
                inside.send(()).unwrap();
                gone.recv().unwrap();
                named(first)(places)
            })
        });
        began.recv().unwrap();
        let senders = resolve_with(cache, &second, |places| {
            assert_eq!(places, [1], "what the other has is not taken");
            go.send(()).unwrap();
            named(&second)(places)
        });
        assert_eq!(senders, [1, 2].map(|n| Some(Address::repeat_byte(n))));
    });
    assert_eq!(cache.counts(), (1, 3));
}

#[test]
fn what_another_thread_gave_up_is_recovered_here() {
    let cache = cache(100);
    let (first, second) = (ids(0..2), ids(1..3));
    let (inside, began) = channel();
    let (go, gone) = channel();
    thread::scope(|scope| {
        let (cache, first) = (&cache, &first);
        scope.spawn(move || {
            let panics = |_: &[usize]| {
                inside.send(()).unwrap();
                gone.recv().unwrap();
                panic!("on purpose")
            };
            let panicked = AssertUnwindSafe(|| resolve_with(cache, first, panics));
            assert!(catch_unwind(panicked).is_err());
        });
        began.recv().unwrap();
        let senders = resolve_with(cache, &second, |places| {
            if places == [1] {
                go.send(()).unwrap();
            } else {
                assert_eq!(places, [0]);
            }
            named(&second)(places)
        });
        assert_eq!(senders, [1, 2].map(|n| Some(Address::repeat_byte(n))));
    });
    assert!(cache.lock().claimed.is_empty());
    resolve_with(&cache, &second, none);
}

#[test]
fn patience_ends() {
    let cache = SenderCache::new(100, Duration::ZERO);
    let hashes = ids(0..1);
    let senders = resolve_with(&cache, &hashes, |places| {
        // As another thread would: this one still recovers it.
        let other = resolve_with(&cache, &hashes, named(&hashes));
        assert_eq!(other, [Some(Address::ZERO)]);
        assert_eq!(cache.lock().claimed.len(), 1, "the claim is the first one's");
        named(&hashes)(places)
    });
    assert_eq!(senders, [Some(Address::ZERO)]);
    assert_eq!(cache.counts(), (0, 2));
    assert!(cache.lock().claimed.is_empty());
}

#[test]
fn many_threads_recover_each_transaction_once() {
    let cache = cache(1_000);
    let all = ids(0..250);
    thread::scope(|scope| {
        for start in 0..8 {
            let (cache, all) = (&cache, &all);
            scope.spawn(move || {
                for turn in 0..50 {
                    let from = (start * 31 + turn * 5) % 240;
                    let part = &all[from..from + 10];
                    let senders = resolve_with(cache, part, named(part));
                    let right = part.iter().map(|one| Some(Address::repeat_byte(one.id[0])));
                    assert!(senders.into_iter().eq(right));
                }
            });
        }
    });
    let (hits, recovered) = cache.counts();
    assert_eq!(hits + recovered, 8 * 50 * 10);
    assert!(recovered <= 250, "{recovered} recoveries of 250");
}

//! Bad signatures in every share and place: what is answered, and what the host confirms.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::index::sample;
use sigmill::{Class, Engine, Source, Terms};

use crate::support::cpu;
use crate::support::failing::{self, must_come};
use crate::support::signed::{ECDSA, SCHNORR};
use crate::{Signed, balance, terms};

#[test]
fn any_share_of_bad_signatures() {
    let engine = cpu();
    let mut random = StdRng::seed_from_u64(1);
    let mut source = 0;
    for algorithm in [ECDSA, SCHNORR] {
        for bad in [0, 1, 10, 100, 500, 1_000] {
            let all = Signed::new(algorithm, 1_000, sample(&mut random, 1_000, bad));
            for batch in [all.single(), all.combined()] {
                source += 1;
                let terms = Terms::default().source(Source(source));
                all.is_answered_by(&engine.submit(batch, terms).expect("room").wait());
            }
        }
    }
    balance(&engine);
}

#[test]
fn one_bad_signature_in_every_combined_batch() {
    let engine = cpu();
    for algorithm in [ECDSA, SCHNORR] {
        for bad in [0, 1, 255, 599, 300, 128] {
            let all = Signed::new(algorithm, 600, [bad]);
            let ticket = engine.submit(all.combined(), Terms::default()).expect("room");
            all.is_answered_by(&ticket.wait());
        }
    }
    balance(&engine);
}

#[test]
fn one_source_sends_all_the_bad_ones() {
    let engine = cpu();
    let good = Signed::new(SCHNORR, 600, []);
    let bad = Signed::new(SCHNORR, 600, 0..600);
    for _ in 0..6 {
        let tickets = [(&good, 1), (&bad, 2), (&good, 3)].map(|(all, source)| {
            let terms = Terms::default().source(Source(source));
            (all, engine.submit(all.combined(), terms).expect("room"))
        });
        tickets.into_iter().for_each(|(all, ticket)| all.is_answered_by(&ticket.wait()));
    }
    balance(&engine);
}

#[test]
fn nothing_but_duplicates() {
    let engine = cpu();
    for algorithm in [ECDSA, SCHNORR] {
        for bad in [None, Some(0)] {
            let one = Signed::new(algorithm, 1, bad);
            let all = Signed {
                algorithm,
                jobs: vec![one.jobs[0].clone(); 1_000],
                odd: vec![one.odd[0]; 1_000],
                good: vec![bad.is_none(); 1_000],
            };
            for batch in [all.single(), all.combined()] {
                all.is_answered_by(&engine.submit(batch, Terms::default()).expect("room").wait());
            }
        }
    }
    balance(&engine);
}

/// Beyond the host's share for it, rejects of a source that proved to send nothing else are believed; votes and blocks
/// never are.
#[test]
fn a_flood_of_rejects_costs_the_host_no_more_than_its_share() {
    let (device, _) = failing::device(Duration::from_secs(600));
    let engine = Engine::builder().threads(1).cpu(false).device(device);
    let engine = engine.recheck(0).probation(Duration::ZERO).open().expect("an engine");
    let bad = Signed::new(ECDSA, 100, 0..100);
    let flooder = Source(1);
    let submit = |all: &Signed, class, source| {
        let before = engine.snapshot().checks;
        let terms = terms(class).source(source);
        all.is_answered_by(&must_come(engine.submit(all.single(), terms).expect("room")));
        let after = engine.snapshot().checks;
        (after.confirmed - before.confirmed, after.believed - before.believed)
    };
    for _ in 0..3 {
        assert_eq!(submit(&bad, Class::Mempool, flooder), (100, 0), "not yet notorious");
    }
    for _ in 0..5 {
        assert_eq!(submit(&bad, Class::Mempool, flooder), (0, 100), "notorious");
    }
    assert_eq!(submit(&bad, Class::Consensus, flooder), (100, 0));
    assert_eq!(submit(&bad, Class::Sync, flooder), (100, 0));
    assert_eq!(submit(&bad, Class::Mempool, Source(2)), (100, 0), "another source");
    // One good signature, and it is no longer believed.
    let mixed = Signed::new(ECDSA, 100, 0..99);
    assert_eq!(submit(&mixed, Class::Mempool, flooder), (0, 99));
    assert_eq!(submit(&bad, Class::Mempool, flooder), (100, 0));
    let device = &engine.snapshot().devices[0];
    assert_eq!((device.faults, device.serves()), (0, true));
    balance(&engine);
}

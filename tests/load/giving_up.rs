//! Batches that are given up, one by one and all at once: each has one answer.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sigmill::error::ItemError;
use sigmill::{Class, Engine, Limits, Outcome, Source, Terms, Ticket};

use crate::support::failing::{self, Control, Failure, must_come};
use crate::support::signed::{ECDSA, RECOVER, SCHNORR};
use crate::{Signed, balance, held, terms};

#[test]
fn a_batch_given_up_at_any_stage_has_one_answer() {
    let (engine, control) = held(Limits::default());
    let all = Signed::new(ECDSA, 5, [2]);
    let large = Signed::new(SCHNORR, 2_500, [2_499]);
    let mut cancelled = 0;
    // While it is parsed, or just after.
    let parsing: Vec<_> = (0..4)
        .map(|_| {
            let ticket = engine.submit(large.single(), Terms::default()).expect("room");
            ticket.cancel();
            ticket
        })
        .collect();
    for ticket in parsing {
        assert!(large.was_cancelled(&must_come(ticket)), "no device answers yet");
        cancelled += 2_500;
    }
    // Some are in the lane, the others wait: more than the lane holds.
    let mut tickets: Vec<_> =
        (0..40).map(|_| engine.submit(all.single(), Terms::default()).expect("room")).collect();
    for ticket in tickets.split_off(3) {
        ticket.cancel();
        ticket.cancel();
        assert!(all.was_cancelled(&must_come(ticket)));
        cancelled += 5;
    }
    control.hold(false);
    // Those that were left alone are answered, and stay so.
    for ticket in tickets {
        while !ticket.is_ready() {
            std::thread::yield_now();
        }
        ticket.cancel();
        assert!(!all.was_cancelled(&ticket.wait()));
    }
    let counters = engine.snapshot().counters;
    assert_eq!(counters.answered.errors, cancelled);
    assert_eq!((counters.answered.valid, counters.answered.invalid), (3 * 4, 3));
    balance(&engine);
    // What the device sends of the others meets nobody.
    all.is_answered_by(&must_come(engine.submit(all.single(), Terms::default()).expect("room")));
}

/// All kinds of load at once, tickets kept.
fn storm(engine: &Engine, control: &Control) -> Vec<(Signed, Ticket, bool)> {
    let mut random = StdRng::seed_from_u64(9);
    let mut flying = Vec::new();
    for round in 0..60 {
        let algorithm = [ECDSA, SCHNORR, RECOVER][random.random_range(0..3)];
        let jobs = [1, 7, 100, 700][random.random_range(0..4)];
        // A spoiled recovery has another key, and no verdict.
        let bad = if algorithm == RECOVER { 0 } else { [0, 1, jobs][random.random_range(0..3)] };
        let all = Signed::new(algorithm, jobs, 0..bad);
        let class = [Class::Consensus, Class::Mempool, Class::Sync][random.random_range(0..3)];
        let terms = terms(class).source(Source(random.random_range(0..4)));
        let combines = algorithm != RECOVER && random.random();
        let batch = if combines { all.combined() } else { all.single() };
        let ticket = engine.submit(batch, terms).expect("room");
        let cancels = random.random_range(0..6) == 0;
        if cancels {
            ticket.cancel();
        }
        if round % 20 == 10 {
            control.fail(Failure::ALL[random.random_range(0..6)]);
        }
        flying.push((all, ticket, cancels));
    }
    flying
}

#[test]
fn shutting_down_in_the_middle_answers_everything() {
    let (device, control) = failing::device(Duration::from_millis(200));
    let engine = Engine::builder().threads(1).device(device).proofs(proofs()).open();
    let engine = engine.expect("an engine");
    let flying = storm(&engine, &control);
    assert!(engine.shut_down(Duration::from_secs(60)));
    for (all, ticket, cancels) in flying {
        assert!(ticket.is_ready(), "all were answered");
        assert!(!all.was_cancelled(&ticket.wait()) || cancels);
    }
}

#[test]
fn dropping_in_the_middle_answers_everything() {
    let (device, control) = failing::device(Duration::from_millis(200));
    let engine = Engine::builder().threads(1).device(device).proofs(proofs()).open();
    let engine = engine.expect("an engine");
    let flying = storm(&engine, &control);
    drop(engine);
    for (all, ticket, cancels) in flying {
        let answered = must_come(ticket);
        let given_up = Outcome::Error(ItemError::Shutdown);
        if !answered.answers().iter().all(|outcome| outcome == given_up) {
            assert!(!all.was_cancelled(&answered) || cancels);
        }
    }
}

/// Where a device's lies are kept.
fn proofs() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("sigmill-load-{}", std::process::id()))
}

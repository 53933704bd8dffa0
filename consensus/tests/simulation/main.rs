//! Whole validators, deterministic: the same seed is the same run. Each seed draws what goes wrong.
//!
//! `SIGMILL_SEEDS=N` runs that many seeds (200), `SIGMILL_SEED=S` one, and says what happens.

mod abroad;
mod books;
mod faults;
mod liar;
mod panics;
mod plan;
mod run;
mod twins;
mod world;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use plan::{Act, Event, Mill, Plan};
use run::{Counts, Outcome, run};
use world::World;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

fn words(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default()
}

/// Runs a seed; every tenth twice.
fn seed(world: &Arc<World>, seed: u64, loud: bool) -> Result<Counts, String> {
    let plan = Plan::draw(seed);
    let once = || run(world, &plan, loud);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let Outcome { trace, mut counts } = once();
        if seed.is_multiple_of(10) {
            assert_eq!(once().trace, trace, "another trace");
            counts.insert("runs repeated".into(), 1);
        }
        counts
    }));
    outcome.map_err(|panic| format!("SIGMILL_SEED={seed}: {}\n  {plan:?}", words(panic)))
}

#[test]
fn whatever_goes_wrong_validators_agree_and_go_on() {
    let world = World::new();
    if let Some(one) = number("SIGMILL_SEED") {
        println!("{:#?}", Plan::draw(one));
        println!("{:#?}", seed(&world, one, true).unwrap());
        return;
    }
    let (seeds, next) = (number("SIGMILL_SEEDS").unwrap_or(200), AtomicU64::new(0));
    let (counts, failures) = (Mutex::new(Counts::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let one = next.fetch_add(1, Relaxed);
                    if one >= seeds {
                        return;
                    }
                    match seed(&world, one, false) {
                        Ok(found) => {
                            let mut counts = counts.lock().unwrap();
                            for (what, times) in found {
                                *counts.entry(what).or_default() += times;
                            }
                        }
                        Err(failure) => failures.lock().unwrap().push(failure),
                    }
                }
            });
        }
    });
    for (what, times) in counts.into_inner().unwrap() {
        println!("{times:>10} {what}");
    }
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {seeds}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_quiet_run_is_the_same_with_and_without_an_engine() {
    let world = World::new();
    let engines = Mill::ALL.map(Some).into_iter().chain([None]);
    let trace = |engine| run(&world, &Plan { engine, ..Plan::quiet(7) }, false).trace;
    let traces: Vec<_> = engines.map(trace).collect();
    assert!(traces.iter().all(|trace| *trace == traces[0]), "{traces:?}");
}

/// It has final blocks before it has voted.
#[test]
fn a_latecomer_may_die_while_it_catches_up() {
    let world = World::new();
    for after in (0..1_200).step_by(if number("SIGMILL_FINE").is_some() { 10 } else { 150 }) {
        let events = vec![(0, Event::Crash(3)), (6_000, Event::Restart(3, Some(after)))];
        let acts = vec![Act { events, lasts: 7_000 }];
        run(&world, &Plan { acts, ..Plan::quiet(after) }, false);
    }
}

/// One validator leaves by decree of all, and comes back by decree of the others.
#[test]
fn decrees_say_who_votes() {
    let world = World::new();
    let all = (1 << world::VALIDATORS) - 1;
    let sets = Some([(1, all & !2), (3, all)]);
    let acts = vec![Act { events: Vec::new(), lasts: 30_000 }];
    let plan = Plan { sets, decreed: true, blocks: 70, acts, ..Plan::quiet(11) };
    let counts = run(&world, &plan, false).counts;
    assert!(counts["epochs that ended"] >= 4, "{counts:?}");
    assert_eq!(counts["decrees of validators"], 2, "{counts:?}");
}

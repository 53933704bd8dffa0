//! The dispatcher under a virtual clock, with modelled devices behind the real `Backend` and the real
//! examination of what they send. The machine is the one that the engine runs.
//!
//! `SIGMILL_SEEDS=N` sets how many seeds run, `SIGMILL_SEED=S` replays one and prints what happens.

mod books;
mod device;
mod faults;
mod host;
mod items;
mod lies;
mod plan;
mod post;
mod trace;
mod truth;
mod upsets;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use books::Slips;
use faults::{Counts, Kind};
use items::Ware;
use truth::Truth;
use world::World;

/// Seeds of a run that names no number.
const SEEDS: u64 = 2_000;

/// One seed in so many runs twice.
const TWICE: u64 = 10;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Modelled devices panic by the thousand: those are not printed.
fn hush() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or_default();
        if !text.starts_with(device::PANIC) {
            usual(info);
        }
    }));
}

#[derive(Default)]
struct Total {
    counts: Counts,
    slips: Slips,
    failed: Vec<u64>,
}

fn one(seed: u64, stock: &[Ware], truth: &Arc<Truth>, talks: bool) -> Option<(Counts, Slips, u64)> {
    let run = || World::new(seed, stock, truth.clone(), talks).run();
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(world) => Some((world.counts, world.books.slips, world.trace.hash())),
        Err(_) => {
            eprintln!("seed {seed} failed: SIGMILL_SEED={seed} replays it");
            None
        }
    }
}

fn work(next: &AtomicU64, seeds: u64, stock: &[Ware], total: &Mutex<Total>) {
    let truth = Arc::new(Truth::new());
    loop {
        let seed = next.fetch_add(1, Relaxed);
        if seed >= seeds || total.lock().expect("no panic within").failed.len() > 3 {
            return;
        }
        let ran = one(seed, stock, &truth, false);
        let again = seed.is_multiple_of(TWICE).then(|| one(seed, stock, &truth, false));
        let mut total = total.lock().expect("no panic within");
        match ran {
            Some((counts, slips, hash)) => {
                if let Some(again) = again {
                    assert_eq!(again.map(|again| again.2), Some(hash), "seed {seed} differs");
                }
                total.counts.merge(&counts);
                total.slips.merge(&slips);
            }
            None => total.failed.push(seed),
        }
    }
}

#[test]
fn nothing_is_lost_and_no_verdict_is_wrong() {
    hush();
    let stock = items::stock();
    if let Some(seed) = variable("SIGMILL_SEED") {
        let world = World::new(seed, &stock, Arc::new(Truth::new()), true).run();
        println!("{:?}\n{:?}", world.counts, world.books.slips);
        return;
    }
    let seeds = variable("SIGMILL_SEEDS").unwrap_or(SEEDS);
    let (next, total) = (AtomicU64::new(0), Mutex::new(Total::default()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| work(&next, seeds, &stock, &total));
        }
    });
    let Total { counts, slips, failed } = total.into_inner().expect("no panic within");
    for &kind in Kind::ALL {
        println!("{:>10} {}", counts.of(kind), kind.name());
    }
    println!("{seeds} seeds: {slips:?}");
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
    if seeds >= SEEDS {
        for &kind in Kind::ALL {
            assert!(counts.of(kind) > 0, "never came about: {}", kind.name());
        }
    }
}

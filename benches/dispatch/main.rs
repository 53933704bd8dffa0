//! What the dispatcher itself costs: the engine over the backend `null`, one item, refusals, overload, other
//! sources, a device that does not pay, how soon that is known, and what recording costs.
//!
//! ```text
//! cargo bench --bench dispatch -- [--json] [--quick] [null|one-item|refusals|overload|plugged|settling|watched ..]
//! ```
//! Inline: one batch after the other on the caller's thread, raw (parsed each time) and parsed
//! before. Lane: batches of 1,024 jobs through a device thread, several in flight. Batches are
//! recycled; allocations are counted after a warm-up.

use std::alloc::System;
use std::collections::VecDeque;
use std::time::Instant;

use sigmill::{Algorithm, Batch, Engine, Job, Terms};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

mod engines;
mod load;
mod open_loop;
mod overload;
mod plugged;
#[path = "../../src/cli/bench/sent.rs"]
mod sent;
mod settling;
mod watched;

/// Counts what the data path allocates, on every thread.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 11;
const LANE_JOBS: usize = 1_024;
const IN_FLIGHT: usize = 8;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let (json, quick) = (has("--json"), has("--quick"));
    let names = ["null", "one-item", "refusals", "overload", "plugged", "settling", "watched"];
    let all = !names.iter().any(|name| has(name));
    let parts: [fn(bool, bool); 7] = [
        null,
        load::one_item,
        load::refusals,
        overload::run,
        plugged::run,
        settling::run,
        watched::run,
    ];
    for (name, part) in names.into_iter().zip(parts) {
        if all || has(name) {
            part(json, quick);
        }
    }
}

fn null(json: bool, quick: bool) {
    let batches = if quick { 2_000 } else { 100_000 };
    let inline = engine(true);
    for jobs in [1, 64, 1_024] {
        let mut batch = nothing(jobs);
        let row = measure(batches, || {
            let open = std::mem::replace(&mut batch, nothing(0));
            let answered = inline.submit(open, Terms::default()).expect("room").wait();
            batch = answered.into_batch();
        });
        print(json, "inline-raw", jobs, row);
        let parsed = inline.parse(nothing(jobs));
        let row = measure(batches, || {
            drop(inline.submit_parsed(parsed.clone(), Terms::default()).expect("room").wait());
        });
        print(json, "inline-parsed", jobs, row);
    }
    let lane = engine(false);
    let parsed = lane.parse(nothing(LANE_JOBS));
    let mut tickets = VecDeque::new();
    let row = measure(batches / 10, || {
        tickets.push_back(lane.submit_parsed(parsed.clone(), Terms::default()).expect("room"));
        if tickets.len() == IN_FLIGHT {
            tickets.pop_front().expect("some are in flight").wait();
        }
    });
    print(json, "lane", LANE_JOBS, row);
}

fn engine(inline: bool) -> Engine {
    let device = engines::null(inline);
    Engine::builder().threads(1).cpu(false).device(device).open().expect("an engine")
}

fn nothing(jobs: usize) -> Batch {
    let mut batch = Batch::open(Algorithm::Null);
    for _ in 0..jobs {
        batch.push(Job::Null).expect("room");
    }
    batch.seal()
}

/// Nanoseconds a batch, sorted over the rounds, and allocations a batch.
fn measure(batches: usize, mut submit: impl FnMut()) -> (Vec<f64>, f64) {
    for _ in 0..1_000 {
        submit();
    }
    let region = Region::new(ALLOCATOR);
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..batches {
                submit();
            }
            started.elapsed().as_secs_f64() * 1e9 / batches as f64
        })
        .collect();
    let change = region.change();
    let allocations = change.allocations + change.reallocations;
    times.sort_by(f64::total_cmp);
    (times, allocations as f64 / (batches * ROUNDS) as f64)
}

fn print(json: bool, path: &str, jobs: usize, (times, allocations): (Vec<f64>, f64)) {
    let (least, median, most) = (times[0], times[ROUNDS / 2], times[ROUNDS - 1]);
    let each = median / jobs as f64;
    if json {
        println!(
            "{{\"path\":\"{path}\",\"jobs\":{jobs},\"ns_per_batch\":{{\"min\":{least:.1},\
             \"median\":{median:.1},\"max\":{most:.1}}},\"ns_per_job\":{each:.2},\
             \"allocations_per_batch\":{allocations:.3}}}"
        );
    } else {
        println!(
            "{path:14} {jobs:5} jobs  {median:8.1} ns a batch ({least:.0} to {most:.0})  \
             {each:8.2} ns a job  {allocations:.3} allocations a batch"
        );
    }
}

//! What isolation costs: `cargo test --release --test isolation -- --ignored --nocapture measure`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sigmill::backend::{Backend, BatchId, isolated};
use sigmill::parsed::Parsed;

use crate::child::Blank;
use crate::jobs::{ECDSA, some};
use crate::options;
use crate::support::EvidenceBackend;

/// The same backend here and in a process of its own, in turns; medians, and their middle halves.
#[test]
#[ignore = "a measurement"]
fn measure() {
    let here = || Box::new(Blank::new(false)) as Box<dyn Backend>;
    for (count, rounds) in [(1, 20_000), (128, 10_000), (4_096, 2_000), (65_536, 100)] {
        compare(&format!("nothing computed, {count} ECDSA"), "blank", here(), count, rounds);
    }
    let here = Box::<EvidenceBackend>::default();
    compare("portable kernels, 4096 ECDSA", "evidence", here, 4_096, 25);
}

fn compare(what: &str, name: &str, mut here: Box<dyn Backend>, count: usize, rounds: usize) {
    let mut there = isolated::backend(&options(name)).expect("it opens");
    let batch = Arc::new(Parsed::parse(some(ECDSA, count, 1)));
    let mut id = 0;
    let mut trip = |backend: &mut dyn Backend| {
        id += 1;
        let started = Instant::now();
        backend.submit(BatchId(id), batch.clone()).expect("room");
        loop {
            if let Some(completion) = backend.poll() {
                completion.result.expect("no fault");
                return started.elapsed();
            }
            backend.wait(Instant::now() + Duration::from_millis(100));
        }
    };
    let times: Vec<_> = (0..rounds).map(|_| (trip(&mut *here), trip(&mut *there))).collect();
    let median = |of: &dyn Fn(&(Duration, Duration)) -> Duration| {
        let mut sorted: Vec<_> = times.iter().map(of).collect();
        sorted.sort();
        let at = |share: usize| sorted[sorted.len() * share / 4].as_secs_f64() * 1e6;
        format!("{:.1} us ({:.1} to {:.1})", at(2), at(1), at(3))
    };
    println!("{what}: here {}, isolated {}", median(&|t| t.0), median(&|t| t.1));
}

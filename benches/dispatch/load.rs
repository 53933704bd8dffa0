//! One item on an idle engine, and refusals.

use std::time::{Duration, Instant};

use sigmill::{Batch, Engine, Limits, Terms};

use crate::engines;

/// One job through an idle engine against its kernel called without the dispatcher.
pub fn one_item(json: bool, quick: bool) {
    let engine = Engine::builder().open().expect("an engine");
    let rounds = if quick { 500 } else { 5_000 };
    for (name, make) in
        [("ecdsa", engines::ecdsa as fn(usize) -> Batch), ("sha256", engines::sha256)]
    {
        let (mut through, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let batch = make(1);
            let started = Instant::now();
            drop(engine.submit(batch, Terms::default()).expect("room").wait());
            through.push(started.elapsed());
            let batch = make(1);
            let started = Instant::now();
            drop(engine.compute_here(batch));
            beside.push(started.elapsed());
        }
        let (through, beside) = (percentile(&mut through, 50), percentile(&mut beside, 50));
        let more = through.saturating_sub(beside);
        report(
            json,
            &format!("one-item-{name}"),
            &[("p50", through), ("kernel", beside), ("more", more)],
        );
    }
}

/// How long a full engine takes to say so.
pub fn refusals(json: bool, quick: bool) {
    let limits = Limits { items: 1, ..Limits::default() };
    let engine = Engine::builder().limits(limits).open().expect("an engine");
    let mut batch = engines::ecdsa(64);
    let mut times = Vec::new();
    for _ in 0..if quick { 2_000 } else { 200_000 } {
        let started = Instant::now();
        let busy = engine.submit(batch, Terms::default()).expect_err("more than it may hold");
        times.push(started.elapsed());
        batch = busy.batch;
    }
    let [p50, p99] = [50, 99].map(|percent| percentile(&mut times, percent));
    report(json, "refusal", &[("p50", p50), ("p99", p99)]);
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}

fn report(json: bool, path: &str, values: &[(&str, Duration)]) {
    let micros = |time: &Duration| time.as_secs_f64() * 1e6;
    if json {
        let values: Vec<_> =
            values.iter().map(|(name, time)| format!("\"{name}\":{:.2}", micros(time))).collect();
        println!("{{\"path\":\"{path}\",\"us\":{{{}}}}}", values.join(","));
    } else {
        let values: Vec<_> =
            values.iter().map(|(name, time)| format!("{name} {:.2} us", micros(time))).collect();
        println!("{path}: {}", values.join(", "));
    }
}

//! One item on an idle engine, refusals, and what happens at three times the rate that the engine has.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use sigmill::error::BusyReason;
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

/// Open loop: latencies of admitted batches at 80 and 300 % of capacity, and how long after the burst they are
/// what they were before.
pub fn overload(json: bool, quick: bool) {
    const JOBS: usize = 256;
    let limits = Limits { backlog: Duration::from_millis(20), ..Limits::default() };
    let engine = Engine::builder().limits(limits).open().expect("an engine");
    let parsed = engine.parse(engines::ecdsa(JOBS));
    let started = Instant::now();
    let warm = 200;
    for _ in 0..warm {
        drop(engine.submit_parsed(parsed.clone(), Terms::default()).expect("room").wait());
    }
    let each = started.elapsed() / warm;
    let span = Duration::from_secs(if quick { 1 } else { 10 });
    let drive = |percent: u32, span: Duration| {
        let pause = each * 100 / percent;
        let (sender, waiting) = mpsc::channel();
        let waiter = std::thread::spawn(move || {
            let mut times: Vec<(Instant, Duration)> = Vec::new();
            while let Ok((due, ticket)) = waiting.recv() {
                let ticket: sigmill::Ticket = ticket;
                drop(ticket.wait());
                times.push((Instant::now(), Instant::now().duration_since(due)));
            }
            times
        });
        let (begin, mut refused, mut next) = (Instant::now(), 0u32, Instant::now());
        while begin.elapsed() < span {
            // Late submissions count from when they were due.
            while Instant::now() < next {
                std::hint::spin_loop();
            }
            match engine.submit_parsed(parsed.clone(), Terms::default()) {
                Ok(ticket) => sender.send((next, ticket)).expect("the waiter lives"),
                Err(busy) => {
                    assert_eq!(busy.why, BusyReason::Backlog);
                    refused += 1;
                }
            }
            next = (next + pause).max(Instant::now().checked_sub(10 * pause).unwrap_or(next));
        }
        drop(sender);
        (waiter.join().expect("the waiter"), refused)
    };
    for percent in [80, 300, 80] {
        let (times, refused) = drive(percent, span);
        let after = times.first().map_or(Duration::ZERO, |(first, _)| first.elapsed());
        let begin = Instant::now() - after;
        let late: Vec<_> = times
            .iter()
            .filter(|(at, _)| at.duration_since(begin) > Duration::from_millis(500))
            .map(|(_, took)| *took)
            .collect();
        let mut all: Vec<_> = times.into_iter().map(|(_, took)| took).collect();
        let mut late = if late.is_empty() { all.clone() } else { late };
        let name = format!("load-{percent}% ({} admitted, {refused} refused)", all.len());
        report(
            json,
            &name,
            &[
                ("p50", percentile(&mut all, 50)),
                ("p99", percentile(&mut all, 99)),
                ("p99 after 0.5 s", percentile(&mut late, 99)),
            ],
        );
    }
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

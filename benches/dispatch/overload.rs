//! Open loop at 80, 300 and again 80 % of what the engine can do, and what one source's load does to another's latency.
//!
//! The generator has a core of its own: the engine gets the others, one at least. Batches are too long for the
//! generator's thread.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sigmill::{Batch, Class, Engine, Limits, Source, Terms};

use crate::engines;
use crate::open_loop::{Flow, Seen, drive};

const JOBS: usize = 256;
const COMBINED_JOBS: usize = 512;
const IN_FLIGHT: usize = 4;

/// Latencies are back when the p99 of a window is no more than this much of what it was before.
const WINDOW: Duration = Duration::from_millis(100);
const BACK: f64 = 1.2;

pub fn run(json: bool, quick: bool) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.saturating_sub(1).max(1);
    let limits = Limits { backlog: Duration::from_millis(20), ..Limits::default() };
    let engine = Engine::builder().threads(threads).limits(limits).open().expect("an engine");
    let (rounds, span) = if quick { (3, 1) } else { (9, 4) };
    let span = Duration::from_secs(span);
    let batch = engines::ecdsa(JOBS);
    capacity(&engine, &batch, span);
    let each = Spread::of((0..rounds).map(|_| capacity(&engine, &batch, span / 4)));
    let print = Print { json, threads, cores };
    print.line("capacity", &[("jobs/s", each.map(|pause| JOBS as f64 / pause).turned())]);
    burst(&engine, &batch, each.median, rounds, span, &print);
    others(&engine, &batch, each.median, rounds, span, &print);
}

/// Seconds a batch with several in flight: a closed loop.
fn capacity(engine: &Engine, batch: &Batch, span: Duration) -> f64 {
    let (started, mut tickets, mut done) = (Instant::now(), VecDeque::new(), 0u32);
    while started.elapsed() < span {
        // A class that no backlog refuses: nothing is known of the costs yet.
        let terms = Terms::default().class(Class::Consensus);
        tickets
            .push_back(engine.submit(batch.clone(), terms).map_err(|busy| busy.why).expect("room"));
        if tickets.len() == IN_FLIGHT {
            tickets.pop_front().expect("some are in flight").wait();
            done += 1;
        }
    }
    let elapsed = started.elapsed().as_secs_f64();
    tickets.into_iter().for_each(|ticket| drop(ticket.wait()));
    elapsed / f64::from(done.max(1))
}

fn burst(engine: &Engine, batch: &Batch, each: f64, rounds: usize, span: Duration, print: &Print) {
    let phases = ["load-80%-before", "load-300%", "load-80%-after"];
    let mut rows = [(); 3].map(|()| Rows::default());
    let (mut back, mut never) = (Vec::new(), 0);
    for round in 0..rounds {
        let seen = [80.0, 300.0, 80.0].map(|percent| {
            let pause = Duration::from_secs_f64(each * 100.0 / percent);
            let flow = Flow { batch: batch.clone(), terms: Terms::default(), pause };
            drive(engine, &[flow], span, round as u64)
        });
        for (rows, seen) in rows.iter_mut().zip(&seen) {
            rows.take(seen, 0);
        }
        match time_back(&seen[2], BACK * percentile(&seen[0], 0, 99), span) {
            Some(time) => back.push(time.as_secs_f64() * 1e3),
            None => never += 1,
        }
    }
    for (name, rows) in phases.into_iter().zip(rows) {
        print.rows(name, rows);
    }
    if !back.is_empty() {
        let back = Spread::of(back.into_iter());
        print.line("load-back", &[("ms after the burst", back)]);
    }
    if never > 0 {
        print.line("load-not-back", &[("rounds", Spread::of([f64::from(never)].into_iter()))]);
    }
}

/// End of the first window whose p99 is no more than `limit`, of batches due since the burst ended.
fn time_back(seen: &[Seen], limit: f64, span: Duration) -> Option<Duration> {
    (1..).map(|window| WINDOW * window).take_while(|end| *end <= span).find(|end| {
        let inside = |seen: &&Seen| (*end - WINDOW..*end).contains(&seen.due);
        let mut times: Vec<f64> = seen
            .iter()
            .filter(inside)
            .filter_map(|seen| seen.took.map(|took| took.as_secs_f64()))
            .collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() * 99 / 100).is_some_and(|p99| *p99 <= limit)
    })
}

/// One source at 30 % of the capacity, beside another with as much that is good, as much that is bad, or a flood.
fn others(engine: &Engine, batch: &Batch, each: f64, rounds: usize, span: Duration, print: &Print) {
    let good = engines::combined(COMBINED_JOBS, false);
    let bad = engines::combined(COMBINED_JOBS, true);
    let each_good = Spread::of((0..rounds).map(|_| capacity(engine, &good, span / 4))).median;
    let cases = [("good", &good, 30.0), ("bad", &bad, 30.0), ("flood", &good, 300.0)];
    let mut rows = cases.map(|_| [Rows::default(), Rows::default()]);
    for round in 0..rounds {
        // In turns, so that what else the machine does is spread over all.
        for (case, (_, batch_b, percent)) in cases.into_iter().enumerate() {
            let flow = |batch: &Batch, each: f64, percent: f64, source: usize| Flow {
                batch: batch.clone(),
                terms: Terms::default().source(Source(source as u64)),
                pause: Duration::from_secs_f64(each * 100.0 / percent),
            };
            let flows = [flow(batch, each, 30.0, 1), flow(batch_b, each_good, percent, 2 + case)];
            let seen = drive(engine, &flows, span, round as u64);
            rows[case].iter_mut().enumerate().for_each(|(flow, rows)| rows.take(&seen, flow));
        }
    }
    for ((name, ..), [a, b]) in cases.into_iter().zip(rows) {
        print.rows(&format!("other-source-{name}"), a);
        print.rows(&format!("other-source-{name}-itself"), b);
    }
}

/// Microseconds of the answers of a flow.
fn percentile(seen: &[Seen], flow: usize, percent: usize) -> f64 {
    let mut times: Vec<f64> = seen
        .iter()
        .filter(|seen| seen.flow == flow)
        .filter_map(|seen| seen.took.map(|took| took.as_secs_f64()))
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() * percent / 100).copied().unwrap_or(f64::NAN)
}

/// Counts and latencies of one row, by round.
#[derive(Default)]
struct Rows {
    admitted: Vec<f64>,
    refused: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Rows {
    fn take(&mut self, seen: &[Seen], flow: usize) {
        let of_flow = || seen.iter().filter(|seen| seen.flow == flow);
        let admitted = of_flow().filter(|seen| seen.took.is_some()).count();
        self.admitted.push(admitted as f64);
        self.refused.push((of_flow().count() - admitted) as f64);
        self.p50.push(percentile(seen, flow, 50) * 1e6);
        self.p99.push(percentile(seen, flow, 99) * 1e6);
    }
}

/// Median, least and most of the rounds.
#[derive(Clone, Copy)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut all: Vec<f64> = values.collect();
        all.sort_by(f64::total_cmp);
        Spread { median: all[all.len() / 2], least: all[0], most: all[all.len() - 1] }
    }

    fn map(self, of: impl Fn(f64) -> f64) -> Self {
        Spread { median: of(self.median), least: of(self.least), most: of(self.most) }
    }

    /// Of the inverse: the least is the most.
    fn turned(self) -> Self {
        Spread { median: self.median, least: self.most, most: self.least }
    }
}

struct Print {
    json: bool,
    threads: usize,
    cores: usize,
}

impl Print {
    fn rows(&self, name: &str, rows: Rows) {
        let Rows { admitted, refused, p50, p99 } = rows;
        let [admitted, refused, p50, p99] =
            [admitted, refused, p50, p99].map(|values| Spread::of(values.into_iter()));
        let all = [("admitted", admitted), ("refused", refused), ("p50 us", p50), ("p99 us", p99)];
        self.line(name, &all);
    }

    fn line(&self, name: &str, values: &[(&str, Spread)]) {
        let Print { json, threads, cores } = self;
        let text = |(name, Spread { median, least, most }): &(&str, Spread)| match json {
            true => format!(
                "\"{name}\":{{\"min\":{least:.1},\"median\":{median:.1},\"max\":{most:.1}}}"
            ),
            false => format!("{name} {median:.0} ({least:.0} to {most:.0})"),
        };
        let values: Vec<_> = values.iter().map(text).collect();
        if *json {
            let values = values.join(",");
            println!("{{\"path\":\"{name}\",\"threads\":{threads},\"cores\":{cores},{values}}}");
        } else {
            println!("{name} [{threads} of {cores} cores]: {}", values.join(", "));
        }
    }
}

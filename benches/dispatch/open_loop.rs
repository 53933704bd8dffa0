//! Batches that come when they are due, whether or not those before were answered; latencies count from then.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sigmill::{Batch, Engine, Terms, Ticket};

use crate::sent::{Stamp, wait_until};

/// What is sent, and how often on average: a Poisson process.
pub struct Flow {
    pub batch: Batch,
    pub terms: Terms,
    pub pause: Duration,
}

/// What became of one batch.
pub struct Seen {
    pub flow: usize,
    /// Since the beginning.
    pub due: Duration,
    /// From when it was due; none if it was refused.
    pub took: Option<Duration>,
}

struct Flying {
    ticket: Ticket,
    stamp: Stamp,
    flow: usize,
    due: Duration,
}

/// Submits each flow's batches for a span, in the order in which they are due, and waits for all answers. The
/// calling thread needs a core of its own.
pub fn drive(engine: &Engine, flows: &[Flow], span: Duration, seed: u64) -> Vec<Seen> {
    let schedule = schedule(flows, span, seed);
    let (mut seen, mut flying) = (Vec::with_capacity(schedule.len()), VecDeque::new());
    let begin = Instant::now();
    for (due, flow) in schedule {
        let Flow { batch, terms, .. } = &flows[flow];
        let batch = batch.clone();
        take_answers(&mut flying, begin, &mut seen);
        wait_until(begin + due);
        match engine.submit(batch, *terms) {
            Err(_busy) => seen.push(Seen { flow, due, took: None }),
            Ok(mut ticket) => {
                let (stamp, _) = Stamp::watch(&mut ticket);
                flying.push_back(Flying { ticket, stamp, flow, due });
            }
        }
    }
    while !flying.is_empty() {
        std::thread::sleep(Duration::from_millis(1));
        take_answers(&mut flying, begin, &mut seen);
    }
    seen
}

/// Times at which batches are due, and of which flow each is.
fn schedule(flows: &[Flow], span: Duration, seed: u64) -> Vec<(Duration, usize)> {
    let mut all = Vec::new();
    for (index, flow) in flows.iter().enumerate() {
        let mut random = StdRng::seed_from_u64(seed + index as u64);
        let mut due = Duration::ZERO;
        loop {
            due += flow.pause.mul_f64(-(1.0 - random.random::<f64>()).ln());
            if due >= span {
                break;
            }
            all.push((due, index));
        }
    }
    all.sort();
    all
}

/// Takes those that were answered, as far as they are the oldest: their memory goes back to the engine.
fn take_answers(flying: &mut VecDeque<Flying>, begin: Instant, seen: &mut Vec<Seen>) {
    while let Some(at) = flying.front().and_then(|front| front.stamp.at()) {
        let Flying { ticket, flow, due, .. } = flying.pop_front().expect("looked at above");
        drop(ticket);
        seen.push(Seen { flow, due, took: Some(at.saturating_duration_since(begin + due)) });
    }
}

//! What became of every transfer.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::Plan;
use super::deliver::{Answer, Delivered};
use super::follow::Seen;
use super::receipts::{Kept, Receipts};
use crate::client::Taken;
use crate::http::TRANSACTIONS_LIMIT;

/// Chunks a second: transfers of 25 ms are due together, at the end of the 25 ms.
pub(super) const CHUNKS: u64 = 40;
/// The longest latency that is told from longer ones, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;

/// How a load stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whole seconds since the start.
    pub second: u64,
    /// Transfers that were sent.
    pub sent: u64,
    /// Transfers that a validator took, or had already.
    pub taken: u64,
    /// Transfers that were not taken.
    pub refused: u64,
    /// Transfers that could not be sent in time, and were not.
    pub late: u64,
    /// Transfers that are final.
    pub committed: u64,
    /// The last final height.
    pub height: u64,
    /// Microseconds from due to final, so far: the median, and the 99th of a hundred.
    pub finality: [u64; 2],
}

/// What became of a load.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// When the sending began.
    pub start: Instant,
    /// Transfers of the plan.
    pub planned: u64,
    /// Where it ended. `second` is how long it took.
    pub total: Progress,
    /// Transfers that were not taken, by reason: `Full`, `Refused` (any other refusal), `Busy` (the
    /// validator took no question), `Unanswered` (no validator answered).
    pub refused: BTreeMap<&'static str, u64>,
    /// Transfers that a validator took and that were not final in the end.
    pub lost: u64,
    /// Transfers that were in two blocks.
    pub twice: u64,
    /// Heights at which two validators showed different blocks.
    pub forks: Vec<u64>,
    /// Microseconds from when a transfer was due to when its block was seen final.
    pub finality: Histogram<u64>,
    /// Final transfers a second, from `steady_from` to the end of the sending.
    pub committed_per_second: f64,
    /// Seconds at the start that `committed_per_second` leaves out: a quarter of all, at most 5.
    pub steady_from: u64,
    /// Where the transfers took effect.
    pub receipts: Receipts,
}

impl Outcome {
    /// Whether every transfer of the plan is final, once, in one chain.
    pub fn is_complete(&self) -> bool {
        self.total.committed == self.planned && self.twice == 0 && self.forks.is_empty()
    }
}

/// What is known of a transfer.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    taken: bool,
    committed: bool,
}

/// Adds up.
#[derive(Debug)]
pub(super) struct Tally {
    plan: Arc<Plan>,
    start: Instant,
    places: HashMap<[u8; 32], u32>,
    known: Vec<Known>,
    blocks: BTreeMap<u64, Kept>,
    /// Transfers that were seen final in each second.
    seconds: Vec<u64>,
    /// Transfers that were taken and are not final yet.
    waiting: u64,
    pub total: Progress,
    refused: BTreeMap<&'static str, u64>,
    twice: u64,
    forks: Vec<u64>,
    finality: Histogram<u64>,
}

/// A part of a chunk: places in the plan, and the transfers' encodings.
pub(super) type Part = (Vec<u32>, Bytes);

impl Tally {
    /// A tally of a plan that is sent from now on, when `height` is final.
    pub fn new(plan: Arc<Plan>, height: u64) -> Self {
        Tally {
            places: (0..).zip(plan.hashes()).map(|(place, hash)| (*hash, place)).collect(),
            known: vec![Known::default(); plan.len()],
            blocks: BTreeMap::new(),
            seconds: vec![0; plan.terms().seconds as usize],
            waiting: 0,
            total: Progress { height, ..Progress::default() },
            refused: BTreeMap::new(),
            twice: 0,
            forks: vec![],
            finality: Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds that are allowed"),
            plan,
            start: Instant::now(), // The table of hashes took a while.
        }
    }

    /// When a chunk is due.
    pub fn due(&self, chunk: u64) -> Instant {
        self.start + Duration::from_millis((chunk + 1) * (1_000 / CHUNKS))
    }

    /// The transfers of a chunk: those with chunk <= place x CHUNKS / rate < chunk + 1.
    fn chunk(&self, chunk: u64) -> Range<u64> {
        let first = |chunk: u64| (chunk * self.plan.terms().rate).div_ceil(CHUNKS);
        first(chunk)..first(chunk + 1)
    }

    /// The transfers of a chunk by validator, in requests that are allowed.
    pub fn parts(&self, chunk: u64, validators: usize) -> Vec<(usize, Part)> {
        let mut by_validator = vec![vec![]; validators];
        for place in self.chunk(chunk) {
            let validator = self.plan.signer(place as usize) % validators as u64;
            by_validator[validator as usize].push(place as u32);
        }
        let mut parts = Vec::with_capacity(validators);
        for (validator, places) in by_validator.iter().enumerate() {
            for part in places.chunks(TRANSACTIONS_LIMIT) {
                let mut bytes = Vec::new();
                for place in part {
                    bytes.extend_from_slice(self.plan.transfer(*place as usize));
                }
                parts.push((validator, (part.to_vec(), bytes.into())));
            }
        }
        parts
    }

    /// What a validator said.
    pub fn answer(&mut self, delivered: &Delivered) {
        let reason = |taken: &Taken| match taken {
            Taken::Taken | Taken::Known => None,
            Taken::Full => Some("Full"),
            Taken::Refused => Some("Refused"),
        };
        for (index, place) in delivered.part.iter().enumerate() {
            let refused = match &delivered.answer {
                Answer::Each(each) => each.get(index).and_then(reason),
                Answer::Busy => Some("Busy"),
                Answer::None => Some("Unanswered"),
            };
            if let Some(reason) = refused {
                *self.refused.entry(reason).or_default() += 1;
                self.total.refused += 1;
                continue;
            }
            let known = &mut self.known[*place as usize];
            known.taken = true;
            self.total.taken += 1;
            self.waiting += u64::from(!known.committed);
        }
    }

    /// A final block; it counts once, whoever showed it.
    pub fn block(&mut self, Seen { found, at }: Seen) {
        if let Some(kept) = self.blocks.get(&found.height) {
            if kept.block != found.block && !self.forks.contains(&found.height) {
                self.forks.push(found.height);
            }
            return;
        }
        let mut kept = Kept { height: found.height, block: found.block, transfers: vec![] };
        for (index, hash) in (0..).zip(&found.hashes) {
            let Some(&place) = self.places.get(hash) else { continue };
            let known = &mut self.known[place as usize];
            if std::mem::replace(&mut known.committed, true) {
                self.twice += 1;
                continue;
            }
            self.waiting -= u64::from(known.taken);
            self.total.committed += 1;
            kept.transfers.push((index, *hash));
            let chunk = u64::from(place) * CHUNKS / self.plan.terms().rate;
            let latency = at.saturating_duration_since(self.due(chunk)).as_micros();
            self.finality.saturating_record(latency.try_into().unwrap_or(u64::MAX));
            let second = at.saturating_duration_since(self.start).as_secs() as usize;
            if let Some(committed) = self.seconds.get_mut(second) {
                *committed += 1;
            }
        }
        self.total.height = self.total.height.max(found.height);
        self.blocks.insert(found.height, kept);
    }

    /// Whether nothing is to come of what was taken so far.
    pub fn is_settled(&self) -> bool {
        self.waiting == 0
    }

    /// How it stands.
    pub fn now(&mut self) -> &Progress {
        self.total.second = self.start.elapsed().as_secs();
        self.total.finality = [0.5, 0.99].map(|part| self.finality.value_at_quantile(part));
        &self.total
    }

    pub fn end(mut self) -> Outcome {
        self.now();
        let seconds = self.plan.terms().seconds;
        let steady_from = (seconds / 4).min(5);
        let committed: u64 = self.seconds[steady_from as usize..].iter().sum();
        Outcome {
            start: self.start,
            planned: self.plan.len() as u64,
            total: self.total,
            refused: self.refused,
            lost: self.waiting,
            twice: self.twice,
            forks: self.forks,
            finality: self.finality,
            committed_per_second: committed as f64 / (seconds - steady_from) as f64,
            steady_from,
            receipts: Receipts { blocks: self.blocks.into_values().collect() },
        }
    }
}

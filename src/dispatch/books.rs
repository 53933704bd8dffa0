//! What the dispatcher counts for whoever watches it: by algorithm, class, device and cause, from its start. Nothing
//! is decided from it.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::algorithm::Algorithm;
use crate::dispatch::{Class, Nanos, Tally};
use crate::error::{BusyReason, Fault, ItemError};

/// Longest time that a distribution tells from longer ones: 1,000 s, in ns.
const LONGEST: u64 = 1_000_000_000_000;

/// A distribution of times in ns, or of sizes, to about 1 %.
pub type Distribution = Histogram<u64>;

/// Times by step, batches by size, items by fate.
#[derive(Clone, Debug)]
pub struct Books {
    /// From a batch's admission to its answer, in ns, each batch once: by algorithm and class.
    pub latency: BTreeMap<(&'static str, Class), Distribution>,
    /// Parsing, in ns: from admission, a batch each.
    pub parse: Distribution,
    /// From the end of parsing to a device's beginning, in ns, a piece each.
    pub queue: Distribution,
    /// On a device, in ns, a piece each; of batches on their caller's thread all that was done.
    pub device: Distribution,
    /// Examining and judging, in ns, a piece each.
    pub judge: Distribution,
    /// Items of each batch.
    pub batch_items: Distribution,
    /// Items admitted, by algorithm and class.
    pub submitted: BTreeMap<(Algorithm, Class), u64>,
    /// Answers by the lane that gave them and the algorithm; no lane: the portable CPU, or found while parsing.
    pub answered: BTreeMap<(Option<usize>, Algorithm), Tally>,
    /// Items that got an error, by its name.
    pub errors: BTreeMap<&'static str, u64>,
    /// Batches refused, by the limit that they met.
    pub refused: BTreeMap<&'static str, u64>,
    /// Faults by lane and kind.
    pub faults: BTreeMap<(usize, &'static str), u64>,
    /// Items computed elsewhere after a fault: the lane that had them, the one that got them, the fault's kind.
    pub failovers: BTreeMap<(usize, Option<usize>, &'static str), u64>,
    /// Wrong answers, by lane and algorithm.
    pub mismatches: BTreeMap<(usize, Algorithm), u64>,
}

impl Books {
    pub(super) fn new() -> Self {
        let times = || distribution(LONGEST);
        Books {
            latency: BTreeMap::new(),
            parse: times(),
            queue: times(),
            device: times(),
            judge: times(),
            batch_items: distribution(1 << 32),
            submitted: BTreeMap::new(),
            answered: BTreeMap::new(),
            errors: BTreeMap::new(),
            refused: BTreeMap::new(),
            faults: BTreeMap::new(),
            failovers: BTreeMap::new(),
            mismatches: BTreeMap::new(),
        }
    }

    /// The times of the steps, by name.
    pub fn phases(&self) -> [(&'static str, &Distribution); 4] {
        [
            ("parse", &self.parse),
            ("queue", &self.queue),
            ("device", &self.device),
            ("judge", &self.judge),
        ]
    }

    /// Takes what earlier books of the same dispatcher had out of the distributions; the counts stay.
    pub fn subtract(&mut self, earlier: &Books) {
        let own = [&mut self.parse, &mut self.queue, &mut self.device, &mut self.judge];
        let theirs = [&earlier.parse, &earlier.queue, &earlier.device, &earlier.judge];
        let phases = own.into_iter().zip(theirs);
        let sizes = [(&mut self.batch_items, &earlier.batch_items)];
        let latencies = self.latency.iter_mut();
        let latencies = latencies.filter_map(|(of, own)| Some((own, earlier.latency.get(of)?)));
        for (own, theirs) in phases.chain(sizes).chain(latencies) {
            // It has no more of any value than its successor.
            let _ = own.subtract(theirs);
        }
    }

    pub(super) fn admit(&mut self, algorithm: Algorithm, class: Class, items: usize) {
        *self.submitted.entry((algorithm, class)).or_default() += items as u64;
        self.batch_items.saturating_record(items as u64);
    }

    pub(super) fn refuse(&mut self, why: BusyReason) {
        *self.refused.entry(why.name()).or_default() += 1;
    }

    /// A batch was parsed; invalid encodings have their answer.
    pub(super) fn parsed(&mut self, algorithm: Algorithm, took: Nanos, invalid: u64) {
        self.parse.saturating_record(took);
        if invalid > 0 {
            self.answer(None, algorithm, Tally { invalid, ..Tally::default() });
        }
    }

    /// A lane computed a piece.
    pub(super) fn piece(&mut self, queue: Nanos, device: Nanos, judge: Nanos) {
        self.queue.saturating_record(queue);
        self.device.saturating_record(device);
        self.judge.saturating_record(judge);
    }

    pub(super) fn answer(&mut self, lane: Option<usize>, algorithm: Algorithm, tally: Tally) {
        *self.answered.entry((lane, algorithm)).or_default() += tally;
    }

    pub(super) fn error(&mut self, error: ItemError, items: u64) {
        *self.errors.entry(error.name()).or_default() += items;
    }

    pub(super) fn fault(&mut self, lane: usize, fault: &Fault) {
        *self.faults.entry((lane, fault.name())).or_default() += 1;
    }

    pub(super) fn mismatch(&mut self, lane: usize, algorithm: Algorithm) {
        *self.mismatches.entry((lane, algorithm)).or_default() += 1;
    }

    pub(super) fn fail_over(&mut self, from: Failed, to: Option<usize>, items: usize) {
        *self.failovers.entry((from.lane, to, from.kind)).or_default() += items as u64;
    }

    pub(super) fn resolve(&mut self, algorithm: Algorithm, class: Class, latency: Nanos) {
        let key = (algorithm.name(), class);
        let latencies = self.latency.entry(key).or_insert_with(|| distribution(LONGEST));
        latencies.saturating_record(latency);
    }
}

/// A piece's lane failed over it, or it was begun on the host before a lane that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub lane: usize,
    pub kind: &'static str,
}

fn distribution(largest: u64) -> Distribution {
    // Two digits: buckets 1/128 wide. The memory is a few KiB, as it grows to what is seen.
    Histogram::new_with_bounds(1, largest, 2).expect("bounds that a histogram takes")
}

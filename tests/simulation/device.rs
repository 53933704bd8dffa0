//! A device: computes in virtual time, and fails as it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sigmill::Algorithm;
use sigmill::backend::{Backend, BatchId, Capability, Completion};
use sigmill::dispatch::Nanos;
use sigmill::dispatch::lane::LaneConfig;
use sigmill::dispatch::random::Random;
use sigmill::error::{Fault, Rejected};
use sigmill::parsed::Parsed;
use sigmill::verdict::Evidence;

use crate::faults::{Counts, Kind};
use crate::items::ALL;
use crate::lies;
use crate::truth::Truth;

/// What a device is, for good.
#[derive(Clone, Debug)]
pub struct Nature {
    pub algorithms: Vec<Algorithm>,
    pub max_items: usize,
    pub width: usize,
    /// Time of `width` items.
    pub unit: Nanos,
    pub setup: Nanos,
    pub patience: Nanos,
    /// Batches in a thousand that come with a fault.
    pub faults: usize,
    /// One item in so many is wrong; 0: none.
    pub rate: usize,
}

/// The panics of modelled devices begin with this, and are not printed.
pub const PANIC: &str = "modelled device";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Lost,
    Hung,
    Panics,
}

struct Flying {
    id: BatchId,
    ready: Nanos,
    result: Result<Evidence, Fault>,
    busy: Nanos,
}

pub struct Modelled {
    pub nature: Nature,
    capabilities: Vec<Capability>,
    truth: Arc<Truth>,
    clock: Arc<AtomicU64>,
    random: Random,
    state: State,
    flying: Vec<Flying>,
    free: Nanos,
    last: Option<Evidence>,
    slow: (u64, usize),
    full: usize,
    pub counts: Counts,
    /// The latest batches that came with wrong evidence, or in disorder.
    lied: Vec<BatchId>,
}

impl Modelled {
    pub fn new(nature: Nature, truth: Arc<Truth>, clock: Arc<AtomicU64>, seed: u64) -> Self {
        let max_items = nature.max_items;
        let capability = |&algorithm| Capability { algorithm, max_items, judges: false };
        Modelled {
            capabilities: nature.algorithms.iter().map(capability).collect(),
            nature,
            truth,
            clock,
            random: Random::seeded(seed),
            state: State::Up,
            flying: Vec::new(),
            free: 0,
            last: None,
            slow: (1, 0),
            full: 0,
            counts: Counts::default(),
            lied: Vec::new(),
        }
    }

    pub fn config(&self) -> LaneConfig {
        LaneConfig {
            capabilities: self.capabilities.clone(),
            width: self.nature.width,
            setup: self.nature.setup,
            patience: self.nature.patience,
            inline: false,
            host: false,
            shared: false,
        }
    }

    /// Opened anew: nothing of before is left.
    pub fn reopen(&mut self) {
        (self.state, self.full, self.slow) = (State::Up, 0, (1, 0));
        self.flying.clear();
        self.free = self.now();
    }

    /// Falls off the bus.
    pub fn lose(&mut self) {
        self.state = State::Lost;
    }

    /// When the next batch will be finished.
    pub fn next(&self) -> Option<Nanos> {
        match self.state {
            State::Hung => None,
            State::Lost | State::Panics => self.flying.first().map(|_| self.now()),
            State::Up => self.flying.iter().map(|flying| flying.ready).min(),
        }
    }

    /// Whether anything that it told of the batch was wrong.
    pub fn lied_about(&self, id: BatchId) -> bool {
        self.lied.contains(&id)
    }

    fn now(&self) -> Nanos {
        self.clock.load(Relaxed)
    }

    fn lie(&mut self, kind: Kind, id: BatchId) {
        self.counts.add(kind);
        self.lied.push(id);
        if self.lied.len() > 64 {
            self.lied.remove(0);
        }
    }

    /// What goes wrong with a batch, if anything does: some faults need what is not there.
    fn draw(&mut self) -> Option<Kind> {
        if self.random.below(1_000) >= self.nature.faults {
            return None;
        }
        let kind = Kind::OF_DEVICES[self.random.below(Kind::OF_DEVICES.len())];
        let possible = match kind {
            Kind::LostInFlight => self.flying.len() > 1,
            Kind::Swapped => !self.flying.is_empty(),
            Kind::Stale => self.last.is_some(),
            _ => true,
        };
        possible.then_some(kind)
    }

    /// Evidence of a batch that comes with this fault; `None`: the fault is not in the evidence.
    fn turn(&mut self, kind: Kind, batch: &Parsed, evidence: &mut Evidence) -> bool {
        let (items, random) = (evidence.len(), &mut self.random);
        if items == 0 {
            return false;
        }
        let at = random.below(items);
        match kind {
            Kind::OneItem => lies::one(evidence, at, random),
            Kind::MultiBit => lies::bits(evidence, at, random),
            Kind::LaneOf8 => {
                (at / 8 * 8..items.min(at / 8 * 8 + 8))
                    .for_each(|at| lies::one(evidence, at, random));
            }
            Kind::Workgroup => {
                let first = at / 64 * 64;
                (first..items.min(first + 64)).for_each(|at| lies::one(evidence, at, random));
            }
            Kind::AllValid => lies::all_valid(&self.truth, batch, evidence),
            Kind::AllInvalid => lies::all_invalid(evidence),
            Kind::Zeros => lies::all(evidence, 0),
            Kind::Ones => lies::all(evidence, 0xff),
            Kind::Unwritten => lies::all(evidence, 0x5a),
            Kind::Stale => {
                let mut old = self.last.clone().expect("it was looked for");
                lies::resize(&mut old, items);
                *evidence = old;
            }
            Kind::Permuted => lies::swap(evidence, at, random.below(items)),
            Kind::Shifted => lies::rotate(evidence),
            Kind::Short => lies::resize(evidence, at),
            Kind::Upload => match lies::uploaded(batch, random) {
                Some(operands) => *evidence = self.truth.evidence_of(&operands),
                None => return false,
            },
            _ => return false,
        }
        true
    }
}

impl Backend for Modelled {
    fn name(&self) -> &str {
        "modelled"
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        if self.full > 0 {
            self.full -= 1;
            self.counts.add(Kind::Full);
            return Err(Rejected);
        }
        let kind = self.draw();
        let mut jitter = 1;
        match kind {
            Some(Kind::Full) => {
                self.full = 1 + self.random.below(20);
                return self.submit(id, batch);
            }
            Some(Kind::Panicked) if self.random.below(2) == 0 => {
                self.counts.add(Kind::Panicked);
                panic!("{PANIC}: takes no batch");
            }
            Some(kind @ (Kind::Slow2 | Kind::Slow10 | Kind::Slow100)) => {
                let factor = [2, 10, 100][kind as usize - Kind::Slow2 as usize];
                self.slow = (factor, 1 + self.random.below(8));
                self.counts.add(kind);
            }
            Some(Kind::Jitter) => {
                jitter = 1 + self.random.below(30) as u64;
                self.counts.add(Kind::Jitter);
            }
            _ => {}
        }
        let truth = self.truth.evidence(&batch, 0..batch.live());
        let mut evidence = truth.clone();
        if let Some(kind) = kind
            && self.turn(kind, &batch, &mut evidence)
            && evidence != truth
        {
            self.lie(kind, id);
        }
        if self.nature.rate > 0 {
            let kind = if self.nature.rate > 1_000 { Kind::Rate1e6 } else { Kind::Rate1e3 };
            for at in 0..evidence.len() {
                if self.random.below(self.nature.rate) == 0 {
                    lies::one(&mut evidence, at, &mut self.random);
                    self.lie(kind, id);
                }
            }
        }
        let (factor, left) = self.slow;
        self.slow = if left > 0 { (factor, left - 1) } else { (1, 0) };
        let steps = batch.live().div_ceil(self.nature.width) as u64;
        let busy = (self.nature.setup + steps * self.nature.unit) * factor * jitter;
        let ready = self.free.max(self.now()) + busy;
        self.free = ready;
        self.last = Some(truth);
        self.flying.push(Flying { id, ready, result: Ok(evidence), busy });
        let at = self.flying.len() - 1;
        match kind {
            Some(kind @ (Kind::Lost | Kind::LostInFlight)) => {
                self.counts.add(kind);
                self.state = State::Lost;
            }
            Some(Kind::Killed) => {
                self.counts.add(Kind::Killed);
                for flying in &mut self.flying {
                    flying.result = Err(Fault::Device("its process was killed".to_owned()));
                    flying.ready = self.clock.load(Relaxed);
                }
            }
            Some(Kind::Hang) => {
                self.counts.add(Kind::Hang);
                self.state = State::Hung;
            }
            Some(Kind::Panicked) => {
                self.counts.add(Kind::Panicked);
                self.state = State::Panics;
            }
            Some(Kind::Swapped) if self.flying[0].result != self.flying[at].result => {
                let other = self.random.below(at);
                let (a, b) = (self.flying[other].id, self.flying[at].id);
                (self.flying[other].id, self.flying[at].id) = (b, a);
                self.lie(Kind::Swapped, a);
                self.lied.push(b);
            }
            Some(Kind::Twice) => {
                self.counts.add(Kind::Twice);
                let result = self.flying[at].result.clone();
                self.flying.push(Flying { id, ready, result, busy });
            }
            Some(Kind::UnknownId) => {
                self.lie(Kind::UnknownId, id);
                self.flying[at].id = BatchId(id.0 ^ 1 << 40);
            }
            _ => {}
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        let now = self.now();
        let at = match self.state {
            State::Hung => return None,
            State::Panics => panic!("{PANIC}: gives nothing back"),
            State::Lost => (!self.flying.is_empty()).then_some(0),
            State::Up => {
                let all = self.flying.iter().enumerate();
                let first = all.min_by_key(|(at, flying)| (flying.ready, *at));
                first.filter(|(_, flying)| flying.ready <= now).map(|(at, _)| at)
            }
        };
        let Flying { id, mut result, busy, .. } = self.flying.remove(at?);
        if self.state == State::Lost {
            result = Err(Fault::Device("it fell off the bus".to_owned()));
        }
        Some(Completion { id, result, busy: Duration::from_nanos(busy) })
    }

    fn wait(&mut self, _until: Instant) {}
}

/// Devices of many kinds.
pub fn nature(random: &mut Random) -> Nature {
    let from = [0, 0, 0, 1, 2][random.below(5)];
    let max_items = match random.below(4) {
        0 => 8 + random.below(200),
        _ => 100_000,
    };
    let rate = match random.below(10) {
        0 => 1_000,
        1..=5 => 1_000_000,
        _ => 0,
    };
    Nature {
        algorithms: ALL[from..].to_vec(),
        max_items,
        width: 1 << random.below(8),
        unit: [500, 5_000, 30_000, 200_000][random.below(4)],
        setup: [0, 50_000, 1_000_000][random.below(3)],
        patience: [50_000_000, 200_000_000, 1_000_000_000][random.below(3)],
        faults: [0, 0, 5, 50, 300, 1_000][random.below(6)],
        rate,
    }
}

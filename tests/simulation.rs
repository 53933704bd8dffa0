//! The dispatcher under a virtual clock: random submissions, devices that are slow, fail, reject,
//! hang, come back late. The machine is the one that the engine runs.
//!
//! `SIGMILL_SEEDS=N` sets how many seeds run, `SIGMILL_SEED=S` replays one.

use std::collections::{BTreeMap, BTreeSet};

use sigmill::backend::{BatchId, Capability};
use sigmill::batch::{Form, Shape};
use sigmill::dispatch::lane::LaneConfig;
use sigmill::dispatch::{
    Action, Class, Dispatcher, Event, Limits, Nanos, Order, PieceId, Place, Policy, Report, Tally,
};
use sigmill::error::{Fault, ItemError};
use sigmill::{Algorithm, Source, Trust};

const BATCHES: usize = 200;

/// Deterministic numbers from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What will happen, by time; the second key keeps events of one instant apart.
type Agenda = BTreeMap<(Nanos, u64), Event>;

struct World {
    dispatcher: Dispatcher,
    random: Random,
    agenda: Agenda,
    serial: u64,
    now: Nanos,
    open: BTreeMap<BatchId, Shape>,
    ended: BTreeSet<BatchId>,
    /// Live entries with an answer.
    answered: BTreeSet<(BatchId, usize)>,
    late: usize,
    refused: usize,
    faults: usize,
    trace: Vec<String>,
}

fn lanes(random: &mut Random) -> Vec<LaneConfig> {
    let serve = |algorithms: &[Algorithm], max_items| {
        let capability = |&algorithm| Capability { algorithm, max_items, judges: false };
        algorithms.iter().map(capability).collect()
    };
    let all = Algorithm::ALL;
    let mut lanes = vec![LaneConfig {
        capabilities: serve(&all, 1 << 20),
        width: 2,
        setup: 0,
        patience: 1_000_000_000,
        inline: random.below(2) == 0,
        host: true,
        shared: false,
    }];
    for _ in 0..random.below(3) {
        let some = &all[random.below(8) as usize..];
        let capabilities = serve(some, 1 << random.below(16));
        let width = 1 << random.below(12);
        let setup = random.below(3) * 100_000;
        let patience = 1_000_000_000;
        lanes.push(LaneConfig {
            capabilities,
            width,
            setup,
            patience,
            inline: false,
            host: false,
            shared: false,
        });
    }
    lanes
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let limits = Limits { items: 40_000, bytes: 1 << 24, batches: 24, ..Limits::default() };
        let dispatcher = Dispatcher::new(limits, Policy::default(), lanes(&mut random));
        World {
            dispatcher,
            random,
            agenda: Agenda::new(),
            serial: 0,
            now: 0,
            open: BTreeMap::new(),
            ended: BTreeSet::new(),
            answered: BTreeSet::new(),
            late: 0,
            refused: 0,
            faults: 0,
            trace: Vec::new(),
        }
    }

    fn at(&mut self, delay: Nanos, event: Event) {
        self.serial += 1;
        self.agenda.insert((self.now + delay, self.serial), event);
    }

    fn run(mut self) -> Self {
        for _ in 0..BATCHES {
            let delay = self.random.below(400_000_000);
            let algorithm = Algorithm::ALL[self.random.below(14) as usize];
            let items = self.random.below(3_000) as usize;
            let shape = Shape { algorithm, form: Form::Single, items, bytes: items * 40 };
            let class =
                [Class::Consensus, Class::Mempool, Class::Sync][self.random.below(3) as usize];
            let deadline = delay + 100_000_000 + self.random.below(3_000_000_000);
            let source = (self.random.below(2) == 0).then(|| Source(self.random.below(5)));
            let trust = Trust::ALL[self.random.below(3) as usize];
            let order = Order { class, source, deadline, trust };
            let live = (self.random.below(2) == 0).then_some(items);
            self.at(delay, Event::Submit { shape, order, live });
        }
        while let Some(((now, _), event)) = self.agenda.pop_first() {
            assert!(now >= self.now);
            self.now = now;
            self.step(event);
            assert!(now < 3_600_000_000_000, "the agenda never ends");
        }
        self
    }

    fn step(&mut self, event: Event) {
        self.trace.push(format!("{} {event:?}", self.now));
        let shape = match &event {
            Event::Submit { shape, .. } => Some(*shape),
            _ => None,
        };
        let mut actions = Vec::new();
        self.dispatcher.step(self.now, event, &mut actions);
        for action in actions {
            self.trace.push(format!("  {action:?}"));
            self.act(action, shape);
        }
        let counters = self.dispatcher.counters();
        assert!(counters.balance(), "{counters:?}");
        let open: usize = self.open.values().map(|shape| shape.items).sum();
        assert_eq!(counters.in_flight, open as u64);
        if self.dispatcher.wants_ticks() && !self.agenda.values().any(|e| matches!(e, Event::Tick))
        {
            self.at(5_000_000, Event::Tick);
        }
    }

    fn act(&mut self, action: Action, shape: Option<Shape>) {
        match action {
            Action::Refuse(_) => self.refused += 1,
            Action::Admit(id) => {
                assert!(self.open.insert(id, shape.expect("a submission")).is_none());
                assert!(!self.ended.contains(&id), "an id was used twice");
            }
            Action::Parse { id, .. } => {
                let delay = self.random.below(1_000_000);
                let live = self.random.below(self.open[&id].items as u64 + 1) as usize;
                self.at(delay, Event::Parsed { id, live });
            }
            Action::Inline { id, lane, .. } => {
                let items = self.open[&id].items as u64;
                let busy = 10_000 + items * self.random.below(60_000);
                let done = Ok(Tally { valid: items, ..Tally::default() });
                self.at(busy, Event::Inlined { id, lane, busy, done });
            }
            Action::Send { piece, lane, entries, .. } => {
                self.compute(piece, entries, Place::Lane(lane));
            }
            Action::LastResort { piece, entries, .. } => {
                self.compute(piece, entries, Place::LastResort);
            }
            Action::Accept { id, entries, .. } => {
                let (start, end) = entries;
                for entry in start..end {
                    assert!(self.answered.insert((id, entry)), "answered twice: {id:?} {entry}");
                }
            }
            Action::Compare { .. } => {}
            Action::Resolve { id, .. } => self.end(id),

            Action::Abandon { id, error } => {
                assert_eq!(error, ItemError::Deadline, "some device can serve all");
                self.late += self.open[&id].items;
                self.end(id);
            }
            Action::Quarantine { .. } => self.faults += 1,
            Action::Readmit { lane } => {
                let passed = (self.random.below(3) > 0)
                    .then(|| self.dispatcher.lanes()[lane].config().clone());
                self.at(1_000_000, Event::Readmitted { lane, passed });
            }
        }
    }

    /// Schedules what a device does with a piece: mostly the right thing.
    fn compute(&mut self, piece: PieceId, entries: (usize, usize), place: Place) {
        let items = (entries.1 - entries.0) as u64;
        let busy = 10_000 + items * self.random.below(60_000);
        let valid = self.random.below(items + 1);
        let tally = Tally { valid, invalid: items - valid, ..Tally::default() };
        let report = Report::default();
        let finished = Event::Finished { piece, place, busy, judged: 0, tally, report };
        let accelerator = matches!(place, Place::Lane(1..));
        match self.random.below(if accelerator { 12 } else { 1_000 }) {
            0 if accelerator => {
                let fault = Fault::BadEvidence;
                self.at(busy, Event::Failed { piece, place, fault });
                // The device goes on and answers later.
                self.at(2 * busy, finished);
            }
            1 if accelerator => {}
            2 if accelerator => {
                let Place::Lane(lane) = place else { unreachable!("an accelerator is a lane") };
                self.at(1_000, Event::Rejected { piece, lane });
            }
            3 if accelerator => self.at(10 * busy + 2_000_000_000, finished),
            _ => {
                self.at(busy, finished.clone());
                if accelerator && self.random.below(20) == 0 {
                    self.at(busy + 1, finished);
                }
            }
        }
    }

    fn end(&mut self, id: BatchId) {
        assert!(self.open.remove(&id).is_some(), "resolved twice, or never admitted");
        assert!(self.ended.insert(id));
    }
}

#[test]
fn every_batch_is_resolved_once_under_faults() {
    let replay = std::env::var("SIGMILL_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let count = std::env::var("SIGMILL_SEEDS").map_or(2_000, |n| n.parse().expect("a number"));
    let seeds: Vec<u64> = replay.map_or_else(|| (0..count).collect(), |seed: u64| vec![seed]);
    let (mut faults, mut refused, mut late) = (0, 0, 0);
    for &seed in &seeds {
        let world = World::new(seed).run();
        assert!(world.open.is_empty(), "seed {seed}: lost {:?}", world.open);
        assert_eq!(world.refused + world.ended.len(), BATCHES, "seed {seed}");
        if seed % 10 == 0 {
            assert_eq!(World::new(seed).run().trace, world.trace, "seed {seed} is not repeatable");
        }
        (faults, refused) = (faults + world.faults, refused + world.refused);
        late += world.late;
    }
    println!("{} seeds: {faults} faults, {refused} refused, {late} jobs late", seeds.len());
    assert!(replay.is_some() || faults > 0 && refused > 0, "the faults never came about");
}

#[test]
fn a_closed_dispatcher_refuses_and_an_aborted_one_answers_everything() {
    let mut world = World::new(7);
    let shape = Shape {
        algorithm: Algorithm::SchnorrBip340,
        form: Form::Single,
        items: 10_000,
        bytes: 1_280_000,
    };
    let order =
        Order { class: Class::Sync, source: None, deadline: Nanos::MAX, trust: Trust::Checked };
    let submit = Event::Submit { shape, order, live: Some(10_000) };
    let mut actions = Vec::new();
    for _ in 0..3 {
        world.dispatcher.step(0, submit.clone(), &mut actions);
    }
    actions.clear();
    world.dispatcher.step(1, Event::Abort, &mut actions);
    let shutdown = |a: &&Action| matches!(a, Action::Abandon { error: ItemError::Shutdown, .. });
    assert_eq!(actions.iter().filter(shutdown).count(), 3, "{actions:?}");
    assert_eq!(world.dispatcher.counters().in_flight, 0);
    actions.clear();
    world.dispatcher.step(2, submit, &mut actions);
    assert!(matches!(actions[..], [Action::Refuse(_)]), "{actions:?}");
}

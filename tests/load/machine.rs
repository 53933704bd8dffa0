//! The dispatcher under a clock of its own, with lanes that take what they are said to take.

use std::collections::{HashMap, VecDeque};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sigmill::backend::{BatchId, Capability};
use sigmill::batch::Shape;
use sigmill::dispatch::lane::{Health, LaneConfig};
use sigmill::dispatch::{
    Action, Check, Dispatcher, Event, Nanos, Order, PieceId, Place, Policy, Report, Tally,
};
use sigmill::error::BusyReason;
use sigmill::{Class, Form, Limits, Source, Trust};

use crate::stream::{Kind, Stream};
use crate::support::signed::SCHNORR;

/// Time of one signature on the host.
pub const UNIT: Nanos = 50_000;

/// Of a signature in a combined equation, in percent of that.
const COMBINED: Nanos = 60;

/// Pause between two ticks, as in the engine.
const TICK: Nanos = 5_000_000;

/// A lane of the host's.
pub fn host() -> LaneConfig {
    let capability = Capability { algorithm: SCHNORR, max_items: 1 << 20, judges: true };
    LaneConfig {
        capabilities: vec![capability],
        width: 1,
        setup: 0,
        patience: 1_000_000_000,
        inline: false,
        host: true,
        shared: false,
    }
}

/// A piece in a lane.
#[derive(Clone, Copy)]
struct Sent {
    id: BatchId,
    piece: PieceId,
    entries: (usize, usize),
    check: Check,
    kind: Kind,
    form: Form,
}

/// A lane's pieces, the running one first, when that began and when it ends.
struct Queue {
    unit: Nanos,
    sent: VecDeque<Sent>,
    began: Nanos,
    ends: Option<Nanos>,
}

/// A batch in flight.
struct Flight {
    source: u64,
    due: Nanos,
    kind: Kind,
    form: Form,
}

/// A batch that was answered: who sent it, when, and how long it took.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub source: u64,
    pub due: Nanos,
    pub took: Nanos,
}

/// A batch that was not admitted.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    pub source: u64,
    pub due: Nanos,
    pub why: BusyReason,
}

pub struct Machine {
    pub dispatcher: Dispatcher,
    pub now: Nanos,
    queues: Vec<Queue>,
    flying: HashMap<BatchId, Flight>,
    pub answers: Vec<Answer>,
    pub refusals: Vec<Refusal>,
    /// Pieces that each lane answered.
    pub batches: Vec<u64>,
    /// Of the lanes, whose times vary by a fifth.
    random: StdRng,
    ticked: Nanos,
}

impl Machine {
    /// One lane of the host's.
    pub fn new(limits: Limits) -> Self {
        Self::with(limits, Policy::default(), vec![(host(), UNIT)])
    }

    /// Lanes, and what one signature takes on each.
    pub fn with(limits: Limits, policy: Policy, lanes: Vec<(LaneConfig, Nanos)>) -> Self {
        let queue = |&(_, unit): &_| Queue { unit, sent: VecDeque::new(), began: 0, ends: None };
        let queues: Vec<_> = lanes.iter().map(queue).collect();
        let configs = lanes.into_iter().map(|(config, _)| config).collect();
        Machine {
            dispatcher: Dispatcher::new(limits, policy, configs),
            now: 0,
            batches: vec![0; queues.len()],
            queues,
            flying: HashMap::new(),
            answers: Vec::new(),
            refusals: Vec::new(),
            random: StdRng::seed_from_u64(3),
            ticked: 0,
        }
    }

    fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.dispatcher.step(self.now, event, &mut actions);
        for action in &actions {
            match *action {
                Action::Send { id, piece, entries, lane, check } => {
                    let Flight { kind, form, .. } = self.flying[&id];
                    let sent = Sent { id, piece, entries, check, kind, form };
                    self.queues[lane].sent.push_back(sent);
                }
                Action::Resolve { id, .. } => {
                    let Flight { source, due, .. } = self.flying.remove(&id).expect("in flight");
                    self.answers.push(Answer { source, due, took: self.now - due });
                }
                Action::Refuse(_)
                | Action::Admit(_)
                | Action::Parse { .. }
                | Action::Accept { .. }
                | Action::Compare { .. } => {}
                ref other => panic!("{other:?}"),
            }
        }
        actions
    }

    /// Submits a batch and has it parsed; gives its id and the form in which it runs. One that is refused leaves
    /// nothing behind.
    pub fn submit(
        &mut self,
        kind: Kind,
        form: Form,
        items: usize,
        class: Class,
        source: u64,
    ) -> Option<(BatchId, Form)> {
        let shape = Shape { algorithm: SCHNORR, form, items, bytes: 128 * items };
        let order = Order {
            class,
            source: Some(Source(source)),
            deadline: u64::MAX,
            trust: Trust::Checked,
            inline: 200_000,
        };
        let before = (self.dispatcher.held(), self.dispatcher.counters());
        let (id, form) = match self.step(Event::Submit { shape, order, live: None })[..] {
            [Action::Admit(id), Action::Parse { form, .. }] => (id, form),
            [Action::Refuse(why)] => {
                assert_eq!((self.dispatcher.held(), self.dispatcher.counters()), before);
                self.refusals.push(Refusal { source, due: self.now, why });
                return None;
            }
            ref other => panic!("{other:?}"),
        };
        self.flying.insert(id, Flight { source, due: self.now, kind, form });
        self.step(Event::Parsed { id, live: items });
        Some((id, form))
    }

    /// Lets the streams' batches come when they are due, and the lanes work, until then.
    pub fn run(&mut self, streams: &mut [Stream], until: Nanos) {
        loop {
            self.begin();
            let arrival = streams.iter().map(Stream::due).enumerate().min_by_key(|(_, due)| *due);
            let end = self.next_end();
            let due = arrival.map_or(Nanos::MAX, |(_, due)| due);
            let next = due.min(end.map_or(Nanos::MAX, |(_, at)| at)).min(self.ticked + TICK);
            if next >= until {
                self.now = until;
                return;
            }
            self.now = next;
            if let Some((lane, _)) = end.filter(|(_, at)| *at == next) {
                self.finish(lane);
            } else if due == next {
                let stream = &mut streams[arrival.expect("it is due").0];
                let (kind, form, items, source) = stream.take();
                self.submit(kind, form, items, Class::Mempool, source);
            } else {
                self.ticked = next;
                self.step(Event::Tick);
            }
        }
    }

    /// Lets the next piece that ends do so; gives its batch.
    pub fn next(&mut self) -> Option<BatchId> {
        self.begin();
        let (lane, at) = self.next_end()?;
        self.now = at;
        Some(self.finish(lane))
    }

    /// Lets 5 ms pass.
    pub fn tick(&mut self) {
        self.now += TICK;
        self.step(Event::Tick);
    }

    pub fn is_healthy(&self, lane: usize) -> bool {
        self.dispatcher.lanes()[lane].health() == Health::Healthy
    }

    fn next_end(&self) -> Option<(usize, Nanos)> {
        let ends = self.queues.iter().enumerate();
        ends.filter_map(|(lane, queue)| Some((lane, queue.ends?))).min_by_key(|(_, at)| *at)
    }

    /// Lanes that are free begin with what they hold.
    fn begin(&mut self) {
        for queue in &mut self.queues {
            if let (Some(sent), None) = (queue.sent.front(), queue.ends) {
                let items = sent.entries.1 - sent.entries.0;
                // One equation, and where that fails all singles.
                let percent = match (sent.form, sent.kind.bad(sent.entries)) {
                    (Form::Combined, 0) => COMBINED,
                    (Form::Combined, _) => COMBINED + 100,
                    _ => 100,
                };
                let time = items as Nanos * queue.unit * percent / 100;
                queue.ends = Some(self.now + time * self.random.random_range(80..=120) / 100);
                queue.began = self.now;
            }
        }
    }

    fn finish(&mut self, lane: usize) -> BatchId {
        let queue = &mut self.queues[lane];
        let Sent { id, piece, entries, check, kind, .. } = queue.sent.pop_front().expect("it runs");
        queue.ends = None;
        self.batches[lane] += 1;
        let busy = self.now - queue.began;
        let items = (entries.1 - entries.0) as u64;
        let invalid = kind.bad(entries);
        let tally = Tally { invalid, valid: items - invalid, ..Tally::default() };
        let report = Report { sampled: check.sample as u64, ..Report::default() };
        let place = Place::Lane(lane);
        self.step(Event::Finished { piece, place, busy, judged: 0, tally, report });
        id
    }
}

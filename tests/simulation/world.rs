//! The shell in virtual time: what `mill` does on threads, one happening after the other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sigmill::backend::BatchId;
use sigmill::dispatch::lane::Health;
use sigmill::dispatch::random::Random;
use sigmill::dispatch::{Action, Dispatcher, Event, Nanos, PieceId, Place, Report, Tally};
use sigmill::error::ItemError;
use sigmill::{Outcome, Verdict};

use crate::books::{Books, Told};
use crate::device::Modelled;
use crate::faults::{Counts, Kind};
use crate::host::HostQueue;
use crate::items::Ware;
use crate::plan::{MS, Plan};
use crate::post::Post;
use crate::trace::Trace;
use crate::truth::Truth;

/// What will happen.
pub enum Happening {
    Submit(usize),
    Parsed(BatchId),
    Inlined(BatchId, usize, Nanos),
    /// A lane's thread looks at its commands, or at its device.
    Work(usize),
    Poll(usize),
    /// The host finished what it was at.
    HostDone,
    Reopened(usize, bool),
    Tick,
    Cancel(usize),
    /// An event that should change nothing.
    Again(Event),
    AllLost,
    Jump,
    Restart,
}

pub struct World<'a> {
    pub dispatcher: Dispatcher,
    pub random: Random,
    pub truth: Arc<Truth>,
    pub plan: Plan,
    pub stock: &'a [Ware],
    clock: Arc<AtomicU64>,
    pub agenda: BTreeMap<(Nanos, u64), Happening>,
    serial: u64,
    pub now: Nanos,
    pub books: Books,
    pub counts: Counts,
    /// By lane; the host's own has none.
    pub posts: Vec<Option<Post>>,
    pub host: HostQueue,
    pub ids: Vec<Option<BatchId>>,
    pub ticking: bool,
    /// Lanes that get work, one bit each.
    serving: u32,
    submitted: usize,
    /// Digests of answers that another lane computes as well, and whose they are.
    pub digests: VecDeque<(PieceId, First)>,
    actions: Vec<Action>,
    pub trace: Trace,
}

/// Answers that came first.
#[derive(Clone, Copy)]
pub struct First {
    pub digest: u64,
    pub place: Place,
    pub right: bool,
}

/// What a step left to be compared.
pub type Second = Option<(First, Told)>;

impl<'a> World<'a> {
    pub fn new(seed: u64, stock: &'a [Ware], truth: Arc<Truth>, talks: bool) -> Self {
        let mut random = Random::seeded(seed);
        let plan = Plan::new(&mut random, stock);
        let clock = Arc::new(AtomicU64::new(0));
        let devices = plan.devices.iter().map(|nature| {
            let (truth, clock) = (truth.clone(), clock.clone());
            Some(Post::new(Modelled::new(nature.clone(), truth, clock, random.bits())))
        });
        let posts = plan.host.iter().map(|_| None).chain(devices).collect();
        let mut world = World {
            dispatcher: Dispatcher::new(plan.limits, plan.policy, Vec::new()),
            random: Random::seeded(seed ^ 0x5eed),
            truth,
            stock,
            clock,
            agenda: BTreeMap::new(),
            serial: 0,
            now: 0,
            books: Books::default(),
            counts: Counts::default(),
            posts,
            host: HostQueue::default(),
            ids: vec![None; plan.orders.len()],
            ticking: false,
            serving: 0,
            submitted: 0,
            digests: VecDeque::new(),
            actions: Vec::new(),
            trace: Trace::new(talks),
            plan,
        };
        world.open();
        for number in 0..world.plan.orders.len() {
            world.at(world.plan.orders[number].at, Happening::Submit(number));
        }
        let once = [
            (world.plan.all_lost, (|| Happening::AllLost) as fn() -> Happening),
            (world.plan.jump, || Happening::Jump),
            (world.plan.restart, || Happening::Restart),
        ];
        for (at, happening) in once {
            if let Some(at) = at {
                world.at(at, happening());
            }
        }
        world
    }

    /// A new dispatcher over the lanes; some devices have yet to be opened.
    pub fn open(&mut self) {
        let devices = self.posts.iter().flatten().map(|post| post.device.config());
        let configs: Vec<_> = self.plan.host.iter().cloned().chain(devices).collect();
        self.dispatcher = Dispatcher::new(self.plan.limits, self.plan.policy, configs);
        let first = self.posts.len() - self.plan.later.len();
        for at in 0..self.plan.later.len() {
            if self.plan.later[at] {
                self.step(Event::Opening { lane: first + at }, None);
            }
        }
    }

    pub fn at(&mut self, delay: Nanos, happening: Happening) {
        self.serial += 1;
        self.agenda.insert((self.now + delay, self.serial), happening);
    }

    /// To the end: everything submitted and answered, nothing held.
    pub fn run(mut self) -> Self {
        while let Some(((at, _), happening)) = self.agenda.pop_first() {
            self.now = self.now.max(at);
            self.clock.store(self.now, Relaxed);
            self.happen(happening);
            let idle = self.submitted == self.ids.len() && self.dispatcher.held() == (0, 0);
            if idle && !self.agenda.values().any(|next| matches!(next, Happening::Inlined(..))) {
                break;
            }
            let held = self.dispatcher.held();
            assert!(self.now < 20_000_000 * MS, "the agenda never ends: it holds {held:?}");
        }
        self.close();
        self
    }

    fn close(&mut self) {
        assert_eq!(self.dispatcher.held(), (0, 0), "batches and pieces at the end");
        assert!(self.dispatcher.is_idle() && self.books.open.is_empty(), "batches were lost");
        for lane in self.dispatcher.lanes() {
            assert_eq!(lane.load(), (0, 0), "a lane's books at the end");
        }
        self.step(Event::Close, None);
        let order = &self.plan.orders[0];
        let (shape, order) = (order.shape, order.order(self.now));
        let mut actions = Vec::new();
        self.dispatcher.step(self.now, Event::Submit { shape, order, live: None }, &mut actions);
        assert!(matches!(actions[..], [Action::Refuse(_)]), "closed, and took a batch");
        for post in self.posts.iter().flatten() {
            self.counts.merge(&post.device.counts);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Submit(number) => self.submit(number),
            Happening::Parsed(id) => {
                let live = self.stock_of(id).map_or(0, |ware| ware.parsed.live());
                self.step(Event::Parsed { id, live }, None);
            }
            Happening::Inlined(id, lane, busy) => self.inlined(id, lane, busy),
            Happening::Work(lane) => self.work(lane),
            Happening::Poll(lane) => self.collect(lane),
            Happening::HostDone => self.host_done(),
            Happening::Reopened(lane, passed) => self.reopened(lane, passed),
            Happening::Tick => {
                self.ticking = false;
                self.step(Event::Tick, None);
            }
            Happening::Cancel(number) => {
                if let Some(id) = self.ids[number] {
                    if self.dispatcher.is_open(id) {
                        self.counts.add(Kind::Cancelled);
                    }
                    self.step(Event::Cancel { id }, None);
                }
            }
            Happening::Again(event) => {
                // A batch may end by its deadline at any step, an answer may not count twice.
                let before = self.books.slips.answered;
                self.step(event, None);
                assert_eq!(before, self.books.slips.answered, "an old answer ended a batch");
            }
            Happening::AllLost => self.lose_all(),
            Happening::Jump => self.jump(),
            Happening::Restart => self.restart(),
        }
    }

    pub fn stock_of(&self, id: BatchId) -> Option<&'a Ware> {
        let flight = self.books.open.get(&id)?;
        Some(&self.stock[self.plan.orders[flight.number].ware])
    }

    fn submit(&mut self, number: usize) {
        self.submitted += 1;
        let order = &self.plan.orders[number];
        let parsed = self.stock[order.ware].parsed.clone();
        let live = order.parsed.then(|| parsed.live());
        let (shape, terms) = (order.shape, order.order(self.now));
        if order.dropped {
            self.counts.add(Kind::Dropped);
        }
        let before = (self.dispatcher.counters(), self.dispatcher.held());
        self.trace.event(self.now, &Event::Submit { shape, order: terms, live });
        let mut actions = std::mem::take(&mut self.actions);
        let event = Event::Submit { shape, order: terms, live };
        self.dispatcher.step(self.now, event, &mut actions);
        match actions.first() {
            Some(&Action::Admit(id)) => {
                let own = self.host_time(&parsed);
                let before = self.host.rest(self.now);
                let order = (number, &self.plan.orders[number]);
                self.books.admit(id, order, parsed, self.now, (own, before));
                self.ids[number] = Some(id);
                if let Some(delay) = self.plan.orders[number].cancelled {
                    self.at(delay, Happening::Cancel(number));
                }
            }
            Some(Action::Refuse(_)) => {
                assert_eq!(actions.len(), 1, "a refusal is all");
                let after = (self.dispatcher.counters(), self.dispatcher.held());
                assert_eq!(before, after, "a refused batch left traces");
                self.books.slips.refused += 1;
            }
            other => panic!("neither admitted nor refused: {other:?}"),
        }
        self.perform(actions, None);
        self.check();
    }

    /// One step of the machine, and what follows from it.
    pub fn step(&mut self, event: Event, told: Option<Told>) -> Second {
        self.trace.event(self.now, &event);
        let mut actions = std::mem::take(&mut self.actions);
        self.dispatcher.step(self.now, event, &mut actions);
        let second = self.perform(actions, told);
        self.check();
        second
    }

    fn perform(&mut self, mut actions: Vec<Action>, mut told: Option<Told>) -> Second {
        let mut first = None;
        for action in actions.drain(..) {
            self.trace.action(&action);
            match action {
                Action::Refuse(_) | Action::Admit(_) => {}
                Action::Parse { id, .. } => {
                    let delay = self.random.below(1_000_000) as Nanos;
                    self.at(delay, Happening::Parsed(id));
                }
                Action::Inline { id, lane, .. } => {
                    let parsed = &self.books.open[&id].parsed;
                    let busy = self.host_time(parsed) * self.plan.threads + 500;
                    self.at(busy, Happening::Inlined(id, lane, busy));
                }
                Action::Send { id, piece, entries, lane, check } => {
                    self.send(id, piece, entries, lane, check);
                }
                Action::LastResort { id, piece, entries } => {
                    self.host_take(id, piece, entries, Place::LastResort);
                }
                Action::Accept { id, entries, twin } => {
                    let told = told.take().expect("answers were reported");
                    let ware = self.stock_of(id).expect("answers of a batch in flight");
                    let right = self.books.accept(id, entries, &told, ware);
                    if self.digests.len() == 64 {
                        self.digests.pop_front();
                    }
                    let (digest, place) = (told.answers.digest(), told.place);
                    let first = First { digest, place, right };
                    self.digests.extend(twin.map(|piece| (piece, first)));
                }
                Action::Compare { piece } => {
                    let at = self.digests.iter().position(|(first, _)| *first == piece);
                    first = at.and_then(|at| self.digests.remove(at)).map(|(_, first)| first);
                }
                Action::Resolve { id, trust } => self.books.resolve(id, trust),
                Action::Abandon { id, error } => {
                    let number = self.books.open.get(&id).expect("it is in flight").number;
                    let cancelled = self.plan.orders[number].cancelled.is_some();
                    self.books.abandon(id, error, self.now, cancelled);
                }
                Action::Quarantine { lane, .. } => self.quarantined(lane),
                Action::Readmit { lane } => self.readmit(lane),
            }
        }
        self.actions = actions;
        first.zip(told)
    }

    /// What holds after every step.
    fn check(&mut self) {
        let counters = self.dispatcher.counters();
        assert!(counters.balance(), "{counters:?}");
        let open: usize = self.books.open.values().map(|flight| flight.parsed.batch().len()).sum();
        assert_eq!(counters.in_flight, open as u64, "jobs in flight");
        assert_eq!(self.dispatcher.held().0, self.books.open.len(), "batches in flight");
        let serving = self.dispatcher.lanes().iter().map(|lane| lane.health().serves());
        let serving: u32 =
            serving.enumerate().map(|(lane, serves)| u32::from(serves) << lane).sum();
        if self.serving & !serving != 0 {
            self.books.failed(self.now, self.host.rest(self.now));
        }
        self.serving = serving;
        for lane in self.dispatcher.lanes() {
            let stuck = lane.health() == Health::Suspect && lane.load().0 == 0;
            assert!(!stuck, "a suspect that owes nothing");
        }
        if !self.ticking && self.dispatcher.wants_ticks() {
            self.ticking = true;
            self.at(5 * MS, Happening::Tick);
        }
    }

    pub fn inlined(&mut self, id: BatchId, lane: usize, busy: Nanos) {
        let Some(ware) = self.stock_of(id) else { return };
        let live = ware.parsed.live();
        if self.random.below(60) == 0 {
            self.counts.add(Kind::InlinePanics);
            self.step(Event::Inlined { id, lane, busy: 0, done: Err(live) }, None);
            return;
        }
        let mut tally = tally(ware.truth.iter());
        // The whole batch is answered at once, by the host.
        let flight = self.books.open.get_mut(&id).expect("it has a ware");
        flight.answer_all();
        tally.errors = 0;
        self.step(Event::Inlined { id, lane, busy, done: Ok(tally) }, None);
    }

    /// Time that all of the host needs for a batch.
    fn host_time(&self, parsed: &sigmill::parsed::Parsed) -> Nanos {
        self.host_span(parsed, parsed.live())
    }

    pub fn host_span(&self, parsed: &sigmill::parsed::Parsed, items: usize) -> Nanos {
        let unit = match parsed.operands() {
            sigmill::parsed::Operands::Columns => 300,
            _ => self.plan.host_unit,
        };
        (items as u64).div_ceil(self.plan.threads) * unit
    }
}

/// Answers by kind.
pub fn tally<'a>(answers: impl Iterator<Item = Outcome<'a>>) -> Tally {
    let mut tally = Tally::default();
    for outcome in answers {
        match outcome {
            Outcome::Verdict(Verdict::Valid) => tally.valid += 1,
            Outcome::Verdict(Verdict::Invalid(_)) => tally.invalid += 1,
            Outcome::Error(ItemError::Deadline) => tally.errors += 1,
            _ => tally.computed += 1,
        }
    }
    tally
}

/// What the host reports of its own work.
pub const NOTHING: Report =
    Report { sampled: 0, confirmed: 0, believed: 0, host_wrong: 0, canaries: 0 };

//! The shell around the dispatcher: holds the data that the state machine names by id, and runs
//! its actions on threads.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rayon::ThreadPool;

use crate::backend::{BatchId, InlineKernel, cpu};
use crate::batch::{Batch, Form, Shape};
use crate::dispatch::cell::Cell;
use crate::dispatch::examine::{Host, Refusal, Sent};
use crate::dispatch::proof::Proof;
use crate::dispatch::spares::Spares;
use crate::dispatch::ticket::{Answered, Ticket};
use crate::dispatch::worker::Command;
use crate::dispatch::{
    Action, Dispatcher, Event, Nanos, Order, PieceId, Place, Policy, Report, Tally, judge, remember,
};
use crate::engine::Terms;
use crate::error::{BusyReason, Fault, ItemError};
use crate::isa::Isa;
use crate::parsed::Parsed;
use crate::trust::Trust;
use crate::verdict::{Answers, Evidence, State as Answer};

/// A parsed batch.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) parsed: Arc<Parsed>,
    /// By the caller, who may keep a share.
    pub(crate) given: bool,
}

impl Held {
    fn own(parsed: Arc<Parsed>) -> Self {
        Held { parsed, given: false }
    }

    fn given(parsed: Arc<Parsed>) -> Self {
        Held { parsed, given: true }
    }
}

/// What a caller hands in.
#[expect(clippy::large_enum_variant, reason = "a small batch's way makes no allocation")]
pub(crate) enum Input {
    Raw(Batch),
    Parsed(Arc<Parsed>),
}

impl Input {
    fn shape(&self) -> Shape {
        match self {
            Input::Raw(batch) => batch.shape(),
            Input::Parsed(parsed) => parsed.shape(),
        }
    }

    /// Live jobs, if the encodings were checked before.
    fn live(&self) -> Option<usize> {
        match self {
            Input::Raw(_) => None,
            Input::Parsed(parsed) => Some(parsed.live()),
        }
    }
}

/// Locks; a panic elsewhere leaves the data as it was, which every holder keeps consistent.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A batch in flight outside its caller's thread.
struct Flight {
    held: Held,
    cell: Arc<Cell<Answered>>,
    /// Answers so far, by range of live entries.
    parts: Parts,
}

pub(crate) type Parts = Vec<((usize, usize), Answers)>;

/// A piece's answers, on their way to the batch's.
pub(crate) struct Delivery {
    /// By entry.
    pub(crate) answers: Answers,
    /// The piece as a device had it.
    pub(crate) sent: Sent,
    /// Where they come from.
    pub(crate) place: Place,
}

/// What is left of a delivery.
pub(crate) enum Left {
    /// Memory of the piece, if the device does not hold it still.
    Memory(Option<Parsed>),
    /// The answers came second: they are to be compared with the first.
    Second(First, Delivery),
}

/// Answers that came first, as they are kept until the second ones come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    digest: u64,
    place: Place,
}

struct State {
    dispatcher: Dispatcher,
    /// By the dispatcher's slot.
    flights: Vec<Option<Flight>>,
    actions: Vec<Action>,
    /// Batches that were given up while they were being parsed, and why.
    given_up: Vec<(BatchId, ItemError)>,
    /// Answers that another lane is still computing as well, the latest ones.
    firsts: VecDeque<(PieceId, First)>,
    /// The watch sleeps until it is woken. A wake-up is a system call, so none is made in vain.
    watch_sleeps: bool,
}

/// A lane's thread, seen from outside.
pub(crate) struct Post {
    pub(crate) name: Arc<str>,
    /// What its device is, once it is open.
    pub(crate) description: Mutex<Option<String>>,
    pub(crate) commands: Sender<Command>,
    pub(crate) inline: Option<InlineKernel>,
}

/// State shared by the engine, its lanes' threads and its pool.
pub(crate) struct Mill {
    state: Mutex<State>,
    /// Wakes the watch: ticks are wanted.
    wanted: Condvar,
    /// Wakes the closing engine: nothing is in flight.
    drained: Condvar,
    posts: Vec<Post>,
    pub(crate) spares: Arc<Spares>,
    pool: Arc<ThreadPool>,
    kernels: cpu::Kernels,
    settings: Settings,
    opened: Instant,
}

/// What the builder was told besides devices and limits.
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    /// Where proofs of lies are kept.
    pub(crate) proofs: PathBuf,
    /// What devices cost is kept from run to run.
    pub(crate) remembers: bool,
}

/// Answers that wait for second ones at most; what comes later is not compared.
const FIRSTS: usize = 64;

/// Pause between two ticks while something is in flight: the grain of deadlines and watchdogs.
const TICK: Duration = Duration::from_millis(5);

impl Mill {
    pub(crate) fn new(
        dispatcher: Dispatcher,
        slots: usize,
        posts: Vec<Post>,
        pool: Arc<ThreadPool>,
        kernels: cpu::Kernels,
        settings: Settings,
    ) -> Self {
        let flights = (0..slots).map(|_| None).collect();
        let state = State {
            dispatcher,
            flights,
            actions: Vec::with_capacity(64),
            given_up: Vec::new(),
            firsts: VecDeque::with_capacity(FIRSTS),
            watch_sleeps: false,
        };
        Mill {
            state: Mutex::new(state),
            wanted: Condvar::new(),
            drained: Condvar::new(),
            posts,
            spares: Arc::default(),
            pool,
            kernels,
            settings,
            opened: Instant::now(),
        }
    }

    /// Runs work that is no batch on the engine's threads.
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce(Isa) -> T + Send) -> T {
        self.pool.install(|| work(self.kernels.isa))
    }

    /// Runs the host's part of a device's work: on the engine's threads, unless it only copies.
    pub(crate) fn host<T: Send>(
        &self,
        copies: bool,
        work: impl FnOnce(&dyn Host) -> T + Send,
    ) -> T {
        if copies { work(&self.kernels) } else { self.pool.install(|| work(&self.kernels)) }
    }

    /// Notes what a lane's device is, now that it is open, and recalls what it showed in earlier runs.
    pub(crate) fn describe(&self, lane: usize, description: String) {
        let post = &self.posts[lane];
        if self.settings.remembers
            && let Some(costs) = remember::load(&post.name, &description)
        {
            lock(&self.state).dispatcher.recall(lane, costs);
        }
        *lock(&post.description) = Some(description);
    }

    /// Keeps what the devices showed for later runs.
    pub(crate) fn remember(&self) {
        if !self.settings.remembers {
            return;
        }
        for (lane, post) in self.posts.iter().enumerate() {
            if let Some(description) = &*lock(&post.description) {
                let costs = self.look(|dispatcher| dispatcher.lanes()[lane].cost.clone());
                remember::save(&post.name, description, &costs);
            }
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        self.settings.policy
    }

    /// Keeps what shows that a device lied, on disk and in the log.
    pub(crate) fn keep(&self, lane: usize, proof: &Proof) {
        let name = &self.posts[lane].name;
        let kept = match proof.keep(&self.settings.proofs, name) {
            Ok(Some(path)) => format!("kept in {}", path.display()),
            Ok(None) => "not kept: there are enough".to_owned(),
            Err(error) => format!("not kept in {}: {error}", self.settings.proofs.display()),
        };
        eprintln!("sigmill: device {name} gave a wrong answer: {}; {kept}", proof.summary());
    }

    pub(crate) fn now(&self) -> Nanos {
        self.opened.elapsed().as_nanos() as Nanos
    }

    pub(crate) fn posts(&self) -> &[Post] {
        &self.posts
    }

    /// Looks at the dispatcher.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Dispatcher) -> T) -> T {
        look(&lock(&self.state).dispatcher)
    }

    /// Whether the piece is still in this lane.
    pub(crate) fn is_at(&self, piece: PieceId, lane: usize) -> bool {
        self.look(|dispatcher| dispatcher.place_of(piece) == Some(Place::Lane(lane)))
    }

    /// Parses in the pool's threads.
    pub(crate) fn parse(&self, batch: Batch) -> Arc<Parsed> {
        let plan = self.kernels.sha256;
        let form = batch.form();
        self.pool.install(|| self.spares.parse_shared(plan, batch, form))
    }

    #[expect(clippy::result_large_err, reason = "a refused batch comes back as it went in")]
    pub(crate) fn submit(
        self: &Arc<Self>,
        input: Input,
        terms: &Terms,
    ) -> Result<Ticket, (Input, BusyReason)> {
        let now = self.now();
        let (shape, live) = (input.shape(), input.live());
        let order = Order {
            class: terms.class,
            source: terms.source,
            deadline: now.saturating_add(terms.deadline.as_nanos().min(u64::MAX.into()) as Nanos),
            trust: terms
                .trust
                .unwrap_or_else(|| self.settings.policy.trust_in(shape.algorithm, terms.class)),
        };
        let mut state = lock(&self.state);
        let mut actions = std::mem::take(&mut state.actions);
        state.dispatcher.step(now, Event::Submit { shape, order, live }, &mut actions);
        let id = match actions.remove(0) {
            Action::Admit(id) => id,
            Action::Refuse(why) => {
                state.actions = actions;
                return Err((input, why));
            }
            other => unreachable!("a submission is admitted or refused, not {other:?}"),
        };
        if let Some(&Action::Inline { lane, form, .. }) = actions.first() {
            actions.clear();
            state.actions = actions;
            drop(state);
            return Ok(self.run_inline(id, lane, form, input, now));
        }
        if state.watch_sleeps {
            self.wanted.notify_all();
        }
        let cell = self.spares.take_cell();
        let ticket = Ticket::pending(cell.clone(), Arc::downgrade(self), id);
        match input {
            // Parsing is the only action: until then the flight has no data but the closure's.
            Input::Raw(batch) => {
                let Some(&Action::Parse { form, .. }) = actions.first() else {
                    unreachable!("a batch is parsed before it is routed")
                };
                actions.clear();
                state.actions = actions;
                drop(state);
                let mill = self.clone();
                self.pool.spawn(move || mill.parse_in_flight(id, form, batch, cell));
            }
            // Pieces are sent at once, of this batch and perhaps of others.
            Input::Parsed(parsed) => {
                let flight = self.flight(Held::given(parsed), cell);
                state.flights[Dispatcher::slot(id)] = Some(flight);
                self.perform(state, actions, None);
            }
        }
        Ok(ticket)
    }

    /// The caller wants no answer any more.
    pub(crate) fn cancel(self: &Arc<Self>, id: BatchId) {
        self.step(Event::Cancel { id });
    }

    /// The small batch's way: everything on the caller's thread.
    fn run_inline(
        self: &Arc<Self>,
        id: BatchId,
        lane: usize,
        form: Form,
        input: Input,
        now: Nanos,
    ) -> Ticket {
        let held = match input {
            Input::Raw(batch) => Held::own(self.spares.parse(self.kernels.sha256, batch, form)),
            Input::Parsed(parsed) => Held::given(parsed),
        };
        let kernel = self.posts[lane].inline.as_ref().expect("the dispatcher was told it has one");
        match self.compute(&held.parsed, |parsed, evidence| kernel(parsed, evidence)) {
            Ok((answers, tally)) => {
                let busy = self.now() - now;
                self.step(Event::Inlined { id, lane, busy, done: Ok(tally) });
                Ticket::ready(Answered::new(held, answers, Trust::Audited, self.spares.clone()))
            }
            Err(_panic) => {
                let (cell, live) = (self.spares.take_cell(), held.parsed.live());
                let flight = self.flight(held, cell.clone());
                lock(&self.state).flights[Dispatcher::slot(id)] = Some(flight);
                self.step(Event::Inlined { id, lane, busy: 0, done: Err(live) });
                Ticket::pending(cell, Arc::downgrade(self), id)
            }
        }
    }

    /// Answers of a whole batch, by job.
    fn compute(
        &self,
        parsed: &Parsed,
        kernel: impl FnOnce(&Parsed, &mut Evidence),
    ) -> Result<(Answers, Tally), Fault> {
        let mut answers = self.compute_entries(parsed, 0..parsed.live(), kernel)?;
        judge::spread(parsed, &mut answers);
        let tally = judge::tally(&answers);
        Ok((answers, tally))
    }

    /// Answers of some entries, by entry.
    fn compute_entries(
        &self,
        parsed: &Parsed,
        entries: Range<usize>,
        kernel: impl FnOnce(&Parsed, &mut Evidence),
    ) -> Result<Answers, Fault> {
        let mut evidence = self.spares.take_evidence(parsed.algorithm());
        catch_unwind(AssertUnwindSafe(|| kernel(parsed, &mut evidence)))
            .map_err(|_| Fault::Panicked)?;
        let mut answers = self.spares.take_answers(parsed.algorithm());
        let judged = judge::judge(parsed, entries, true, None, &evidence, &mut answers);
        self.spares.put_evidence(evidence);
        judged.map(|()| answers)
    }

    fn flight(&self, held: Held, cell: Arc<Cell<Answered>>) -> Flight {
        Flight { held, cell, parts: self.spares.take_parts() }
    }

    /// Computes a batch on this thread beside the dispatcher's books.
    pub(crate) fn compute_here(&self, batch: Batch) -> Answered {
        let form = batch.form();
        let parsed = self.spares.parse(self.kernels.sha256, batch, form);
        let kernel = |parsed: &Parsed, evidence: &mut Evidence| {
            cpu::compute(self.kernels, parsed, evidence);
        };
        let answers = self.compute(&parsed, kernel).map(|(answers, _)| answers);
        let answers = answers.unwrap_or_else(|_| {
            let mut answers = self.spares.take_answers(parsed.algorithm());
            judge::abandon(&parsed, ItemError::Fault, &mut answers);
            answers
        });
        Answered::new(Held::own(parsed), answers, Trust::Audited, self.spares.clone())
    }

    fn parse_in_flight(
        self: &Arc<Self>,
        id: BatchId,
        form: Form,
        batch: Batch,
        cell: Arc<Cell<Answered>>,
    ) {
        let parsed = self.spares.parse_shared(self.kernels.sha256, batch, form);
        let live = parsed.live();
        let flight = self.flight(Held::own(parsed), cell);
        let mut state = lock(&self.state);
        if state.dispatcher.is_open(id) {
            state.flights[Dispatcher::slot(id)] = Some(flight);
            drop(state);
            self.step(Event::Parsed { id, live });
        } else {
            let found = state.given_up.iter().position(|(given_up, _)| *given_up == id);
            let error = found.map_or(ItemError::Fault, |at| state.given_up.swap_remove(at).1);
            drop(state);
            self.give_up(flight, error);
        }
    }

    /// One step of the machine, and the actions that follow from it.
    pub(crate) fn step(self: &Arc<Self>, event: Event) {
        self.run(event, None);
    }

    /// A step that hands over answers by entry. The caller may have its batch back at once: nothing of what was
    /// delivered holds it then, unless it has to be compared.
    pub(crate) fn finish(self: &Arc<Self>, event: Event, delivery: Delivery) -> Left {
        self.run(event, Some(delivery))
    }

    /// Compares answers with those that came first: whoever was wrong is out of service.
    pub(crate) fn compare(
        self: &Arc<Self>,
        first: First,
        Delivery { answers, sent, place }: Delivery,
        evidence: &Evidence,
    ) {
        let compared =
            self.host(false, |host| sent.compare(host, first.digest, evidence, &answers));
        self.spares.put_answers(answers);
        let (liar, fault) = match compared {
            Ok(true) => return,
            Ok(false) => {
                let what = "the second answers were others, and the host agrees with those";
                (first.place, Fault::Mismatch(what.to_owned()))
            }
            Err(Refusal { fault, proof }) => {
                if let (Some(proof), Place::Lane(lane)) = (proof, place) {
                    self.keep(lane, &proof);
                }
                (place, fault)
            }
        };
        if let Place::Lane(lane) = liar {
            self.step(Event::Disagreed { lane, fault });
        }
    }

    fn run(self: &Arc<Self>, event: Event, delivery: Option<Delivery>) -> Left {
        let now = self.now();
        let mut state = lock(&self.state);
        let mut actions = std::mem::take(&mut state.actions);
        state.dispatcher.step(now, event, &mut actions);
        self.perform(state, actions, delivery)
    }

    /// Does what a step asks for: under the lock what hands something over, after it what takes time.
    fn perform(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        mut actions: Vec<Action>,
        delivery: Option<Delivery>,
    ) -> Left {
        let (mut answers, rest) = match delivery {
            Some(Delivery { answers, sent, place }) => (Some(answers), Some((sent, place))),
            None => (None, None),
        };
        let (mut resolved, mut given_up, mut first) = (None, Vec::new(), None);
        for action in actions.drain(..) {
            match action {
                Action::Accept { id, entries, twin } => {
                    let flight = state.flights[Dispatcher::slot(id)].as_mut();
                    let Some((flight, answers)) = flight.zip(answers.take()) else { continue };
                    let first = twin.zip(rest.as_ref()).map(|(piece, (_, place))| {
                        (piece, First { digest: answers.digest(), place: *place })
                    });
                    flight.parts.push((entries, answers));
                    if state.firsts.len() == FIRSTS {
                        state.firsts.pop_front();
                    }
                    state.firsts.extend(first);
                }
                Action::Compare { piece } => {
                    let at = state.firsts.iter().position(|(first, _)| *first == piece);
                    first = at.and_then(|at| state.firsts.remove(at)).map(|(_, first)| first);
                }
                Action::Resolve { id, trust } => {
                    resolved = take_flight(&mut state, id).map(|flight| (flight, trust));
                }
                Action::Abandon { id, error } => match take_flight(&mut state, id) {
                    Some(flight) => given_up.push((flight, error)),
                    // It is still being parsed.
                    None => state.given_up.push((id, error)),
                },
                action => self.hand_over(&state, action),
            }
        }
        state.actions = actions;
        let drained = state.dispatcher.is_closed() && state.dispatcher.is_idle();
        drop(state);
        if drained {
            self.drained.notify_all();
        }
        let left = match (first, answers, rest) {
            (Some(first), Some(answers), Some((sent, place))) => {
                Left::Second(first, Delivery { answers, sent, place })
            }
            (_, answers, rest) => {
                answers.into_iter().for_each(|answers| self.spares.put_answers(answers));
                Left::Memory(rest.and_then(|(sent, _)| sent.into_memory()))
            }
        };
        if let Some((Flight { held, cell, parts }, trust)) = resolved {
            let answers = self.assemble(&held.parsed, parts);
            cell.resolve(Answered::new(held, answers, trust, self.spares.clone()));
        }
        for (flight, error) in given_up {
            self.give_up(flight, error);
        }
        left
    }

    /// Actions that only hand something to another thread.
    fn hand_over(self: &Arc<Self>, state: &State, action: Action) {
        match action {
            Action::Send { id, piece, entries, lane, check } => {
                if let Some(parsed) = share(state, id) {
                    let entries = entries.0..entries.1;
                    // The channel holds more than the dispatcher sends; a lane whose thread is gone
                    // is found by the watchdog.
                    let command = Command::Run { piece, parsed, entries, check };
                    let _ = self.posts[lane].commands.try_send(command);
                }
            }
            Action::LastResort { id, piece, entries } => {
                if let Some(parsed) = share(state, id) {
                    let mill = self.clone();
                    self.pool
                        .spawn(move || mill.run_last_resort(piece, entries.0..entries.1, parsed));
                }
            }
            Action::Readmit { lane } => {
                let _ = self.posts[lane].commands.try_send(Command::Readmit);
            }
            Action::Quarantine { lane, fault } => {
                eprintln!("sigmill: device {} is out of service: {fault}", self.posts[lane].name);
            }
            _ => {}
        }
    }

    /// Answers of a whole batch by job, from those of its pieces.
    fn assemble(&self, parsed: &Parsed, mut parts: Parts) -> Answers {
        let live = parsed.live();
        let mut answers = match parts.len() {
            1 => parts.swap_remove(0).1,
            _ => {
                let mut whole = self.spares.take_answers(parsed.algorithm());
                whole.begin(parsed.algorithm(), live, Answer::Computed);
                for ((start, end), part) in &parts {
                    whole.states[*start..*end].copy_from_slice(&part.states);
                    let width = parsed.algorithm().value_bytes();
                    whole.values[start * width..end * width].copy_from_slice(&part.values);
                }
                whole
            }
        };
        self.spares.put_parts(parts);
        judge::spread(parsed, &mut answers);
        answers
    }

    fn run_last_resort(
        self: &Arc<Self>,
        piece: PieceId,
        entries: Range<usize>,
        parsed: Arc<Parsed>,
    ) {
        let started = self.now();
        let place = Place::LastResort;
        let range = entries.clone();
        let computed = self.compute_entries(&parsed, range.clone(), |parsed, evidence| {
            cpu::compute_shared(self.kernels, parsed, range, evidence);
        });
        let sent = Sent::to_host(parsed, entries);
        match computed {
            Ok(answers) => {
                let (busy, tally) = (self.now() - started, judge::tally(&answers));
                let (judged, report) = (0, Report::default());
                let event = Event::Finished { piece, place, busy, judged, tally, report };
                let delivery = Delivery { answers, sent, place };
                if let Left::Second(first, delivery) = self.finish(event, delivery) {
                    self.compare(first, delivery, &Evidence::Nothing);
                }
            }
            Err(fault) => self.step(Event::Failed { piece, place, fault }),
        }
    }

    fn give_up(&self, Flight { held, cell, parts }: Flight, error: ItemError) {
        self.spares.put_parts(parts);
        let mut answers = self.spares.take_answers(held.parsed.algorithm());
        judge::abandon(&held.parsed, error, &mut answers);
        cell.resolve(Answered::new(held, answers, Trust::Audited, self.spares.clone()));
    }

    /// One round of the watch: a tick if time can bring about anything, else a sleep.
    pub(crate) fn watch(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if state.dispatcher.wants_ticks() {
            drop(state);
            std::thread::sleep(TICK);
            self.step(Event::Tick);
        } else {
            // Woken by the next batch that leaves its caller's thread, or by the end.
            state.watch_sleeps = true;
            let waited = self.wanted.wait_timeout(state, Duration::from_millis(500));
            waited.unwrap_or_else(PoisonError::into_inner).0.watch_sleeps = false;
        }
    }

    /// Waits until nothing is in flight, or until the patience ends; says which.
    pub(crate) fn drain(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = lock(&self.state);
        while !state.dispatcher.is_idle() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.drained.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Wakes the watch, so that it sees that it is to end.
    pub(crate) fn nudge(&self) {
        self.wanted.notify_all();
    }
}

fn take_flight(state: &mut State, id: BatchId) -> Option<Flight> {
    state.flights[Dispatcher::slot(id)].take()
}

/// Shares a batch in flight with another thread.
fn share(state: &State, id: BatchId) -> Option<Arc<Parsed>> {
    let flight = state.flights[Dispatcher::slot(id)].as_ref()?;
    Some(flight.held.parsed.clone())
}

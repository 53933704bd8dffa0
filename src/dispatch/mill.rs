//! The shell around the dispatcher: holds the data that the state machine names by id, and runs
//! its actions on threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rayon::ThreadPool;

use crate::backend::{BatchId, InlineKernel, cpu};
use crate::batch::{Batch, Shape};
use crate::dispatch::cell::Cell;
use crate::dispatch::spares::Spares;
use crate::dispatch::ticket::{Answered, Ticket};
use crate::dispatch::worker::Command;
use crate::dispatch::{Action, Class, Dispatcher, Event, Nanos, Place, judge};
use crate::error::{BusyReason, Fault, ItemError};
use crate::isa::Isa;
use crate::parsed::Parsed;
use crate::verdict::{Answers, Evidence};

/// A parsed batch: the engine's own, or shared with its submitter or with a device.
#[expect(clippy::large_enum_variant, reason = "a small batch's way makes no allocation")]
#[derive(Debug)]
pub(crate) enum Held {
    Own(Parsed),
    Shared(Arc<Parsed>),
}

impl Held {
    pub(crate) fn parsed(&self) -> &Parsed {
        match self {
            Held::Own(parsed) => parsed,
            Held::Shared(parsed) => parsed,
        }
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
}

/// Locks; a panic elsewhere leaves the data as it was, which every holder keeps consistent.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A batch in flight outside its caller's thread.
struct Flight {
    held: Held,
    cell: Arc<Cell<Answered>>,
}

struct State {
    dispatcher: Dispatcher,
    /// By the dispatcher's slot.
    flights: Vec<Option<Flight>>,
    actions: Vec<Action>,
    /// The watch sleeps until it is woken. A wake-up is a system call, so none is made in vain.
    watch_sleeps: bool,
}

/// A lane's thread, seen from outside.
pub(crate) struct Post {
    pub(crate) name: Arc<str>,
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
    opened: Instant,
}

/// Pause between two ticks while something is in flight: the grain of deadlines and watchdogs.
const TICK: Duration = Duration::from_millis(5);

impl Mill {
    pub(crate) fn new(
        dispatcher: Dispatcher,
        slots: usize,
        posts: Vec<Post>,
        pool: Arc<ThreadPool>,
        kernels: cpu::Kernels,
    ) -> Self {
        let flights = (0..slots).map(|_| None).collect();
        let state =
            State { dispatcher, flights, actions: Vec::with_capacity(64), watch_sleeps: false };
        Mill {
            state: Mutex::new(state),
            wanted: Condvar::new(),
            drained: Condvar::new(),
            posts,
            spares: Arc::default(),
            pool,
            kernels,
            opened: Instant::now(),
        }
    }

    /// Runs work that is no batch on the engine's threads.
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce(Isa) -> T + Send) -> T {
        self.pool.install(|| work(self.kernels.isa))
    }

    /// Judges evidence on the engine's threads.
    pub(crate) fn judge(
        &self,
        parsed: &Parsed,
        judges: bool,
        evidence: &Evidence,
        answers: &mut Answers,
    ) -> Result<super::Tally, Fault> {
        let judge = |answers| judge::judge(parsed, judges, Some(self.kernels), evidence, answers);
        // Verdicts are merely copied.
        if judges { judge(answers) } else { self.pool.install(|| judge(answers)) }
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

    /// Whether the batch is still in this lane.
    pub(crate) fn is_at(&self, id: BatchId, lane: usize) -> bool {
        self.look(|dispatcher| dispatcher.place_of(id) == Some(Place::Lane(lane)))
    }

    /// Parses in the pool's threads.
    pub(crate) fn parse(&self, batch: Batch) -> Parsed {
        let plan = self.kernels.sha256;
        self.pool.install(|| Parsed::parse_pieces(plan, batch))
    }

    #[expect(clippy::result_large_err, reason = "a refused batch comes back as it went in")]
    pub(crate) fn submit(
        self: &Arc<Self>,
        input: Input,
        class: Class,
        patience: Duration,
    ) -> Result<Ticket, (Input, BusyReason)> {
        let now = self.now();
        let deadline = now.saturating_add(patience.as_nanos().min(u64::MAX.into()) as Nanos);
        let parsed = matches!(input, Input::Parsed(_));
        let event = Event::Submit { shape: input.shape(), class, deadline, parsed };
        let mut state = lock(&self.state);
        let State { dispatcher, actions, .. } = &mut *state;
        dispatcher.step(now, event, actions);
        let mut rest = actions.drain(..);
        let id = match rest.next() {
            Some(Action::Admit(id)) => id,
            Some(Action::Refuse(why)) => {
                drop(rest);
                return Err((input, why));
            }
            other => unreachable!("a submission is admitted or refused, not {other:?}"),
        };
        let next = rest.next();
        drop(rest);
        if let Some(Action::Inline { lane, .. }) = next {
            drop(state);
            return Ok(self.run_inline(id, lane, input, now));
        }
        if state.watch_sleeps {
            self.wanted.notify_all();
        }
        let cell = Arc::new(Cell::default());
        let slot = state.dispatcher.slot(id);
        match input {
            // Parsing is the next action: until then the flight has no data but the closure's.
            Input::Raw(batch) => {
                let (mill, cell) = (self.clone(), cell.clone());
                drop(state);
                self.pool.spawn(move || mill.parse_in_flight(id, batch, cell));
            }
            Input::Parsed(parsed) => {
                let held = Held::Shared(parsed);
                state.flights[slot] = Some(Flight { held, cell: cell.clone() });
                if let Some(action) = next {
                    self.perform(state, action);
                }
            }
        }
        Ok(Ticket::pending(cell))
    }

    /// The small batch's way: everything on the caller's thread.
    fn run_inline(self: &Arc<Self>, id: BatchId, lane: usize, input: Input, now: Nanos) -> Ticket {
        let held = match input {
            Input::Raw(batch) => Held::Own(self.spares.parse(self.kernels.sha256, batch)),
            Input::Parsed(parsed) => Held::Shared(parsed),
        };
        let place = Place::Inline(lane);
        let kernel = self.posts[lane].inline.as_ref().expect("the dispatcher was told it has one");
        match self.compute(held.parsed(), |parsed, evidence| kernel(parsed, evidence)) {
            Ok((answers, tally)) => {
                let busy = self.now() - now;
                self.step(Event::Finished { id, place, busy, tally });
                Ticket::ready(Answered::new(held, answers, self.spares.clone()))
            }
            Err(fault) => {
                let cell = Arc::new(Cell::default());
                let mut state = lock(&self.state);
                let slot = state.dispatcher.slot(id);
                state.flights[slot] = Some(Flight { held, cell: cell.clone() });
                drop(state);
                self.step(Event::Failed { id, place, fault });
                Ticket::pending(cell)
            }
        }
    }

    fn compute(
        &self,
        parsed: &Parsed,
        kernel: impl FnOnce(&Parsed, &mut Evidence),
    ) -> Result<(Answers, super::Tally), Fault> {
        let mut evidence = self.spares.take_evidence(parsed.algorithm());
        catch_unwind(AssertUnwindSafe(|| kernel(parsed, &mut evidence)))
            .map_err(|_| Fault::Panicked)?;
        let mut answers = self.spares.take_answers(parsed.algorithm());
        let tally = judge::judge(parsed, true, None, &evidence, &mut answers);
        self.spares.put_evidence(evidence);
        Ok((answers, tally?))
    }

    /// Computes a batch on this thread beside the dispatcher's books.
    pub(crate) fn compute_here(&self, batch: Batch) -> Answered {
        let parsed = self.spares.parse(self.kernels.sha256, batch);
        let kernel = |parsed: &Parsed, evidence: &mut Evidence| {
            cpu::compute(self.kernels, parsed, evidence);
        };
        let answers = self.compute(&parsed, kernel).map(|(answers, _)| answers);
        let answers = answers.unwrap_or_else(|_| {
            let mut answers = self.spares.take_answers(parsed.algorithm());
            judge::abandon(&parsed, ItemError::Fault, &mut answers);
            answers
        });
        Answered::new(Held::Own(parsed), answers, self.spares.clone())
    }

    fn parse_in_flight(self: &Arc<Self>, id: BatchId, batch: Batch, cell: Arc<Cell<Answered>>) {
        let parsed = Parsed::parse_pieces(self.kernels.sha256, batch);
        let mut state = lock(&self.state);
        let held = Held::Shared(Arc::new(parsed));
        match state.dispatcher.place_of(id) {
            Some(_) => {
                let slot = state.dispatcher.slot(id);
                state.flights[slot] = Some(Flight { held, cell });
                drop(state);
                self.step(Event::Parsed { id });
            }
            // Given up while it was being parsed.
            None => {
                let error = if state.dispatcher.is_closed() {
                    ItemError::Shutdown
                } else {
                    ItemError::Deadline
                };
                drop(state);
                self.give_up(Flight { held, cell }, error);
            }
        }
    }

    /// One step of the machine, and the actions that follow from it.
    pub(crate) fn step(self: &Arc<Self>, event: Event) {
        self.run(event, None);
    }

    /// A step that hands over answers: they go to the ticket if the machine says so.
    pub(crate) fn finish(self: &Arc<Self>, event: Event, id: BatchId, answers: Answers) {
        self.run(event, Some((id, answers)));
    }

    fn run(self: &Arc<Self>, event: Event, mut answers: Option<(BatchId, Answers)>) {
        let now = self.now();
        let mut state = lock(&self.state);
        let mut actions = std::mem::take(&mut state.actions);
        state.dispatcher.step(now, event, &mut actions);
        let mut resolved = None;
        let mut given_up = Vec::new();
        for action in actions.drain(..) {
            match action {
                Action::Resolve { id } => {
                    if let Some(flight) = take_flight(&mut state, id) {
                        resolved = answers.take().map(|(_, answers)| (flight, answers));
                    }
                }
                Action::Abandon { id, error } => {
                    given_up.extend(take_flight(&mut state, id).map(|flight| (flight, error)));
                }
                action => self.perform_locked(&mut state, action),
            }
        }
        state.actions = actions;
        let drained = state.dispatcher.is_closed() && state.dispatcher.is_idle();
        drop(state);
        if drained {
            self.drained.notify_all();
        }
        if let Some((flight, answers)) = resolved {
            let answered = Answered::new(flight.held, answers, self.spares.clone());
            flight.cell.resolve(answered);
        }
        if let Some((_, answers)) = answers {
            self.spares.put_answers(answers);
        }
        for (flight, error) in given_up {
            self.give_up(flight, error);
        }
    }

    fn perform(self: &Arc<Self>, mut state: MutexGuard<'_, State>, action: Action) {
        match action {
            Action::Abandon { id, error } => {
                let flight = take_flight(&mut state, id);
                drop(state);
                if let Some(flight) = flight {
                    self.give_up(flight, error);
                }
            }
            action => self.perform_locked(&mut state, action),
        }
    }

    /// Actions that only hand something to another thread.
    fn perform_locked(self: &Arc<Self>, state: &mut State, action: Action) {
        match action {
            Action::Send { id, lane } => {
                if let Some(parsed) = share(state, id) {
                    // The channel holds more than the dispatcher sends; a lane whose thread is gone
                    // is found by the watchdog.
                    let _ = self.posts[lane].commands.try_send(Command::Run(id, parsed));
                }
            }
            Action::LastResort { id } => {
                if let Some(parsed) = share(state, id) {
                    let mill = self.clone();
                    self.pool.spawn(move || mill.run_last_resort(id, parsed));
                }
            }
            Action::Readmit { lane } => {
                let _ = self.posts[lane].commands.try_send(Command::Readmit);
            }
            Action::Quarantine { lane, fault } => {
                eprintln!("sigmill: device {} is out of service: {fault}", self.posts[lane].name);
            }
            Action::Refuse(_)
            | Action::Admit(_)
            | Action::Inline { .. }
            | Action::Parse { .. }
            | Action::Resolve { .. }
            | Action::Abandon { .. } => {}
        }
    }

    fn run_last_resort(self: &Arc<Self>, id: BatchId, parsed: Arc<Parsed>) {
        let started = self.now();
        let place = Place::LastResort;
        let computed = self.compute(&parsed, |parsed, evidence| {
            cpu::compute(self.kernels, parsed, evidence);
        });
        drop(parsed);
        match computed {
            Ok((answers, tally)) => {
                let busy = self.now() - started;
                self.finish(Event::Finished { id, place, busy, tally }, id, answers);
            }
            Err(fault) => self.step(Event::Failed { id, place, fault }),
        }
    }

    fn give_up(&self, flight: Flight, error: ItemError) {
        let mut answers = self.spares.take_answers(flight.held.parsed().algorithm());
        judge::abandon(flight.held.parsed(), error, &mut answers);
        flight.cell.resolve(Answered::new(flight.held, answers, self.spares.clone()));
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
    let slot = state.dispatcher.slot(id);
    state.flights[slot].take()
}

/// Shares a batch in flight with another thread.
fn share(state: &mut State, id: BatchId) -> Option<Arc<Parsed>> {
    let slot = state.dispatcher.slot(id);
    let flight = state.flights[slot].take()?;
    let parsed = match flight.held {
        Held::Shared(parsed) => parsed,
        Held::Own(parsed) => Arc::new(parsed),
    };
    state.flights[slot] = Some(Flight { held: Held::Shared(parsed.clone()), cell: flight.cell });
    Some(parsed)
}

//! The shell around the dispatcher: holds the data that the state machine names by id, and runs
//! its actions on threads.

mod end;
mod host;
mod submit;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rayon::ThreadPool;

use crate::backend::device::DeviceInfo;
use crate::backend::{BatchId, InlineKernel, cpu};
use crate::batch::{Batch, Shape};
use crate::dispatch::cell::Cell;
use crate::dispatch::examine::Sent;
use crate::dispatch::spares::Spares;
use crate::dispatch::ticket::Answered;
use crate::dispatch::worker::Command;
use crate::dispatch::{Action, Dispatcher, Event, Nanos, PieceId, Place, Policy};
use crate::error::ItemError;
use crate::observe::{Open, Recorder, Stage, Subject};
use crate::parsed::Parsed;
use crate::verdict::Answers;

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
    /// When its live entries were known, while somebody records.
    parsed: Nanos,
    /// Answers so far, by range of live entries.
    parts: Parts,
}

pub(crate) type Parts = Vec<((usize, usize), Answers)>;

/// A piece on its way to a lane's thread.
pub(crate) struct Queued {
    /// When its batch was parsed, while somebody records.
    pub(crate) since: Nanos,
    pub(crate) subject: Subject,
    /// Ends where the lane begins with it.
    pub(crate) span: Open,
}

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
    /// What its device is, as it was opened last.
    pub(crate) info: Mutex<DeviceInfo>,
    pub(crate) commands: Sender<Command>,
    pub(crate) inline: Option<InlineKernel>,
}

impl Post {
    pub(crate) fn info(&self) -> DeviceInfo {
        lock(&self.info).clone()
    }
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
    pub(crate) recorder: Arc<Recorder>,
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
        let (flights, opened) = ((0..slots).map(|_| None).collect(), Instant::now());
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
            opened,
            recorder: Arc::new(Recorder::new(opened)),
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        self.settings.policy
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

    /// One step of the machine, and the actions that follow from it.
    pub(crate) fn step(self: &Arc<Self>, event: Event) {
        self.run(event, None);
    }

    /// A step that hands over answers by entry. The caller may have its batch back at once: nothing of what was
    /// delivered holds it then, unless it has to be compared.
    pub(crate) fn finish(self: &Arc<Self>, event: Event, delivery: Delivery) -> Left {
        self.run(event, Some(delivery))
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
        let mut of = BatchId(0);
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
                    of = id;
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
        if let Some((Flight { held, cell, parts, .. }, trust)) = resolved {
            // It ends before the caller goes on, who may end the recording.
            let resolving = self.recorder.time(Stage::Resolve, || {
                let items = held.parsed.batch().len();
                Subject::of(&held.parsed, of, PieceId(0), items)
            });
            let answers = self.assemble(&held.parsed, parts);
            drop(resolving);
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
                if let Some((parsed, since)) = share(state, id) {
                    let entries = entries.0..entries.1;
                    let subject = Subject::of(&parsed, id, piece, entries.len());
                    let queued = Queued { since, subject, span: Open::new(Stage::Queue, &subject) };
                    // The channel holds more than the dispatcher sends; a lane whose thread is gone
                    // is found by the watchdog.
                    let command = Command::Run { piece, parsed, entries, check, queued };
                    let _ = self.posts[lane].commands.try_send(command);
                }
            }
            Action::LastResort { id, piece, entries } => {
                if let Some((parsed, _)) = share(state, id) {
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
}

fn take_flight(state: &mut State, id: BatchId) -> Option<Flight> {
    state.flights[Dispatcher::slot(id)].take()
}

/// Shares a batch in flight with another thread, and says when it was parsed.
fn share(state: &State, id: BatchId) -> Option<(Arc<Parsed>, Nanos)> {
    let flight = state.flights[Dispatcher::slot(id)].as_ref()?;
    Some((flight.held.parsed.clone(), flight.parsed))
}

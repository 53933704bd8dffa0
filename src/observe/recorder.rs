//! Spans are kept in memory of a fixed size while somebody records.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::dispatch::Nanos;
use crate::observe::{Open, Span, Stage, Subject, Track, laps};

/// Most threads that are told apart; the last name stands for all that come later.
const THREADS: usize = 4_096;

/// What is known of a recording while it runs.
#[derive(Debug, Default)]
struct Kept {
    spans: Vec<Span>,
    limit: usize,
}

/// Takes spans from any thread.
#[derive(Debug)]
pub(crate) struct Recorder {
    epoch: Instant,
    on: AtomicBool,
    kept: Mutex<Kept>,
    lost: AtomicU64,
}

/// Names of the threads that ever ended a span, by their numbers.
static NAMES: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    static NUMBER: Cell<Option<u32>> = const { Cell::new(None) };
}

impl Recorder {
    /// One whose times count from `epoch`.
    pub fn new(epoch: Instant) -> Self {
        let (on, kept, lost) = (AtomicBool::new(false), Mutex::default(), AtomicU64::new(0));
        Recorder { epoch, on, kept, lost }
    }

    /// Whether somebody records.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    pub fn since_epoch(&self, instant: Instant) -> Nanos {
        instant.saturating_duration_since(self.epoch).as_nanos() as Nanos
    }

    /// Begins to keep spans, at most `limit`; false if somebody records already.
    pub fn begin(&self, limit: usize) -> bool {
        let mut kept = self.kept();
        if self.on.swap(true, Ordering::Relaxed) {
            return false;
        }
        *kept = Kept { spans: Vec::with_capacity(limit), limit };
        self.lost.store(0, Ordering::Relaxed);
        true
    }

    /// Stops, and gives what was kept and how many spans there was no room for.
    pub fn end(&self) -> (Vec<Span>, u64) {
        let mut kept = self.kept();
        self.on.store(false, Ordering::Relaxed);
        (std::mem::take(&mut *kept).spans, self.lost.load(Ordering::Relaxed))
    }

    /// Keeps a stage of the calling thread.
    pub fn keep(&self, stage: Stage, subject: Subject, start: Nanos, end: Nanos) {
        if self.is_on() {
            self.push(Span { stage, track: Track::Thread(number()), subject, start, end });
        }
    }

    /// Begins a stage of the calling thread, which ends when the result is dropped.
    pub fn time(&self, stage: Stage, subject: impl FnOnce() -> Subject) -> Timed<'_> {
        let on = self.is_on();
        if !on && !Open::is_wanted() {
            return Timed(None);
        }
        let subject = subject();
        let start = on.then(|| self.since_epoch(Instant::now()));
        Timed(Some((self, stage, subject, start, Open::new(stage, &subject).entered())))
    }

    fn push(&self, span: Span) {
        let mut kept = self.kept();
        if kept.spans.len() < kept.limit {
            kept.spans.push(span);
        } else if self.is_on() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stage under way on this thread.
#[must_use = "the stage ends when this is dropped"]
pub(crate) struct Timed<'a>(
    Option<(&'a Recorder, Stage, Subject, Option<Nanos>, crate::observe::spans::Entered)>,
);

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        if let Some((recorder, stage, subject, Some(start), _)) = &self.0 {
            recorder.keep(*stage, *subject, *start, recorder.since_epoch(Instant::now()));
        }
    }
}

/// Names of all threads that have a number.
pub(crate) fn threads() -> Vec<String> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The calling thread's number.
fn number() -> u32 {
    NUMBER.get().unwrap_or_else(|| {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() < THREADS {
            let thread = std::thread::current();
            let unnamed = format!("thread {}", names.len());
            names.push(thread.name().map_or(unnamed, str::to_owned));
        }
        let number = names.len() as u32 - 1;
        NUMBER.set(Some(number));
        number
    })
}

/// What a backend tells of its stages; it belongs to one lane of one engine.
#[derive(Clone, Debug)]
pub struct Observer {
    recorder: Arc<Recorder>,
    lane: u32,
}

impl Observer {
    pub(crate) fn new(recorder: Arc<Recorder>, lane: usize) -> Self {
        Observer { recorder, lane: lane as u32 }
    }

    /// Whether somebody records: else nothing has to be measured.
    pub fn is_on(&self) -> bool {
        self.recorder.is_on()
    }

    /// Keeps a stage of the device, which began and ended then by its own clock, as far as the host can tell.
    pub fn stage(&self, stage: Stage, subject: Subject, span: (Instant, Instant)) {
        if self.is_on() {
            let [start, end] = [span.0, span.1].map(|instant| self.recorder.since_epoch(instant));
            let track = Track::Device(self.lane);
            self.recorder.push(Span { stage, track, subject, start, end });
        }
    }

    /// Runs a kernel on this thread, and keeps its steps.
    pub(crate) fn kernel(&self, subject: Subject, kernel: impl FnOnce()) {
        laps::watched(&self.recorder, subject, kernel);
    }
}

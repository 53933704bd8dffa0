//! Spans are kept in memory of a fixed size while somebody records.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::backend::BatchId;
use crate::dispatch::Nanos;
use crate::laps::{self, Lap};
use crate::observe::{Open, Sample, Span, Stage, Subject, Track};

/// Most threads that are told apart; the last name stands for all that come later.
const THREADS: usize = 4_096;

/// What is known of a recording while it runs.
#[derive(Debug, Default)]
struct Kept {
    /// Of the recording; 0 before the first.
    number: u64,
    spans: Vec<Span>,
    samples: Vec<Sample>,
    /// Of spans, and of samples.
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

    /// Begins to keep spans and samples, at most `limit` of each, and gives the recording's number; none if
    /// somebody records already.
    pub fn begin(&self, limit: usize) -> Option<u64> {
        let mut kept = self.kept();
        if self.on.swap(true, Ordering::Relaxed) {
            return None;
        }
        let number = kept.number + 1;
        *kept = Kept { number, spans: Vec::with_capacity(limit), samples: Vec::new(), limit };
        self.lost.store(0, Ordering::Relaxed);
        Some(number)
    }

    /// Stops this recording, and gives what was kept and how many spans and samples there was no room for; of one that
    /// has ended nothing.
    pub fn end(&self, number: u64) -> (Vec<Span>, Vec<Sample>, u64) {
        let mut kept = self.kept();
        if kept.number != number {
            return (Vec::new(), Vec::new(), 0);
        }
        self.on.store(false, Ordering::Relaxed);
        let Kept { spans, samples, .. } =
            std::mem::replace(&mut *kept, Kept { number, ..Kept::default() });
        (spans, samples, self.lost.load(Ordering::Relaxed))
    }

    /// Keeps a stage of the calling thread.
    pub fn keep(&self, stage: Stage, subject: Subject, start: Nanos, end: Nanos) {
        if self.is_on() {
            self.push(Span { stage, track: Track::Thread(number()), subject, start, end });
        }
    }

    /// Keeps a stage of the calling thread that ends now. It began at `start`, which is 0 where nobody recorded then.
    pub fn keep_until_now(&self, stage: Stage, subject: Subject, start: Nanos) {
        if start > 0 && self.is_on() {
            self.keep(stage, subject, start, self.since_epoch(Instant::now()));
        }
    }

    /// The time, for [`Self::keep_until_now`]; 0 where nobody records.
    pub fn start(&self) -> Nanos {
        if self.is_on() { self.since_epoch(Instant::now()) } else { 0 }
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

    /// Runs a kernel on this thread, and keeps its steps while somebody records.
    pub fn kernel<T>(&self, subject: Subject, kernel: impl FnOnce() -> T) -> T {
        if !self.is_on() {
            return kernel();
        }
        let start = self.since_epoch(Instant::now());
        laps::timed(kernel, |laps| self.keep_steps(subject, start, laps))
    }

    fn keep_steps(&self, subject: Subject, mut start: Nanos, laps: &[Lap]) {
        if laps.is_empty() {
            // A hash is one step.
            let step = Stage::Kernel(subject.algorithm.name());
            self.keep(step, subject, start, self.since_epoch(Instant::now()));
        }
        // A kernel that cuts its items into pieces takes a step once for each: together they count all items.
        let mut pieces = BTreeMap::<&str, (u64, u64)>::new();
        laps.iter().for_each(|(step, _)| pieces.entry(step).or_default().0 += 1);
        for (step, end) in laps {
            let (all, done) = pieces.get_mut(step).expect("counted above");
            let until = |pieces: u64| (u64::from(subject.items) * pieces / *all) as u32;
            let subject = Subject { items: until(*done + 1) - until(*done), ..subject };
            *done += 1;
            let end = self.since_epoch(*end);
            self.keep(Stage::Kernel(step), subject, start, end);
            start = end;
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

impl Timed<'_> {
    /// Tells the batch's id, once it has one.
    pub fn name_batch(&mut self, id: BatchId) {
        if let Some((_, _, subject, ..)) = &mut self.0 {
            subject.batch = id.0;
        }
    }
}

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

    /// Keeps what counters of the device said, read together at that time; all of it or, where there is no room,
    /// nothing.
    pub fn sample(&self, at: Instant, values: &[(&'static str, u64)]) {
        let (track, at) = (Track::Device(self.lane), self.recorder.since_epoch(at));
        let samples = values.iter().map(|&(name, value)| Sample { track, name, at, value });
        let mut kept = self.recorder.kept();
        if kept.samples.len() + values.len() <= kept.limit {
            kept.samples.extend(samples);
        } else if self.is_on() {
            self.recorder.lost.fetch_add(values.len() as u64, Ordering::Relaxed);
        }
    }

    /// Runs a kernel on this thread, and keeps its steps.
    pub(crate) fn kernel(&self, subject: Subject, kernel: impl FnOnce()) {
        self.recorder.kernel(subject, kernel);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::Algorithm;
    use crate::laps::lap;

    const SUBJECT: Subject =
        Subject { algorithm: Algorithm::SchnorrBip340, batch: 7, piece: 8, items: 9, bytes: 0 };

    fn recorder() -> Arc<Recorder> {
        Arc::new(Recorder::new(Instant::now()))
    }

    fn names(recorder: &Recorder, recording: u64) -> Vec<&'static str> {
        recorder.end(recording).0.iter().map(|span| span.stage.name()).collect()
    }

    #[test]
    fn memory_is_bounded_and_what_is_lost_is_counted() {
        let recorder = recorder();
        recorder.keep(Stage::Parse, SUBJECT, 0, 1);
        let first = recorder.begin(2).expect("nobody records");
        assert_eq!(recorder.begin(5), None, "one at a time");
        for at in 0..5 {
            recorder.keep(Stage::Parse, SUBJECT, at, at + 1);
        }
        let (spans, _, lost) = recorder.end(first);
        assert_eq!((spans.len(), spans[0].start, lost), (2, 0, 3));
        recorder.keep(Stage::Parse, SUBJECT, 0, 1);
        let second = recorder.begin(2).expect("nobody records");
        assert_eq!(recorder.end(second), (Vec::new(), Vec::new(), 0), "nothing of before");
    }

    #[test]
    fn one_that_has_ended_ends_no_other() {
        let recorder = recorder();
        let first = recorder.begin(2).expect("nobody records");
        recorder.end(first);
        let second = recorder.begin(2).expect("nobody records");
        recorder.keep(Stage::Parse, SUBJECT, 0, 1);
        assert_eq!(recorder.end(first), (Vec::new(), Vec::new(), 0));
        assert!(recorder.is_on());
        assert_eq!(recorder.end(second).0.len(), 1);
    }

    #[test]
    fn samples_that_were_read_together_are_kept_together() {
        let recorder = recorder();
        let observer = Observer::new(recorder.clone(), 3);
        let values = [("cycles", 7), ("busy", 5)];
        observer.sample(Instant::now(), &values);
        let recording = recorder.begin(5).expect("nobody records");
        for _ in 0..3 {
            observer.sample(Instant::now(), &values);
        }
        let (spans, samples, lost) = recorder.end(recording);
        assert_eq!((spans.len(), samples.len(), lost), (0, 4, 2), "a third time is too much");
        assert_eq!((samples[1].track, samples[1].name), (Track::Device(3), "busy"));
        assert_eq!((samples[1].value, samples[1].at), (5, samples[0].at));
    }

    #[test]
    fn stages_hold_each_other_and_know_their_threads() {
        let recorder = recorder();
        let recording = recorder.begin(10).expect("nobody records");
        let outer = recorder.time(Stage::Submit, || SUBJECT);
        drop(recorder.time(Stage::Parse, || SUBJECT));
        drop(outer);
        let other = recorder.clone();
        let thread = std::thread::Builder::new().name("another".to_owned());
        let keep = move || drop(other.time(Stage::Judge, || SUBJECT));
        thread.spawn(keep).expect("a thread").join().expect("no panic");
        let (spans, ..) = recorder.end(recording);
        let [parse, submit, judge] = spans[..] else { panic!("{spans:?}") };
        assert!(submit.start <= parse.start && parse.end <= submit.end);
        assert_eq!((parse.track, submit.subject), (submit.track, SUBJECT));
        let Track::Thread(number) = judge.track else { panic!("{judge:?}") };
        assert_eq!(threads()[number as usize], "another");
        assert_ne!(judge.track, submit.track);
    }

    #[test]
    fn steps_of_a_kernel_follow_each_other_and_only_while_it_is_watched() {
        let recorder = recorder();
        let watched = |work: &dyn Fn()| recorder.kernel(SUBJECT, work);
        let steps = || {
            lap("decode");
            lap("multiply");
        };
        watched(&steps);
        let recording = recorder.begin(10).expect("nobody records");
        steps();
        watched(&steps);
        let (spans, ..) = recorder.end(recording);
        assert_eq!(spans.len(), 2);
        assert_eq!(spans[0].end, spans[1].start);
        // One inside another, as when a thread takes up other work while it waits.
        let recording = recorder.begin(10).expect("nobody records");
        watched(&|| {
            lap("decode");
            watched(&|| lap("table"));
            lap("multiply");
        });
        assert_eq!(names(&recorder, recording), ["table", "decode", "multiply"]);
        // One that has no steps is one.
        let recording = recorder.begin(10).expect("nobody records");
        watched(&|| {});
        assert_eq!(names(&recorder, recording), ["schnorr-bip340"]);
        // Pieces of a kernel's items count them once together.
        let recording = recorder.begin(10).expect("nobody records");
        watched(&|| {
            (0..2).for_each(|_| steps());
            lap("decode");
        });
        let (spans, ..) = recorder.end(recording);
        let items = |step| -> Vec<u32> {
            let of = spans.iter().filter(|span| span.stage == Stage::Kernel(step));
            of.map(|span| span.subject.items).collect()
        };
        assert_eq!((items("decode"), items("multiply")), (vec![3, 3, 3], vec![4, 5]));
        // A panic leaves nothing behind.
        let recording = recorder.begin(10).expect("nobody records");
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            watched(&|| {
                lap("decode");
                panic!("on purpose");
            });
        }));
        assert!(panicked.is_err());
        lap("multiply");
        watched(&|| lap("table"));
        assert_eq!(names(&recorder, recording), ["table"]);
    }
}

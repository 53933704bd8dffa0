//! Steps of a kernel on the CPU. A kernel names each step as it ends; whoever runs it may have them kept.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Instant;

use crate::observe::{Recorder, Stage, Subject};

thread_local! {
    /// Whether the kernel that runs on this thread is watched.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static LAPS: RefCell<Vec<(&'static str, Instant)>> = const { RefCell::new(Vec::new()) };
}

/// Steps that one run of a kernel keeps at most: pieces of 256 items take a few each.
const MOST: usize = 1 << 16;

/// Ends a step of the kernel that runs on this thread.
#[inline]
pub(crate) fn lap(step: &'static str) {
    if WATCHED.get() {
        end(step);
    }
}

#[cold]
#[inline(never)]
fn end(step: &'static str) {
    LAPS.with_borrow_mut(|laps| {
        if laps.len() < MOST {
            laps.push((step, Instant::now()));
        }
    });
}

/// Ends the watch, after a panic too; a kernel that this thread took up in the middle of another ends with nothing.
struct Watch {
    before: bool,
    from: usize,
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.set(self.before);
        LAPS.with_borrow_mut(|laps| laps.truncate(self.from));
    }
}

/// Runs a kernel on this thread, and keeps its steps while somebody records.
pub(crate) fn watched<T>(recorder: &Recorder, subject: Subject, kernel: impl FnOnce() -> T) -> T {
    if !recorder.is_on() {
        return kernel();
    }
    let from = LAPS.with_borrow(Vec::len);
    let watch = Watch { before: WATCHED.replace(true), from };
    let mut start = recorder.since_epoch(Instant::now());
    let result = kernel();
    LAPS.with_borrow(|laps| {
        let laps = &laps[watch.from.min(laps.len())..];
        if laps.is_empty() {
            // A hash is one step.
            let step = Stage::Kernel(subject.algorithm.name());
            recorder.keep(step, subject, start, recorder.since_epoch(Instant::now()));
        }
        // A kernel that cuts its items into pieces takes a step once for each: together they count all items.
        let mut pieces = BTreeMap::<&str, (u64, u64)>::new();
        laps.iter().for_each(|(step, _)| pieces.entry(step).or_default().0 += 1);
        for (step, end) in laps {
            let (all, done) = pieces.get_mut(step).expect("counted above");
            let until = |pieces: u64| (u64::from(subject.items) * pieces / *all) as u32;
            let subject = Subject { items: until(*done + 1) - until(*done), ..subject };
            *done += 1;
            let end = recorder.since_epoch(*end);
            recorder.keep(Stage::Kernel(step), subject, start, end);
            start = end;
        }
    });
    drop(watch);
    result
}

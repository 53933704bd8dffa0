//! Steps of a kernel on the CPU: a kernel names each step as it ends, and whoever runs it may have them timed.

use std::cell::{Cell, RefCell};
use std::time::Instant;

thread_local! {
    /// Whether the kernel that runs on this thread is timed.
    static TIMED: Cell<bool> = const { Cell::new(false) };
    static LAPS: RefCell<Vec<Lap>> = const { RefCell::new(Vec::new()) };
}

/// A step, and when it ended.
pub(crate) type Lap = (&'static str, Instant);

/// Steps that one run of a kernel keeps at most: pieces of 256 items take a few each.
const MOST: usize = 1 << 16;

/// Ends a step of the kernel that runs on this thread.
#[inline]
pub(crate) fn lap(step: &'static str) {
    if TIMED.get() {
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

/// Ends the timing, after a panic too; a kernel that this thread took up in the middle of another leaves nothing.
struct Timing {
    before: bool,
    from: usize,
}

impl Drop for Timing {
    fn drop(&mut self) {
        TIMED.set(self.before);
        LAPS.with_borrow_mut(|laps| laps.truncate(self.from));
    }
}

/// Runs a kernel on this thread, and hands over its steps in the order in which they ended.
pub(crate) fn timed<T>(kernel: impl FnOnce() -> T, take: impl FnOnce(&[Lap])) -> T {
    let from = LAPS.with_borrow(Vec::len);
    let timing = Timing { before: TIMED.replace(true), from };
    let result = kernel();
    LAPS.with_borrow(|laps| take(&laps[timing.from.min(laps.len())..]));
    result
}

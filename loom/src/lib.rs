//! Every interleaving of the threads that share a ticket's cell: the engine's own file, over loom's locks.
#![cfg(test)]

#[path = "../../src/dispatch/cell.rs"]
mod cell;

/// In place of the engine's module of that name.
mod sync {
    pub use loom::sync::{Condvar, Mutex, MutexGuard};
}

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;

use cell::Cell;

/// A cell, and a thread that resolves it.
fn resolving(value: u32) -> (Arc<Cell<u32>>, thread::JoinHandle<()>) {
    let cell = Arc::new(Cell::default());
    let theirs = cell.clone();
    let thread = thread::spawn(move || theirs.resolve(value));
    (cell, thread)
}

#[test]
fn who_waits_is_always_woken() {
    loom::model(|| {
        let (cell, thread) = resolving(7);
        assert_eq!(cell.wait(), 7);
        thread.join().expect("it resolves");
        assert!(!cell.is_resolved(), "a value is taken once");
    });
}

#[test]
fn who_polls_is_always_woken() {
    loom::model(|| {
        let (cell, thread) = resolving(7);
        assert_eq!(block_on(poll_fn(|context| cell.poll(context))), 7);
        thread.join().expect("it resolves");
    });
}

#[test]
fn what_is_resolved_stays_until_it_is_taken() {
    loom::model(|| {
        let (cell, thread) = resolving(7);
        if cell.is_resolved() {
            let poll = cell.poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(poll, Poll::Ready(7));
        } else {
            assert_eq!(cell.wait(), 7);
        }
        thread.join().expect("it resolves");
    });
}

/// Wakes so often.
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_task_that_moved_is_woken_where_it_is() {
    loom::model(|| {
        let (cell, thread) = resolving(7);
        let before = std::sync::Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(before.clone());
        if cell.poll(&mut Context::from_waker(&waker)).is_pending() {
            // Whoever polls last is woken, though another task polled before it.
            assert_eq!(block_on(poll_fn(|context| cell.poll(context))), 7);
        }
        thread.join().expect("it resolves");
        assert!(before.0.load(Ordering::Relaxed) <= 1);
    });
}

#[test]
fn a_cell_that_nobody_else_holds_serves_again() {
    loom::model(|| {
        let (mut cell, thread) = resolving(7);
        assert_eq!(cell.wait(), 7);
        // Who resolved it may be inside still: then it is not used again.
        if Arc::get_mut(&mut cell).is_some() {
            let theirs = cell.clone();
            let second = thread::spawn(move || theirs.resolve(8));
            assert_eq!(cell.wait(), 8);
            second.join().expect("it resolves");
        }
        thread.join().expect("it resolves");
    });
}

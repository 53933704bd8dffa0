//! Where one thread leaves a value and another finds it, by waiting or as a future.

use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

use super::sync::{Condvar, Mutex, MutexGuard};

/// A place for one value at a time, filled once and taken once.
#[derive(Debug)]
pub(crate) struct Cell<T> {
    content: Mutex<Content<T>>,
    arrived: Condvar,
}

#[derive(Debug)]
struct Content<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Cell { content: Mutex::new(Content { value: None, waker: None }), arrived: Condvar::new() }
    }
}

impl<T> Cell<T> {
    /// Leaves the value; called once for each that is taken.
    pub(crate) fn resolve(&self, value: T) {
        let mut content = self.lock();
        debug_assert!(content.value.is_none(), "a cell is resolved once");
        content.value = Some(value);
        let waker = content.waker.take();
        drop(content);
        self.arrived.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn is_resolved(&self) -> bool {
        self.lock().value.is_some()
    }

    /// Waits on this thread.
    pub(crate) fn wait(&self) -> T {
        let mut content = self.lock();
        loop {
            if let Some(value) = content.value.take() {
                return value;
            }
            content = self.arrived.wait(content).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<T> {
        let mut content = self.lock();
        if let Some(value) = content.value.take() {
            return Poll::Ready(value);
        }
        content.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Content<T>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

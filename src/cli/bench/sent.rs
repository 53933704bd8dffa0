//! When a batch is to be sent, and when its answers came: for loads that do not wait for answers.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use sigmill::{Answered, Ticket};

/// When answers came, as the thread that gives them noted it.
#[derive(Clone, Default)]
pub struct Stamp(Arc<Noted>);

#[derive(Default)]
struct Noted(OnceLock<Instant>);

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        let _ = self.0.set(Instant::now());
    }
}

impl Stamp {
    /// Has the time of a ticket's answers noted, and gives those that are there already.
    pub fn watch(ticket: &mut Ticket) -> (Stamp, Option<Answered>) {
        let stamp = Stamp::default();
        let waker = Waker::from(stamp.0.clone());
        match Pin::new(ticket).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answered) => {
                stamp.0.clone().wake();
                (stamp, Some(answered))
            }
            Poll::Pending => (stamp, None),
        }
    }

    /// When they came, if they have.
    pub fn at(&self) -> Option<Instant> {
        self.0.0.get().copied()
    }
}

/// A pause longer than this is slept, but for its end: a sleeper may wake so much late.
pub const SPIN: Duration = Duration::from_micros(150);

/// Waits on this thread, which spins at the end.
pub fn wait_until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    if left > SPIN {
        std::thread::sleep(left - SPIN);
    }
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}

//! What happened, as a running hash; on request as text too.

use std::fmt::{Debug, Write};

use sigmill::dispatch::{Action, Event, Nanos};

pub struct Trace {
    hash: u64,
    talks: bool,
}

struct Fold<'a>(&'a mut u64);

impl Write for Fold<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            *self.0 = (*self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}

impl Trace {
    pub fn new(talks: bool) -> Self {
        Trace { hash: 0xcbf2_9ce4_8422_2325, talks }
    }

    pub fn event(&mut self, now: Nanos, event: &Event) {
        self.hash ^= now;
        self.fold(event);
        if self.talks {
            println!("{:>12.6} {event:?}", now as f64 / 1e9);
        }
    }

    pub fn action(&mut self, action: &Action) {
        self.fold(action);
        if self.talks {
            println!("             -> {action:?}");
        }
    }

    fn fold(&mut self, what: &impl Debug) {
        write!(Fold(&mut self.hash), "{what:?}").expect("it takes all");
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }
}

//! Where time went, between two moments.

use std::sync::Arc;

use crate::dispatch::Nanos;
use crate::dispatch::mill::Mill;
use crate::observe::{self, Sample, Span};

/// Keeps where time goes while it lives.
#[must_use = "nothing is kept once this is dropped"]
pub struct Recording {
    mill: Arc<Mill>,
    number: u64,
    from: Nanos,
}

/// What was kept. Times are nanoseconds since the engine opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Stages, in the order in which they ended.
    pub spans: Vec<Span>,
    /// What the devices' counters said, in the order in which they were read.
    pub samples: Vec<Sample>,
    /// How many of both there was no room for.
    pub lost: u64,
    /// When the recording began.
    pub from: Nanos,
    /// When it ended.
    pub until: Nanos,
    /// Names of threads, by the number that [`Track::Thread`](observe::Track::Thread) has.
    pub threads: Vec<String>,
    /// Names of devices, by lane.
    pub devices: Vec<String>,
}

impl Recording {
    pub(super) fn begin(mill: &Arc<Mill>, limit: usize) -> Option<Self> {
        let number = mill.recorder.begin(limit)?;
        Some(Recording { mill: mill.clone(), number, from: mill.now() })
    }

    /// Ends it, and gives what was kept.
    pub fn end(self) -> Recorded {
        let mill = &self.mill;
        let (spans, samples, lost) = mill.recorder.end(self.number);
        let devices = mill.posts().iter().map(|post| post.name.to_string()).collect();
        let (from, until, threads) = (self.from, mill.now(), observe::threads());
        Recorded { spans, samples, lost, from, until, threads, devices }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.mill.recorder.end(self.number);
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("from", &self.from).finish_non_exhaustive()
    }
}

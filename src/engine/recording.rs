//! Where time went, between two moments.

use std::sync::Arc;

use crate::dispatch::Nanos;
use crate::dispatch::mill::Mill;
use crate::observe::{self, Sample, Span};

/// Keeps where time goes while it lives.
#[must_use = "nothing is kept once this is dropped"]
pub struct Recording {
    /// Until it is ended: what runs after that is another's.
    mill: Option<Arc<Mill>>,
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
        let begun = mill.recorder.begin(limit);
        begun.then(|| Recording { mill: Some(mill.clone()), from: mill.now() })
    }

    /// Ends it, and gives what was kept.
    pub fn end(mut self) -> Recorded {
        let mill = self.mill.take().expect("it is ended once");
        let (spans, samples, lost) = mill.recorder.end();
        let devices = mill.posts().iter().map(|post| post.name.to_string()).collect();
        let (from, until, threads) = (self.from, mill.now(), observe::threads());
        Recorded { spans, samples, lost, from, until, threads, devices }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some(mill) = &self.mill {
            mill.recorder.end();
        }
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("from", &self.from).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::observe::{Stage, Subject};
    use crate::{Algorithm, Engine};

    #[test]
    fn one_that_has_ended_ends_no_other() {
        let engine = Engine::builder().threads(1).open().expect("an engine");
        let subject =
            Subject { algorithm: Algorithm::Sha256, batch: 0, piece: 0, items: 1, bytes: 0 };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut ended = 0;
                    while ended < 2_000 {
                        let Some(recording) = engine.record(4) else { continue };
                        engine.mill.recorder.keep(Stage::Parse, subject, 0, 1);
                        assert_eq!(recording.end().spans.len(), 1);
                        ended += 1;
                    }
                });
            }
        });
    }
}

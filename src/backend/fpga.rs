//! A card with an FPGA, or its simulation: hashes and double multiplications on the card, evidence
//! back. What passes between the two is `fpga/README.md`.
//!
//! The host prepares and pads, writes jobs into the submission ring as long as there is room, and
//! reads completions, which come in any order. Nothing that the card says is believed before its
//! checks hold; whatever fails them is a fault of the card and of all batches on it.

#[cfg(unix)]
mod bar;
pub mod bitstream;
mod ceiling;
mod completion;
mod counters;
mod descriptor;
mod flight;
pub mod load;
pub mod manifest;
mod messages;
mod open;
mod registers;
mod ring;
mod signatures;
#[cfg(feature = "fpga-sim")]
mod sim;
mod transport;
mod turn;
mod watch;
mod ways;
#[cfg(unix)]
mod xdma;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod soft_card;
#[cfg(test)]
mod soft_cores;
#[cfg(test)]
mod testing;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::ThreadPool;

use crate::backend::{Backend, BatchId, Capability, Completion};
use crate::error::{Fault, Rejected};
use crate::isa::Isa;
use crate::observe::Observer;
use crate::parsed::Parsed;

pub use ceiling::ceiling;
pub use open::{Options, backend, device, device_later, find};
pub use registers::{ABI, Expected, Identity, IdentityError};
pub use transport::{Transport, TransportError};
pub use watch::Limit;
pub use ways::Card;

use completion::Completed;
use flight::{Encoded, Flight, Jobs};
use manifest::{Core, Hex};
use ring::{Completions, Submission};
use watch::Watch;

/// Batches that the backend takes before it rejects more.
const BATCHES: usize = 8;

struct Fpga {
    name: &'static str,
    /// Behind a cell for [`Backend::details`], which reads counters.
    transport: RefCell<Box<dyn Transport>>,
    identity: Identity,
    isa: Isa,
    /// Threads that prepare signatures.
    pool: ThreadPool,
    capabilities: Vec<Capability>,
    submission: Submission,
    completions: Completions,
    /// Batches not yet answered, oldest first.
    batches: VecDeque<Flight>,
    jobs: Jobs,
    /// What is encoded, and how many of its lines are submitted.
    encoded: Encoded,
    pushed: usize,
    completed: Vec<Completed>,
    watch: Watch,
    /// What the card failed with; it computes nothing more.
    failed: Option<Fault>,
    done: VecDeque<Completion>,
    /// When the last batch was finished.
    finished: Instant,
    /// Who is told of the counters, and when that last was.
    observer: Option<Observer>,
    sampled: Option<Instant>,
}

impl Backend for Fpga {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> String {
        let transport = self.transport.borrow().describe();
        format!("{transport}: {}", self.cores().join(", "))
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let identity = &self.identity;
        let mut details = vec![
            ("transport", self.transport.borrow().describe()),
            ("ABI", identity.abi_version.to_string()),
            ("source hash", Hex(&identity.source_hash).to_string()),
            (
                "rings",
                format!(
                    "{} lines down, {} lines up",
                    1 << identity.submission_log2,
                    1 << identity.completion_log2
                ),
            ),
        ];
        for core in Core::ALL.into_iter().filter(|core| core.is_in(identity.caps)) {
            details.push((core.name(), self.counters(core)));
        }
        details
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn width(&self) -> usize {
        if self.is_simulated() { 1 } else { WAVE }
    }

    fn setup(&self) -> Duration {
        SETUP
    }

    fn shares_host(&self) -> bool {
        self.is_simulated()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(if self.is_simulated() { 60 } else { 2 })
    }

    fn observe(&mut self, observer: Observer) {
        self.observer = Some(observer);
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        if self.batches.len() == BATCHES {
            return Err(Rejected);
        }
        if self.jobs.is_empty() {
            self.watch.restart(&**self.transport.get_mut());
        }
        self.batches.push_back(Flight::new(id, batch));
        let submitted = self.failed.clone().map_or_else(|| self.pump(), Err);
        if let Err(fault) = submitted {
            self.fail(fault);
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        if self.done.is_empty()
            && !self.batches.is_empty()
            && let Err(fault) = self.turn()
        {
            self.fail(fault);
        }
        self.done.pop_front()
    }

    fn wait(&mut self, until: Instant) {
        if self.batches.is_empty() || !self.done.is_empty() {
            return;
        }
        let limit = until.saturating_duration_since(Instant::now());
        if let Err(error) = self.transport.get_mut().wait_event(limit) {
            self.fail(error.into());
        }
    }
}

/// Items that a card computes in about the time of one: what its signature cores interleave.
const WAVE: usize = 32;

/// What a batch costs beside its jobs: two transfers and a few registers each way.
const SETUP: Duration = Duration::from_micros(20);

impl Fpga {
    fn is_simulated(&self) -> bool {
        self.transport.borrow().cycles().is_some()
    }

    fn cores(&self) -> Vec<&'static str> {
        let cores = Core::ALL.into_iter().filter(|core| core.is_in(self.identity.caps));
        cores.map(Core::name).collect()
    }
}

//! The seam between the dispatcher and whatever computes.
//!
//! `submit` and `poll` are the whole data path. One thread owns a backend.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::algorithm::Algorithm;
#[cfg(any(feature = "gpu", feature = "fpga"))]
use crate::error::EngineError;
use crate::error::{Fault, Rejected};
use crate::observe::Observer;
use crate::parsed::Parsed;
use crate::verdict::Evidence;

pub mod ceiling;
pub mod cpu;
pub mod device;
#[cfg(feature = "fpga")]
pub mod fpga;
#[cfg(feature = "gpu")]
pub mod gpu;
#[cfg(all(unix, feature = "isolate"))]
pub mod isolated;
pub(crate) mod known_answers;
pub mod null;

/// Names a batch in flight; the engine never uses one twice. What a device gets as a batch may be a piece of
/// what a caller submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchId(pub u64);

/// One algorithm that a backend serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The algorithm, with its rule.
    pub algorithm: Algorithm,
    /// Most live items of one batch.
    pub max_items: usize,
    /// The backend judges itself and may send [`Evidence::Verdicts`]. Only the host's CPU may.
    pub judges: bool,
}

/// A finished batch.
#[derive(Clone, Debug)]
pub struct Completion {
    /// Which batch.
    pub id: BatchId,
    /// What the device computed, or how it failed.
    pub result: Result<Evidence, Fault>,
    /// Time that the device worked on it, without queueing.
    pub busy: Duration,
}

/// Work that may run on the caller's own thread: fills the evidence for all live items.
pub type InlineKernel = Arc<dyn Fn(&Parsed, &mut Evidence) + Send + Sync>;

/// A device that this build knows of and cannot open, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// Its name, as `--backend` takes it.
    pub name: &'static str,
    /// Why it is absent.
    pub why: String,
}

/// The devices that this machine or this build does not have.
pub fn absent() -> Vec<Absent> {
    let mut absent = Vec::new();
    #[cfg(feature = "gpu")]
    for adapter in [gpu::Adapter::Hardware, gpu::Adapter::Software] {
        if let Err(EngineError::Absent { why, .. }) = gpu::find(adapter) {
            absent.push(Absent { name: adapter.name(), why });
        }
    }
    #[cfg(not(feature = "gpu"))]
    for name in ["gpu", "gpu=software"] {
        absent.push(Absent { name, why: "built without the feature `gpu`".to_owned() });
    }
    #[cfg(feature = "fpga")]
    {
        use fpga::Options;
        for (name, options) in [("fpga", Options::configured()), ("fpga=sim", Options::simulated())]
        {
            if let Err(EngineError::Absent { why, .. }) = options {
                absent.push(Absent { name, why });
            }
        }
    }
    #[cfg(not(feature = "fpga"))]
    for name in ["fpga", "fpga=sim"] {
        absent.push(Absent { name, why: "built without the feature `fpga`".to_owned() });
    }
    absent
}

/// Something that computes batches.
pub trait Backend: Send {
    /// The device's name, as reports print it.
    fn name(&self) -> &str;

    /// What it is, in words: model, level, driver.
    fn description(&self) -> String {
        self.name().to_owned()
    }

    /// More about it, by name: what decided how it computes, and what opening it took.
    fn details(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// What it serves.
    fn capabilities(&self) -> &[Capability];

    /// How many items it computes at once: the cost model's width.
    fn width(&self) -> usize {
        1
    }

    /// Time that any batch takes on it, however small, beside the hand-over to its thread.
    fn setup(&self) -> Duration {
        Duration::ZERO
    }

    /// Shortest silence after which the dispatcher may think it hung, however little it was given.
    fn patience(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Whether it computes on the host's own cores, as a driver or a model in software does: it gets work only where
    /// it takes less time than the host itself.
    fn shares_host(&self) -> bool {
        false
    }

    /// Whether it is the host's own CPU: no watchdog, wins ties, may judge itself.
    fn is_host(&self) -> bool {
        false
    }

    /// Who is told of the stages of a batch, for as long as [`Observer::is_on`]; called once, before any batch.
    fn observe(&mut self, _observer: Observer) {}

    /// Takes the sealed batch, or rejects it. May compute (CPU); never waits for a device.
    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected>;

    /// [`Backend::submit`] of a range of the batch's entries alone. A backend that reads the host's memory has no
    /// need of the copy that others get.
    fn submit_range(
        &mut self,
        id: BatchId,
        batch: Arc<Parsed>,
        entries: Range<usize>,
    ) -> Result<(), Rejected> {
        let memory = Parsed::blank(batch.algorithm());
        self.submit(id, Arc::new(batch.piece(entries, memory)))
    }

    /// The next finished batch, in any order. Never blocks.
    fn poll(&mut self) -> Option<Completion>;

    /// Gives the evidence of a completion back, for its memory.
    fn recycle(&mut self, _evidence: Evidence) {}

    /// Sleeps until something may have finished, or until the instant.
    fn wait(&mut self, until: Instant);

    /// The kernel for small batches on the caller's thread, if the backend is plain host code.
    fn inline_kernel(&self) -> Option<InlineKernel> {
        None
    }
}

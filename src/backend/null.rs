//! The backend that completes at once: it measures the dispatcher itself.
//!
//! It serves [`Algorithm::Null`] alone, so that it can never answer a real job.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::algorithm::Algorithm;
use crate::backend::device::Device;
use crate::backend::{Backend, BatchId, Capability, Completion, InlineKernel};
use crate::batch::BATCH_ITEMS_LIMIT;
use crate::error::{EngineError, Rejected};
use crate::parsed::Parsed;
use crate::verdict::Evidence;

const CAPABILITIES: [Capability; 1] =
    [Capability { algorithm: Algorithm::Null, max_items: BATCH_ITEMS_LIMIT, judges: false }];

/// A device that does nothing. `inline`: it may do so on the caller's thread too.
///
/// # Errors
/// None that a machine can bring about; the type is that of every device.
pub fn device(inline: bool) -> Result<Device, EngineError> {
    Device::admit(move || Ok(Box::new(Null { inline, done: VecDeque::new() })))
}

struct Null {
    inline: bool,
    done: VecDeque<BatchId>,
}

impl Backend for Null {
    fn name(&self) -> &str {
        "null"
    }

    fn description(&self) -> String {
        "completes at once: measures the dispatcher".to_owned()
    }

    fn capabilities(&self) -> &[Capability] {
        &CAPABILITIES
    }

    fn submit(&mut self, id: BatchId, _batch: Arc<Parsed>) -> Result<(), Rejected> {
        self.done.push_back(id);
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        let id = self.done.pop_front()?;
        Some(Completion { id, result: Ok(Evidence::Nothing), busy: Duration::ZERO })
    }

    fn wait(&mut self, _until: Instant) {}

    fn inline_kernel(&self) -> Option<InlineKernel> {
        self.inline.then(|| Arc::new(|_: &Parsed, _: &mut Evidence| {}) as InlineKernel)
    }
}

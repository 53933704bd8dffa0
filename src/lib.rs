//! Sigmill is a mill for signatures and hashes: batches in, verdicts out.
pub mod algorithm;
pub mod algorithms;
pub mod backend;
pub mod batch;
#[cfg(feature = "chain")]
pub mod chain;
pub mod dispatch;
pub mod engine;
pub mod error;
pub mod isa;
pub mod parsed;
pub mod verdict;

pub use algorithm::{Algorithm, EcdsaRule, RecoverRule};
pub use backend::device::Device;
pub use batch::{Batch, Job, OpenBatch};
pub use engine::{Answered, Class, Engine, Terms, Ticket};
pub use verdict::{Answers, Outcome, Reason, Verdict};

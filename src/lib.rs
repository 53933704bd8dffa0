//! Sigmill is a mill for signatures and hashes: a validator pours batches in, each batch runs on
//! the device that finishes it first, verdicts come out, and no verdict depends on which device
//! ran.
//!
//! ```text
//! caller            dispatch                                         device thread
//!  Batch --submit--> parse --> Router.route --> Lane.queue ---------> Backend.submit
//!    ^                 ^                                                   |
//!    |                 +-------- Rejected / Fault: route again -----------+
//!  Ticket <-- judge <------------- Completion(evidence) ------------- Backend.poll
//!                       CostModel <---- observed times ----+
//! ```
//!
//! # Vocabulary
//! An [`Algorithm`] carries its rule: which signatures count as valid. A [`Job`] is one question, a
//! [`Batch`] many of one algorithm, sealed. [`Engine::submit`] takes a batch under [`Terms`] and
//! gives a [`Ticket`]; its answers are [`Outcome`]s, and those of verification are [`Verdict`]s. A
//! [`Device`] is a [`Backend`](backend::Backend) that passed its known-answer tests; a lane is its
//! queue and health; evidence is what it computed, and the judge decides.
//!
//! How far a device is trusted is a [`Trust`] level, of the engine or of a submission; what it returns is examined
//! accordingly ([`dispatch::examine`]), and the first wrong answer takes it out of service.
//!
//! # Invariants
//! 1. A verdict depends on the job and its rule alone: not on companions, position, batch size,
//!    backend, thread or retry.
//! 2. A fault never becomes a verdict; "no answer" never reads as `Invalid`, nor as `Valid`.
//! 3. Every admitted item is answered exactly once, by its deadline; the portable CPU is the last
//!    resort.
//! 4. `submitted = valid + invalid + computed + errors + in flight` at every instant, and
//!    [`Engine::snapshot`] shows it.
//! 5. Memory is bounded after start: what is in flight has limits, and full refuses.
//! 6. No secret ever enters: no signing, no private keys. All data is public, so everything is
//!    variable time.
//!
//! # Example
//! ```
//! use sigmill::{Algorithm, Batch, EcdsaRule, Engine, Job, Outcome, Reason, Terms, Verdict};
//!
//! let engine = Engine::builder().threads(1).open()?;
//! let mut batch = Batch::open(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact));
//! batch.push(Job::Ecdsa { message: &[1; 32], signature: &[0; 64], key: &[2; 33] })?;
//! let answered = engine.submit(batch.seal(), Terms::default())?.wait();
//! let invalid = Verdict::Invalid(Reason::Range); // r and s are zero
//! assert_eq!(answered.answers().get(0), Some(Outcome::Verdict(invalid)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod algorithm;
pub mod algorithms;
pub mod backend;
pub mod batch;
mod cache;
#[cfg(feature = "chain")]
pub mod chain;
pub mod dispatch;
pub mod engine;
pub mod error;
pub mod isa;
mod laps;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(all(unix, feature = "monitor"))]
pub mod monitor;
pub mod observe;
pub mod parsed;
pub mod pinned;
pub mod referee;
pub mod trust;
pub mod verdict;

pub use algorithm::{Algorithm, EcdsaRule, RecoverRule};
pub use backend::device::Device;
pub use batch::{Batch, Form, Job, OpenBatch};
pub use dispatch::sources::Source;
pub use engine::{Answered, Class, Engine, Limits, Terms, Ticket};
pub use pinned::PinnedKeys;
pub use trust::Trust;
pub use verdict::{Answers, Outcome, Reason, Verdict};

/// The README's example is compiled and run with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// So is the book's.
#[cfg(doctest)]
#[doc = include_str!("../docs/book/backend.md")]
pub struct AddingABackend;

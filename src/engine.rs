//! The engine: open devices, submit, shut down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::algorithm::Algorithm;
use crate::batch::{Batch, Shape};
use crate::dispatch::Event;
use crate::dispatch::mill::{Input, Mill};
use crate::dispatch::router::{Choice, Route};
use crate::dispatch::worker::Command;
use crate::error::{Busy, PinError};
use crate::parsed::Parsed;
use crate::pinned::{Budget, PinnedKeys};
use crate::trust::Trust;

mod builder;
mod recording;
mod snapshot;

pub use builder::EngineBuilder;
pub use recording::{Recorded, Recording};
pub use snapshot::{DeviceSnapshot, Snapshot};

pub use crate::backend::device::DeviceInfo;
pub use crate::dispatch::batcher::{Batcher, JobAnswer, JobTicket};
pub use crate::dispatch::lane::Health;
pub use crate::dispatch::sources::Source;
pub use crate::dispatch::ticket::{Answered, Ticket};
pub use crate::dispatch::{Class, Limits};

/// What a submission asks for besides its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub(crate) class: Class,
    pub(crate) deadline: Duration,
    pub(crate) source: Option<Source>,
    pub(crate) trust: Option<Trust>,
    pub(crate) inline: Duration,
}

/// Longest that a batch keeps its caller's thread by default: a hand-over is a tenth of it, or so.
const INLINE: Duration = Duration::from_micros(200);

impl Default for Terms {
    /// Class `Mempool`, answered within ten minutes, of no source, at the engine's level of trust.
    fn default() -> Self {
        let deadline = Duration::from_secs(600);
        let class = Class::default();
        Terms { class, deadline, source: None, trust: None, inline: INLINE }
    }
}

impl Terms {
    /// Sets the class.
    pub fn class(self, class: Class) -> Self {
        Terms { class, ..self }
    }

    /// Sets how long after its submission every job of the batch has its answer: a job without one
    /// then gets [`ItemError::Deadline`](crate::error::ItemError::Deadline).
    pub fn deadline(self, deadline: Duration) -> Self {
        Terms { deadline, ..self }
    }

    /// Names who sent the jobs: what one source holds is bounded, and its bad jobs cost others little.
    pub fn source(self, source: Source) -> Self {
        Terms { source: Some(source), ..self }
    }

    /// Sets the least trust of each verdict, for this batch in place of the engine's.
    pub fn trust(self, trust: Trust) -> Self {
        Terms { trust: Some(trust), ..self }
    }

    /// Sets how long the batch may be computed on the caller's own thread, where it ends first: 200 us
    /// unless set. Zero is right for threads that must not be kept, more for those that wait for the
    /// answers anyway.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use sigmill::{Algorithm, Batch, Engine, Job, Terms};
    ///
    /// let engine = Engine::builder().threads(1).open()?;
    /// for (longest, here) in [(Duration::ZERO, 0), (Duration::MAX, 1)] {
    ///     let mut batch = Batch::open(Algorithm::Sha256);
    ///     batch.push(Job::Hash { message: b"abc" })?;
    ///     engine.submit(batch.seal(), Terms::default().inline(longest))?.wait();
    ///     assert_eq!(engine.snapshot().devices[0].inline_items, here);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inline(self, longest: Duration) -> Self {
        Terms { inline: longest, ..self }
    }
}

/// Why a shape goes where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub route: Route,
    /// What it was taken from: for each device that serves the shape its name and predicted times.
    pub choices: Vec<(String, Choice)>,
}

/// An open engine. It takes batches from any thread.
///
/// Dropping it answers what is still in flight with
/// [`ItemError::Shutdown`](crate::error::ItemError::Shutdown); [`Engine::shut_down`] waits first.
///
/// ```
/// use sigmill::{Algorithm, Batch, Engine, Job, Outcome, Terms};
///
/// let engine = Engine::builder().threads(1).open()?;
/// let mut batch = Batch::open(Algorithm::Sha256);
/// batch.push(Job::Hash { message: b"abc" })?;
/// let answered = engine.submit(batch.seal(), Terms::default())?.wait();
/// let Some(Outcome::Digest(digest)) = answered.answers().get(0) else { panic!("no digest") };
/// assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Engine {
    mill: Arc<Mill>,
    stopped: Arc<AtomicBool>,
    budget: Arc<Budget>,
    lanes: Vec<JoinHandle<()>>,
}

/// Longest that a dropped engine waits for its lanes to let go of their devices.
const PARTING: Duration = Duration::from_secs(2);

impl Engine {
    /// Starts to describe an engine.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    /// Hands a batch over. A batch small enough is answered before this returns, on this thread.
    ///
    /// # Errors
    /// [`Busy`] at once, with the batch, when the engine is full or closing.
    #[expect(clippy::result_large_err, reason = "a refused batch comes back as it went in")]
    pub fn submit(&self, batch: Batch, terms: Terms) -> Result<Ticket, Busy> {
        self.mill.submit(Input::Raw(batch), &terms).map_err(|(input, why)| match input {
            Input::Raw(batch) => Busy { batch, why },
            Input::Parsed(_) => unreachable!("the input comes back as it went in"),
        })
    }

    /// Hands over a batch whose encodings were checked before, which the caller keeps a share of.
    ///
    /// # Errors
    /// [`Busy`] at once, with the batch, when the engine is full or closing.
    pub fn submit_parsed(
        &self,
        batch: Arc<Parsed>,
        terms: Terms,
    ) -> Result<Ticket, Busy<Arc<Parsed>>> {
        self.mill.submit(Input::Parsed(batch), &terms).map_err(|(input, why)| match input {
            Input::Parsed(batch) => Busy { batch, why },
            Input::Raw(_) => unreachable!("the input comes back as it went in"),
        })
    }

    /// Makes tables of keys known ahead, for batches of [`Form::Pinned`](crate::Form), on the
    /// engine's threads: [`PinnedKeys::KEY_BYTES`] of memory a key, from the budget that
    /// [`EngineBuilder::pinned_bytes`] sets. The first call of a process makes a table of the generator
    /// besides, which all engines share and which stays.
    ///
    /// A batch may be given to any engine, whichever pinned its keys.
    ///
    /// ```
    /// use sigmill::{Algorithm, Batch, EcdsaRule, Engine, Job, Terms};
    ///
    /// let engine = Engine::builder().threads(1).open()?;
    /// // The generator of the group is a public key, if a poor one.
    /// let mut key = [0; 33];
    /// key[0] = 2;
    /// key[1..17].copy_from_slice(&0x79be667e_f9dcbbac_55a06295_ce870b07_u128.to_be_bytes());
    /// key[17..].copy_from_slice(&0x029bfcdb_2dce28d9_59f2815b_16f81798_u128.to_be_bytes());
    /// let keys = engine.pin(&[key])?;
    /// assert_eq!(keys.bytes(), sigmill::PinnedKeys::KEY_BYTES);
    ///
    /// let mut batch = Batch::open_pinned(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact), &keys)?;
    /// batch.push(Job::EcdsaPinned { message: &[1; 32], signature: &[1; 64], key: 0 })?;
    /// let answered = engine.submit(batch.seal(), Terms::default())?.wait();
    /// assert!(!answered.answers().all_well());
    /// engine.unpin(keys);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PinError`]: the first key that is none, or a budget that does not hold the tables.
    pub fn pin(&self, keys: &[impl AsRef<[u8]> + Sync]) -> Result<PinnedKeys, PinError> {
        self.mill.install(|isa| PinnedKeys::new(isa, keys, &self.budget))
    }

    /// Gives the keys up. Their tables go when the last clone of the handle is gone, and every batch
    /// opened over them holds one: batches in flight are answered as they would have been.
    pub fn unpin(&self, keys: PinnedKeys) {
        drop(keys);
    }

    /// Checks all encodings of a batch, for [`Engine::submit_parsed`].
    pub fn parse(&self, batch: Batch) -> Arc<Parsed> {
        self.mill.parse(batch)
    }

    /// Computes a batch on the calling thread, outside the engine's limits and counts: for callers
    /// that need a verdict when the engine is [`Busy`] or a device failed them.
    pub fn compute_here(&self, batch: Batch) -> Answered {
        self.mill.compute_here(batch)
    }

    /// Collects single jobs of one algorithm into batches.
    pub fn batcher(self: &Arc<Self>, algorithm: Algorithm, terms: Terms) -> Batcher {
        Batcher::new(self.clone(), algorithm, terms)
    }

    /// The devices, as they were opened last.
    pub fn devices(&self) -> Vec<DeviceInfo> {
        self.mill.posts().iter().map(|post| post.info()).collect()
    }

    /// The counts of this instant.
    pub fn snapshot(&self) -> Snapshot {
        snapshot::take(&self.mill)
    }

    /// Begins to keep where time goes, until the result is ended or dropped: at most `limit` spans, whose memory is
    /// taken now, 80 bytes each, and as many samples of devices' counters, whose memory is taken as they come. One recording runs at a time; `None` while another does.
    ///
    /// ```
    /// use sigmill::observe::Stage;
    /// use sigmill::{Algorithm, Batch, Engine, Job, Terms};
    ///
    /// let engine = Engine::builder().threads(1).open()?;
    /// let recording = engine.record(1_000).expect("the only one");
    /// let mut batch = Batch::open(Algorithm::Sha256);
    /// batch.push(Job::Hash { message: b"abc" })?;
    /// engine.submit(batch.seal(), Terms::default())?.wait();
    /// let recorded = recording.end();
    /// assert!(recorded.spans.iter().any(|span| span.stage == Stage::Device));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn record(&self, limit: usize) -> Option<Recording> {
        Recording::begin(&self.mill, limit)
    }

    /// Where a batch of this shape would go now, and why.
    pub fn explain(&self, shape: Shape) -> Explanation {
        self.mill.look(|dispatcher| {
            let named = |choice: Choice| (self.mill.posts()[choice.lane].name.to_string(), choice);
            let trust = self.mill.policy().trust_in(shape.algorithm, Class::default());
            let choices = dispatcher.choices(shape, trust).into_iter().map(named).collect();
            Explanation { route: dispatcher.route(shape, trust, INLINE.as_nanos() as u64), choices }
        })
    }

    /// Takes no more batches, waits until those in flight are answered or `patience` ends, and
    /// closes. Says whether all were answered; the others get
    /// [`ItemError::Shutdown`](crate::error::ItemError::Shutdown).
    pub fn shut_down(self, patience: Duration) -> bool {
        self.mill.step(Event::Close);
        self.mill.drain(patience)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.mill.remember();
        self.mill.step(Event::Abort);
        self.stopped.store(true, Ordering::Release);
        self.mill.nudge();
        for post in self.mill.posts() {
            // A full channel belongs to a thread that hangs in its device: it is left behind.
            let _ = post.commands.try_send(Command::Stop);
        }
        let until = Instant::now() + PARTING;
        for (lane, thread) in self.lanes.iter().enumerate() {
            // Nor is one waited for that is still opening its device.
            let opening =
                || self.mill.look(|dispatcher| dispatcher.lanes()[lane].health().is_opening());
            while !thread.is_finished() && !opening() && Instant::now() < until {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("devices", &self.devices()).finish_non_exhaustive()
    }
}

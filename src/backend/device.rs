//! A device: a backend that passed its known-answer tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::algorithm::Algorithm;
use crate::backend::{Backend, BatchId, Capability, Completion, InlineKernel, known_answers};
use crate::batch::Batch;
use crate::dispatch::lane::LaneConfig;
use crate::dispatch::{Nanos, judge};
use crate::error::{EngineError, Fault, Rejected};
use crate::parsed::Parsed;
use crate::verdict::Answers;

/// Opens a backend; called again when the device was lost.
pub type Factory = Box<dyn Fn() -> Result<Box<dyn Backend>, EngineError> + Send>;

/// A backend that passed its known-answer tests. Only [`Device::admit`] makes one.
pub struct Device {
    name: Arc<str>,
    backend: Box<dyn Backend>,
    factory: Factory,
    known_answers: usize,
}

/// Threads at work in a driver for no engine yet, or no longer: opening a device, letting one go.
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// One of those threads, for as long as this lives.
pub(crate) struct Busy(());

impl Busy {
    pub(crate) fn new() -> Self {
        BUSY.fetch_add(1, Ordering::Relaxed);
        Busy(())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits until no device is being opened or let go, and says whether that came about. A process that
/// ends while a driver is at work may crash in the driver's exit handlers: this is for its last line.
pub fn settle(patience: Duration) -> bool {
    let until = Instant::now() + patience;
    while BUSY.load(Ordering::Relaxed) > 0 {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

/// Threads beside an accelerator's own, as many as one that is fast needs for the host's part, where the
/// machine has the cores.
#[cfg(any(feature = "gpu", feature = "fpga"))]
pub(crate) fn host_threads(work: &'static str) -> Result<rayon::ThreadPool, EngineError> {
    const MOST: usize = 4;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    rayon::ThreadPoolBuilder::new()
        .num_threads(cores.min(MOST))
        .thread_name(move |index| format!("sigmill-{work}-{index}"))
        .build()
        .map_err(|error| EngineError::Threads(error.to_string()))
}

/// Longest that one known-answer batch may take: first use may compile.
const PATIENCE: Duration = Duration::from_secs(60);

impl Device {
    /// Opens a backend and tests it on every algorithm that it claims to serve.
    ///
    /// # Errors
    /// What the factory says, or [`EngineError::SelfTest`] at the first wrong answer.
    pub fn admit(
        factory: impl Fn() -> Result<Box<dyn Backend>, EngineError> + Send + 'static,
    ) -> Result<Device, EngineError> {
        let (backend, known_answers) = open(&factory)?;
        let name = Arc::from(backend.name());
        Ok(Device { name, backend, factory: Box::new(factory), known_answers })
    }

    /// A device that is opened and tested on its own thread, while the engine serves without it. Where
    /// that fails, it is tried again after a pause, as for a device that was lost.
    pub fn later(
        name: &'static str,
        factory: impl Fn() -> Result<Box<dyn Backend>, EngineError> + Send + 'static,
    ) -> Device {
        let name: Arc<str> = Arc::from(name);
        let backend = Box::new(Unopened(name.clone()));
        Device { name, backend, factory: Box::new(factory), known_answers: 0 }
    }

    /// Whether it was opened.
    pub(crate) fn is_open(&self) -> bool {
        self.known_answers > 0
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in words.
    pub fn description(&self) -> String {
        self.backend.description()
    }

    /// More about it, by name.
    pub fn details(&self) -> Vec<(&'static str, String)> {
        self.backend.details()
    }

    /// What it serves.
    pub fn capabilities(&self) -> &[Capability] {
        self.backend.capabilities()
    }

    /// What it is, to be told.
    pub(crate) fn info(&self) -> DeviceInfo {
        DeviceInfo {
            name: self.name().to_owned(),
            description: self.description(),
            details: self.details(),
            capabilities: self.capabilities().to_vec(),
            known_answers: self.known_answers(),
        }
    }

    /// How many known answers it gave right when it was admitted.
    pub fn known_answers(&self) -> usize {
        self.known_answers
    }

    /// What the dispatcher has to know of it.
    pub(crate) fn config(&self) -> LaneConfig {
        LaneConfig {
            capabilities: self.capabilities().to_vec(),
            width: self.backend.width(),
            setup: self.backend.setup().as_nanos() as Nanos,
            patience: self.backend.patience().as_nanos() as Nanos,
            inline: self.backend.inline_kernel().is_some(),
            host: self.backend.is_host(),
            shared: self.backend.shares_host(),
        }
    }

    pub(crate) fn inline_kernel(&self) -> Option<InlineKernel> {
        self.backend.inline_kernel()
    }

    pub(crate) fn backend(&mut self) -> &mut dyn Backend {
        &mut *self.backend
    }

    /// Whether it is the host's own CPU.
    pub(crate) fn is_host(&self) -> bool {
        self.backend.is_host()
    }

    /// Whether its evidence for `algorithm` may be verdicts.
    pub(crate) fn judges(&self, algorithm: Algorithm) -> bool {
        judges(&*self.backend, algorithm)
    }

    /// Opens the backend anew and tests it like a new one.
    pub(crate) fn reopen(&mut self) -> Result<(), EngineError> {
        let unopened = Box::new(Unopened(self.name.clone()));
        let old = std::mem::replace(&mut self.backend, unopened);
        // A driver that hangs may never let go of its device: no one waits for it.
        let dropped = std::thread::Builder::new().name("sigmill-drop".to_owned());
        dropped
            .spawn(move || drop(old))
            .map_err(|error| EngineError::Threads(error.to_string()))?;
        let _busy = Busy::new();
        (self.backend, self.known_answers) = open(&self.factory)?;
        Ok(())
    }
}

/// A device as it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub description: String,
    /// More about it, by name: what decided how it computes, and what opening it took.
    pub details: Vec<(&'static str, String)>,
    /// What it serves.
    pub capabilities: Vec<Capability>,
    /// How many known answers it gave right.
    pub known_answers: usize,
}

/// Stands in for a backend that is not open yet.
struct Unopened(Arc<str>);

impl Backend for Unopened {
    fn name(&self) -> &str {
        &self.0
    }

    fn description(&self) -> String {
        "is being opened".to_owned()
    }

    fn capabilities(&self) -> &[Capability] {
        &[]
    }

    fn submit(&mut self, _: BatchId, _: Arc<Parsed>) -> Result<(), Rejected> {
        Err(Rejected)
    }

    fn poll(&mut self) -> Option<Completion> {
        None
    }

    fn wait(&mut self, _: Instant) {}
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("name", &self.name()).finish_non_exhaustive()
    }
}

fn judges(backend: &dyn Backend, algorithm: Algorithm) -> bool {
    let mut capabilities = backend.capabilities().iter();
    capabilities.any(|capability| capability.algorithm == algorithm && capability.judges)
}

fn open(
    factory: &dyn Fn() -> Result<Box<dyn Backend>, EngineError>,
) -> Result<(Box<dyn Backend>, usize), EngineError> {
    let mut backend = factory()?;
    let mut answered = 0;
    let mut serial = 0;
    for capability in backend.capabilities().to_vec() {
        let algorithm = capability.algorithm;
        let mut run = |batch: Batch| {
            serial += 1;
            run_alone(&mut *backend, BatchId(serial), batch)
        };
        answered += known_answers::check(algorithm, &mut run).map_err(|why| {
            EngineError::SelfTest { device: backend.name().to_owned(), algorithm, why }
        })?;
    }
    Ok((backend, answered))
}

/// Runs one batch with nothing else in flight, and judges it.
fn run_alone(backend: &mut dyn Backend, id: BatchId, batch: Batch) -> Result<Answers, Fault> {
    let algorithm = batch.algorithm();
    let judging = judges(backend, algorithm);
    let parsed = Arc::new(Parsed::parse(batch));
    backend.submit(id, parsed.clone()).map_err(|full| Fault::Device(full.to_string()))?;
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(completion) = backend.poll() {
            if completion.id != id {
                return Err(Fault::Stale);
            }
            let mut answers = Answers::new(algorithm);
            let evidence = completion.result?;
            judge::judge_all(&parsed, judging, None, &evidence, &mut answers)?;
            return Ok(answers);
        }
        if Instant::now() >= until {
            return Err(Fault::Timeout);
        }
        backend.wait(until.min(Instant::now() + Duration::from_millis(10)));
    }
}

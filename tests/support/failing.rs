//! A correct device that fails on request, and one that keeps its answers until it is told to give them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sigmill::backend::{Backend, BatchId, Capability, Completion};
use sigmill::error::Rejected;
use sigmill::isa::Isa;
use sigmill::parsed::Parsed;
use sigmill::verdict::Evidence;
use sigmill::{Device, Ticket};

use super::EvidenceBackend;

/// What becomes of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer ever.
    Hang,
    /// Wrong values.
    Lie,
    Panic,
    /// One entry too few.
    Short,
    /// The evidence of the batch before.
    Stale,
    /// Later than others.
    Slow,
}

impl Failure {
    pub const ALL: [Failure; 6] = [
        Failure::Hang,
        Failure::Lie,
        Failure::Panic,
        Failure::Short,
        Failure::Stale,
        Failure::Slow,
    ];
}

/// The other end of a [`Failing`].
#[derive(Debug, Default)]
pub struct Control {
    next: Mutex<Option<Failure>>,
    holds: AtomicBool,
}

impl Control {
    /// Fails the next batch.
    pub fn fail(&self, failure: Failure) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    /// Whether the device keeps its answers.
    pub fn hold(&self, holds: bool) {
        self.holds.store(holds, Ordering::SeqCst);
    }

    fn take(&self) -> Option<Failure> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

pub struct Failing {
    inner: EvidenceBackend,
    control: Arc<Control>,
    patience: Duration,
    before: Option<Evidence>,
}

/// Such a device.
pub fn device(patience: Duration) -> (Device, Arc<Control>) {
    let control = Arc::new(Control::default());
    let theirs = control.clone();
    let open = move || -> Result<Box<dyn Backend>, _> {
        // What was asked for of the one before is not for its known answers.
        theirs.take();
        let isa = Isa::all().last().copied();
        let (inner, control) = (EvidenceBackend { isa, ..Default::default() }, theirs.clone());
        Ok(Box::new(Failing { inner, control, patience, before: None }))
    };
    (Device::admit(open).expect("it is correct"), control)
}

fn turn(evidence: &mut Evidence) {
    match evidence {
        Evidence::Points(all) => all.iter_mut().for_each(|point| point.x[0] ^= 1),
        Evidence::Keys(all) => all.iter_mut().for_each(|key| key[7] ^= 1),
        Evidence::Digests(all) => all.iter_mut().for_each(|digest| digest[7] ^= 1),
        _ => {}
    }
}

fn shorten(evidence: &mut Evidence) {
    match evidence {
        Evidence::Points(all) => drop(all.pop()),
        Evidence::Keys(all) => drop(all.pop()),
        Evidence::Digests(all) => drop(all.pop()),
        _ => {}
    }
}

impl Backend for Failing {
    fn name(&self) -> &str {
        "failing"
    }

    fn capabilities(&self) -> &[Capability] {
        self.inner.capabilities()
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        let failure = self.control.take();
        match failure {
            Some(Failure::Hang) => return Ok(()),
            Some(Failure::Panic) => panic!("as requested"),
            Some(Failure::Slow) => std::thread::sleep(self.patience / 2),
            _ => {}
        }
        self.inner.submit(id, batch)?;
        let Some(Completion { result: Ok(evidence), .. }) = self.inner.done.back_mut() else {
            return Ok(());
        };
        match failure {
            Some(Failure::Lie) => turn(evidence),
            Some(Failure::Short) => shorten(evidence),
            Some(Failure::Stale) => *evidence = self.before.clone().unwrap_or(Evidence::Nothing),
            _ => self.before = Some(evidence.clone()),
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        if self.control.holds.load(Ordering::SeqCst) {
            return None;
        }
        self.inner.poll()
    }

    fn wait(&mut self, until: Instant) {
        self.inner.wait(until);
    }
}

/// Waits for the answers, and takes a minute without any for a loss.
pub fn must_come(ticket: Ticket) -> sigmill::Answered {
    let until = Instant::now() + Duration::from_secs(60);
    while !ticket.is_ready() {
        assert!(Instant::now() < until, "a batch was lost");
        std::thread::sleep(Duration::from_micros(200));
    }
    ticket.wait()
}

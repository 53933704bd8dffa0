//! The thread that owns a device: hands batches over, collects completions, has them judged.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::backend::device::Device;
use crate::backend::{BatchId, Completion};
use crate::dispatch::mill::Mill;
use crate::dispatch::{Event, Place};
use crate::error::Fault;
use crate::parsed::Parsed;

/// What a lane's thread is told.
pub(crate) enum Command {
    /// Compute this batch.
    Run(BatchId, Arc<Parsed>),
    /// Open the backend anew and test it.
    Readmit,
    /// End.
    Stop,
}

/// Longest sleep inside a device while commands may arrive.
const NAP: Duration = Duration::from_millis(1);

/// Runs a lane until it is told to stop or the engine is gone.
pub(crate) fn run(lane: usize, mut device: Device, commands: Receiver<Command>, weak: Weak<Mill>) {
    let mut flying: HashMap<BatchId, Arc<Parsed>> = HashMap::new();
    loop {
        let command = if flying.is_empty() {
            commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            commands.recv_timeout(Duration::ZERO)
        };
        let Some(mill) = weak.upgrade() else { return };
        match command {
            Ok(Command::Run(id, parsed)) => {
                submit(lane, &mut device, &mut flying, id, parsed, &mill)
            }
            Ok(Command::Readmit) => {
                flying.clear();
                // Opening takes its time, for which a closing engine does not wait.
                drop(mill);
                reopen(lane, &mut device, &weak);
                continue;
            }
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let backend = device.backend();
                if catch_unwind(AssertUnwindSafe(|| backend.wait(Instant::now() + NAP))).is_err() {
                    fail_all(lane, &mut flying, Fault::Panicked, &mill);
                }
            }
        }
        collect(lane, &mut device, &mut flying, &mill);
    }
}

/// Opens the device anew and says whether it passed its known-answer tests.
fn reopen(lane: usize, device: &mut Device, mill: &Weak<Mill>) {
    let opened = catch_unwind(AssertUnwindSafe(|| device.reopen().map_err(|why| why.to_string())));
    let opened = opened.unwrap_or_else(|_| Err(Fault::Panicked.to_string()));
    let Some(mill) = mill.upgrade() else { return };
    if let Err(why) = &opened {
        eprintln!("sigmill: device {} stays out of service: {why}", device.name());
    }
    let passed = opened.is_ok().then(|| device.config());
    mill.step(Event::Readmitted { lane, passed });
}

fn submit(
    lane: usize,
    device: &mut Device,
    flying: &mut HashMap<BatchId, Arc<Parsed>>,
    id: BatchId,
    parsed: Arc<Parsed>,
    mill: &Arc<Mill>,
) {
    if !mill.is_at(id, lane) {
        // It was routed elsewhere while it stood in the queue.
        return;
    }
    let backend = device.backend();
    match catch_unwind(AssertUnwindSafe(|| backend.submit(id, parsed.clone()))) {
        Ok(Ok(())) => {
            flying.insert(id, parsed);
        }
        Ok(Err(_rejected)) => mill.step(Event::Rejected { id, lane }),
        Err(_panic) => {
            let place = Place::Lane(lane);
            mill.step(Event::Failed { id, place, fault: Fault::Panicked });
        }
    }
}

fn collect(
    lane: usize,
    device: &mut Device,
    flying: &mut HashMap<BatchId, Arc<Parsed>>,
    mill: &Arc<Mill>,
) {
    loop {
        let backend = device.backend();
        let completion = match catch_unwind(AssertUnwindSafe(|| backend.poll())) {
            Ok(Some(completion)) => completion,
            Ok(None) => return,
            Err(_panic) => return fail_all(lane, flying, Fault::Panicked, mill),
        };
        let Completion { id, result, busy } = completion;
        let Some(parsed) = flying.remove(&id) else {
            // Some other batch's answers may be what this one's were meant to be.
            return fail_all(lane, flying, Fault::Stale, mill);
        };
        let judges = device.judges(parsed.algorithm());
        let mut answers = mill.spares.take_answers(parsed.algorithm());
        let place = Place::Lane(lane);
        let judged = result.and_then(|evidence| {
            let tally = mill.judge(&parsed, judges, &evidence, &mut answers);
            mill.spares.put_evidence(evidence);
            tally
        });
        drop(parsed);
        match judged {
            Ok(tally) => {
                let busy = busy.as_nanos() as u64;
                mill.finish(Event::Finished { id, place, busy, tally }, id, answers);
            }
            Err(fault) => {
                mill.spares.put_answers(answers);
                mill.step(Event::Failed { id, place, fault });
            }
        }
    }
}

/// The device as a whole failed: everything that it holds is routed again.
fn fail_all(
    lane: usize,
    flying: &mut HashMap<BatchId, Arc<Parsed>>,
    fault: Fault,
    mill: &Arc<Mill>,
) {
    for (id, _) in flying.drain() {
        mill.step(Event::Failed { id, place: Place::Lane(lane), fault: fault.clone() });
    }
}

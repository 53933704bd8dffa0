//! The thread that owns a device: hands batches over, collects completions, has them judged.

use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::backend::device::Device;
use crate::backend::{BatchId, Completion};
use crate::dispatch::examine::{Refusal, Sent};
use crate::dispatch::lane::LANE_DEPTH;
use crate::dispatch::mill::{Delivery, Left, Mill, Queued};
use crate::dispatch::proof::Proof;
use crate::dispatch::random::Random;
use crate::dispatch::{Check, Event, Nanos, PieceId, Place, judge};
use crate::error::Fault;
use crate::observe::{Observer, Open, Stage, Subject};
use crate::parsed::Parsed;
use crate::verdict::Evidence;

/// What a lane's thread is told.
pub(crate) enum Command {
    /// Compute a piece of a batch.
    Run {
        /// Its id.
        piece: PieceId,
        /// The batch.
        parsed: Arc<Parsed>,
        /// The piece's entries.
        entries: Range<usize>,
        /// How the evidence is examined.
        check: Check,
        /// Since when it waits.
        queued: Queued,
    },
    /// Open the backend anew and test it.
    Readmit,
    /// End.
    Stop,
}

/// Longest sleep inside a device while commands may arrive.
const NAP: Duration = Duration::from_millis(1);

/// Runs a lane until it is told to stop or the engine is gone.
pub(crate) fn run(lane: usize, device: Device, commands: Receiver<Command>, weak: Weak<Mill>) {
    let host = device.is_host();
    let random = Random::from_system();
    // More stay in it only while a lane is taken out of service.
    let flying = HashMap::with_capacity(2 * LANE_DEPTH);
    let mut worker = Worker { lane, device, host, random, flying, memory: None };
    if let Some(mill) = weak.upgrade() {
        worker.device.backend().observe(Observer::new(mill.recorder.clone(), lane));
    }
    loop {
        let command = if worker.flying.is_empty() {
            commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            commands.recv_timeout(Duration::ZERO)
        };
        let Some(mill) = weak.upgrade() else { return };
        match command {
            Ok(Command::Run { piece, parsed, entries, check, queued }) => {
                let Queued { since, subject, span } = queued;
                mill.recorder.keep_until_now(Stage::Queue, subject, since);
                span.end();
                worker.submit(piece, parsed, entries, (check, subject), &mill);
            }
            Ok(Command::Readmit) => {
                worker.flying.clear();
                // Opening takes its time, for which a closing engine does not wait.
                drop(mill);
                worker.reopen(&weak);
                continue;
            }
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => worker.wait(&mill),
        }
        worker.collect(&mill);
    }
}

/// A lane's thread: its device, and what the device is at work on.
struct Worker {
    lane: usize,
    device: Device,
    host: bool,
    random: Random,
    flying: HashMap<BatchId, Flying>,
    /// Of an earlier piece, for the next.
    memory: Option<Parsed>,
}

/// A piece that the device has.
struct Flying {
    sent: Sent,
    subject: Subject,
    /// When it was handed over, while somebody records.
    since: Nanos,
    /// Ends with its completion.
    _span: Open,
}

impl Worker {
    fn place(&self) -> Place {
        Place::Lane(self.lane)
    }

    /// Opens the device anew and says whether it passed its known-answer tests.
    fn reopen(&mut self, mill: &Weak<Mill>) {
        let device = &mut self.device;
        let opened =
            catch_unwind(AssertUnwindSafe(|| device.reopen().map_err(|why| why.to_string())));
        let opened = opened.unwrap_or_else(|_| Err(Fault::Panicked.to_string()));
        let Some(mill) = mill.upgrade() else { return };
        if let Err(why) = &opened {
            eprintln!("sigmill: device {} stays out of service: {why}", self.device.name());
        }
        let passed = opened.is_ok().then(|| self.device.config());
        if passed.is_some() {
            self.device.backend().observe(Observer::new(mill.recorder.clone(), self.lane));
            mill.describe(self.lane, self.device.info());
        }
        mill.step(Event::Readmitted { lane: self.lane, passed });
    }

    fn submit(
        &mut self,
        piece: PieceId,
        parsed: Arc<Parsed>,
        entries: Range<usize>,
        (check, subject): (Check, Subject),
        mill: &Arc<Mill>,
    ) {
        if !mill.is_at(piece, self.lane) {
            // It was routed elsewhere while it stood in the queue.
            return;
        }
        let id = BatchId(piece.0);
        let backend = self.device.backend();
        let since = mill.recorder.start();
        let (sent, taken) = if self.host {
            let taken = catch_unwind(AssertUnwindSafe(|| {
                backend.submit_range(id, parsed.clone(), entries.clone())
            }));
            (Sent::to_host(parsed, entries), taken)
        } else {
            let (random, memory) = (&mut self.random, self.memory.take());
            let packing = mill.recorder.time(Stage::Pack, || subject);
            let prepared = catch_unwind(AssertUnwindSafe(|| {
                mill.host(true, |host| {
                    Sent::to_device(host, random, parsed, entries, check, memory)
                })
            }));
            let Ok(sent) = prepared else { return self.fail(piece, Fault::Panicked, mill) };
            let batch = sent.batch().clone();
            drop(packing);
            let taken = catch_unwind(AssertUnwindSafe(|| backend.submit(id, batch)));
            (sent, taken)
        };
        match taken {
            Ok(Ok(())) => {
                let open = Open::new(Stage::Device, &subject);
                self.flying.insert(id, Flying { sent, subject, since, _span: open });
            }
            Ok(Err(_rejected)) => mill.step(Event::Rejected { piece, lane: self.lane }),
            Err(_panic) => self.fail(piece, Fault::Panicked, mill),
        }
    }

    fn wait(&mut self, mill: &Arc<Mill>) {
        let backend = self.device.backend();
        if catch_unwind(AssertUnwindSafe(|| backend.wait(Instant::now() + NAP))).is_err() {
            self.fail_all(Fault::Panicked, mill);
        }
    }

    fn collect(&mut self, mill: &Arc<Mill>) {
        loop {
            let backend = self.device.backend();
            let completion = match catch_unwind(AssertUnwindSafe(|| backend.poll())) {
                Ok(Some(completion)) => completion,
                Ok(None) => return,
                Err(_panic) => return self.fail_all(Fault::Panicked, mill),
            };
            let Some(flying) = self.flying.remove(&completion.id) else {
                // Some other batch's answers may be what this one's were meant to be.
                return self.fail_all(Fault::Stale, mill);
            };
            mill.recorder.keep_until_now(Stage::Device, flying.subject, flying.since);
            self.judge(completion, flying, mill);
        }
    }

    /// Has a completion examined, and hands over its answers or its fault.
    fn judge(&mut self, completion: Completion, flying: Flying, mill: &Arc<Mill>) {
        let Flying { sent, subject, .. } = flying;
        let Completion { id, result, busy } = completion;
        let (piece, place) = (PieceId(id.0), self.place());
        let algorithm = sent.whole().algorithm();
        let judges = self.device.judges(algorithm);
        let mut evidence = match result {
            Ok(evidence) => evidence,
            Err(fault) => return self.fail(piece, fault, mill),
        };
        let mut answers = mill.spares.take_answers(algorithm);
        let random = &mut self.random;
        let started = Instant::now();
        let judging = mill.recorder.time(Stage::Judge, || subject);
        // Where there is no evidence there is no work for a second thread.
        let copies = judges || matches!(evidence, Evidence::Nothing);
        // Whatever a device sends, a panic over it must not end the thread that serves it.
        let examined = catch_unwind(AssertUnwindSafe(|| {
            mill.host(copies, |host| {
                sent.examine(host, random, judges, &mut evidence, &mut answers)
            })
        }));
        let Ok(examined) = examined else { return self.fail(piece, Fault::Panicked, mill) };
        drop(judging);
        let judged = started.elapsed().as_nanos() as Nanos;
        match examined {
            Ok(report) => {
                let (busy, tally) = (busy.as_nanos() as Nanos, judge::tally(&answers));
                let event = Event::Finished { piece, place, busy, judged, tally, report };
                match mill.finish(event, Delivery { answers, sent, place }) {
                    Left::Second(first, delivery) => mill.compare(first, delivery, &evidence),
                    Left::Memory(memory) => self.memory = memory.filter(|_| !self.host),
                }
            }
            Err(Refusal { fault, proof }) => {
                mill.spares.put_answers(answers);
                self.keep(proof, mill);
                self.fail(piece, fault, mill);
            }
        }
        let backend = self.device.backend();
        if catch_unwind(AssertUnwindSafe(|| backend.recycle(evidence))).is_err() {
            self.fail_all(Fault::Panicked, mill);
        }
    }

    fn fail(&self, piece: PieceId, fault: Fault, mill: &Arc<Mill>) {
        mill.step(Event::Failed { piece, place: self.place(), fault });
    }

    fn keep(&self, proof: Option<Box<Proof>>, mill: &Arc<Mill>) {
        if let Some(proof) = proof {
            mill.keep(self.lane, &proof);
        }
    }

    /// The device as a whole failed: everything that it holds is routed again.
    fn fail_all(&mut self, fault: Fault, mill: &Arc<Mill>) {
        let place = self.place();
        for (id, _) in self.flying.drain() {
            mill.step(Event::Failed { piece: PieceId(id.0), place, fault: fault.clone() });
        }
    }
}

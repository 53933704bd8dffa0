//! The end in the engine's process: a backend that hands batches to a child.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backend::isolated::columns::{
    blank, entries_mut, forms, length, parts, stretch, stretch_mut, travels,
};
use crate::backend::isolated::line::Line;
use crate::backend::isolated::memory::Memory;
use crate::backend::isolated::open::{self, Opened, ended};
use crate::backend::isolated::process::Process;
use crate::backend::isolated::wire::{Greeting, Kind, Message, plain};
use crate::backend::isolated::{Options, SLOTS};
use crate::backend::{Backend, BatchId, Capability, Completion};
use crate::error::{EngineError, Fault, Rejected};
use crate::parsed::{Operands, Parsed};
use crate::verdict::Evidence;

/// What a batch takes that passes to another process and back, beside the device's own time and that of
/// copies: two messages and two wake-ups.
const PASSAGE: Duration = Duration::from_micros(10);

/// A device in another process.
pub(crate) struct Isolated {
    greeting: Greeting,
    process: Process,
    line: Line,
    memory: Memory,
    slots: [Slot; SLOTS],
    /// What the child failed with; it gets no more batches.
    failed: Option<Fault>,
    done: VecDeque<Completion>,
    /// When the last batch was finished.
    finished: Instant,
}

/// A slot, seen from this end.
#[derive(Default)]
struct Slot {
    flight: Option<Flight>,
    /// Key forms of the batch, in memory that the next one uses again.
    forms: Vec<u8>,
}

/// A batch that has a slot.
struct Flight {
    id: BatchId,
    batch: Arc<Parsed>,
    started: Instant,
    step: Step,
}

/// Who has to do what next.
enum Step {
    /// The child copies a piece; so many bytes went before the next one.
    Sent(usize),
    /// The child has it all and computes.
    Computing,
    /// The child writes the next piece of its evidence; so many bytes came.
    Came(Evidence, usize),
}

impl Isolated {
    /// Starts a child and has it open the device.
    pub fn open(options: &Options) -> Result<Isolated, EngineError> {
        let opened = Isolated::over(open::open(options)?);
        if opened.greeting.capabilities.is_empty() {
            let (device, why) =
                (options.device.clone(), "it serves nothing with evidence".to_owned());
            return Err(EngineError::Device { device, why });
        }
        Ok(opened)
    }

    /// A child whose device is open.
    pub fn over(opened: Opened) -> Isolated {
        let Opened { process, line, memory, mut greeting } = opened;
        // What has no evidence needs a device that judges, and none may that is not the host's own.
        greeting.capabilities.retain(|capability| travels(capability.algorithm));
        Isolated {
            greeting,
            process,
            line,
            memory,
            slots: Default::default(),
            failed: None,
            done: VecDeque::with_capacity(SLOTS),
            finished: Instant::now(),
        }
    }

    /// Writes a batch's next piece and says so.
    fn send(&mut self, slot: usize, first: bool) -> Result<(), Fault> {
        let room = self.memory.slot_bytes();
        let Slot { flight, forms } = &mut self.slots[slot];
        let Some(Flight { id, batch, step, .. }) = flight else { return Err(nonsense()) };
        let at = match step {
            Step::Sent(at) => *at,
            _ => return Err(nonsense()),
        };
        let parts = parts(batch, forms);
        self.memory.write(slot, stretch(parts, at, room));
        let message = match first {
            true => {
                let (algorithm, items) = (batch.algorithm(), batch.live());
                let bytes = match batch.operands() {
                    Operands::Columns => batch.batch().column(0).bytes().len(),
                    _ => 0,
                };
                let roots = batch.wants_roots();
                Message::Submit { slot, id: *id, algorithm, roots, items, bytes }
            }
            false => Message::More { slot },
        };
        let sent = length(&parts).min(at + room);
        *step = if sent == length(&parts) { Step::Computing } else { Step::Sent(sent) };
        self.line.send(message).map_err(|error| self.broken(error.kind()))
    }

    /// Copies the next piece of a batch's evidence.
    fn receive(&mut self, slot: usize) -> Result<(), Fault> {
        let room = self.memory.slot_bytes();
        let flight = self.slots[slot].flight.as_mut();
        let Some(Flight { step: Step::Came(evidence, at), .. }) = flight else {
            return Err(nonsense());
        };
        let stream = entries_mut(evidence);
        let whole = stream.iter().map(|part| part.len()).sum::<usize>();
        self.memory.read(slot, stretch_mut(stream, *at, room));
        *at = whole.min(*at + room);
        if *at < whole {
            let copied = self.line.send(Message::Copied { slot });
            return copied.map_err(|error| self.broken(error.kind()));
        }
        self.finish(slot, None);
        Ok(())
    }

    /// Does what a message asks for.
    fn heed(&mut self, message: Message) -> Result<(), Fault> {
        match message {
            Message::Copied { slot } => self.send(slot, false),
            Message::More { slot } => self.receive(slot),
            Message::Evidence { slot, id, kind, items } => {
                let flight = self.computing(slot, id)?;
                let want = flight.batch.live();
                if items != want && !matches!(kind, Kind::Nothing | Kind::Verdicts) {
                    return Err(Fault::Short { got: items, want });
                }
                flight.step = Step::Came(blank(kind, items), 0);
                self.receive(slot)
            }
            Message::Failed { slot, id, bytes } => {
                self.computing(slot, id)?;
                let mut why = vec![0; bytes];
                self.memory.read(slot, [&mut why[..]]);
                self.finish(slot, Some(Fault::Device(plain(&why))));
                Ok(())
            }
            Message::Open { .. }
            | Message::Opened { .. }
            | Message::Refused { .. }
            | Message::Submit { .. } => Err(nonsense()),
        }
    }

    /// The batch that the child is computing in a slot.
    fn computing(&mut self, slot: usize, id: BatchId) -> Result<&mut Flight, Fault> {
        match &mut self.slots[slot].flight {
            Some(flight) if flight.id == id => match flight.step {
                Step::Computing => Ok(flight),
                _ => Err(nonsense()),
            },
            _ => Err(Fault::Stale),
        }
    }

    /// Completes a batch.
    fn finish(&mut self, slot: usize, fault: Option<Fault>) {
        let Some(Flight { id, started, step, .. }) = self.slots[slot].flight.take() else { return };
        let result = match (fault, step) {
            (Some(fault), _) => Err(fault),
            (None, Step::Came(evidence, _)) => Ok(evidence),
            (None, _) => Err(nonsense()),
        };
        // What it waited for those before it is no part of its own time.
        let now = Instant::now();
        let busy = now - started.max(std::mem::replace(&mut self.finished, now));
        self.done.push_back(Completion { id, result, busy: busy.saturating_sub(PASSAGE) });
    }

    /// What a socket's error means.
    fn broken(&mut self, error: ErrorKind) -> Fault {
        Fault::Device(match error {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                ended(&mut self.process)
            }
            ErrorKind::InvalidData => "its process sends nonsense".to_owned(),
            other => format!("the line to its process broke: {other}"),
        })
    }

    /// The child failed: every batch is answered with the fault, as are those that still come.
    fn fail(&mut self, fault: Fault) {
        self.process.kill();
        for slot in 0..SLOTS {
            self.finish(slot, Some(fault.clone()));
        }
        self.failed = Some(fault);
    }

    fn is_idle(&self) -> bool {
        self.slots.iter().all(|slot| slot.flight.is_none())
    }
}

/// A message that no correct child sends.
fn nonsense() -> Fault {
    Fault::Device("its process answers what it was not asked".to_owned())
}

impl Backend for Isolated {
    fn name(&self) -> &str {
        &self.greeting.name
    }

    fn description(&self) -> String {
        format!("{}, in a process of its own", self.greeting.description)
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let kib = self.memory.bytes() >> 10;
        vec![
            ("process", self.process.pid().to_string()),
            ("shared memory", format!("{kib} KiB in {SLOTS} slots")),
        ]
    }

    fn capabilities(&self) -> &[Capability] {
        &self.greeting.capabilities
    }

    fn width(&self) -> usize {
        self.greeting.width
    }

    fn setup(&self) -> Duration {
        self.greeting.setup + PASSAGE
    }

    fn shares_host(&self) -> bool {
        self.greeting.shared
    }

    fn patience(&self) -> Duration {
        self.greeting.patience
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        let free = self.slots.iter().position(|slot| slot.flight.is_none());
        let (Some(slot), true) = (free, travels(batch.algorithm())) else { return Err(Rejected) };
        forms(&batch, &mut self.slots[slot].forms);
        let (started, step) = (Instant::now(), Step::Sent(0));
        self.slots[slot].flight = Some(Flight { id, batch, started, step });
        let sent = match &self.failed {
            Some(fault) => Err(fault.clone()),
            None => self.send(slot, true),
        };
        if let Err(fault) = sent {
            self.fail(fault);
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        while self.done.is_empty() && self.failed.is_none() && !self.is_idle() {
            let heeded = match self.line.receive() {
                Ok(Some(message)) => self.heed(message),
                Ok(None) => break,
                Err(error) => Err(self.broken(error.kind())),
            };
            if let Err(fault) = heeded {
                self.fail(fault);
            }
        }
        self.done.pop_front()
    }

    fn wait(&mut self, until: Instant) {
        if self.done.is_empty() && self.failed.is_none() && !self.is_idle() {
            // A socket that cannot be waited for shows when it is read.
            let _ = self.line.wait(Some(until));
        }
    }
}

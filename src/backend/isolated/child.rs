//! The end in the child: a loop around the real backend.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};

use crate::backend::isolated::SLOTS;
use crate::backend::isolated::columns::{
    Incoming, Spare, entries, kind, length, stretch, stretch_mut,
};
use crate::backend::isolated::line::{Line, wait_for_end};
use crate::backend::isolated::memory::Memory;
use crate::backend::isolated::wire::{Greeting, Message, TEXT, clipped, plain};
use crate::backend::{Backend, BatchId, Completion};
use crate::error::EngineError;
use crate::parsed::Parsed;
use crate::verdict::Evidence;

/// Opens a device for the process that started this one, and serves it until that process ends or ends
/// this one: see [the module](crate::backend::isolated). `open` gets the name in
/// [`Options::device`](crate::backend::isolated::Options::device).
///
/// To be called before anything reads standard input, which is the socket to the other process. It
/// returns where there is no such process, where the device cannot be opened, and where the other
/// process sends what makes no sense; the code is the process's to end with.
pub fn serve(open: impl FnOnce(&str) -> Result<Box<dyn Backend>, EngineError>) -> ExitCode {
    match run(open) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("sigmill: serving a device to another process: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(open: impl FnOnce(&str) -> Result<Box<dyn Backend>, EngineError>) -> Result<(), String> {
    let mut line = line().map_err(|error| format!("standard input is not its socket: {error}"))?;
    let text = |error: io::Error| error.to_string();
    let (Message::Open { bytes }, file) = line.receive_with().map_err(text)? else {
        return Err("the first message is another".to_owned());
    };
    let memory = Memory::attach(&file).map_err(text)?;
    let socket = line.end().map_err(text)?;
    let watch = std::thread::Builder::new().name("sigmill-parent".to_owned());
    // Whatever the backend is at: a device must not be held for nobody.
    let watch = watch.spawn(move || {
        let _ = wait_for_end(&socket);
        leave();
    });
    watch.map_err(text)?;
    let mut name = vec![0; bytes];
    memory.read(0, [&mut name[..]]);
    let backend = match open(&plain(&name)) {
        Ok(backend) => backend,
        Err(error) => {
            let (absent, why) = match &error {
                EngineError::Absent { why, .. } => (true, why.clone()),
                EngineError::Device { why, .. } => (false, why.clone()),
                other => (false, other.to_string()),
            };
            let why = clipped(&why, TEXT);
            memory.write(0, [why.as_bytes()]);
            return line.send(Message::Refused { absent, bytes: why.len() }).map_err(text);
        }
    };
    let greeting = greeting(&*backend).write();
    memory.write(0, [&greeting[..]]);
    line.send(Message::Opened { bytes: greeting.len() }).map_err(text)?;
    Server::new(backend, line, memory).serve()
}

/// The socket, which standard input is no more then: what the backend starts does not inherit it.
fn line() -> io::Result<Line> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr()?;
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
    Line::new(socket)
}

/// Ends this process: without the driver's exit handlers, which may hang or crash.
fn leave() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}

fn greeting(backend: &dyn Backend) -> Greeting {
    let capabilities = backend.capabilities().iter().filter(|capability| !capability.judges);
    Greeting {
        name: backend.name().to_owned(),
        description: backend.description(),
        width: backend.width(),
        setup: backend.setup(),
        patience: backend.patience(),
        shared: backend.shares_host(),
        capabilities: capabilities.copied().collect(),
    }
}

/// A slot, seen from this end.
#[derive(Default)]
enum Slot {
    /// It holds nothing.
    #[default]
    Free,
    /// A batch comes; so many bytes of it are there.
    Coming(BatchId, Incoming, usize),
    /// The backend has it.
    Computing(BatchId, Arc<Parsed>),
    /// Its evidence goes; so many bytes of it went.
    Going(Evidence, usize),
}

/// The backend and what it is at.
pub(super) struct Server {
    backend: Box<dyn Backend>,
    line: Line,
    memory: Memory,
    slots: [Slot; SLOTS],
    /// Batches that the backend rejected, to be offered again.
    pending: VecDeque<(BatchId, Arc<Parsed>)>,
    /// Batches that the backend has.
    computing: usize,
    spare: Spare,
}

/// Longest sleep inside the backend while messages may arrive.
const NAP: Duration = Duration::from_millis(1);

/// What the other process sent makes no sense.
fn nonsense() -> io::Error {
    ErrorKind::InvalidData.into()
}

impl Server {
    pub(super) fn new(backend: Box<dyn Backend>, line: Line, memory: Memory) -> Server {
        let (slots, pending) = (Default::default(), VecDeque::with_capacity(SLOTS));
        Server { backend, line, memory, slots, pending, computing: 0, spare: Spare::default() }
    }

    fn serve(mut self) -> Result<(), String> {
        match self.turns() {
            Ok(()) => Ok(()),
            Err(error) => match error.kind() {
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                    leave()
                }
                _ => Err(error.to_string()),
            },
        }
    }

    /// Serves until the line ends, or what comes through it makes no sense.
    pub(super) fn turns(&mut self) -> io::Result<()> {
        loop {
            let mut idle = true;
            while let Some(message) = self.line.receive()? {
                self.heed(message)?;
                idle = false;
            }
            while let Some(completion) = self.backend.poll() {
                self.complete(completion)?;
                idle = false;
            }
            self.offer();
            match idle {
                false => {}
                true if self.computing > 0 => self.backend.wait(Instant::now() + NAP),
                // Rejected although it has nothing: it may want a moment.
                true if !self.pending.is_empty() => std::thread::sleep(NAP),
                true => self.line.wait(None)?,
            }
        }
    }

    fn heed(&mut self, message: Message) -> io::Result<()> {
        match message {
            Message::Submit { slot, id, algorithm, roots, items, bytes } => {
                let Slot::Free = self.slots[slot] else { return Err(nonsense()) };
                let incoming = Incoming::new(algorithm, items, bytes, &mut self.spare);
                let mut incoming = incoming.ok_or_else(nonsense)?;
                incoming.roots = roots;
                self.slots[slot] = Slot::Coming(id, incoming, 0);
                self.receive(slot)
            }
            Message::More { slot } => self.receive(slot),
            Message::Copied { slot } => self.send(slot, Message::More { slot }),
            _ => Err(nonsense()),
        }
    }

    /// Copies a batch's next piece; hands it over after the last.
    fn receive(&mut self, slot: usize) -> io::Result<()> {
        let room = self.memory.slot_bytes();
        let Slot::Coming(id, incoming, at) = &mut self.slots[slot] else { return Err(nonsense()) };
        self.memory.read(slot, stretch_mut(incoming.parts_mut(), *at, room));
        *at = incoming.length().min(*at + room);
        if *at < incoming.length() {
            return self.line.send(Message::Copied { slot });
        }
        let id = *id;
        let whole = std::mem::take(&mut self.slots[slot]);
        let Slot::Coming(_, incoming, _) = whole else { return Err(nonsense()) };
        let batch = Arc::new(incoming.finish(&mut self.spare).ok_or_else(nonsense)?);
        self.slots[slot] = Slot::Computing(id, batch.clone());
        self.pending.push_back((id, batch));
        self.offer();
        Ok(())
    }

    /// Offers the backend what waits for it.
    fn offer(&mut self) {
        while let Some((id, batch)) = self.pending.front() {
            if self.backend.submit(*id, batch.clone()).is_err() {
                return;
            }
            self.pending.pop_front();
            self.computing += 1;
        }
    }

    fn complete(&mut self, completion: Completion) -> io::Result<()> {
        let Completion { id, result, .. } = completion;
        let of = |slot: &Slot| matches!(slot, Slot::Computing(own, _) if *own == id);
        let Some(slot) = self.slots.iter().position(of) else {
            // Some other batch's answers may be what this one's were meant to be.
            return Err(io::Error::other("the backend completes what it does not hold"));
        };
        // A batch that the backend did not take yet is not complete.
        self.computing = self.computing.checked_sub(1).ok_or_else(nonsense)?;
        if let Slot::Computing(_, batch) = std::mem::take(&mut self.slots[slot])
            && let Some(batch) = Arc::into_inner(batch)
        {
            self.spare.put(batch);
        }
        match result {
            Ok(evidence) => {
                let (kind, items) = (kind(&evidence), entries(&evidence).0);
                self.slots[slot] = Slot::Going(evidence, 0);
                self.send(slot, Message::Evidence { slot, id, kind, items })
            }
            Err(fault) => {
                let why = fault.to_string();
                let why = clipped(&why, TEXT);
                self.memory.write(slot, [why.as_bytes()]);
                self.line.send(Message::Failed { slot, id, bytes: why.len() })
            }
        }
    }

    /// Writes the next piece of a batch's evidence and says so.
    fn send(&mut self, slot: usize, message: Message) -> io::Result<()> {
        let room = self.memory.slot_bytes();
        let Slot::Going(evidence, at) = &mut self.slots[slot] else { return Err(nonsense()) };
        let (_, stream) = entries(evidence);
        self.memory.write(slot, stretch(stream, *at, room));
        *at = length(&stream).min(*at + room);
        if *at == length(&stream) {
            self.slots[slot] = Slot::Free;
        }
        self.line.send(message)
    }
}

//! A child's start: what it is given, and what it answers.

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::backend::isolated::Options;
use crate::backend::isolated::line::Line;
use crate::backend::isolated::memory::Memory;
use crate::backend::isolated::process::Process;
use crate::backend::isolated::wire::{Greeting, Message, TEXT, plain};
use crate::error::EngineError;

/// A child whose device is open.
pub(crate) struct Opened {
    pub process: Process,
    pub line: Line,
    pub memory: Memory,
    pub greeting: Greeting,
}

/// Longest patience, which an instant has room for.
const LONGEST: Duration = Duration::from_hours(24);

/// Starts a child and waits until its device is open.
pub(crate) fn open(options: &Options) -> Result<Opened, EngineError> {
    let device = &options.device;
    let failed = |why: String| EngineError::Device { device: device.clone(), why };
    let refused = |error: std::io::Error| failed(error.to_string());
    if device.len() > TEXT {
        return Err(failed(format!("a name has at most {TEXT} bytes")));
    }
    let program = match &options.program {
        Some(program) => program.clone(),
        None => command().ok_or_else(|| {
            failed("this program is not the command `sigmill`: name the child's program".to_owned())
        })?,
    };
    let (memory, file) = Memory::create(options.bytes).map_err(refused)?;
    let (own, theirs) = UnixStream::pair().map_err(refused)?;
    let mut process = Process::start(&program, &options.arguments, theirs.into())
        .map_err(|error| failed(format!("{}: {error}", program.display())))?;
    let mut line = Line::new(own).map_err(refused)?;
    memory.write(0, [device.as_bytes()]);
    // A child that is gone already shows below.
    let _ = line.send_with(Message::Open { bytes: device.len() }, file.as_fd());
    let text = |bytes: usize| {
        let mut text = vec![0; bytes];
        memory.read(0, [&mut text[..]]);
        text
    };
    let until = Instant::now() + options.patience.min(LONGEST);
    loop {
        match line.receive() {
            Ok(Some(Message::Opened { bytes })) => {
                let greeting = Greeting::read(&text(bytes));
                let greeting =
                    greeting.ok_or_else(|| failed("it greets with nonsense".to_owned()))?;
                return Ok(Opened { process, line, memory, greeting });
            }
            Ok(Some(Message::Refused { absent, bytes })) => {
                let (device, why) = (device.clone(), plain(&text(bytes)));
                return Err(match absent {
                    true => EngineError::Absent { device, why },
                    false => EngineError::Device { device, why },
                });
            }
            Ok(None) => {}
            Ok(Some(_)) => return Err(failed("it answers what it was not asked".to_owned())),
            Err(error) => {
                return Err(failed(match error.kind() {
                    // What it had not read when it ended makes the end a reset.
                    ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => ended(&mut process),
                    ErrorKind::InvalidData => {
                        "its process is of another build, or sends nonsense".to_owned()
                    }
                    _ => error.to_string(),
                }));
            }
        }
        if Instant::now() >= until {
            let patience = options.patience.as_secs_f32();
            return Err(failed(format!("its process did not open it within {patience} s")));
        }
        line.wait(Some(until)).map_err(refused)?;
    }
}

/// How a child ended that hung up.
pub(crate) fn ended(process: &mut Process) -> String {
    match process.status() {
        Some(status) => format!("its process ended: {status}"),
        None => "its process hung up".to_owned(),
    }
}

/// The command `sigmill`, where this is it.
fn command() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    (own.file_stem()? == "sigmill").then_some(own)
}

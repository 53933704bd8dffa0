//! Where time goes: the stages of each batch, on the threads and devices that they ran on.
//!
//! Off, a stage costs a look at a flag. While a [`Recording`](crate::engine::Recording) runs, each is kept as a
//! [`Span`] in memory of a fixed size, and what a device counts as [`Sample`]s. With the feature `tracing` each stage of the host is a span of that crate
//! too, named `sigmill.` and the stage, of level TRACE.

mod recorder;
mod spans;

use std::fmt;
use std::ops::Range;

use crate::algorithm::Algorithm;
use crate::backend::BatchId;
use crate::dispatch::{Nanos, PieceId};
use crate::parsed::Parsed;

pub use recorder::Observer;
pub(crate) use recorder::{Recorder, threads};
pub(crate) use spans::Open;

/// What is done with a batch, in the order in which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Taken in, on the caller's thread: limits, route, and all of a batch that runs there.
    Submit,
    /// Encodings and ranges are checked.
    Parse,
    /// Parsed, and no lane has begun with it.
    Queue,
    /// Copied for a device, canaries put in.
    Pack,
    /// With a device, from the moment it took the piece to its completion; the CPU is one.
    Device,
    /// Operands go up, by the device's own clock where it has one.
    Upload,
    /// A step of the kernel, by its name: the same for the same step in Rust, WGSL and RTL.
    Kernel(&'static str),
    /// Evidence comes back.
    ReadBack,
    /// Evidence is examined and judged.
    Judge,
    /// Second answers are compared with the first.
    Compare,
    /// Answers go to the ticket.
    Resolve,
}

impl Stage {
    /// Its name, as reports and traces have it; a kernel's step has its own.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Submit => "submit",
            Stage::Parse => "parse",
            Stage::Queue => "queue",
            Stage::Pack => "pack",
            Stage::Device => "device",
            Stage::Upload => "upload",
            Stage::Kernel(step) => step,
            Stage::ReadBack => "readback",
            Stage::Judge => "judge",
            Stage::Compare => "compare",
            Stage::Resolve => "resolve",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a stage ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Track {
    /// A thread, by its place in [`Recorded::threads`](crate::engine::Recorded::threads).
    Thread(u32),
    /// A device's own clock, by its lane.
    Device(u32),
}

/// Whose stage it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What the batch computes.
    pub algorithm: Algorithm,
    /// The batch's id; 0 where only the piece is known.
    pub batch: u64,
    /// The piece's id; 0 of whole batches.
    pub piece: u64,
    /// Items.
    pub items: u32,
    /// Bytes that an upload or a read-back moves, or messages' bytes that the host's kernel of a hash reads; 0 of what
    /// is not counted.
    pub bytes: u64,
}

impl Subject {
    pub(crate) fn of(batch: &Parsed, id: BatchId, piece: PieceId, items: usize) -> Self {
        let items = items as u32;
        Subject { algorithm: batch.algorithm(), batch: id.0, piece: piece.0, items, bytes: 0 }
    }

    /// The same where a kernel of the host reads these entries.
    pub(crate) fn reading(self, batch: &Parsed, entries: Range<usize>) -> Self {
        Subject { bytes: batch.message_bytes(entries) as u64, ..self }
    }
}

/// What a counter said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Whose counter.
    pub track: Track,
    /// Which.
    pub name: &'static str,
    /// When it was read, since the engine opened.
    pub at: Nanos,
    /// What it said.
    pub value: u64,
}

/// A stage that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What was done.
    pub stage: Stage,
    /// Where.
    pub track: Track,
    /// With what.
    pub subject: Subject,
    /// When it began, since the engine opened.
    pub start: Nanos,
    /// When it ended.
    pub end: Nanos,
}

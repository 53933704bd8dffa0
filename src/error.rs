//! Every failure on one page.

use crate::algorithm::Algorithm;
use crate::batch::Batch;

/// Why a job could not be put into an open batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The job's form does not fit the batch's algorithm.
    #[error("a {job} job does not fit a batch of {algorithm}")]
    WrongJob {
        /// Form of the job.
        job: &'static str,
        /// The batch's algorithm.
        algorithm: Algorithm,
    },
    /// One field of the job is longer than a job may carry.
    #[error("field `{field}` has {bytes} bytes; a job may carry {limit}")]
    TooLong {
        /// Name of the field.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The job names a key that the batch's pinned keys do not have.
    #[error("no pinned key has index {index}: the batch was opened over {keys}")]
    NoSuchKey {
        /// The index.
        index: u32,
        /// How many keys there are.
        keys: usize,
    },
    /// The algorithm verifies nothing against public keys.
    #[error("{algorithm} has no public keys that could be pinned")]
    NotPinnable {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The batch holds as much as a batch may; seal it and open another.
    #[error("the batch is full; seal it and open another")]
    Full,
}

/// Why keys were not pinned; none of them is then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// A key is no point of the curve in an encoding of 32, 33 or 65 bytes.
    #[error("key {index} is no public key of 32, 33 or 65 bytes")]
    Key {
        /// Its place in the list.
        index: usize,
    },
    /// The engine's budget for pinned tables does not hold these.
    #[error("the keys' tables take {needed} bytes; {free} of the engine's budget are free")]
    Budget {
        /// Bytes that the tables take.
        needed: usize,
        /// Bytes of the budget that no other pinned keys hold.
        free: usize,
    },
}

/// Why a job got no verdict. Never to be read as invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ItemError {
    /// The deadline passed before an answer was reached.
    #[error("the deadline passed")]
    Deadline,
    /// Every device that could serve the job failed.
    #[error("every device failed")]
    Fault,
    /// No device of the engine serves the algorithm.
    #[error("no device serves the algorithm")]
    Unserved,
    /// The caller cancelled the batch.
    #[error("the batch was cancelled")]
    Cancelled,
    /// The engine was shut down.
    #[error("the engine was shut down")]
    Shutdown,
}

impl ItemError {
    /// All of them.
    pub const ALL: [ItemError; 5] = [
        ItemError::Deadline,
        ItemError::Fault,
        ItemError::Unserved,
        ItemError::Cancelled,
        ItemError::Shutdown,
    ];

    /// Its kind, as metrics have it.
    pub fn name(self) -> &'static str {
        match self {
            ItemError::Deadline => "deadline",
            ItemError::Fault => "fault",
            ItemError::Unserved => "unserved",
            ItemError::Cancelled => "cancelled",
            ItemError::Shutdown => "shutdown",
        }
    }
}

/// The engine is full, or closed: the batch comes back untouched.
#[derive(Debug, thiserror::Error)]
#[error("the engine is busy: {why}")]
pub struct Busy<T = Batch> {
    /// What was to be submitted.
    pub batch: T,
    /// The limit that was met.
    pub why: BusyReason,
}

/// Which limit refused a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusyReason {
    /// Too many jobs in flight.
    #[error("the limit of jobs in flight is reached")]
    Items,
    /// Too many bytes in flight.
    #[error("the limit of bytes in flight is reached")]
    Bytes,
    /// Too many batches in flight.
    #[error("the limit of batches in flight is reached")]
    Batches,
    /// What the batch's class may fill is full.
    #[error("the share of the batch's class is full")]
    Class,
    /// What one source may hold is full.
    #[error("the share of the batch's source is full")]
    Source,
    /// What waits needs longer than the limit as it is.
    #[error("what waits already needs longer than the limit")]
    Backlog,
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    Closed,
}

impl BusyReason {
    /// All of them.
    pub const ALL: [BusyReason; 7] = [
        BusyReason::Items,
        BusyReason::Bytes,
        BusyReason::Batches,
        BusyReason::Class,
        BusyReason::Source,
        BusyReason::Backlog,
        BusyReason::Closed,
    ];

    /// Its kind, as metrics have it.
    pub fn name(self) -> &'static str {
        match self {
            BusyReason::Items => "items",
            BusyReason::Bytes => "bytes",
            BusyReason::Batches => "batches",
            BusyReason::Class => "class",
            BusyReason::Source => "source",
            BusyReason::Backlog => "backlog",
            BusyReason::Closed => "closed",
        }
    }
}

/// A backend did not take a batch: full, and the batch is untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the backend is full")]
pub struct Rejected;

/// A device failed: it says nothing about the jobs, which are routed again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The evidence has the wrong number of entries.
    #[error("evidence for {got} items where {want} were sent")]
    Short {
        /// Entries that came back.
        got: usize,
        /// Entries that were sent.
        want: usize,
    },
    /// The evidence is of a kind that the algorithm does not yield, or the device may not send.
    #[error("evidence of the wrong kind")]
    WrongEvidence,
    /// Coordinates outside the field, or a point off the curve.
    #[error("evidence that no correct device sends")]
    BadEvidence,
    /// A canary came back with the wrong answer.
    #[error("a canary came back with the wrong answer")]
    Canary,
    /// The host computed an entry again and got something else, and the referee agreed with it.
    #[error("an answer was wrong: {0}")]
    Mismatch(String),
    /// A completion for a batch that the device does not hold.
    #[error("a completion for a batch that is not in flight")]
    Stale,
    /// The backend panicked.
    #[error("the backend panicked")]
    Panicked,
    /// The device did not finish in time.
    #[error("no answer in time")]
    Timeout,
    /// The device reports a failure of its own.
    #[error("{0}")]
    Device(String),
}

impl Fault {
    /// Its kind, as metrics have it.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Short { .. } => "short",
            Fault::WrongEvidence => "wrong_evidence",
            Fault::BadEvidence => "bad_evidence",
            Fault::Canary => "canary",
            Fault::Mismatch(_) => "mismatch",
            Fault::Stale => "stale",
            Fault::Panicked => "panicked",
            Fault::Timeout => "timeout",
            Fault::Device(_) => "device",
        }
    }

    /// Whether the device gave wrong answers, as opposed to none.
    pub fn is_lie(&self) -> bool {
        !matches!(self, Fault::Panicked | Fault::Timeout | Fault::Device(_))
    }
}

/// Why an engine or a device could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The device is not there.
    #[error("device `{device}` is absent: {why}")]
    Absent {
        /// Name of the device.
        device: String,
        /// What was looked for, and where.
        why: String,
    },
    /// The backend gave a wrong known answer and is refused.
    #[error("device `{device}` fails the known-answer test of {algorithm}: {why}")]
    SelfTest {
        /// Name of the device.
        device: String,
        /// Algorithm whose known answer it got wrong.
        algorithm: Algorithm,
        /// The first disagreement.
        why: String,
    },
    /// The device is there and could not be opened.
    #[error("device `{device}` cannot be opened: {why}")]
    Device {
        /// Name of the device.
        device: String,
        /// What failed.
        why: String,
    },
    /// A thread or thread pool could not be started.
    #[error("cannot start threads: {0}")]
    Threads(String),
    /// `SIGMILL_ISA` names no level of this machine.
    #[error("SIGMILL_ISA={name}: not a level of this machine (it has: {known})")]
    Isa {
        /// What the variable says.
        name: String,
        /// The levels of this machine.
        known: String,
    },
}

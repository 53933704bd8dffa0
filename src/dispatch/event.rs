//! What goes into the dispatcher and what comes out: events, actions, and the counts they keep.

use crate::backend::BatchId;
use crate::batch::Shape;
use crate::dispatch::lane::LaneConfig;
use crate::error::{BusyReason, Fault, ItemError};

/// Nanoseconds since the engine opened.
pub type Nanos = u64;

/// How urgent a batch is; earlier classes leave the waiting room first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Class {
    /// Votes, certificates, blocks.
    Consensus,
    /// Transactions as they arrive.
    #[default]
    Mempool,
    /// Catching up.
    Sync,
}

/// Bounds of what an engine holds at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Jobs in flight.
    pub items: usize,
    /// Bytes in flight.
    pub bytes: usize,
    /// Batches in flight.
    pub batches: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { items: 1 << 24, bytes: 2 << 30, batches: 1 << 12 }
    }
}

/// Where a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its encodings are being checked.
    Parsing,
    /// Parsed, and no lane has room.
    Waiting,
    /// On the caller's thread, with the kernel of this lane's backend.
    Inline(usize),
    /// In this lane.
    Lane(usize),
    /// On the portable CPU, no lane being able to serve it.
    LastResort,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A caller wants a batch computed by `deadline`.
    Submit {
        /// The batch's shape.
        shape: Shape,
        /// Its class.
        class: Class,
        /// When its answer is due.
        deadline: Nanos,
        /// Its encodings were checked before.
        parsed: bool,
    },
    /// A batch's encodings were checked.
    Parsed {
        /// The batch.
        id: BatchId,
    },
    /// A batch was computed and judged.
    Finished {
        /// The batch.
        id: BatchId,
        /// Who computed it.
        place: Place,
        /// How long that took, without queueing.
        busy: Nanos,
        /// Its answers by kind.
        tally: Tally,
    },
    /// A device failed over a batch.
    Failed {
        /// The batch.
        id: BatchId,
        /// Where.
        place: Place,
        /// How.
        fault: Fault,
    },
    /// A backend had no room for a batch.
    Rejected {
        /// The batch.
        id: BatchId,
        /// Whose backend.
        lane: usize,
    },
    /// A quarantined lane was opened anew, or could not be.
    Readmitted {
        /// The lane.
        lane: usize,
        /// What it is, if it passed its known-answer tests.
        passed: Option<LaneConfig>,
    },
    /// A lane whose device has yet to be opened does so now.
    Opening {
        /// The lane.
        lane: usize,
    },
    /// Time passed.
    Tick,
    /// No more submissions.
    Close,
    /// No more submissions, and what is in flight is given up.
    Abort,
}

/// What the shell has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Tell the submitter that nothing was taken.
    Refuse(BusyReason),
    /// The batch was admitted under this id; what follows names it.
    Admit(BatchId),
    /// Parse, compute and judge on the caller's thread, then report `Finished` or `Failed`.
    Inline {
        /// The batch.
        id: BatchId,
        /// Whose kernel.
        lane: usize,
    },
    /// Check the encodings, then report `Parsed`.
    Parse {
        /// The batch.
        id: BatchId,
    },
    /// Hand to the lane's thread.
    Send {
        /// The batch.
        id: BatchId,
        /// The lane.
        lane: usize,
    },
    /// Compute on the portable CPU, then report `Finished`.
    LastResort {
        /// The batch.
        id: BatchId,
    },
    /// Give the answers just reported to the ticket.
    Resolve {
        /// The batch.
        id: BatchId,
    },
    /// Give every job of the batch this error.
    Abandon {
        /// The batch.
        id: BatchId,
        /// Why.
        error: ItemError,
    },
    /// The lane failed and is out of service.
    Quarantine {
        /// The lane.
        lane: usize,
        /// What it did.
        fault: Fault,
    },
    /// Open the lane's backend anew, run its known-answer tests, report `Readmitted`.
    Readmit {
        /// The lane.
        lane: usize,
    },
}

/// Answers of a batch by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Jobs that are valid.
    pub valid: u64,
    /// Jobs that are not.
    pub invalid: u64,
    /// Values computed.
    pub computed: u64,
    /// Jobs without an answer.
    pub errors: u64,
}

/// Jobs by fate: `submitted = valid + invalid + computed + errors + in_flight`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Jobs admitted.
    pub submitted: u64,
    /// Jobs answered, by kind.
    pub answered: Tally,
    /// Jobs admitted and not yet answered.
    pub in_flight: u64,
}

impl Counters {
    /// Whether the identity holds.
    pub fn balance(&self) -> bool {
        let Tally { valid, invalid, computed, errors } = self.answered;
        self.submitted == valid + invalid + computed + errors + self.in_flight
    }
}

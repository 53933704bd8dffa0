//! What goes into the dispatcher and what comes out: events, actions, and the counts they keep.

use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::backend::BatchId;
use crate::batch::{Form, Shape};
use crate::dispatch::lane::LaneConfig;
use crate::dispatch::sources::Source;
use crate::error::{BusyReason, Fault, ItemError};
use crate::trust::Trust;

/// Nanoseconds since the engine opened.
pub type Nanos = u64;

/// How urgent a batch is; earlier classes leave the waiting room first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Votes, certificates, blocks.
    Consensus,
    /// Transactions as they arrive.
    #[default]
    Mempool,
    /// Catching up.
    Sync,
}

impl Class {
    /// Its name, as reports and metrics have it.
    pub fn name(self) -> &'static str {
        match self {
            Class::Consensus => "consensus",
            Class::Mempool => "mempool",
            Class::Sync => "sync",
        }
    }
}

/// Bounds of what an engine holds at once. What goes beyond one of them is refused at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Jobs in flight.
    pub items: usize,
    /// Bytes in flight.
    pub bytes: usize,
    /// Batches in flight.
    pub batches: usize,
    /// Percent of each of the three that may be filled when a batch of a class comes: `Consensus`,
    /// `Mempool`, `Sync`. What the others may not fill stays free for votes.
    pub classes: [u8; 3],
    /// Percent of each of the three that one source may hold, and of the backlog.
    pub source: u8,
    /// Longest time that what waits may need, as predicted, when another batch of the classes `Mempool` and
    /// `Sync` comes. It shrinks what is admitted when a device is lost.
    pub backlog: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            items: 1 << 24,
            bytes: 2 << 30,
            batches: 1 << 12,
            classes: [100, 90, 75],
            source: 50,
            backlog: Duration::from_secs(60),
        }
    }
}

/// What a batch is submitted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its class.
    pub class: Class,
    /// Who sent its jobs.
    pub source: Option<Source>,
    /// When its answer is due.
    pub deadline: Nanos,
    /// Least trust that its verdicts need.
    pub trust: Trust,
    /// Longest that it may keep its caller's own thread.
    pub inline: Nanos,
}

/// A part of a batch: a range of its live entries, handed over as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PieceId(pub u64);

/// Where a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No lane has room.
    Waiting,
    /// In this lane.
    Lane(usize),
    /// On the portable CPU, no lane being able to serve it.
    LastResort,
}

/// How a lane's evidence is examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// The level.
    pub trust: Trust,
    /// Accepted or computed entries that the host computes again.
    pub sample: usize,
    /// Rejects are believed; else the host confirms each.
    pub believe: bool,
}

/// What an examination found besides the answers, in entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Accepted or computed ones that the host computed again.
    pub sampled: u64,
    /// Rejects that the host confirmed.
    pub confirmed: u64,
    /// Rejects that were believed.
    pub believed: u64,
    /// Those in which the host was wrong, as the referee found.
    pub host_wrong: u64,
    /// Canaries that came back right.
    pub canaries: u64,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A caller wants a batch computed.
    Submit {
        /// The batch's shape.
        shape: Shape,
        /// Under what terms.
        order: Order,
        /// How many of its jobs are live, if its encodings were checked before.
        live: Option<usize>,
    },
    /// A batch's encodings were checked.
    Parsed {
        /// The batch.
        id: BatchId,
        /// How many of its jobs are live.
        live: usize,
    },
    /// A batch was computed on its caller's thread, or the kernel failed there.
    Inlined {
        /// The batch.
        id: BatchId,
        /// Whose kernel.
        lane: usize,
        /// How long that took.
        busy: Nanos,
        /// Its answers by kind; `None`: it was parsed, and the kernel failed over so many live jobs.
        done: Result<Tally, usize>,
    },
    /// A piece was computed, examined and judged.
    Finished {
        /// The piece.
        piece: PieceId,
        /// Who computed it.
        place: Place,
        /// How long the device took, without queueing.
        busy: Nanos,
        /// How long the host took to judge it.
        judged: Nanos,
        /// Its answers by kind.
        tally: Tally,
        /// What was found besides.
        report: Report,
    },
    /// A device failed over a piece.
    Failed {
        /// The piece.
        piece: PieceId,
        /// Where.
        place: Place,
        /// How.
        fault: Fault,
    },
    /// A device was found to lie about a piece whose answers came from elsewhere.
    Disagreed {
        /// Its lane.
        lane: usize,
        /// What the piece's batch computes.
        algorithm: Algorithm,
        /// What it did.
        fault: Fault,
    },
    /// A backend had no room for a piece.
    Rejected {
        /// The piece.
        piece: PieceId,
        /// Whose backend.
        lane: usize,
    },
    /// A lane out of service was opened anew, or could not be.
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
    /// The caller wants no answer any more.
    Cancel {
        /// The batch.
        id: BatchId,
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
    /// Parse, compute and judge on the caller's thread, then report `Inlined`.
    Inline {
        /// The batch.
        id: BatchId,
        /// Whose kernel.
        lane: usize,
        /// How its signatures are verified.
        form: Form,
    },
    /// Check the encodings, then report `Parsed`.
    Parse {
        /// The batch.
        id: BatchId,
        /// How its signatures are verified.
        form: Form,
    },
    /// Hand a piece to the lane's thread.
    Send {
        /// The batch.
        id: BatchId,
        /// The piece.
        piece: PieceId,
        /// Its live entries.
        entries: (usize, usize),
        /// The lane.
        lane: usize,
        /// How its evidence is examined.
        check: Check,
    },
    /// Compute a piece on the portable CPU, then report `Finished`.
    LastResort {
        /// The batch.
        id: BatchId,
        /// The piece.
        piece: PieceId,
        /// Its live entries.
        entries: (usize, usize),
    },
    /// The answers just reported are those of these entries.
    Accept {
        /// The batch.
        id: BatchId,
        /// Its entries.
        entries: (usize, usize),
        /// Another lane computes the same entries: its piece will be compared.
        twin: Option<PieceId>,
    },
    /// Compare the answers just reported with those that were accepted for this piece's entries.
    Compare {
        /// The piece whose answers come second.
        piece: PieceId,
    },
    /// Give the answers accepted to the ticket.
    Resolve {
        /// The batch.
        id: BatchId,
        /// The least that stands behind any of its verdicts.
        trust: Trust,
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

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.valid += other.valid;
        self.invalid += other.invalid;
        self.computed += other.computed;
        self.errors += other.errors;
    }
}

impl Counters {
    /// Whether the identity holds.
    pub fn balance(&self) -> bool {
        let Tally { valid, invalid, computed, errors } = self.answered;
        self.submitted == valid + invalid + computed + errors + self.in_flight
    }
}

//! The faults that are injected, by name, and how often each came about.

use std::collections::BTreeMap;

macro_rules! faults {
    ($($name:ident $text:literal),* $(,)?) => {
        /// A row of the fault matrix, or a part of one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($name),* }

        impl Kind {
            pub const ALL: &[Kind] = &[$(Kind::$name),*];

            pub fn name(self) -> &'static str {
                match self { $(Kind::$name => $text),* }
            }
        }
    };
}

faults! {
    Lost "device lost",
    LostInFlight "device lost with several batches in flight",
    AllLost "all devices lost at once",
    Killed "child killed: all in flight fail, opens again at once",
    Hang "hang",
    Panicked "backend panics",
    Unkillable "opening again never answers",
    ReopenFails "opening again fails",
    ReopenLate "opening again answers after it was given up",
    CompileHangs "first opening never answers",
    CompileFails "first opening fails",
    Slow2 "slow x2",
    Slow10 "slow x10",
    Slow100 "slow x100",
    Jitter "jitter",
    OneItem "wrong: one item",
    LaneOf8 "wrong: a lane of 8",
    Workgroup "wrong: a workgroup of 64",
    MultiBit "wrong: several bits of an item",
    Rate1e3 "wrong: items at a rate of 1e-3",
    Rate1e6 "wrong: items at a rate of 1e-6",
    AllValid "all valid: evidence echoes r",
    AllInvalid "all invalid",
    Zeros "zeros",
    Ones "ones",
    Stale "stale results",
    Permuted "misrouted: two items",
    Shifted "misrouted: shifted by one",
    Swapped "misrouted: two batches",
    Short "short",
    Unwritten "unwritten",
    Upload "upload corrupted",
    Full "device memory full",
    UnknownId "completion for an unknown id",
    Twice "completion twice",
    LateEvent "answer after the piece left its lane",
    DoubleEvent "answer reported twice",
    Dropped "ticket dropped",
    Cancelled "batch cancelled",
    Jump "clock jumps by an hour",
    HostFlip "bit flip in the host's re-check",
    HedgeAgrees "second verdict agrees",
    HedgeDisagrees "second verdict disagrees",
    InlinePanics "inline kernel panics",
    Restart "engine given up and opened again",
}

impl Kind {
    /// What a device may do at any batch.
    pub const OF_DEVICES: &[Kind] = &[
        Kind::Lost,
        Kind::LostInFlight,
        Kind::Killed,
        Kind::Hang,
        Kind::Panicked,
        Kind::Slow2,
        Kind::Slow10,
        Kind::Slow100,
        Kind::Jitter,
        Kind::OneItem,
        Kind::LaneOf8,
        Kind::Workgroup,
        Kind::MultiBit,
        Kind::AllValid,
        Kind::AllInvalid,
        Kind::Zeros,
        Kind::Ones,
        Kind::Stale,
        Kind::Permuted,
        Kind::Shifted,
        Kind::Swapped,
        Kind::Short,
        Kind::Unwritten,
        Kind::Upload,
        Kind::Full,
        Kind::UnknownId,
        Kind::Twice,
    ];
}

/// How often each fault came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Kind, u64>);

impl Counts {
    pub fn add(&mut self, kind: Kind) {
        *self.0.entry(kind).or_default() += 1;
    }

    pub fn of(&self, kind: Kind) -> u64 {
        self.0.get(&kind).copied().unwrap_or(0)
    }

    pub fn merge(&mut self, other: &Counts) {
        for (&kind, count) in &other.0 {
            *self.0.entry(kind).or_default() += count;
        }
    }
}

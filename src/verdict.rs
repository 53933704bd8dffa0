//! What comes out: verdicts, outcomes, and the evidence that a device hands to the judge.

use crate::algorithm::Algorithm;
use crate::error::ItemError;
use crate::parsed::Words;

/// The answer to "does this job satisfy its rule?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The job satisfies its rule.
    Valid,
    /// It does not, for the reason named.
    Invalid(Reason),
}

impl Verdict {
    /// Whether the verdict is [`Verdict::Valid`].
    pub fn is_valid(self) -> bool {
        self == Verdict::Valid
    }
}

/// Why a job is invalid: chains treat a bad encoding and a failed equation differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The signature has no bytes: plain false in Bitcoin script, not an encoding error.
    Empty,
    /// The signature's encoding breaks the rule (DER form, length, recovery id).
    Encoding,
    /// The key's encoding breaks the rule, or names no point of the curve.
    Key,
    /// `r` or `s` lies outside the rule's range.
    Range,
    /// `s` lies above half the order and the rule wants it low.
    HighS,
    /// Well formed, but the equation does not hold.
    Equation,
}

/// The one answer of one admitted job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Algorithms that verify.
    Verdict(Verdict),
    /// Hashes and roots.
    Digest(&'a [u8; 32]),
    /// Recovery: the public key, x || y, big-endian.
    Key(&'a [u8; 64]),
    /// [`Algorithm::Null`]: done, nothing computed.
    Done,
    /// No answer was reached; never to be read as a verdict.
    Error(ItemError),
}

impl Outcome<'_> {
    /// Whether both say the same; the reason of an invalid one is left out.
    pub(crate) fn agrees(&self, other: &Outcome<'_>) -> bool {
        match (self, other) {
            (Outcome::Verdict(a), Outcome::Verdict(b)) => a.is_valid() == b.is_valid(),
            (a, b) => a == b,
        }
    }
}

/// State of one answered job; its value, if any, lies in the value column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Verdict(Verdict),
    Computed,
    Error(ItemError),
}

/// The answers of a batch, in the order of its jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    pub(crate) algorithm: Algorithm,
    pub(crate) states: Vec<State>,
    /// `algorithm.value_bytes()` bytes a job, zero where nothing was computed.
    pub(crate) values: Vec<u8>,
}

impl Answers {
    /// No answers yet, to be filled by the judge.
    pub fn blank(algorithm: Algorithm) -> Self {
        Answers::new(algorithm)
    }

    /// An empty set of answers, to be filled by the judge.
    pub fn new(algorithm: Algorithm) -> Self {
        Answers { algorithm, states: Vec::new(), values: Vec::new() }
    }

    /// Overwrites them with so many of the same, and blank values.
    pub(crate) fn begin(&mut self, algorithm: Algorithm, items: usize, state: State) {
        self.algorithm = algorithm;
        self.states.clear();
        self.states.resize(items, state);
        self.values.clear();
        self.values.resize(items * algorithm.value_bytes(), 0);
    }

    /// Digest of what is answered, reasons left out; each process has its own.
    pub fn digest(&self) -> u64 {
        use std::hash::{BuildHasher, Hash, Hasher, RandomState};
        static KEYS: std::sync::LazyLock<RandomState> = std::sync::LazyLock::new(RandomState::new);
        let mut hasher = KEYS.build_hasher();
        for state in &self.states {
            match state {
                State::Verdict(verdict) => verdict.is_valid().hash(&mut hasher),
                State::Computed => 2u8.hash(&mut hasher),
                State::Error(error) => error.hash(&mut hasher),
            }
        }
        self.values.hash(&mut hasher);
        hasher.finish()
    }

    /// Number of jobs answered.
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether the batch held no job.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// The algorithm that was run.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The outcome of job `index`; `None` past the end.
    pub fn get(&self, index: usize) -> Option<Outcome<'_>> {
        Some(match *self.states.get(index)? {
            State::Verdict(verdict) => Outcome::Verdict(verdict),
            State::Error(error) => Outcome::Error(error),
            State::Computed => match self.algorithm.value_bytes() {
                32 => Outcome::Digest(self.value(index)),
                64 => Outcome::Key(self.value(index)),
                _ => Outcome::Done,
            },
        })
    }

    /// All outcomes in job order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Outcome<'_>> {
        (0..self.len()).map(|index| self.get(index).expect("index is below len"))
    }

    /// Whether every job got [`Verdict::Valid`] or a computed value.
    pub fn all_well(&self) -> bool {
        self.states
            .iter()
            .all(|state| matches!(state, State::Verdict(Verdict::Valid) | State::Computed))
    }

    fn value<const N: usize>(&self, index: usize) -> &[u8; N] {
        self.values[index * N..][..N].try_into().expect("the slice has N bytes")
    }
}

/// A point that a device computed, in Jacobian coordinates: x = X / Z^2, y = Y / Z^3, infinity when
/// Z = 0. Each coordinate is four little-endian 64-bit words, below the field prime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Point {
    /// X.
    pub x: [u64; 4],
    /// Y.
    pub y: [u64; 4],
    /// Z; 1 where the device returns affine coordinates.
    pub z: [u64; 4],
}

/// What a device hands to the judge, one entry for each live item of the parsed batch, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Verdicts: from a device whose [`Capability`](crate::backend::Capability) says that it judges
    /// itself, which only the host's CPU may.
    Verdicts(Vec<Verdict>),
    /// The computed point R of ECDSA and BIP 340.
    Points(Vec<Point>),
    /// Recovered keys, x || y big-endian; all zero where none exists.
    Keys(Vec<[u8; 64]>),
    /// Digests and roots.
    Digests(Vec<[u8; 32]>),
    /// [`Algorithm::Null`].
    Nothing,
    /// Points or keys with roots, where [`Parsed::wants_roots`](crate::parsed::Parsed::wants_roots).
    Rooted(Box<Rooted>),
}

/// Evidence, and what spares the host most of the work that proving all of it takes beside the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rooted {
    /// Points or keys.
    pub evidence: Evidence,
    /// y of the point that each entry's operands name by x alone: of Q or, for recovery, of the
    /// signature's R. Four little-endian words below the field prime; zero where there is no such point.
    /// Of a key whose y is given nobody reads it.
    pub roots: Vec<Words>,
}

impl Evidence {
    /// Number of entries.
    pub fn len(&self) -> usize {
        match self {
            Evidence::Verdicts(all) => all.len(),
            Evidence::Points(all) => all.len(),
            Evidence::Keys(all) => all.len(),
            Evidence::Digests(all) => all.len(),
            Evidence::Nothing => 0,
            Evidence::Rooted(rooted) => rooted.evidence.len(),
        }
    }

    /// Takes the roots off, if there are any.
    pub fn take_roots(&mut self) -> Option<Vec<Words>> {
        match std::mem::replace(self, Evidence::Nothing) {
            Evidence::Rooted(rooted) => {
                let Rooted { evidence, roots } = *rooted;
                *self = evidence;
                Some(roots)
            }
            plain => {
                *self = plain;
                None
            }
        }
    }

    /// Whether the device says of an entry that there is no point or key.
    pub(crate) fn is_absent(&self, entry: usize) -> bool {
        match self {
            Evidence::Points(points) => points[entry].z == [0; 4],
            Evidence::Keys(keys) => keys[entry] == [0; 64],
            Evidence::Rooted(rooted) => rooted.evidence.is_absent(entry),
            _ => false,
        }
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of the spares that is of the kind that `algorithm` yields on the host's CPU, else an empty one.
    pub(crate) fn take(spares: &mut Vec<Evidence>, algorithm: Algorithm) -> Self {
        let fresh = Evidence::for_cpu(algorithm);
        let kind = std::mem::discriminant(&fresh);
        match spares.iter().rposition(|spare| std::mem::discriminant(spare) == kind) {
            Some(index) => spares.swap_remove(index),
            None => fresh,
        }
    }

    /// An empty evidence of the kind that `algorithm` yields on the host's CPU.
    pub fn for_cpu(algorithm: Algorithm) -> Self {
        match algorithm.value_bytes() {
            32 => Evidence::Digests(Vec::new()),
            64 => Evidence::Keys(Vec::new()),
            _ if algorithm == Algorithm::Null => Evidence::Nothing,
            _ => Evidence::Verdicts(Vec::new()),
        }
    }
}

//! What a correct device computes, remembered: kernels run once for each operand that comes up.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sigmill::algorithms::secp256k1::point::{OneLane, is_possible};
use sigmill::algorithms::secp256k1::{ecdsa, recover, schnorr};
use sigmill::algorithms::{keccak256, sha256};
use sigmill::dispatch::examine::Host;
use sigmill::error::Fault;
use sigmill::isa::Isa;
use sigmill::parsed::{Operands, Parsed};
use sigmill::verdict::{Evidence, Point};
use sigmill::{Algorithm, Answers, Batch, Reason, Verdict, referee};

use crate::items::Job;

pub const NONE: Point = Point { x: [0; 4], y: [0; 4], z: [0; 4] };

/// The host of a simulation, and what its devices know.
pub struct Truth {
    isa: Isa,
    points: Memo<u128, Point>,
    keys: Memo<u128, [u8; 64]>,
    lifted: Memo<[u64; 4], Point>,
    referee: Memo<(Algorithm, Vec<u8>), Answers>,
    /// One more than the entry that the next computation gets wrong; 0: none.
    flip: AtomicU64,
}

/// What is remembered of each kind.
const MOST: usize = 1 << 18;

struct Memo<K, V>(Mutex<HashMap<K, V>>);

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    fn new() -> Self {
        Memo(Mutex::new(HashMap::new()))
    }

    fn get(&self, key: K, compute: impl FnOnce() -> V) -> V {
        let mut map = self.0.lock().expect("no one panics with it");
        if map.len() >= MOST {
            return map.get(&key).cloned().unwrap_or_else(compute);
        }
        map.entry(key).or_insert_with(compute).clone()
    }
}

/// Two mixes of 64 bits: enough to tell a test's operands apart.
fn name(tag: u64, words: &[&[u64; 4]]) -> u128 {
    let (mut a, mut b) = (tag ^ 0x9e37_79b9_7f4a_7c15, !tag);
    for word in words.iter().copied().flatten() {
        a = (a ^ word).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29);
        b = (b.rotate_left(31) ^ word).wrapping_mul(0x94d0_49bb_1331_11eb);
    }
    u128::from(a ^ a >> 32) << 64 | u128::from(b ^ b >> 29)
}

/// The same point with Z = 1.
fn affine(point: Point) -> Point {
    let affine = OneLane::load(&point).to_affine();
    affine.map_or(NONE, |[x, y]| Point { x, y, z: [1, 0, 0, 0] })
}

impl Truth {
    pub fn new() -> Self {
        Truth {
            isa: Isa::PORTABLE,
            points: Memo::new(),
            keys: Memo::new(),
            lifted: Memo::new(),
            referee: Memo::new(),
            flip: AtomicU64::new(0),
        }
    }

    /// The next computation gets one entry wrong.
    pub fn flip_next(&self, entry: usize) {
        self.flip.store(entry as u64 + 1, Relaxed);
    }

    /// Whether that did not come about, which it then never will.
    pub fn unflip(&self) -> bool {
        self.flip.swap(0, Relaxed) != 0
    }

    fn point(&self, operands: &Operands, at: usize) -> Point {
        let name = match operands {
            Operands::Ecdsa(o) => {
                let tag = 1 + o.keys.form[at] as u64;
                let words = [&o.z[at], &o.r[at], &o.s[at], &o.keys.x[at], &o.keys.y[at]];
                name(tag, &words)
            }
            Operands::Schnorr(o) => name(9, &[&o.s[at], &o.e[at], &o.key[at]]),
            _ => unreachable!("signatures"),
        };
        self.points.get(name, || {
            let mut point = [NONE];
            match operands {
                Operands::Ecdsa(o) => ecdsa::points(self.isa, o, at..at + 1, &mut point),
                Operands::Schnorr(o) => schnorr::points(self.isa, o, at..at + 1, &mut point),
                _ => {}
            }
            affine(point[0])
        })
    }

    fn key(&self, operands: &Operands, at: usize) -> [u8; 64] {
        let Operands::Recover(o) = operands else { unreachable!("recoveries") };
        self.keys.get(name(o.parity[at].into(), &[&o.z[at], &o.r[at], &o.s[at]]), || {
            let mut key = [[0; 64]];
            recover::recover(self.isa, o, at..at + 1, &mut key);
            key[0]
        })
    }

    /// A point whose x is this, if there is one: what a liar echoes.
    pub fn lift(&self, x: &[u64; 4]) -> Point {
        self.lifted.get(*x, || {
            let mut bytes = [2; 33];
            bytes[1..].copy_from_slice(&sigmill::algorithms::secp256k1::integer::to_be(x));
            let read = secp256k1::PublicKey::from_slice(&bytes).ok();
            read.map_or(NONE, |key| {
                let all = key.serialize_uncompressed();
                let word = |at: usize| {
                    let bytes = all[at..at + 32].try_into().expect("32 bytes");
                    sigmill::algorithms::secp256k1::integer::from_be(bytes)
                };
                Point { x: word(1), y: word(33), z: [1, 0, 0, 0] }
            })
        })
    }

    /// What a correct accelerator sends for a range of a batch's entries.
    pub fn evidence(&self, batch: &Parsed, range: Range<usize>) -> Evidence {
        let messages = batch.batch().column(0);
        let hash: fn(&[u8]) -> [u8; 32] = match batch.algorithm() {
            Algorithm::Sha256 => sha256::hash,
            Algorithm::Keccak256 => keccak256::hash,
            _ => return self.evidence_in(batch.operands(), range),
        };
        Evidence::Digests(range.map(|at| hash(messages.get(at))).collect())
    }

    /// The same of bare operands.
    pub fn evidence_of(&self, operands: &Operands) -> Evidence {
        let items = match operands {
            Operands::Ecdsa(operands) => operands.s.len(),
            Operands::Schnorr(operands) => operands.s.len(),
            Operands::Recover(operands) => operands.s.len(),
            Operands::Columns => 0,
        };
        self.evidence_in(operands, 0..items)
    }

    fn evidence_in(&self, operands: &Operands, range: Range<usize>) -> Evidence {
        match operands {
            Operands::Recover(_) => {
                Evidence::Keys(range.map(|at| self.key(operands, at)).collect())
            }
            _ => Evidence::Points(range.map(|at| self.point(operands, at)).collect()),
        }
    }

    /// What the host's CPU sends for a range of a batch's entries: its own verdicts.
    pub fn own(&self, batch: &Parsed, range: Range<usize>) -> Evidence {
        let start = range.start;
        let judge = |(at, point): (usize, &Point)| match batch.operands() {
            _ if point.z == [0; 4] => INVALID,
            Operands::Ecdsa(operands) => judged(ecdsa::judge(operands, start + at, point)),
            Operands::Schnorr(operands) => judged(schnorr::judge(operands, start + at, point)),
            _ => unreachable!("points are of signatures"),
        };
        match self.evidence(batch, range) {
            Evidence::Points(all) => {
                Evidence::Verdicts(all.iter().enumerate().map(judge).collect())
            }
            other => other,
        }
    }
}

const INVALID: Verdict = Verdict::Invalid(Reason::Equation);

fn judged(verdict: Result<Verdict, Fault>) -> Verdict {
    verdict.expect("it is on the curve")
}

impl Host for Truth {
    fn compute(&self, batch: &Parsed) -> Evidence {
        let mut evidence = self.own(batch, 0..batch.live());
        let flip = self.flip.swap(0, Relaxed) as usize;
        if let (Some(flip), items @ 1..) = (flip.checked_sub(1), evidence.len()) {
            let at = flip % items;
            match &mut evidence {
                Evidence::Verdicts(all) => {
                    all[at] = if all[at].is_valid() { INVALID } else { Verdict::Valid };
                }
                Evidence::Keys(all) => all[at][7] ^= 1,
                Evidence::Digests(all) => all[at][7] ^= 1,
                _ => {}
            }
        }
        evidence
    }

    fn points(&self, operands: &Operands) -> Vec<Point> {
        match self.evidence_of(operands) {
            Evidence::Points(points) => points,
            _ => Vec::new(),
        }
    }

    /// The proof without its 2^-128: each entry compared with the truth.
    fn audit(&self, operands: &Operands, evidence: &Evidence) -> Vec<usize> {
        let wrong: Box<dyn Fn(usize) -> bool> = match evidence {
            Evidence::Points(points) if !matches!(operands, Operands::Recover(_)) => {
                Box::new(|at| {
                    let (claim, own) = (&points[at], self.point(operands, at));
                    *claim != own
                        && (!is_possible(claim) || !OneLane::load(claim).is(OneLane::load(&own)))
                })
            }
            Evidence::Keys(keys) if matches!(operands, Operands::Recover(_)) => {
                Box::new(|at| keys[at] != self.key(operands, at))
            }
            _ => Box::new(|_| true),
        };
        (0..evidence.len()).filter(|&at| wrong(at)).collect()
    }

    fn arbitrate(&self, batch: &Batch, job: usize) -> Answers {
        let mut fields = Vec::new();
        for column in 0..3 {
            let field = batch.column(column).get(job);
            fields.extend((field.len() as u32).to_le_bytes());
            fields.extend(field);
        }
        let key = (batch.algorithm(), fields);
        self.referee.get(key, || referee::answer(&Job::of(batch, job).batch()))
    }
}

//! No allocation on the data path once an engine is warm: every thread's allocations are counted.
//!
//! One test, so that no other runs beside it. Threads take turns as the system likes, and memory is kept for as many
//! batches as were ever under way at once: the least of a few rounds is what each batch takes.

mod support;

use std::alloc::System;
use std::collections::VecDeque;
use std::time::Duration;

use sigmill::algorithms::merkle::{self, Node};
use sigmill::backend::device::Device;
use sigmill::{Algorithm, Batch, Engine, Job, Terms, Trust, backend};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use support::EvidenceBackend;
use support::signed::{self, ECDSA, RECOVER, SCHNORR};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 3;
const IN_FLIGHT: usize = 4;
const LEAVES: usize = 100;

/// Hand-overs from outside to one block of the queue before rayon's threads.
const BLOCK: usize = 63;

#[test]
fn a_warm_engine_allocates_nothing() {
    inline();
    parsed_through_a_lane();
    raw_through_a_lane();
    through_an_accelerator();
}

/// Raw batches on the caller's thread, each in the memory of the one before.
fn inline() {
    let null = null(true);
    for jobs in [1, 64, 1_024] {
        let mut kept = Some(nothing(jobs));
        let row = least(&null, jobs, 1_000, 0, || kept = Some(again(&null, kept.take())));
        assert_eq!(row, Row { more: 0, lane: 0 }, "{jobs} jobs of nothing");
    }
    let cpu = cpu();
    for algorithm in [Algorithm::Sha256, Algorithm::Keccak256, ECDSA, SCHNORR, RECOVER] {
        for jobs in [1, 3] {
            let mut kept = Some(some(algorithm, jobs));
            // Where the lane seemed faster, it took a box.
            let row = least(&cpu, jobs, 50, 1, || kept = Some(again(&cpu, kept.take())));
            row.check(2, &format!("{jobs} of {algorithm:?}"));
        }
    }
    assert!(
        cpu.snapshot().devices[0].inline_items > 0,
        "small batches run on their caller's thread"
    );
}

/// Batches parsed before, several in flight.
fn parsed_through_a_lane() {
    let null = null(false);
    for jobs in [1, 1_024] {
        let parsed = null.parse(nothing(jobs));
        let mut tickets = VecDeque::with_capacity(IN_FLIGHT);
        let row = least(&null, jobs, 2_000, 0, || {
            let ticket = null.submit_parsed(parsed.clone(), Terms::default());
            tickets.push_back(ticket.expect("room"));
            if tickets.len() == IN_FLIGHT {
                tickets.pop_front().expect("some are in flight").wait();
            }
        });
        assert!(row.lane > 1_900 && row.more == 0, "{jobs} jobs of nothing: {row:?}");
    }
    let cpu = cpu();
    for (algorithm, jobs) in LARGE {
        let parsed = cpu.parse(some(algorithm, jobs));
        let row = least(&cpu, jobs, BLOCK, 0, || {
            let ticket = cpu.submit_parsed(parsed.clone(), Terms::default()).expect("room");
            assert!(ticket.wait().answers().all_well());
        });
        // The lane's hand-over to the pool.
        row.check(1, &format!("{jobs} of {algorithm:?}, parsed"));
    }
}

/// Raw batches, parsed on the pool's threads, through the lane, each in the memory of the one before.
fn raw_through_a_lane() {
    let cpu = cpu();
    for (algorithm, jobs) in LARGE {
        let mut kept = Some(some(algorithm, jobs));
        // Rayon boxes the job that parses; that one and the lane's are handed over to the pool.
        let row = least(&cpu, jobs, BLOCK, 1, || kept = Some(again(&cpu, kept.take())));
        row.check(2, &format!("{jobs} of {algorithm:?}, raw"));
    }
    let cpu = &cpu.snapshot().devices[0];
    assert!(cpu.items > cpu.inline_items, "large batches run in the lane");
}

/// Pieces for a device are copied, and their evidence examined, in lists of their own: how many does not depend on
/// how long they are.
fn through_an_accelerator() {
    let device = Device::admit(|| Ok(Box::new(EvidenceBackend::default()))).expect("it is correct");
    let engine = Engine::builder().threads(2).cpu(false).device(device).probation(Duration::ZERO);
    let engine = engine.open().expect("an engine");
    for trust in [Trust::Fast, Trust::Checked, Trust::Audited] {
        let [few, many] = [256, 2_048].map(|jobs| {
            let parsed = engine.parse(some(ECDSA, jobs));
            let row = least(&engine, jobs, BLOCK, 0, || {
                let ticket = engine.submit_parsed(parsed.clone(), Terms::default().trust(trust));
                assert!(ticket.expect("room").wait().answers().all_well());
            });
            println!("{jobs} through a device, {trust}: {} a batch", row.more / BLOCK);
            row.more / BLOCK
        });
        assert!(few <= 64 && many <= few + 8, "{trust}: {few}, {many} in longer batches");
    }
}

/// Has a batch answered, and gives it back.
fn again(engine: &Engine, batch: Option<Batch>) -> Batch {
    let batch = refill(batch.expect("kept"));
    let answered = engine.submit(batch, Terms::default()).expect("room").wait();
    assert!(answered.answers().all_well());
    answered.into_batch()
}

/// Too much for the caller's thread; a few are parsed in pieces.
const LARGE: [(Algorithm, usize); 6] = [
    (Algorithm::Sha256, 20_000),
    (Algorithm::MerkleRootSha256d, 300),
    (Algorithm::MerkleProofSha256d, 2_000),
    (ECDSA, 300),
    (SCHNORR, 2_100),
    (RECOVER, 300),
];

fn null(inline: bool) -> Engine {
    let device = backend::null::device(inline).expect("null");
    Engine::builder().threads(1).cpu(false).device(device).open().expect("an engine")
}

fn cpu() -> Engine {
    Engine::builder().threads(2).open().expect("an engine")
}

fn nothing(jobs: usize) -> Batch {
    let mut batch = Batch::open(Algorithm::Null);
    for _ in 0..jobs {
        batch.push(Job::Null).expect("room");
    }
    batch.seal()
}

/// Valid signatures, valid proofs, trees of 100 leaves, or messages of 80 bytes.
fn some(algorithm: Algorithm, jobs: usize) -> Batch {
    let leaves: Vec<Node> = (0..LEAVES).map(|leaf| [leaf as u8; 32]).collect();
    let mut batch = Batch::open(algorithm);
    for job in 0..jobs {
        let pushed = match algorithm {
            Algorithm::MerkleProofSha256d => {
                let path = merkle::path(&leaves, job % LEAVES).expect("a leaf");
                let (leaf, index) = (&leaves[job % LEAVES], (job % LEAVES) as u32);
                batch.push(Job::MerkleProof {
                    leaf,
                    index,
                    path: &path,
                    root: &merkle::root(&leaves),
                })
            }
            Algorithm::MerkleRootSha256d => batch.push(Job::MerkleRoot { leaves: &leaves }),
            _ if algorithm.value_bytes() == 32 => {
                batch.push(Job::Hash { message: &[job as u8; 80] })
            }
            _ => return support::batch(algorithm, &signed::jobs(algorithm, jobs, 5).0),
        };
        pushed.expect("room");
    }
    batch.seal()
}

/// Pushes a batch's jobs into its own memory.
fn refill(batch: Batch) -> Batch {
    match batch.algorithm() {
        Algorithm::Sha256 | Algorithm::Keccak256 => {
            let jobs = batch.len();
            let mut open = batch.reopen();
            for job in 0..jobs {
                open.push(Job::Hash { message: &[job as u8; 80] }).expect("room");
            }
            open.seal()
        }
        _ => batch,
    }
}

/// What a round allocated.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    /// Beyond what each batch in the lane may.
    more: usize,
    /// Batches that went through the lane.
    lane: usize,
}

impl Row {
    /// No more than what the queue before the pool takes for so many hand-overs of each batch in the lane.
    fn check(&self, hand_overs: usize, what: &str) {
        let most = if self.lane == 0 { 0 } else { hand_overs * (self.lane / BLOCK + 1) };
        println!("{what}: {self:?}");
        assert!(self.more <= most, "{what}: {self:?}");
    }
}

/// The round that allocates least, of so many calls each; after as many to warm up. A batch of so many jobs that goes
/// through the lane may allocate `boxes` times.
fn least(engine: &Engine, jobs: usize, calls: usize, boxes: usize, mut call: impl FnMut()) -> Row {
    let through_the_lane = || {
        let device = &engine.snapshot().devices[0];
        (device.batches - device.inline_items / jobs as u64) as usize
    };
    (0..calls).for_each(|_| call());
    let round = |_| {
        let before = through_the_lane();
        let region = Region::new(ALLOCATOR);
        (0..calls).for_each(|_| call());
        let change = region.change();
        let lane = through_the_lane() - before;
        let all = change.allocations + change.reallocations;
        Row { more: all.saturating_sub(boxes * lane), lane }
    };
    (0..ROUNDS).map(round).min_by_key(|row| row.more).expect("some rounds")
}

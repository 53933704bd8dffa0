//! Mixed load at a bounded rate through the CPU and a device that fails in another way every second: no answer is
//! lost, doubled or wrong, and nothing grows.
//!
//! `SIGMILL_SOAK=seconds` sets how long; from ten minutes on a fault comes every ten seconds.

mod support;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sigmill::error::ItemError;
use sigmill::isa::Isa;
use sigmill::{Algorithm, Answers, Batch, Class, Engine, Job, Outcome, Source, Terms, referee};

use support::failing::{self, Failure, must_come};
use support::signed::{self, ECDSA, RECOVER, SCHNORR, spoil};
use support::{answer, batch, combined, cpu};

const THREADS: u64 = 3;
/// Batches that a thread has in flight at most.
const IN_FLIGHT: usize = 4;
/// A thread's pause between two batches.
const PAUSE: Duration = Duration::from_millis(5);
/// Growth of the resident set that counts as none, from the second quarter of the time to the last.
const SLACK: u64 = 24 << 20;

/// A batch and its answers.
type Known = (Batch, Answers);

#[test]
fn nothing_is_lost_doubled_or_wrong_and_nothing_grows() {
    let seconds = std::env::var("SIGMILL_SOAK").map(|text| text.parse().expect("seconds"));
    let seconds: u64 = seconds.unwrap_or(120);
    let pause = Duration::from_secs(if seconds >= 600 { 10 } else { 1 });
    let batches = known();
    let proofs = std::env::temp_dir().join(format!("sigmill-soak-{}", std::process::id()));
    let (device, control) = failing::device(Duration::from_millis(200));
    let engine = Engine::builder().threads(1).device(device).proofs(&proofs);
    // The device is faster than the CPU, and healthy soon: it has real work, and its pauses begin anew.
    let engine = engine.isa(Isa::PORTABLE).probation(Duration::from_millis(1)).open();
    let engine = engine.expect("an engine");
    let (stops, jobs, cancelled) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (mut faults, mut samples) = (0, Vec::new());
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..THREADS)
            .map(|seed| {
                let (engine, batches) = (&engine, &batches);
                let (stops, jobs, cancelled) = (&stops, &jobs, &cancelled);
                scope.spawn(move || submit(engine, batches, seed, stops, jobs, cancelled))
            })
            .collect();
        let mut random = StdRng::seed_from_u64(7);
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(seconds) {
            if engine.snapshot().devices[1].serves() {
                control.fail(Failure::ALL[faults % Failure::ALL.len()]);
                faults += 1;
            }
            std::thread::sleep(pause.mul_f64(random.random_range(0.5..1.5)));
            samples.push(Usage::now());
            assert!(engine.snapshot().counters.balance());
            // A thread that found something wrong ends the run.
            if running.iter().any(|thread| thread.is_finished()) {
                break;
            }
        }
        stops.store(true, Ordering::Relaxed);
    });
    let snapshot = engine.snapshot();
    let counters = snapshot.counters;
    println!("{seconds} s, {faults} faults requested: {counters:?}\n{:?}", snapshot.devices);
    assert!(counters.balance() && counters.in_flight == 0);
    assert_eq!(counters.submitted, jobs.into_inner(), "each job is admitted once");
    assert_eq!(
        counters.answered.errors,
        cancelled.into_inner(),
        "and only those given up lack one"
    );
    let device = &snapshot.devices[1];
    let works = device.batches >= 10 * device.faults && device.faults as usize * 3 >= faults;
    assert!(works && faults > 3, "it works, and it fails: {device:?}");
    flat(&samples);
    assert!(engine.shut_down(Duration::from_secs(60)));
    if proofs.exists() {
        std::fs::remove_dir_all(proofs).expect("it is ours");
    }
}

/// Batches of all kinds, each with the answers of the CPU, which the referee confirms.
fn known() -> Vec<Known> {
    let cpu = cpu();
    let mut random = StdRng::seed_from_u64(3);
    let mut batches = Vec::new();
    for jobs in [1, 20, 300] {
        for algorithm in [ECDSA, SCHNORR, RECOVER] {
            let (mut all, odd) = signed::jobs(algorithm, jobs, jobs as u64);
            all.iter_mut().filter(|_| random.random_range(0..20) == 0).for_each(spoil);
            batches.push(batch(algorithm, &all));
            if algorithm != RECOVER {
                batches.push(combined(algorithm, &all, |job| odd[job]));
            }
        }
        for algorithm in [Algorithm::Sha256, Algorithm::Sha256d, Algorithm::Keccak256] {
            let mut open = Batch::open(algorithm);
            for job in 0..10 * jobs {
                open.push(Job::Hash { message: &[job as u8; 80] }).expect("room");
            }
            batches.push(open.seal());
        }
    }
    let known = batches.into_iter().map(|batch| {
        let answers = answer(&cpu, batch.clone());
        assert_eq!(referee::disagreement(&batch, &answers), None);
        (batch, answers)
    });
    known.collect()
}

fn submit(
    engine: &Engine,
    batches: &[Known],
    seed: u64,
    stops: &AtomicBool,
    jobs: &AtomicU64,
    cancelled: &AtomicU64,
) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut flying = std::collections::VecDeque::new();
    loop {
        let ends = stops.load(Ordering::Relaxed);
        if flying.len() == IN_FLIGHT || ends {
            let Some((ticket, index, gave_up)) = flying.pop_front() else { return };
            let answered = must_come(ticket);
            let (batch, answers): &Known = &batches[index];
            let missing = answered.answers().iter().filter(|o| matches!(o, Outcome::Error(_)));
            let missing = missing.count();
            if missing > 0 {
                let all = Outcome::Error(ItemError::Cancelled);
                assert!(gave_up && answered.answers().iter().all(|outcome| outcome == all));
                cancelled.fetch_add(missing as u64, Ordering::Relaxed);
            } else {
                assert!(same(answered.answers(), answers), "wrong: {:?}", batch.shape());
            }
            assert_eq!(answered.answers().len(), batch.len());
            if ends {
                continue;
            }
        }
        let index = random.random_range(0..batches.len());
        let class = [Class::Consensus, Class::Mempool, Class::Sync][random.random_range(0..3)];
        let terms = Terms::default().class(class).source(Source(random.random_range(0..10)));
        let batch = batches[index].0.clone();
        jobs.fetch_add(batch.len() as u64, Ordering::Relaxed);
        let ticket = engine.submit(batch, terms).expect("far below the limits");
        let gives_up = random.random_range(0..50) == 0;
        if gives_up {
            ticket.cancel();
        }
        flying.push_back((ticket, index, gives_up));
        std::thread::sleep(PAUSE);
    }
}

/// Whether both say the same; of a false signature the reason may differ.
fn same(a: &Answers, b: &Answers) -> bool {
    a.iter().zip(b.iter()).all(|pair| match pair {
        (Outcome::Verdict(a), Outcome::Verdict(b)) => a.is_valid() == b.is_valid(),
        (a, b) => a == b,
    })
}

/// What the process holds.
#[derive(Clone, Copy, Debug)]
struct Usage {
    bytes: u64,
    threads: usize,
    files: usize,
}

impl Usage {
    /// `None` where the system does not say.
    fn now() -> Option<Usage> {
        let count = |folder: &str| Some(PathBuf::from(folder).read_dir().ok()?.count());
        let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
        let pages: u64 = pages.split_whitespace().nth(1)?.parse().ok()?;
        let (threads, files) = (count("/proc/self/task")?, count("/proc/self/fd")?);
        Some(Usage { bytes: pages * 4_096, threads, files })
    }
}

/// Nothing grows from the second quarter to the last.
fn flat(samples: &[Option<Usage>]) {
    let Some(samples) = samples.iter().copied().collect::<Option<Vec<_>>>() else {
        println!("skipped: memory, threads and files: there is no /proc");
        return;
    };
    let quarter = samples.len() / 4;
    assert!(quarter >= 2, "too short to tell: {} samples", samples.len());
    // The most bytes; the fewest threads and files, for those that let an old device go are there for a moment.
    let held = |part: &[Usage]| {
        part.iter().fold((0, usize::MAX, usize::MAX), |(bytes, threads, files), usage| {
            (bytes.max(usage.bytes), threads.min(usage.threads), files.min(usage.files))
        })
    };
    let (early, late) = (held(&samples[quarter..2 * quarter]), held(&samples[3 * quarter..]));
    println!("bytes, threads, files: {early:?}, then {late:?}");
    assert!(late.0 <= early.0 + SLACK, "memory grows: {early:?}, {late:?}");
    assert!(late.1 <= early.1, "threads grow: {early:?}, {late:?}");
    assert!(late.2 <= early.2, "files grow: {early:?}, {late:?}");
}

//! The hash cores against the referees, and the cycles they take.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use crate::icarus::{Core, Job, Pace, Passed, has, run};

const SHA256: Core = Core { module: "sha256", parameters: "" };
const SHA256D: Core = Core { module: "sha256d", parameters: "" };
const KECCAK256: Core = Core { module: "keccak256", parameters: "" };

/// Cycles a job may wait at the two ends of a core.
const ENDS: u64 = 8;

#[test]
fn sha256_of_any_length() {
    let jobs = sha256_jobs(90);
    both_paces("sha256_of_any_length", SHA256, &jobs, |passed| {
        let blocks = compressions(&jobs);
        assert_eq!(passed.busy, 66 * blocks);
        assert!(passed.cycles <= 66 * blocks + ENDS, "{passed:?} of {blocks} blocks");
    });
}

#[test]
fn sha256_jobs_of_one_block_follow_each_other() {
    let jobs: Vec<_> = (0..50).map(|length| sha256_job(&[length; 55], false)).collect();
    both_paces("sha256_of_one_block", SHA256, &jobs, |passed| {
        assert!(passed.cycles <= 66 * 50 + ENDS, "{passed:?}");
    });
}

#[test]
fn sha256d_takes_a_message_a_cycle() {
    let jobs = sha256d_jobs(600);
    both_paces("sha256d_full", SHA256D, &jobs, |passed| {
        assert!(passed.cycles < 600 + 3 * 65 + ENDS, "{passed:?}");
    });
}

#[test]
fn sha256d_divided_computes_the_same() {
    let jobs = sha256d_jobs(150);
    for (test, parameters, every) in
        [("sha256d_16", "#(.STAGES(16))", 4), ("sha256d_1", "#(.STAGES(1))", 64)]
    {
        both_paces(test, Core { parameters, ..SHA256D }, &jobs, |passed| {
            assert!(passed.cycles < (150 + 3 * (64 / every + 1) + 2) * every, "{passed:?}");
        });
    }
}

#[test]
fn keccak256_of_any_length() {
    let jobs = keccak256_jobs(80);
    both_paces("keccak256_of_any_length", KECCAK256, &jobs, |passed| {
        let blocks: u64 = jobs.iter().map(|job| job.lines.len() as u64 / 3).sum();
        assert_eq!(passed.busy, 25 * blocks);
        assert!(passed.cycles <= 25 * blocks + ENDS, "{passed:?} of {blocks} blocks");
    });
}

#[test]
fn a_testbench_can_fail() {
    if !has(&["iverilog", "vvp"]) {
        return;
    }
    let jobs = sha256_jobs(6);
    let fails = |jobs: &[Job], why: &str| {
        let said = run("a_testbench_can_fail", SHA256, jobs, Pace::Full).expect_err("it fails");
        assert!(said.contains(why), "{said}");
    };
    // A bit of a digest, one outside of it, and a mark.
    for bit in [0, 255, 256, 767] {
        let mut wrong = jobs.clone();
        wrong[4].payload.resize(96, 0);
        wrong[4].payload[bit / 8] ^= 1 << (bit % 8);
        fails(&wrong, "FAIL wrong: job 4");
    }
    let mut wrong = jobs.clone();
    wrong[5].wide = true;
    fails(&wrong, "FAIL wrong: job 5");
    // An answer that never comes: the job has no block.
    let mut wrong = jobs;
    wrong[5].lines.pop();
    fails(&wrong, "FAIL stuck");
}

/// At full speed, where the cycles count, and with pauses.
fn both_paces(test: &str, core: Core, jobs: &[Job], cycles: impl Fn(&Passed)) {
    if !has(&["iverilog", "vvp"]) {
        return;
    }
    for pace in [Pace::Full, Pace::Paused(1), Pace::Paused(2)] {
        let passed = run(test, core, jobs, pace).unwrap_or_else(|said| panic!("{test}: {said}"));
        assert_eq!(passed.jobs, jobs.len() as u64);
        if let Pace::Full = pace {
            println!("{test}: {passed:?}");
            cycles(&passed);
        }
    }
}

fn sha256_jobs(count: usize) -> Vec<Job> {
    let mut rng = StdRng::seed_from_u64(0x256);
    let edges = [0, 1, 55, 56, 63, 64, 119, 120, 127, 128];
    let mut job = |index: usize| {
        let length = edges.get(index / 2).copied().unwrap_or_else(|| rng.random_range(0..400));
        let message: Vec<u8> = (0..length).map(|_| rng.random()).collect();
        sha256_job(&message, index % 2 == 1)
    };
    (0..count).map(&mut job).collect()
}

fn sha256_job(message: &[u8], again: bool) -> Job {
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((message.len() + 9).next_multiple_of(64) - 8, 0);
    padded.extend((8 * message.len() as u64).to_be_bytes());
    let mut header = [0; 64];
    header[..2].copy_from_slice(&[1, again.into()]);
    let lines = [&[header], padded.as_chunks().0].concat();
    let digest = Sha256::digest(message);
    let payload = if again { Sha256::digest(digest) } else { digest }.to_vec();
    Job { lines, payload, wide: false }
}

/// Blocks of all jobs, digests hashed again included.
fn compressions(jobs: &[Job]) -> u64 {
    jobs.iter().map(|job| (job.lines.len() - 1) as u64 + u64::from(job.lines[0][1])).sum()
}

fn sha256d_jobs(count: usize) -> Vec<Job> {
    let mut rng = StdRng::seed_from_u64(0x256d);
    let mut job = || {
        let message: [u8; 64] = std::array::from_fn(|_| rng.random());
        let payload = Sha256::digest(Sha256::digest(message)).to_vec();
        Job { lines: vec![message], payload, wide: false }
    };
    (0..count).map(|_| job()).collect()
}

fn keccak256_jobs(count: usize) -> Vec<Job> {
    let mut rng = StdRng::seed_from_u64(0x1600);
    let edges: [usize; 8] = [0, 1, 134, 135, 136, 137, 271, 272];
    let mut job = |index: usize| {
        let length = edges.get(index).copied().unwrap_or_else(|| rng.random_range(0..600));
        let message: Vec<u8> = (0..length).map(|_| rng.random()).collect();
        let mut padded = message.clone();
        padded.push(1);
        padded.resize((length + 1).next_multiple_of(136), 0);
        *padded.last_mut().expect("a block") |= 0x80;
        let mut lines = vec![[0; 64]];
        for block in padded.chunks(136) {
            let mut wide = block.to_vec();
            wide.resize(192, 0);
            lines.extend_from_slice(wide.as_chunks().0);
        }
        Job { lines, payload: Keccak256::digest(&message).to_vec(), wide: false }
    };
    (0..count).map(&mut job).collect()
}

//! Batches there and back.

use std::time::Duration;

use sigmill::backend::isolated::{self, LEAST_SLOT, Options, SLOTS};
use sigmill::error::EngineError;
use sigmill::{Algorithm, Batch, Engine, Job, Terms, referee};

use crate::jobs::{ECDSA, algorithms, jobs, some};
use crate::support::{Owned, answer, answer_in_every_form, batch, cpu};
use crate::{alone, options};

/// The smallest slots, and usual ones.
fn sizes() -> [Options; 2] {
    [Options { bytes: SLOTS * LEAST_SLOT, ..options("evidence") }, options("evidence")]
}

/// Faults would be hidden by the last resort.
fn assert_faultless(engine: &Engine) {
    for device in engine.snapshot().devices {
        assert!(device.name == "evidence" && device.faults == 0 && device.items > 0, "{device:?}");
    }
}

#[test]
fn every_algorithm_computes_what_it_computes_here() {
    let here = cpu();
    for options in sizes() {
        let engine = alone(isolated::device(options.clone()).expect("it is correct"));
        for algorithm in algorithms() {
            for (seed, count) in [0, 1, 2, 25, 26, 1_000].into_iter().enumerate() {
                let batch = some(algorithm, count, seed as u64);
                let answers = answer(&engine, batch.clone());
                assert_eq!(answers, answer(&here, batch.clone()), "{algorithm}, {count} jobs");
                assert_eq!(referee::disagreement(&batch, &answers), None);
            }
        }
        assert_faultless(&engine);
    }
}

#[test]
fn pinned_and_combined_batches_travel_as_plain_ones() {
    let here = cpu();
    for options in sizes() {
        let engine = alone(isolated::device(options).expect("it is correct"));
        for algorithm in algorithms() {
            if matches!(algorithm, Algorithm::EcdsaSecp256k1(_) | Algorithm::SchnorrBip340) {
                let jobs = jobs(algorithm, 200, 3);
                let answers = answer_in_every_form(&engine, algorithm, &jobs);
                assert_eq!(answers, answer(&here, batch(algorithm, &jobs)), "{algorithm}");
            }
        }
        assert_faultless(&engine);
    }
}

/// Messages longer than a slot, alone and among others, and a tree of more leaves than one holds.
#[test]
fn nothing_is_too_long_for_a_slot() {
    let engine = alone(isolated::device(sizes()[0].clone()).expect("it is correct"));
    let message = |length: usize| Owned(vec![(0..length).map(|i| ((i * i) >> 3) as u8).collect()]);
    let lengths =
        [0, 1, LEAST_SLOT - 4, LEAST_SLOT - 3, LEAST_SLOT, 3 * LEAST_SLOT + 7, 1 << 20, 0, 5];
    let messages: Vec<_> = lengths.into_iter().map(message).collect();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha256d, Algorithm::Keccak256] {
        for message in &messages {
            let batch = batch(algorithm, [message]);
            assert_eq!(referee::disagreement(&batch, &answer(&engine, batch.clone())), None);
        }
        let batch = batch(algorithm, &messages);
        assert_eq!(referee::disagreement(&batch, &answer(&engine, batch.clone())), None);
    }
    let tree = batch(Algorithm::MerkleRootSha256d, &[message(32 * 10_001), message(32)]);
    assert_eq!(referee::disagreement(&tree, &answer(&engine, tree.clone())), None);
    assert_faultless(&engine);
}

/// More batches than slots at a time, from several threads, on a device that rejects most offers.
#[test]
fn many_in_flight_keep_apart() {
    for how in ["evidence", "busy"] {
        let bytes = SLOTS * LEAST_SLOT;
        let device = isolated::device(Options { bytes, ..options(how) });
        let engine = alone(device.expect("it is correct"));
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let engine = &engine;
                scope.spawn(move || {
                    let algorithms: Vec<_> = algorithms().collect();
                    let some = |at: usize| some(algorithms[at % 13], 60 + at, seed);
                    let tickets: Vec<_> = (0..26)
                        .map(|at| engine.submit(some(at), Terms::default()).expect("room"))
                        .collect();
                    for ticket in tickets {
                        let answered = ticket.wait();
                        let (batch, answers) = (answered.batch(), answered.answers());
                        assert_eq!(referee::disagreement(batch, answers), None);
                        assert!(answers.len() == batch.len());
                    }
                });
            }
        });
        assert_faultless(&engine);
    }
}

#[test]
fn it_says_what_and_where_it_is() {
    let device = isolated::device(options("evidence")).expect("it is correct");
    assert_eq!(device.name(), "evidence");
    assert_eq!(device.description(), "a correct device, in a process of its own");
    let details = device.details();
    let detail = |name| &details.iter().find(|(own, _)| *own == name).expect("it is there").1;
    let pid: u32 = detail("process").parse().expect("a number");
    assert_ne!(pid, std::process::id());
    assert_eq!(detail("shared memory"), "65536 KiB in 8 slots");
    // Proofs are judged where they are computed, which only the host may.
    let served: Vec<_> = device.capabilities().iter().map(|c| c.algorithm).collect();
    assert_eq!(served, algorithms().collect::<Vec<_>>());
    assert!(device.capabilities().iter().all(|capability| !capability.judges));
}

/// What opening says comes through.
#[test]
fn a_device_that_cannot_be_opened_says_why() {
    let open = |options: Options| match isolated::device(options) {
        Err(EngineError::Absent { device, why }) => format!("{device} absent: {why}"),
        Err(EngineError::Device { device, why }) => format!("{device}: {why}"),
        other => panic!("{other:?}"),
    };
    assert_eq!(open(options("absent")), "absent absent: it is elsewhere");
    assert_eq!(open(options("broken")), "broken: it is bent");
    assert_eq!(open(options("judge")), "judge: it serves nothing with evidence");
    assert_eq!(open(options("exit")), "exit: its process ended: exit status: 3");
    assert_eq!(open(options("panic")), "panic: its process ended: exit status: 101");
    assert_eq!(open(options("mute")), "mute: its process hung up");
    assert_eq!(open(options("noise")), "noise: its process is of another build, or sends nonsense");
    let patience = Duration::from_millis(500);
    assert_eq!(
        open(Options { patience, ..options("hang") }),
        "hang: its process did not open it within 0.5 s"
    );
    let none: [&str; 0] = [];
    let gone = Options::new("x").program("/nowhere/sigmill", none);
    assert_eq!(open(gone), "x: /nowhere/sigmill: No such file or directory (os error 2)");
    let other = open(Options::new("x").program("true", none));
    assert_eq!(other, "x: its process ended: exit status: 0");
    assert!(open(Options::new("gpu")).contains("not the command"), "this is a test");
    let endless = Options { patience: Duration::MAX, ..options("broken") };
    assert_eq!(open(endless), "broken: it is bent");
    let few = Options { bytes: SLOTS * LEAST_SLOT - 1, ..options("evidence") };
    assert_eq!(open(few), "evidence: shared memory takes 32768 bytes at least");
    assert!(open(options(&"x".repeat(2_000))).contains("at most"));
}

/// The command's own child.
#[cfg(feature = "cli")]
#[test]
fn the_command_isolates() {
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sigmill"));
        command.args(arguments).env_remove("SIGMILL_REQUIRE").output().expect("it runs")
    };
    let check = run(&["check", "--backend", "gpu=software", "--isolate", "--json"]);
    if check.status.code() == Some(4) {
        let why = String::from_utf8_lossy(&check.stderr).into_owned();
        assert!(!crate::support::is_required("gpu"), "SIGMILL_REQUIRE lists gpu: {why}");
        println!("skipped: the command's device in a process of its own: {why}");
    } else {
        let line: serde_json::Value = serde_json::from_slice(&check.stdout).expect("one object");
        assert_eq!((check.status.code(), &line["ok"]), (Some(0), &true.into()));
        assert_eq!(line["signatures"]["valid"], 3_438);
        assert!(line["devices"]["gpu=software"].as_u64() >= Some(3_438), "{line}");
        let devices = run(&["devices", "--isolate", "--backend", "gpu=software"]);
        let told = String::from_utf8_lossy(&devices.stdout).into_owned();
        assert!(told.contains("in a process of its own"), "{told}");
    }
    assert_eq!(run(&["check", "--backend", "cpu", "--isolate"]).status.code(), Some(2));
    assert_eq!(run(&["device-child"]).status.code(), Some(1));
}

/// An empty batch of the algorithm that computes nothing, and of one that does.
#[test]
fn empty_batches_come_back() {
    let engine = alone(isolated::device(options("evidence")).expect("it is correct"));
    assert_eq!(answer(&engine, Batch::open(ECDSA).seal()).len(), 0);
    // All jobs malformed: nothing is live.
    let mut batch = Batch::open(ECDSA);
    batch.push(Job::Ecdsa { message: &[1; 32], signature: &[0; 63], key: &[2; 33] }).expect("room");
    let batch = batch.seal();
    assert_eq!(referee::disagreement(&batch, &answer(&engine, batch.clone())), None);
    assert!(engine.snapshot().devices.iter().all(|device| device.faults == 0));
}

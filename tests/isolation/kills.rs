//! Children killed at random points, a hundred times: nothing lost, nothing twice, no wrong verdict.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rustix::process::Signal;
use sigmill::backend::isolated::{self, Options, SLOTS};
use sigmill::backend::{Backend, BatchId};
use sigmill::error::{EngineError, Fault};
use sigmill::parsed::Parsed;
use sigmill::verdict::Evidence;
use sigmill::{Algorithm, Batch, Engine, Terms, Ticket, referee};

use crate::jobs::{ECDSA, some};
use crate::support::{EvidenceBackend, answer, cpu, is_required};
use crate::{Note, alone, options, send, wait_for_health};

/// What a correct device yields.
fn evidence(batch: &Arc<Parsed>) -> Evidence {
    let mut device = EvidenceBackend::default();
    device.submit(BatchId(1), batch.clone()).expect("room");
    device.poll().expect("it is done").result.expect("it is correct")
}

/// Eighty kills of a backend with all its slots in use: each batch comes back once, right or as a fault,
/// and what comes after is a fault at once.
#[test]
fn a_killed_child_answers_each_batch_once() {
    let algorithms = [ECDSA, Algorithm::SchnorrBip340, Algorithm::Keccak256];
    let batches: Vec<_> = (0..SLOTS)
        .map(|at| Arc::new(Parsed::parse(some(algorithms[at % 3], 20 + 5 * at, at as u64))))
        .collect();
    let expected: Vec<_> = batches.iter().map(evidence).collect();
    let mut random = StdRng::seed_from_u64(4);
    let (mut right, mut faults) = (0, 0);
    for round in 0..80 {
        let note = Note::new();
        let bytes = if round % 2 == 0 { 8 << 12 } else { 64 << 20 };
        let options = Options { bytes, ..options(&note.name("evidence")) };
        let mut backend = isolated::backend(&options).expect("it opens");
        for (at, batch) in batches.iter().enumerate() {
            backend.submit(BatchId(at as u64), batch.clone()).expect("room");
        }
        assert!(backend.submit(BatchId(99), batches[0].clone()).is_err(), "it is full");
        let kill = Instant::now() + Duration::from_micros(random.random_range(0..25_000));
        let mut killed = false;
        let mut done = HashMap::new();
        while done.len() < SLOTS {
            if !killed && Instant::now() >= kill {
                send(note.pid(), Signal::KILL);
                killed = true;
            }
            match backend.poll() {
                Some(completion) => {
                    let twice = done.insert(completion.id.0, completion.result);
                    assert!(twice.is_none(), "batch {} came back twice", completion.id.0);
                }
                None => backend.wait(Instant::now() + Duration::from_millis(1)),
            }
        }
        assert!(backend.poll().is_none());
        for (id, result) in done {
            match result {
                Ok(evidence) => {
                    assert!(evidence == expected[id as usize], "round {round}: batch {id}");
                    right += 1;
                }
                Err(fault) => {
                    assert!(matches!(fault, Fault::Device(_)), "{fault:?}");
                    faults += 1;
                }
            }
        }
        send(note.pid(), Signal::KILL);
        backend.submit(BatchId(100), batches[0].clone()).expect("room");
        let last = loop {
            match backend.poll() {
                Some(completion) => break completion,
                None => backend.wait(Instant::now() + Duration::from_millis(1)),
            }
        };
        assert!(last.id == BatchId(100) && last.result.is_err(), "{last:?}");
    }
    println!("{right} batches came back right, {faults} as faults");
    assert!(right > 0 && faults > 0, "{right} right, {faults} faults");
}

/// Twenty kills of devices in service, with the CPU beside them or without: after each the device is
/// opened anew, and without the CPU it computes again.
#[test]
fn an_engine_survives_its_child() {
    let batches: Vec<Batch> = (0..SLOTS).map(|seed| some(ECDSA, 300, seed as u64)).collect();
    let here = cpu();
    let expected: Vec<_> = batches.iter().map(|batch| answer(&here, batch.clone())).collect();
    assert_eq!(referee::disagreement(&batches[0], &expected[0]), None);
    // A pause of a second or more precedes each opening, so that engines wait side by side.
    std::thread::scope(|scope| {
        for at in 0..15 {
            let (batches, expected) = (&batches, &expected);
            scope.spawn(move || {
                let mut random = StdRng::seed_from_u64(at);
                let note = Note::new();
                let device = isolated::device(options(&note.name("evidence")));
                // A CPU takes over what its device turns out to be slow at.
                let (cpu, kills) = if at < 10 { (true, 1) } else { (false, 2) };
                let builder = Engine::builder().threads(1).cpu(cpu);
                let engine = builder.device(device.expect("it is correct")).open().expect("opens");
                let submit = || {
                    let one = |batch: &Batch| {
                        engine.submit(batch.clone(), Terms::default()).expect("room")
                    };
                    batches.iter().map(one).collect()
                };
                let settle = |tickets: Vec<Ticket>| {
                    for (ticket, expected) in tickets.into_iter().zip(expected) {
                        assert_eq!(ticket.wait().answers(), expected);
                    }
                };
                for kills in 1..=kills {
                    let pid = note.pid();
                    let tickets = submit();
                    std::thread::sleep(Duration::from_micros(random.random_range(0..10_000)));
                    send(pid, Signal::KILL);
                    settle(tickets);
                    assert_eq!(device_of(&engine).faults, kills);
                    let snapshot = engine.snapshot();
                    assert!(snapshot.counters.balance() && snapshot.counters.in_flight == 0);
                    assert_eq!(snapshot.counters.answered.errors, 0);
                    note.next(pid);
                    wait_for_health(&engine);
                }
                let before = device_of(&engine).items;
                settle(submit());
                assert!(cpu || device_of(&engine).items > before);
                assert_eq!(device_of(&engine).faults, kills);
            });
        }
    });
}

fn device_of(engine: &Engine) -> sigmill::engine::DeviceSnapshot {
    let mut devices = engine.snapshot().devices.into_iter();
    devices.find(|device| device.name != "cpu").expect("it has one")
}

/// A real driver, killed in the middle of a batch.
#[cfg(feature = "gpu")]
#[test]
fn a_killed_driver_is_opened_anew() {
    let note = Note::new();
    let device = match isolated::device(options(&note.name("gpu=software"))) {
        Ok(device) => device,
        Err(EngineError::Absent { why, .. }) => {
            assert!(!is_required("gpu"), "SIGMILL_REQUIRE lists gpu, which is absent: {why}");
            println!("skipped: gpu=software in a process of its own: {why}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let engine = alone(device);
    let batch = some(ECDSA, 3_000, 1);
    let expected = answer(&cpu(), batch.clone());
    assert_eq!(answer(&engine, batch.clone()), expected);
    let live = engine.parse(batch.clone()).live() as u64;
    assert_eq!(device_of(&engine).items, live);
    let pid = note.pid();
    let ticket = engine.submit(batch.clone(), Terms::default()).expect("room");
    std::thread::sleep(Duration::from_millis(20));
    send(pid, Signal::KILL);
    assert_eq!(ticket.wait().answers(), &expected);
    // It may have been fast: its end shows then at the next batch.
    assert_eq!(answer(&engine, batch.clone()), expected);
    assert_eq!(device_of(&engine).faults, 1);
    note.next(pid);
    wait_for_health(&engine);
    let before = device_of(&engine).items;
    assert_eq!(answer(&engine, batch), expected);
    assert_eq!(device_of(&engine).items - before, live);
    assert_eq!(device_of(&engine).faults, 1);
}

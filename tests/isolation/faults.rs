//! Children that turn bad after admission: every way is a fault of the device, and costs no verdict.

use sigmill::backend::isolated;
use sigmill::{Answers, Engine, Terms};

use crate::child::TURN;
use crate::jobs::{ECDSA, some};
use crate::support::{answer, cpu};
use crate::{Note, alone, options, wait_for_end, wait_for_health};

/// Submits a batch at which the device turns, among others, and requires the right answers.
fn turn(engine: &Engine, expected: &[Answers], how: &str) {
    let sizes = [30, 40, TURN, 50, 60];
    let tickets: Vec<_> = sizes
        .iter()
        .map(|count| engine.submit(some(ECDSA, *count, 7), Terms::default()).expect("room"))
        .collect();
    for (ticket, expected) in tickets.into_iter().zip(expected) {
        assert_eq!(ticket.wait().answers(), expected, "{how}");
    }
    let snapshot = engine.snapshot();
    assert!(snapshot.counters.balance() && snapshot.counters.in_flight == 0, "{snapshot:?}");
    assert_eq!(snapshot.devices[0].faults, 1, "{how}: {snapshot:?}");
}

fn expected() -> Vec<Answers> {
    let here = cpu();
    [30, 40, TURN, 50, 60].map(|count| answer(&here, some(ECDSA, count, 7))).to_vec()
}

/// What the process does: ends, stops, loses a batch, falls silent, talks nonsense. What it returns: too
/// few entries or too many, another kind, points that there are not.
#[test]
fn every_way_to_turn_bad_is_a_fault_and_no_verdict() {
    let expected = expected();
    let ways = [
        "dies",
        "panics",
        "stops",
        "hangs",
        "loses",
        "hangs up",
        "talks",
        "mumbles",
        "fault",
        "other",
        "short",
        "long",
        "off the curve",
        "above the prime",
        "nothing",
        "verdicts",
        "keys",
    ];
    // Most of the time is spent waiting for a watchdog.
    std::thread::scope(|scope| {
        for ways in ways.chunks(6) {
            let expected = &expected;
            scope.spawn(move || {
                for how in ways {
                    // Slots that the evidence does not fit into, and that it does.
                    let bytes = if how.len() % 2 == 0 { 8 << 20 } else { 8 << 12 };
                    let device = isolated::device(isolated::Options { bytes, ..options(how) });
                    turn(&alone(device.expect("it passes its tests")), expected, how);
                }
            });
        }
    });
}

/// A stopped process is left behind by the watchdog, killed, and another opened.
#[test]
fn a_stopped_process_is_replaced() {
    let (note, expected) = (Note::new(), expected());
    let device = isolated::device(options(&note.name("stops")));
    let engine = alone(device.expect("it passes its tests"));
    let first = note.pid();
    turn(&engine, &expected, "stops");
    let second = note.next(first);
    wait_for_end(first);
    wait_for_health(&engine);
    let before = engine.snapshot().devices[0].items;
    assert_eq!(answer(&engine, some(ECDSA, 30, 7)), expected[0]);
    let device = &engine.snapshot().devices[0];
    // Those that parsing found invalid never reach it.
    let live = engine.parse(some(ECDSA, 30, 7)).live() as u64;
    assert_eq!((device.items - before, device.faults), (live, 1));
    drop(engine);
    wait_for_end(second);
}

//! A device beside the host: how many batches it costs to find out what it is good for.

use sigmill::dispatch::lane::LaneConfig;
use sigmill::dispatch::{Nanos, Policy};
use sigmill::{Class, Form, Limits};

use crate::machine::{Machine, UNIT, host};
use crate::stream::Kind;

const BATCHES: u64 = 20_000;

/// Pieces that the host and the device answered once the device's probation was over, for so many batches.
fn settle(unit: Nanos) -> [u64; 2] {
    let device = LaneConfig { host: false, ..host() };
    let policy = Policy { probation: 50_000_000, ..Policy::default() };
    let lanes = vec![(host(), UNIT), (device, unit)];
    let mut machine = Machine::with(Limits::default(), policy, lanes);
    // One after the other: each goes where it is predicted to end first.
    let step = |machine: &mut Machine| {
        machine.submit(Kind::Good, Form::Single, 100, Class::Mempool, 1).expect("room");
        while machine.next().is_some() {}
        machine.tick();
    };
    while !machine.is_healthy(1) {
        step(&mut machine);
        assert!(machine.answers.len() < 100_000, "probation does not end");
    }
    let before = machine.batches.clone();
    (0..BATCHES).for_each(|_| step(&mut machine));
    [0, 1].map(|lane| machine.batches[lane] - before[lane])
}

/// Batches that may go to a lane that loses: a few until it is known, then one after each pause of 1,024 batches,
/// doubled each time.
const MOST: u64 = 64;

#[test]
fn a_slow_device_is_found_out() {
    for times in [2, 4, 50] {
        let [host, device] = settle(times * UNIT);
        println!("{times} times slower: {device} of {BATCHES}");
        assert!(device <= MOST, "{times}: {device} went to the device");
        assert!(host >= BATCHES - MOST, "{times}: {host} went to the host");
    }
}

#[test]
fn a_fast_device_gets_the_work() {
    for times in [2, 4, 50] {
        let [host, device] = settle(UNIT / times);
        println!("{times} times faster: {host} of {BATCHES} to the host");
        assert!(host <= MOST, "{times}: {host} went to the host");
        assert_eq!(device, BATCHES, "{times}");
    }
}

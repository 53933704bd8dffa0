//! Where the cycles of the card's cores went: counters that are read beside the data, and decide nothing.

use std::time::{Duration, Instant};

use crate::backend::fpga::Fpga;
use crate::backend::fpga::manifest::Core;
use crate::backend::fpga::registers::{self, BLOCKED, BUSY, CYCLES, JOBS, STARVED};
use crate::backend::fpga::transport::{Transport, TransportError};

/// Shortest time between two readings of a recording: each asks for some thirty registers.
const PAUSE: Duration = Duration::from_millis(1);

/// Cycles of a core by cause; what is left of all cycles is its latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Causes {
    busy: u64,
    starved: u64,
    blocked: u64,
}

impl Causes {
    fn read(transport: &mut dyn Transport, core: Core) -> Result<Causes, TransportError> {
        let mut wide = |register| registers::wide(transport, register + 16 * core as u32);
        Ok(Causes { busy: wide(BUSY)?, starved: wide(STARVED)?, blocked: wide(BLOCKED)? })
    }
}

/// Names of a core's samples, as [`Causes`] has them.
fn names(core: Core) -> [&'static str; 3] {
    match core {
        Core::Sha256 => ["sha256 busy", "sha256 starved", "sha256 blocked"],
        Core::Sha256d => ["sha256d busy", "sha256d starved", "sha256d blocked"],
        Core::Keccak256 => ["keccak256 busy", "keccak256 starved", "keccak256 blocked"],
        Core::Secp256k1 => ["secp256k1 busy", "secp256k1 starved", "secp256k1 blocked"],
    }
}

/// The name of the sample of all cycles.
const ALL: &str = "cycles";

/// The counters of all cores, in the same order each time: what passes between two reads is the same then for all
/// readings, and no part of what lies between them.
fn read(
    transport: &mut dyn Transport,
    caps: u32,
) -> Result<Vec<(&'static str, u64)>, TransportError> {
    let mut values = vec![(ALL, registers::wide(transport, CYCLES)?)];
    for core in Core::ALL.into_iter().filter(|core| core.is_in(caps)) {
        let Causes { busy, starved, blocked } = Causes::read(transport, core)?;
        values.extend(names(core).into_iter().zip([busy, starved, blocked]));
    }
    Ok(values)
}

impl Fpga {
    /// Hands the counters to whoever records. A card that does not say them has none: what ails it shows in its work.
    pub(super) fn sample(&mut self) {
        let Some(observer) = self.observer.as_ref().filter(|observer| observer.is_on()) else {
            return;
        };
        let now = Instant::now();
        if self.sampled.is_some_and(|sampled| now - sampled < PAUSE) {
            return;
        }
        self.sampled = Some(now);
        let values = read(&mut **self.transport.get_mut(), self.identity.caps);
        // All ones: the card is gone.
        if let Ok(values) = values
            && values[0].1 != u64::MAX
        {
            observer.sample(now, &values);
        }
    }

    /// What a core has done since the card was opened, in words.
    pub(super) fn counters(&self, core: Core) -> String {
        let transport = &mut **self.transport.borrow_mut();
        let mut read = || -> Result<_, TransportError> {
            let jobs = transport.read32(JOBS + 16 * core as u32)?;
            let causes = Causes::read(transport, core)?;
            Ok((jobs, causes, registers::wide(transport, CYCLES)?))
        };
        match read() {
            Ok((jobs, Causes { busy, starved, blocked }, cycles)) => {
                let share = |part: u64| 100 * u128::from(part) / u128::from(cycles.max(1));
                let [percent, starved, blocked] = [busy, starved, blocked].map(share);
                format!(
                    "{jobs} jobs, busy for {busy} of {cycles} cycles ({percent} %), starved {starved} %, \
                     blocked {blocked} %"
                )
            }
            Err(error) => error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use super::*;
    use crate::algorithm::Algorithm;
    use crate::backend::fpga::soft_card::{self, SoftCard};
    use crate::backend::fpga::testing::{ecdsa, hashes};
    use crate::backend::{Backend, BatchId};
    use crate::observe::{Observer, Recorder, Sample, Track};
    use crate::parsed::Parsed;

    /// A card whose counters say something else.
    struct Says(SoftCard, Result<u32, TransportError>);

    impl Transport for Says {
        fn describe(&self) -> String {
            self.0.describe()
        }

        fn read32(&mut self, register: u32) -> Result<u32, TransportError> {
            let is_counter = (CYCLES..CYCLES + 8).contains(&register) || register >= JOBS;
            if is_counter { self.1.clone() } else { self.0.read32(register) }
        }

        fn write32(&mut self, register: u32, value: u32) -> Result<(), TransportError> {
            self.0.write32(register, value)
        }

        fn h2c(&mut self, address: u64, data: &[u8]) -> Result<(), TransportError> {
            self.0.h2c(address, data)
        }

        fn c2h(&mut self, address: u64, out: &mut [u8]) -> Result<(), TransportError> {
            self.0.c2h(address, out)
        }

        fn wait_event(&mut self, limit: Duration) -> Result<bool, TransportError> {
            self.0.wait_event(limit)
        }

        fn cycles(&self) -> Option<u64> {
            self.0.cycles()
        }
    }

    /// What is sampled while a card computes batches, all of which are answered.
    fn samples(transport: Box<dyn Transport>, on: bool) -> Vec<Sample> {
        let (expected, limit) = (soft_card::expected(), soft_card::LIMIT);
        let mut card =
            Fpga::over("fpga=test", transport, &expected, Some(limit)).expect("it is right");
        let recorder = Arc::new(Recorder::new(Instant::now()));
        card.observe(Observer::new(recorder.clone(), 5));
        let recording = if on { recorder.begin(10_000).expect("nobody records") } else { 0 };
        let batches =
            [ecdsa(1, 40), hashes(Algorithm::Sha256, 300), hashes(Algorithm::Sha256d, 300)];
        for (id, batch) in (0..).zip(batches.iter().cycle().take(12)) {
            card.submit(BatchId(id), Arc::new(Parsed::parse(batch.clone()))).expect("room");
            let completion = loop {
                if let Some(completion) = card.poll() {
                    break completion;
                }
                card.wait(Instant::now() + Duration::from_millis(1));
            };
            assert!(completion.result.is_ok(), "{:?}", completion.result);
            std::thread::sleep(PAUSE / 2);
        }
        recorder.end(recording).1
    }

    #[test]
    fn counters_are_read_while_somebody_records() {
        let samples = samples(Box::new(SoftCard::new(1)), true);
        let readings: Vec<_> = samples.chunks(13).collect();
        assert!((2..=12).contains(&readings.len()), "{}", readings.len());
        let mut before = HashMap::new();
        let mut last = None;
        for reading in readings {
            let (at, cycles) = (reading[0].at, reading[0].value);
            assert!(reading.iter().all(|one| (one.at, one.track) == (at, Track::Device(5))));
            assert!(last.is_none_or(|last| at - last >= PAUSE.as_nanos() as u64), "too often");
            last = Some(at);
            for (core, causes) in Core::ALL.into_iter().zip(reading[1..].chunks(3)) {
                assert_eq!(causes.iter().map(|one| one.name).collect::<Vec<_>>(), names(core));
                // Each was read up to some thirty reads after all cycles.
                assert!(causes.iter().map(|one| one.value).sum::<u64>() <= cycles + 30);
            }
            for one in reading {
                assert!(before.insert(one.name, one.value) <= Some(one.value), "{}", one.name);
            }
        }
        for name in ["sha256 busy", "sha256d busy", "secp256k1 busy", "keccak256 starved"] {
            assert!(before[name] > 0, "{name}");
        }
        assert_eq!(before["keccak256 busy"] + before["keccak256 blocked"], 0);
    }

    #[test]
    fn a_core_that_waits_for_its_host_is_blocked() {
        let mut card = SoftCard::new(4);
        // A run of twelve messages, and a completion ring of eight lines that nobody reads.
        let mut lines = [[7; 64]; 13];
        lines[0] = [0; 64];
        (lines[0][0], lines[0][8]) = (Core::Sha256d.op(), 12);
        card.h2c(0, lines.as_flattened()).expect("room");
        card.write32(registers::SQ_TAIL, 13).expect("a register");
        assert!(!(0..200).any(|_| card.read32(registers::ERR) != Ok(0)));
        let values: HashMap<_, _> = read(&mut card, 0xF).expect("registers").into_iter().collect();
        assert!(values["sha256d blocked"] > 50, "{values:?}");
        assert!(values["sha256 blocked"] == 0 && values["sha256 starved"] > 50, "{values:?}");
    }

    #[test]
    fn counters_that_do_not_come_disturb_nothing() {
        let failed = Err(TransportError::Stuck);
        for said in [failed, Ok(u32::MAX)] {
            assert_eq!(samples(Box::new(Says(SoftCard::new(2), said)), true), []);
        }
        let odd = samples(Box::new(Says(SoftCard::new(2), Ok(7))), true);
        assert!(odd.iter().all(|one| one.value == 7 << 32 | 7) && !odd.is_empty());
    }

    #[test]
    fn nothing_is_read_while_nobody_records() {
        assert_eq!(samples(Box::new(SoftCard::new(3)), false), []);
    }
}

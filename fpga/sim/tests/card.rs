//! The simulated card as its register map and its rings are described, by a host written for these tests alone.

#[path = "card/host.rs"]
mod host;
#[macro_use]
#[path = "card/simulated.rs"]
mod simulated;

use fpga_microcode::instruction::Instruction;
use fpga_microcode::{machine, program};
use fpga_sim::{CORES, Model, SOURCE_HASH};
use host::{Completed, Host, LINES, descriptor, keccak256, run, secp256k1, sha256};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

fn message(number: usize, length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + number * 31 + (number >> 5)) as u8).collect()
}

fn digest(message: &[u8]) -> Vec<u8> {
    Sha256::digest(message).to_vec()
}

fn twice(message: &[u8]) -> Vec<u8> {
    digest(&digest(message))
}

tests! {
    fn a_card_says_what_it_is() {
        let mut model = Model::new().expect("a model");
        let mut read = |address| model.read32(address).expect("an answer");
        assert_eq!(read(0x00), u32::from_le_bytes(*b"SGML"));
        assert_eq!(read(0x04), 1);
        assert_eq!(read(0x08), (1 << CORES.len()) - 1);
        assert_eq!(read(0x0c), 13 | 13 << 8);
        let hash: Vec<u8> = (0..8).flat_map(|k| read(0x20 + 4 * k).to_le_bytes()).collect();
        assert_eq!(hash, SOURCE_HASH);
        assert_eq!([read(0x10), read(0x6c), read(0x8c), read(0x100), read(0xffc)], [0; 5]);
    }

    fn counters_count() {
        let mut host = Host::new();
        let before = host.cycles();
        host.model.step(1_000);
        let passed = host.cycles() - before;
        assert!((1_000..1_100).contains(&passed), "{passed}");
        host.submit(&sha256(5, b"abc", false));
        host.drain(1);
        assert_eq!(host.register(0x80), 1);
        assert!((64..=66).contains(&host.register(0x84)), "{}", host.register(0x84));
    }

    fn digests_are_the_referees() {
        let mut host = Host::new();
        let mut expected = Vec::new();
        for number in 0..150 {
            let message = message(number, number * 3);
            let tag = number as u32;
            host.submit(&sha256(3 * tag, &message, false));
            host.submit(&sha256(3 * tag + 1, &message, true));
            host.submit(&keccak256(3 * tag + 2, &message));
            expected.push(digest(&message));
            expected.push(twice(&message));
            expected.push(Keccak256::digest(&message).to_vec());
        }
        for Completed { tag, payload, .. } in host.drain(expected.len()) {
            assert_eq!(payload, expected[tag as usize], "tag {tag}");
        }
        assert_eq!(host.register(0x60), 0);
    }

    /// Jobs of three lines and completions of two wrap at other places than the rings' ends.
    fn rings_wrap() {
        let mut host = Host::new();
        let message = message(1, 100);
        let mut sent = 0;
        while sent < 2 * LINES as u32 {
            let first = sent;
            for _ in 0..700 {
                host.submit(&sha256(sent, &message, false));
                sent += 1;
            }
            let mut tags: Vec<u32> = Vec::new();
            for Completed { tag, payload, .. } in host.drain(700) {
                assert_eq!(payload, digest(&message));
                tags.push(tag);
            }
            tags.sort_unstable();
            assert_eq!(tags, (first..sent).collect::<Vec<_>>());
        }
    }

    /// A host that reads nothing stops the card when the completion ring is full, and loses nothing.
    fn a_full_ring_waits() {
        let mut host = Host::new();
        let messages: Vec<_> = (0..3 * LINES / 2).map(|number| message(number, 64)).collect();
        let (first, rest) = messages.split_at(LINES - 1);
        host.submit(&run(0, first));
        host.model.step(LINES as u64 + 2_000);
        host.submit(&run(first.len() as u32, rest));
        host.model.step(20_000);
        assert_eq!(host.register(0x54), LINES as u32, "completions");
        let fetched = host.register(0x4c) as usize;
        assert!(fetched < messages.len() + 2, "{fetched} of {} lines fetched", messages.len() + 2);
        for Completed { tag, payload, .. } in host.drain(messages.len()) {
            assert_eq!(payload, twice(&messages[tag as usize]));
        }
    }

    /// A short job overtakes a long one on another core.
    fn completions_come_out_of_order() {
        let mut host = Host::new();
        host.submit(&sha256(1, &message(1, 2_000), false));
        host.submit(&keccak256(2, b"short"));
        host.submit(&run(3, &[message(3, 64)]));
        let tags: Vec<u32> = host.drain(3).iter().map(|completed| completed.tag).collect();
        assert_eq!(tags, [2, 1, 3]);
    }

    fn what_no_core_takes_stops_the_card() {
        let block = [0; 64];
        for (header, bit) in [
            (descriptor(0, 0, 1, 1), 0),
            (descriptor(5, 0, 1, 1), 0),
            (descriptor(255, 0, 1, 1), 0),
            (descriptor(1, 0, 1, 0), 1),
            (descriptor(2, 0, 1, 0), 1),
            (descriptor(3, 0, 1, 0), 1),
            (descriptor(3, 0, 1, 4), 1),
            (descriptor(3, 0, 1, u32::MAX - 1), 1),
            (descriptor(4, 0, 1, 3), 1),
        ] {
            let mut host = Host::new();
            host.push(&[&header[..], &block].concat());
            host.submit(&sha256(9, b"abc", false));
            host.model.step(2_000);
            assert_eq!(host.register(0x60), 1 << bit, "{:?}", &header[..12]);
            assert_eq!(host.register(0x54), 0);
            // After a reset it works.
            host.open();
            host.submit(&sha256(9, b"abc", false));
            assert_eq!(host.drain(1)[0].payload, digest(b"abc"));
        }
    }

    fn counters_beyond_the_rings_stop_the_card() {
        for (register, value, bit) in
            [(0x48, LINES as u32 + 1, 2), (0x48, u32::MAX, 2), (0x50, 1, 3), (0x50, 5, 3)]
        {
            let mut host = Host::new();
            host.model.write32(register, value).expect("an answer");
            host.model.step(50);
            assert_eq!(host.register(0x60) & 1 << bit, 1 << bit, "{register:x} {value}");
            host.open();
            assert_eq!(host.register(0x60), 0);
        }
    }

    /// What was in flight is gone, and nothing of it comes later.
    fn a_reset_forgets_all_jobs() {
        let mut host = Host::new();
        for tag in 0..40 {
            host.submit(&sha256(tag, &message(1, 1_000), false));
            host.submit(&keccak256(tag, &message(1, 1_000)));
        }
        host.model.step(3_000);
        host.open();
        assert_eq!([0x48, 0x4c, 0x50, 0x54, 0x60, 0x80].map(|a| host.register(a)), [0; 6]);
        host.submit(&run(7, &[message(3, 64)]));
        let completed = host.drain(1);
        assert_eq!((completed[0].tag, &completed[0].payload), (7, &twice(&message(3, 64))));
        host.model.step(5_000);
        assert_eq!(host.register(0x54), 1);
    }

    /// A reset has an answer when it is over: it does not undo the write after it.
    fn a_write_after_a_reset_stays() {
        let mut host = Host::new();
        for (register, value) in [(0x44, 0x1234_5678), (0x58, 1)] {
            host.model.write32(0x40, 1).expect("an answer");
            host.model.write32(register, value).expect("an answer");
            assert_eq!(host.register(register), value);
        }
    }

    fn a_run_is_longer_than_the_ring() {
        let mut host = Host::new();
        let messages: Vec<_> = (0..LINES + 500).map(|number| message(number, 64)).collect();
        let lines = run(u32::MAX - 99, &messages);
        host.note(&lines);
        let mut completed = Vec::new();
        for piece in lines.chunks(64 * 3_000) {
            while host.room() < piece.len() / 64 {
                host.wait(1);
                completed.extend(host.read());
            }
            host.push(piece);
        }
        while completed.len() < messages.len() {
            host.wait(1);
            completed.extend(host.read());
        }
        // The header's too.
        assert_eq!(host.register(0x4c) as usize, messages.len() + 1);
        for Completed { tag, payload, .. } in completed {
            assert_eq!(payload, twice(&messages[tag.wrapping_add(100) as usize]), "tag {tag:x}");
        }
    }

    /// Cycles from the tail's write to the last completion, at 4,096 jobs, against those in which the core
    /// worked; a pipe works for as long as it holds something.
    fn rings_add_little() {
        let mut host = Host::new();
        let messages: Vec<_> = (0..4_096).map(|number| message(number, 64)).collect();
        let mut measure = |descriptors: &[u8], busy: u32, least: u64, most: u64| {
            let [before, worked_before] = [host.cycles(), host.register(busy).into()];
            host.submit(descriptors);
            host.wait(4_096);
            let took = host.cycles() - before - (descriptors.len() / 64) as u64;
            let worked = u64::from(host.register(busy)) - worked_before;
            let ratio = took as f64 / worked as f64;
            println!("4,096 jobs took {took} cycles, the core {worked}: {ratio:.4}");
            assert!((least..=most).contains(&worked), "{worked}");
            assert!((1.0..1.05).contains(&ratio), "{ratio}");
            host.drain(4_096);
        };
        // One a cycle, and the 192 rounds that the last one is under way.
        measure(&run(0, &messages), 0x94, 4_096, 4_096 + 200);
        let jobs: Vec<u8> = (0..4_096).flat_map(|tag| sha256(tag, b"one block", false)).collect();
        measure(&jobs, 0x84, 4_096 * 64, 4_096 * 66);
    }
    /// Word for word what the model of the program gives, and no faster or slower than the program is long: a
    /// turn is lost between two jobs of a thread, and 32 threads fill and drain.
    fn points_are_the_model_s_and_cycles_the_program_s() {
        let mut host = Host::new();
        let words: Vec<_> = program().iter().map(Instruction::encode).collect();
        let jobs: Vec<_> = (0..256).map(secp256k1).collect();
        let lines: Vec<u8> = (0..).zip(&jobs).flat_map(|(tag, job)| job.lines(tag)).collect();
        let before = host.cycles();
        host.submit(&lines);
        host.wait(2 * jobs.len());
        let took = host.cycles() - before;
        let busy = u64::from(host.register(0xb4));
        let (each, share) = (took as f64 / jobs.len() as f64, busy as f64 / took as f64);
        println!("{each:.1} cycles a verification, the multiplier busy in {share:.4}");
        assert!(each < 2_300.0 && share > 0.95, "{each} {share}");
        for Completed { tag, payload, .. } in host.drain(jobs.len()) {
            let expected = machine::run(&words, &jobs[tag as usize]);
            for (value, bytes) in expected.iter().zip(payload.chunks(32)) {
                assert_eq!(*value, num_bigint::BigUint::from_bytes_le(bytes), "tag {tag}");
            }
        }
    }
}

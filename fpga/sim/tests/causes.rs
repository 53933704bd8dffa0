//! Where the cycles of the cores go: each has one cause.

#[path = "card/host.rs"]
#[allow(dead_code, reason = "the tests of the card use all of it")]
mod host;
#[macro_use]
#[path = "card/simulated.rs"]
mod simulated;

use host::{Host, LINES, keccak256, run, secp256k1, sha256};

/// Cycles of a core by cause, from the reset to one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Causes {
    cycles: u64,
    busy: u64,
    starved: u64,
    blocked: u64,
    latency: u64,
}

impl Causes {
    /// Of the core of an op. Each read takes the same time, so counters that are read once in this order and once in
    /// the other are exact in the middle, while nothing changes but the one that counts.
    fn read(host: &mut Host, op: u32) -> Causes {
        let at = 16 * (op - 1);
        let registers = [0x64, 0x84 + at, 0xc0 + at, 0xc8 + at];
        let mut twice = [0; 4];
        for index in [0, 1, 2, 3, 3, 2, 1, 0] {
            let low = host.register(registers[index]);
            twice[index] += u64::from(host.register(registers[index] + 4)) << 32 | u64::from(low);
        }
        let [cycles, busy, starved, blocked] = twice;
        let latency = cycles.checked_sub(busy + starved + blocked);
        let latency =
            latency.unwrap_or_else(|| panic!("op {op}: {twice:?}: two causes in a cycle"));
        let [cycles, busy, starved, blocked, latency] =
            [cycles, busy, starved, blocked, latency].map(|twice| twice / 2);
        Causes { cycles, busy, starved, blocked, latency }
    }

    fn since(self, before: Causes) -> Causes {
        Causes {
            cycles: self.cycles - before.cycles,
            busy: self.busy - before.busy,
            starved: self.starved - before.starved,
            blocked: self.blocked - before.blocked,
            latency: self.latency - before.latency,
        }
    }
}

tests! {
    fn a_core_without_lines_is_starved() {
        let mut host = Host::new();
        host.model.step(5_000);
        for op in 1..=4 {
            let causes = Causes::read(&mut host, op);
            assert!(causes.cycles >= 5_000);
            // A thread has to be free first.
            let latency = u64::from(op == 4);
            let starved = causes.cycles - latency;
            assert_eq!(causes, Causes { busy: 0, starved, blocked: 0, latency, ..causes }, "op {op}");
        }
    }

    /// A job costs its lines, its way through the pipeline, and nothing that is somebody else's.
    fn a_job_leaves_little_latency() {
        let mut host = Host::new();
        let jobs = [
            (sha256(1, b"abc", false), 64..=66, 2..=4),
            (run(2, &[vec![7; 64]]), 190..=200, 0..=2),
            (keccak256(3, b"abc"), 24..=25, 4..=6),
            (secp256k1(4).lines(4).to_vec(), 2_000..=2_074, 3..=40),
        ];
        for (op, (lines, busy, latency)) in (1..).zip(jobs) {
            let before = Causes::read(&mut host, op);
            host.submit(&lines);
            host.drain(1);
            let after = Causes::read(&mut host, op).since(before);
            println!("op {op}: {after:?}");
            assert!(busy.contains(&after.busy), "op {op}: {after:?}");
            assert!(latency.contains(&after.latency), "op {op}: {after:?}");
            // A result of two lines waits for the second of its cycles.
            assert!(after.blocked <= u64::from(op == 4), "op {op}: {after:?}");
        }
    }

    fn a_core_is_blocked_while_the_host_reads_nothing() {
        let mut host = Host::new();
        let messages: Vec<_> = (0..LINES + 100).map(|number| vec![number as u8; 64]).collect();
        let (first, rest) = messages.split_at(LINES - 1);
        host.submit(&run(0, first));
        host.wait(first.len());
        host.submit(&run(first.len() as u32, rest));
        host.model.step(2_000);
        let read = |host: &mut Host| [1, 2, 3, 4].map(|op| Causes::read(host, op));
        let before = read(&mut host);
        host.model.step(10_000);
        for (index, (after, before)) in read(&mut host).into_iter().zip(before).enumerate() {
            let passed = after.since(before);
            assert!(passed.cycles >= 10_000);
            let all = Causes { busy: 0, starved: 0, blocked: 0, latency: 0, ..passed };
            let expected = match index {
                1 => Causes { blocked: passed.cycles, ..all },
                _ => Causes { starved: passed.cycles, ..all },
            };
            assert_eq!(passed, expected, "op {}", index + 1);
        }
        assert_eq!(host.drain(messages.len()).len(), messages.len());
        let before = Causes::read(&mut host, 2);
        host.model.step(1_000);
        let passed = Causes::read(&mut host, 2).since(before);
        assert_eq!(passed, Causes { starved: passed.cycles, ..passed });
        assert_eq!([passed.busy, passed.blocked, passed.latency], [0; 3]);
    }

    fn a_loaded_core_is_mostly_busy() {
        let mut host = Host::new();
        let messages: Vec<_> = (0..4_000).map(|number| vec![number as u8; 64]).collect();
        let each = |job: &dyn Fn(u32) -> Vec<u8>| (0..400).flat_map(job).collect::<Vec<u8>>();
        let loads = [
            (1, each(&|tag| sha256(tag, b"one block", false)), 400, 400),
            (2, run(0, &messages), 4_000, 4_000),
            (3, each(&|tag| keccak256(tag, b"one block")), 400, 400),
            (4, (0..96).flat_map(|tag| secp256k1(tag.into()).lines(tag)).collect(), 96, 2 * 96),
        ];
        for (op, lines, jobs, completions) in loads {
            host.note(&lines);
            host.write(&lines);
            let before = Causes::read(&mut host, op);
            host.ring();
            host.wait(completions);
            let passed = Causes::read(&mut host, op).since(before);
            println!("op {op}: {passed:?}");
            let sum = passed.busy + passed.starved + passed.blocked + passed.latency;
            assert!(passed.cycles.abs_diff(sum) <= 4, "op {op}: {passed:?}");
            assert!(passed.busy * 10 > passed.cycles * 9, "op {op}: {passed:?}");
            host.drain(jobs);
        }
    }

    /// Cores take turns at the completion ring, and a result of two lines has it for two cycles.
    fn all_cores_together_have_one_cause_each() {
        let mut host = Host::new();
        let mut jobs = 0;
        for tag in (0..600).step_by(4) {
            host.submit(&sha256(tag, &[1; 100], tag % 3 == 0));
            host.submit(&keccak256(tag + 1, &[2; 200]));
            host.submit(&run(tag + 2, &[vec![3; 64]]));
            host.submit(&secp256k1(tag.into()).lines(tag + 3));
            jobs += 4;
        }
        host.drain(jobs);
        for op in 1..=4 {
            let causes = Causes::read(&mut host, op);
            println!("op {op}: {causes:?}");
            assert!(causes.busy > 0 && causes.starved > 0, "op {op}: {causes:?}");
        }
    }

    fn a_reset_clears_the_causes() {
        let mut host = Host::new();
        host.submit(&sha256(1, &[0; 5_000], false));
        host.drain(1);
        host.open();
        for op in 1..=4 {
            let causes = Causes::read(&mut host, op);
            assert!(causes.cycles < 200 && causes.busy + causes.blocked == 0, "op {op}: {causes:?}");
        }
    }
}

//! Two simulators agree: what Verilator's model of the card says at every read, Icarus says in the same cycle.

use std::fmt::Write;

use fpga_microcode::job::{GENERATOR_WINDOWS, Job, KEY_WINDOWS};
use fpga_sim::{LINE, Model};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::icarus::{compile, folder, has, number_of, verdict};

const CONTROL: u32 = 0x40;
const NONCE: u32 = 0x44;
const SQ_TAIL: u32 = 0x48;
const CQ_HEAD: u32 = 0x50;
const CYCLES: u32 = 0x64;
/// The cores' counters: jobs and busy, starved and blocked.
const COUNTERS: std::ops::Range<u32> = 0x80..0x100;
const COMPLETION_RING: u64 = 0x1000_0000;
/// Lines of the completion ring.
const LINES: u32 = 1 << 13;

/// What is done with the model, and what it said, for the testbench.
struct Script {
    model: Model,
    text: String,
    /// Lines written.
    tail: u32,
    reads: u64,
}

impl Script {
    fn write(&mut self, register: u32, value: u32) {
        self.model.write32(register, value).expect("an answer");
        writeln!(self.text, "0 {register:x} {value:x}").expect("a string");
    }

    fn read(&mut self, register: u32) -> u32 {
        let value = self.model.read32(register).expect("an answer");
        writeln!(self.text, "1 {register:x} {value:x}").expect("a string");
        self.reads += 1;
        value
    }

    fn submit(&mut self, lines: &[[u8; LINE]]) {
        for line in lines {
            let address = u64::from(self.tail) * LINE as u64;
            self.model.h2c(address, line).expect("room");
            writeln!(self.text, "2 {address:x} {}", number_of(line)).expect("a string");
            self.tail += 1;
        }
        self.write(SQ_TAIL, self.tail);
    }

    fn completion(&mut self, number: u32) {
        let (address, mut line) = (COMPLETION_RING + u64::from(number % LINES) * 64, [0; LINE]);
        self.model.c2h(address, &mut line).expect("a line");
        writeln!(self.text, "3 {address:x} {}", number_of(&line)).expect("a string");
        self.reads += 1;
    }

    fn step(&mut self, cycles: u32) {
        self.model.step(cycles.into());
        writeln!(self.text, "4 0 {cycles:x}").expect("a string");
    }

    /// All counters; those of a core by cause have to have their place in its cycles.
    fn counters(&mut self) -> Vec<u32> {
        let values: Vec<_> = COUNTERS.step_by(4).map(|register| self.read(register)).collect();
        let cycles = self.read(CYCLES);
        for core in 0..4 {
            let causes = [4 * core + 1, 16 + 4 * core, 16 + 4 * core + 2].map(|at| values[at]);
            assert!(causes.iter().sum::<u32>() <= cycles, "{causes:?} of {cycles}");
        }
        values
    }
}

fn job(op: u8, tag: u32, count: u32, random: &mut StdRng) -> Vec<[u8; LINE]> {
    if op == 4 {
        let digits = [[1; KEY_WINDOWS]; 2];
        let point = [(); 2].map(|()| BigUint::from(random.random::<u64>()));
        let job = Job::new(digits, [[3; GENERATOR_WINDOWS]; 2], point);
        return job.lines(tag).as_chunks().0.to_vec();
    }
    let mut header = [0; LINE];
    header[0] = op;
    header[4..8].copy_from_slice(&tag.to_le_bytes());
    header[8..12].copy_from_slice(&count.to_le_bytes());
    let lines = (0..count).map(|_| std::array::from_fn(|_| random.random()));
    std::iter::once(header).chain(lines).collect()
}

#[test]
#[cfg_attr(
    not(rtl_sim),
    ignore = "verilator not found when this crate was built; install it or set VERILATOR"
)]
fn icarus_counts_what_verilator_counts() {
    if !has(&["iverilog", "vvp"]) {
        return;
    }
    let model = Model::new().expect("a model");
    let mut script = Script { model, text: String::new(), tail: 0, reads: 0 };
    let random = &mut StdRng::seed_from_u64(7);
    script.write(CONTROL, 1);
    script.write(NONCE, 0x1234_5678);
    // A host that seems to have read nothing for nearly a lap: ten lines are left in the completion ring.
    let room = 10u32;
    script.write(CQ_HEAD, room.wrapping_sub(LINES));
    script.counters();
    for round in 0..3 {
        script.submit(&job(1, 16 * round, 2, random));
        script.submit(&job(3, 16 * round + 1, 6, random));
        script.submit(&job(2, 16 * round + 2, 5, random));
        script.step(100);
        script.counters();
    }
    script.submit(&job(4, 99, 2, random));
    script.step(700);
    let full = script.counters();
    let busy: Vec<_> = (0..4).map(|core| full[4 * core + 1]).collect();
    assert!(busy[..3].iter().all(|busy| *busy > 0), "{busy:?}");
    let blocked: Vec<_> = (0..4).map(|core| full[16 + 4 * core + 2]).collect();
    assert!(blocked.iter().any(|blocked| *blocked > 500), "{blocked:?}");
    for number in 0..room {
        script.completion(number);
    }
    script.write(CQ_HEAD, 0);
    script.step(600);
    let free = script.counters();
    assert!(free[4 * 3 + 1] > 0, "the last core works: {free:?}");
    let folder = folder("agree");
    let program = compile(&folder, "card", &[], &[]);
    std::fs::write(folder.join("script"), &script.text).expect("a file");
    assert_eq!(verdict(&program, &["+script=script".to_owned()]), Ok(vec![script.reads]));
    // And it can fail.
    let last = script.text.trim_end().len() - 1;
    let digit = if script.text.ends_with("0\n") { "1" } else { "0" };
    script.text.replace_range(last..=last, digit);
    std::fs::write(folder.join("script"), &script.text).expect("a file");
    let said = verdict(&program, &["+script=script".to_owned()]);
    assert!(said.is_err_and(|said| said.starts_with("FAIL wrong")));
}

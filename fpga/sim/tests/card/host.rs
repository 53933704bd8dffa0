//! A host that believes nothing: it checks sequence, phase, part, check and CRC of every line.

use std::collections::HashMap;

use fpga_microcode::job::{GENERATOR_WINDOWS, Job, KEY_WINDOWS};
use fpga_microcode::memory;
use fpga_sim::{LINE, Model};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// Lines of each ring.
pub const LINES: usize = 1 << 13;
const CQ: u64 = 0x1000_0000;
const NONCE: u32 = 0x5eed_1e55;

/// A completion; `payload` without the zeros behind a digest.
pub struct Completed {
    pub tag: u32,
    pub payload: Vec<u8>,
}

pub struct Host {
    pub model: Model,
    tail: u32,
    head: u32,
    /// What each tag's check has to be.
    checks: HashMap<u32, u32>,
    /// Of a completion of two lines, the first.
    first_part: Option<Completed>,
}

impl Host {
    pub fn new() -> Host {
        let model = Model::new().expect("a model");
        let mut host = Host { model, tail: 0, head: 0, checks: HashMap::new(), first_part: None };
        host.open();
        host
    }

    /// Resets the card through its register.
    pub fn open(&mut self) {
        self.model.write32(0x40, 1).expect("an answer");
        self.model.write32(0x44, NONCE).expect("an answer");
        (self.tail, self.head) = (0, 0);
        self.checks.clear();
        self.first_part = None;
    }

    pub fn register(&mut self, address: u32) -> u32 {
        self.model.read32(address).expect("an answer")
    }

    pub fn cycles(&mut self) -> u64 {
        let low = self.register(0x64);
        u64::from(self.register(0x68)) << 32 | u64::from(low)
    }

    /// Lines that the submission ring has room for.
    pub fn room(&mut self) -> usize {
        LINES - self.tail.wrapping_sub(self.register(0x4c)) as usize
    }

    /// Writes lines into the ring.
    pub fn write(&mut self, lines: &[u8]) {
        for line in lines.chunks(LINE) {
            let position = self.tail as usize % LINES * LINE;
            self.model.h2c(position as u64, line).expect("room");
            self.tail += 1;
        }
    }

    /// Moves the tail behind what was written.
    pub fn ring(&mut self) {
        self.model.write32(0x48, self.tail).expect("an answer");
    }

    /// Writes lines and moves the tail.
    pub fn push(&mut self, lines: &[u8]) {
        self.write(lines);
        self.ring();
    }

    /// Pushes descriptors, and notes what their completions have to say.
    pub fn submit(&mut self, lines: &[u8]) {
        self.note(lines);
        self.push(lines);
    }

    /// Notes what the completions of descriptors have to say.
    pub fn note(&mut self, lines: &[u8]) {
        let word = |at: usize| u32::from_le_bytes(lines[at..at + 4].try_into().expect("four"));
        let mut at = 0;
        while at < lines.len() {
            let (op, tag, count) = (lines[at], word(at + 4), word(at + 8) as usize);
            let end = at + (count + 1) * LINE;
            if op == 2 {
                for (i, line) in lines[at + LINE..end].chunks(LINE).enumerate() {
                    self.checks.insert(tag.wrapping_add(i as u32), crc32fast::hash(line));
                }
            } else {
                self.checks.insert(tag, crc32fast::hash(&lines[at..end]));
            }
            at = end;
        }
    }

    /// Waits for completions of one line each.
    pub fn wait(&mut self, lines: usize) {
        let mut patience = 20_000_000u64;
        while self.register(0x54).wrapping_sub(self.head) < lines as u32 {
            self.model.step(8);
            patience -= 8;
            assert!(patience > 0, "no completion: ERR {:x}", self.register(0x60));
        }
    }

    /// Reads completions until there were so many.
    pub fn drain(&mut self, count: usize) -> Vec<Completed> {
        let mut completed = Vec::new();
        while completed.len() < count {
            self.wait(1);
            completed.extend(self.read());
        }
        assert_eq!(completed.len(), count);
        completed
    }

    /// Reads the completions that are there.
    pub fn read(&mut self) -> Vec<Completed> {
        let mut completed = Vec::new();
        for _ in self.head..self.register(0x54) {
            let mut line = [0; LINE];
            let position = self.head as usize % LINES * LINE;
            self.model.c2h(CQ + position as u64, &mut line).expect("a line");
            completed.extend(self.take(&line));
            self.head += 1;
        }
        self.model.write32(0x50, self.head).expect("an answer");
        completed
    }

    /// Checks a line; gives the completion that it ends.
    fn take(&mut self, line: &[u8; LINE]) -> Option<Completed> {
        let word = |i: usize| u32::from_le_bytes(line[4 * i..4 * i + 4].try_into().expect("four"));
        let mut crc = crc32fast::Hasher::new_with_initial(NONCE);
        crc.update(&line[..60]);
        assert_eq!(word(15), crc.finalize(), "CRC");
        let (tag, state) = (word(12), word(14));
        assert_eq!(state & 0xff_ffff, self.head & 0xff_ffff, "sequence");
        assert_eq!(state >> 31, 1 - (self.head as usize / LINES) as u32 % 2, "phase");
        assert_eq!(Some(&word(13)), self.checks.get(&tag), "check of {tag}");
        let mut payload = line[..48].to_vec();
        let (number, is_last) = (state >> 24 & 1, state >> 25 & 1 == 1);
        if let Some(first) = self.first_part.take() {
            assert_eq!((first.tag, number, is_last), (tag, 1, true));
            payload = [first.payload, payload].concat();
        } else {
            assert_eq!(number, 0);
            if is_last {
                assert_eq!(payload.split_off(32), [0; 16]);
            }
        }
        let completed = Completed { tag, payload };
        if !is_last {
            self.first_part = Some(completed);
            return None;
        }
        self.checks.remove(&tag);
        Some(completed)
    }
}

/// A header line.
pub fn descriptor(op: u8, flags: u8, tag: u32, count: u32) -> [u8; LINE] {
    let mut line = [0; LINE];
    (line[0], line[1]) = (op, flags);
    line[4..8].copy_from_slice(&tag.to_le_bytes());
    line[8..12].copy_from_slice(&count.to_le_bytes());
    line
}

pub fn sha256(tag: u32, message: &[u8], twice: bool) -> Vec<u8> {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((8 * message.len() as u64).to_be_bytes());
    let header = descriptor(1, u8::from(twice), tag, (padded.len() / 64) as u32);
    [&header[..], &padded].concat()
}

pub fn keccak256(tag: u32, message: &[u8]) -> Vec<u8> {
    let mut padded = message.to_vec();
    padded.push(1);
    padded.resize(padded.len().next_multiple_of(136), 0);
    *padded.last_mut().expect("a block") |= 0x80;
    let mut lines = descriptor(3, 0, tag, (padded.len() / 136 * 3) as u32).to_vec();
    for block in padded.chunks(136) {
        lines.extend(block);
        lines.extend([0; 56]);
    }
    lines
}

pub fn run(tag: u32, messages: &[Vec<u8>]) -> Vec<u8> {
    [&descriptor(2, 0, tag, messages.len() as u32)[..], &messages.concat()].concat()
}

/// Random digits, and a key that is a multiple of the generator.
pub fn secp256k1(number: u64) -> Job {
    let mut random = StdRng::seed_from_u64(number);
    let row = random.random_range(0..memory::MULTIPLES);
    let key = [(); 2].map(|()| [(); KEY_WINDOWS].map(|()| random.random_range(-16..=16)));
    let generator =
        [(); 2].map(|()| [(); GENERATOR_WINDOWS].map(|()| random.random_range(-512..512) * 2 + 1));
    let point = [0, 2].map(|word| memory::generator(row, word).clone());
    Job::new(key, generator, point)
}

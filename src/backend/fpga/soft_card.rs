//! A card in software, by the contract: what the driver's own tests run against. Its clock moves by
//! a step at each access, and its random numbers decide what it does in one.

use std::collections::VecDeque;
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::completion::{crc, tests::write};
use super::descriptor::Line;
use super::manifest::Core;
use super::registers::*;
use super::soft_cores::compute;
use super::{Limit, Transport, TransportError};
use crate::algorithms::sha256;

/// The hash of the sources that the software card says it was made of.
pub const SOURCE_HASH: [u8; 32] = [0x5A; 32];

/// All cores.
pub const CORES: u32 = 0xF;

pub fn expected() -> Expected {
    Expected { abi_version: ABI, source_hash: SOURCE_HASH, caps: CORES }
}

/// Lines of the rings, so few that they wrap and fill: 16 and 8.
const LOG2: [u32; 2] = [4, 3];

/// Cycles without progress after which a card in software has failed.
pub const LIMIT: Limit = Limit::Cycles(2_000);

/// A card in software over rings of a few lines.
pub struct SoftCard {
    random: StdRng,
    cycles: u64,
    nonce: u32,
    /// SQ_TAIL, SQ_HEAD, CQ_HEAD, CQ_TAIL.
    sq: [u32; 2],
    cq: [u32; 2],
    error: u32,
    submission: Vec<Line>,
    completion: Vec<Line>,
    /// The lines of the job that is being read, and of how many it consists.
    job: Vec<Line>,
    due: usize,
    /// Lines of completions that room is held for.
    held: u32,
    /// Computed and not yet written: tag, check, payload.
    finished: VecDeque<(u32, u32, Vec<u8>)>,
    jobs: [u32; 4],
    /// The cycle of the last reset, and since then those of each core by cause: busy, starved, blocked.
    since: u64,
    causes: [[u32; 3]; 4],
}

impl SoftCard {
    pub fn new(seed: u64) -> Self {
        let [sq, cq] = LOG2.map(|log2| vec![[0xEE; 64]; 1 << log2]);
        SoftCard {
            random: StdRng::seed_from_u64(seed),
            cycles: 0,
            nonce: 0,
            sq: [0; 2],
            cq: [0; 2],
            error: 0,
            submission: sq,
            completion: cq,
            job: Vec::new(),
            due: 0,
            held: 0,
            finished: VecDeque::new(),
            jobs: [0; 4],
            since: 0,
            causes: [[0; 3]; 4],
        }
    }

    pub fn reset(&mut self) {
        let fresh = SoftCard::new(self.random.random());
        *self = SoftCard {
            cycles: self.cycles,
            since: self.cycles,
            submission: std::mem::take(&mut self.submission),
            completion: std::mem::take(&mut self.completion),
            ..fresh
        };
    }

    /// A cycle: a line or none is fetched, a completion or none is written.
    fn step(&mut self) {
        self.cycles += 1;
        let fetches = self.random.random_ratio(2, 3);
        let cause = fetches.then(|| self.fetch()).flatten();
        for (core, causes) in self.causes.iter_mut().enumerate() {
            match cause {
                Some((op, takes)) if Core::ALL[core].op() == op => {
                    causes[if takes { 0 } else { 2 }] += 1
                }
                // One in seven cycles of a core that waits is its own.
                _ if self.cycles.is_multiple_of(7) => {}
                _ => causes[1] += 1,
            }
        }
        if !self.finished.is_empty() && self.random.random_ratio(1, 2) {
            self.finished.make_contiguous().shuffle(&mut self.random);
            let (tag, check, payload) = self.finished.pop_front().expect("it is not empty");
            for line in write((self.nonce, LOG2[1], self.cq[1]), (tag, check), &payload) {
                let at = self.cq[1] as usize % self.completion.len();
                self.completion[at] = line;
                self.cq[1] = self.cq[1].wrapping_add(1);
                self.held -= 1;
            }
        }
    }

    /// Fetches a line or none, and says for which op there was one and whether its core takes it.
    fn fetch(&mut self) -> Option<(u8, bool)> {
        if self.error != 0 || self.sq[0] == self.sq[1] {
            return None;
        }
        let line = self.submission[self.sq[1] as usize % self.submission.len()];
        if self.job.is_empty() {
            let count = u32::from_le_bytes([8, 9, 10, 11].map(|i| line[i]));
            let takes = match line[0] {
                1 | 2 => count >= 1,
                3 => count >= 1 && count % 3 == 0,
                4 => count == 2,
                _ => {
                    self.error |= 1;
                    return None;
                }
            };
            if !takes {
                self.error |= 2;
                return None;
            }
            self.due = count as usize + 1;
            // Of a run, each line holds room for itself.
            let lines = [1, 0, 1, 2][line[0] as usize - 1];
            if !self.hold(lines) {
                return Some((line[0], false));
            }
        } else if self.job[0][0] == Core::Sha256d.op() && !self.hold(1) {
            return Some((Core::Sha256d.op(), false));
        }
        self.sq[1] = self.sq[1].wrapping_add(1);
        self.job.push(line);
        let header = self.job[0];
        let tag = u32::from_le_bytes([4, 5, 6, 7].map(|i| header[i]));
        if header[0] == Core::Sha256d.op() {
            if self.job.len() > 1 {
                let tag = tag.wrapping_add(self.job.len() as u32 - 2);
                self.finished.push_back((tag, crc(0, &line), sha256::hash_twice(&line).to_vec()));
                self.jobs[1] += 1;
            }
        } else if self.job.len() == self.due {
            let payload = compute(&self.job, &mut self.random);
            self.finished.push_back((tag, crc(0, self.job.as_flattened()), payload));
            self.jobs[header[0] as usize - 1] += 1;
        }
        if self.job.len() == self.due {
            self.job.clear();
        }
        Some((header[0], true))
    }

    fn hold(&mut self, lines: u32) -> bool {
        let taken = self.cq[1].wrapping_sub(self.cq[0]) + self.held;
        let fits = taken + lines <= self.completion.len() as u32;
        if fits {
            self.held += lines;
        }
        fits
    }
}

impl Transport for SoftCard {
    fn describe(&self) -> String {
        "a card in software".to_owned()
    }

    fn read32(&mut self, register: u32) -> Result<u32, TransportError> {
        self.step();
        Ok(match register {
            MAGIC => MAGIC_VALUE,
            ABI_VERSION => ABI,
            CAPS => CORES,
            RINGS => LOG2[0] | LOG2[1] << 8,
            BUILD_HASH..CONTROL => u32::from_le_bytes([SOURCE_HASH[0]; 4]),
            NONCE => self.nonce,
            SQ_TAIL => self.sq[0],
            SQ_HEAD => self.sq[1],
            CQ_HEAD => self.cq[0],
            CQ_TAIL => self.cq[1],
            ERR => self.error,
            CYCLES => (self.cycles - self.since) as u32,
            JOBS..0xC0 if register.is_multiple_of(16) => self.jobs[(register - JOBS) as usize / 16],
            JOBS..0x100 => {
                let core = (register - JOBS) as usize % 0x40 / 16;
                let [busy, starved, blocked] = self.causes[core];
                match register - 16 * core as u32 {
                    BUSY => busy,
                    STARVED => starved,
                    BLOCKED => blocked,
                    _ => 0,
                }
            }
            _ => 0,
        })
    }

    fn write32(&mut self, register: u32, value: u32) -> Result<(), TransportError> {
        self.step();
        match register {
            CONTROL if value & 1 == 1 => self.reset(),
            NONCE => self.nonce = value,
            SQ_TAIL => {
                self.sq[0] = value;
                if value.wrapping_sub(self.sq[1]) as usize > self.submission.len() {
                    self.error |= 4;
                }
            }
            CQ_HEAD => {
                self.cq[0] = value;
                if self.cq[1].wrapping_sub(value) as usize > self.completion.len() {
                    self.error |= 8;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn h2c(&mut self, address: u64, data: &[u8]) -> Result<(), TransportError> {
        let at = address as usize / 64;
        let lines = data.as_chunks().0;
        self.submission[at..at + lines.len()].copy_from_slice(lines);
        Ok(())
    }

    fn c2h(&mut self, address: u64, out: &mut [u8]) -> Result<(), TransportError> {
        let at = (address - COMPLETION_RING) as usize / 64;
        let lines = out.as_chunks_mut().0;
        lines.copy_from_slice(&self.completion[at..at + lines.len()]);
        Ok(())
    }

    fn wait_event(&mut self, _: Duration) -> Result<bool, TransportError> {
        for _ in 0..100 {
            if self.cq[0] != self.cq[1] {
                return Ok(true);
            }
            self.step();
        }
        Ok(false)
    }

    fn cycles(&self) -> Option<u64> {
        Some(self.cycles)
    }
}

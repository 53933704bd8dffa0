//! A transport that plays a trick once it is told to.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::completion::tests::seal;
use super::descriptor::Line;
use super::registers::*;
use super::{Transport, TransportError};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// Another design, ABI, image, set of cores; rings of no size.
    Magic,
    Abi,
    BuildHash,
    Cores,
    Rings,
    /// Half of what was asked for comes.
    Short,
    /// Nothing more is fetched or completed.
    Stuck,
    /// The bus takes nothing more.
    NotReady,
    /// The card starts anew in the middle of its work.
    Reset,
    /// A completion of a tag that was answered, with the right CRC.
    Duplicate,
    /// What stood in the ring a lap ago.
    Lap,
    /// A bit changes on the way up or down.
    ResultBit,
    DescriptorBit,
    /// What memory says that no card wrote.
    Ones,
    Zeros,
    /// More completions than a ring holds.
    Tail,
    /// Less fetched than before.
    Head,
    /// No event ever comes.
    NoEvent,
    /// All reads give all ones, and no write goes anywhere.
    Gone,
}

impl Trick {
    /// Those that a card plays from the beginning.
    pub const IDENTITY: [Trick; 5] =
        [Trick::Magic, Trick::Abi, Trick::BuildHash, Trick::Cores, Trick::Rings];

    /// Those that it plays at work.
    pub const WORK: [Trick; 14] = [
        Trick::Short,
        Trick::Stuck,
        Trick::NotReady,
        Trick::Reset,
        Trick::Duplicate,
        Trick::Lap,
        Trick::ResultBit,
        Trick::DescriptorBit,
        Trick::Ones,
        Trick::Zeros,
        Trick::Tail,
        Trick::Head,
        Trick::NoEvent,
        Trick::Gone,
    ];

    /// Whether it goes on once it has begun.
    fn lasts(self) -> bool {
        use Trick::{Gone, NoEvent, NotReady, Stuck};
        Trick::IDENTITY.contains(&self) || matches!(self, Gone | NoEvent | NotReady | Stuck)
    }
}

/// A trick, and whether its time has come.
#[derive(Debug)]
pub struct Plan {
    pub trick: Trick,
    pub armed: AtomicBool,
    /// Which bit of what passes changes, by [`Trick::ResultBit`] and [`Trick::DescriptorBit`].
    pub bit: usize,
}

impl Plan {
    pub fn new(trick: Trick, armed: bool) -> Arc<Plan> {
        Arc::new(Plan { trick, armed: armed.into(), bit: 75 })
    }
}

/// A transport with a plan.
pub struct Faulty {
    inner: Box<dyn Transport>,
    plan: Arc<Plan>,
    /// A trick that lasts has begun.
    begun: bool,
    nonce: u32,
    /// The registers as they stood when the card got stuck.
    frozen: HashMap<u32, u32>,
    /// The lines that were read, by address, and a completion of one line.
    seen: HashMap<u64, Line>,
    answered: Option<Line>,
}

impl Faulty {
    pub fn new(inner: Box<dyn Transport>, plan: Arc<Plan>) -> Self {
        Faulty {
            inner,
            plan,
            begun: false,
            nonce: 0,
            frozen: HashMap::new(),
            seen: HashMap::new(),
            answered: None,
        }
    }

    /// Whether the trick is to be played now.
    fn plays(&mut self, trick: Trick) -> bool {
        if self.plan.trick != trick {
            return false;
        }
        let now = self.begun || self.plan.armed.swap(false, Ordering::Relaxed);
        self.begun |= now && trick.lasts();
        now
    }

    /// Spoils lines of completions that were read from `address` on.
    fn spoil(&mut self, address: u64, lines: &mut [Line]) {
        for (index, line) in lines.iter_mut().enumerate() {
            let address = address + 64 * index as u64;
            let right = *line;
            if let Some(old) = self.seen.get(&address).copied()
                && self.plays(Trick::Lap)
            {
                *line = old;
            }
            // Bits 24 and 25: the first and last of its lines.
            let is_single = line[59] & 3 == 2;
            if let Some(answered) = self.answered.filter(|_| is_single)
                && self.plays(Trick::Duplicate)
            {
                line[..56].copy_from_slice(&answered[..56]);
                seal(self.nonce, line);
            }
            if self.plays(Trick::ResultBit) {
                flip(line, self.plan.bit);
            }
            if self.plays(Trick::Ones) {
                line.fill(u8::MAX);
            }
            if self.plays(Trick::Zeros) {
                line.fill(0);
            }
            self.seen.insert(address, right);
            if is_single {
                self.answered = Some(right);
            }
        }
    }
}

fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (8 * bytes.len());
    bytes[bit / 8] ^= 1 << (bit % 8);
}

impl Transport for Faulty {
    fn describe(&self) -> String {
        format!("{}, {:?}", self.inner.describe(), self.plan.trick)
    }

    fn read32(&mut self, register: u32) -> Result<u32, TransportError> {
        if self.plays(Trick::NotReady) {
            return Err(TransportError::Stuck);
        }
        if register == CQ_TAIL && self.plays(Trick::Reset) {
            self.inner.write32(CONTROL, 1)?;
        }
        let value = self.inner.read32(register)?;
        if self.plays(Trick::Gone) {
            return Ok(u32::MAX);
        }
        Ok(match register {
            MAGIC if self.plays(Trick::Magic) => value ^ 1,
            ABI_VERSION if self.plays(Trick::Abi) => value + 1,
            0x3C if self.plays(Trick::BuildHash) => value ^ 0x100,
            CAPS if self.plays(Trick::Cores) => value & !1,
            RINGS if self.plays(Trick::Rings) => value | 31,
            CQ_TAIL | SQ_HEAD if self.plays(Trick::Stuck) => {
                *self.frozen.entry(register).or_insert(value)
            }
            CQ_TAIL if self.plays(Trick::Tail) => value.wrapping_add(1 << 23),
            SQ_HEAD if self.plays(Trick::Head) => value.wrapping_sub(1 << 23),
            _ => value,
        })
    }

    fn write32(&mut self, register: u32, value: u32) -> Result<(), TransportError> {
        if self.plays(Trick::Gone) {
            return Ok(());
        }
        if register == NONCE {
            self.nonce = value;
        }
        self.inner.write32(register, value)
    }

    fn h2c(&mut self, address: u64, data: &[u8]) -> Result<(), TransportError> {
        if self.plays(Trick::Gone) {
            return Ok(());
        }
        let mut data = data.to_vec();
        if self.plays(Trick::DescriptorBit) {
            flip(&mut data, self.plan.bit);
        }
        self.inner.h2c(address, &data)
    }

    fn c2h(&mut self, address: u64, out: &mut [u8]) -> Result<(), TransportError> {
        if self.plays(Trick::Short) {
            return Err(TransportError::Short { got: out.len() / 2, want: out.len() });
        }
        if self.plays(Trick::Gone) {
            out.fill(u8::MAX);
            return Ok(());
        }
        self.inner.c2h(address, out)?;
        self.spoil(address, out.as_chunks_mut().0);
        Ok(())
    }

    fn wait_event(&mut self, limit: Duration) -> Result<bool, TransportError> {
        let came = self.inner.wait_event(limit)?;
        Ok(came && !self.plays(Trick::NoEvent))
    }

    fn cycles(&self) -> Option<u64> {
        self.inner.cycles()
    }
}

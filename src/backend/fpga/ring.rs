//! The two rings. The host writes the submission ring as far as the card has fetched, and reads the
//! completion ring as far as the card has written.

use crate::backend::fpga::completion::{Completed, Reader};
use crate::backend::fpga::descriptor::Line;
use crate::backend::fpga::registers::{
    self, COMPLETION_RING, CQ_HEAD, CQ_TAIL, Identity, SQ_HEAD, SQ_TAIL,
};
use crate::backend::fpga::transport::Transport;
use crate::error::Fault;

/// Bytes of a line.
const LINE: usize = size_of::<Line>();

/// The submission ring.
#[derive(Debug)]
pub(crate) struct Submission {
    lines: u32,
    /// Lines submitted.
    tail: u32,
    /// Lines that the card had fetched when it was last asked.
    head: u32,
}

impl Submission {
    pub fn new(identity: &Identity) -> Self {
        Submission { lines: 1 << identity.submission_log2, tail: 0, head: 0 }
    }

    /// Lines submitted.
    pub fn tail(&self) -> u32 {
        self.tail
    }

    /// Lines fetched, as far as is known.
    pub fn head(&self) -> u32 {
        self.head
    }

    fn room(&self) -> usize {
        (self.lines - self.tail.wrapping_sub(self.head)) as usize
    }

    /// Asks the card how far it has fetched.
    ///
    /// # Errors
    /// A word that makes no sense, or none.
    pub fn look(&mut self, transport: &mut dyn Transport) -> Result<(), Fault> {
        let head = registers::counter(transport, SQ_HEAD)?;
        if self.tail.wrapping_sub(head) > self.tail.wrapping_sub(self.head) {
            let (from, to) = (self.head, self.tail);
            let why = format!("SQ_HEAD is {head}, which was {from} of {to}");
            return Err(Fault::Device(why));
        }
        self.head = head;
        Ok(())
    }

    /// Submits as many of the lines as there is room for, and says how many those were.
    ///
    /// # Errors
    /// The transport's, or an SQ_HEAD that makes no sense.
    pub fn push(&mut self, transport: &mut dyn Transport, lines: &[Line]) -> Result<usize, Fault> {
        if lines.len() > self.room() {
            self.look(transport)?;
        }
        let count = lines.len().min(self.room());
        if count == 0 {
            return Ok(0);
        }
        let at = self.tail & (self.lines - 1);
        let before_wrap = count.min((self.lines - at) as usize);
        for (at, lines) in [(at, &lines[..before_wrap]), (0, &lines[before_wrap..count])] {
            if !lines.is_empty() {
                transport.h2c(u64::from(at) * LINE as u64, lines.as_flattened())?;
            }
        }
        self.tail = self.tail.wrapping_add(count as u32);
        transport.write32(SQ_TAIL, self.tail)?;
        Ok(count)
    }
}

/// The completion ring.
#[derive(Debug)]
pub(crate) struct Completions {
    lines: u32,
    reader: Reader,
    buffer: Vec<Line>,
}

impl Completions {
    pub fn new(identity: &Identity, nonce: u32) -> Self {
        let log2 = identity.completion_log2;
        Completions { lines: 1 << log2, reader: Reader::new(nonce, log2), buffer: Vec::new() }
    }

    /// Lines read.
    pub fn head(&self) -> u32 {
        self.reader.head()
    }

    /// Appends all that has come, and tells the card that there is room.
    ///
    /// # Errors
    /// The transport's, a CQ_TAIL that makes no sense, or a line that is none.
    pub fn drain(
        &mut self,
        transport: &mut dyn Transport,
        out: &mut Vec<Completed>,
    ) -> Result<(), Fault> {
        let head = self.reader.head();
        let tail = registers::counter(transport, CQ_TAIL)?;
        let count = tail.wrapping_sub(head);
        if count > self.lines {
            return Err(Fault::Device(format!("CQ_TAIL is {tail}, where {head} were read")));
        }
        if count == 0 {
            return Ok(());
        }
        let at = head & (self.lines - 1);
        let before_wrap = count.min(self.lines - at) as usize;
        // A transport that fills less than it says leaves lines that were never written.
        self.buffer.clear();
        self.buffer.resize(count as usize, [0; LINE]);
        let (first, second) = self.buffer.split_at_mut(before_wrap);
        for (at, lines) in [(at, first), (0, second)] {
            if !lines.is_empty() {
                let address = COMPLETION_RING + u64::from(at) * LINE as u64;
                transport.c2h(address, lines.as_flattened_mut())?;
            }
        }
        for line in &self.buffer {
            out.extend(self.reader.read(line)?);
        }
        transport.write32(CQ_HEAD, self.reader.head())?;
        Ok(())
    }
}

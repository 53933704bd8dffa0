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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::backend::fpga::completion::tests::write;
    use crate::backend::fpga::transport::TransportError;

    const NONCE: u32 = 9;

    /// A card that does what a test says.
    struct Script {
        sq_head: u32,
        sq_tail: u32,
        cq_head: u32,
        cq_tail: u32,
        memory: [[Line; 8]; 2],
        /// Transfers: address and lines.
        transfers: Vec<(u64, usize)>,
    }

    fn script() -> Script {
        let memory = [[[0; 64]; 8]; 2];
        Script { sq_head: 0, sq_tail: 0, cq_head: 0, cq_tail: 0, memory, transfers: Vec::new() }
    }

    impl Transport for Script {
        fn describe(&self) -> String {
            String::new()
        }

        fn read32(&mut self, register: u32) -> Result<u32, TransportError> {
            Ok(match register {
                SQ_HEAD => self.sq_head,
                CQ_TAIL => self.cq_tail,
                registers::MAGIC => registers::MAGIC_VALUE,
                other => panic!("register {other:#x}"),
            })
        }

        fn write32(&mut self, register: u32, value: u32) -> Result<(), TransportError> {
            match register {
                SQ_TAIL => self.sq_tail = value,
                CQ_HEAD => self.cq_head = value,
                other => panic!("register {other:#x}"),
            }
            Ok(())
        }

        fn h2c(&mut self, address: u64, data: &[u8]) -> Result<(), TransportError> {
            let lines = data.as_chunks().0;
            self.memory[0][address as usize / 64..][..lines.len()].copy_from_slice(lines);
            self.transfers.push((address, lines.len()));
            Ok(())
        }

        fn c2h(&mut self, address: u64, out: &mut [u8]) -> Result<(), TransportError> {
            let lines = out.as_chunks_mut().0;
            let at = (address - COMPLETION_RING) as usize / 64;
            lines.copy_from_slice(&self.memory[1][at..][..lines.len()]);
            self.transfers.push((address, lines.len()));
            Ok(())
        }

        fn wait_event(&mut self, _: Duration) -> Result<bool, TransportError> {
            Ok(false)
        }
    }

    fn identity() -> Identity {
        let (submission_log2, completion_log2) = (3, 3);
        Identity { abi_version: 1, source_hash: [0; 32], caps: 1, submission_log2, completion_log2 }
    }

    fn lines(from: u8, count: u8) -> Vec<Line> {
        (from..from + count).map(|byte| [byte; 64]).collect()
    }

    #[test]
    fn lines_go_as_far_as_the_card_has_fetched_and_around_the_end() {
        let (mut card, mut ring) = (script(), Submission::new(&identity()));
        assert_eq!(ring.push(&mut card, &lines(0, 5)), Ok(5));
        assert_eq!((card.sq_tail, ring.tail()), (5, 5));
        assert_eq!(ring.push(&mut card, &lines(5, 5)), Ok(3), "as many as there is room for");
        assert_eq!(ring.push(&mut card, &lines(8, 2)), Ok(0), "full");
        card.sq_head = 6;
        assert_eq!(ring.push(&mut card, &lines(8, 4)), Ok(4));
        card.sq_head = 9;
        assert_eq!(ring.push(&mut card, &lines(12, 9)), Ok(5));
        assert_eq!((card.sq_tail, ring.head()), (17, 9));
        let expected: Vec<Line> = [16, 9, 10, 11, 12, 13, 14, 15].map(|byte| [byte; 64]).to_vec();
        assert_eq!(card.memory[0].to_vec(), expected);
        let transfers = [(0, 5), (5 * 64, 3), (0, 4), (4 * 64, 4), (0, 1)];
        assert_eq!(card.transfers, transfers);
    }

    #[test]
    fn the_counters_wrap() {
        let (mut card, mut ring) = (script(), Submission::new(&identity()));
        (ring.tail, ring.head) = (u32::MAX - 2, u32::MAX - 2);
        card.sq_head = u32::MAX - 2;
        assert_eq!(ring.push(&mut card, &lines(0, 9)), Ok(8));
        card.sq_head = u32::MAX;
        assert_eq!(ring.push(&mut card, &lines(8, 4)), Ok(2));
        card.sq_head = 5;
        assert_eq!(ring.look(&mut card), Ok(()));
        assert_eq!(ring.head(), 5);
    }

    #[test]
    fn a_head_that_goes_back_or_too_far_is_a_fault() {
        for wrong in [3, 9, 1 << 31] {
            let (mut card, mut ring) = (script(), Submission::new(&identity()));
            assert_eq!(ring.push(&mut card, &lines(0, 8)), Ok(8));
            card.sq_head = 4;
            assert_eq!(ring.look(&mut card), Ok(()));
            card.sq_head = wrong;
            assert!(matches!(ring.look(&mut card), Err(Fault::Device(_))), "{wrong}");
        }
    }

    #[test]
    fn completions_are_read_around_the_end_and_their_room_given_back() {
        let (mut card, mut ring) = (script(), Completions::new(&identity(), NONCE));
        let mut tags = Vec::new();
        for batch in [5, 6, 0, 8] {
            for _ in 0..batch {
                let at = (NONCE, 3, card.cq_tail);
                let line = write(at, (card.cq_tail, 0), &[1; 32])[0];
                card.memory[1][card.cq_tail as usize % 8] = line;
                card.cq_tail += 1;
            }
            let mut out = Vec::new();
            assert_eq!(ring.drain(&mut card, &mut out), Ok(()));
            tags.extend(out.iter().map(|completed| completed.tag));
            assert_eq!((card.cq_head, ring.head()), (card.cq_tail, card.cq_tail));
        }
        assert_eq!(tags, (0..19).collect::<Vec<_>>());
        let at = |line: u64| COMPLETION_RING + 64 * line;
        let transfers = [(at(0), 5), (at(5), 3), (at(0), 3), (at(3), 5), (at(0), 3)];
        assert_eq!(card.transfers, transfers);
    }

    #[test]
    fn a_tail_that_makes_no_sense_is_a_fault() {
        for wrong in [9, u32::MAX - 1, u32::MAX, 1 << 31] {
            let (mut card, mut ring) = (script(), Completions::new(&identity(), NONCE));
            card.cq_tail = wrong;
            let drained = ring.drain(&mut card, &mut Vec::new());
            assert!(matches!(drained, Err(Fault::Device(_))), "{wrong}");
            assert!(card.transfers.is_empty());
        }
    }
}

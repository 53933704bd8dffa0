//! Completions: what the lines of the completion ring say, if they say anything.
//!
//! Memory that was never written, a card that is gone, the entry of the last lap and a line that
//! changed on its way must each fail to parse: no answer is never read as one.

use crate::backend::fpga::descriptor::Line;
use crate::error::Fault;

/// Bytes of payload in a line.
const PART: usize = 48;

/// What a core brought back for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Completed {
    pub tag: u32,
    /// CRC-32 of the job's lines as the card read them.
    pub check: u32,
    /// The payload of two lines, or of one and zeros.
    pub payload: [u8; 2 * PART],
    /// Whether it came in two lines.
    pub wide: bool,
}

/// Why a line is no part of a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CompletionError {
    #[error("completion {line}: never written")]
    Empty { line: u32 },
    #[error("completion {line}: all ones")]
    Ones { line: u32 },
    #[error("completion {line}: wrong CRC")]
    Crc { line: u32 },
    #[error("completion {line}: an entry of another lap")]
    Lap { line: u32 },
    #[error("completion {line}: sequence {found}")]
    Sequence { line: u32, found: u32 },
    #[error("completion {line}: bits that mean nothing")]
    Unknown { line: u32 },
    #[error("completion {line}: not the part that was due")]
    Part { line: u32 },
}

impl From<CompletionError> for Fault {
    fn from(error: CompletionError) -> Self {
        match error {
            CompletionError::Lap { .. } => Fault::Stale,
            other => Fault::Device(other.to_string()),
        }
    }
}

/// Reads completions line by line, in the order of the ring.
#[derive(Debug)]
pub(crate) struct Reader {
    nonce: u32,
    log2: u32,
    /// The number of the line that is due.
    next: u32,
    /// The first part of the completion whose second is due.
    begun: Option<Completed>,
}

const SECOND: u32 = 1 << 24;
const LAST: u32 = 1 << 25;
const PHASE: u32 = 1 << 31;
const SEQUENCE: u32 = SECOND - 1;

impl Reader {
    /// Of a ring of 2^log2 lines after a reset.
    pub fn new(nonce: u32, log2: u32) -> Self {
        Reader { nonce, log2, next: 0, begun: None }
    }

    /// Lines read.
    pub fn head(&self) -> u32 {
        self.next
    }

    /// Reads the line that is due; gives a completion with its last line.
    ///
    /// # Errors
    /// Whatever keeps the line from being that one.
    pub fn read(&mut self, line: &Line) -> Result<Option<Completed>, CompletionError> {
        let number = self.next;
        if line.iter().all(|&byte| byte == 0) {
            return Err(CompletionError::Empty { line: number });
        }
        if line.iter().all(|&byte| byte == u8::MAX) {
            return Err(CompletionError::Ones { line: number });
        }
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| line[at + i]));
        if word(60) != crc(self.nonce, &line[..60]) {
            return Err(CompletionError::Crc { line: number });
        }
        let bits = word(56);
        let found = bits & SEQUENCE;
        if found != number & SEQUENCE {
            let lap = (1 << self.log2) - 1;
            return Err(if found & lap == number & lap {
                CompletionError::Lap { line: number }
            } else {
                CompletionError::Sequence { line: number, found }
            });
        }
        if bits & PHASE != phase(number, self.log2) {
            return Err(CompletionError::Lap { line: number });
        }
        if bits & !(SEQUENCE | SECOND | LAST | PHASE) != 0 {
            return Err(CompletionError::Unknown { line: number });
        }
        let part = CompletionError::Part { line: number };
        let (tag, check) = (word(48), word(52));
        let completed = match (self.begun.take(), bits & SECOND != 0) {
            (None, false) => {
                let mut payload = [0; 2 * PART];
                payload[..PART].copy_from_slice(&line[..PART]);
                Completed { tag, check, payload, wide: false }
            }
            (Some(mut first), true) => {
                if (tag, check) != (first.tag, first.check) || bits & LAST == 0 {
                    return Err(part);
                }
                first.payload[PART..].copy_from_slice(&line[..PART]);
                Completed { wide: true, ..first }
            }
            _ => return Err(part),
        };
        self.next = number.wrapping_add(1);
        if bits & LAST == 0 {
            self.begun = Some(completed);
            return Ok(None);
        }
        Ok(Some(completed))
    }
}

/// The phase bit of a line by its number.
fn phase(number: u32, log2: u32) -> u32 {
    if number >> log2 & 1 == 0 { PHASE } else { 0 }
}

/// CRC-32 (IEEE 802.3) continued from another.
pub(crate) fn crc(from: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(from);
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The lines of a completion from line `number` on, as a card writes them.
    pub fn write(
        (nonce, log2, number): (u32, u32, u32),
        (tag, check): (u32, u32),
        payload: &[u8],
    ) -> Vec<Line> {
        let parts: Vec<_> = payload.chunks(PART).collect();
        let write = |(i, part): (usize, &&[u8])| {
            let number = number.wrapping_add(i as u32);
            let second = if i == 1 { SECOND } else { 0 };
            let last = if i + 1 == parts.len() { LAST } else { 0 };
            let bits = number & SEQUENCE | second | last | phase(number, log2);
            let mut line = [0; 64];
            line[..part.len()].copy_from_slice(part);
            for (at, word) in [(48, tag), (52, check), (56, bits)] {
                line[at..at + 4].copy_from_slice(&word.to_le_bytes());
            }
            seal(nonce, &mut line);
            line
        };
        parts.iter().enumerate().map(write).collect()
    }

    /// Writes a line's CRC.
    pub fn seal(nonce: u32, line: &mut Line) {
        let sum = crc(nonce, &line[..60]);
        line[60..].copy_from_slice(&sum.to_le_bytes());
    }

    const NONCE: u32 = 0x1234_5678;
    const LOG2: u32 = 3;

    /// A reader past `lines` one-line completions.
    fn reader(lines: u32) -> Reader {
        let mut reader = Reader::new(NONCE, LOG2);
        for number in 0..lines {
            let lines = write((NONCE, LOG2, number), (number, 0), &[1; 32]);
            let read = reader.read(&lines[0]).expect("it is right").expect("one line");
            assert_eq!((read.tag, read.wide), (number, false));
            assert_eq!(
                (read.payload[..32].to_vec(), read.payload[32..].to_vec()),
                (vec![1; 32], vec![0; 64])
            );
        }
        reader
    }

    /// What the reader says of a line in place of the one that is due.
    fn refused(past: u32, line: &Line) -> CompletionError {
        let mut reader = reader(past);
        let error = reader.read(line).expect_err("it is no completion");
        assert_eq!(reader.head(), past);
        error
    }

    #[test]
    fn the_crc_is_that_of_ethernet() {
        assert_eq!(crc(0, b"123456789"), 0xCBF4_3926);
        assert_eq!(crc(crc(7, b"1234"), b"56789"), crc(7, b"123456789"));
    }

    #[test]
    fn completions_of_both_widths_are_read_on_every_lap() {
        let mut reader = reader(5);
        for tag in 5..40u32 {
            let wide = tag % 3 != 0;
            let payload: Vec<u8> = (1..=if wide { 96 } else { 32 }).collect();
            let lines = write((NONCE, LOG2, reader.head()), (tag, !tag), &payload);
            assert_eq!(lines.len(), if wide { 2 } else { 1 });
            let last = lines.len() - 1;
            for line in &lines[..last] {
                assert_eq!(reader.read(line), Ok(None));
            }
            let read = reader.read(&lines[last]).expect("right").expect("the last");
            assert_eq!((read.tag, read.check, read.wide), (tag, !tag, wide));
            assert_eq!(read.payload[..payload.len()], payload);
        }
    }

    #[test]
    fn what_is_no_completion_is_not_read_as_one() {
        for past in [0, 7, 8, 19] {
            let at = (NONCE, LOG2, past);
            let line = write(at, (9, 8), &[3; 32])[0];
            assert_eq!(refused(past, &[0; 64]), CompletionError::Empty { line: past });
            assert_eq!(refused(past, &[0xFF; 64]), CompletionError::Ones { line: past });
            for bit in 0..512 {
                let mut flipped = line;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(refused(past, &flipped), CompletionError::Crc { line: past });
            }
            let other = write((NONCE + 1, LOG2, past), (9, 8), &[3; 32])[0];
            assert_eq!(refused(past, &other), CompletionError::Crc { line: past });
            for laps in [8, 16] {
                let lap = write((NONCE, LOG2, past + laps), (9, 8), &[3; 32])[0];
                assert_eq!(refused(past, &lap), CompletionError::Lap { line: past });
            }
            let next = write((NONCE, LOG2, past + 1), (9, 8), &[3; 32])[0];
            let found = past + 1;
            assert_eq!(refused(past, &next), CompletionError::Sequence { line: past, found });
            let change = |meddle: fn(&mut Line)| {
                let mut line = line;
                meddle(&mut line);
                seal(NONCE, &mut line);
                refused(past, &line)
            };
            assert_eq!(change(|line| line[59] ^= 0x80), CompletionError::Lap { line: past });
            assert_eq!(change(|line| line[59] ^= 0x40), CompletionError::Unknown { line: past });
            assert_eq!(change(|line| line[59] ^= 0x01), CompletionError::Part { line: past });
        }
    }

    #[test]
    fn parts_belong_together() {
        for meddle in [48, 52] {
            let lines = write((NONCE, LOG2, 2), (4, 5), &[3; 96]);
            let mut reader = reader(2);
            assert_eq!(reader.read(&lines[0]), Ok(None));
            let mut second = lines[1];
            second[meddle] ^= 1;
            seal(NONCE, &mut second);
            assert_eq!(reader.read(&second), Err(CompletionError::Part { line: 3 }));
        }
        // A first part where a second is due.
        let mut reader = reader(0);
        assert_eq!(reader.read(&write((NONCE, LOG2, 0), (4, 5), &[3; 96])[0]), Ok(None));
        let first = write((NONCE, LOG2, 1), (4, 5), &[3; 32])[0];
        assert_eq!(reader.read(&first), Err(CompletionError::Part { line: 1 }));
    }
}

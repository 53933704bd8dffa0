//! ECP5: commands of an opcode and three bytes of parameters, some with a payload. The CRC runs
//! over all of them, but not over the dummies between, and starts anew after each check.

use super::crc::Crc16;
use super::reader::Reader;
use super::{Bitstream, BitstreamError, Flaw, Format, Note, Part};

pub(super) const PREAMBLE: &[u8] = &[0xff, 0xff, 0xbd, 0xb3];

/// Checks what follows the preamble.
pub(super) fn inspect(reader: Reader<'_>, notes: Vec<Note>) -> Result<Bitstream, BitstreamError> {
    let start = reader.at() - PREAMBLE.len();
    let mut image = Image {
        reader,
        crc: Crc16(0),
        covered: 0,
        pending: false,
        crcs: 0,
        die: None,
        dictionary: false,
        framed: false,
        usercode: None,
    };
    while image.step()? {}
    let Image { reader, crcs, die, framed, usercode, .. } = image;
    let missing = |field| reader.flaw_at(reader.at(), Flaw::Missing { field });
    let (part, _) = die.ok_or_else(|| missing("the IDCODE"))?;
    if !framed {
        return Err(missing("the configuration"));
    }
    let format = Format::Ecp5;
    Ok(Bitstream { format, part, usercode, notes, crcs, unchecked: None, start })
}

/// The frames of a die: how many, and of how many bytes.
type Frames = (u32, usize);

/// What was read of an image so far.
struct Image<'a> {
    reader: Reader<'a>,
    crc: Crc16<0x8005>,
    /// Up to where bytes are in the CRC.
    covered: usize,
    /// Whether the CRC holds anything that no check has covered.
    pending: bool,
    crcs: usize,
    die: Option<(Part, Frames)>,
    dictionary: bool,
    framed: bool,
    usercode: Option<u32>,
}

impl Image<'_> {
    /// Reads one command; `false` after the last.
    fn step(&mut self) -> Result<bool, BitstreamError> {
        let at = self.reader.at();
        let twice = |field| Flaw::Twice { field };
        let opcode = self.reader.byte("a command")?;
        if opcode == DUMMY {
            return Ok(true);
        }
        if opcode == DONE {
            return self.done();
        }
        self.crc.update(&[opcode]);
        self.covered = self.reader.at();
        self.pending = true;
        match opcode {
            RESET_CRC => {
                self.reader.exactly(3, "the parameters of the CRC's reset", 0)?;
                if self.die.is_some() || self.framed {
                    return Err(self.reader.flaw_at(at, twice("the CRC's start")));
                }
                self.restart();
            }
            SPI_MODE if self.die.is_none() => {
                if !matches!(self.parameters()?, [0x49 | 0x51 | 0x59, 0, 0]) {
                    return Err(self.reader.flaw_at(at, Flaw::Command { code: opcode.into() }));
                }
            }
            INIT_ADDRESS | SECURITY => {
                self.parameters()?;
            }
            CONTROL_0 | EBR_ADDRESS => {
                self.parameters()?;
                self.number("a register")?;
            }
            VERIFY_ID => {
                self.parameters()?;
                let idcode = self.number("the IDCODE")?;
                if self.die.is_some() {
                    return Err(self.reader.flaw_at(at, twice("the IDCODE")));
                }
                let Some(die) = die(idcode) else {
                    let (field, found) = ("the IDCODE", idcode);
                    return Err(self.reader.flaw_at(at + 4, Flaw::Device { field, found }));
                };
                self.die = Some(die);
            }
            DICTIONARY => {
                let [flags, ..] = self.parameters()?;
                self.payload(8, "the dictionary")?;
                self.dictionary = true;
                if flags & CRC != 0 {
                    self.check()?;
                }
            }
            FRAMES | COMPRESSED_FRAMES => self.frames(at, opcode == COMPRESSED_FRAMES)?,
            EBR_WRITE => {
                let [flags, high, low] = self.parameters()?;
                self.demand_crc(at, flags)?;
                let lines = usize::from(u16::from_be_bytes([high, low]));
                self.payload(lines * 9, "a memory's contents")?;
                self.check()?;
            }
            USERCODE => {
                let [flags, ..] = self.parameters()?;
                self.demand_crc(at, flags)?;
                if self.usercode.is_some() {
                    return Err(self.reader.flaw_at(at, twice("the USERCODE")));
                }
                self.usercode = Some(self.number("the USERCODE")?);
                self.check()?;
            }
            JUMP => return Err(self.reader.flaw_at(at, MULTI_BOOT)),
            WRITE_ADDRESS => return Err(self.reader.flaw_at(at, PARTIAL)),
            code => return Err(self.reader.flaw_at(at, Flaw::Command { code: code.into() })),
        }
        Ok(true)
    }

    /// Reads all frames.
    fn frames(&mut self, at: usize, compressed: bool) -> Result<(), BitstreamError> {
        let [flags, high, low] = self.parameters()?;
        self.demand_crc(at, flags)?;
        let flaw = |flaw| Err(self.reader.flaw_at(at, flaw));
        let Some((_, (count, bytes))) = self.die else {
            return flaw(Flaw::Missing { field: "the IDCODE before the frames" });
        };
        if self.framed {
            return flaw(Flaw::Twice { field: "the block of frames" });
        }
        if compressed && !self.dictionary {
            return flaw(Flaw::Missing { field: "the dictionary before the frames" });
        }
        let found = u32::from(u16::from_be_bytes([high, low]));
        if found != count {
            let (found, wanted) = (found.into(), count.into());
            return flaw(Flaw::Wrong { field: "the number of frames", found, wanted });
        }
        let each = flags & CRC_AT_END == 0;
        let fillers = usize::from(flags & FILLERS);
        for frame in 1..=count {
            let length =
                if compressed { coded_length(self.reader.rest(), bytes) } else { Some(bytes) };
            // Without a length the frame goes beyond the end, whatever that is.
            self.payload(length.unwrap_or(usize::MAX), "a frame")?;
            if each || frame == count {
                self.check()?;
            }
            for _ in 0..fillers {
                self.reader.exactly(1, "a filler", DUMMY.into())?;
            }
            self.cover();
        }
        self.pending = fillers > 0;
        self.framed = true;
        Ok(())
    }

    /// The end: nothing is left that no CRC covers, and fillers follow.
    fn done(&mut self) -> Result<bool, BitstreamError> {
        if self.pending {
            let flaw = Flaw::Missing { field: "the CRC after the last command" };
            return Err(self.reader.flaw_at(self.reader.at() - 1, flaw));
        }
        self.reader.exactly(3, "the last command's parameters", 0)?;
        self.reader.exactly(4, "the end", u32::MAX)?;
        while !self.reader.rest().is_empty() {
            self.reader.exactly(1, "a byte after the end", DUMMY.into())?;
        }
        Ok(false)
    }

    fn parameters(&mut self) -> Result<[u8; 3], BitstreamError> {
        let taken = self.reader.take(3, "a command's parameters")?;
        let parameters = [taken[0], taken[1], taken[2]];
        self.cover();
        Ok(parameters)
    }

    fn number(&mut self, field: &'static str) -> Result<u32, BitstreamError> {
        let number = self.reader.number(4, field)?;
        self.cover();
        Ok(number)
    }

    fn payload(&mut self, bytes: usize, field: &'static str) -> Result<(), BitstreamError> {
        self.reader.take(bytes, field)?;
        self.cover();
        Ok(())
    }

    /// Takes what was read into the CRC.
    fn cover(&mut self) {
        self.crc.update(self.reader.since(self.covered));
        self.covered = self.reader.at();
    }

    /// Reads a CRC and compares.
    fn check(&mut self) -> Result<(), BitstreamError> {
        let at = self.reader.at();
        let (found, computed) = (self.reader.number(2, "a CRC")?, self.crc.0.into());
        if found != computed {
            return Err(self.reader.flaw_at(at, Flaw::Crc { found, computed }));
        }
        self.restart();
        self.crcs += 1;
        Ok(())
    }

    fn restart(&mut self) {
        self.crc = Crc16(0);
        self.covered = self.reader.at();
        self.pending = false;
    }

    fn demand_crc(&self, at: usize, flags: u8) -> Result<(), BitstreamError> {
        if flags & CRC != 0 {
            return Ok(());
        }
        Err(self.reader.flaw_at(at, Flaw::Missing { field: "the CRC of this command" }))
    }
}

/// How many bytes a frame of `bytes` bytes takes in compressed form, or `None` if it is not all
/// there. A code is 0 for a zero byte, 10 and four bits for one of the frequent ones, 11 and the
/// byte for others.
fn coded_length(coded: &[u8], bytes: usize) -> Option<usize> {
    let bit = |at: usize| coded.get(at / 8).map(|byte| byte << (at % 8) & 0x80 != 0);
    let mut at = 0;
    for _ in 0..bytes.next_multiple_of(8) {
        at += match bit(at)? {
            false => 1,
            true if bit(at + 1)? => 10,
            true => 6,
        };
    }
    Some(at.div_ceil(8))
}

/// The die of an IDCODE. Its highest digit tells the families, and the two smallest parts, which
/// are one die.
fn die(idcode: u32) -> Option<(Part, Frames)> {
    let (size, frames) = match idcode & 0x0fff_ffff {
        0x0111_1043 => ("25f", (7_562, 74)),
        0x0111_2043 => ("45f", (9_470, 106)),
        0x0111_3043 => ("85f", (13_294, 142)),
        _ => return None,
    };
    let name = match idcode >> 28 {
        2 if size == "25f" => "lfe5u-12f".to_owned(),
        4 => format!("lfe5u-{size}"),
        0 => format!("lfe5um-{size}"),
        8 => format!("lfe5um5g-{size}"),
        _ => return None,
    };
    Some((Part::new(&[&name], Some(idcode)), frames))
}

const DICTIONARY: u8 = 0x02;
const CONTROL_0: u8 = 0x22;
const RESET_CRC: u8 = 0x3b;
const INIT_ADDRESS: u8 = 0x46;
const DONE: u8 = 0x5e;
const SPI_MODE: u8 = 0x79;
const JUMP: u8 = 0x7e;
const FRAMES: u8 = 0x82;
const EBR_WRITE: u8 = 0xb2;
const WRITE_ADDRESS: u8 = 0xb4;
const COMPRESSED_FRAMES: u8 = 0xb8;
const USERCODE: u8 = 0xc2;
const SECURITY: u8 = 0xce;
const VERIFY_ID: u8 = 0xe2;
const EBR_ADDRESS: u8 = 0xf6;
const DUMMY: u8 = 0xff;

// First parameter: a CRC follows, only after all frames, and so many fillers after each frame.
const CRC: u8 = 0x80;
const CRC_AT_END: u8 = 0x40;
const FILLERS: u8 = 0x0f;

const MULTI_BOOT: Flaw = Flaw::Unsupported {
    what: "an image for several boots",
    fix: "give one of the images that were joined",
};
const PARTIAL: Flaw = Flaw::Unsupported {
    what: "an image of a part of the device",
    fix: "build a whole one, without --delta",
};

//! Xilinx: a header for programs, then packets of 32-bit words, each a write to a register of the
//! configuration logic.

use super::crc::Crc37;
use super::reader::Reader;
use super::{Bitstream, BitstreamError, Flaw, Format, Note, Part};

/// A field of nine bytes that is the same in every file, and the length of the first key.
pub(super) const MAGIC: &[u8] =
    &[0x00, 0x09, 0x0f, 0xf0, 0x0f, 0xf0, 0x0f, 0xf0, 0x0f, 0xf0, 0x00, 0x00, 0x01];

/// Checks what follows the magic.
pub(super) fn inspect(mut reader: Reader<'_>) -> Result<Bitstream, BitstreamError> {
    let mut notes = Vec::with_capacity(TEXTS.len());
    for (key, name) in TEXTS {
        reader.exactly(1, "a key of the header", key.into())?;
        let at = reader.at();
        let length = reader.number(2, name)?;
        match reader.take(length as usize, name)? {
            [text @ .., 0] if !text.contains(&0) => {
                notes.push(Note { name, text: String::from_utf8_lossy(text).into_owned() });
            }
            _ => return Err(reader.flaw_at(at, Flaw::Text { field: name })),
        }
    }
    reader.exactly(1, "the key of the data", b'e'.into())?;
    let at = reader.at();
    let (found, wanted) = (reader.number(4, "the data's length")?, reader.rest().len() as u64);
    if u64::from(found) != wanted {
        let (field, found) = ("the data's length", found.into());
        return Err(reader.flaw_at(at, Flaw::Wrong { field, found, wanted }));
    }
    let start = reader.at();
    synchronise(&mut reader)?;
    let packets = Packets::read(&mut reader)?;
    let (at, idcode) = packets
        .idcode
        .ok_or_else(|| reader.flaw_at(reader.at(), Flaw::Missing { field: "the IDCODE" }))?;
    let named = &notes[1].text;
    let part =
        part(idcode, named).map_err(|part| reader.flaw_at(at, Flaw::OtherPart { idcode, part }))?;
    Ok(Bitstream {
        format: Format::Xilinx,
        part,
        usercode: user_id(&notes[0].text),
        notes,
        crcs: packets.crcs,
        unchecked: packets.unchecked,
        start,
    })
}

/// Reads up to the word after which the device listens.
fn synchronise(reader: &mut Reader<'_>) -> Result<(), BitstreamError> {
    skip_dummies(reader);
    if reader.rest().starts_with(&BUS_WIDTH[0].to_be_bytes()) {
        for word in BUS_WIDTH {
            reader.exactly(4, "the bus width's pattern", word)?;
        }
        skip_dummies(reader);
    }
    reader.exactly(4, "the synchronising word", SYNCHRONISE)
}

fn skip_dummies(reader: &mut Reader<'_>) {
    while reader.rest().starts_with(&DUMMY.to_be_bytes()) {
        let _ = reader.take(4, "a dummy");
    }
}

/// What the packets of an image say.
#[derive(Default)]
struct Packets {
    crc: Crc37,
    crcs: usize,
    /// Something was written since the last CRC or its reset.
    pending: bool,
    /// And it is data or the IDCODE, which no reset may pass over.
    weighty: bool,
    /// Where the IDCODE is, and which.
    idcode: Option<(usize, u32)>,
    unchecked: Option<&'static str>,
    desynchronised: bool,
}

impl Packets {
    fn read(reader: &mut Reader<'_>) -> Result<Self, BitstreamError> {
        let mut packets = Packets::default();
        // The register of a packet of type 1 without words; one of type 2 with them must follow.
        let mut selected = None;
        while !reader.rest().is_empty() {
            let at = reader.at();
            let word = reader.number(4, "a packet")?;
            let idle = word == NOTHING || packets.desynchronised && word == DUMMY;
            if idle && selected.is_none() {
                continue;
            }
            let unknown = Flaw::Command { code: word };
            if word == 0 && selected.is_none() {
                return Err(reader.flaw_at(at, DEBUG));
            }
            let (register, count) = match (word >> 27, selected.take()) {
                (WRITE_1, None) => ((word >> 13) & 0x3fff, word & 0x7ff),
                (WRITE_2, Some(register)) => (register, word & 0x7ff_ffff),
                _ => return Err(reader.flaw_at(at, unknown)),
            };
            let first = word >> 27 == WRITE_1;
            let reserved = first && word & 0x1800 != 0 || !first && count == 0;
            if register > 31 || reserved || packets.desynchronised {
                return Err(reader.flaw_at(at, unknown));
            }
            selected = (first && count == 0).then_some(register);
            packets.unchecked =
                UNCHECKED.iter().find_map(|(known, why)| (*known == register).then_some(*why));
            if packets.unchecked.is_some() {
                return Ok(packets);
            }
            for _ in 0..count {
                let at = reader.at();
                let word = reader.number(4, "a packet's words")?;
                packets.write(register, word, at).map_err(|flaw| reader.flaw_at(at, flaw))?;
            }
        }
        let missing = match packets {
            Packets { crcs: 0, .. } | Packets { pending: true, .. } => {
                "the CRC after the last word"
            }
            Packets { desynchronised: false, .. } => "the last command",
            _ => return Ok(packets),
        };
        Err(reader.flaw_at(reader.at(), Flaw::Missing { field: missing }))
    }

    /// One word written to a register.
    fn write(&mut self, register: u32, word: u32, at: usize) -> Result<(), Flaw> {
        match (register, word) {
            (CRC, found) => {
                let computed = self.crc.0;
                if found != computed {
                    return Err(Flaw::Crc { found, computed });
                }
                self.crc = Crc37::default();
                self.crcs += 1;
                (self.pending, self.weighty) = (false, false);
                return Ok(());
            }
            (COMMAND, RESET_CRC) => {
                if self.weighty {
                    return Err(Flaw::Missing { field: "the CRC before its reset" });
                }
                self.crc = Crc37::default();
                self.pending = false;
                return Ok(());
            }
            (COMMAND, DESYNCHRONISE) => {
                self.desynchronised = true;
                return Ok(());
            }
            (FRAME_DATA, _) => self.weighty = true,
            (IDCODE, _) => {
                if self.idcode.is_some_and(|(_, known)| known != word) {
                    return Err(Flaw::Twice { field: "the IDCODE" });
                }
                self.weighty = true;
                self.idcode = Some((at, word));
            }
            _ => {}
        }
        self.pending = true;
        self.crc.update(register, word);
        Ok(())
    }
}

/// The part: the die that the IDCODE names, if it is known, and the header's text. On failure the
/// die that the header should have named.
fn part(idcode: u32, named: &str) -> Result<Part, &'static str> {
    let named = named.to_ascii_lowercase();
    let full = format!("xc{}", named.strip_prefix("xc").unwrap_or(&named));
    match DIES.iter().find(|(known, _)| *known == idcode & REVISION_MASK) {
        Some((_, die)) if full == *die => Ok(Part::new(&[*die], Some(idcode))),
        Some((_, die)) if full.starts_with(die) => Ok(Part::new(&[*die, &full], Some(idcode))),
        Some((_, die)) => Err(die),
        None => Ok(Part::new(&[&full], Some(idcode))),
    }
}

/// The number after `UserID=` in the design's text.
fn user_id(design: &str) -> Option<u32> {
    let (_, text) = design.split_once("UserID=0X")?;
    let digits = text.split(';').next()?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
    u32::from_str_radix(digits, 16).ok()
}

const TEXTS: [(u8, &str); 4] = [(b'a', "design"), (b'b', "part"), (b'c', "date"), (b'd', "time")];

const DUMMY: u32 = 0xffff_ffff;
const BUS_WIDTH: [u32; 2] = [0x0000_00bb, 0x1122_0044];
const SYNCHRONISE: u32 = 0xaa99_5566;
const NOTHING: u32 = 0x2000_0000;

/// Type 1, write; type 2, write.
const WRITE_1: u32 = 0b001 << 2 | 0b10;
const WRITE_2: u32 = 0b010 << 2 | 0b10;

const CRC: u32 = 0;
const FRAME_DATA: u32 = 2;
const COMMAND: u32 = 4;
const IDCODE: u32 = 12;

const RESET_CRC: u32 = 7;
const DESYNCHRONISE: u32 = 13;

/// Between its frames Vivado pads such an image with zero words.
const DEBUG: Flaw = Flaw::Unsupported {
    what: "a damaged image, or one for debugging",
    fix: "copy it again, or build it with BITSTREAM.GENERAL.DEBUGBITSTREAM NO",
};

/// Registers whose use means that words are not what the CRC sees, and why.
const UNCHECKED: [(u32, &str); 4] = [
    (10, "compressed: only header and IDCODE were checked"),
    (11, "encrypted: only header and IDCODE were checked"),
    (26, "encrypted: only header and IDCODE were checked"),
    (30, "for stacked dies: only header and IDCODE were checked"),
];

/// An IDCODE's upper digit is the silicon's revision.
const REVISION_MASK: u32 = 0x0fff_ffff;

/// Dies whose part is compared with the header's; others are taken as the header names them.
const DIES: [(u32, &str); 15] = [
    (0x037c_3093, "xc7a12t"),
    (0x0362_e093, "xc7a15t"),
    (0x037c_2093, "xc7a25t"),
    (0x0362_d093, "xc7a35t"),
    (0x0362_c093, "xc7a50t"),
    (0x0363_2093, "xc7a75t"),
    (0x0363_1093, "xc7a100t"),
    (0x0363_6093, "xc7a200t"),
    (0x0364_7093, "xc7k70t"),
    (0x0364_c093, "xc7k160t"),
    (0x0365_1093, "xc7k325t"),
    (0x0365_6093, "xc7k410t"),
    (0x04b3_9093, "xcvu3p"),
    (0x04b3_1093, "xcvu9p"),
    (0x04b5_1093, "xcvu13p"),
];

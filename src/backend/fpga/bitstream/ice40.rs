//! iCE40: commands of an opcode and up to four bytes of argument, after those that set a bank's
//! geometry its bits.

use super::crc::Crc16;
use super::reader::Reader;
use super::{Bitstream, BitstreamError, Flaw, Format, Note, Part};

pub(super) const PREAMBLE: &[u8] = &[0x7e, 0xaa, 0x99, 0x7e];

/// One write to configuration memory or to a block RAM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Block {
    memory: bool,
    bank: u32,
    width: u32,
    height: u32,
    offset: u32,
}

/// What all banks of a die are; the format has no IDCODE.
struct Geometry {
    names: &'static [&'static str],
    /// Width and height of the banks of configuration memory.
    banks: [(u32, u32); 4],
    /// Widths of the banks of block RAM, each of two blocks of `ROWS` rows; 0 where there is none.
    memories: [u32; 4],
}

impl Geometry {
    fn blocks(&self) -> impl Iterator<Item = Block> {
        let banks = (0..).zip(self.banks).map(|(bank, (width, height))| Block {
            memory: false,
            bank,
            width,
            height,
            offset: 0,
        });
        let memories =
            (0..).zip(self.memories).filter(|(_, width)| *width > 0).flat_map(|(bank, width)| {
                let block = move |offset| Block { memory: true, bank, width, height: ROWS, offset };
                [block(0), block(ROWS)]
            });
        banks.chain(memories)
    }
}

/// Checks what follows the preamble.
pub(super) fn inspect(
    mut reader: Reader<'_>,
    notes: Vec<Note>,
) -> Result<Bitstream, BitstreamError> {
    let start = reader.at();
    let mut block = Block::default();
    let mut written = [Block::default(); BLOCKS];
    let mut count = 0;
    let mut covered_from = None;
    loop {
        let at = reader.at();
        let command = reader.byte("a command")?;
        let bytes = usize::from(command & 0x0f);
        if bytes > 2 && command != BOOT_ADDRESS {
            return Err(reader.flaw_at(at, Flaw::Command { code: command.into() }));
        }
        let argument = reader.number(bytes.min(4), "a command's argument")?;
        match (command, argument) {
            (CONTROL, WRITE_BANK | WRITE_MEMORY) => {
                block.memory = argument == WRITE_MEMORY;
                if !GEOMETRIES.iter().any(|die| die.blocks().any(|known| known == block)) {
                    let (field, found) = ("a bank of the width", block.width);
                    return Err(reader.flaw_at(at, Flaw::Device { field, found }));
                }
                if written[..count].contains(&block) {
                    return Err(reader.flaw_at(at, Flaw::Twice { field: "a bank" }));
                }
                let Some(slot) = written.get_mut(count) else {
                    return Err(reader.flaw_at(at, Flaw::Twice { field: "a bank" }));
                };
                *slot = block;
                count += 1;
                reader.take((block.width * block.height / 8) as usize, "a bank's bits")?;
                reader.exactly(2, "the end of a bank's bits", 0)?;
            }
            (CONTROL, RESET_CRC) if covered_from.is_some() || count > 0 => {
                return Err(reader.flaw_at(at, Flaw::Twice { field: "the CRC's start" }));
            }
            (CONTROL, RESET_CRC) => covered_from = Some(reader.at()),
            (BANK, 0..=3) => block.bank = argument,
            (CHECK_CRC, _) => {
                let Some(from) = covered_from else {
                    return Err(reader.flaw_at(at, Flaw::Missing { field: "the CRC's start" }));
                };
                let mut crc = Crc16::<0x1021>(0xffff);
                let covered = reader.since(from);
                crc.update(&covered[..covered.len() - bytes]);
                let (found, computed) = (argument, crc.0.into());
                if found != computed {
                    return Err(reader.flaw_at(at + 1, Flaw::Crc { found, computed }));
                }
                break;
            }
            (CONTROL, WAKE_UP) => {
                return Err(reader.flaw_at(at, Flaw::Missing { field: "the CRC" }));
            }
            (FREQUENCY, 0..=2) | (FLAGS, _) => {}
            (WIDTH, _) => block.width = argument + 1,
            (HEIGHT, _) => block.height = argument,
            (OFFSET, _) => block.offset = argument,
            (CONTROL, REBOOT) | (BOOT_ADDRESS, _) => {
                return Err(reader.flaw_at(at, MULTI_BOOT));
            }
            _ => return Err(reader.flaw_at(at, Flaw::Command { code: command.into() })),
        }
    }
    let end = reader.at();
    reader.exactly(2, "the command after the CRC", u32::from(CONTROL) << 8 | WAKE_UP)?;
    reader.exactly(1, "the last byte", 0)?;
    if !reader.rest().is_empty() {
        let (found, wanted) = (reader.rest().len() as u64, 0);
        let flaw = Flaw::Wrong { field: "the number of bytes after the end", found, wanted };
        return Err(reader.flaw_at(reader.at(), flaw));
    }
    let written = &written[..count];
    // The blocks are distinct, so equal numbers of them are the same sets.
    let fits = |die: &&Geometry| {
        die.blocks().count() == count && die.blocks().all(|block| written.contains(&block))
    };
    let Some(die) = GEOMETRIES.iter().find(fits) else {
        return Err(reader.flaw_at(end, Flaw::Missing { field: "one of the device's banks" }));
    };
    Ok(Bitstream {
        format: Format::Ice40,
        part: Part::new(die.names, None),
        usercode: None,
        notes,
        crcs: 1,
        unchecked: None,
        start: start - PREAMBLE.len(),
    })
}

// Opcode and length of the argument, and arguments of the first.
const CONTROL: u8 = 0x01;
const WRITE_BANK: u32 = 1;
const WRITE_MEMORY: u32 = 3;
const RESET_CRC: u32 = 5;
const WAKE_UP: u32 = 6;
const REBOOT: u32 = 8;
const BANK: u8 = 0x11;
const CHECK_CRC: u8 = 0x22;
const BOOT_ADDRESS: u8 = 0x44;
const FREQUENCY: u8 = 0x51;
const WIDTH: u8 = 0x62;
const HEIGHT: u8 = 0x72;
const OFFSET: u8 = 0x82;
const FLAGS: u8 = 0x92;

const MULTI_BOOT: Flaw = Flaw::Unsupported {
    what: "an image for several boots",
    fix: "give one of the images that icemulti joined",
};

/// Rows of one write to a block RAM.
const ROWS: u32 = 128;

/// Most writes of an image: four banks, and two for each bank of block RAM.
const BLOCKS: usize = 12;

const GEOMETRIES: [Geometry; 5] = [
    Geometry { names: &["ice40-lp384"], banks: [(182, 80); 4], memories: [0; 4] },
    Geometry { names: &["ice40-hx1k", "ice40-lp1k"], banks: [(332, 144); 4], memories: [64; 4] },
    Geometry {
        names: &["ice40-hx8k", "ice40-lp8k", "ice40-hx4k", "ice40-lp4k"],
        banks: [(872, 272); 4],
        memories: [128; 4],
    },
    Geometry { names: &["ice40-u4k"], banks: [(692, 176); 4], memories: [80; 4] },
    Geometry {
        names: &["ice40-up5k", "ice40-up3k"],
        banks: [(692, 336), (692, 176), (692, 336), (692, 176)],
        memories: [160, 80, 160, 80],
    },
];

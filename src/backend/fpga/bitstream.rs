//! Bitstreams as untrusted input: which device they are for, and whether they arrived whole.
//!
//! Three formats. **iCE40** `.bin`: a comment, then commands that name a bank's geometry and write
//! it; no IDCODE, so the device follows from the geometries written; one CRC-16/CCITT over all but
//! the first command. **ECP5** `.bit`: strings, then commands with an IDCODE and as many frames as
//! that die has, plain or compressed; a CRC-16 (0x8005) after every frame, every block of memory
//! and the USERCODE, which holds the image's ABI version. **Xilinx** `.bit`: a header of design,
//! part, date and time, then packets of 32-bit words with an IDCODE; a CRC-32C over each word
//! written and its register. What a checksum covers, and what has only one legal value, is checked;
//! texts are reported and believed by nobody.
//!
//! A CRC catches damage, never a forger: an image is known by its SHA-256, which its
//! [manifest](super::manifest) names.

use std::fmt;
use std::str::FromStr;

mod crc;
mod ecp5;
mod ice40;
mod reader;
mod xilinx;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod writer;

use reader::Reader;

/// A format that this build reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// What `icepack` writes.
    Ice40,
    /// What `ecppack` writes.
    Ecp5,
    /// What Vivado writes.
    Xilinx,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::Ice40, Format::Ecp5, Format::Xilinx];

    /// Its name, as a manifest says it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Ice40 => "ice40",
            Format::Ecp5 => "ecp5",
            Format::Xilinx => "xilinx",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Format::ALL.into_iter().find(|format| format.name() == text).ok_or(())
    }
}

/// The device that an image configures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its names, all that the image fits; never empty.
    names: Vec<String>,
    /// The identity that the image demands of the device, where the format has one.
    pub idcode: Option<u32>,
}

impl Part {
    fn new(names: &[&str], idcode: Option<u32>) -> Self {
        Part { names: names.iter().map(|name| (*name).to_owned()).collect(), idcode }
    }

    /// Its first name.
    pub fn name(&self) -> &str {
        &self.names[0]
    }

    /// All names: parts that differ in package, speed or label only.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether `name`, in upper or lower case, is one of its names.
    pub fn is(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// A text that an image carries; nothing checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What the text is: comment, design, part, date or time.
    pub name: &'static str,
    /// The text, from whoever made the file.
    pub text: String,
}

/// An image that is whole, as far as its format can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitstream {
    /// Its format.
    pub format: Format,
    /// What it configures.
    pub part: Part,
    /// The 32 bits that its maker chose. An ECP5's are the ABI version.
    pub usercode: Option<u32>,
    /// Its texts.
    pub notes: Vec<Note>,
    /// How many CRCs were computed and found right.
    pub crcs: usize,
    /// Why the rest of the image was not checked, where it was not.
    pub unchecked: Option<&'static str>,
    /// Where the configuration itself begins: behind the header that a `.bit` has for programs.
    pub start: usize,
}

/// Why a file is no whole bitstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitstreamError {
    /// It begins like none of the formats.
    #[error(
        "no bitstream: it begins with `{start}`, not as an iCE40 .bin, ECP5 .bit or Xilinx .bit; \
         give the file that icepack, ecppack or Vivado wrote"
    )]
    Unknown {
        /// Its first bytes, in hexadecimal.
        start: String,
    },
    /// It is longer than the bitstream of any device.
    #[error("{bytes} bytes, and no bitstream has more than {LIMIT}; give the image alone")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It begins well, and something in it is wrong.
    #[error("{format} bitstream, byte {offset}: {flaw}; {}", flaw.fix())]
    Flawed {
        /// The format that it begins with.
        format: Format,
        /// Where the flaw is.
        offset: usize,
        /// What is wrong.
        flaw: Flaw,
    },
}

/// What is wrong in a bitstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The file ends too early.
    #[error("the file ends in {field}")]
    Ends {
        /// What is cut off.
        field: &'static str,
    },
    /// A field with one legal value has another.
    #[error("{field} is {found:#x}, not {wanted:#x}")]
    Wrong {
        /// The field.
        field: &'static str,
        /// Its value.
        found: u64,
        /// What it must be.
        wanted: u64,
    },
    /// A CRC does not match what it covers.
    #[error("the CRC is {found:#x}, and what it covers has {computed:#x}")]
    Crc {
        /// What the file says.
        found: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// A command that no image has.
    #[error("unknown command {code:#x}")]
    Command {
        /// The command's byte or word.
        code: u32,
    },
    /// Something that every image has is not there, or comes too late.
    #[error("{field} is missing")]
    Missing {
        /// What is missing.
        field: &'static str,
    },
    /// Something that an image has once comes again.
    #[error("{field} comes twice")]
    Twice {
        /// What comes again.
        field: &'static str,
    },
    /// No device that is known has this.
    #[error("no known device has {field} {found:#x}")]
    Device {
        /// What was looked up.
        field: &'static str,
        /// Its value.
        found: u32,
    },
    /// A text is not as the format has it.
    #[error("{field} is no text ending in a zero byte")]
    Text {
        /// The text.
        field: &'static str,
    },
    /// The part in the header is not the one that the IDCODE names.
    #[error("the header names another part than IDCODE {idcode:#010x}, which is {part}")]
    OtherPart {
        /// The IDCODE.
        idcode: u32,
        /// The part that has it.
        part: &'static str,
    },
    /// A kind of image that is not for this use.
    #[error("{what}")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// What to do instead.
        fix: &'static str,
    },
}

impl Flaw {
    /// What a user can do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Flaw::Unsupported { fix, .. } => fix,
            Flaw::Device { .. } => {
                "build the image for an iCE40 LP384, 1K, 4K, 8K, U4K or UP5K, or for an ECP5 \
                 LFE5U, LFE5UM or LFE5UM5G"
            }
            Flaw::Missing { .. } => "build the image again, with its checksums left on",
            _ => "the file is damaged: copy it again or build it again",
        }
    }
}

/// Reads a bitstream of any format, computes every CRC it has, and says what it is.
pub fn inspect(bytes: &[u8]) -> Result<Bitstream, BitstreamError> {
    if bytes.len() > LIMIT {
        return Err(BitstreamError::TooLong { bytes: bytes.len() });
    }
    if bytes.starts_with(xilinx::MAGIC) {
        return xilinx::inspect(Reader::new(Format::Xilinx, bytes, xilinx::MAGIC.len()));
    }
    if let Some((notes, at)) = comments(bytes) {
        let rest = &bytes[at..];
        if rest.starts_with(ice40::PREAMBLE) {
            let reader = Reader::new(Format::Ice40, bytes, at + ice40::PREAMBLE.len());
            return ice40::inspect(reader, notes);
        }
        if rest.starts_with(ecp5::PREAMBLE) {
            let reader = Reader::new(Format::Ecp5, bytes, at + ecp5::PREAMBLE.len());
            return ecp5::inspect(reader, notes);
        }
    }
    let start = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Err(BitstreamError::Unknown { start })
}

/// The comments before a Lattice preamble, and where they end; `None` if they do not.
fn comments(bytes: &[u8]) -> Option<(Vec<Note>, usize)> {
    let Some(rest) = bytes.strip_prefix(&[0xff, 0x00]) else { return Some((Vec::new(), 0)) };
    let length = rest.iter().take(COMMENTS_LIMIT).position(|byte| *byte == 0xff)?;
    let texts = rest[..length].split(|byte| *byte == 0).filter(|text| !text.is_empty());
    let note = |text| Note { name: "comment", text: String::from_utf8_lossy(text).into_owned() };
    Some((texts.map(note).collect(), 2 + length + 1))
}

/// Most bytes of a bitstream: the largest device's, a VU19P's, has 230 million.
pub const LIMIT: usize = 256 << 20;

/// Most bytes of comments.
const COMMENTS_LIMIT: usize = 4_096;

//! The card's registers, and who it says it is.

use crate::backend::fpga::manifest::{Hex, Manifest};
use crate::backend::fpga::transport::{Transport, TransportError};
use crate::error::Fault;

pub(crate) const MAGIC: u32 = 0x00;
pub(crate) const ABI_VERSION: u32 = 0x04;
pub(crate) const CAPS: u32 = 0x08;
pub(crate) const RINGS: u32 = 0x0C;
pub(crate) const BUILD_HASH: u32 = 0x20;
pub(crate) const CONTROL: u32 = 0x40;
pub(crate) const NONCE: u32 = 0x44;
pub(crate) const SQ_TAIL: u32 = 0x48;
pub(crate) const SQ_HEAD: u32 = 0x4C;
pub(crate) const CQ_HEAD: u32 = 0x50;
pub(crate) const CQ_TAIL: u32 = 0x54;
pub(crate) const IRQ_ENABLE: u32 = 0x58;
pub(crate) const ERR: u32 = 0x60;
pub(crate) const CYCLES: u32 = 0x64;
pub(crate) const JOBS: u32 = 0x80;
pub(crate) const BUSY: u32 = 0x84;
pub(crate) const STARVED: u32 = 0xC0;
pub(crate) const BLOCKED: u32 = 0xC8;

/// Where the completion ring lies in card memory; the submission ring lies at 0.
pub(crate) const COMPLETION_RING: u64 = 0x1000_0000;

/// "SGML".
pub(crate) const MAGIC_VALUE: u32 = 0x4C4D_4753;

/// The version of registers, rings and descriptors that this host speaks.
pub const ABI: u32 = 1;

/// What a read of a card that is gone gives.
const NOTHING: u32 = u32::MAX;

/// Logarithms of a ring's lines: two for the widest completion; past the upper bound the rings would
/// overlap in card memory, and a sequence number of 24 bits would repeat within a lap.
const RING_SIZES: std::ops::RangeInclusive<u32> = 1..=22;

/// What a card has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its ABI.
    pub abi_version: u32,
    /// SHA-256 of the sources of its image.
    pub source_hash: [u8; 32],
    /// Its cores, as CAPS has them.
    pub caps: u32,
}

impl From<&Manifest> for Expected {
    fn from(manifest: &Manifest) -> Self {
        Expected {
            abi_version: manifest.abi_version,
            source_hash: manifest.source_hash,
            caps: manifest.caps(),
        }
    }
}

/// What a card says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its ABI.
    pub abi_version: u32,
    /// SHA-256 of the sources of its image.
    pub source_hash: [u8; 32],
    /// Bit `op - 1` for each core.
    pub caps: u32,
    /// Logarithm of the lines of the submission ring.
    pub submission_log2: u32,
    /// Logarithm of the lines of the completion ring.
    pub completion_log2: u32,
}

/// Why a card is not the one that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// No word came, or could be sent.
    #[error("registers: {0}")]
    Transport(#[from] TransportError),
    /// All ones.
    #[error("the card is gone: register {register:#04x} reads as all ones")]
    Gone {
        /// Which register.
        register: u32,
    },
    /// Some other design, or none.
    #[error("MAGIC is {found:#010x}: no image of this project is loaded")]
    Magic {
        /// What MAGIC says.
        found: u32,
    },
    /// An image for another driver.
    #[error("ABI_VERSION is {found}; {expected} is expected")]
    Abi {
        /// What the card says.
        found: u32,
        /// What the host speaks, or the manifest says.
        expected: u32,
    },
    /// Another image than the manifest's.
    #[error("BUILD_HASH is {found}; the manifest says {expected}")]
    Source {
        /// What the card says, in hex.
        found: String,
        /// What the manifest says, in hex.
        expected: String,
    },
    /// Other cores than the manifest's.
    #[error("CAPS is {found:#x}; the manifest says {expected:#x}")]
    Cores {
        /// What the card says.
        found: u32,
        /// What the manifest says.
        expected: u32,
    },
    /// Rings that cannot be.
    #[error("RINGS is {found:#010x}: no sizes of rings")]
    Rings {
        /// What the card says.
        found: u32,
    },
    /// The card did not come out of its reset as it should.
    #[error("register {register:#04x} reads {found:#x} after the reset, not {expected:#x}")]
    Reset {
        /// Which register.
        register: u32,
        /// What it reads.
        found: u32,
        /// What it should read.
        expected: u32,
    },
}

/// Reads who the card is and compares it with what is expected.
///
/// # Errors
/// The first register that says something else.
pub(crate) fn identify(
    transport: &mut dyn Transport,
    expected: &Expected,
) -> Result<Identity, IdentityError> {
    let mut read = |register| match transport.read32(register)? {
        NOTHING => Err(IdentityError::Gone { register }),
        value => Ok(value),
    };
    let found = read(MAGIC)?;
    if found != MAGIC_VALUE {
        return Err(IdentityError::Magic { found });
    }
    let abi_version = read(ABI_VERSION)?;
    for expected in [ABI, expected.abi_version] {
        if abi_version != expected {
            return Err(IdentityError::Abi { found: abi_version, expected });
        }
    }
    let mut source_hash = [0; 32];
    for (index, word) in source_hash.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        // A word of a hash may be all ones.
        *word = transport.read32(BUILD_HASH + 4 * index as u32)?.to_le_bytes();
    }
    if source_hash != expected.source_hash {
        let [found, expected] = [source_hash, expected.source_hash].map(|h| Hex(&h).to_string());
        return Err(IdentityError::Source { found, expected });
    }
    let mut read = |register| match transport.read32(register)? {
        NOTHING => Err(IdentityError::Gone { register }),
        value => Ok(value),
    };
    let caps = read(CAPS)?;
    if caps != expected.caps {
        return Err(IdentityError::Cores { found: caps, expected: expected.caps });
    }
    let rings = read(RINGS)?;
    let [submission_log2, completion_log2] = [rings & 0xFF, rings >> 8];
    if ![submission_log2, completion_log2].iter().all(|log2| RING_SIZES.contains(log2)) {
        return Err(IdentityError::Rings { found: rings });
    }
    Ok(Identity { abi_version, source_hash, caps, submission_log2, completion_log2 })
}

/// Resets rings, cores and counters, and gives the card its nonce.
///
/// # Errors
/// A register that does not read as after a reset.
pub(crate) fn reset(transport: &mut dyn Transport, nonce: u32) -> Result<(), IdentityError> {
    transport.write32(CONTROL, 1)?;
    transport.write32(NONCE, nonce)?;
    transport.write32(IRQ_ENABLE, 1)?;
    let zeros = [SQ_TAIL, SQ_HEAD, CQ_HEAD, CQ_TAIL, ERR].map(|register| (register, 0));
    for (register, expected) in zeros.into_iter().chain([(NONCE, nonce)]) {
        let found = transport.read32(register)?;
        if found != expected {
            return Err(IdentityError::Reset { register, found, expected });
        }
    }
    Ok(())
}

/// Reads a counter of lines, which may be all ones on a card that is there.
pub(crate) fn counter(transport: &mut dyn Transport, register: u32) -> Result<u32, Fault> {
    let value = transport.read32(register)?;
    if value == NOTHING {
        is_there(transport)?;
    }
    Ok(value)
}

/// Asks for a register that never reads as all ones.
pub(crate) fn is_there(transport: &mut dyn Transport) -> Result<(), Fault> {
    match transport.read32(MAGIC)? {
        MAGIC_VALUE => Ok(()),
        NOTHING => Err(Fault::Device("the card is gone".to_owned())),
        other => Err(Fault::Device(format!("MAGIC became {other:#010x}"))),
    }
}

/// Asks the card for its errors.
pub(crate) fn errors(transport: &mut dyn Transport) -> Result<(), Fault> {
    let bits = transport.read32(ERR)?;
    if bits == 0 {
        return Ok(());
    }
    is_there(transport)?;
    let names = ["unknown op", "bad count", "SQ_TAIL too far", "CQ_HEAD too far"];
    let named: Vec<_> = (0..names.len()).filter(|i| bits >> i & 1 == 1).map(|i| names[i]).collect();
    Err(Fault::Device(format!("the card reports {bits:#x}: {}", named.join(", "))))
}

/// Reads a counter of two words: reading the low one latches the high one.
pub(crate) fn wide(transport: &mut dyn Transport, register: u32) -> Result<u64, TransportError> {
    let low = transport.read32(register)?;
    Ok(u64::from(transport.read32(register + 4)?) << 32 | u64::from(low))
}

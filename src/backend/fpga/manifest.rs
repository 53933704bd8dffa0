//! What an image is said to be: a TOML file beside it, `x.toml` beside `x.bin`.
//!
//! ```toml
//! image_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
//! format = "ice40"            # or ecp5, xilinx
//! device = "ice40-hx8k"       # a name of the device, as `sigmill fpga inspect` prints it
//! abi_version = 1
//! cores = ["sha256"]          # of sha256, sha256d, keccak256, secp256k1
//! source_hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//! clock_hz = 300_000_000      # may be left out: nothing is told then of what the card could do at most
//! ```
//!
//! Other keys, of tools and pins, are for people. A manifest says which bytes are meant; it does
//! not say who made it, so keep it where you keep the program.

use std::fmt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use toml::Table;

use super::bitstream::{self, Bitstream, BitstreamError, Format};

mod fields;

use fields::Fields;

/// A core that an image may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Core {
    /// SHA-256.
    Sha256,
    /// Double SHA-256 of 64 bytes.
    Sha256d,
    /// Keccak-256.
    Keccak256,
    /// The curve part of verification on secp256k1.
    Secp256k1,
}

impl Core {
    /// All of them, in the order of their bits in CAPS.
    pub const ALL: [Core; 4] = [Core::Sha256, Core::Sha256d, Core::Keccak256, Core::Secp256k1];

    /// Its name, as a manifest says it.
    pub fn name(self) -> &'static str {
        match self {
            Core::Sha256 => "sha256",
            Core::Sha256d => "sha256d",
            Core::Keccak256 => "keccak256",
            Core::Secp256k1 => "secp256k1",
        }
    }

    /// The op of its jobs.
    pub fn op(self) -> u8 {
        self as u8 + 1
    }

    /// Its bit in the register CAPS.
    pub fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Whether a card with these CAPS has it.
    pub fn is_in(self, caps: u32) -> bool {
        caps & self.bit() != 0
    }
}

/// What an image is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// SHA-256 of the image's file.
    pub image_sha256: [u8; 32],
    /// The image's format.
    pub format: Format,
    /// The device that it is for.
    pub device: String,
    /// The version of registers and records that it speaks.
    pub abi_version: u32,
    /// Its cores, each once.
    pub cores: Vec<Core>,
    /// SHA-256 of the sources: what the registers BUILD_HASH must read.
    pub source_hash: [u8; 32],
    /// Cycles a second at which the cores run, if it says so.
    pub clock_hz: Option<u64>,
}

/// Why a manifest cannot be read, or an image is not the one it names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("manifest {path}: {why}; write one beside the image")]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        why: String,
    },
    /// The text is no TOML.
    #[error("the manifest is no TOML: {why}")]
    Syntax {
        /// What is wrong, and where.
        why: String,
    },
    /// A field is not there, or not as it must be.
    #[error("manifest field `{field}`: found {found}, wanted {wanted}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it has.
        found: String,
        /// What it may have.
        wanted: String,
    },
    /// The image disagrees with a field.
    #[error(
        "manifest field `{field}`: the image has {found}, the manifest says {wanted}; take the \
         image and the manifest of one build"
    )]
    Mismatch {
        /// The field.
        field: &'static str,
        /// What the image has.
        found: String,
        /// What the manifest says.
        wanted: String,
    },
    /// The image has the right bytes, and they are no whole bitstream.
    #[error(transparent)]
    Bitstream(#[from] BitstreamError),
}

impl Manifest {
    /// Where the manifest of the image at `image` lies.
    pub fn beside(image: &Path) -> PathBuf {
        image.with_extension("toml")
    }

    /// Reads a manifest from its file.
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let failed = |why: String| ManifestError::Read { path: path.to_owned(), why };
        let bytes = read_bounded(path, LIMIT).map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| failed("is not UTF-8".to_owned()))?;
        Self::parse(&text)
    }

    /// Reads a manifest's text.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > LIMIT {
            let why = format!("{} bytes, and a manifest has at most {LIMIT}", text.len());
            return Err(ManifestError::Syntax { why });
        }
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            ManifestError::Syntax { why: format!("line {line}: {}", error.message()) }
        })?;
        let fields = Fields(&table);
        Ok(Manifest {
            image_sha256: fields.hash("image_sha256")?,
            format: fields.format()?,
            device: fields.device()?,
            abi_version: fields.abi_version()?,
            cores: fields.cores()?,
            source_hash: fields.hash("source_hash")?,
            clock_hz: fields.clock_hz()?,
        })
    }

    /// What the register CAPS must read.
    pub fn caps(&self) -> u32 {
        self.cores.iter().map(|core| core.bit()).sum()
    }

    /// Whether `image` is the image that this describes, and whole: by its SHA-256, then by what
    /// the bitstream itself says. To be asked before anything is loaded.
    pub fn check(&self, image: &[u8]) -> Result<Bitstream, ManifestError> {
        let mismatch = |field, found: String, wanted: String| {
            Err(ManifestError::Mismatch { field, found, wanted })
        };
        let found: [u8; 32] = Sha256::digest(image).into();
        if found != self.image_sha256 {
            let (found, wanted) = (Hex(&found).to_string(), Hex(&self.image_sha256).to_string());
            return mismatch("image_sha256", found, wanted);
        }
        let bitstream = bitstream::inspect(image)?;
        if bitstream.format != self.format {
            let (found, wanted) = (bitstream.format.to_string(), self.format.to_string());
            return mismatch("format", found, wanted);
        }
        if !bitstream.part.is(&self.device) {
            return mismatch("device", bitstream.part.names().join(" or "), self.device.clone());
        }
        // Of the formats only this has a number in the checked part of the file.
        if self.format == Format::Ecp5 && bitstream.usercode != Some(self.abi_version) {
            let found = bitstream
                .usercode
                .map_or("no USERCODE".to_owned(), |code| format!("USERCODE {code}"));
            return mismatch("abi_version", found, self.abi_version.to_string());
        }
        Ok(bitstream)
    }
}

/// Prints bytes as hexadecimal digits.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Reads a file of at most `limit` bytes.
pub(super) fn read_bounded(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    use std::io::{Error, ErrorKind, Read};
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        let why = format!("has more than {limit} bytes");
        return Err(Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// Most bytes of a manifest.
const LIMIT: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::super::bitstream::writer;
    use super::*;

    /// A manifest of this image, and other keys.
    fn text(image: &[u8], format: &str, device: &str) -> String {
        let sha256 = Hex(&Sha256::digest(image)).to_string();
        format!(
            "image_sha256 = \"{sha256}\"\nformat = \"{format}\"\ndevice = \"{device}\"\n\
             abi_version = 1\ncores = [\"sha256\", \"keccak256\"]\nsource_hash = \"{}\"\n\
             [tools]\nyosys = \"0.23\"\n",
            "5a".repeat(32)
        )
    }

    #[test]
    fn an_image_is_checked_against_its_manifest() {
        let ice40 = writer::ice40(writer::LP384, 1).bytes;
        let ecp5 = writer::ecp5(writer::LFE5U_25F, 2).bytes;
        let xilinx = writer::xilinx(0x0362_c093, "7a50tfgg484", 4, 3).bytes;
        for (image, format, device) in [
            (&ice40, "ice40", "iCE40-LP384"),
            (&ecp5, "ecp5", "LFE5U-25F"),
            (&xilinx, "xilinx", "xc7a50t"),
            (&xilinx, "xilinx", "xc7a50tfgg484"),
        ] {
            let manifest = Manifest::parse(&text(image, format, device)).expect("it is well");
            assert_eq!((manifest.caps(), manifest.source_hash), (0b101, [0x5a; 32]));
            let bitstream = manifest.check(image).expect("it matches");
            assert_eq!(bitstream.format.name(), format);
        }
        let field =
            |image: &[u8], text: &str| match Manifest::parse(text).expect("TOML").check(image) {
                Err(ManifestError::Mismatch { field, .. }) => field,
                other => panic!("{other:?}"),
            };
        assert_eq!(field(&ice40, &text(&ecp5, "ice40", "ice40-lp384")), "image_sha256");
        assert_eq!(field(&ice40, &text(&ice40, "ecp5", "ice40-lp384")), "format");
        assert_eq!(field(&ice40, &text(&ice40, "ice40", "ice40-hx8k")), "device");
        let other_abi =
            text(&ecp5, "ecp5", "lfe5u-25f").replace("abi_version = 1", "abi_version = 2");
        assert_eq!(field(&ecp5, &other_abi), "abi_version");
        // The right SHA-256 of a damaged image.
        let mut damaged = ice40.clone();
        damaged[100] ^= 1;
        let manifest = Manifest::parse(&text(&damaged, "ice40", "ice40-lp384")).expect("TOML");
        assert!(matches!(manifest.check(&damaged), Err(ManifestError::Bitstream(_))));
    }

    #[test]
    fn a_wrong_field_is_named() {
        let good = text(b"", "ice40", "ice40-hx8k");
        assert!(Manifest::parse(&good).is_ok());
        for (from, to, name) in [
            ("image_sha256", "image_sha", "image_sha256"),
            ("image_sha256 = \"", "image_sha256 = \"0", "image_sha256"),
            ("\"ice40\"", "\"gowin\"", "format"),
            ("\"ice40\"", "40", "format"),
            ("\"ice40-hx8k\"", "\"\"", "device"),
            ("abi_version = 1", "abi_version = 0", "abi_version"),
            ("abi_version = 1", "abi_version = 4294967296", "abi_version"),
            ("abi_version = 1", "abi_version = \"1\"", "abi_version"),
            ("\"keccak256\"", "\"sha256\"", "cores"),
            ("\"keccak256\"", "\"md5\"", "cores"),
            ("[\"sha256\", \"keccak256\"]", "[]", "cores"),
            ("\"5a5a", "\"+a5a", "source_hash"),
        ] {
            let text = good.replace(from, to);
            assert_ne!(text, good, "{from}");
            match Manifest::parse(&text) {
                Err(ManifestError::Field { field, found, wanted }) => {
                    assert_eq!(field, name, "{to}");
                    assert!(!found.is_empty() && found.chars().count() <= 80, "{found}");
                    assert!(!wanted.is_empty());
                }
                other => panic!("{to}: {other:?}"),
            }
        }
        let deep = format!("a = {}", "[".repeat(20_000));
        for text in ["format", "a = 1\na = 2", &deep, &" ".repeat(LIMIT + 1)] {
            assert!(matches!(Manifest::parse(text), Err(ManifestError::Syntax { .. })));
        }
        let error = Manifest::parse("a = 1\n\nb = {").expect_err("it is not closed").to_string();
        assert!(error.contains("line 3"), "{error}");
        let absent = Manifest::read(Path::new("/nowhere/x.toml"));
        assert!(matches!(absent, Err(ManifestError::Read { .. })));
        assert_eq!(Manifest::beside(Path::new("a/x.bin")), Path::new("a/x.toml"));
    }
}

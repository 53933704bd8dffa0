//! Loads an image into a device, by what the machine has for it.
//!
//! A file is loaded only after its [manifest](super::manifest) was checked, and the bytes that
//! were checked are the bytes that are loaded, whatever happens to the file meanwhile. An image of
//! AWS is no file but an id: nothing of it can be checked before, so its registers must be after.
//! First choice for a file is the kernel's FPGA manager; mainline kernels show a manager's state
//! only, and it is vendors' kernels that add the attribute `firmware`, through which it takes an
//! image. Then programs: openFPGALoader, and iceprog for iCE40.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::bitstream::{self, Bitstream, Format};
use super::manifest::{Manifest, ManifestError, read_bounded};

mod manager;
mod placed;
mod tool;

use placed::Placed;

/// What can be loaded.
#[derive(Clone, Copy, Debug)]
pub enum Image<'a> {
    /// A file that its manifest describes.
    File(&'a CheckedImage),
    /// An image that AWS holds.
    Afi {
        /// Which.
        id: &'a AfiId,
        /// The card's slot.
        slot: u32,
    },
}

/// An image that is the one its manifest names.
#[derive(Clone, Debug)]
pub struct CheckedImage {
    manifest: Manifest,
    bitstream: Bitstream,
    bytes: Vec<u8>,
}

impl CheckedImage {
    /// Reads an image and its manifest, by default the one beside it, and checks the one against
    /// the other.
    pub fn open(image: &Path, manifest: Option<&Path>) -> Result<Self, LoadError> {
        let beside = Manifest::beside(image);
        let manifest = Manifest::read(manifest.unwrap_or(&beside))?;
        let bytes = read_bounded(image, bitstream::LIMIT)
            .map_err(|error| LoadError::Read { path: image.to_owned(), why: error.to_string() })?;
        let bitstream = manifest.check(&bytes)?;
        Ok(CheckedImage { manifest, bitstream, bytes })
    }

    /// What it is said to be.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it says of itself.
    pub fn bitstream(&self) -> &Bitstream {
        &self.bitstream
    }
}

/// The id of an image that AWS holds, such as `agfi-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfiId(String);

impl AfiId {
    /// Takes the id of an image for all regions.
    pub fn new(id: &str) -> Result<Self, LoadError> {
        let digits = id.strip_prefix("agfi-").unwrap_or_default();
        let hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        if digits.len() == 17 && digits.bytes().all(hex) {
            return Ok(AfiId(id.to_owned()));
        }
        Err(LoadError::AfiId { found: id.chars().take(80).collect() })
    }
}

/// Where the ways to load are looked for, and how long one may take.
#[derive(Clone, Debug)]
pub struct Loader {
    /// Root of sysfs.
    pub sysfs: PathBuf,
    /// Folder from which the kernel reads what is written to `firmware`.
    pub firmware: PathBuf,
    /// Folders of programs, as in PATH.
    pub path: OsString,
    /// Folder for a program's copy of the image.
    pub scratch: PathBuf,
    /// The board, as openFPGALoader calls it; some need it said.
    pub board: Option<String>,
    /// Longest that loading may take.
    pub limit: Duration,
}

impl Loader {
    /// This machine's.
    pub fn host() -> Self {
        Loader {
            sysfs: "/sys".into(),
            firmware: "/lib/firmware".into(),
            path: std::env::var_os("PATH").unwrap_or_default(),
            scratch: std::env::temp_dir(),
            board: None,
            limit: Duration::from_secs(120),
        }
    }

    /// Loads an image by the first way that is there, and names it. A way that fails ends the
    /// attempt: the device's state is unknown then.
    pub fn load(&self, image: Image<'_>) -> Result<String, LoadError> {
        match image {
            Image::File(image) => self.load_file(image),
            Image::Afi { id, slot } => {
                let Some(program) = tool::find(&self.path, AWS_TOOL) else {
                    return Err(LoadError::NoWay { looked_for: vec![not_found(AWS_TOOL)] });
                };
                let slot = slot.to_string();
                let arguments = ["-S", &slot, "-I", &id.0].map(OsStr::new);
                tool::run(&program, &arguments, self.limit)
            }
        }
    }

    fn load_file(&self, image: &CheckedImage) -> Result<String, LoadError> {
        let mut looked_for = Vec::new();
        let format = image.bitstream.format;
        if let Some(manager) = manager::find(&self.sysfs, format, &mut looked_for) {
            // A manager takes what the device takes, which is not all of a Xilinx file.
            let start = if format == Format::Xilinx { image.bitstream.start } else { 0 };
            let placed = Placed::new(&self.firmware, extension(format), &image.bytes[start..])?;
            return manager.load(&placed, self.limit);
        }
        for name in tools(format) {
            let Some(program) = tool::find(&self.path, name) else {
                looked_for.push(not_found(name));
                continue;
            };
            let placed = Placed::new(&self.scratch, extension(format), &image.bytes)?;
            let mut arguments = Vec::new();
            match (*name, &self.board) {
                // Without it the image would go to the flash memory.
                (ICEPROG, _) => arguments.push(OsStr::new("-S")),
                (_, Some(board)) => arguments.extend(["--board", board].map(OsStr::new)),
                _ => {}
            }
            arguments.push(placed.path().as_os_str());
            return tool::run(&program, &arguments, self.limit);
        }
        Err(LoadError::NoWay { looked_for })
    }
}

/// Why an image was not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The image cannot be read.
    #[error("image {path}: {why}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        why: String,
    },
    /// The image is not what its manifest says.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It is no id of an image.
    #[error("`{found}` is no id of an AWS image; one is agfi- and 17 hexadecimal digits")]
    AfiId {
        /// What was given.
        found: String,
    },
    /// Nothing on this machine can load it.
    #[error("nothing here loads this image; looked for: {}", looked_for.join("; "))]
    NoWay {
        /// What was looked for, and where.
        looked_for: Vec<String>,
    },
    /// The image could not be put where the loader reads it.
    #[error("{path}: {why}; it must be a folder that this user may write to")]
    Place {
        /// The file.
        path: PathBuf,
        /// What failed.
        why: String,
    },
    /// The kernel's manager failed.
    #[error("FPGA manager {manager}: {why}")]
    Manager {
        /// Which.
        manager: String,
        /// What failed.
        why: String,
    },
    /// A program could not be started, or failed.
    #[error("{program}: {why}")]
    Tool {
        /// The program.
        program: PathBuf,
        /// What failed, and what it printed.
        why: String,
    },
    /// The way took too long and was given up.
    #[error("{what} did not end within {limit:?} and was given up")]
    Timeout {
        /// The program or manager.
        what: String,
        /// How long it had.
        limit: Duration,
    },
}

fn tools(format: Format) -> &'static [&'static str] {
    match format {
        Format::Ice40 => &[ICEPROG, OPEN_FPGA_LOADER],
        Format::Ecp5 | Format::Xilinx => &[OPEN_FPGA_LOADER],
    }
}

/// What the image's file must end in, for programs that go by it.
fn extension(format: Format) -> &'static str {
    match format {
        Format::Ice40 => "bin",
        Format::Ecp5 | Format::Xilinx => "bit",
    }
}

fn not_found(name: &str) -> String {
    format!("{name}: not on PATH")
}

const AWS_TOOL: &str = "fpga-load-local-image";
const ICEPROG: &str = "iceprog";
const OPEN_FPGA_LOADER: &str = "openFPGALoader";

#[cfg(all(test, unix))]
mod tests;

//! `sigmill fpga load`.

use std::path::PathBuf;

use clap::Args;
use sigmill::backend::fpga::load::{AfiId, CheckedImage, Image, LoadError, Loader};
use sigmill::backend::fpga::manifest::{Manifest, ManifestError};
use sigmill::backend::fpga::{self, ABI, Card, Expected, Options};

use crate::cli::{Failure, Status};

#[derive(Debug, Args)]
#[command(after_help = "\
A file is checked against its manifest before anything is loaded, and goes through the kernel's FPGA
manager, or openFPGALoader or iceprog. An image that AWS holds is named by its id, and wants --manifest.
Where SIGMILL_FPGA names a card, such as /dev/xdma0, it is opened afterwards: its registers must be what
the manifest says, and its known answers right. Ends with 3 if the image is not the one its manifest names,
with 4 if nothing here can load it, with 5 if the card computes something else.")]
pub(in crate::cli) struct Arguments {
    /// The image: a file, or the id of an AWS image
    #[arg(value_name = "FILE | agfi-ID")]
    image: String,
    /// Its manifest [default: the file of the same name ending in .toml]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The board, as openFPGALoader calls it
    #[arg(long)]
    board: Option<String>,
    /// The slot of an AWS card
    #[arg(long, default_value_t = 0)]
    slot: u32,
}

pub(in crate::cli) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let loader = Loader { board: arguments.board.clone(), ..Loader::host() };
    let (by, manifest) = if arguments.image.starts_with("agfi-") {
        let id = AfiId::new(&arguments.image)?;
        let Some(path) = &arguments.manifest else {
            let why = "an AWS image wants --manifest, to know the card by afterwards";
            return Err(Failure::new(Status::Usage, why));
        };
        let manifest = Manifest::read(path).map_err(LoadError::from)?;
        speaks(&manifest)?;
        (loader.load(Image::Afi { id: &id, slot: arguments.slot })?, manifest)
    } else {
        let path = PathBuf::from(&arguments.image);
        let image = CheckedImage::open(&path, arguments.manifest.as_deref())?;
        speaks(image.manifest())?;
        (loader.load(Image::File(&image))?, image.manifest().clone())
    };
    say!("{}: loaded by {by}", arguments.image);
    let Some(card) = std::env::var_os("SIGMILL_FPGA").filter(|path| !path.is_empty()) else {
        say!("not tested: SIGMILL_FPGA names no card");
        return Ok(Status::Well);
    };
    let device = fpga::device(Options::new(Card::at(card), Expected::from(&manifest)))?;
    say!("{}: {} known answers right", device.description(), device.known_answers());
    Ok(Status::Well)
}

/// Whether an image speaks what this program does.
fn speaks(manifest: &Manifest) -> Result<(), Failure> {
    if manifest.abi_version == ABI {
        return Ok(());
    }
    let found = manifest.abi_version;
    let why = format!("manifest field `abi_version`: {found}, and this program speaks {ABI}");
    Err(Failure::new(Status::Invalid, why))
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let status = match error {
            LoadError::Manifest(ManifestError::Read { .. }) => Status::Error,
            LoadError::Manifest(_) => Status::Invalid,
            LoadError::NoWay { .. } => Status::Missing,
            LoadError::AfiId { .. } => Status::Usage,
            _ => Status::Error,
        };
        Failure::new(status, error.to_string())
    }
}

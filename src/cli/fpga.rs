//! `sigmill fpga`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sigmill::backend::fpga::bitstream::{self, Bitstream, BitstreamError};
use sigmill::backend::fpga::manifest::{Hex, Manifest, ManifestError};

use super::{Failure, Status};

mod load;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Says what an image is, whether it is whole, and whether it is the one its manifest names
    Inspect(Arguments),
    /// Loads an image that is the one its manifest names, and tests the card that it makes
    Load(load::Arguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Reads iCE40 .bin, ECP5 .bit and Xilinx .bit. Ends with 3 if the image is damaged or not the one that
its manifest names, with 1 if a file cannot be read or is no bitstream.")]
pub(super) struct Arguments {
    /// The image
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Its manifest [default: the file of the same name ending in .toml, if there is one]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Command) -> Result<Status, Failure> {
    match command {
        Command::Inspect(arguments) => inspect(arguments),
        Command::Load(arguments) => load::run(arguments),
    }
}

/// What is known of an image's file.
struct Findings<'a> {
    file: &'a Path,
    sha256: String,
    bitstream: Result<Bitstream, BitstreamError>,
    /// The manifest's file, and whether the image is the one it names; `None` without one.
    manifest: Option<(PathBuf, Result<(), ManifestError>)>,
}

fn inspect(arguments: &Arguments) -> Result<Status, Failure> {
    let file = &arguments.file;
    let bytes = read(file)?;
    let beside = Manifest::beside(file);
    let manifest = arguments.manifest.clone().or_else(|| beside.exists().then_some(beside));
    let findings = Findings {
        file,
        sha256: Hex(&Sha256::digest(&bytes)).to_string(),
        bitstream: bitstream::inspect(&bytes),
        manifest: manifest.map(|path| {
            let checked = Manifest::read(&path).and_then(|manifest| manifest.check(&bytes));
            (path, checked.map(drop))
        }),
    };
    if arguments.json {
        say!("{}", findings.json());
    } else {
        findings.print();
    }
    Ok(findings.status())
}

impl Findings<'_> {
    fn status(&self) -> Status {
        let image = match self.bitstream {
            Ok(_) => Status::Well,
            Err(BitstreamError::Flawed { .. }) => Status::Invalid,
            Err(_) => Status::Error,
        };
        let manifest = match self.manifest {
            None | Some((_, Ok(()))) => Status::Well,
            Some((_, Err(ManifestError::Read { .. }))) => Status::Error,
            Some((_, Err(ManifestError::Bitstream(_)))) => image,
            Some((_, Err(_))) => Status::Invalid,
        };
        image.max(manifest)
    }

    fn print(&self) {
        say!("{}", self.file.display());
        say!("  sha256     {}", self.sha256);
        match &self.bitstream {
            Ok(bitstream) => {
                say!("  format     {}", bitstream.format);
                let idcode = bitstream.part.idcode;
                let idcode = idcode.map_or(String::new(), |code| format!(", IDCODE {code:#010x}"));
                say!("  device     {}{idcode}", clean(&bitstream.part.names().join(" or ")));
                let crcs = bitstream.crcs;
                say!("  checked    {crcs} CRC{} right", if crcs == 1 { "" } else { "s" });
                if let Some(why) = bitstream.unchecked {
                    say!("  unchecked  {why}");
                }
                if let Some(usercode) = bitstream.usercode {
                    say!("  usercode   {usercode:#010x}");
                }
                for note in &bitstream.notes {
                    say!("  {:10} {}", note.name, clean(&note.text));
                }
            }
            Err(error) => say!("  ! {error}"),
        }
        match &self.manifest {
            None => say!("  manifest   none beside it"),
            Some((path, Ok(()))) => say!("  manifest   {} matches", path.display()),
            Some((path, Err(error))) => {
                let path = path.display();
                match error {
                    ManifestError::Mismatch { .. } => say!("  manifest   {path} DOES NOT MATCH"),
                    ManifestError::Bitstream(_) => say!("  manifest   {path} names this file"),
                    _ => say!("  manifest   {path} is none"),
                }
                say!("  ! {}", clean(&error.to_string()));
            }
        }
        say!("{}", if self.status() == Status::Well { "ok" } else { "FAILED" });
    }

    fn json(&self) -> Value {
        let bitstream = self.bitstream.as_ref().ok();
        let notes = bitstream.map(|bitstream| {
            let notes = bitstream.notes.iter();
            notes.map(|note| json!({ "name": note.name, "text": note.text })).collect::<Vec<_>>()
        });
        json!({
            "schema": 1,
            "file": self.file.display().to_string(),
            "ok": self.status() == Status::Well,
            "sha256": self.sha256,
            "error": self.bitstream.as_ref().err().map(ToString::to_string),
            "format": bitstream.map(|bitstream| bitstream.format.name()),
            "device": bitstream.map(|bitstream| bitstream.part.name()),
            "devices": bitstream.map(|bitstream| bitstream.part.names()),
            "idcode": bitstream.and_then(|bitstream| bitstream.part.idcode),
            "usercode": bitstream.and_then(|bitstream| bitstream.usercode),
            "crcs": bitstream.map(|bitstream| bitstream.crcs),
            "unchecked": bitstream.and_then(|bitstream| bitstream.unchecked),
            "notes": notes,
            "manifest": self.manifest.as_ref().map(|(path, checked)| json!({
                "file": path.display().to_string(),
                "matches": checked.is_ok(),
                "error": checked.as_ref().err().map(ToString::to_string),
            })),
        })
    }
}

/// A text from a file, safe to print.
fn clean(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// Reads a file of at most the length that a bitstream may have, and one byte.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bitstream::LIMIT as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            Failure::new(Status::Error, format!("{}: cannot be read: {error}", path.display()))
        })?;
    Ok(bytes)
}

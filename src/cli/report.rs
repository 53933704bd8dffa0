//! Results as pages for people: one file each, with its charts, that needs no network and no script.

mod bench;
mod csv;
mod markup;
mod page;
mod profile;
mod svg;

use std::path::{Path, PathBuf};

use clap::Args;

pub(super) use bench::bench;
pub(super) use profile::profile;

use super::kept::Kept;
use super::{Failure, Status};

const EXAMPLES: &str = "\
Examples:
  sigmill bench --html bench.html                   measure, and write the page at once
  sigmill bench --json > bench.json                 or keep the result ..
  sigmill report bench.json --html bench.html       .. and make the page elsewhere
The page is one file: it loads nothing, runs nothing, and holds the result that it was made from.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// What `bench --json` or `profile --json` has printed
    #[arg(value_name = "RESULT.json")]
    result: PathBuf,
    /// Where the page goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// `sigmill report`: a page from a result that was kept.
pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let name = arguments.result.display();
    let kept = Kept::read(&arguments.result).map_err(|why| {
        let why = format!(
            "{name}: {why}; give what `sigmill bench --json` or `sigmill profile --json` prints"
        );
        Failure::new(Status::Error, why)
    })?;
    let page = page_of(&kept);
    match &arguments.html {
        Some(path) => write(path, &page)?,
        None => say!("{}", page.trim_end()),
    }
    Ok(Status::Well)
}

/// The page of a result of either kind.
fn page_of(kept: &Kept) -> String {
    match kept {
        Kept::Bench(document) => bench(document),
        Kept::Profile(summary) => profile(summary),
    }
}

/// Fails unless a file can be written there: what it is for may take minutes to make.
pub(super) fn check_writable(flag: &str, path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
    opened.map(drop).map_err(|error| unwritable(flag, path, &error))
}

pub(super) fn unwritable(flag: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Status::Error, format!("{flag} {}: cannot be written: {error}", path.display()))
}

/// Writes a page where `--html` says.
pub(super) fn write(path: &Path, page: &str) -> Result<(), Failure> {
    std::fs::write(path, page).map_err(|error| unwritable("--html", path, &error))
}

#[cfg(test)]
mod tests;

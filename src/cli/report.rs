//! Results as pages for people: one file each, with its charts, that needs no network and no script.

mod bench;
mod csv;
mod markup;
mod page;
mod profile;
mod svg;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

pub(super) use bench::bench;
pub(super) use profile::profile;

use super::bench::document::{Document, KIND, SCHEMA};
use super::profile::summary::Summary;
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
    result: String,
    /// Where the page goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Bytes that a result may have.
const LIMIT: u64 = 16 << 20;

/// `sigmill report`: a page from a result that was kept.
pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let name = &arguments.result;
    let failed = |why: String| Failure::new(Status::Error, format!("{name}: {why}"));
    let mut bytes = Vec::new();
    let file =
        std::fs::File::open(name).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    file.map_err(|error| failed(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > LIMIT {
        return Err(failed(format!("longer than {LIMIT} bytes")));
    }
    let page = read(&bytes).map_err(failed)?;
    match &arguments.html {
        Some(path) => write(path, &page)?,
        None => say!("{}", page.trim_end()),
    }
    Ok(Status::Well)
}

/// The page of a result of either kind, or why it is none.
fn read(bytes: &[u8]) -> Result<String, String> {
    let result: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
    let kind = result["kind"].as_str().unwrap_or("none").to_owned();
    let schema = &result["schema"];
    if ![KIND, "profile"].contains(&kind.as_str()) {
        return Err(format!(
            "kind is {kind}, not bench or profile: give what `sigmill bench --json` prints"
        ));
    }
    if *schema != SCHEMA {
        return Err(format!("schema is {schema}; this program reads {SCHEMA}"));
    }
    let wrong = |error: serde_json::Error| format!("no result of {kind}: {error}");
    if kind == KIND {
        let document: Document = serde_json::from_value(result).map_err(wrong)?;
        return Ok(bench(&document));
    }
    let summary: Summary = serde_json::from_value(result).map_err(wrong)?;
    Ok(profile(&summary))
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

//! Results that were kept, read back within bounds: what is made of one stays small, and is safe to show.

use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::bench::document::{Document, KIND, SCHEMA};
use super::nearest::clipped;
use super::profile::summary::Summary;

/// Bytes of a file. The largest table, run a hundred times, takes less than half.
const LIMIT: u64 = 2 << 20;

/// Largest number: as nanoseconds eleven days, as a rate far beyond any device. Sums of a list's cannot overflow.
pub(super) const LARGEST: f64 = 1e15;

/// Bytes of a text that is shown once.
const TEXT: usize = 16 << 10;

/// Bytes of all others, most of them names, which stand in charts with every figure.
const NAME: usize = 256;

/// Fields with texts that are shown once.
const SHOWN_ONCE: [&str; 11] = [
    "cell",
    "command",
    "description",
    "details",
    "differences",
    "rustc",
    "sentences",
    "text",
    "unmatched",
    "why",
    "workload",
];

/// Most batch sizes of a run.
pub(super) const SIZES: usize = 16;

/// Most items of a list, by its field.
fn most(field: &str) -> usize {
    match field {
        "batches" => SIZES,
        "devices" | "ceilings" => 64,
        "own" => 256,
        // Each thread has one.
        "tracks" => 8_192,
        _ => 1_024,
    }
}

/// A result of either kind.
#[derive(Debug)]
pub(super) enum Kept {
    /// Of `sigmill bench --json`.
    Bench(Box<Document>),
    /// Of `sigmill profile --json`.
    Profile(Box<Summary>),
}

impl Kept {
    /// Reads a file.
    ///
    /// # Errors
    /// As for [`Kept::parse`]; a file that cannot be read.
    pub fn read(path: &Path) -> Result<Kept, String> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
            .map_err(|error| format!("cannot be read: {error}"))?;
        Kept::parse(&bytes)
    }

    /// Reads a document.
    ///
    /// # Errors
    /// What is too long, no JSON, no result, or out of bounds, with its field.
    pub fn parse(bytes: &[u8]) -> Result<Kept, String> {
        if bytes.len() as u64 > LIMIT {
            return Err(format!("longer than {LIMIT} bytes, the most for a result"));
        }
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
        let kind = match value.get("kind").and_then(Value::as_str) {
            Some(kind @ (KIND | "profile")) => kind,
            Some(kind) => {
                let kind = clipped(kind);
                return Err(format!("field `kind` is `{kind}`, not `{KIND}` or `profile`"));
            }
            None => return Err("field `kind` is absent".to_owned()),
        };
        let schema = value.get("schema").unwrap_or(&Value::Null);
        if *schema != SCHEMA {
            let schema = clipped(&schema.to_string());
            return Err(format!(
                "field `schema` is {schema}, and this program reads {SCHEMA}: use the program that wrote it"
            ));
        }
        if kind != KIND {
            return Ok(Kept::Profile(typed(bytes, kind)?));
        }
        let document: Box<Document> = typed(bytes, kind)?;
        sizes(&document)?;
        Ok(Kept::Bench(document))
    }
}

/// Reads a document as what it says it is.
fn typed<T: DeserializeOwned + Serialize>(bytes: &[u8], kind: &str) -> Result<Box<T>, String> {
    // From the bytes, for the line and column of what is wrong.
    let document: T = serde_json::from_slice(bytes)
        .map_err(|error| format!("no result of {kind}: {}", clipped(&error.to_string())))?;
    // As it would be written: every part under its name, and none that is not known.
    let value = serde_json::to_value(&document).expect("plain data");
    match bounds(&value, "", false) {
        Ok(()) => Ok(Box::new(document)),
        Err((field, why)) => Err(format!("field `{}`: {why}", field.trim_start_matches('.'))),
    }
}

/// Looks through a part of a document; `once` is whether its texts are shown once. Fails with the way to what is out
/// of bounds, and why it is.
fn bounds(part: &Value, field: &str, once: bool) -> Result<(), (String, String)> {
    let few = |count: usize| match count > most(field) {
        true => Err((String::new(), format!("{count} items, and {} are the most", most(field)))),
        false => Ok(()),
    };
    match part {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(number) => match number.as_f64() {
            Some(number) if (0.0..=LARGEST).contains(&number) => Ok(()),
            _ => Err((String::new(), format!("{number} is not between 0 and {LARGEST:e}"))),
        },
        Value::String(text) => plain(text, once),
        Value::Array(items) => {
            few(items.len())?;
            items.iter().enumerate().try_for_each(|(index, item)| {
                bounds(item, field, once).map_err(|(way, why)| (format!("[{index}]{way}"), why))
            })
        }
        Value::Object(fields) => {
            few(fields.len())?;
            fields.iter().try_for_each(|(name, part)| {
                // Of a map they are data.
                plain(name, false)?;
                let once = once || SHOWN_ONCE.contains(&name.as_str());
                bounds(part, name, once).map_err(|(way, why)| (format!(".{name}{way}"), why))
            })
        }
    }
}

/// Looks at a text.
fn plain(text: &str, once: bool) -> Result<(), (String, String)> {
    let limit = if once { TEXT } else { NAME };
    let broken = |letter: char| letter.is_control() && !(once && matches!(letter, '\n' | '\t'));
    let why = if text.len() > limit {
        format!("{} bytes, and {limit} are the most", text.len())
    } else if text.contains(broken) {
        format!("`{}` has a control character", clipped(text))
    } else {
        return Ok(());
    };
    Err((String::new(), why))
}

/// Whether batch sizes ascend in each row, and all rows together have no more than one run can have.
fn sizes(document: &Document) -> Result<(), String> {
    let mut all = std::collections::BTreeSet::new();
    for (index, row) in document.rows.iter().enumerate() {
        let sizes = || row.batches.iter().map(|cell| cell.batch);
        if !sizes().is_sorted_by(|a, b| a < b) {
            return Err(format!("field `rows[{index}].batches`: sizes do not ascend"));
        }
        all.extend(sizes());
    }
    match all.len() > SIZES {
        true => Err(format!("field `rows`: {} batch sizes, and {SIZES} are the most", all.len())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! One file of settings: read within bounds, every mistake found with its line.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::Trouble;
use super::keys::{KEYS, position, tables};
use super::value::Value;
use crate::cli::nearest::{nearest, quoted};

/// Most bytes of a file.
pub(in crate::cli) const LIMIT: u64 = 64 << 10;

/// What a file says about one key.
#[derive(Debug)]
pub(super) struct Entry {
    /// The key's position in [`KEYS`].
    pub(super) key: usize,
    /// Its value; `None` where the file unsets it.
    pub(super) value: Option<Value>,
    /// Where it says so, from 1 on.
    pub(super) line: usize,
}

/// Reads the file at `path`, which messages call `name`. `Ok(None)`: there is none.
///
/// # Errors
/// What cannot be read, is too long or no text; or all that is wrong in it.
pub(super) fn read(path: &Path, name: &Path) -> Result<Option<Vec<Entry>>, Trouble> {
    let shown = name.display();
    let failed = |why: String| Err(Trouble::unreadable(format!("{shown}: {why}")));
    // What people name for nothing.
    if name == Path::new("/dev/null") {
        return Ok(Some(Vec::new()));
    }
    let file = match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return failed(error.to_string()),
        Ok(found) if found.is_dir() => {
            return failed("is a directory; settings are a file".to_owned());
        }
        // A pipe might block, a device might not end.
        Ok(found) if !found.is_file() => return failed("is no plain file".to_owned()),
        Ok(_) => File::open(path),
    };
    let mut bytes = Vec::new();
    let read = file.and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return failed(error.to_string());
    }
    if bytes.len() as u64 > LIMIT {
        return failed(format!("has more than {LIMIT} bytes, the most for settings"));
    }
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = line(&bytes, error.valid_up_to());
            return Err(Trouble::invalid(vec![format!("{shown}:{line}: is no UTF-8 text")]));
        }
    };
    let (entries, wrong) = entries(text);
    if wrong.is_empty() {
        return Ok(Some(entries));
    }
    let wrong = wrong.into_iter().map(|(line, why)| format!("{shown}:{line}: {why}"));
    Err(Trouble::invalid(wrong.collect()))
}

/// The line that holds a byte, from 1 on.
fn line(bytes: &[u8], at: usize) -> usize {
    1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// What a text says, and what is wrong in it with its lines, in their order.
pub(super) fn entries(text: &str) -> (Vec<Entry>, Vec<(usize, String)>) {
    let (mut entries, mut wrong) = (Vec::new(), Vec::new());
    match DeTable::parse(text) {
        Ok(table) => walk(text, table.get_ref(), "", &mut entries, &mut wrong),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            wrong.push((line(text.as_bytes(), at), format!("no TOML: {}", error.message())));
        }
    }
    wrong.sort();
    (entries, wrong)
}

/// Takes a table's keys. It goes one table deep, as [`KEYS`] do: what lies deeper is unknown.
fn walk(
    text: &str,
    table: &DeTable<'_>,
    prefix: &str,
    entries: &mut Vec<Entry>,
    wrong: &mut Vec<(usize, String)>,
) {
    for (key, value) in table {
        let line = line(text.as_bytes(), key.span().start);
        let name = format!("{prefix}{}", key.get_ref());
        let table = tables().find(|table| *table == name);
        match (position(&name), table, value.get_ref()) {
            (Some(key), ..) => match KEYS[key].read_toml(value.get_ref()) {
                Ok(value) => entries.push(Entry { key, value, line }),
                Err(why) => wrong.push((line, why)),
            },
            (None, Some(_), DeValue::Table(inner)) => {
                walk(text, inner, &format!("{name}."), entries, wrong);
            }
            (None, Some(_), _) => wrong.push((line, format!("{name}: it is a table"))),
            (None, None, _) => wrong.push((line, unknown(&name))),
        }
    }
}

/// Says that a key is not known, and which is nearest: `items` is nearest to `limits.items`.
fn unknown(name: &str) -> String {
    let known = KEYS.iter().map(|key| key.name);
    let whole = nearest(name, known.chain(tables())).map(|(known, distance)| (distance, known));
    let last = KEYS.iter().filter_map(|key| Some((key.parts().0?, key.parts().1, key.name)));
    let last = last.map(|(_, last, known)| (1 + strsim_of(name, last), known)).min();
    let nearest = whole.into_iter().chain(last).min().map_or("none", |(_, known)| known);
    format!("unknown key {}; the nearest is `{nearest}`", quoted(name))
}

fn strsim_of(name: &str, known: &'static str) -> usize {
    nearest(name, [known]).map_or(usize::MAX - 1, |(_, distance)| distance)
}

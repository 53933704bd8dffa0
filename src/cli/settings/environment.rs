//! Settings from variables, and variables that were meant to be settings.

use super::keys::KEYS;
use super::value::Value;
use super::{Origin, Trouble};
use crate::cli::nearest::nearest;
use crate::cli::surroundings::Surroundings;

/// Names the file of settings.
pub(in crate::cli) const CONFIG: &str = "SIGMILL_CONFIG";

/// Variables that are no settings.
const OTHERS: [&str; 8] = [
    CONFIG,
    "SIGMILL_DATA",
    "SIGMILL_REQUIRE",
    "SIGMILL_ISA",
    "SIGMILL_FPGA",
    "SIGMILL_FPGA_MANIFEST",
    // Of the build, which cargo hands on.
    "SIGMILL_RUSTC",
    "SIGMILL_GIT_LOG",
];

/// Most changes that make a variable a slip of the keyboard.
const NEAR: usize = 2;

/// What the variables say, by the position of the key.
///
/// # Errors
/// All values that their keys do not take.
pub(super) fn read(around: &Surroundings) -> Result<Vec<(usize, Option<Value>, Origin)>, Trouble> {
    let (mut values, mut wrong) = (Vec::new(), Vec::new());
    for (position, key) in KEYS.iter().enumerate() {
        let name = key.variable();
        let Some(text) = around.variable(&name) else { continue };
        let value = text.to_str().ok_or_else(|| format!("{}: is no UTF-8 text", key.name));
        match value.and_then(|text| key.read_text(text)) {
            Ok(value) => values.push((position, value, Origin::Variable(name))),
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    if wrong.is_empty() { Ok(values) } else { Err(Trouble::invalid(wrong)) }
}

/// Says which variables are near misses of known ones.
pub(super) fn near_misses(around: &Surroundings) -> Vec<String> {
    let known: Vec<_> =
        KEYS.iter().map(|key| key.variable()).chain(OTHERS.map(str::to_owned)).collect();
    let near = |name: &str| {
        let (meant, distance) = nearest(name, known.iter().map(String::as_str))?;
        let near = (1..=NEAR).contains(&distance);
        near.then(|| format!("the variable {name} means nothing here; {meant} would"))
    };
    around.names("SIG").filter_map(near).collect()
}

//! Files that say which validators are trusted: a genesis, or a list of sets (SPEC.md, 16).

use std::path::Path;
use std::time::Duration;

use alloy_primitives::hex;
use commonware_codec::Encode as _;
use serde::Deserialize;

use super::Trusted;
use crate::Hash;
use crate::genesis::{Genesis, GenesisError, ValidatorEntry, lower_hex, validators, wrong};
use crate::scheme::{Committee, CommitteeError, Engines};
use crate::sets::ValidatorSet;

/// Most sets of a file: each takes the tables of its vote keys.
pub const MOST_SETS: usize = 64;

/// The sets of a chain's validators that a verifier knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The chain.
    pub chain: Hash,
    /// Its sets, ascending by their first epochs, which differ: 1 to [`MOST_SETS`].
    pub sets: Vec<ValidatorSet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointFile {
    format: u64,
    chain: String,
    sets: Vec<SetEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetEntry {
    from: u64,
    validators: Vec<ValidatorEntry>,
}

impl Checkpoint {
    /// The set of a genesis.
    pub fn of(genesis: &Genesis) -> Self {
        let set = ValidatorSet { from: 0, validators: genesis.validators.clone() };
        Checkpoint { chain: genesis.chain(), sets: vec![set] }
    }

    /// Reads a file of sets, or a genesis file, with the file of accounts that it may name. A file of
    /// sets is one that has `sets`.
    ///
    /// # Errors
    /// [`GenesisError`], with the field.
    pub fn read(path: &Path) -> Result<Self, GenesisError> {
        let failed = |source| GenesisError::Io { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(failed)?;
        match toml::from_str::<toml::Table>(&text)?.contains_key("sets") {
            true => Checkpoint::parse(&text),
            false => Ok(Checkpoint::of(&Genesis::read(path)?)),
        }
    }

    /// Reads the text of a file of sets.
    ///
    /// # Errors
    /// [`GenesisError`], with the field.
    pub fn parse(text: &str) -> Result<Self, GenesisError> {
        let file: CheckpointFile = toml::from_str(text)?;
        if file.format != 1 {
            return wrong("format", format!("{} is unknown; 1 is expected", file.format));
        }
        let Some(chain) = lower_hex(&file.chain) else {
            return wrong("chain", "64 hexadecimal digits in lower case are expected");
        };
        if !(1..=MOST_SETS).contains(&file.sets.len()) {
            let why = format!("{} of them; 1 to {MOST_SETS} are expected", file.sets.len());
            return wrong("sets", why);
        }
        let mut sets = Vec::with_capacity(file.sets.len());
        for (index, SetEntry { from, validators: entries }) in file.sets.iter().enumerate() {
            let within = |error| match error {
                GenesisError::Field { field, why } => {
                    GenesisError::Field { field: format!("sets[{index}].{field}"), why }
                }
                other => other,
            };
            let validators = validators(entries).map_err(within)?;
            sets.push(ValidatorSet { from: *from, validators });
        }
        if let Some(at) = sets.windows(2).position(|pair| pair[0].from >= pair[1].from) {
            return wrong(format!("sets[{}].from", at + 1), "not above the one before");
        }
        Ok(Checkpoint { chain: chain.into(), sets })
    }

    /// The text of a file that is read as these sets.
    pub fn text(&self) -> String {
        let mut text = format!("format = 1\nchain = \"{}\"\n", hex::encode(self.chain));
        for ValidatorSet { from, validators } in &self.sets {
            text += &format!("\n[[sets]]\nfrom = {from}\n");
            for one in validators {
                let (identity, vote) = (hex::encode(one.identity.encode()), hex::encode(one.vote));
                text += &format!(
                    "\n[[sets.validators]]\nidentity = \"{identity}\"\nvote = \"{vote}\"\n"
                );
            }
        }
        text
    }

    /// Pins the vote keys of all sets, with the deadline of [`Committee::new`].
    ///
    /// # Errors
    /// [`CommitteeError`].
    pub fn trusted(
        &self,
        engines: &Engines,
        deadline: Duration,
    ) -> Result<Trusted, CommitteeError> {
        let mut trusted = Trusted::none(self.chain);
        for ValidatorSet { from, validators } in &self.sets {
            let committee = Committee::new(self.chain, validators, engines.clone(), deadline)?;
            trusted.insert(*from, committee);
        }
        Ok(trusted)
    }
}

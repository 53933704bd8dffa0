//! The genesis file: what all validators of a chain agree on before its first block.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use alloy_primitives::hex;
use commonware_codec::{Copying, DecodeExt, Encode};
use commonware_cryptography::ed25519;
use serde::Deserialize;

use crate::address::{self, Address};
use crate::{Hash, keccak};

mod write;

/// What goes before the genesis when it is hashed.
pub const GENESIS_TAG: &[u8; 16] = b"sigmill:genesis1";
/// Most validators.
pub const VALIDATORS_LIMIT: usize = 1_024;
/// Most of the smallest unit that all accounts have together: 2^63 - 1. No sum of balances overflows.
pub const SUPPLY_LIMIT: u64 = i64::MAX as u64;

/// Why a genesis file is refused.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// It is no TOML, or has a field too many or too few, or one of the wrong type.
    #[error("genesis: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A field's value is not allowed.
    #[error("genesis: `{field}`: {why}")]
    Field {
        /// The field, as a path.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

pub(crate) fn wrong<T>(
    field: impl Into<String>,
    why: impl Into<String>,
) -> Result<T, GenesisError> {
    Err(GenesisError::Field { field: field.into(), why: why.into() })
}

/// What blocks and transactions may be. Part of the chain's identity.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a block, its header included: 4,096 to 16 MiB.
    pub block_bytes: u32,
    /// Transactions of a block: 1 to 65,536.
    pub block_transactions: u32,
    /// Transactions of one account in a block: 1 to 1,024.
    pub account_transactions: u32,
    /// How far ahead of the block's height an expiry may lie: 1 to 1,000,000.
    pub expiry_heights: u32,
    /// Heights of an epoch, whose validators do not change: 16 to 2^31.
    pub epoch_heights: u32,
    /// What an account must have to send anything, and the least that opens one: 1 or more.
    pub minimum_balance: u64,
}

impl Default for Limits {
    /// 2 MiB, 8,192 transactions, 16 an account, 3,600 heights, epochs of 65,536, 1.
    fn default() -> Self {
        Limits {
            block_bytes: 2 << 20,
            block_transactions: 8_192,
            account_transactions: 16,
            expiry_heights: 3_600,
            epoch_heights: 65_536,
            minimum_balance: 1,
        }
    }
}

impl Limits {
    /// The epoch of a height: 0 for those below [`Limits::epoch_heights`], the genesis's included.
    pub fn epoch(&self, height: u64) -> u64 {
        height / self.epoch_length()
    }

    /// [`Limits::epoch_heights`], at least 2: those of a file are.
    pub(crate) fn epoch_length(&self) -> NonZeroU64 {
        NonZeroU64::new(self.epoch_heights.max(2).into()).expect("2 is not zero")
    }

    fn check(&self) -> Result<(), GenesisError> {
        let ranges = [
            ("block_bytes", u64::from(self.block_bytes), 4_096, 16 << 20),
            ("block_transactions", self.block_transactions.into(), 1, 65_536),
            ("account_transactions", self.account_transactions.into(), 1, 1_024),
            ("expiry_heights", self.expiry_heights.into(), 1, 1_000_000),
            ("epoch_heights", self.epoch_heights.into(), 16, 1 << 31),
            ("minimum_balance", self.minimum_balance, 1, SUPPLY_LIMIT),
        ];
        for (field, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return wrong(
                    format!("limits.{field}"),
                    format!("{value} is not in {least}..={most}"),
                );
            }
        }
        Ok(())
    }
}

/// A validator's public keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Validator {
    /// Authenticates its connections; validators are numbered in the order of these bytes.
    pub identity: ed25519::PublicKey,
    /// x of the key that its votes are signed with.
    pub vote: [u8; 32],
}

/// What all validators of a chain agree on before its first block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// A name for people: 1 to 32 of a-z, 0-9, `-` and `.`.
    pub name: String,
    /// Time of the genesis block, milliseconds since 1970 began (UTC).
    pub time_ms: u64,
    /// What blocks and transactions may be.
    pub limits: Limits,
    /// The validators, in the order of their identities.
    pub validators: Vec<Validator>,
    /// Who has what, in the order of addresses.
    pub accounts: Vec<(Address, u64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GenesisFile {
    format: u64,
    name: String,
    time_ms: u64,
    limits: Limits,
    validators: Vec<ValidatorEntry>,
    #[serde(default)]
    accounts: BTreeMap<String, u64>,
    accounts_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValidatorEntry {
    identity: String,
    vote: String,
}

impl Genesis {
    /// Reads a genesis file, and the file of accounts that it may name, relative to its folder.
    ///
    /// # Errors
    /// [`GenesisError`], with the field.
    pub fn read(path: &Path) -> Result<Self, GenesisError> {
        let read = |path: PathBuf| match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(source) => Err(GenesisError::Io { path, source }),
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        Genesis::parse(&read(path.to_owned())?, |accounts| read(folder.join(accounts)))
    }

    /// Reads the text of a genesis file; `open` gives the text of the file of accounts if it names
    /// one.
    ///
    /// # Errors
    /// [`GenesisError`], with the field.
    pub fn parse(
        text: &str,
        open: impl FnOnce(&Path) -> Result<String, GenesisError>,
    ) -> Result<Self, GenesisError> {
        let file: GenesisFile = toml::from_str(text)?;
        if file.format != 1 {
            return wrong("format", format!("{} is unknown; 1 is expected", file.format));
        }
        let named = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        if !(1..=32).contains(&file.name.len()) || !file.name.bytes().all(named) {
            return wrong("name", "1 to 32 of a-z, 0-9, `-` and `.` are expected");
        }
        if !(1..=SUPPLY_LIMIT).contains(&file.time_ms) {
            return wrong("time_ms", "milliseconds since 1970 are expected");
        }
        file.limits.check()?;
        let validators = validators(&file.validators)?;
        let mut accounts = Vec::with_capacity(file.accounts.len());
        for (text, &balance) in &file.accounts {
            accounts.push(account(&format!("accounts.{text}"), text, balance)?);
        }
        if let Some(path) = &file.accounts_file {
            if !accounts.is_empty() {
                return wrong("accounts_file", "accounts are listed in the file itself, too");
            }
            accounts = listed(&open(path)?)?;
        }
        let accounts = checked(accounts, file.limits.minimum_balance)?;
        let GenesisFile { name, time_ms, limits, .. } = file;
        Ok(Genesis { name, time_ms, limits, validators, accounts })
    }

    /// What the chain's id is the hash of; SPEC.md has the layout.
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = GENESIS_TAG.to_vec();
        bytes.push(self.name.len() as u8);
        bytes.extend_from_slice(self.name.as_bytes());
        bytes.extend_from_slice(&self.time_ms.to_be_bytes());
        let Limits {
            block_bytes,
            block_transactions,
            account_transactions,
            expiry_heights,
            epoch_heights,
            minimum_balance,
        } = self.limits;
        for limit in
            [block_bytes, block_transactions, account_transactions, expiry_heights, epoch_heights]
        {
            bytes.extend_from_slice(&limit.to_be_bytes());
        }
        bytes.extend_from_slice(&minimum_balance.to_be_bytes());
        bytes.extend_from_slice(&(self.validators.len() as u32).to_be_bytes());
        for Validator { identity, vote } in &self.validators {
            bytes.extend_from_slice(identity.as_ref());
            bytes.extend_from_slice(vote);
        }
        bytes.extend_from_slice(&(self.accounts.len() as u32).to_be_bytes());
        let mut accounts = Vec::with_capacity(28 * self.accounts.len());
        for (address, balance) in &self.accounts {
            accounts.extend_from_slice(address.as_slice());
            accounts.extend_from_slice(&balance.to_be_bytes());
        }
        bytes.extend_from_slice(&keccak(&[&accounts]).0);
        bytes
    }

    /// The chain's id: Keccak-256 of [`Genesis::canonical`].
    pub fn chain(&self) -> Hash {
        keccak(&[&self.canonical()])
    }

    /// All that there is.
    pub fn supply(&self) -> u64 {
        self.accounts.iter().map(|(_, balance)| balance).sum()
    }
}

/// The validators in order, each of them once.
pub(crate) fn validators(entries: &[ValidatorEntry]) -> Result<Vec<Validator>, GenesisError> {
    if !(1..=VALIDATORS_LIMIT).contains(&entries.len()) {
        let why = format!("{} of them; 1 to {VALIDATORS_LIMIT} are expected", entries.len());
        return wrong("validators", why);
    }
    let mut validators = Vec::with_capacity(entries.len());
    let mut votes = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let at = |field: &str| format!("validators[{index}].{field}");
        let digits = "64 hexadecimal digits in lower case are expected";
        let Some(identity) = lower_hex(&entry.identity) else {
            return wrong(at("identity"), digits);
        };
        let Some(vote) = lower_hex(&entry.vote) else { return wrong(at("vote"), digits) };
        let Ok(identity) = ed25519::PublicKey::decode(Copying(&identity)) else {
            return wrong(at("identity"), "no public key of ed25519");
        };
        if k256::schnorr::VerifyingKey::from_slice(&vote).is_err() {
            return wrong(at("vote"), "no x of a point of secp256k1");
        }
        if let Some(other) = votes.insert(vote, index) {
            return wrong(at("vote"), format!("the key of validators[{other}], too"));
        }
        validators.push(Validator { identity, vote });
    }
    validators.sort();
    if let Some(pair) = validators.windows(2).find(|pair| pair[0].identity == pair[1].identity) {
        let identity = hex::encode(pair[0].identity.encode());
        return wrong("validators", format!("identity {identity} is there twice"));
    }
    Ok(validators)
}

pub(crate) fn lower_hex(text: &str) -> Option<[u8; 32]> {
    let lower = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; 32];
    (lower && text.len() == 64 && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

fn account(field: &str, text: &str, balance: u64) -> Result<(Address, u64), GenesisError> {
    match address::parse(text) {
        Ok(address) => Ok((address, balance)),
        Err(error) => wrong(field, error.to_string()),
    }
}

/// A line an account: address, space, balance.
fn listed(text: &str) -> Result<Vec<(Address, u64)>, GenesisError> {
    let lines = text.lines().enumerate();
    let line = |(index, line): (usize, &str)| {
        let field = format!("accounts_file line {}", index + 1);
        let Some((address, digits)) = line.split_once(' ') else {
            return wrong(field, "`address balance` is expected");
        };
        let canonical = !digits.starts_with('+') && (digits == "0" || !digits.starts_with('0'));
        match digits.parse() {
            Ok(balance) if canonical => account(&field, address, balance),
            _ => wrong(field, format!("`{digits}` is no balance")),
        }
    };
    lines.map(line).collect()
}

/// The accounts in order, each of them once, within the limits.
fn checked(
    mut accounts: Vec<(Address, u64)>,
    minimum: u64,
) -> Result<Vec<(Address, u64)>, GenesisError> {
    if accounts.is_empty() {
        return wrong("accounts", "there is none");
    }
    if u32::try_from(accounts.len()).is_err() {
        return wrong("accounts", "there are more than 2^32 - 1");
    }
    accounts.sort_unstable();
    let mut supply = 0_u64;
    for (index, (address, balance)) in accounts.iter().enumerate() {
        if *balance < minimum {
            return wrong(format!("accounts.{address}"), "less than `limits.minimum_balance`");
        }
        if index > 0 && accounts[index - 1].0 == *address {
            return wrong(format!("accounts.{address}"), "is there twice");
        }
        supply = supply.saturating_add(*balance);
    }
    if supply > SUPPLY_LIMIT {
        return wrong("accounts", format!("their sum exceeds {SUPPLY_LIMIT}"));
    }
    Ok(accounts)
}

#[cfg(test)]
pub(crate) mod tests;

//! The configuration file of a validator: what its operator decides, and no verdict depends on.
//!
//! ```toml
//! genesis = "genesis.toml"
//! keys = "validator.key"
//! data = "data"
//! listen = "0.0.0.0:9000"
//! http = "127.0.0.1:8000"
//!
//! [[peers]]
//! identity = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
//! address = "10.0.0.2:9000"
//! ```
//!
//! Unknown fields are refused. Paths are relative to the file's folder.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use alloy_primitives::hex;
use commonware_codec::{Copying, DecodeExt, Encode};
use commonware_cryptography::ed25519;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::genesis::VALIDATORS_LIMIT;
use crate::pool::PoolLimits;

/// Why a configuration file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no TOML, or has a field too many or too few, or one of the wrong type.
    #[error("{}: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: toml::de::Error,
    },
    /// A field's value is not allowed.
    #[error("{}: `{field}`: {why}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The field, as a path.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Who computes signatures and hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Crypto {
    /// The mill.
    #[default]
    #[serde(rename = "engine")]
    Engine,
    /// libsecp256k1, one after the other: what the mill is compared with.
    #[serde(rename = "libsecp256k1")]
    Libsecp256k1,
}

/// Another validator, and where it listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its identity: 64 hexadecimal digits in lower case in the file.
    #[serde(serialize_with = "write_identity", deserialize_with = "read_identity")]
    pub identity: ed25519::PublicKey,
    /// Where it listens for validators.
    pub address: SocketAddr,
}

/// How long a validator waits, in milliseconds (SPEC.md, 13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For a leader's proposal: 1 to 60,000.
    pub leader_ms: u64,
    /// For the end of a view: more than for the leader, at most 120,000.
    pub certification_ms: u64,
    /// How far ahead of the clock a block's time may be before its validity is answered: at most 60,000.
    pub drift_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { leader_ms: 600, certification_ms: 1_200, drift_ms: 500 }
    }
}

/// What the operator of a validator decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The genesis file.
    pub genesis: PathBuf,
    /// The key file.
    pub keys: PathBuf,
    /// The folder of blocks, state and votes.
    pub data: PathBuf,
    /// Where other validators connect.
    pub listen: SocketAddr,
    /// Where people and programs ask; nowhere if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<SocketAddr>,
    /// The Unix socket of `sigmill top` and `sigmill profile --attach`; none if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitor: Option<PathBuf>,
    /// Who computes.
    #[serde(default)]
    pub crypto: Crypto,
    /// Devices besides the CPU, in the words of the mill: `gpu`, `fpga=..`.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Threads that compute, at most 1,024; 0 is one a core.
    #[serde(default)]
    pub threads: usize,
    /// What every message waits before it is sent, in milliseconds, at most 10,000: an experiment's
    /// distance.
    #[serde(default)]
    pub delay_ms: u64,
    /// How long to wait.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// What the pool may hold: 1 MiB to 64 GiB, 1 to 2^26 transactions, 1 to 100 per cent.
    #[serde(default)]
    pub pool: PoolLimits,
    /// The other validators.
    #[serde(default)]
    pub peers: Vec<Peer>,
}

impl Config {
    /// A configuration with defaults, and without peers.
    pub fn new(genesis: PathBuf, keys: PathBuf, data: PathBuf, listen: SocketAddr) -> Self {
        Config {
            genesis,
            keys,
            data,
            listen,
            http: None,
            monitor: None,
            crypto: Crypto::default(),
            devices: vec![],
            threads: 0,
            delay_ms: 0,
            timeouts: Timeouts::default(),
            pool: PoolLimits::default(),
            peers: vec![],
        }
    }

    /// Reads a configuration file. Paths in it come back joined to the file's folder.
    ///
    /// # Errors
    /// [`ConfigError`], with the field.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let io = |source| ConfigError::Io { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(io)?;
        let mut config = Config::parse(&text, path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let fixed = [&mut config.genesis, &mut config.keys, &mut config.data];
        for file in fixed.into_iter().chain(&mut config.monitor) {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// Reads the text of a configuration file; `path` is for errors.
    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let syntax = |source| ConfigError::Syntax { path: path.to_owned(), source };
        let config: Config = toml::from_str(text).map_err(syntax)?;
        match config.wrong() {
            None => Ok(config),
            Some((field, why)) => Err(ConfigError::Field { path: path.to_owned(), field, why }),
        }
    }

    /// Writes the file, over one that is there. Paths are written as they are.
    ///
    /// # Errors
    /// [`ConfigError::Field`] where [`Config::read`] would refuse it, [`ConfigError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), ConfigError> {
        let refuse = |field, why| ConfigError::Field { path: path.to_owned(), field, why };
        if let Some((field, why)) = self.wrong() {
            return Err(refuse(field, why));
        }
        // A path that is no UTF-8, or a number beyond TOML's.
        let text = toml::to_string(self).map_err(|error| refuse("?".into(), error.to_string()))?;
        std::fs::write(path, text)
            .map_err(|source| ConfigError::Io { path: path.to_owned(), source })
    }

    /// The first field whose value is not allowed, and why.
    fn wrong(&self) -> Option<(String, String)> {
        for (field, file) in
            [("genesis", &self.genesis), ("keys", &self.keys), ("data", &self.data)]
        {
            if file.as_os_str().is_empty() {
                return wrong(field, "a path is expected");
            }
        }
        let Timeouts { leader_ms, certification_ms, drift_ms } = self.timeouts;
        let PoolLimits { bytes, transactions, peer_percent } = self.pool;
        let ranges = [
            ("threads", self.threads as u64, 0, 1_024),
            ("delay_ms", self.delay_ms, 0, 10_000),
            ("timeouts.leader_ms", leader_ms, 1, 60_000),
            ("timeouts.certification_ms", certification_ms, leader_ms.saturating_add(1), 120_000),
            ("timeouts.drift_ms", drift_ms, 0, 60_000),
            ("pool.bytes", bytes as u64, 1 << 20, 1 << 36),
            ("pool.transactions", transactions as u64, 1, 1 << 26),
            ("pool.peer_percent", peer_percent.into(), 1, 100),
        ];
        for (field, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return wrong(field, format!("{value} is not in {least}..={most}"));
            }
        }
        if self.listen.port() == 0 {
            return wrong("listen", "others must know the port: 1 to 65535 is expected");
        }
        if self.http == Some(self.listen) {
            return wrong("http", "it is `listen`, too");
        }
        if let Some(index) = self.devices.iter().position(String::is_empty) {
            return wrong(format!("devices[{index}]"), "`gpu` or `fpga=..` is expected");
        }
        if self.peers.len() >= VALIDATORS_LIMIT {
            return wrong("peers", format!("{} at most are expected", VALIDATORS_LIMIT - 1));
        }
        let mut identities = BTreeSet::new();
        for (index, peer) in self.peers.iter().enumerate() {
            if peer.address.port() == 0 {
                return wrong(format!("peers[{index}].address"), "port 0 is none");
            }
            if !identities.insert(&peer.identity) {
                return wrong(format!("peers[{index}].identity"), "it is there twice");
            }
        }
        None
    }
}

fn wrong(field: impl Into<String>, why: impl Into<String>) -> Option<(String, String)> {
    Some((field.into(), why.into()))
}

fn write_identity<S: Serializer>(
    identity: &ed25519::PublicKey,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(identity.encode()))
}

fn read_identity<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ed25519::PublicKey, D::Error> {
    let text = String::deserialize(deserializer)?;
    let lower = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; 32];
    if !lower || text.len() != 64 || hex::decode_to_slice(&text, &mut bytes).is_err() {
        let expected = "`identity`: 64 hexadecimal digits in lower case are expected";
        return Err(de::Error::custom(expected));
    }
    let no_key = |_| de::Error::custom("`identity`: no public key of ed25519");
    ed25519::PublicKey::decode(Copying(&bytes)).map_err(no_key)
}

#[cfg(test)]
mod tests;

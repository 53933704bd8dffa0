//! The accounts of a load: all from one seed.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rayon::prelude::*;

use super::{LoadError, in_range};
use crate::address::Address;
use crate::keccak;
use crate::keys::AccountKey;

/// Most accounts.
pub const ACCOUNTS_LIMIT: usize = 1 << 25;

/// What a file of addresses begins with.
const MAGIC: &[u8; 16] = b"sigmill:accounts";
/// Bytes before the addresses: magic, hash of the seed, number of addresses.
const HEAD: usize = 16 + 32 + 8;

/// Accounts whose secret keys are Keccak-256(seed || index), the index as u64 big-endian. Whoever
/// knows the seed owns them: they are for chains of no value.
#[derive(Clone)]
pub struct Accounts {
    seed: Vec<u8>,
    addresses: Vec<Address>,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts({})", self.addresses.len())
    }
}

fn key(seed: &[u8], index: u64) -> Result<AccountKey, LoadError> {
    let secret = keccak(&[seed, &index.to_be_bytes()]).0;
    AccountKey::from_bytes(&secret).ok_or(LoadError::Key { index })
}

fn derive(seed: &[u8], indices: std::ops::Range<u64>) -> Result<Vec<Address>, LoadError> {
    indices.into_par_iter().map(|index| Ok(key(seed, index)?.address())).collect()
}

impl Accounts {
    /// Derives the accounts 0 to `count` - 1, on all cores.
    ///
    /// # Errors
    /// [`LoadError::Range`] unless 1 <= `count` <= [`ACCOUNTS_LIMIT`], [`LoadError::Key`].
    pub fn derive(seed: &[u8], count: usize) -> Result<Self, LoadError> {
        in_range("accounts", count as u64, 1..=ACCOUNTS_LIMIT as u64)?;
        Ok(Accounts { seed: seed.to_vec(), addresses: derive(seed, 0..count as u64)? })
    }

    /// The same, but keeps the addresses in a file, and takes from it what is there of this seed.
    ///
    /// The file: `sigmill:accounts`, Keccak-256 of the seed (32), number (8), addresses (20 each),
    /// Keccak-256 of all before (32). A damaged one is derived and written again.
    ///
    /// # Errors
    /// As [`Accounts::derive`]; [`LoadError::Cache`], [`LoadError::Io`].
    pub fn cached(seed: &[u8], count: usize, path: &Path) -> Result<Self, LoadError> {
        in_range("accounts", count as u64, 1..=ACCOUNTS_LIMIT as u64)?;
        let failed = |source| LoadError::Io { path: path.to_owned(), source };
        let mut addresses = match read(path).map_err(failed)? {
            Some(bytes) if !bytes.starts_with(MAGIC) => {
                return Err(LoadError::Cache { path: path.to_owned() });
            }
            Some(bytes) => decode(&bytes, seed).unwrap_or_default(),
            None => vec![],
        };
        if addresses.len() < count {
            addresses.extend(derive(seed, addresses.len() as u64..count as u64)?);
            write(path, &encode(seed, &addresses)).map_err(failed)?;
        }
        addresses.truncate(count);
        Ok(Accounts { seed: seed.to_vec(), addresses })
    }

    /// Addresses by index.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The secret key of an account.
    ///
    /// # Errors
    /// [`LoadError::Key`], never for an account that has an address.
    pub fn key(&self, index: u64) -> Result<AccountKey, LoadError> {
        key(&self.seed, index)
    }

    /// A number that depends on the seed.
    pub(super) fn salt(&self) -> u64 {
        let hash = keccak(&[b"sigmill load picks", &self.seed]).0;
        u64::from_be_bytes(hash[..8].try_into().expect("8 bytes"))
    }
}

fn encode(seed: &[u8], addresses: &[Address]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + 20 * addresses.len() + 32);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&keccak(&[seed]).0);
    bytes.extend_from_slice(&(addresses.len() as u64).to_be_bytes());
    bytes.extend(addresses.iter().flat_map(|address| address.0.0));
    let check = keccak(&[&bytes]).0;
    bytes.extend_from_slice(&check);
    bytes
}

/// The addresses, if all is whole and of this seed.
fn decode(bytes: &[u8], seed: &[u8]) -> Option<Vec<Address>> {
    let (body, check) = bytes.split_last_chunk::<32>()?;
    let (head, list) = body.split_at_checked(HEAD)?;
    let (addresses, []) = list.as_chunks::<20>() else { return None };
    let whole = keccak(&[body]).0 == *check
        && head[16..48] == keccak(&[seed]).0
        && head[48..] == (addresses.len() as u64).to_be_bytes();
    whole.then(|| addresses.iter().map(Address::from).collect())
}

/// What a file says, as far as one of ours can be long; `None` if it is not there.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take((HEAD + 20 * ACCOUNTS_LIMIT + 32) as u64).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Writes beside the file first: it is whole or as it was.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(beside, path)
}

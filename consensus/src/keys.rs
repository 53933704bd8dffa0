//! Secret keys: what a validator is (ed25519), how it votes (secp256k1), how an account signs.
//!
//! They are cleared from memory when dropped, are never printed, and leave the process through
//! [`ValidatorKeys::write`] alone.

use std::fmt;

use alloy_primitives::hex;
use commonware_codec::{Copying, DecodeExt};
use commonware_cryptography::{Signer, ed25519};
use k256::schnorr;
use zeroize::Zeroizing;

use crate::address::{self, Address};

mod file;

pub use file::{KeyError, WrongLine};

/// 32 fresh bytes that `read` takes for a key. All but about one of 2^128 are.
fn fresh<T>(mut read: impl FnMut(&[u8; 32]) -> Option<T>) -> Result<T, KeyError> {
    loop {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(KeyError::Randomness)?;
        if let Some(key) = read(&bytes) {
            return Ok(key);
        }
    }
}

/// A validator's secret vote key: BIP 340 over secp256k1.
#[derive(Clone)]
pub struct VoteKey(schnorr::SigningKey);

impl VoteKey {
    /// A new key.
    ///
    /// # Errors
    /// [`KeyError::Randomness`].
    pub fn generate() -> Result<Self, KeyError> {
        fresh(VoteKey::from_bytes)
    }

    /// The key of 32 bytes, big-endian; `None` unless 1 <= key < n.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        schnorr::SigningKey::from_slice(bytes).ok().map(VoteKey)
    }

    /// x of the public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes().into()
    }

    /// The signature that the key makes of these bytes, r || s: always the same one (BIP 340 with
    /// auxiliary data zero). It is verified before it is returned, as BIP 340 advises against faulty
    /// hardware; `None` if that fails, and then nothing leaves.
    pub fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        let signature = self.0.sign_raw(message, &[0; 32]).ok()?;
        self.0.verifying_key().verify_raw(message, &signature).ok()?;
        Some(signature.to_bytes())
    }
}

impl fmt::Debug for VoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VoteKey({})", hex::encode(self.public()))
    }
}

/// The secret key of an account.
#[derive(Clone)]
pub struct AccountKey(k256::ecdsa::SigningKey);

impl AccountKey {
    /// A new key.
    ///
    /// # Errors
    /// [`KeyError::Randomness`].
    pub fn generate() -> Result<Self, KeyError> {
        fresh(AccountKey::from_bytes)
    }

    /// The key of 32 bytes, big-endian; `None` unless 1 <= key < n.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        k256::ecdsa::SigningKey::from_slice(bytes).ok().map(AccountKey)
    }

    /// The account that it signs for.
    pub fn address(&self) -> Address {
        let point = self.0.verifying_key().to_sec1_point(false);
        address::of_key(point.as_bytes()[1..].try_into().expect("65 bytes, 04 first"))
    }

    /// r || s || v of a hash: s low, v 0 or 1, always the same ones (RFC 6979).
    pub fn sign(&self, hash: &[u8; 32]) -> [u8; 65] {
        // v is 2 or 3 where R.x >= n, which no one has found a case of (one in 2^127).
        let (signature, v) = self.0.sign_prehash_recoverable(hash);
        let mut bytes = [v.to_byte(); 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountKey({})", self.address())
    }
}

/// What makes a process a certain validator.
#[derive(Clone, Debug)]
pub struct ValidatorKeys {
    /// Authenticates its connections.
    pub identity: ed25519::PrivateKey,
    /// Signs its votes.
    pub vote: VoteKey,
}

impl ValidatorKeys {
    /// New keys.
    ///
    /// # Errors
    /// [`KeyError::Randomness`].
    pub fn generate() -> Result<Self, KeyError> {
        let identity = fresh(|bytes| ed25519::PrivateKey::decode(Copying(bytes)).ok())?;
        Ok(ValidatorKeys { identity, vote: VoteKey::generate()? })
    }

    /// The public keys, as the genesis file names them.
    pub fn public(&self) -> (ed25519::PublicKey, [u8; 32]) {
        (self.identity.public_key(), self.vote.public())
    }
}

#[cfg(test)]
mod tests {
    use commonware_codec::Encode;

    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let keys = ValidatorKeys {
            identity: ed25519::PrivateKey::from_seed(7),
            vote: VoteKey::from_bytes(&[7; 32]).unwrap(),
        };
        let account = AccountKey::from_bytes(&[7; 32]).unwrap();
        let printed = format!("{keys:?} {account:?}");
        assert!(!printed.contains(&hex::encode([7; 32])), "{printed}");
        assert!(!printed.contains(&hex::encode(keys.identity.encode())), "{printed}");
        assert!(printed.contains(&hex::encode(keys.vote.public())), "{printed}");
    }

    #[test]
    fn votes_are_what_libsecp256k1_signs_without_randomness() {
        for (seed, message) in [(1_u8, &b""[..]), (2, b"a"), (0xff, &[7; 99])] {
            let mut secret = [seed; 32];
            secret[0] = 0;
            let key = VoteKey::from_bytes(&secret).unwrap();
            let pair = secp256k1::Keypair::from_secret_bytes(secret).unwrap();
            let theirs = secp256k1::schnorr::sign_no_aux_rand(message, &pair);
            assert_eq!(key.sign(message).unwrap(), theirs.to_byte_array());
            assert_eq!(key.public(), pair.x_only_public_key().0.to_byte_array());
        }
    }

    #[test]
    fn accounts_sign_as_libsecp256k1_does() {
        use secp256k1::ecdsa::RecoverableSignature;
        for seed in 1..40_u8 {
            let key = AccountKey::from_bytes(&[seed; 32]).unwrap();
            let hash = crate::keccak(&[&[seed]]).0;
            let secret = secp256k1::SecretKey::from_secret_bytes([seed; 32]).unwrap();
            let message = secp256k1::Message::from_digest(hash);
            let (v, rs) =
                RecoverableSignature::sign_ecdsa_recoverable(message, &secret).serialize_compact();
            let mut theirs = [u8::from(v); 65];
            theirs[..64].copy_from_slice(&rs);
            assert_eq!(key.sign(&hash), theirs);
        }
    }

    #[test]
    fn zero_and_the_order_are_no_keys() {
        let order = hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
        let order: [u8; 32] = order.unwrap().try_into().unwrap();
        for bytes in [[0; 32], [0xff; 32], order] {
            assert!(VoteKey::from_bytes(&bytes).is_none());
            assert!(AccountKey::from_bytes(&bytes).is_none());
        }
    }
}

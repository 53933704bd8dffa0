//! The algorithms, and the rule that each one judges by.
//!
//! "Valid" is not one function per algorithm: each chain fixed its own. The rule is therefore part
//! of the algorithm, and none is the default.

use core::fmt;

/// What a batch computes, and under which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA verification on secp256k1.
    EcdsaSecp256k1(EcdsaRule),
    /// BIP 340 Schnorr verification.
    SchnorrBip340,
    /// Public-key recovery on secp256k1; the answer is the 64-byte key.
    RecoverSecp256k1(RecoverRule),
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-256 of the SHA-256.
    Sha256d,
    /// Keccak-256 with the original padding (0x01), as Ethereum uses it. Not SHA3-256.
    Keccak256,
    /// Root of Bitcoin's Merkle tree over double SHA-256: an odd level repeats its last node.
    MerkleRootSha256d,
    /// Inclusion of a leaf in Bitcoin's Merkle tree.
    MerkleProofSha256d,
    /// No work at all: measures the dispatcher. Served by the backend `null` alone.
    Null,
}

/// Which ECDSA signatures count as valid. Every rule wants `1 <= r, s < n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EcdsaRule {
    /// Bitcoin consensus before BIP 66: lax DER, any S, 33/65-byte and hybrid keys.
    BitcoinLax,
    /// Bitcoin consensus since BIP 66: strict DER, any S, 33/65-byte and hybrid keys.
    BitcoinStrict,
    /// Bitcoin relay policy: strict DER, low S, no hybrid keys.
    BitcoinPolicy,
    /// 64 bytes r || s, any S.
    Compact,
    /// 64 bytes r || s, low S.
    CompactLowS,
}

/// Which signatures a public key may be recovered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecoverRule {
    /// Ethereum transactions since block 1,150,000 (EIP-2): low S, recovery id 0 or 1.
    EthereumTransaction,
    /// Ethereum transactions before block 1,150,000: any S, recovery id 0 or 1.
    EthereumFrontier,
    /// The precompile at address 1: input h, v, r, s of 32 bytes each, any S, v 27 or 28.
    EcrecoverPrecompile,
}

impl Algorithm {
    /// Every algorithm under every rule, [`Algorithm::Null`] apart.
    pub const ALL: [Algorithm; 14] = [
        Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinLax),
        Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinStrict),
        Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinPolicy),
        Algorithm::EcdsaSecp256k1(EcdsaRule::Compact),
        Algorithm::EcdsaSecp256k1(EcdsaRule::CompactLowS),
        Algorithm::SchnorrBip340,
        Algorithm::RecoverSecp256k1(RecoverRule::EthereumTransaction),
        Algorithm::RecoverSecp256k1(RecoverRule::EthereumFrontier),
        Algorithm::RecoverSecp256k1(RecoverRule::EcrecoverPrecompile),
        Algorithm::Sha256,
        Algorithm::Sha256d,
        Algorithm::Keccak256,
        Algorithm::MerkleRootSha256d,
        Algorithm::MerkleProofSha256d,
    ];

    /// The algorithm's name without its rule, as reports print it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::EcdsaSecp256k1(_) => "ecdsa-secp256k1",
            Algorithm::SchnorrBip340 => "schnorr-bip340",
            Algorithm::RecoverSecp256k1(_) => "recover-secp256k1",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha256d => "sha256d",
            Algorithm::Keccak256 => "keccak256",
            Algorithm::MerkleRootSha256d => "merkle-root-sha256d",
            Algorithm::MerkleProofSha256d => "merkle-proof-sha256d",
            Algorithm::Null => "null",
        }
    }

    /// The rule's name, where the algorithm has several.
    pub fn rule(self) -> Option<&'static str> {
        match self {
            Algorithm::EcdsaSecp256k1(rule) => Some(match rule {
                EcdsaRule::BitcoinLax => "bitcoin-lax",
                EcdsaRule::BitcoinStrict => "bitcoin-strict",
                EcdsaRule::BitcoinPolicy => "bitcoin-policy",
                EcdsaRule::Compact => "compact",
                EcdsaRule::CompactLowS => "compact-low-s",
            }),
            Algorithm::RecoverSecp256k1(rule) => Some(match rule {
                RecoverRule::EthereumTransaction => "ethereum-transaction",
                RecoverRule::EthereumFrontier => "ethereum-frontier",
                RecoverRule::EcrecoverPrecompile => "ecrecover-precompile",
            }),
            _ => None,
        }
    }

    /// Bytes of the value that the algorithm computes for a job: 0 where the answer is a verdict.
    pub fn value_bytes(self) -> usize {
        match self {
            Algorithm::RecoverSecp256k1(_) => 64,
            Algorithm::Sha256
            | Algorithm::Sha256d
            | Algorithm::Keccak256
            | Algorithm::MerkleRootSha256d => 32,
            Algorithm::EcdsaSecp256k1(_)
            | Algorithm::SchnorrBip340
            | Algorithm::MerkleProofSha256d
            | Algorithm::Null => 0,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule() {
            Some(rule) => write!(f, "{}:{rule}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

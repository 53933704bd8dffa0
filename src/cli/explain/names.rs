//! Names that people give algorithms.

use sigmill::Algorithm;
use sigmill::algorithm::{EcdsaRule, RecoverRule};

use crate::cli::nearest::{nearest, quoted};

/// Under the rule that is usual today.
const ECDSA: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinStrict);
const RECOVER: Algorithm = Algorithm::RecoverSecp256k1(RecoverRule::EthereumTransaction);
const ECRECOVER: Algorithm = Algorithm::RecoverSecp256k1(RecoverRule::EcrecoverPrecompile);

/// Names beside those of [`Algorithm`], and its names without the rule they need.
const ALIASES: [(&str, Algorithm); 26] = [
    ("ecdsa-secp256k1", ECDSA),
    ("recover-secp256k1", RECOVER),
    ("ecdsa", ECDSA),
    ("ecdsa-verify", ECDSA),
    ("secp256k1", ECDSA),
    ("schnorr", Algorithm::SchnorrBip340),
    ("schnorr-verify", Algorithm::SchnorrBip340),
    ("schnorr-secp256k1", Algorithm::SchnorrBip340),
    ("bip340", Algorithm::SchnorrBip340),
    ("recover", RECOVER),
    ("ecdsa-recover", RECOVER),
    ("ecrecover", ECRECOVER),
    ("sha-256", Algorithm::Sha256),
    ("sha2", Algorithm::Sha256),
    ("double-sha256", Algorithm::Sha256d),
    ("sha256-double", Algorithm::Sha256d),
    ("sha-256d", Algorithm::Sha256d),
    ("hash256", Algorithm::Sha256d),
    ("keccak", Algorithm::Keccak256),
    ("keccak-256", Algorithm::Keccak256),
    ("merkle", Algorithm::MerkleRootSha256d),
    ("merkle-root", Algorithm::MerkleRootSha256d),
    ("merkle-proof", Algorithm::MerkleProofSha256d),
    ("merkleroot", Algorithm::MerkleRootSha256d),
    ("merkleproof", Algorithm::MerkleProofSha256d),
    ("merkle-tree", Algorithm::MerkleRootSha256d),
];

/// The algorithm of a name, with its rule or without; without, the usual one.
///
/// # Errors
/// A name that is not known, with the nearest that is.
pub(super) fn algorithm(given: &str) -> Result<Algorithm, String> {
    // Nothing known is half as long.
    let name: String = given.chars().take(128).collect();
    let name = name.to_lowercase().replace('_', "-");
    if let Some(found) = Algorithm::ALL.into_iter().find(|known| known.to_string() == name) {
        return Ok(found);
    }
    if let Some((_, found)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
        return Ok(*found);
    }
    let all = Algorithm::ALL.map(|algorithm| algorithm.to_string());
    let known = all.iter().map(String::as_str).chain(ALIASES.iter().map(|(alias, _)| *alias));
    let nearest = nearest(&name, known).map_or("none", |(known, _)| known);
    let (given, all) = (quoted(given), all.join(", "));
    Err(format!("no such algorithm: {given}; the nearest is `{nearest}`; known are {all}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_mean_the_usual_rule_and_slips_name_the_nearest() {
        for known in Algorithm::ALL {
            assert_eq!(algorithm(&known.to_string()), Ok(known));
            assert_eq!(algorithm(known.name()).map(Algorithm::name), Ok(known.name()));
        }
        for (name, means) in [
            ("ECDSA_verify", ECDSA),
            ("Schnorr", Algorithm::SchnorrBip340),
            ("ecrecover", ECRECOVER),
            ("keccak", Algorithm::Keccak256),
        ] {
            assert_eq!(algorithm(name), Ok(means));
        }
        for (name, nearest) in [
            ("sha257", "`sha256`"),
            ("ecdsa-secp256k1:bitcoin-stirct", "`ecdsa-secp256k1:bitcoin-strict`"),
            ("schnor", "`schnorr`"),
        ] {
            let why = algorithm(name).expect_err(name);
            assert!(why.contains(&format!("the nearest is {nearest};")), "{why}");
        }
        assert!(algorithm(&"\n".repeat(1 << 20)).expect_err("no name").len() < 1_024);
    }
}

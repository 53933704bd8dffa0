#![doc = include_str!("secp256k1/SPEC.md")]

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub mod comb;
pub mod curve;
pub mod der;
pub mod ecdsa;
pub mod field;
pub mod integer;
pub mod key;
pub mod multiply;
pub(crate) mod parse;
pub(crate) mod piece;
pub(crate) mod pinned;
pub mod point;
pub mod portable;
pub mod recover;
pub mod scalar;
pub mod schnorr;
#[cfg(test)]
mod small_groups;
pub mod sums;
pub mod table;
pub(crate) mod twin;

#![doc = include_str!("secp256k1/SPEC.md")]

pub mod audit;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512_order;
pub(crate) mod buckets;
pub mod ceiling;
pub(crate) mod columns;
pub mod comb;
pub(crate) mod combination;
pub(crate) mod combine;
pub mod curve;
pub mod der;
pub mod ecdsa;
pub mod field;
#[cfg(test)]
mod field_tests;
pub mod integer;
pub mod inverse;
pub mod inversion;
pub mod key;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) mod limbs;
pub(crate) mod lists;
pub mod multiply;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub mod order;
pub(crate) mod parse;
pub(crate) mod piece;
pub(crate) mod pinned;
pub mod point;
pub mod portable;
#[cfg(feature = "fpga")]
pub(crate) mod prepare;
pub mod recover;
pub(crate) mod round;
pub mod scalar;
pub mod schnorr;
pub(crate) mod scratch;
#[cfg(test)]
mod small_groups;
pub mod sqrt;
pub mod sums;
pub mod table;
pub(crate) mod twin;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) mod word_vec;

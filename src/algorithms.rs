//! The kernels, one folder an algorithm, the same file names in each, `SPEC.md` in each.

pub mod keccak256;
pub mod merkle;
pub mod secp256k1;
pub mod sha256;

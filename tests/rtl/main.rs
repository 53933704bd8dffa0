//! The RTL, its testbenches and the HX8K image, by the open tools: Rust computes what is expected,
//! testbenches only compare.
//!
//! Without the tools a test says what it skips, or fails if `SIGMILL_REQUIRE` lists `fpga`.

#[cfg(feature = "fpga-sim")]
mod agree;
mod crc32;
mod hashes;
mod icarus;
mod image;
mod lint;
mod secp256k1;

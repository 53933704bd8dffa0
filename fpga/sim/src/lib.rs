//! The FPGA card's RTL, compiled by Verilator: registers, lines of card memory, clock cycles.
//!
//! Built without Verilator there is no model, and [`Model::new`] says so.

#[cfg(not(rtl_sim))]
mod absent;
#[cfg(rtl_sim)]
mod model;

#[cfg(not(rtl_sim))]
pub use absent::Model;
#[cfg(rtl_sim)]
pub use model::Model;

/// Bytes of a line.
pub const LINE: usize = 64;

/// SHA-256 of the sources that `fpga/rtl/top.f` lists, concatenated: what BUILD_HASH says.
pub const SOURCE_HASH: [u8; 32] = include!(concat!(env!("OUT_DIR"), "/source_hash.rs"));

/// The cores, in the order of their ops.
pub const CORES: [&str; 4] = ["sha256", "sha256d", "keccak256", "secp256k1"];

/// Whether there is a model.
pub const AVAILABLE: bool = cfg!(rtl_sim);

/// There is no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absent;

impl std::fmt::Display for Absent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verilator was not found when this was built; install it or set VERILATOR")
    }
}

impl std::error::Error for Absent {}

/// The card did not answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck;

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the card did not answer within 10,000 cycles")
    }
}

impl std::error::Error for Stuck {}

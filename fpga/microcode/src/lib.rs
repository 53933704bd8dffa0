//! The program of the FPGA's secp256k1 core: formulas, an assembler that schedules them, and a
//! software model that executes the very words that the core's memory holds.
//!
//! The core is a barrel: [`THREADS`] signatures take turns, one instruction each, so that whatever an
//! instruction computes is there for the next one of its thread. A program is a straight line without
//! branches, the same for every input: its length is the cycles of a verification.

pub mod field;
pub mod formulas;
pub mod instruction;
pub mod job;
pub mod machine;
pub mod memory;
pub mod schedule;

use std::sync::OnceLock;

use instruction::Instruction;

/// Signatures in flight.
pub const THREADS: usize = 32;

/// The program of u1 G + u2 Q, assembled at first use.
pub fn program() -> &'static [Instruction] {
    static PROGRAM: OnceLock<Vec<Instruction>> = OnceLock::new();
    PROGRAM.get_or_init(|| schedule::schedule(&formulas::double_mul()))
}

//! The core's memories as they are when it is configured: program, multiples of the generator, constants.

use std::fmt::Write;
use std::sync::OnceLock;

use k256::ProjectivePoint;
use k256::elliptic_curve::sec1::ToSec1Point;
use num_bigint::BigUint;

use crate::field;
use crate::instruction::{BITS, Instruction};

/// Odd multiples of G: (2 i + 1) G for i below this.
pub const MULTIPLES: usize = 512;

/// Rows of x, beta x, y.
fn generator_rows() -> &'static [[BigUint; 3]] {
    static ROWS: OnceLock<Vec<[BigUint; 3]>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let twice = ProjectivePoint::GENERATOR.double();
        let mut point = ProjectivePoint::GENERATOR;
        let mut rows = Vec::new();
        for _ in 0..MULTIPLES {
            let bytes = point.to_affine().to_sec1_point(false);
            let [x, y] = [1, 33].map(|at| BigUint::from_bytes_be(&bytes.as_bytes()[at..at + 32]));
            rows.push([x.clone(), x * field::beta() % field::prime(), y]);
            point += twice;
        }
        rows
    })
}

/// A coordinate of the generator's multiple in a row: 0 x, 1 beta x, 2 y.
pub fn generator(row: usize, word: u8) -> &'static BigUint {
    &generator_rows()[row][usize::from(word)]
}

/// A constant by number.
pub fn constant(number: u8) -> &'static BigUint {
    static CONSTANTS: OnceLock<[BigUint; 3]> = OnceLock::new();
    let all = CONSTANTS.get_or_init(|| [BigUint::ZERO, BigUint::from(1u8), field::beta()]);
    &all[usize::from(number)]
}

/// What `secp256k1_program.svh` holds.
pub fn program_text(program: &[Instruction]) -> String {
    let mut text = format!(
        "// The program, {} instructions: made by fpga/microcode, whose instruction.rs has the fields.\n",
        program.len()
    );
    for (at, instruction) in program.iter().enumerate() {
        writeln!(text, "program_rom[{at}] = {BITS}'h{:021x};", instruction.encode())
            .expect("a string takes all");
    }
    text
}

/// What `secp256k1_length.svh` holds.
pub fn length_text(program: &[Instruction]) -> String {
    let length = program.len();
    format!(
        "// Instructions of the program: made by fpga/microcode.\nlocalparam [11:0] LENGTH = {length};\n"
    )
}

/// What `secp256k1_generator.svh` holds: address {which, row}, which: 0 x, 1 beta x, 2 y, 3 constants.
pub fn generator_text() -> String {
    let mut text = String::from(
        "// Odd multiples of G as x, beta x, y, then the constants 0, 1, beta: made by fpga/microcode.\n",
    );
    let mut put = |address: usize, value: &BigUint| {
        writeln!(text, "generator_rom[{address}] = 256'h{value:064x};")
            .expect("a string takes all");
    };
    for which in 0..3 {
        for row in 0..MULTIPLES {
            put(which * MULTIPLES + row, generator(row, which as u8));
        }
    }
    for number in 0..3 {
        put(3 * MULTIPLES + number, constant(number as u8));
    }
    text
}

//! The CRC of a line, apart from the card.

use std::fmt::Write;
use std::fs;

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::icarus::{compile, folder, has, number_of, verdict};

/// Bit by bit, as the polynomial is written; from and to the register.
fn crc32(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |register, &byte| {
        (0..8).fold(register ^ u32::from(byte), |register, _| {
            register >> 1 ^ if register & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

#[test]
fn crc32_is_that_of_the_polynomial() {
    if !has(&["iverilog", "vvp"]) {
        return;
    }
    let folder = folder("crc32_is_that_of_the_polynomial");
    let program = compile(&folder, "crc32", &[], &[]);
    let mut random = StdRng::seed_from_u64(32);
    let mut cases = String::new();
    let mut case = |start: u32, line: &[u8; 64], result: u32| {
        writeln!(cases, "{start:08x} {} {result:08x}", number_of(line)).unwrap();
    };
    // The catalogues' check value, behind zeros that leave a register of zero as it is.
    let mut line = [0; 64];
    line[55..].copy_from_slice(b"123456789");
    line[55..59].iter_mut().for_each(|byte| *byte ^= 0xff);
    case(0, &line, !0xcbf4_3926);
    for bit in 0..512 {
        let mut line = [0; 64];
        line[bit / 8] = 1 << (bit % 8);
        case(0, &line, crc32(0, &line));
    }
    for bit in 0..32 {
        case(1 << bit, &[0; 64], crc32(1 << bit, &[0; 64]));
    }
    for _ in 0..200 {
        let (start, line): (u32, [u8; 64]) = (random.random(), [(); 64].map(|()| random.random()));
        case(start, &line, crc32(start, &line));
    }
    fs::write(folder.join("cases"), cases).expect("a file");
    assert_eq!(verdict(&program, &["+cases=cases".to_owned()]), Ok(vec![745]));
}

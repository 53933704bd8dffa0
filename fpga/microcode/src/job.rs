//! A job of the core: digits and a key, in the 192 bytes of its descriptor.

use num_bigint::BigUint;

use crate::instruction::Digit;

/// Windows of the key's halves, of five bits.
pub const KEY_WINDOWS: usize = 26;
/// Windows of the generator's halves, of ten bits.
pub const GENERATOR_WINDOWS: usize = 13;

/// u1 G + u2 Q, with both scalars in digits: see `fpga/README.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Lanes of digits.
    pub lanes: [u16; KEY_WINDOWS + 2 * GENERATOR_WINDOWS],
    /// Q.
    pub key: [BigUint; 2],
}

impl Job {
    /// A job from digits: `key[half][window]` in -16..=16, `generator[half][window]` odd and below 1024
    /// in size.
    pub fn new(
        key: [[i32; KEY_WINDOWS]; 2],
        generator: [[i32; GENERATOR_WINDOWS]; 2],
        point: [BigUint; 2],
    ) -> Job {
        let mut lanes = [0; _];
        let byte = |digit: i32| digit.unsigned_abs() as u16 | u16::from(digit < 0) << 7;
        for window in 0..KEY_WINDOWS {
            lanes[window] = byte(key[0][window]) | byte(key[1][window]) << 8;
        }
        for (half, digits) in generator.iter().enumerate() {
            for (window, digit) in digits.iter().enumerate() {
                let row = (digit.unsigned_abs() / 2) as u16;
                lanes[KEY_WINDOWS + 2 * window + half] = row | u16::from(*digit < 0) << 15;
            }
        }
        Job { lanes, key: point }
    }

    /// Row of the table and sign that a digit picks.
    pub fn digit(&self, digit: Digit) -> (usize, bool) {
        let lane = self.lanes[digit.lane as usize];
        if usize::from(digit.lane) >= KEY_WINDOWS {
            return ((lane & 0x1ff).into(), lane >> 15 == 1);
        }
        let byte = lane >> if digit.high { 8 } else { 0 };
        ((byte & 0x1f).into(), byte >> 7 & 1 == 1)
    }

    /// The descriptor.
    pub fn lines(&self, tag: u32) -> [u8; 192] {
        let mut lines = [0; 192];
        lines[0] = 4;
        lines[4..8].copy_from_slice(&tag.to_le_bytes());
        lines[8] = 2;
        for (lane, out) in self.lanes.iter().zip(lines[24..128].as_chunks_mut().0) {
            *out = lane.to_le_bytes();
        }
        for (coordinate, out) in self.key.iter().zip(lines[128..].chunks_mut(32)) {
            let bytes = coordinate.to_bytes_le();
            out[..bytes.len()].copy_from_slice(&bytes);
        }
        lines
    }
}

//! FPGA bitstreams, with checksums that are right: what is read behind them must be sound too.
//! The first byte picks an image of the writer's, which the rest changes, five bytes a change:
//! what, where (three bytes), with what. With any other first byte the input is a file of its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill::backend::fpga::bitstream::{self, BitstreamError, Flaw, Format};
use std::sync::OnceLock;

#[path = "../../src/backend/fpga/bitstream/writer.rs"]
#[expect(dead_code, reason = "small images are enough here")]
mod writer;

use writer::{Ecp5, LFE5U_25F, LP384};

fuzz_target!(|bytes: &[u8]| {
    static IMAGES: OnceLock<[Vec<u8>; 4]> = OnceLock::new();
    let images = IMAGES.get_or_init(|| {
        [
            writer::ice40(LP384, 1).bytes,
            writer::ecp5(Ecp5 { compressed: true, ..LFE5U_25F }, 2).bytes,
            writer::xilinx(0x0362_c093, "7a50tfgg484", 64, 3).bytes,
            writer::xilinx(0x0999_9093, "xcvu99p", 4, 4).bytes,
        ]
    });
    let mut image = match bytes.split_first() {
        Some((&first @ 1..=4, changes)) => {
            let mut image = images[usize::from(first) - 1].clone();
            for change in changes.chunks_exact(5).take(32) {
                apply(&mut image, change);
            }
            image
        }
        _ => bytes.to_vec(),
    };
    for _ in 0..16 {
        match bitstream::inspect(&image) {
            Err(BitstreamError::Flawed { format, offset, flaw: Flaw::Crc { found, computed } }) => {
                assert_ne!(found, computed);
                correct(&mut image, format, offset, computed);
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return;
            }
            Ok(bitstream) => {
                assert!(bitstream.part.is(bitstream.part.name()));
                assert!(bitstream.crcs > 0 || bitstream.unchecked.is_some());
                assert!(bitstream.start < image.len());
                // None of the formats may be cut anywhere.
                assert!(
                    bitstream.unchecked.is_some()
                        || bitstream::inspect(&image[..image.len() - 1]).is_err()
                        || image.ends_with(&[0xff; 5])
                );
                return;
            }
        }
    }
});

/// Sets, flips, inserts, removes or repeats bytes, or cuts the image.
fn apply(image: &mut Vec<u8>, change: &[u8]) {
    let at = u32::from_be_bytes([0, change[1], change[2], change[3]]) as usize;
    // Near the beginning for small numbers, near the end for large ones.
    let at = if at < 1 << 23 { at } else { image.len().saturating_sub((1 << 24) - at) };
    let Some(byte) = image.get_mut(at) else { return };
    match change[0] % 6 {
        0 => *byte = change[4],
        1 => *byte ^= change[4],
        2 => image.insert(at, change[4]),
        3 => drop(image.drain(at..(at + usize::from(change[4])).min(image.len()))),
        4 => {
            let piece = image[at..(at + 4 * usize::from(change[4])).min(image.len())].to_vec();
            image.splice(at..at, piece);
        }
        _ => image.truncate(at),
    }
}

/// Writes the CRC that the bytes give.
fn correct(image: &mut [u8], format: Format, at: usize, crc: u32) {
    let crc = crc.to_be_bytes();
    let crc = if format == Format::Xilinx { &crc[..] } else { &crc[2..] };
    image[at..at + crc.len()].copy_from_slice(crc);
}

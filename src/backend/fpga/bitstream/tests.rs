//! Files of every format, whole, damaged in each byte, and cut at each length.

use super::writer::{self, Ecp5, HX8K, LFE5U_25F, LFE5U_85F, LP384, UP5K, Written};
use super::*;

fn is(written: &Written, format: Format, part: &str, crcs: usize) -> Bitstream {
    let bitstream = inspect(&written.bytes).expect("a whole image");
    assert_eq!((bitstream.format, bitstream.part.name()), (format, part));
    assert_eq!((bitstream.crcs, bitstream.unchecked), (crcs, None));
    bitstream
}

/// Changes a byte in each of `step` from where all is covered, and at both ends of that each one;
/// cuts likewise. Every change and every cut is noticed, or turns the image into one of a kind that
/// is said to be unchecked.
fn damages_are_noticed(written: &Written, step: usize, masks: &[u8]) {
    let Written { bytes, covered } = written;
    assert!(inspect(bytes).is_ok());
    let mut damaged = bytes.clone();
    let near = |at: &usize| at.is_multiple_of(step) || *at < covered + 64 || at + 256 > bytes.len();
    for at in (*covered..bytes.len()).filter(near) {
        for mask in masks {
            damaged[at] ^= mask;
            match inspect(&damaged) {
                Ok(bitstream) => assert!(bitstream.unchecked.is_some(), "byte {at}, {mask:#x}"),
                Err(error) => assert!(error.to_string().contains("; "), "byte {at}: {error}"),
            }
            damaged[at] ^= mask;
        }
    }
    for length in (0..bytes.len()).filter(near) {
        assert!(inspect(&bytes[..length]).is_err(), "cut to {length}");
    }
    for more in [&[0][..], &[0xff, 0], b"\x20\0\0"] {
        let longer = [bytes, more].concat();
        assert!(inspect(&longer).is_err(), "{more:?} after the end");
    }
}

const BITS: [u8; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 255];

#[test]
fn ice40_images_are_known_by_their_geometry() {
    let bitstream = is(&writer::ice40(HX8K, 1), Format::Ice40, "ice40-hx8k", 1);
    assert!(bitstream.part.is("iCE40-LP8K") && !bitstream.part.is("ice40-up5k"));
    assert_eq!(bitstream.notes, [Note { name: "comment", text: "test".to_owned() }]);
    assert_eq!((bitstream.usercode, bitstream.start), (None, 9));
    is(&writer::ice40(UP5K, 2), Format::Ice40, "ice40-up5k", 1);
    is(&writer::ice40(LP384, 3), Format::Ice40, "ice40-lp384", 1);
    // A geometry of no device, and one that is not all there.
    for geometry in [([(182, 88); 4], [0; 4]), ([(332, 144); 4], [64, 64, 64, 0])] {
        assert!(inspect(&writer::ice40(geometry, 4).bytes).is_err());
    }
}

#[test]
fn ice40_damage_is_noticed() {
    damages_are_noticed(&writer::ice40(LP384, 5), 1, &BITS);
    damages_are_noticed(&writer::ice40(HX8K, 6), 997, &[1, 0x80, 0xff]);
}

#[test]
fn ice40_images_for_several_boots_are_refused() {
    let written = writer::ice40(LP384, 7).bytes;
    let mut image = b"\x7e\xaa\x99\x7e\x92\0\0\x44\x03\0\0\xa0\x82\0\0\x01\x08".to_vec();
    image.resize(160, 0);
    image.extend(written);
    let error = inspect(&image).expect_err("several boots").to_string();
    assert!(error.contains("several boots"), "{error}");
}

#[test]
fn ecp5_images_are_known_by_their_idcode() {
    let bitstream = is(&writer::ecp5(LFE5U_85F, 1), Format::Ecp5, "lfe5u-85f", 13_297);
    assert_eq!(bitstream.usercode, Some(1));
    assert_eq!(bitstream.part.idcode, Some(0x4111_3043));
    assert_eq!(bitstream.notes[0].text, "Part: test");
    let compressed = Ecp5 { compressed: true, ..LFE5U_85F };
    is(&writer::ecp5(compressed, 2), Format::Ecp5, "lfe5u-85f", 13_297);
    for (idcode, name) in [(0x2111_1043, "lfe5u-12f"), (0x8111_1043, "lfe5um5g-25f")] {
        let image = Ecp5 { idcode, memories: 0, usercode: 7, ..LFE5U_25F };
        let bitstream = is(&writer::ecp5(image, 3), Format::Ecp5, name, 7_563);
        assert_eq!(bitstream.usercode, Some(7));
    }
    let wrong = [
        Ecp5 { idcode: 0x2111_3043, ..LFE5U_85F },
        Ecp5 { idcode: 0x4111_2043, ..LFE5U_25F },
        Ecp5 { frames: 7_561, ..LFE5U_25F },
        Ecp5 { bytes: 75, ..LFE5U_25F },
    ];
    for image in wrong {
        for compressed in [false, true] {
            let image = Ecp5 { compressed, bytes: image.bytes, ..image };
            // A compressed frame is padded, so that a byte more is no other frame.
            let fits = compressed && image.bytes == 75;
            assert_eq!(inspect(&writer::ecp5(image, 4).bytes).is_ok(), fits);
        }
    }
}

#[test]
fn ecp5_damage_is_noticed() {
    damages_are_noticed(&writer::ecp5(LFE5U_25F, 5), 9_973, &[1, 0x80, 0xff]);
    let compressed = Ecp5 { compressed: true, ..LFE5U_25F };
    damages_are_noticed(&writer::ecp5(compressed, 6), 997, &[1, 0x80, 0xff]);
    damages_are_noticed(&writer::ecp5(LFE5U_85F, 7), 99_991, &[1]);
}

#[test]
fn xilinx_images_are_known_by_idcode_and_part() {
    let written = writer::xilinx(0x0362_c093, "7a50tfgg484", 64, 1);
    let bitstream = is(&written, Format::Xilinx, "xc7a50t", 2);
    assert!(bitstream.part.is("xc7a50tfgg484"));
    assert_eq!(bitstream.usercode, Some(1));
    let length = (written.bytes.len() - bitstream.start) as u32;
    assert_eq!(written.bytes[bitstream.start - 4..bitstream.start], length.to_be_bytes());
    let texts: Vec<_> = bitstream.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts[1..], ["7a50tfgg484", "2026/01/02", "03:04:05"]);
    // Another revision of the die; a die that nobody knows.
    let revised = writer::xilinx(0x1362_c093, "xc7a50tfgg484", 4, 2);
    is(&revised, Format::Xilinx, "xc7a50t", 2);
    let unknown = writer::xilinx(0x0999_9093, "XCVU99P-test", 4, 3);
    is(&unknown, Format::Xilinx, "xcvu99p-test", 2);
    let other = writer::xilinx(0x0362_c093, "7a35tcpg236", 4, 4);
    let error = inspect(&other.bytes).expect_err("two parts").to_string();
    assert!(error.contains("xc7a50t"), "{error}");
}

#[test]
fn xilinx_damage_is_noticed() {
    let every: Vec<u8> = (1..=255).collect();
    damages_are_noticed(&writer::xilinx(0x0362_c093, "7a50tfgg484", 64, 5), 1, &every);
    damages_are_noticed(&writer::xilinx(0x0999_9093, "any", 60_000, 6), 997, &[1, 0x80, 0xff]);
}

#[test]
fn xilinx_images_that_cannot_be_checked_say_so() {
    for register in [10_u32, 11, 26, 30] {
        let Written { mut bytes, .. } = writer::xilinx(0x0362_c093, "7a50tfgg484", 8, 7);
        // The write to register 1 becomes one to this.
        let at = bytes.windows(4).position(|word| word == [0x30, 0, 0x20, 1]).expect("it is there");
        bytes[at..at + 4].copy_from_slice(&(0x3000_0001 | register << 13).to_be_bytes());
        let bitstream = inspect(&bytes).expect("its header is well");
        assert_eq!(bitstream.part.name(), "xc7a50t");
        assert!(bitstream.unchecked.is_some());
    }
}

#[test]
fn other_files_are_unknown() {
    for bytes in [&[][..], b"hello", &[0xff; 5_000], b"\xff\0comment without end", &[0; 64]] {
        assert!(matches!(inspect(bytes), Err(BitstreamError::Unknown { .. })));
    }
    let long = vec![0; LIMIT + 1];
    assert_eq!(inspect(&long), Err(BitstreamError::TooLong { bytes: LIMIT + 1 }));
}

/// Bytes of no pattern behind each beginning: errors, and never a panic.
#[test]
fn noise_is_refused() {
    let mut state = 1_u64;
    for round in 0..3_000 {
        let start = [ice40::PREAMBLE, ecp5::PREAMBLE, xilinx::MAGIC][round % 3];
        let mut bytes = start.to_vec();
        for _ in 0..64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes.push((state >> 56) as u8);
        }
        assert!(inspect(&bytes).is_err());
    }
}

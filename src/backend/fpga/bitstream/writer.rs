//! Small writers of each format, for tests and fuzzing: whole files whose contents are of a seed.
//! They share nothing with the readers, checksums included, and are no part of the library.

/// A file, and where the bytes begin of which each may be changed only if that is noticed.
pub struct Written {
    pub bytes: Vec<u8>,
    pub covered: usize,
}

/// Contents that repeat nothing: one byte in four of a generator, the others zero.
struct Contents(u64);

impl Contents {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if self.0 >> 62 == 0 { (self.0 >> 40) as u8 } else { 0 }
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }
}

/// Width and height of the four banks, and widths of the four block RAMs' banks.
pub type Geometry = ([(u16, u16); 4], [u16; 4]);

pub const LP384: Geometry = ([(182, 80); 4], [0; 4]);
pub const HX8K: Geometry = ([(872, 272); 4], [128; 4]);
pub const UP5K: Geometry = ([(692, 336), (692, 176), (692, 336), (692, 176)], [160, 80, 160, 80]);

/// An iCE40 image with a comment.
pub fn ice40((banks, memories): Geometry, seed: u64) -> Written {
    let mut contents = Contents(seed);
    let mut out = b"\xff\x00test\x00\x00\xff\x7e\xaa\x99\x7e\x51\x00\x01\x05".to_vec();
    let covered = out.len();
    out.extend([0x92, 0x00, 0x20]);
    let mut block = |kind: u8, bank: u8, (width, height): (u16, u16), offset: u16| {
        for (command, value) in [(0x62, width - 1), (0x72, height), (0x82, offset)] {
            out.push(command);
            out.extend(value.to_be_bytes());
        }
        out.extend([0x11, bank, 0x01, kind]);
        out.extend(contents.bytes(usize::from(width) * usize::from(height) / 8));
        out.extend([0, 0]);
    };
    for (bank, size) in (0..).zip(banks) {
        block(1, bank, size, 0);
    }
    for (bank, width) in (0..).zip(memories) {
        for offset in [0, 128].into_iter().filter(|_| width > 0) {
            block(3, bank, (width, 128), offset);
        }
    }
    out.push(0x22);
    let crc = crc16(0x1021, 0xffff, &out[covered..]);
    out.extend(crc.to_be_bytes());
    out.extend([0x01, 0x06, 0x00]);
    Written { bytes: out, covered }
}

/// An ECP5 image: a die by IDCODE, number of frames and bytes of each.
#[derive(Clone, Copy)]
pub struct Ecp5 {
    pub idcode: u32,
    pub frames: u16,
    pub bytes: usize,
    pub compressed: bool,
    pub usercode: u32,
    /// Blocks of memory contents.
    pub memories: u32,
}

pub const LFE5U_85F: Ecp5 = Ecp5 {
    idcode: 0x4111_3043,
    frames: 13_294,
    bytes: 142,
    compressed: false,
    usercode: 1,
    memories: 2,
};
pub const LFE5U_25F: Ecp5 = Ecp5 { idcode: 0x4111_1043, frames: 7_562, bytes: 74, ..LFE5U_85F };

/// An ECP5 image; a frame in eight holds anything but zeros.
pub fn ecp5(image: Ecp5, seed: u64) -> Written {
    const DICTIONARY: [u8; 8] = [0x03, 0x05, 0x06, 0x09, 0x0a, 0x0c, 0x11, 0x12];
    let mut contents = Contents(seed);
    let mut out = b"\xff\x00Part: test\x00\xff\xff\xff\xbd\xb3\xff\xff\xff\xff\x3b\0\0\0".to_vec();
    let covered = out.len();
    let mut from = covered;
    let check = |out: &mut Vec<u8>, from: &mut usize| {
        let crc = crc16(0x8005, 0, &out[*from..]);
        out.extend(crc.to_be_bytes());
        *from = out.len();
    };
    out.extend([0xe2, 0, 0, 0]);
    out.extend(image.idcode.to_be_bytes());
    out.extend(*b"\x22\0\0\0\x40\0\0\0\x46\0\0\0");
    if image.compressed {
        out.extend([0x02, 0, 0, 0]);
        out.extend(DICTIONARY.iter().rev());
    }
    out.extend([if image.compressed { 0xb8 } else { 0x82 }, 0x91]);
    out.extend(image.frames.to_be_bytes());
    for index in 0..image.frames {
        let frame = if index % 8 == 0 { contents.bytes(image.bytes) } else { vec![0; image.bytes] };
        if image.compressed {
            out.extend(compress(&frame, &DICTIONARY));
        } else {
            out.extend(frame);
        }
        check(&mut out, &mut from);
        out.push(0xff);
    }
    // The fillers of the last frame count, the dummies do not.
    let mut tail = vec![0xff, 0xc2, 0x80, 0, 0];
    tail.extend(image.usercode.to_be_bytes());
    let crc = crc16(0x8005, 0, &tail);
    out.extend([0xff; 12]);
    out.extend(&tail[1..]);
    out.extend(crc.to_be_bytes());
    from = out.len();
    for memory in 0..image.memories {
        out.extend([0xf6, 0, 0, 0]);
        out.extend((memory << 11).to_be_bytes());
        out.extend([0xb2, 0xd0, 1, 0]);
        out.extend(contents.bytes(256 * 9));
        check(&mut out, &mut from);
    }
    out.extend(*b"\x5e\0\0\0\xff\xff\xff\xff");
    Written { bytes: out, covered }
}

/// A frame in codes: 0, 100 and the bit set, 101 and the index of a frequent byte, 11 and a byte.
fn compress(frame: &[u8], dictionary: &[u8; 8]) -> Vec<u8> {
    let mut bits = vec![false; frame.len().next_multiple_of(8) - frame.len()];
    for byte in frame {
        let (code, length) = match dictionary.iter().position(|known| known == byte) {
            _ if *byte == 0 => (0, 1),
            _ if byte.count_ones() == 1 => (0b100_000 | byte.trailing_zeros(), 6),
            Some(index) => (0b101_000 | index as u32, 6),
            None => (0b11 << 8 | u32::from(*byte), 10),
        };
        bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
    }
    let byte = |bits: &[bool]| {
        (0..8).fold(0, |byte, bit| byte << 1 | u8::from(bits.get(bit) == Some(&true)))
    };
    bits.chunks(8).map(byte).collect()
}

/// A Xilinx image of `words` words of configuration.
pub fn xilinx(idcode: u32, part: &str, words: u16, seed: u64) -> Written {
    let mut contents = Contents(seed);
    let mut data = Packets { out: vec![0xff; 32], crc: 0 };
    data.words(&[0x0000_00bb, 0x1122_0044, u32::MAX, u32::MAX, 0xaa99_5566, NOTHING]);
    data.write(16, &[0]);
    data.write(4, &[7]);
    let covered = data.out.len();
    data.crc = 0;
    data.words(&[NOTHING]);
    data.write(12, &[idcode]);
    data.write(1, &[0]);
    data.write(4, &[1]);
    data.select(2, words);
    for _ in 0..words {
        let word = contents.bytes(4);
        data.word(2, u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    }
    data.check();
    data.write(4, &[5]);
    data.check();
    data.write(4, &[13]);
    data.words(&[NOTHING, NOTHING]);
    let mut out = vec![0, 9, 0x0f, 0xf0, 0x0f, 0xf0, 0x0f, 0xf0, 0x0f, 0xf0, 0, 0, 1];
    let texts = ["top;UserID=0X00000001;Version=2025.1", part, "2026/01/02", "03:04:05"];
    for (key, text) in (b'a'..).zip(texts) {
        out.push(key);
        out.extend((text.len() as u16 + 1).to_be_bytes());
        out.extend(text.as_bytes());
        out.push(0);
    }
    out.push(b'e');
    out.extend((data.out.len() as u32).to_be_bytes());
    let covered = out.len() + covered;
    out.extend(data.out);
    Written { bytes: out, covered }
}

const NOTHING: u32 = 0x2000_0000;

/// Packets under way, and their CRC.
struct Packets {
    out: Vec<u8>,
    crc: u32,
}

impl Packets {
    fn words(&mut self, words: &[u32]) {
        self.out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    }

    fn write(&mut self, register: u32, words: &[u32]) {
        self.words(&[0x3000_0000 | register << 13 | words.len() as u32]);
        for word in words {
            self.word(register, *word);
        }
    }

    /// A packet of type 1 without words, and the header of one of type 2.
    fn select(&mut self, register: u32, count: u16) {
        self.words(&[0x3000_0000 | register << 13, 0x5000_0000 | u32::from(count)]);
    }

    fn word(&mut self, register: u32, word: u32) {
        self.words(&[word]);
        let mut bits = u64::from(register) << 32 | u64::from(word);
        for _ in 0..37 {
            let differ = (self.crc ^ bits as u32) & 1 == 1;
            self.crc = self.crc >> 1 ^ if differ { 0x82f6_3b78 } else { 0 };
            bits >>= 1;
        }
    }

    fn check(&mut self) {
        self.words(&[0x3000_0001, self.crc]);
        self.crc = 0;
    }
}

/// Bit by bit, most significant first.
fn crc16(poly: u16, start: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(start, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            crc << 1 ^ if crc >> 15 == 1 { poly } else { 0 }
        })
    })
}

//! The checksums of configuration logic.

/// A CRC of 16 bits, most significant bit first, over the polynomial `POLY`.
#[derive(Clone, Copy)]
pub(super) struct Crc16<const POLY: u16>(pub(super) u16);

impl<const POLY: u16> Crc16<POLY> {
    const TABLE: [u16; 256] = table16(POLY);

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let index = self.0 >> 8 ^ u16::from(*byte);
            self.0 = self.0 << 8 ^ Self::TABLE[usize::from(index)];
        }
    }
}

/// Xilinx's CRC-32C over 37 bits a word: 32 of data, then 5 of the register's number, lowest bit
/// first. Starts at zero, and nothing is inverted.
#[derive(Clone, Copy, Default)]
pub(super) struct Crc37(pub(super) u32);

impl Crc37 {
    pub(super) fn update(&mut self, register: u32, word: u32) {
        for byte in word.to_le_bytes() {
            let index = (self.0 ^ u32::from(byte)) & 0xff;
            self.0 = self.0 >> 8 ^ CASTAGNOLI_8[index as usize];
        }
        let index = (self.0 ^ register) & 0x1f;
        self.0 = self.0 >> 5 ^ CASTAGNOLI_5[index as usize];
    }
}

const CASTAGNOLI_8: [u32; 256] = table32(8);
const CASTAGNOLI_5: [u32; 32] = table32(5);

const fn table16(poly: u16) -> [u16; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = crc << 1 ^ if crc >> 15 == 1 { poly } else { 0 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

const fn table32<const N: usize>(bits: u32) -> [u32; N] {
    let mut table = [0; N];
    let mut index = 0;
    while index < N {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < bits {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the CRC catalogue for "123456789".
    #[test]
    fn checksums_have_their_catalogue_values() {
        let mut ccitt = Crc16::<0x1021>(0xffff);
        ccitt.update(b"123456789");
        assert_eq!(ccitt.0, 0x29b1, "CRC-16/IBM-3740");
        let mut umts = Crc16::<0x8005>(0);
        umts.update(b"123456789");
        assert_eq!(umts.0, 0xfee8, "CRC-16/UMTS");
        let mut crc = !0_u32;
        for byte in b"123456789" {
            crc = crc >> 8 ^ CASTAGNOLI_8[((crc ^ u32::from(*byte)) & 0xff) as usize];
        }
        assert_eq!(!crc, 0xe306_9283, "CRC-32/ISCSI");
    }
}

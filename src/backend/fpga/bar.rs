//! A card whose BARs are mapped: registers in one, card memory in another, as on AWS F2 (OCL in BAR 0,
//! PCIS in BAR 4). The host pushes lines through the window and pulls them out of it.
//!
//! A read of a BAR waits for the card, about a microsecond for each line: results that come at a high
//! rate want a card that writes host memory.
#![expect(unsafe_code, reason = "a device's memory is reached through pointers")]

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use memmap2::{MmapOptions, MmapRaw};

use crate::backend::fpga::registers::COMPLETION_RING;
use crate::backend::fpga::transport::{Transport, TransportError};
use crate::backend::fpga::xdma::claim;

/// The mapped BARs of one PCI function.
pub(crate) struct Bar {
    folder: PathBuf,
    registers: Mapped,
    memory: Mapped,
    _claimed: File,
}

/// The BAR of the registers, and of card memory; the second mapped so that stores are combined, where
/// the kernel offers that.
const REGISTERS: &str = "resource0";
const MEMORY: [&str; 2] = ["resource4_wc", "resource4"];

/// Bytes of registers.
const REGISTER_BYTES: usize = 0x1000;

/// Bytes of card memory: to the end of the largest completion ring.
const MEMORY_BYTES: usize = 2 * COMPLETION_RING as usize;

/// The file that every PCI function of such a card has.
pub(crate) fn node(folder: &Path) -> PathBuf {
    folder.join(REGISTERS)
}

impl Bar {
    /// Maps the BARs of a PCI function: `folder` is its folder in `/sys/bus/pci/devices`.
    ///
    /// # Errors
    /// The first BAR that cannot be mapped, with why.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let path = folder.join(REGISTERS);
        let claimed = File::open(&path).and_then(|file| claim(&file).map(|()| file));
        let claimed = claimed.map_err(|error| format!("{}: {error}", path.display()))?;
        let registers = Mapped::open(&path, REGISTER_BYTES)?;
        let [combined, plain] = MEMORY.map(|name| Mapped::open(&folder.join(name), MEMORY_BYTES));
        let memory = combined.or(plain)?;
        Ok(Bar { folder: folder.to_owned(), registers, memory, _claimed: claimed })
    }
}

impl Transport for Bar {
    fn describe(&self) -> String {
        format!("BARs of {}, {} MiB mapped", self.folder.display(), self.memory.bytes() >> 20)
    }

    fn read32(&mut self, register: u32) -> Result<u32, TransportError> {
        self.registers.read32(register.into())
    }

    fn write32(&mut self, register: u32, value: u32) -> Result<(), TransportError> {
        self.registers.write32(register.into(), value)
    }

    fn h2c(&mut self, address: u64, data: &[u8]) -> Result<(), TransportError> {
        self.memory.write(address, data)?;
        // Stores that were combined leave the core before the register that tells of them is written.
        fence(Ordering::SeqCst);
        Ok(())
    }

    fn c2h(&mut self, address: u64, out: &mut [u8]) -> Result<(), TransportError> {
        self.memory.read(address, out)
    }

    fn wait_event(&mut self, limit: Duration) -> Result<bool, TransportError> {
        std::thread::sleep(limit.min(LOOK));
        Ok(false)
    }
}

/// How often completions are looked for: a mapping has no events.
const LOOK: Duration = Duration::from_micros(50);

/// A mapped file, whose bytes may change at any time.
struct Mapped(MmapRaw);

impl Mapped {
    /// Maps a file, or as much of it as is wanted.
    fn open(path: &Path, most: usize) -> Result<Self, String> {
        let map = || {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            let bytes = file.metadata()?.len().min(most as u64) as usize;
            MmapOptions::new().len(bytes).map_raw(&file)
        };
        map().map(Mapped).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Where `bytes` bytes from `address` on lie, all of them within the mapping, and a multiple of
    /// `align`.
    fn at(&self, address: u64, bytes: usize, align: u64) -> Result<*mut u8, TransportError> {
        let outside = TransportError::Outside { address };
        let end = address.checked_add(bytes as u64).ok_or_else(|| outside.clone())?;
        if end > self.bytes() as u64 || !address.is_multiple_of(align) {
            return Err(outside);
        }
        Ok(self.0.as_mut_ptr().wrapping_add(address as usize))
    }

    fn read32(&self, address: u64) -> Result<u32, TransportError> {
        let at = self.at(address, 4, 4)?.cast::<u32>();
        // SAFETY: four bytes within the mapping, aligned: the mapping begins on a page.
        Ok(u32::from_le(unsafe { ptr::read_volatile(at) }))
    }

    fn write32(&self, address: u64, value: u32) -> Result<(), TransportError> {
        let at = self.at(address, 4, 4)?.cast::<u32>();
        // SAFETY: four bytes within the mapping, aligned: the mapping begins on a page.
        unsafe { ptr::write_volatile(at, value.to_le()) };
        Ok(())
    }

    /// Whole lines, word by word in order: the core combines them to stores of 64 bytes.
    fn write(&self, address: u64, data: &[u8]) -> Result<(), TransportError> {
        let at = self.at(address, data.len(), 64)?.cast::<u64>();
        for (index, word) in data.as_chunks::<8>().0.iter().enumerate() {
            // SAFETY: eight bytes within the `data.len()` from `at` on, which lie within the mapping.
            unsafe { ptr::write_volatile(at.wrapping_add(index), u64::from_ne_bytes(*word)) };
        }
        Ok(())
    }

    fn read(&self, address: u64, out: &mut [u8]) -> Result<(), TransportError> {
        let at = self.at(address, out.len(), 64)?.cast::<u64>();
        for (index, word) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            // SAFETY: eight bytes within the `out.len()` from `at` on, which lie within the mapping.
            *word = unsafe { ptr::read_volatile(at.wrapping_add(index)) }.to_ne_bytes();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ordinary files stand in for the kernel's.
    #[test]
    fn words_and_lines_go_through_the_mapping_and_not_past_it() {
        let folder = std::env::temp_dir().join(format!("sigmill-bar-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        assert!(Bar::open(&folder).is_err_and(|why| why.contains("resource0")));
        std::fs::write(folder.join("resource0"), [0x11; 256]).expect("a file");
        assert!(Bar::open(&folder).is_err_and(|why| why.contains("resource4")));
        std::fs::write(folder.join("resource4"), vec![0x22; 4_096]).expect("a file");
        let mut card = Bar::open(&folder).expect("both");
        assert_eq!(card.read32(4), Ok(0x1111_1111));
        card.write32(4, 0x0403_0201).expect("inside");
        assert_eq!(std::fs::read(folder.join("resource0")).expect("it")[4..8], [1, 2, 3, 4]);
        let lines: Vec<u8> = (0..128).collect();
        card.h2c(64, &lines).expect("inside");
        assert_eq!(std::fs::read(folder.join("resource4")).expect("it")[64..192], lines);
        let mut back = [0; 192];
        card.c2h(64, &mut back).expect("inside");
        assert_eq!((&back[..128], &back[128..]), (&lines[..], &[0x22; 64][..]));
        for address in [4_096 - 64, u64::MAX - 127, 32] {
            assert_eq!(card.h2c(address, &lines), Err(TransportError::Outside { address }));
            assert_eq!(card.c2h(address, &mut back), Err(TransportError::Outside { address }));
        }
        assert_eq!(card.read32(256), Err(TransportError::Outside { address: 256 }));
        std::fs::remove_dir_all(&folder).expect("it is ours");
    }
}

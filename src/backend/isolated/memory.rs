//! The memory that both processes map: [`SLOTS`] slots of equal size.
//!
//! The other process may write at any time. So nothing here is ever referred to: bytes are copied in
//! and copied out, and what is judged is the copy.
#![expect(unsafe_code, reason = "memory that another process writes is reached through pointers")]

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::ptr;
use std::sync::atomic::{Ordering, fence};

use memmap2::{MmapOptions, MmapRaw};

use crate::backend::isolated::{LEAST_SLOT, SLOTS};

/// The mapping. Its size never changes.
pub(crate) struct Memory {
    map: MmapRaw,
    slot: usize,
}

impl Memory {
    /// New memory of at most so many bytes, and the file behind it, for the other process.
    ///
    /// # Errors
    /// The system's, for instance where there is no such memory, or bytes too few for the slots.
    pub fn create(bytes: usize) -> io::Result<(Memory, OwnedFd)> {
        let slot = bytes / SLOTS / LEAST_SLOT * LEAST_SLOT;
        if slot == 0 {
            let why = format!("shared memory takes {} bytes at least", SLOTS * LEAST_SLOT);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let file = file((slot * SLOTS) as u64)?;
        Ok((Memory::attach(&file)?, file.into()))
    }

    /// Maps the file that another process made.
    ///
    /// # Errors
    /// The system's, or a file of another size than [`Memory::create`] makes.
    pub fn attach(file: &File) -> io::Result<Memory> {
        let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        if bytes == 0 || !bytes.is_multiple_of(SLOTS * LEAST_SLOT) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no memory of this kind"));
        }
        let map = MmapOptions::new().len(bytes).map_raw(file)?;
        Ok(Memory { map, slot: bytes / SLOTS })
    }

    /// Bytes of a slot.
    pub fn slot_bytes(&self) -> usize {
        self.slot
    }

    /// Bytes of all.
    pub fn bytes(&self) -> usize {
        self.slot * SLOTS
    }

    /// Copies parts into a slot, one after the other; what has no room there is left out.
    pub fn write<'a>(&self, slot: usize, parts: impl IntoIterator<Item = &'a [u8]>) {
        let mut at = 0;
        for part in parts {
            let to = self.window(slot, at, part.len());
            // SAFETY: the window lies inside the mapping and has at most the part's length, and a private
            // slice does not overlap shared memory.
            unsafe { ptr::copy_nonoverlapping(part.as_ptr(), to.0, to.1) };
            at += to.1;
        }
        // What is said of these bytes through the socket is said after they are there.
        fence(Ordering::Release);
    }

    /// Copies a slot into parts, one after the other; what the slot is too short for stays as it is.
    pub fn read<'a>(&self, slot: usize, parts: impl IntoIterator<Item = &'a mut [u8]>) {
        fence(Ordering::Acquire);
        let mut at = 0;
        for part in parts {
            let from = self.window(slot, at, part.len());
            // SAFETY: as above. Whatever the other process writes meanwhile, bytes are bytes.
            unsafe { ptr::copy_nonoverlapping(from.0, part.as_mut_ptr(), from.1) };
            at += from.1;
        }
    }

    /// Where in the mapping a stretch of a slot lies, and how much of it the slot has.
    fn window(&self, slot: usize, at: usize, length: usize) -> (*mut u8, usize) {
        if slot >= SLOTS || at >= self.slot {
            return (self.map.as_mut_ptr(), 0);
        }
        // SAFETY: `slot * self.slot + at` is below `SLOTS * self.slot`, the mapping's length.
        let start = unsafe { self.map.as_mut_ptr().add(slot * self.slot + at) };
        (start, length.min(self.slot - at))
    }
}

// SAFETY: no reference into the mapping exists, and its pointer is valid on every thread.
unsafe impl Send for Memory {}

/// A file without a name, of which neither process can change the size: else reading it could kill the
/// reader. Its pages are there before anyone needs them.
#[cfg(target_os = "linux")]
fn file(bytes: u64) -> io::Result<File> {
    use rustix::fs::{
        FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, memfd_create,
    };
    let file = memfd_create("sigmill-device", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    fallocate(&file, FallocateFlags::empty(), 0, bytes)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file.into())
}

/// A file whose name is gone. The other process could cut it: only Linux has seals.
#[cfg(not(target_os = "linux"))]
fn file(bytes: u64) -> io::Result<File> {
    use std::hash::{BuildHasher, Hasher, RandomState};
    use std::os::unix::fs::OpenOptionsExt;
    // The standard library's keys are random.
    let name = format!("sigmill-{:016x}", RandomState::new().build_hasher().finish());
    let path = std::env::temp_dir().join(name);
    let mut options = File::options();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    file.set_len(bytes)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_see_the_same_and_nothing_beyond_a_slot() {
        assert!(Memory::create(SLOTS * LEAST_SLOT - 1).is_err());
        let (one, file) = Memory::create(SLOTS * LEAST_SLOT + 1).expect("memory");
        let other = Memory::attach(&File::from(file)).expect("the same memory");
        assert_eq!(other.slot_bytes(), LEAST_SLOT);
        let long = vec![7; LEAST_SLOT];
        one.write(3, [&b"abc"[..], &long]);
        one.write(SLOTS, [&b"abc"[..]]);
        let (mut head, mut rest, mut past) = ([0; 4], vec![0; LEAST_SLOT], [9; 8]);
        other.read(3, [&mut head[..], &mut rest, &mut past]);
        assert_eq!(&head, b"abc\x07");
        assert!(rest[..LEAST_SLOT - 4].iter().all(|byte| *byte == 7));
        assert_eq!((&rest[LEAST_SLOT - 4..], past), (&[0; 4][..], [9; 8]));
        for slot in [2, 4] {
            other.read(slot, [&mut rest[..]]);
            assert_eq!(rest, vec![0; LEAST_SLOT], "slot {slot}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn neither_end_can_change_the_size() {
        let (memory, file) = Memory::create(1 << 20).expect("memory");
        let file = File::from(file);
        for bytes in [0, 1 << 19, 1 << 21] {
            assert!(file.set_len(bytes).is_err(), "{bytes}");
        }
        assert_eq!(memory.bytes(), 1 << 20);
    }
}

//! A card behind the XDMA driver (`Xilinx/dma_ip_drivers`): registers, card memory and events are
//! character devices, `/dev/xdma0_user`, `_h2c_0`, `_c2h_0`, `_events_0`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::backend::fpga::transport::{Transport, TransportError};

/// The device files of one card, with the first channel each way.
pub(crate) struct Xdma {
    base: PathBuf,
    user: File,
    h2c: File,
    c2h: File,
    /// `None`: the driver has no events, and completions are looked for.
    events: Option<File>,
}

/// The path of one of a card's files.
fn file(base: &Path, suffix: &str) -> PathBuf {
    let mut path = base.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The file that every card of this driver has.
pub(crate) fn node(base: &Path) -> PathBuf {
    file(base, "_user")
}

impl Xdma {
    /// Opens the files whose names begin with `base`, such as `/dev/xdma0`.
    ///
    /// # Errors
    /// The first file that cannot be opened, with why.
    pub fn open(base: &Path) -> Result<Self, String> {
        let open = |suffix, read, write| {
            let path = file(base, suffix);
            let opened = OpenOptions::new().read(read).write(write).open(&path);
            opened.map_err(|error| format!("{}: {error}", path.display()))
        };
        let user = open("_user", true, true)?;
        claim(&user).map_err(|error| format!("{}: {error}", node(base).display()))?;
        Ok(Xdma {
            base: base.to_owned(),
            user,
            h2c: open("_h2c_0", false, true)?,
            c2h: open("_c2h_0", true, false)?,
            events: open("_events_0", true, false).ok(),
        })
    }
}

/// Claims a card for this opening of its file: two hosts would each reset it under the other.
pub(crate) fn claim(file: &File) -> std::io::Result<()> {
    let until = Instant::now() + PARTING;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            locked => return Ok(locked?),
        }
    }
}

/// Longest that an opening which is being given up keeps its claim.
const PARTING: Duration = Duration::from_secs(1);

/// One transfer; the driver does all of it or says why not.
fn whole(
    want: usize,
    mut transfer: impl FnMut() -> std::io::Result<usize>,
) -> Result<(), TransportError> {
    loop {
        match transfer() {
            Ok(got) if got == want => return Ok(()),
            Ok(got) => return Err(TransportError::Short { got, want }),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl Transport for Xdma {
    fn describe(&self) -> String {
        let events = if self.events.is_some() { "events" } else { "no events" };
        format!("XDMA at {}, {events}", self.base.display())
    }

    fn read32(&mut self, register: u32) -> Result<u32, TransportError> {
        let mut word = [0; 4];
        whole(4, || self.user.read_at(&mut word, register.into()))?;
        Ok(u32::from_le_bytes(word))
    }

    fn write32(&mut self, register: u32, value: u32) -> Result<(), TransportError> {
        whole(4, || self.user.write_at(&value.to_le_bytes(), register.into()))
    }

    fn h2c(&mut self, address: u64, data: &[u8]) -> Result<(), TransportError> {
        whole(data.len(), || self.h2c.write_at(data, address))
    }

    fn c2h(&mut self, address: u64, out: &mut [u8]) -> Result<(), TransportError> {
        whole(out.len(), || self.c2h.read_at(out, address))
    }

    fn wait_event(&mut self, limit: Duration) -> Result<bool, TransportError> {
        let Some(events) = &mut self.events else {
            std::thread::sleep(limit.min(LOOK));
            return Ok(false);
        };
        let timeout =
            Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
        let came = match poll(&mut [PollFd::new(events, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => ready > 0,
            Err(rustix::io::Errno::INTR) => false,
            Err(error) => return Err(std::io::Error::from(error).into()),
        };
        if came {
            // How many there were; reading takes them back.
            let mut count = [0; 4];
            events.read_exact(&mut count)?;
        }
        Ok(came)
    }
}

/// How often completions are looked for where there are no events.
const LOOK: Duration = Duration::from_micros(50);

#[cfg(test)]
mod tests {
    use super::*;

    /// Ordinary files stand in for the driver's.
    #[test]
    fn words_and_bytes_go_to_their_files_and_short_reads_are_errors() {
        let folder = std::env::temp_dir().join(format!("sigmill-xdma-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let base = folder.join("xdma0");
        let missing = Xdma::open(&base).err().expect("no file yet");
        assert!(missing.contains("xdma0_user"), "{missing}");
        for (suffix, bytes) in [("_user", 64), ("_h2c_0", 0), ("_c2h_0", 128)] {
            std::fs::write(file(&base, suffix), vec![0xA5; bytes]).expect("a file");
        }
        let mut card = Xdma::open(&base).expect("all three");
        assert!(card.describe().ends_with("no events"));
        assert_eq!(card.read32(8), Ok(0xA5A5_A5A5));
        card.write32(8, 0x0403_0201).expect("room");
        assert_eq!(card.read32(8), Ok(0x0403_0201));
        card.h2c(64, &[7; 64]).expect("room");
        let sent = std::fs::read(file(&base, "_h2c_0")).expect("the file");
        assert_eq!((sent.len(), sent[64..].to_vec()), (128, vec![7; 64]));
        let mut line = [0; 64];
        card.c2h(64, &mut line).expect("it is there");
        assert_eq!(line, [0xA5; 64]);
        assert_eq!(card.c2h(96, &mut line), Err(TransportError::Short { got: 32, want: 64 }));
        assert_eq!(card.read32(62), Err(TransportError::Short { got: 2, want: 4 }));
        assert_eq!(card.wait_event(Duration::ZERO), Ok(false));
        std::fs::write(file(&base, "_events_0"), 1u32.to_le_bytes()).expect("a file");
        let second = Xdma::open(&base).err().expect("it is taken");
        assert!(second.contains("xdma0_user"), "{second}");
        drop(card);
        let mut card = Xdma::open(&base).expect("all four");
        assert_eq!(card.wait_event(Duration::from_millis(1)), Ok(true));
        std::fs::remove_dir_all(&folder).expect("it is ours");
    }
}

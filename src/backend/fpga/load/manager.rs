//! The kernel's FPGA managers: `/sys/class/fpga_manager/fpgaN/{name,state,firmware,flags}`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::placed::Placed;
use super::{Format, LoadError, read_bounded};

/// A manager that takes images.
pub(super) struct Manager {
    folder: PathBuf,
    name: String,
}

/// The first manager that takes images of this format; otherwise says what was looked for.
pub(super) fn find(sysfs: &Path, format: Format, looked_for: &mut Vec<String>) -> Option<Manager> {
    let class = sysfs.join("class/fpga_manager");
    let mut folders: Vec<_> =
        fs::read_dir(&class).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    if folders.is_empty() {
        looked_for.push(format!("{}: no FPGA manager", class.display()));
    }
    for folder in folders {
        let name = attribute(&folder, "name").unwrap_or_default();
        let place = folder.display();
        if name != manager_name(format) {
            let wanted = manager_name(format);
            looked_for.push(format!("{place}: its name is `{name}`, not `{wanted}`"));
        } else if !folder.join("firmware").exists() {
            looked_for.push(format!(
                "{place}: the attribute `firmware`, which vendors' kernels have and this has not"
            ));
        } else {
            return Some(Manager { folder, name });
        }
    }
    None
}

impl Manager {
    /// Has the kernel load the file, which lies where it looks for firmware, and waits until the
    /// device works.
    pub(super) fn load(&self, image: &Placed, limit: Duration) -> Result<String, LoadError> {
        let manager = format!("{} ({})", self.folder.display(), self.name);
        let failed = |why: String| LoadError::Manager { manager: manager.clone(), why };
        let late = || LoadError::Timeout { what: format!("FPGA manager {manager}"), limit };
        let end = Instant::now() + limit;
        let file = image.path().file_name().unwrap_or_default().as_encoded_bytes().to_owned();
        let folder = self.folder.clone();
        let (sender, receiver) = mpsc::sync_channel(1);
        // The write returns when the device is loaded, and nothing can interrupt it.
        let writer = move || {
            let flags = folder.join("flags");
            let whole = if flags.exists() { write(&flags, b"0") } else { Ok(()) };
            let written = whole.and_then(|()| write(&folder.join("firmware"), &file));
            let _ = sender.send(written);
        };
        std::thread::Builder::new()
            .name("sigmill-fpga-load".to_owned())
            .spawn(writer)
            .map_err(|error| failed(error.to_string()))?;
        receiver.recv_timeout(limit).map_err(|_| late())?.map_err(|error| {
            failed(format!("{error}; its state is `{}`, see the kernel's log", self.state()))
        })?;
        loop {
            let state = self.state();
            if state == "operating" {
                return Ok(format!("FPGA manager {manager}"));
            }
            if state.contains("error") {
                return Err(failed(format!("its state is `{state}`, see the kernel's log")));
            }
            if Instant::now() >= end {
                return Err(late());
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn state(&self) -> String {
        attribute(&self.folder, "state").unwrap_or_default()
    }
}

/// The name of the mainline driver that takes files of this format as they are. Others, such as
/// Zynq's, want them rewritten.
fn manager_name(format: Format) -> &'static str {
    match format {
        Format::Ice40 => "Lattice iCE40 FPGA Manager",
        Format::Ecp5 => "Lattice sysCONFIG FPGA Manager",
        Format::Xilinx => "Xilinx Slave Serial FPGA Manager",
    }
}

fn attribute(folder: &Path, name: &str) -> Option<String> {
    let bytes = read_bounded(&folder.join(name), ATTRIBUTE_LIMIT).ok()?;
    Some(String::from_utf8_lossy(bytes.trim_ascii()).into_owned())
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.write_all(bytes)
}

/// Bytes of an attribute: a page.
const ATTRIBUTE_LIMIT: usize = 4_096;

/// Between two looks at the state.
const PAUSE: Duration = Duration::from_millis(5);

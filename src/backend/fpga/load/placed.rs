//! A copy of an image, where a loader reads it, for as long as it does.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::LoadError;

/// The copy; dropping it removes the file.
pub(super) struct Placed(PathBuf);

impl Placed {
    /// Writes a file of a new name into `folder`. Nothing that is there is opened or followed.
    pub(super) fn new(folder: &Path, extension: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sigmill-{}-{count}.{extension}", std::process::id());
        let path = folder.join(name);
        let failed =
            |error: std::io::Error| LoadError::Place { path: path.clone(), why: error.to_string() };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        let placed = Placed(path.clone());
        file.write_all(bytes).map_err(failed)?;
        Ok(placed)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

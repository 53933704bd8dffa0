//! Files that cost nothing but time to lose: where they lie, and how they are written.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The user's folder for such files, if there is one.
pub(crate) fn folder() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    base.is_absolute().then(|| base.join("sigmill"))
}

/// Digits of bytes, as names of files and digests in texts have them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a plain file holds, if that is no more than `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Option<Vec<u8>> {
    // Anything else might block.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limit + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= limit).then_some(bytes)
}

/// Writes a file whole or not at all, whoever else writes, and says whether it is there now.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> bool {
    static SERIAL: AtomicUsize = AtomicUsize::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let draft = path.with_extension(format!("{}-{serial}", std::process::id()));
    let made = path.parent().map(fs::create_dir_all).is_some_and(|made| made.is_ok());
    let done = made && fs::write(&draft, bytes).is_ok() && fs::rename(&draft, path).is_ok();
    if !done {
        let _ = fs::remove_file(&draft);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_their_limit_and_written_whole() {
        let folder = std::env::temp_dir().join(format!("sigmill-cache-{}", std::process::id()));
        let path = folder.join("a").join("file");
        assert!(write(&path, b"first") && write(&path, b"second"));
        assert_eq!(read(&path, 6).as_deref(), Some(&b"second"[..]));
        assert_eq!(read(&path, 5), None);
        assert_eq!(read(&folder, 5), None);
        // A folder in its place, and nothing is left of the draft.
        assert!(!write(&folder.join("a"), b"third"));
        assert_eq!(fs::read_dir(folder.join("a")).expect("it is there").count(), 1);
        assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 1);
        fs::remove_dir_all(&folder).expect("it is ours");
    }
}

//! Programs that load an image: found on PATH, run within a time.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use super::LoadError;

/// The first program of this name in the folders of `path`.
pub(super) fn find(path: &OsStr, name: &str) -> Option<PathBuf> {
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).find(|program| is_executable(program))
}

#[cfg(unix)]
fn is_executable(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    program.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(program: &Path) -> bool {
    program.is_file()
}

/// Runs a program to its end, or ends it when its time is up. Returns its path.
pub(super) fn run(
    program: &Path,
    arguments: &[&OsStr],
    limit: Duration,
) -> Result<String, LoadError> {
    let failed = |why: String| LoadError::Tool { program: program.to_owned(), why };
    let end = Instant::now() + limit;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let printed = [child.stdout.take().map(drain), child.stderr.take().map(drain)];
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| failed(error.to_string()))? {
            break status;
        }
        if Instant::now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(LoadError::Timeout { what: program.display().to_string(), limit });
        }
        std::thread::sleep(PAUSE);
    };
    if status.success() {
        return Ok(program.display().to_string());
    }
    let printed: Vec<_> = printed
        .iter()
        .flatten()
        .filter_map(|receiver| receiver.recv_timeout(DRAINING).ok())
        .filter(|text| !text.is_empty())
        .collect();
    Err(failed(format!("{status}; it printed: {}", printed.join("; "))))
}

/// Reads all that a program prints, so that it never waits for us, and keeps the end of it. A
/// program's own children may hold the pipe open, so nobody waits for the thread.
fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut piece = [0; KEPT];
        while let Ok(count @ 1..) = pipe.read(&mut piece) {
            kept.extend_from_slice(&piece[..count]);
            kept.drain(..kept.len().saturating_sub(KEPT));
        }
        let text = String::from_utf8_lossy(kept.trim_ascii());
        let _ = sender.send(text.escape_debug().to_string());
    });
    receiver
}

/// Between two looks at the program.
const PAUSE: Duration = Duration::from_millis(5);

/// Longest wait for the last words of a program that ended.
const DRAINING: Duration = Duration::from_millis(500);

/// How much of what it printed an error shows.
const KEPT: usize = 1_024;

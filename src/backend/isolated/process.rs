//! The child as a process: its start, and its certain end.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running child. Dropping it kills it.
pub(crate) struct Process {
    /// Until it is reaped or left behind.
    child: Option<Child>,
    pid: u32,
    /// Longest that dropping waits for the killed process: a driver may hold it in the kernel.
    parting: Duration,
}

const PARTING: Duration = Duration::from_secs(1);

/// Longest that one waits for a process whose socket is gone already.
const MOMENT: Duration = Duration::from_millis(20);

impl Process {
    /// Starts a program with the socket as its standard input: the one descriptor that a process can be
    /// given while other threads start others. It writes errors where this process does.
    ///
    /// # Errors
    /// The system's.
    pub fn start(program: &Path, arguments: &[OsString], socket: OwnedFd) -> io::Result<Process> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(socket).stdout(Stdio::null()).stderr(Stdio::inherit());
        // Ctrl-C is for the parent, which has batches in flight.
        let child = command.process_group(0).spawn()?;
        Ok(Process { pid: child.id(), child: Some(child), parting: PARTING })
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends it, whatever it is at.
    pub fn kill(&mut self) {
        if let Some(child) = &mut self.child {
            // It may be gone already.
            let _ = child.kill();
        }
    }

    /// How it ended, where it is ending by itself: its socket goes a moment before it does.
    pub fn status(&mut self) -> Option<ExitStatus> {
        reap(self.child.as_mut()?, MOMENT)
    }
}

/// Waits for the end of a process, not longer than this.
fn reap(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + patience;
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
            Ok(status) => return status,
            Err(_) => return None,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let Some(mut child) = self.child.take() else { return };
        if reap(&mut child, self.parting).is_none() {
            eprintln!("sigmill: process {} cannot be killed and is left behind", self.pid);
            let reaper = std::thread::Builder::new().name("sigmill-reap".to_owned());
            // Without a thread it stays a zombie until this process ends.
            let _ = reaper.spawn(move || child.wait());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    fn sleeping() -> (Process, UnixStream) {
        let (own, theirs) = UnixStream::pair().expect("a socket");
        let process = Process::start(Path::new("sleep"), &["1000".into()], theirs.into());
        (process.expect("it starts"), own)
    }

    fn exists(pid: u32) -> bool {
        let pid = rustix::process::Pid::from_raw(pid as i32).expect("a number");
        rustix::process::test_kill_process(pid).is_ok()
    }

    #[test]
    fn dropping_kills_and_reaps() {
        let (process, _own) = sleeping();
        let pid = process.pid();
        assert!(exists(pid));
        drop(process);
        assert!(!exists(pid));
    }

    /// A process that is not gone in time is reaped elsewhere, when it is.
    #[test]
    fn one_that_does_not_die_is_left_to_a_thread() {
        let (mut process, _own) = sleeping();
        let pid = process.pid();
        process.parting = Duration::ZERO;
        drop(process);
        while exists(pid) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

//! Devices in processes of their own: they compute what they compute elsewhere, and whatever becomes of
//! the process, no batch is lost, none is answered twice, and no verdict is wrong.
#![cfg(unix)]

mod child;
mod ends;
mod faults;
mod jobs;
mod kills;
mod measure;
#[path = "../support/mod.rs"]
mod support;
mod trips;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sigmill::backend::isolated::Options;
use sigmill::{Device, Engine};

/// A device of this test binary's child; how it behaves is the name: see `child.rs`.
fn options(name: &str) -> Options {
    let own = std::env::current_exe().expect("it has a path");
    let arguments = ["--ignored", "--exact", "child::child", "--nocapture", "--test-threads=1"];
    Options::new(name).program(own, arguments)
}

/// An engine on such a device alone.
fn alone(device: Device) -> Engine {
    Engine::builder().threads(2).cpu(false).device(device).open().expect("an engine")
}

/// A file in which a child leaves its number.
struct Note(PathBuf);

impl Note {
    fn new() -> Note {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("sigmill-isolation-{}-{serial}", std::process::id());
        Note(std::env::temp_dir().join(name))
    }

    /// The name of a device whose child leaves its number here.
    fn name(&self, how: &str) -> String {
        format!("{how}@{}", self.0.display())
    }

    /// Waits for the number.
    fn pid(&self) -> i32 {
        loop {
            let text = std::fs::read_to_string(&self.0).unwrap_or_default();
            match text.trim_end_matches('.').parse() {
                Ok(pid) if text.ends_with('.') => return pid,
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Waits for the number of the child after this one.
    fn next(&self, before: i32) -> i32 {
        loop {
            match self.pid() {
                pid if pid == before => std::thread::sleep(Duration::from_millis(1)),
                pid => return pid,
            }
        }
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn send(pid: i32, signal: Signal) {
    // It may be gone.
    let _ = kill_process(Pid::from_raw(pid).expect("a number"), signal);
}

/// Waits until a process is gone, or is but a line in its parent's books.
fn wait_for_end(pid: i32) {
    let runs = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
        !matches!(state, None | Some(Some('Z' | 'X')))
    };
    while runs() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until an engine's only device, or the one after the CPU, is in service.
fn wait_for_health(engine: &Engine) {
    while !engine.snapshot().devices.iter().all(|device| device.serves()) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

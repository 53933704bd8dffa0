//! How processes end: a child with its backend, and with its parent.

use std::process::{Command, Stdio};
use std::sync::Arc;

use rustix::process::Signal;
use sigmill::backend::{BatchId, isolated};
use sigmill::parsed::Parsed;

use crate::child::TURN;
use crate::jobs::{ECDSA, some};
use crate::{Note, options, send, wait_for_end};

#[test]
fn a_dropped_backend_takes_its_child_with_it() {
    for how in ["evidence", "stops", "hangs"] {
        let note = Note::new();
        let mut backend = isolated::backend(&options(&note.name(how))).expect("it opens");
        let batch = Arc::new(Parsed::parse(some(ECDSA, TURN, 1)));
        backend.submit(BatchId(1), batch).expect("room");
        let pid = note.pid();
        drop(backend);
        wait_for_end(pid);
    }
}

/// What a parent leaves behind ends by itself, whatever it is at.
#[test]
fn a_child_does_not_outlive_its_parent() {
    for how in ["evidence", "hangs"] {
        let note = Note::new();
        let mut parent = Command::new(std::env::current_exe().expect("it has a path"))
            .args(["--ignored", "--exact", "ends::parent", "--nocapture"])
            .env("SIGMILL_TEST_DEVICE", note.name(how))
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        let pid = note.pid();
        // It may or may not be at its batch by now.
        std::thread::sleep(std::time::Duration::from_millis(50));
        send(parent.id() as i32, Signal::KILL);
        parent.wait().expect("it was killed");
        wait_for_end(pid);
    }
}

/// No test, but a parent to be killed.
#[test]
#[ignore = "a parent that another test kills"]
fn parent() {
    let Ok(name) = std::env::var("SIGMILL_TEST_DEVICE") else { return };
    let mut backend = isolated::backend(&options(&name)).expect("it opens");
    let batch = Arc::new(Parsed::parse(some(ECDSA, TURN, 1)));
    backend.submit(BatchId(1), batch).expect("room");
    loop {
        std::thread::park();
    }
}

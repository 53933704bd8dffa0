//! Checks of trees that stand for machines.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use super::check::{Check, State, shell};
use super::host::{Host, User};
use super::*;

/// A machine of these files; nobody's member of its files' group.
struct Machine {
    root: PathBuf,
    variables: Vec<(OsString, OsString)>,
    user: User,
}

const NOBODY: u32 = 54_321;

impl Machine {
    fn new(name: &str) -> Machine {
        let root = std::env::temp_dir().join(format!("sigmill-doc-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).expect("a folder");
        let user = User { id: NOBODY, groups: vec![NOBODY] };
        let machine = Machine { root, variables: Vec::new(), user };
        machine.file("etc/os-release", "ID=debian\n")
    }

    fn file(self, path: &str, text: &str) -> Machine {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    fn mode(self, path: &str, mode: u32) -> Machine {
        let path = self.root.join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        self
    }

    fn set(mut self, name: &str, value: &str) -> Machine {
        self.variables.push((name.into(), value.into()));
        self
    }

    fn host(&self) -> Host {
        let around = Surroundings::new(Some(self.root.clone()), self.variables.clone());
        Host { around, user: self.user.clone(), memlock: None }
    }

    /// The check of that name.
    fn check(&self, name: &str) -> Check {
        self.find(name).expect("it is made")
    }

    fn find(&self, name: &str) -> Option<Check> {
        examine(&self.host(), &Flags::default()).1.into_iter().find(|check| check.name == name)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn judge(check: &Check, state: State, words: &str, mend: Option<&str>) {
    assert_eq!(check.state, state, "{check:?}");
    assert!(check.found.contains(words), "{words}: {check:?}");
    assert_eq!(check.mend.as_deref(), mend, "{check:?}");
}

const GPU: &str = "sys/bus/pci/devices/0000:01:00.0";

fn with_gpu(name: &str, vendor: &str) -> Machine {
    let machine = Machine::new(name).file(&format!("{GPU}/class"), "0x030200\n");
    machine.file(&format!("{GPU}/vendor"), &format!("{vendor}\n"))
}

fn manifest(library: &str) -> String {
    format!("{{\"ICD\": {{\"library_path\": \"{library}\", \"api_version\": \"1.3\"}}}}")
}

mod bare;
mod cards;
mod drivers;

//! The machine that is looked at: its files, and what its user may do with them.

use std::path::Path;

use super::check::shell;
use super::packages::{self, Need};
use crate::cli::surroundings::Surroundings;

/// Who runs the command.
#[derive(Clone, Debug, Default)]
pub(super) struct User {
    /// Number; 0 may do everything.
    pub(super) id: u32,
    /// Numbers of the groups, the own one among them.
    pub(super) groups: Vec<u32>,
}

/// A machine, or a tree of files that stands for one.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) around: Surroundings,
    pub(super) user: User,
    /// Bytes of memory that the process may lock; `None`: without a limit, or unknown.
    pub(super) memlock: Option<u64>,
}

/// What is wanted of a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// To read and write it.
    Open,
    /// To read it.
    #[cfg_attr(not(feature = "fpga"), expect(dead_code, reason = "nothing is read alone"))]
    Read,
    /// To write it.
    #[cfg_attr(not(feature = "fpga"), expect(dead_code, reason = "nothing is written alone"))]
    Write,
    /// To make files in it.
    Fill,
}

impl Host {
    /// The machine of these files, with this process's rights.
    pub(super) fn new(around: Surroundings) -> Host {
        Host { around, user: own_user(), memlock: own_memlock() }
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, path: impl AsRef<Path>) -> bool {
        self.around.at(path).exists()
    }

    /// Whether this runs in a container, as far as its files say.
    pub(super) fn is_container(&self) -> bool {
        self.has("/.dockerenv") || self.has("/run/.containerenv")
    }

    /// The command that installs what is needed, where the distribution is known.
    pub(super) fn install(&self, need: Need) -> Option<String> {
        packages::command(&self.around.text("/etc/os-release").unwrap_or_default(), need)
    }

    /// Whether the user may use a file that is there. The kernel is asked where the machine is this one: it knows lists of
    /// rights beside the mode.
    #[cfg(unix)]
    pub(super) fn may(&self, path: impl AsRef<Path>, how: Use) -> bool {
        use std::os::unix::fs::MetadataExt;

        use rustix::fs::Access;

        let path = self.around.at(path);
        if !self.around.is_tree() {
            let wanted = match how {
                Use::Open => Access::READ_OK | Access::WRITE_OK,
                Use::Read => Access::READ_OK,
                Use::Write => Access::WRITE_OK,
                Use::Fill => Access::WRITE_OK | Access::EXEC_OK,
            };
            return rustix::fs::access(&path, wanted).is_ok();
        }
        let Ok(file) = path.metadata() else { return false };
        let wanted = match how {
            Use::Open => 0o6,
            Use::Read => 0o4,
            Use::Write => 0o2,
            Use::Fill => 0o3,
        };
        let shift = match () {
            () if self.user.id == 0 => return true,
            () if self.user.id == file.uid() => 6,
            () if self.user.groups.contains(&file.gid()) => 3,
            () => 0,
        };
        file.mode() >> shift & wanted == wanted
    }

    #[cfg(not(unix))]
    pub(super) fn may(&self, path: impl AsRef<Path>, _: Use) -> bool {
        self.around.at(path).exists()
    }

    /// The command that lets the user open a file: to join its group where that may open it, else to own it.
    #[cfg(unix)]
    pub(super) fn admit(&self, path: &str) -> String {
        use std::os::unix::fs::MetadataExt;

        let file = self.around.at(path).metadata().ok();
        let group = file.filter(|file| file.mode() & 0o60 == 0o60 && file.gid() != 0);
        match group.and_then(|file| self.group(file.gid())) {
            // Membership counts from the next login on.
            Some((group, true)) => format!("newgrp {group}"),
            Some((group, false)) => format!("sudo usermod -aG {group} $USER"),
            None => format!("sudo chown $USER {}", shell(path)),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn admit(&self, path: &str) -> String {
        format!("open {path} to the user")
    }

    /// A group's name, and whether the user is listed in it.
    #[cfg(unix)]
    fn group(&self, id: u32) -> Option<(String, bool)> {
        let groups = self.around.text("/etc/group")?;
        let user = self.around.variable("USER").and_then(|user| user.to_str());
        groups.lines().find_map(|line| {
            let fields: Vec<_> = line.split(':').collect();
            let [name, _, number, members] = fields[..] else { return None };
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            let listed = members.split(',').any(|member| Some(member.trim()) == user);
            (number.parse() == Ok(id) && plain).then(|| (name.to_owned(), listed))
        })
    }
}

#[cfg(unix)]
fn own_user() -> User {
    use rustix::process::{getegid, geteuid, getgroups};

    let mut groups: Vec<_> =
        getgroups().unwrap_or_default().into_iter().map(|group| group.as_raw()).collect();
    groups.push(getegid().as_raw());
    User { id: geteuid().as_raw(), groups }
}

#[cfg(not(unix))]
fn own_user() -> User {
    User::default()
}

#[cfg(unix)]
fn own_memlock() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Memlock).current
}

#[cfg(not(unix))]
fn own_memlock() -> Option<u64> {
    None
}

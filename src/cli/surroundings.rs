//! What a command finds around it: files and variables, of this machine or of a tree that stands for one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Files below a folder, and variables.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    root: Option<PathBuf>,
    variables: BTreeMap<OsString, OsString>,
}

impl Surroundings {
    /// Those of this process.
    pub(super) fn own() -> Surroundings {
        Surroundings { root: None, variables: std::env::vars_os().collect() }
    }

    /// The files below `root`, with these variables.
    pub(super) fn new(
        root: Option<PathBuf>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Surroundings {
        Surroundings { root, variables: variables.into_iter().collect() }
    }

    /// Whether the files are those of a tree.
    pub(super) fn is_tree(&self) -> bool {
        self.root.is_some()
    }

    /// Where a file of that path really lies.
    pub(super) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        let Some(root) = &self.root else { return path.to_owned() };
        root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// A variable that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// A variable that is set, if to nothing.
    pub(super) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Names of the variables that begin so, in order.
    pub(super) fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.variables.keys().filter_map(|name| name.to_str());
        names.filter(move |name| name.starts_with(prefix))
    }

    /// The user's folder of a kind: what the variable names, if that is absolute, or one below the home.
    pub(super) fn user_folder(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let absolute = |name| self.variable(name).map(PathBuf::from).filter(|p| p.is_absolute());
        absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))
    }

    /// What a small text file holds, cut at 64 KiB, whatever it is encoded in; `None` if it cannot be read.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        use std::io::Read;
        let path = self.at(path);
        // Anything else might block.
        if !path.metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path).ok()?.take(1 << 16).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Names in a folder, sorted; none where it cannot be read.
    pub(super) fn list(&self, folder: impl AsRef<Path>) -> Vec<String> {
        self.list_prefixed(folder, "")
    }

    /// Names in a folder that begin so, sorted; a thousand of them are enough.
    pub(super) fn list_prefixed(&self, folder: impl AsRef<Path>, prefix: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.at(folder)) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| name.starts_with(prefix)).take(1_024).collect();
        names.sort();
        names
    }
}

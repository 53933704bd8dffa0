//! What commands with an engine are told once: by files, by variables, by flags.
//!
//! Later wins: defaults < `/etc/sigmill/config.toml` < the user's file < variables < flags. A file that is named,
//! by `--config` or `SIGMILL_CONFIG`, stands for the two. [`keys::KEYS`] has all keys.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sigmill::engine::EngineBuilder;
use sigmill::{Engine, Limits, Trust};

use super::surroundings::Surroundings;
use super::{Failure, Status};

mod environment;
mod file;
mod flags;
mod keys;
mod text;
mod value;

#[cfg(all(test, unix))]
mod tests;

pub(super) use flags::Flags;
pub(super) use keys::{BACKENDS, KEYS, Key};
pub(super) use text::{help, sample};
pub(super) use value::Value;

/// The system's file.
const SYSTEM: &str = "/etc/sigmill/config.toml";

/// Who set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nobody.
    Default,
    /// A line of a file, from 1 on.
    File(PathBuf, usize),
    /// A variable.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Variable(name) => f.write_str(name),
            Origin::Flag(name) => f.write_str(name),
        }
    }
}

/// A value, and who set it. `None`: the key is not set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sourced {
    /// The value.
    pub(super) value: Option<Value>,
    /// Who set it.
    pub(super) origin: Origin,
}

/// Why there are no settings, a line a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// A file could not be read at all.
    pub(super) unreadable: bool,
    /// What is wrong, each with its place.
    pub(super) wrong: Vec<String>,
}

impl Trouble {
    fn unreadable(why: String) -> Trouble {
        Trouble { unreadable: true, wrong: vec![why] }
    }

    /// Keeps the first mistakes and counts the others: there may be thousands.
    fn invalid(mut wrong: Vec<String>) -> Trouble {
        let more = wrong.len().saturating_sub(20);
        if more > 0 {
            wrong.truncate(20);
            wrong.push(format!(".. and {more} more"));
        }
        Trouble { unreadable: false, wrong }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        let status = if trouble.unreadable { Status::Error } else { Status::Usage };
        Failure::new(status, trouble.wrong.join("\nsigmill: "))
    }
}

/// The settings in force.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// A value for each of [`KEYS`], in their order.
    values: Vec<Sourced>,
    /// The files that were looked for, the first the weakest, and whether each is there.
    pub(super) files: Vec<(PathBuf, bool)>,
    /// Variables that were probably meant to be settings.
    pub(super) warnings: Vec<String>,
}

impl Settings {
    /// Those of a command, whose warnings go to standard error.
    ///
    /// # Errors
    /// [`Status::Error`] for a file that cannot be read, [`Status::Usage`] for what files and variables say wrongly.
    pub(super) fn load(flags: &Flags) -> Result<Settings, Failure> {
        let settings = Settings::read(flags, &Surroundings::own())?;
        for warning in &settings.warnings {
            eprintln!("sigmill: warning: {warning}");
        }
        Ok(settings)
    }

    /// Reads files and variables of these surroundings.
    ///
    /// # Errors
    /// [`Trouble`] with all mistakes of the first layer that has any.
    pub(super) fn read(flags: &Flags, around: &Surroundings) -> Result<Settings, Trouble> {
        let mut settings = Settings::default();
        let named = around.variable(environment::CONFIG).map(Path::new);
        let named = flags.config.as_deref().or(named).map(Path::to_owned);
        let is_named = named.is_some();
        let files = named.map_or_else(|| usual(around), |named| vec![named]);
        for name in files {
            let read = file::read(&around.at(&name), &name)?;
            if read.is_none() && is_named {
                let why = format!("{}: no such file; it was named for settings", name.display());
                return Err(Trouble::unreadable(why));
            }
            settings.files.push((name.clone(), read.is_some()));
            for entry in read.into_iter().flatten() {
                settings.set(entry.key, entry.value, Origin::File(name.clone(), entry.line));
            }
        }
        for (key, value, origin) in environment::read(around)? {
            settings.set(key, value, origin);
        }
        for (key, value) in flags.values() {
            let flag = KEYS[key].flag.expect("a key that has one");
            settings.set(key, Some(value), Origin::Flag(flag));
        }
        settings.warnings = environment::near_misses(around);
        Ok(settings)
    }

    fn set(&mut self, key: usize, value: Option<Value>, origin: Origin) {
        self.values[key] = Sourced { value, origin };
    }

    /// Each key with its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static Key, &Sourced)> {
        KEYS.iter().zip(&self.values)
    }

    /// Who set a key.
    pub(super) fn origin(&self, name: &str) -> &Origin {
        &self.sourced(name).origin
    }

    fn sourced(&self, name: &str) -> &Sourced {
        &self.values[keys::position(name).expect("a name of the table")]
    }

    fn text(&self, name: &str) -> Option<&str> {
        match &self.sourced(name).value {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> u64 {
        match self.sourced(name).value {
            Some(Value::Number(number)) => number,
            _ => unreachable!("a key with a default holds what its kind says"),
        }
    }

    /// The device, as `--backend` takes it; a flag's word may be unknown.
    pub(super) fn backend(&self) -> &str {
        self.text("backend").expect("it has a default")
    }

    /// Whether each device is opened in a process of its own. Where the CPU alone computes, which cannot be, only a
    /// flag says so: that is a mistake, and the rest is meant for other devices.
    pub(super) fn isolate(&self) -> bool {
        let asked = matches!(self.origin("isolate"), Origin::Flag(_));
        let isolate = self.sourced("isolate").value == Some(Value::Switch(true));
        isolate && (asked || self.backend() != "cpu")
    }

    /// Least trust of a verdict.
    pub(super) fn trust(&self) -> Trust {
        let name = self.text("trust").expect("it has a default");
        name.parse().expect("the table has the words of the type")
    }

    /// Threads of the CPU backend; 0 is one a core.
    pub(super) fn threads(&self) -> usize {
        self.number("threads") as usize
    }

    /// Address of a Prometheus endpoint.
    pub(super) fn metrics(&self) -> Option<SocketAddr> {
        self.text("metrics").map(|text| text.parse().expect("checked when it was read"))
    }

    /// Path of the socket that a monitor reads.
    pub(super) fn monitor(&self) -> Option<&Path> {
        self.text("monitor").map(Path::new)
    }

    /// Folder for evidence; `None`: the engine's own.
    pub(super) fn proofs(&self) -> Option<&Path> {
        self.text("proofs").map(Path::new)
    }

    /// Bytes that tables of pinned keys may take.
    pub(super) fn pinned_bytes(&self) -> usize {
        self.number("pinned_bytes") as usize
    }

    /// Price of an hour of this machine.
    pub(super) fn price_per_hour(&self) -> Option<f64> {
        match self.sourced("price_per_hour").value {
            Some(Value::Decimal(price)) => Some(price),
            _ => None,
        }
    }

    /// Whether text for people is coloured, on a standard output that is a terminal or not.
    pub(super) fn color(&self, terminal: bool) -> bool {
        match self.text("color") {
            Some("always") => true,
            Some("never") => false,
            _ => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Bounds of what is in flight.
    pub(super) fn limits(&self) -> Limits {
        let number = |name| self.number(name) as usize;
        Limits {
            items: number("limits.items"),
            bytes: number("limits.bytes"),
            batches: number("limits.batches"),
            source: number("limits.source_percent") as u8,
            backlog: Duration::from_secs(self.number("limits.backlog_seconds")),
            ..Limits::default()
        }
    }

    /// Opens an engine on the devices that are set.
    ///
    /// # Errors
    /// As [`super::open_engine`]; a device that is absent comes with who named it.
    pub(super) fn open(&self) -> Result<Engine, Failure> {
        let opened = super::open_engine(self.builder(), self.backend(), self.isolate());
        opened.map_err(|failure| self.blame(failure))
    }

    /// Adds to a device's absence who named it, if no flag did.
    pub(super) fn blame(&self, failure: Failure) -> Failure {
        match self.origin("backend") {
            origin @ (Origin::File(..) | Origin::Variable(_))
                if failure.status == Status::Missing =>
            {
                let message = format!("{} (backend is set by {origin})", failure.message);
                Failure::new(failure.status, message)
            }
            _ => failure,
        }
    }

    /// An engine that is described so far; its devices are the command's part.
    pub(super) fn builder(&self) -> EngineBuilder {
        let builder = Engine::builder()
            .threads(self.threads())
            .trust(self.trust())
            .limits(self.limits())
            .pinned_bytes(self.pinned_bytes());
        match self.proofs() {
            Some(folder) => builder.proofs(folder),
            None => builder,
        }
    }
}

impl Default for Settings {
    /// What holds where nobody says anything.
    fn default() -> Settings {
        let default = |key: &Key| {
            let value =
                key.default.and_then(|text| key.read_text(text).expect("a key takes its default"));
            Sourced { value, origin: Origin::Default }
        };
        let values = KEYS.iter().map(default).collect();
        Settings { values, files: Vec::new(), warnings: Vec::new() }
    }
}

/// The files where none is named: the system's and the user's.
fn usual(around: &Surroundings) -> Vec<PathBuf> {
    let user = around.user_folder("XDG_CONFIG_HOME", ".config");
    let user = user.map(|folder| folder.join("sigmill").join("config.toml"));
    std::iter::once(PathBuf::from(SYSTEM)).chain(user).collect()
}

/// Reads one file alone, for what is wrong in it; gives the number of its settings.
///
/// # Errors
/// [`Trouble`]: it is not there, cannot be read, or says something wrong.
pub(super) fn check_file(path: &Path) -> Result<usize, Trouble> {
    let read = file::read(path, path)?;
    let missing = || Trouble::unreadable(format!("{}: no such file", path.display()));
    read.map(|entries| entries.len()).ok_or_else(missing)
}

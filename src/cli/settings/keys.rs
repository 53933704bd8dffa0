//! Every key: the one table that values, errors, help and the sample file come from.

use super::value::Kind;

/// A setting.
#[derive(Debug)]
pub(in crate::cli) struct Key {
    /// Its name in a file; after a dot its name in the table of that name.
    pub(in crate::cli) name: &'static str,
    /// What it takes.
    pub(super) kind: Kind,
    /// Its value where nobody says another, as a variable would say it; `None`: it is not set, which
    /// [`NONE`] says.
    pub(super) default: Option<&'static str>,
    /// A value for the sample file.
    pub(super) sample: &'static str,
    /// The flag that says it, where commands have one.
    pub(super) flag: Option<&'static str>,
    /// What it means, in one line.
    pub(super) about: &'static str,
}

/// Unsets a key that may be unset.
pub(super) const NONE: &str = "none";

/// What `--backend` takes.
pub(in crate::cli) const BACKENDS: [&str; 6] =
    ["auto", "cpu", "gpu", "gpu=software", "fpga", "fpga=sim"];

/// Most threads that `--threads` takes; without it every core has one, however many there are.
pub(in crate::cli) const THREADS_LIMIT: u64 = 1_024;

/// All of them; those of a table stand together, at the end.
pub(in crate::cli) const KEYS: [Key; 15] = [
    Key {
        name: "backend",
        kind: Kind::Word(&BACKENDS),
        default: Some("auto"),
        sample: "auto",
        flag: Some("--backend"),
        about: "device that computes; one that is named and absent ends a command with 4",
    },
    Key {
        name: "isolate",
        kind: Kind::Switch,
        default: Some("false"),
        sample: "false",
        flag: Some("--isolate"),
        about: "whether each device is opened in a process of its own",
    },
    Key {
        name: "trust",
        kind: Kind::Word(&["fast", "checked", "audited"]),
        default: Some("checked"),
        sample: "checked",
        flag: Some("--trust"),
        about: "what has to stand behind a device's verdict",
    },
    Key {
        name: "threads",
        kind: Kind::Number { least: 0, most: THREADS_LIMIT },
        default: Some("0"),
        sample: "0",
        flag: Some("--threads"),
        about: "threads of the CPU backend; 0 is one a core",
    },
    Key {
        name: "pinned_bytes",
        kind: Kind::Number { least: 0, most: 1 << 40 },
        default: Some("268435456"),
        sample: "268435456",
        flag: None,
        about: "bytes that the tables of all pinned keys may take",
    },
    Key {
        name: "proofs",
        kind: Kind::Path { limit: 4_095 },
        default: None,
        sample: "/var/lib/sigmill/proofs",
        flag: None,
        about: "folder for the evidence against a device that lied; without it the user's folder for state",
    },
    Key {
        name: "metrics",
        kind: Kind::Address,
        default: None,
        sample: "127.0.0.1:9464",
        flag: None,
        about: "address that serves Prometheus metrics; nothing is served without one",
    },
    Key {
        name: "monitor",
        // What a socket's address holds.
        kind: Kind::Path { limit: 107 },
        default: None,
        sample: "/run/sigmill/monitor.sock",
        flag: None,
        about: "path of the Unix socket that `sigmill top` reads; none is opened without one",
    },
    Key {
        name: "price_per_hour",
        kind: Kind::Decimal { most: 1e6 },
        default: None,
        sample: "1.25",
        flag: None,
        about: "price of an hour of this machine, in any currency, for the cost of a million items",
    },
    Key {
        name: "color",
        kind: Kind::Word(&["auto", "always", "never"]),
        default: Some("auto"),
        sample: "auto",
        flag: None,
        about: "colours on the terminal; auto: where output is one, and NO_COLOR is not set",
    },
    Key {
        name: "limits.items",
        kind: Kind::Number { least: 1, most: 1 << 32 },
        default: Some("16777216"),
        sample: "16777216",
        flag: None,
        about: "jobs in flight; what goes beyond is refused at once, as with the two below",
    },
    Key {
        name: "limits.bytes",
        kind: Kind::Number { least: 1 << 10, most: 1 << 40 },
        default: Some("2147483648"),
        sample: "2147483648",
        flag: None,
        about: "bytes in flight",
    },
    Key {
        name: "limits.batches",
        kind: Kind::Number { least: 1, most: 1 << 16 },
        default: Some("4096"),
        sample: "4096",
        flag: None,
        about: "batches in flight",
    },
    Key {
        name: "limits.source_percent",
        kind: Kind::Number { least: 1, most: 100 },
        default: Some("50"),
        sample: "50",
        flag: None,
        about: "percent of each of the three that one source may hold",
    },
    Key {
        name: "limits.backlog_seconds",
        kind: Kind::Number { least: 1, most: 86_400 },
        default: Some("60"),
        sample: "60",
        flag: None,
        about: "longest time that what waits may need, when more of no consensus comes",
    },
];

impl Key {
    /// The variable that says it.
    pub(in crate::cli) fn variable(&self) -> String {
        format!("SIGMILL_{}", self.name.to_uppercase().replace('.', "_"))
    }

    /// The table that it stands in, if any, and its name there.
    pub(in crate::cli) fn parts(&self) -> (Option<&'static str>, &'static str) {
        self.name.split_once('.').map_or((None, self.name), |(table, name)| (Some(table), name))
    }

    /// What it takes, in words.
    pub(super) fn takes(&self) -> String {
        let none = if self.default.is_none() { ", or \"none\"" } else { "" };
        format!("{}{none}", self.kind.takes())
    }
}

/// The position of a key.
pub(super) fn position(name: &str) -> Option<usize> {
    KEYS.iter().position(|key| key.name == name)
}

/// Names of the tables.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    let mut last = None;
    let tables = KEYS.iter().filter_map(|key| key.parts().0);
    tables.filter(move |table| last.replace(*table) != Some(*table))
}

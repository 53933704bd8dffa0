//! The kernel: clock, counters, locked memory. Folders and files of the user.

use std::path::{Path, PathBuf};

use super::check::{Check, shell};
use super::host::{Host, Use};
use crate::cli::nearest::quoted;
use crate::cli::settings::{Flags, Origin, Settings};

/// The clock that time is read from: one in the CPU is read without a system call.
pub(super) fn clock(host: &Host) -> Check {
    const NAME: &str = "clock";
    const FOLDER: &str = "/sys/devices/system/clocksource/clocksource0";
    let read = |name| host.around.text(format!("{FOLDER}/{name}"));
    let Some(current) = read("current_clocksource") else {
        return Check::ok(NAME, "the kernel does not name its clock");
    };
    let current = current.trim();
    if ["tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page"].contains(&current) {
        return Check::ok(NAME, format!("{current}, read without a system call"));
    }
    let found = format!("{}: each look at it is slow", quoted(current));
    let available = read("available_clocksource").unwrap_or_default();
    let better = available.split_whitespace().find(|name| ["tsc", "kvm-clock"].contains(name));
    let mend = better.map(|name| format!("echo {name} | sudo tee {FOLDER}/current_clocksource"));
    Check::advice(NAME, found).searched([format!("{FOLDER}/current_clocksource")]).mend_if(mend)
}

/// Whether a user may count cycles, for profiles.
pub(super) fn perf(host: &Host) -> Check {
    const NAME: &str = "perf";
    const FILE: &str = "/proc/sys/kernel/perf_event_paranoid";
    let level = host.around.text(FILE).and_then(|text| text.trim().parse::<i32>().ok());
    match level {
        None => {
            Check::advice(NAME, "the kernel has no counters: no profiles here").searched([FILE])
        }
        Some(level) if level <= 1 || host.user.id == 0 => {
            Check::ok(NAME, format!("level {level}: processes may be profiled, kernel time too"))
        }
        Some(level) => {
            Check::advice(NAME, format!("level {level}: profiles do not show kernel time"))
                .searched([FILE])
                .mend("sudo sysctl kernel.perf_event_paranoid=1")
        }
    }
}

/// The kernel's own default since Linux 5.16.
const MEMLOCK: u64 = 8 << 20;

/// How much memory may be locked. Sigmill locks none; drivers and asynchronous I/O count against it.
pub(super) fn memlock(host: &Host) -> Check {
    const NAME: &str = "memlock";
    match host.memlock {
        None => Check::ok(NAME, "no limit"),
        Some(bytes) if bytes >= MEMLOCK => {
            Check::ok(NAME, format!("{} MiB; Sigmill locks none, drivers may", bytes >> 20))
        }
        Some(bytes) => {
            let why = format!("{} KiB: a driver or asynchronous I/O may want more", bytes >> 10);
            Check::advice(NAME, why).mend(format!("ulimit -l {}", MEMLOCK >> 10))
        }
    }
}

/// Whether kernels and costs are remembered from run to run.
pub(super) fn caches(host: &Host) -> Check {
    const NAME: &str = "caches";
    let variable = host.around.variable("XDG_CACHE_HOME").map(Path::new);
    if let Some(relative) = variable.filter(|path| path.is_relative()) {
        let relative = quoted(&relative.to_string_lossy());
        let why = format!("XDG_CACHE_HOME is {relative}, which is not absolute: nothing is cached");
        return Check::advice(NAME, why).mend("unset XDG_CACHE_HOME");
    }
    let folder = host.around.user_folder("XDG_CACHE_HOME", ".cache");
    writable(host, NAME, folder.map(|folder| folder.join("sigmill")), "XDG_CACHE_HOME")
}

/// Whether evidence against a device that lies can be kept.
pub(super) fn proofs(host: &Host, settings: &Settings) -> Check {
    let usual = || {
        let state = host.around.user_folder("XDG_STATE_HOME", ".local/state");
        state.map(|folder| folder.join("sigmill").join("proofs"))
    };
    let folder = settings.proofs().map(Path::to_owned).or_else(usual);
    writable(host, "proofs", folder, "SIGMILL_PROOFS")
}

/// Whether files can be made in a folder, or it can be made.
fn writable(host: &Host, name: &'static str, folder: Option<PathBuf>, variable: &str) -> Check {
    let Some(folder) = folder else {
        let why = format!("neither HOME nor {variable} names a folder: nothing is kept");
        return Check::advice(name, why).mend(format!("export {variable}=/var/tmp/sigmill"));
    };
    let shown = folder.display().to_string();
    let there = folder.ancestors().find(|path| host.has(path)).unwrap_or(Path::new("/"));
    if !host.around.at(there).is_dir() {
        let why = format!("{} is no folder: nothing is kept below it", there.display());
        return Check::advice(name, why)
            .searched([shown])
            .mend(format!("rm -i {}", shell(&there.display().to_string())));
    }
    if host.may(there, Use::Fill) {
        return Check::ok(name, shown);
    }
    let why = format!("{} may not be written: nothing is kept in {shown}", there.display());
    let mend = if there == folder {
        format!("sudo chown -R $USER {}", shell(&shown))
    } else {
        format!("sudo install -d -o $USER {}", shell(&shown))
    };
    Check::advice(name, why).searched([shown]).mend(mend)
}

/// The command that leads to a mistake, from its place: `VARIABLE: ..`, `FILE:LINE: ..` or `FILE: ..`.
fn correct(wrong: &str) -> String {
    let place = wrong.split(": ").next().unwrap_or_default();
    if place.starts_with("SIGMILL_") {
        return format!("unset {place}");
    }
    match place.rsplit_once(':') {
        Some((file, line)) if line.parse::<usize>().is_ok() => edit(file, line),
        _ => format!("ls -ld {}", shell(place)),
    }
}

/// The command that leads to who set a value; a flag needs none.
pub(super) fn correct_origin(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Default | Origin::Flag(_) => None,
        Origin::Variable(name) => Some(format!("unset {name}")),
        Origin::File(path, line) => Some(edit(&path.display().to_string(), &line.to_string())),
    }
}

fn edit(file: &str, line: &str) -> String {
    format!("${{EDITOR:-vi}} +{line} {}", shell(file))
}

/// Whether files and variables of settings say something that is taken. The settings are the defaults where they do not.
pub(super) fn settings(host: &Host, flags: &Flags) -> (Settings, Check) {
    const NAME: &str = "settings";
    let settings = match Settings::read(flags, &host.around) {
        Ok(settings) => settings,
        Err(trouble) => {
            let check = Check::wrong(NAME, trouble.wrong.join("; "));
            return (Settings::default(), check.mend(correct(&trouble.wrong[0])));
        }
    };
    let files: Vec<_> = settings.files.iter().map(|(path, _)| path.display().to_string()).collect();
    let read: Vec<_> = settings.files.iter().filter(|(_, there)| *there).collect();
    let read: Vec<_> = read.iter().map(|(path, _)| path.display().to_string()).collect();
    let check = if let Some(warning) = settings.warnings.first() {
        let slip = warning.split_whitespace().find(|word| word.starts_with("SIG"));
        Check::advice(NAME, settings.warnings.join("; "))
            .mend_if(slip.map(|name| format!("unset {name}")))
    } else if read.is_empty() {
        Check::ok(NAME, "defaults: there is no file of settings")
    } else {
        Check::ok(NAME, read.join(", "))
    };
    (settings, check.searched(files))
}

//! What the machine says of itself, as far as it does.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The host that a result is of. What is not said is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    /// The processor's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Cores that this process may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<u64>,
    /// Bytes of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// What sets the first core's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// The highest clock of a core at the start, in kHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_khz: Option<u64>,
    /// Lowest clock that the first core can have, in kHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_min_khz: Option<u64>,
    /// Highest clock that the first core can have, in kHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_max_khz: Option<u64>,
    /// System and version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Cores' worth of time that the container may take (cgroup v2 `cpu.max`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_cores: Option<f64>,
    /// Of the minute before the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_average: Option<f64>,
}

impl Machine {
    /// Looks at this machine, or at files laid out like its own under another root.
    pub fn read(root: &Path) -> Self {
        let system = System(root);
        let first = |file: &str| format!("sys/devices/system/cpu/cpu0/cpufreq/{file}");
        Machine {
            cpu: system.model(),
            cores: std::thread::available_parallelism().ok().map(|cores| cores.get() as u64),
            memory_bytes: system.memory(),
            governor: system.text(&first("scaling_governor")),
            frequency_khz: system.frequency(),
            frequency_min_khz: system.number(&first("cpuinfo_min_freq")),
            frequency_max_khz: system.number(&first("cpuinfo_max_freq")),
            kernel: system.kernel(),
            quota_cores: system.quota(),
            load_average: system.load(),
        }
    }
}

/// The files in which Linux tells of the machine, under a root.
pub(super) struct System<'a>(pub &'a Path);

/// Time of all cores since the start, in the kernel's ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    /// All of it.
    pub all: u64,
    /// In which nothing ran.
    pub idle: u64,
    /// What the hypervisor gave to others.
    pub steal: u64,
    /// What this process had, children apart.
    pub own: Option<u64>,
}

impl System<'_> {
    /// A file without its last line break; none if it is not there or empty.
    fn text(&self, file: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.0.join(file)).ok()?;
        let text = text.trim_end();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn number(&self, file: &str) -> Option<u64> {
        self.text(file)?.parse().ok()
    }

    /// The value of the first line `name: value`.
    fn field(&self, file: &str, name: &str) -> Option<String> {
        let text = self.text(file)?;
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    }

    fn model(&self) -> Option<String> {
        let named = self.field("proc/cpuinfo", "model name");
        // ARM's kernels name no model; its device trees name the board.
        let board = || self.text("proc/device-tree/model");
        named.or_else(board).map(|name| name.trim_end_matches('\0').to_owned())
    }

    fn memory(&self) -> Option<u64> {
        let total = self.field("proc/meminfo", "MemTotal")?;
        let kib: u64 = total.strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1_024)
    }

    fn kernel(&self) -> Option<String> {
        let version = self.text("proc/sys/kernel/osrelease")?;
        let system = self.text("proc/sys/kernel/ostype").unwrap_or_else(|| "Linux".to_owned());
        Some(format!("{system} {version}"))
    }

    /// The least quota from this process's group up to the root.
    fn quota(&self) -> Option<f64> {
        let groups = self.text("proc/self/cgroup")?;
        let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let limit = |group: &Path| {
            let file = Path::new("sys/fs/cgroup").join(group).join("cpu.max");
            let text = self.text(file.to_str()?)?;
            let (quota, period) = text.split_once(' ')?;
            let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
            (period > 0.0).then(|| quota / period)
        };
        Path::new(own).ancestors().filter_map(limit).reduce(f64::min)
    }

    fn load(&self) -> Option<f64> {
        self.text("proc/loadavg")?.split(' ').next()?.parse().ok()
    }

    /// The folders of the cores.
    fn cores(&self) -> impl Iterator<Item = String> {
        let cores = std::fs::read_dir(self.0.join("sys/devices/system/cpu"));
        cores.into_iter().flatten().filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let number = name.strip_prefix("cpu")?;
            number.parse::<u32>().ok()?;
            Some(format!("sys/devices/system/cpu/{name}"))
        })
    }

    /// The highest clock of a core now, in kHz.
    pub fn frequency(&self) -> Option<u64> {
        let of = |core: String| self.number(&format!("{core}/cpufreq/scaling_cur_freq"));
        self.cores().filter_map(of).max()
    }

    /// How often the cores and their packages were slowed for their heat since the start.
    pub fn throttles(&self) -> Option<u64> {
        let of = |core: String| {
            let counts = ["core_throttle_count", "package_throttle_count"];
            let count = |name: &&str| self.number(&format!("{core}/thermal_throttle/{name}"));
            counts.iter().filter_map(count).reduce(u64::saturating_add)
        };
        self.cores().filter_map(of).reduce(u64::saturating_add)
    }

    /// Time of all cores, and how much of it others had.
    pub fn ticks(&self) -> Option<Ticks> {
        let text = self.text("proc/stat")?;
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        // user, nice, system, idle, iowait, irq, softirq, steal; guests' time is in user's already.
        let times: Vec<u64> =
            line.split_whitespace().take(8).filter_map(|time| time.parse().ok()).collect();
        let &[_, _, _, idle, waiting, _, _, steal] = times.as_slice() else { return None };
        let all = times.iter().fold(0, |sum: u64, time| sum.saturating_add(*time));
        Some(Ticks { all, idle: idle.saturating_add(waiting), steal, own: self.own_ticks() })
    }

    fn own_ticks(&self) -> Option<u64> {
        let text = self.text("proc/self/stat")?;
        // The name, in parentheses, may hold anything; after it come ten fields, then user and system time.
        let (_, fields) = text.rsplit_once(')')?;
        let mut times = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        times.next()?.ok()?.checked_add(times.next()?.ok()?)
    }
}

#[cfg(test)]
pub(super) mod tests;

//! The CPU: level, quota, frequency.

use sigmill::isa::Isa;

use super::check::Check;
use super::host::Host;
use super::packages::Need;
use crate::cli::nearest::quoted;
use crate::cli::settings::Settings;

/// The level of the kernels, and whether a lower one is forced.
pub(super) fn level(host: &Host) -> Check {
    const NAME: &str = "cpu-level";
    let all: Vec<_> = Isa::all().iter().map(Isa::to_string).collect();
    let best = all.last().expect("portable is always there");
    let sha = Isa::all().iter().any(|isa| isa.sha().is_some());
    let sha = if sha { ", SHA extensions" } else { "" };
    let Some(forced) = host.around.raw("SIGMILL_ISA") else {
        return match best.as_str() {
            "portable" => {
                let why = "portable: the CPU has no vectors that the kernels use (AVX2, AVX-512 IFMA, NEON)";
                Check::advice(NAME, why)
            }
            best => Check::ok(NAME, format!("{best}, the best of {}{sha}", all.join(", "))),
        };
    };
    let forced = forced.to_string_lossy();
    if !all.iter().any(|level| *level == forced) {
        let why =
            format!("SIGMILL_ISA forces {}; this CPU has {}", quoted(&forced), all.join(", "));
        return Check::wrong(NAME, why).mend("unset SIGMILL_ISA");
    }
    if forced == best.as_str() {
        return Check::ok(NAME, format!("{best}{sha}; SIGMILL_ISA forces it"));
    }
    let why = format!("SIGMILL_ISA forces {forced}; this CPU has {best}");
    Check::advice(NAME, why).mend("unset SIGMILL_ISA")
}

/// Cores that are there, as the kernel lists them: `0-3,8`.
fn cores(host: &Host) -> Option<usize> {
    let online = host.around.text("/sys/devices/system/cpu/online")?;
    let ranges = online.trim().split(',').map(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
        to.checked_sub(from)?.checked_add(1)
    });
    ranges.sum()
}

/// The least quota of the process's control groups, in cores, and the group that sets it.
fn quota(host: &Host) -> Option<(f64, String)> {
    let groups = host.around.text("/proc/self/cgroup")?;
    let mut least: Option<(f64, String)> = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let base = match controllers {
            "" => "/sys/fs/cgroup".to_owned(),
            _ if controllers.split(',').any(|name| name == "cpu") => {
                format!("/sys/fs/cgroup/{controllers}")
            }
            _ => continue,
        };
        // In a container the path may be the host's; the container's own group is then the root.
        for group in std::path::Path::new(path).ancestors() {
            let group = group.to_string_lossy();
            let folder = format!("{base}{}", group.trim_end_matches('/'));
            let text = |name| host.around.text(format!("{folder}/{name}"));
            let numbers = text("cpu.max").or_else(|| {
                Some(
                    text("cpu.cfs_quota_us")?.trim().to_owned() + " " + &text("cpu.cfs_period_us")?,
                )
            });
            let Some(numbers) = numbers else { continue };
            let mut numbers = numbers.split_whitespace().map(str::parse::<f64>);
            if let (Some(Ok(time)), Some(Ok(period))) = (numbers.next(), numbers.next())
                && time > 0.0
                && period > 0.0
                && least.as_ref().is_none_or(|(cores, _)| time / period < *cores)
            {
                least = Some((time / period, folder));
            }
        }
    }
    least
}

/// How many cores the process may use, beside how many there are.
pub(super) fn share(host: &Host, settings: &Settings) -> Check {
    const NAME: &str = "cpu-quota";
    let Some(cores) =
        cores(host).or_else(|| std::thread::available_parallelism().ok().map(Into::into))
    else {
        return Check::ok(NAME, "the number of cores is unknown");
    };
    let threads = settings.threads();
    let Some((quota, group)) = quota(host).filter(|(quota, _)| *quota < cores as f64) else {
        if threads > cores {
            let why = format!("{threads} threads are set, and there are {cores} cores");
            return Check::advice(NAME, why).mend("export SIGMILL_THREADS=0");
        }
        return Check::ok(NAME, format!("{cores} cores, no quota below that"));
    };
    let found = format!("{quota:.1} of {cores} cores: the control group {group} allows no more");
    if threads as f64 > quota.ceil() {
        let mend = format!("export SIGMILL_THREADS={}", quota.ceil());
        return Check::advice(NAME, format!("{found}, and {threads} threads are set")).mend(mend);
    }
    let unit = group.rsplit('/').next().unwrap_or_default();
    let is_unit = [".service", ".scope", ".slice"].iter().any(|end| unit.ends_with(end));
    let plain = unit.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c));
    let mend = match () {
        () if is_unit && plain => Some(format!("sudo systemctl set-property {unit} CPUQuota=")),
        () if host.is_container() => Some(format!("docker update --cpus {cores} $HOSTNAME")),
        () => None,
    };
    Check::advice(NAME, found).mend_if(mend)
}

/// Whether the frequency waits for load.
pub(super) fn governor(host: &Host) -> Check {
    const NAME: &str = "cpu-governor";
    const FOLDER: &str = "/sys/devices/system/cpu";
    let governor = |cpu: &String| {
        let text = host.around.text(format!("{FOLDER}/{cpu}/cpufreq/scaling_governor"))?;
        Some(text.trim().to_owned())
    };
    let all: Vec<_> = host.around.list(FOLDER).iter().filter_map(governor).collect();
    match all.iter().find(|name| *name != "performance") {
        _ if all.is_empty() => {
            Check::ok(NAME, "the kernel governs no frequency (a virtual machine, or fixed clocks)")
        }
        None => Check::ok(NAME, format!("performance, on {} cores", all.len())),
        Some(other) => {
            let slow = all.iter().filter(|name| *name != "performance").count();
            let other = quoted(other);
            let why =
                format!("{other} on {slow} of {} cores: small batches find slow clocks", all.len());
            let has = ["/usr/bin/cpupower", "/usr/sbin/cpupower", "/bin/cpupower"];
            let set = "sudo cpupower frequency-set -g performance";
            let install = (!has.iter().any(|path| host.has(path)))
                .then(|| host.install(Need::Cpupower))
                .flatten();
            let mend = install.map_or(set.to_owned(), |install| format!("{install} && {set}"));
            let path = format!("{FOLDER}/cpu*/cpufreq/scaling_governor");
            Check::advice(NAME, why).searched([path]).mend(mend)
        }
    }
}

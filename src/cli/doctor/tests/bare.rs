//! CPU, kernel, folders, settings.

use super::*;

#[test]
fn a_bare_machine_gets_advice_and_no_alarm() {
    let machine = Machine::new("bare");
    let (_, checks) = examine(&machine.host(), &Flags::default());
    assert!(checks.iter().all(|check| check.state != State::Wrong), "{checks:?}");
    let loader = machine.check("vulkan-loader");
    judge(&loader, State::Missing, "libvulkan.so.1", Some("sudo apt-get install -y libvulkan1"));
    assert!(loader.searched.contains(&"/usr/lib".to_owned()));
    let drivers = machine.check("vulkan-drivers");
    let mend = Some("sudo apt-get install -y mesa-vulkan-drivers");
    judge(&drivers, State::Missing, "no manifest names a driver", mend);
    assert!(drivers.searched.contains(&"/usr/share/vulkan/icd.d".to_owned()));
    judge(&machine.check("gpu"), State::Missing, "no GPU", None);
    for absent in ["render-nodes", "nvidia"] {
        assert_eq!(machine.find(absent), None);
    }
    let mut names: Vec<_> = checks.iter().map(|check| check.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), checks.len(), "a name is one check's");
}

#[test]
fn forced_levels_are_named() {
    let machine = Machine::new("level").set("SIGMILL_ISA", "mmx\u{1b}");
    judge(
        &machine.check("cpu-level"),
        State::Wrong,
        "forces `mmx\\u{1b}`",
        Some("unset SIGMILL_ISA"),
    );
    let machine = Machine::new("level-none").set("SIGMILL_ISA", "");
    judge(&machine.check("cpu-level"), State::Wrong, "forces ``", Some("unset SIGMILL_ISA"));
    let machine = Machine::new("level-low").set("SIGMILL_ISA", "portable");
    let check = machine.check("cpu-level");
    assert!(check.found.contains("portable"));
    assert_eq!(check.state == State::Advice, sigmill::isa::Isa::all().len() > 1, "{check:?}");
}

#[test]
fn quotas_are_found_in_both_versions_of_control_groups() {
    let cores = |name| Machine::new(name).file("sys/devices/system/cpu/online", "0-14,16\n");
    judge(&cores("free").check("cpu-quota"), State::Ok, "16 cores", None);
    let machine = cores("second")
        .file("proc/self/cgroup", "0::/system.slice/sigmill.service\n")
        .file("sys/fs/cgroup/system.slice/sigmill.service/cpu.max", "250000 100000\n")
        .file("sys/fs/cgroup/system.slice/cpu.max", "max 100000\n");
    let mend = "sudo systemctl set-property sigmill.service CPUQuota=";
    judge(&machine.check("cpu-quota"), State::Advice, "2.5 of 16 cores", Some(mend));
    let machine = machine.set("SIGMILL_THREADS", "8");
    let mend = Some("export SIGMILL_THREADS=3");
    judge(&machine.check("cpu-quota"), State::Advice, "8 threads are set", mend);
    let machine = cores("first")
        .file("proc/self/cgroup", "3:memory:/a\n2:cpu,cpuacct:/docker/0\n")
        .file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "400000\n")
        .file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
        .file(".dockerenv", "");
    let mend = Some("docker update --cpus 16 $HOSTNAME");
    judge(&machine.check("cpu-quota"), State::Advice, "4.0 of 16 cores", mend);
    let machine = cores("unlimited")
        .file("proc/self/cgroup", "1:cpu:/\n")
        .file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
        .file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    judge(&machine.check("cpu-quota"), State::Ok, "16 cores", None);
    let machine = cores("many").set("SIGMILL_THREADS", "17");
    judge(
        &machine.check("cpu-quota"),
        State::Advice,
        "17 threads",
        Some("export SIGMILL_THREADS=0"),
    );
}

#[test]
fn governor_clock_counters_and_locked_memory() {
    let governor = |name, second| {
        let file = |cpu| format!("sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor");
        Machine::new(name).file(&file(0), "performance\n").file(&file(1), second)
    };
    judge(&governor("fast", "performance\n").check("cpu-governor"), State::Ok, "on 2 cores", None);
    let machine = governor("slow", "powersave\n");
    let set = "sudo cpupower frequency-set -g performance";
    let install = format!("sudo apt-get install -y linux-cpupower && {set}");
    judge(&machine.check("cpu-governor"), State::Advice, "`powersave` on 1 of 2", Some(&install));
    let machine = machine.file("usr/bin/cpupower", "");
    judge(&machine.check("cpu-governor"), State::Advice, "powersave", Some(set));

    const CLOCK: &str = "sys/devices/system/clocksource/clocksource0";
    let clock = |name, current, available| {
        Machine::new(name)
            .file(&format!("{CLOCK}/current_clocksource"), current)
            .file(&format!("{CLOCK}/available_clocksource"), available)
    };
    judge(&clock("tsc", "tsc\n", "tsc hpet\n").check("clock"), State::Ok, "tsc", None);
    let mend = format!("echo tsc | sudo tee /{CLOCK}/current_clocksource");
    judge(
        &clock("hpet", "hpet\n", "tsc hpet\n").check("clock"),
        State::Advice,
        "hpet",
        Some(&mend),
    );
    judge(&clock("alone", "hpet\n", "hpet acpi_pm\n").check("clock"), State::Advice, "hpet", None);

    let perf = |level: &str| {
        let name = format!("perf{level}");
        Machine::new(&name).file("proc/sys/kernel/perf_event_paranoid", level).check("perf")
    };
    judge(&perf("-1"), State::Ok, "level -1", None);
    judge(&perf("3"), State::Advice, "level 3", Some("sudo sysctl kernel.perf_event_paranoid=1"));

    let mut host = Machine::new("memlock").host();
    host.memlock = Some(64 << 10);
    judge(&system::memlock(&host), State::Advice, "64 KiB", Some("ulimit -l 8192"));
    host.memlock = Some(8 << 20);
    judge(&system::memlock(&host), State::Ok, "8 MiB", None);
}

#[test]
fn folders_have_to_be_writable() {
    let machine = Machine::new("folders").file("home/u/.cache/a", "").set("HOME", "/home/u");
    let machine = machine.mode("home/u/.cache", 0o755).mode("home/u", 0o777);
    let mend = "sudo install -d -o $USER /home/u/.cache/sigmill";
    judge(&machine.check("caches"), State::Advice, "/home/u/.cache may not be written", Some(mend));
    judge(&machine.check("proofs"), State::Ok, "/home/u/.local/state/sigmill/proofs", None);
    let machine = machine.mode("home/u/.cache", 0o777);
    judge(&machine.check("caches"), State::Ok, "/home/u/.cache/sigmill", None);
    let machine = machine.file("home/u/.cache/sigmill", "a file");
    let mend = Some("rm -i /home/u/.cache/sigmill");
    judge(&machine.check("caches"), State::Advice, "is no folder", mend);
    let machine = machine.set("XDG_CACHE_HOME", "relative");
    judge(&machine.check("caches"), State::Advice, "not absolute", Some("unset XDG_CACHE_HOME"));
    let machine = Machine::new("homeless");
    let mend = Some("export XDG_CACHE_HOME=/var/tmp/sigmill");
    judge(&machine.check("caches"), State::Advice, "neither HOME nor", mend);
}

#[test]
fn settings_are_judged_and_used() {
    let machine = Machine::new("settings").file("etc/sigmill/config.toml", "\nthread = 3\n");
    let mend = Some("${EDITOR:-vi} +2 /etc/sigmill/config.toml");
    judge(&machine.check("settings"), State::Wrong, "unknown key `thread`", mend);
    let machine = machine.file("etc/sigmill/config.toml", "threads = 3\n");
    judge(&machine.check("settings"), State::Ok, "/etc/sigmill/config.toml", None);
    let machine = machine.set("SIGMILL_TRST", "fast");
    judge(
        &machine.check("settings"),
        State::Advice,
        "SIGMILL_TRUST would",
        Some("unset SIGMILL_TRST"),
    );
    let machine = machine.set("SIGMILL_THREADS", "x");
    judge(&machine.check("settings"), State::Wrong, "found `x`", Some("unset SIGMILL_THREADS"));
    let machine = Machine::new("named").set("SIGMILL_CONFIG", "/no file");
    judge(&machine.check("settings"), State::Wrong, "no such file", Some("ls -ld '/no file'"));
}

#[test]
fn commands_quote_their_words() {
    assert_eq!(shell("/dev/xdma0"), "/dev/xdma0");
    assert_eq!(shell("a b'$(c)"), "'a b'\\''$(c)'");
    assert_eq!(shell(""), "''");
}

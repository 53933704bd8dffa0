use std::path::{Path, PathBuf};

use super::*;

/// A folder of made-up files, gone with this.
pub(in crate::cli) struct Made(PathBuf);

impl Made {
    pub fn new(name: &str) -> Self {
        let name = format!("sigmill-made-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        Made(folder)
    }

    pub fn root(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_machine_is_read_from_its_files() {
    let files = Made::new("machine");
    files.write("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nflags\t: a b\n");
    files.write("proc/meminfo", "MemTotal:       16 kB\nMemFree: 1 kB\n");
    files.write("proc/loadavg", "1.25 0.50 0.10 1/100 4242\n");
    files.write("proc/sys/kernel/osrelease", "6.1.0\n");
    files.write("proc/sys/kernel/ostype", "Linux\n");
    files.write("proc/stat", "cpu  10 1 5 80 2 0 1 4 0 0\ncpu0 10 1 5 80 2 0 1 4 0 0\n");
    files.write("proc/self/cgroup", "1:name=old:/x\n0::/pod/one\n");
    files.write("sys/fs/cgroup/pod/one/cpu.max", "max 100000\n");
    files.write("sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
    for (core, clock) in [("cpu0", "2000000"), ("cpu1", "3500000"), ("cpuidle", "9")] {
        let core = format!("sys/devices/system/cpu/{core}");
        files.write(&format!("{core}/cpufreq/scaling_cur_freq"), clock);
        files.write(&format!("{core}/thermal_throttle/core_throttle_count"), "3\n");
        files.write(&format!("{core}/thermal_throttle/package_throttle_count"), "1\n");
    }
    let first = "sys/devices/system/cpu/cpu0/cpufreq";
    files.write(&format!("{first}/scaling_governor"), "powersave\n");
    files.write(&format!("{first}/cpuinfo_min_freq"), "400000\n");
    files.write(&format!("{first}/cpuinfo_max_freq"), "4000000\n");
    let machine = Machine::read(files.root());
    assert_eq!(
        machine,
        Machine {
            cpu: Some("Some CPU @ 3 GHz".to_owned()),
            cores: machine.cores,
            memory_bytes: Some(16_384),
            governor: Some("powersave".to_owned()),
            frequency_khz: Some(3_500_000),
            frequency_min_khz: Some(400_000),
            frequency_max_khz: Some(4_000_000),
            kernel: Some("Linux 6.1.0".to_owned()),
            quota_cores: Some(1.5),
            load_average: Some(1.25),
        }
    );
    let system = System(files.root());
    assert_eq!(system.throttles(), Some(8));
    let ticks = Ticks { all: 103, idle: 82, steal: 4, own: None };
    assert_eq!(system.ticks(), Some(ticks));
    files.write("proc/self/stat", "42 (a) b) S 1 2 3 4 5 6 7 8 9 10 6 2 0 0 20 0\n");
    assert_eq!(system.ticks(), Some(Ticks { own: Some(8), ..ticks }));
}

#[test]
fn what_is_absent_or_broken_is_left_out() {
    let files = Made::new("nothing");
    let cores = Machine::read(files.root()).cores;
    assert_eq!(Machine::read(files.root()), Machine { cores, ..Machine::default() });
    files.write("proc/cpuinfo", "processor : 0\n");
    files.write("proc/meminfo", "MemTotal: lots\n");
    files.write("proc/loadavg", "");
    files.write("proc/stat", "cpu 1 2\n");
    files.write("proc/self/cgroup", "0::/\n");
    files.write("sys/fs/cgroup/cpu.max", "100000\n");
    files.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "<unknown>\n");
    assert_eq!(Machine::read(files.root()), Machine { cores, ..Machine::default() });
    let system = System(files.root());
    assert_eq!((system.throttles(), system.ticks(), system.frequency()), (None, None, None));
}

//! What the machine's own counters say of energy.

use std::path::{Path, PathBuf};

/// A counter that only rises.
pub(super) enum Meter {
    /// Of all packages: what the cores take beside us is counted too.
    Rapl(Vec<Package>),
    /// Of the only NVIDIA GPU.
    #[cfg(feature = "nvml")]
    Nvml(Box<nvml_wrapper::Nvml>),
}

/// A package's counter, which begins anew at its range.
pub(super) struct Package {
    counter: PathBuf,
    range_uj: u64,
}

/// Counters at one instant, in microjoules.
pub(super) type Reading = Vec<u64>;

impl Meter {
    /// That of the CPU, where it can be read: on many systems by root alone.
    pub fn cpu(root: &Path) -> Option<Self> {
        let folders = std::fs::read_dir(root.join("sys/class/powercap")).ok()?;
        let packages: Vec<_> = folders
            .filter_map(Result::ok)
            .filter(|folder| {
                // Whole packages are intel-rapl:0, intel-rapl:1; their parts have another colon.
                let name = folder.file_name();
                let name = name.to_string_lossy();
                name.starts_with("intel-rapl:") && name.matches(':').count() == 1
            })
            .filter_map(|folder| {
                let counter = folder.path().join("energy_uj");
                number(&counter)?;
                let range_uj = number(&folder.path().join("max_energy_range_uj"))?;
                Some(Package { counter, range_uj })
            })
            .collect();
        (!packages.is_empty()).then_some(Meter::Rapl(packages))
    }

    /// That of the GPU, if NVIDIA's library is installed and knows one.
    pub fn gpu() -> Option<Self> {
        #[cfg(feature = "nvml")]
        {
            let nvml = nvml_wrapper::Nvml::init().ok()?;
            if nvml.device_count().ok()? != 1 {
                // Which of them computes is not known.
                return None;
            }
            let meter = Meter::Nvml(Box::new(nvml));
            meter.read().is_some().then_some(meter)
        }
        #[cfg(not(feature = "nvml"))]
        None
    }

    /// Its name, as the document has it.
    pub fn source(&self) -> &'static str {
        match self {
            Meter::Rapl(_) => "rapl",
            #[cfg(feature = "nvml")]
            Meter::Nvml(_) => "nvml",
        }
    }

    /// The counters now.
    pub fn read(&self) -> Option<Reading> {
        match self {
            Meter::Rapl(packages) => packages.iter().map(|p| number(&p.counter)).collect(),
            #[cfg(feature = "nvml")]
            Meter::Nvml(nvml) => {
                let millijoules = nvml.device_by_index(0).ok()?.total_energy_consumption().ok()?;
                Some(vec![millijoules.saturating_mul(1_000)])
            }
        }
    }

    /// Joules since the reading.
    pub fn since(&self, before: &Reading) -> Option<f64> {
        let now = self.read()?;
        let taken = before.iter().zip(&now).enumerate().map(|(index, (before, now))| match self {
            Meter::Rapl(packages) if now < before => {
                now + packages[index].range_uj.saturating_sub(*before)
            }
            _ => now.saturating_sub(*before),
        });
        Some(taken.sum::<u64>() as f64 / 1e6)
    }
}

fn number(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::machine::tests::Made;

    #[test]
    fn packages_are_summed_and_a_counter_may_begin_anew() {
        let files = Made::new("energy");
        let counter = |package: &str| format!("sys/class/powercap/intel-rapl:{package}/energy_uj");
        for package in ["0", "1", "0:0"] {
            files.write(&counter(package), "900\n");
            let range = format!("sys/class/powercap/intel-rapl:{package}/max_energy_range_uj");
            files.write(&range, "1000\n");
        }
        let meter = Meter::cpu(files.root()).expect("counters");
        let before = meter.read().expect("numbers");
        assert_eq!((before.len(), meter.source()), (2, "rapl"));
        files.write(&counter("0"), "100\n");
        files.write(&counter("1"), "950\n");
        files.write(&counter("0:0"), "5000\n");
        assert_eq!(meter.since(&before), Some(250e-6));
        assert!(Meter::cpu(&files.root().join("nowhere")).is_none());
    }
}

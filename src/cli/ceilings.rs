//! What devices do at most, as documents and lists tell it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sigmill::backend;
use sigmill::error::EngineError;
use sigmill::isa::Isa;
use sigmill::{Algorithm, backend::ceiling};

use super::units::count;

/// The limits of one device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Ceiling {
    /// As `--backend` takes it.
    pub device: String,
    /// Which multiplication is counted.
    pub what: String,
    /// Such multiplications a second of the whole device, of a CPU on the threads in use.
    pub multiplies_per_second: f64,
    /// The same of one thread of the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiplies_per_second_one: Option<f64>,
    /// How fast bytes move.
    pub copy_bytes_per_second: CopyRates,
    /// Jobs a second that the multiplications alone would allow, by the algorithm's name without rule.
    pub ideal_jobs_per_second: BTreeMap<String, f64>,
}

/// Bytes a second, where the device has such a way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct CopyRates {
    /// From memory to memory, by all threads in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// From the host's memory to the device's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_device: Option<f64>,
    /// From the device's memory to the host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_device: Option<f64>,
}

impl From<ceiling::Ceiling> for Ceiling {
    fn from(found: ceiling::Ceiling) -> Ceiling {
        let ideal =
            |algorithm: Algorithm| Some((algorithm.name().to_owned(), found.ideal(algorithm)?));
        let ideal_jobs_per_second = Algorithm::ALL.into_iter().filter_map(ideal).collect();
        let ceiling::CopyRates { memory, to_device, from_device } = found.copy_bytes_per_second;
        Ceiling {
            device: found.device,
            what: found.what.to_owned(),
            multiplies_per_second: found.multiplies_per_second,
            multiplies_per_second_one: found.multiplies_per_second_one,
            copy_bytes_per_second: CopyRates { memory, to_device, from_device },
            ideal_jobs_per_second,
        }
    }
}

impl Ceiling {
    /// A rate over what the multiplications alone would allow.
    pub fn share(&self, algorithm: &str, jobs_per_second: f64) -> Option<f64> {
        Some(jobs_per_second / self.ideal_jobs_per_second.get(algorithm)?)
    }

    /// Jobs a second that the multiplications alone of one thread of a CPU would allow, or of another device as a whole.
    pub fn ideal_of_one(&self, algorithm: &str) -> Option<f64> {
        let all = self.multiplies_per_second;
        let part = self.multiplies_per_second_one.map_or(1.0, |one| one / all);
        Some(part * self.ideal_jobs_per_second.get(algorithm)?)
    }

    /// For people: the limits, then the signatures that they allow.
    pub fn lines(&self) -> [String; 2] {
        let mut limits = vec![format!("{}/s {}", count(self.multiplies_per_second), self.what)];
        if let Some(one) = self.multiplies_per_second_one {
            limits.push(format!("{}/s on one thread", count(one)));
        }
        let CopyRates { memory, to_device, from_device } = self.copy_bytes_per_second;
        for (rate, what) in [(memory, "copied in memory"), (to_device, "up"), (from_device, "down")]
        {
            limits.extend(rate.map(|rate| format!("{}B/s {what}", count(rate))));
        }
        let note = match self.device.as_str() {
            "gpu=software" => " (a driver in software, on the CPU's cores)",
            "fpga" | "fpga=sim" => " (by its clock, not measured)",
            _ => "",
        };
        let jobs = self.ideal_jobs_per_second.iter();
        let jobs: Vec<_> = jobs.map(|(name, rate)| format!("{name} {}/s", count(*rate))).collect();
        [
            format!("limits{note}: {}", limits.join(", ")),
            format!("by its multiplications alone: {}", jobs.join(", ")),
        ]
    }
}

/// Measures devices, each for about `span`, the CPU on so many threads (0: one a core); `tell` hears which is next. One
/// that is known not, or that fails, is left out; the failure goes to standard error.
pub(in crate::cli) fn measure<'a>(
    devices: impl IntoIterator<Item = &'a str>,
    threads: usize,
    span: Duration,
    tell: impl Fn(&str),
) -> Vec<Ceiling> {
    let one = |device| {
        tell(device);
        let found = measure_one(device, threads, span).unwrap_or_else(|error| {
            eprintln!("sigmill: limits of {device} not measured: {error}");
            None
        });
        found.map(Ceiling::from)
    };
    devices.into_iter().filter_map(one).collect()
}

fn measure_one(
    device: &str,
    threads: usize,
    span: Duration,
) -> Result<Option<ceiling::Ceiling>, EngineError> {
    match device {
        "cpu" => backend::cpu::ceiling(Isa::detect()?, threads, span).map(Some),
        #[cfg(feature = "gpu")]
        "gpu" => backend::gpu::ceiling(backend::gpu::Adapter::Hardware, None, span).map(Some),
        #[cfg(feature = "gpu")]
        "gpu=software" => {
            backend::gpu::ceiling(backend::gpu::Adapter::Software, None, span).map(Some)
        }
        #[cfg(feature = "fpga")]
        "fpga" => Ok(backend::fpga::ceiling(&backend::fpga::Options::configured()?)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_with_their_units() {
        let ceiling = Ceiling {
            device: "gpu=software".to_owned(),
            what: "u32 product".to_owned(),
            multiplies_per_second: 12.34e9,
            copy_bytes_per_second: CopyRates {
                to_device: Some(1.5e9),
                from_device: Some(345e6),
                memory: None,
            },
            ideal_jobs_per_second: [("schnorr-bip340".to_owned(), 98_765.0)].into(),
            ..Ceiling::default()
        };
        assert_eq!(
            ceiling.lines(),
            [
                "limits (a driver in software, on the CPU's cores): 12.3G/s u32 product, 1.5GB/s up, \
                 345MB/s down",
                "by its multiplications alone: schnorr-bip340 98.8k/s",
            ]
        );
        assert_eq!(ceiling.share("schnorr-bip340", 98_765.0 / 4.0), Some(0.25));
        assert_eq!(ceiling.share("sha256", 1.0), None);
    }

    #[test]
    fn devices_without_limits_are_left_out() {
        assert_eq!(measure(["null", "fpga=sim"], 1, Duration::ZERO, |_| {}), []);
    }
}

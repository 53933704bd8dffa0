//! What a device does at most: integer multiplications a second, bytes copied a second, and the signatures a second that
//! its multiplications alone would allow.
//!
//! The limit counts nothing but the multiplications of the field's products: no additions, carries, memory or transfers.
//! How near a device comes to it says how much is left to gain in its kernels; it is no promise.

use std::collections::BTreeMap;

use crate::algorithm::Algorithm;

/// A device's limits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ceiling {
    /// The device's name, as `--backend` takes it.
    pub device: String,
    /// Which multiplication is counted.
    pub what: &'static str,
    /// Such multiplications a second of the whole device: of a CPU by all threads that were asked for at once.
    pub multiplies_per_second: f64,
    /// The same of one thread alone; `None` for what has no threads of the host.
    pub multiplies_per_second_one: Option<f64>,
    /// Such multiplications that a job takes, by [`Algorithm::name`]; signature algorithms alone.
    pub multiplies_per_job: BTreeMap<&'static str, f64>,
    /// How fast bytes move.
    pub copy_bytes_per_second: CopyRates,
}

/// Bytes a second, each counted once though it is read and written; `None` where the device has no such way, or its
/// rate is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CopyRates {
    /// From memory to memory, by all threads.
    pub memory: Option<f64>,
    /// From the host's memory to the device's.
    pub to_device: Option<f64>,
    /// From the device's memory to the host's.
    pub from_device: Option<f64>,
}

impl Ceiling {
    /// Jobs a second that the whole device's multiplications alone would allow; `None` for an algorithm that is not
    /// counted.
    pub fn ideal(&self, algorithm: Algorithm) -> Option<f64> {
        Some(self.multiplies_per_second / self.multiplies_per_job.get(algorithm.name())?)
    }

    /// The same of one thread.
    pub fn ideal_one(&self, algorithm: Algorithm) -> Option<f64> {
        Some(self.multiplies_per_second_one? / self.multiplies_per_job.get(algorithm.name())?)
    }
}

/// [`Ceiling::multiplies_per_job`] from what one job of an algorithm takes, if it is counted.
pub(crate) fn per_job(
    multiplies: impl Fn(Algorithm) -> Option<f64>,
) -> BTreeMap<&'static str, f64> {
    let each = |algorithm: Algorithm| Some((algorithm.name(), multiplies(algorithm)?));
    Algorithm::ALL.into_iter().filter_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::EcdsaRule;

    #[test]
    fn the_ideal_is_the_rate_by_what_a_job_takes() {
        let multiplies = |algorithm: Algorithm| match algorithm {
            Algorithm::EcdsaSecp256k1(_) => Some(1_000.0),
            Algorithm::SchnorrBip340 => Some(2_000.0),
            _ => None,
        };
        let mut ceiling = Ceiling {
            multiplies_per_second: 8e6,
            multiplies_per_second_one: Some(2e6),
            multiplies_per_job: per_job(multiplies),
            ..Ceiling::default()
        };
        // Rules do not differ in what they take.
        for rule in [EcdsaRule::Compact, EcdsaRule::BitcoinStrict] {
            let algorithm = Algorithm::EcdsaSecp256k1(rule);
            assert_eq!(ceiling.ideal(algorithm), Some(8_000.0));
            assert_eq!(ceiling.ideal_one(algorithm), Some(2_000.0));
        }
        assert_eq!(ceiling.ideal(Algorithm::SchnorrBip340), Some(4_000.0));
        assert_eq!(ceiling.ideal(Algorithm::Sha256), None);
        ceiling.multiplies_per_second_one = None;
        assert_eq!(ceiling.ideal_one(Algorithm::SchnorrBip340), None);
    }
}

//! How near kernels come to what their integer multiplications alone would take.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sigmill::Algorithm;
use sigmill::algorithms::secp256k1::ceiling::work;

use super::summary::{HOST, StepTime, Summary};
use super::transfers;
use crate::cli::ceilings::{self, Ceiling};

/// One signature algorithm at one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Limit {
    /// As for steps.
    pub place: String,
    /// With its rule.
    pub algorithm: String,
    /// Items that went through its kernels.
    pub items: u64,
    /// Time of the kernels' steps, of all threads together.
    pub total_ns: u64,
    /// What the multiplications alone of one thread of the host, or of a whole device, would take for an item.
    pub ideal_ns_per_item: f64,
    /// That for all items, over the steps' time.
    pub share_of_limit: f64,
}

/// About how long each device is measured.
const SPAN: Duration = Duration::from_millis(100);

/// Sets what this process recorded against what its devices do at most, the CPU on so many threads (0: one a core). Only
/// those are measured that did something with a limit.
pub(super) fn set(summary: &mut Summary, threads: usize) {
    let found = kernels(&summary.steps);
    let places = found.iter().map(|kernels| kernels.place);
    let places = places.chain(summary.transfers.iter().map(|transfer| transfer.place.as_str()));
    let devices: BTreeSet<_> = places.map(device).collect();
    let ceilings = ceilings::measure(devices, threads, SPAN, |_| {});
    summary.limits = Some(judge(found, &ceilings));
    transfers::judge(&mut summary.transfers, &ceilings);
}

/// The device of a place, as `--backend` takes it.
fn device(place: &str) -> &str {
    if place == HOST { "cpu" } else { place }
}

/// The limits of a place.
pub(super) fn of_place<'a>(ceilings: &'a [Ceiling], place: &str) -> Option<&'a Ceiling> {
    ceilings.iter().find(|ceiling| ceiling.device == device(place))
}

fn judge(found: Vec<Kernels<'_>>, ceilings: &[Ceiling]) -> Vec<Limit> {
    let limit = |Kernels { place, algorithm, items, total_ns }: Kernels<'_>| {
        let ideal = of_place(ceilings, place)?.ideal_of_one(algorithm.name())?;
        Some(Limit {
            place: place.to_owned(),
            algorithm: algorithm.to_string(),
            items,
            total_ns,
            ideal_ns_per_item: 1e9 / ideal,
            share_of_limit: items as f64 * 1e9 / ideal / total_ns.max(1) as f64,
        })
    };
    found.into_iter().filter_map(limit).collect()
}

/// What kernels did at one place for one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kernels<'a> {
    place: &'a str,
    algorithm: Algorithm,
    items: u64,
    total_ns: u64,
}

/// Items and time of signature kernels. The host's take each item through a step once, or leave it out: the step with
/// the most items has all. A device takes all through every step, through some twice: the one with the fewest has each
/// once.
fn kernels(steps: &[StepTime]) -> Vec<Kernels<'_>> {
    let mut sums = BTreeMap::<(&str, &str), (u64, u64)>::new();
    for step in steps {
        let key = (step.place.as_str(), step.algorithm.as_str());
        let (items, total_ns) = sums.entry(key).or_insert((step.items, 0));
        *items = if step.place == HOST { step.items.max(*items) } else { step.items.min(*items) };
        *total_ns += step.total_ns;
    }
    let mut found = Vec::new();
    for ((place, name), (items, total_ns)) in sums {
        let known = Algorithm::ALL.into_iter().find(|known| known.to_string() == name);
        if let Some(algorithm) = known.filter(|known| work(*known).is_some()) {
            found.push(Kernels { place, algorithm, items, total_ns });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_counts_once_and_each_step_takes_its_time() {
        let step = |place: &str, algorithm: &str, items, total_ns| StepTime {
            place: place.to_owned(),
            algorithm: algorithm.to_owned(),
            step: "a step".to_owned(),
            items,
            total_ns,
            ns_per_item: 0.0,
            share: 0.0,
        };
        let steps = [
            step(HOST, "schnorr-bip340", 612, 100),
            step(HOST, "schnorr-bip340", 624, 500),
            step(HOST, "schnorr-bip340", 624, 10),
            step(HOST, "sha256", 9, 10),
            step("gpu", "schnorr-bip340", 9, 10),
            step("gpu", "schnorr-bip340", 18, 20),
        ];
        let found = kernels(&steps);
        let sums: Vec<_> = found.iter().map(|k| (k.place, k.items, k.total_ns)).collect();
        assert_eq!(sums, [("gpu", 9, 30), (HOST, 624, 610)]);
        // Eight of a device's threads, of which one alone does a quarter.
        let ceiling = |device: &str, one: Option<f64>| Ceiling {
            device: device.to_owned(),
            multiplies_per_second: 8e9,
            multiplies_per_second_one: one,
            ideal_jobs_per_second: [("schnorr-bip340".to_owned(), 1e9)].into(),
            ..Ceiling::default()
        };
        let limits = judge(found, &[ceiling("cpu", Some(2e9)), ceiling("gpu", None)]);
        let shares: Vec<_> = limits.iter().map(|limit| limit.share_of_limit).collect();
        for (share, expected) in shares.into_iter().zip([9.0 / 30.0, 4.0 * 624.0 / 610.0]) {
            assert!((share - expected).abs() < 1e-9, "{limits:?}");
        }
        assert_eq!(limits.len(), 2);
        // A device that was not measured.
        assert_eq!(judge(kernels(&steps), &[ceiling("cpu", None)]).len(), 1);
    }
}

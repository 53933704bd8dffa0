//! How near the host's kernels come to what its integer multiplications alone would take.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sigmill::Algorithm;
use sigmill::algorithms::secp256k1::ceiling;
use sigmill::error::EngineError;
use sigmill::isa::Isa;

use super::summary::{HOST, StepTime};

/// One signature algorithm on the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Limit {
    /// `host`, as for steps.
    pub place: String,
    /// With its rule.
    pub algorithm: String,
    /// Items that went through its kernels.
    pub items: u64,
    /// Time of the kernels' steps, of all threads together.
    pub total_ns: u64,
    /// What one thread's multiplications alone would take for an item.
    pub ideal_ns_per_item: f64,
    /// That for all items, over the steps' time.
    pub share_of_limit: f64,
}

/// Longest that the measuring takes.
const SPAN: Duration = Duration::from_millis(100);

/// The limits of what this machine's host did.
///
/// # Errors
/// [`EngineError::Isa`].
pub(super) fn of(steps: &[StepTime]) -> Result<Vec<Limit>, EngineError> {
    let found = kernels(steps);
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let isa = Isa::detect()?;
    let rate = ceiling::measure(isa, SPAN);
    let ideal_ns = |algorithm| Some(1e9 * ceiling::products(isa, ceiling::work(algorithm)?) / rate);
    Ok(judge(found, ideal_ns))
}

fn judge(
    found: Vec<(Algorithm, Kernels)>,
    ideal_ns: impl Fn(Algorithm) -> Option<f64>,
) -> Vec<Limit> {
    let limit = |(algorithm, Kernels { items, total_ns }): (Algorithm, Kernels)| {
        let ideal_ns_per_item = ideal_ns(algorithm)?;
        let share_of_limit = items as f64 * ideal_ns_per_item / total_ns.max(1) as f64;
        let algorithm = algorithm.to_string();
        let place = HOST.to_owned();
        Some(Limit { place, algorithm, items, total_ns, ideal_ns_per_item, share_of_limit })
    };
    found.into_iter().filter_map(limit).collect()
}

/// What the host's kernels did for one algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kernels {
    items: u64,
    total_ns: u64,
}

/// Items and time of the host's signature kernels. Every item goes through every step but where a kernel leaves some
/// out, so the step with the most has all.
fn kernels(steps: &[StepTime]) -> Vec<(Algorithm, Kernels)> {
    let mut sums = BTreeMap::<&str, Kernels>::new();
    for step in steps.iter().filter(|step| step.place == HOST) {
        let sum = sums.entry(&step.algorithm).or_default();
        sum.items = sum.items.max(step.items);
        sum.total_ns += step.total_ns;
    }
    let counted = |(name, sum): (&str, Kernels)| {
        let algorithm = Algorithm::ALL.into_iter().find(|known| known.to_string() == name)?;
        ceiling::work(algorithm).map(|_| (algorithm, sum))
    };
    sums.into_iter().filter_map(counted).collect()
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
        let found = kernels(&[
            step(HOST, "schnorr-bip340", 612, 100),
            step(HOST, "schnorr-bip340", 624, 500),
            step(HOST, "schnorr-bip340", 624, 10),
            step(HOST, "sha256", 9, 10),
            step("gpu", "schnorr-bip340", 9, 10),
        ]);
        let expected = Kernels { items: 624, total_ns: 610 };
        assert_eq!(found, [(Algorithm::SchnorrBip340, expected)]);
        let limits = judge(found, |_| Some(0.5));
        assert_eq!(limits.len(), 1);
        assert!((limits[0].share_of_limit - 0.5 * 624.0 / 610.0).abs() < 1e-9);
    }
}

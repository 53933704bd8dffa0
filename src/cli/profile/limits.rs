//! How near the host's kernels come to what its integer multiplications alone would take.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sigmill::Algorithm;
use sigmill::algorithms::secp256k1::ceiling;
use sigmill::error::EngineError;
use sigmill::isa::Isa;
use sigmill::monitor::{Slice, Timeline};

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

/// The limits of a recording of this machine.
///
/// # Errors
/// [`EngineError::Isa`].
pub(super) fn of(timeline: &Timeline) -> Result<Vec<Limit>, EngineError> {
    let found = kernels(timeline);
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
        let place = "host".to_owned();
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

/// Items and time of the signature kernels. One run of a kernel takes its steps in turn, several times where it cuts its
/// items into pieces, and each step counts all items of the run: they count once here. The steps of a run follow each
/// other on their thread without a gap.
fn kernels(timeline: &Timeline) -> Vec<(Algorithm, Kernels)> {
    let mut steps: Vec<&Slice> =
        timeline.slices.iter().filter(|slice| slice.is_kernel && !slice.is_device).collect();
    steps.sort_by_key(|slice| (slice.track, slice.start));
    let mut sums = BTreeMap::<&str, Kernels>::new();
    let mut before: Option<&Slice> = None;
    for step in steps {
        let run = |slice: &Slice| (slice.track, slice.algorithm, slice.batch, slice.piece);
        let goes_on = before.is_some_and(|last| run(last) == run(step) && last.end == step.start);
        let sum = sums.entry(timeline.algorithm(step)).or_default();
        sum.items += if goes_on { 0 } else { u64::from(step.items) };
        sum.total_ns += step.end.saturating_sub(step.start);
        before = Some(step);
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
    fn each_item_of_a_run_counts_once() {
        let step = |track, piece, items, start, end| Slice {
            stage: 0,
            is_kernel: true,
            track,
            is_device: false,
            algorithm: 0,
            batch: 1,
            piece,
            items,
            start,
            end,
        };
        // Two pieces of 256 in one run of 512, another run of the same thread, one of another, and a hash's.
        let mut slices = vec![
            step(0, 1, 512, 100, 200),
            step(0, 1, 512, 200, 400),
            step(0, 1, 512, 400, 500),
            step(0, 1, 512, 500, 600),
            step(0, 2, 100, 610, 710),
            step(1, 3, 12, 300, 310),
            step(1, 4, 9, 400, 410),
            step(1, 5, 9, 500, 510),
        ];
        slices[6].algorithm = 1;
        slices[7].is_device = true;
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let timeline = Timeline {
            schema: 1,
            from: 0,
            until: 1_000,
            lost: 0,
            counters: Vec::new(),
            samples: Vec::new(),
            tracks: names(&["sigmill-0", "sigmill-1"]),
            stages: names(&["multiply"]),
            algorithms: names(&["schnorr-bip340", "sha256"]),
            slices,
        };
        let found = kernels(&timeline);
        let expected = Kernels { items: 512 + 100 + 12, total_ns: 500 + 100 + 10 };
        assert_eq!(found, [(Algorithm::SchnorrBip340, expected)]);
        let limits = judge(found, |_| Some(0.5));
        assert_eq!(limits.len(), 1);
        assert!((limits[0].share_of_limit - 0.5 * 624.0 / 610.0).abs() < 1e-9);
    }
}

//! Samples to figures.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::document::{Latency, Spread};

/// Longest latency that is told apart from longer ones: an hour.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Latencies in nanoseconds, to three digits.
#[derive(Clone, Debug)]
pub(super) struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Latencies(Histogram::new_with_max(LONGEST_NS, 3).expect("a range and three digits"))
    }
}

impl Latencies {
    /// Counts one.
    pub fn record(&mut self, latency: Duration) {
        self.record_many(latency, 1);
    }

    /// Counts so many of the same.
    pub fn record_many(&mut self, latency: Duration, count: u64) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(LONGEST_NS);
        self.0.saturating_record_n(nanos.clamp(1, LONGEST_NS), count);
    }

    /// Counts what another one has counted.
    pub fn add(&mut self, other: &Latencies) {
        self.0.add(&other.0).expect("the same range");
    }

    /// Percentiles; zeros if nothing was counted.
    pub fn figures(&self) -> Latency {
        let at = |quantile| self.0.value_at_quantile(quantile).min(self.0.max());
        Latency {
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: self.0.max(),
            samples: self.0.len(),
        }
    }
}

/// The value below which this share of the samples lies, which are sorted; 0 if there is none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    let (low, part) = (place as usize, place.fract());
    sorted[low] + part * (sorted[(low + 1).min(last)] - sorted[low])
}

/// Median and quartiles, interpolated; zeros if there are no samples.
pub(super) fn spread(samples: &[f64]) -> Spread {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    Spread {
        median: quantile(&sorted, 0.5),
        p25: quantile(&sorted, 0.25),
        p75: quantile(&sorted, 0.75),
        samples: samples.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_samples() {
        let found = spread(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!((found.median, found.p25, found.p75, found.samples), (2.5, 1.75, 3.25, 4));
        assert_eq!(spread(&[7.0]).p25, 7.0);
        assert_eq!(spread(&[]), Spread::default());
    }

    #[test]
    fn percentiles_are_those_of_what_was_counted() {
        let mut latencies = Latencies::default();
        (1..=1_000).for_each(|micros| latencies.record(Duration::from_micros(micros)));
        let mut other = Latencies::default();
        other.record_many(Duration::from_secs(10_000), 2);
        latencies.add(&other);
        let found = latencies.figures();
        let near = |found: u64, micros: u64| found.abs_diff(micros * 1_000) <= micros;
        assert!(near(found.p50_ns, 501) && near(found.p90_ns, 902) && near(found.p99_ns, 992));
        assert_eq!(found.samples, 1_002);
        // What is longer than the longest counts as that, to three digits.
        assert!(found.max_ns >= LONGEST_NS && found.p999_ns >= LONGEST_NS);
        assert_eq!(Latencies::default().figures(), Latency::default());
    }
}

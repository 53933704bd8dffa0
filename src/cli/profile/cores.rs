//! Where the cycles of a card's cores went, by what its counters said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sigmill::monitor::Timeline;

/// A core's cycles by cause, between the first and the last reading of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct CoreTime {
    /// The device.
    pub place: String,
    pub core: String,
    /// All of them.
    pub cycles: u64,
    /// It computed.
    pub busy: Part,
    /// It would have taken a line, and there was none for it.
    pub starved: Part,
    /// Its result, or its next job, waited for the completion ring.
    pub blocked: Part,
    /// The rest: lines come in, pipelines fill and drain.
    pub latency: Part,
}

/// A part of a core's cycles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Part {
    pub cycles: u64,
    /// Of all, 0 to 1.
    pub share: f64,
}

impl CoreTime {
    /// Of differences of counters, in the order of [`CAUSES`] after all cycles.
    fn new(place: &str, core: &str, [cycles, busy, starved, blocked]: [u64; 4]) -> CoreTime {
        // Counters are read one after another: together they may be a few cycles past all.
        let known = busy.saturating_add(starved).saturating_add(blocked);
        let all = cycles.max(known).max(1) as f64;
        let part = |cycles: u64| Part { cycles, share: cycles as f64 / all };
        CoreTime {
            place: place.to_owned(),
            core: core.to_owned(),
            cycles,
            busy: part(busy),
            starved: part(starved),
            blocked: part(blocked),
            latency: part(cycles.saturating_sub(known)),
        }
    }

    pub fn parts(&self) -> [(&'static str, Part); 4] {
        let CoreTime { busy, starved, blocked, latency, .. } = *self;
        [("busy", busy), ("starved", starved), ("blocked", blocked), ("latency", latency)]
    }
}

/// Counters of a core that are read; their names are the core's and these.
const CAUSES: [&str; 3] = ["busy", "starved", "blocked"];

/// What passed between two readings that follow each other.
pub(in crate::cli) struct Interval<'a> {
    /// Index of the device's track.
    pub track: u32,
    pub from: u64,
    pub until: u64,
    /// By core: cycles, then [`CAUSES`].
    counts: BTreeMap<&'a str, [u64; 4]>,
}

impl Interval<'_> {
    pub fn cores(&self, timeline: &Timeline) -> Vec<CoreTime> {
        let place = place(timeline, self.track);
        self.counts.iter().map(|(core, counts)| CoreTime::new(place, core, *counts)).collect()
    }
}

/// The device of a track.
pub(super) fn place(timeline: &Timeline, track: u32) -> &str {
    timeline.tracks.get(track as usize).map_or("?", |name| name.trim_end_matches(" clock"))
}

/// All that passed, by device and time. A card that was opened anew in between counts from zero again: what passed
/// meanwhile is not known.
pub(super) fn intervals(timeline: &Timeline) -> Vec<Interval<'_>> {
    let mut readings = BTreeMap::<(u32, u64), BTreeMap<&str, u64>>::new();
    for sample in &timeline.samples {
        let reading = readings.entry((sample.track, sample.at)).or_default();
        reading.insert(timeline.counter(sample), sample.value);
    }
    let follow = readings.iter().zip(readings.iter().skip(1));
    follow
        .filter(|((before, _), (after, _))| before.0 == after.0)
        .filter_map(|((&(track, from), before), (&(_, until), after))| {
            let passed = |name: &str| after.get(name)?.checked_sub(*before.get(name)?);
            let cycles = passed("cycles")?;
            let cores = after.keys().filter_map(|name| name.strip_suffix(" busy"));
            let counts = cores.map(|core| {
                let [busy, starved, blocked] =
                    CAUSES.map(|cause| passed(&format!("{core} {cause}")));
                Some((core, [cycles, busy?, starved?, blocked?]))
            });
            Some(Interval { track, from, until, counts: counts.collect::<Option<_>>()? })
        })
        .collect()
}

/// All cores, added up.
pub(super) fn cores(timeline: &Timeline) -> Vec<CoreTime> {
    let mut sums = BTreeMap::<(u32, &str), [u64; 4]>::new();
    for interval in intervals(timeline) {
        for (core, counts) in interval.counts {
            let sum = sums.entry((interval.track, core)).or_default();
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum = sum.saturating_add(count);
            }
        }
    }
    let one = |((track, core), sum)| CoreTime::new(place(timeline, track), core, sum);
    sums.into_iter().map(one).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use sigmill::monitor::Reading;

    use super::*;

    /// Readings of one card: time, cycles, busy, starved and blocked of its one core.
    pub fn timeline(readings: &[[u64; 5]]) -> Timeline {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let samples = readings.iter().flat_map(|[at, values @ ..]| {
            (0..).zip(*values).map(|(counter, value)| Reading { counter, track: 0, at: *at, value })
        });
        Timeline {
            schema: 1,
            from: 100,
            until: 1_000,
            lost: 0,
            tracks: names(&["fpga=sim clock"]),
            stages: Vec::new(),
            algorithms: Vec::new(),
            slices: Vec::new(),
            counters: names(&["cycles", "sha256d busy", "sha256d starved", "sha256d blocked"]),
            samples: samples.collect(),
        }
    }

    #[test]
    fn causes_are_differences_and_latency_is_the_rest() {
        let timeline =
            timeline(&[[100, 50, 9, 8, 7], [200, 150, 59, 18, 7], [300, 250, 59, 98, 17]]);
        let [core] = &cores(&timeline)[..] else { panic!("one core") };
        assert_eq!((core.place.as_str(), core.core.as_str()), ("fpga=sim", "sha256d"));
        let cycles = core.parts().map(|(_, part)| part.cycles);
        assert_eq!((core.cycles, cycles), (200, [50, 90, 10, 50]));
        let shares = core.parts().map(|(_, part)| part.share);
        assert_eq!(shares, [0.25, 0.45, 0.05, 0.25]);
    }

    #[test]
    fn a_card_that_was_opened_anew_counts_anew() {
        let timeline = timeline(&[
            [100, 500, 9, 8, 7],
            [200, 600, 59, 58, 7],
            [300, 10, 0, 5, 0],
            [400, 20, 0, 15, 0],
        ]);
        let [core] = &cores(&timeline)[..] else { panic!("one core") };
        assert_eq!((core.cycles, core.parts().map(|(_, part)| part.cycles)), (110, [50, 60, 0, 0]));
    }

    #[test]
    fn what_a_card_says_that_cannot_be_is_no_panic() {
        let most = u64::MAX;
        let timeline = timeline(&[
            [0, 0, 0, 0, 0],
            [1, most, most, most, most],
            [2, 0, 0, 0, 0],
            [3, 5, most, 1, 1],
        ]);
        let [core] = &cores(&timeline)[..] else { panic!("one core") };
        assert!(core.parts().iter().all(|(_, part)| (0.0..=1.0).contains(&part.share)), "{core:?}");
        assert!(cores(&super::tests::timeline(&[[1, 2, 3, 4, 5]])).is_empty(), "nothing passed");
    }
}

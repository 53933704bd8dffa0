//! Where time went, added up: by stage, by track, by step of the kernels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sigmill::monitor::{Slice, Timeline};

use super::cores::{self, CoreTime};
use super::limits::Limit;
use super::transfers::{self, Transfer};

/// A recording, added up: the document of `profile --json`. Times are nanoseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Summary {
    /// 1.
    pub schema: u32,
    /// `profile`.
    pub kind: String,
    /// What was recorded, in words.
    pub workload: String,
    /// The recording's length.
    pub wall_ns: u64,
    /// Share of it in which some stage was under way, 0 to 1.
    pub covered: f64,
    /// Stages and samples that there was no room for.
    pub lost: u64,
    /// The stages of batches, in the order of their way.
    pub stages: Vec<StageTime>,
    /// The steps of kernels, by track kind and algorithm.
    pub steps: Vec<StepTime>,
    /// Threads and device clocks.
    pub tracks: Vec<TrackTime>,
    /// Cores of cards that count their cycles.
    #[serde(default)]
    pub cores: Vec<CoreTime>,
    /// What moved or read bytes, at which rate; its shares of the copies' rates are not there of an engine elsewhere.
    #[serde(default)]
    pub transfers: Vec<Transfer>,
    /// Kernels of signatures against their multiplications alone; none of an engine elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Vec<Limit>>,
}

/// The place of steps on the CPU.
pub(super) const HOST: &str = "host";

/// One stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct StageTime {
    pub stage: String,
    /// How often.
    pub count: u64,
    /// Items that went through it.
    pub items: u64,
    /// Time in it, of all threads together, stages within it apart.
    pub own_ns: u64,
    /// Time in it, stages within it included.
    pub total_ns: u64,
    pub p50_ns: u64,
    pub p99_ns: u64,
    pub max_ns: u64,
}

/// One step of a kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct StepTime {
    /// `host`, or the device whose clock it is.
    pub place: String,
    pub algorithm: String,
    pub step: String,
    pub items: u64,
    pub total_ns: u64,
    pub ns_per_item: f64,
    /// Of all steps of this algorithm at this place, 0 to 1.
    pub share: f64,
}

/// One thread or device clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct TrackTime {
    pub track: String,
    /// Time in which some stage was under way on it.
    pub busy_ns: u64,
    /// By stage, stages within others apart, most first.
    pub own: Vec<(String, u64)>,
}

/// The order in which a batch goes through stages; what the command itself does comes first.
const ORDER: [&str; 15] = [
    "read", "decode", "round", "wait", "submit", "parse", "queue", "pack", "device", "upload",
    "readback", "judge", "compare", "resolve", "report",
];

impl Summary {
    pub fn of(timeline: &Timeline, workload: String) -> Summary {
        let wall_ns = timeline.until.saturating_sub(timeline.from).max(1);
        let own = own_times(timeline);
        let mut stages = BTreeMap::<&str, (StageTime, Vec<u64>)>::new();
        let mut tracks = BTreeMap::<u32, BTreeMap<&str, u64>>::new();
        for (slice, own_ns) in timeline.slices.iter().zip(&own) {
            let name = timeline.stage(slice);
            if name != "queue" {
                *tracks.entry(slice.track).or_default().entry(name).or_default() += own_ns;
            }
            if slice.is_kernel {
                continue;
            }
            let (time, lengths) = stages.entry(name).or_insert_with(|| {
                let stage = name.to_owned();
                let time = StageTime {
                    stage,
                    count: 0,
                    items: 0,
                    own_ns: 0,
                    total_ns: 0,
                    p50_ns: 0,
                    p99_ns: 0,
                    max_ns: 0,
                };
                (time, Vec::new())
            });
            let length = clipped(timeline, slice);
            time.count += 1;
            time.items += u64::from(slice.items);
            time.own_ns += own_ns;
            time.total_ns += length;
            lengths.push(length);
        }
        let mut stages: Vec<_> = stages.into_values().map(percentiles).collect();
        stages.sort_by_key(|time| ORDER.iter().position(|name| *name == time.stage));
        let tracks = tracks.into_iter().map(|(track, own)| {
            let mut own: Vec<_> = own.into_iter().map(|(name, ns)| (name.to_owned(), ns)).collect();
            own.sort_by_key(|(_, ns)| std::cmp::Reverse(*ns));
            let of = timeline.slices.iter().filter(|slice| slice.track == track);
            let of = of.filter(|slice| timeline.stage(slice) != "queue");
            let busy_ns = union(timeline, of);
            let track = timeline.tracks.get(track as usize).cloned().unwrap_or_default();
            TrackTime { track, busy_ns, own }
        });
        let works = timeline.slices.iter().filter(|slice| timeline.stage(slice) != "queue");
        Summary {
            schema: 1,
            kind: "profile".to_owned(),
            workload,
            wall_ns,
            covered: union(timeline, works) as f64 / wall_ns as f64,
            lost: timeline.lost,
            stages,
            steps: steps(timeline),
            tracks: tracks.collect(),
            cores: cores::cores(timeline),
            transfers: transfers::transfers(timeline),
            limits: None,
        }
    }
}

fn percentiles((mut time, mut lengths): (StageTime, Vec<u64>)) -> StageTime {
    lengths.sort_unstable();
    let at = |quantile: f64| {
        let rank = (quantile * lengths.len() as f64).ceil() as usize;
        lengths[rank.clamp(1, lengths.len()) - 1]
    };
    (time.p50_ns, time.p99_ns, time.max_ns) = (at(0.5), at(0.99), at(1.0));
    time
}

/// The part of a slice that lies within the recording.
fn clipped(timeline: &Timeline, slice: &Slice) -> u64 {
    slice.end.min(timeline.until).saturating_sub(slice.start.max(timeline.from))
}

/// Time in which at least one of the slices was under way.
pub(super) fn union<'a>(timeline: &Timeline, slices: impl Iterator<Item = &'a Slice>) -> u64 {
    let clip = |at: u64| at.clamp(timeline.from, timeline.until);
    let mut spans: Vec<_> = slices.map(|s| (clip(s.start), clip(s.end))).collect();
    spans.sort_unstable();
    let (mut total, mut until) = (0, 0);
    for (start, end) in spans {
        total += end.saturating_sub(start.max(until));
        until = until.max(end);
    }
    total
}

/// The time of each slice without that of the slices within it on its track.
fn own_times(timeline: &Timeline) -> Vec<u64> {
    let slices = &timeline.slices;
    let mut own: Vec<u64> = slices.iter().map(|slice| clipped(timeline, slice)).collect();
    let mut order: Vec<usize> = (0..slices.len()).collect();
    order.sort_by_key(|&at| {
        let slice = &slices[at];
        (slice.track, slice.start, std::cmp::Reverse(slice.end), slice.is_kernel)
    });
    let mut open = Vec::<usize>::new();
    for at in order {
        let slice = &slices[at];
        // A wait is nobody's work.
        if timeline.stage(slice) == "queue" {
            continue;
        }
        while let Some(&last) = open.last()
            && (slices[last].track != slice.track || slices[last].end <= slice.start)
        {
            open.pop();
        }
        if let Some(&around) = open.last()
            && slice.end <= slices[around].end
        {
            own[around] = own[around].saturating_sub(clipped(timeline, slice));
        }
        open.push(at);
    }
    own
}

/// Where a slice ran: [`HOST`], or the device whose clock it is.
pub(super) fn place<'a>(timeline: &'a Timeline, slice: &Slice) -> &'a str {
    if slice.is_device { timeline.track(slice).trim_end_matches(" clock") } else { HOST }
}

fn steps(timeline: &Timeline) -> Vec<StepTime> {
    let mut sums = BTreeMap::<(&str, &str, &str), (u64, u64)>::new();
    let mut first = BTreeMap::<(&str, &str, &str), u64>::new();
    for slice in timeline.slices.iter().filter(|slice| slice.is_kernel) {
        let key = (place(timeline, slice), timeline.algorithm(slice), timeline.stage(slice));
        let (items, ns) = sums.entry(key).or_default();
        *items += u64::from(slice.items);
        *ns += clipped(timeline, slice);
        first.entry(key).or_insert(slice.start);
    }
    let mut all = BTreeMap::<(&str, &str), u64>::new();
    for ((place, algorithm, _), (_, ns)) in &sums {
        *all.entry((place, algorithm)).or_default() += ns;
    }
    let mut steps: Vec<_> = sums.into_iter().collect();
    // In the order in which they first ran.
    steps.sort_by_key(|(key, _)| (key.0, key.1, first[key]));
    steps
        .into_iter()
        .map(|((place, algorithm, step), (items, ns))| StepTime {
            share: ns as f64 / all[&(place, algorithm)].max(1) as f64,
            place: place.to_owned(),
            algorithm: algorithm.to_owned(),
            step: step.to_owned(),
            items,
            total_ns: ns,
            ns_per_item: ns as f64 / items.max(1) as f64,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 100 to 1,100 ns, on one thread: a stage and its span each.
    fn summary(slices: &[(&str, u64, u64)]) -> Summary {
        let slice = |(stage, &(name, start, end)): (usize, &(&str, u64, u64))| Slice {
            stage: stage as u32,
            is_kernel: name == "sha256",
            track: 0,
            is_device: false,
            algorithm: 0,
            batch: 0,
            piece: 0,
            items: 1,
            bytes: 0,
            start,
            end,
        };
        let timeline = Timeline {
            schema: 1,
            from: 100,
            until: 1_100,
            lost: 0,
            tracks: vec!["one #0".to_owned()],
            stages: slices.iter().map(|(name, ..)| (*name).to_owned()).collect(),
            algorithms: vec!["sha256".to_owned()],
            slices: slices.iter().enumerate().map(slice).collect(),
            counters: Vec::new(),
            samples: Vec::new(),
        };
        Summary::of(&timeline, String::new())
    }

    #[test]
    fn what_waits_covers_nothing_and_what_overlaps_covers_once() {
        let covered = |slices| summary(slices).covered;
        assert_eq!(covered(&[("queue", 100, 1_100)]), 0.0);
        assert_eq!(covered(&[("queue", 100, 1_100), ("parse", 200, 300)]), 0.1);
        assert_eq!(covered(&[("device", 50, 400), ("judge", 300, 600)]), 0.5);
        assert_eq!(covered(&[("device", 0, 2_000)]), 1.0);
    }

    #[test]
    fn a_stage_owns_what_no_stage_within_it_has() {
        let found = summary(&[("device", 200, 600), ("sha256", 250, 550), ("resolve", 600, 700)]);
        let own: Vec<_> = found.stages.iter().map(|s| (s.stage.as_str(), s.own_ns)).collect();
        assert_eq!(own, [("device", 100), ("resolve", 100)]);
        assert_eq!((found.tracks[0].busy_ns, found.tracks[0].own[0].1), (500, 300));
        assert_eq!((found.steps[0].total_ns, found.steps[0].place.as_str()), (300, HOST));
    }
}

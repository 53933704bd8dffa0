//! A timeline in Chrome's trace format, which Perfetto opens: one track a thread or device clock, arrows from a batch's
//! submission to its answers, and where the cycles of a card's cores went.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use sigmill::monitor::{Slice, Timeline};

use super::cores::intervals;

/// The one process of a trace.
const PROCESS: u32 = 1;

/// Writes a timeline as one JSON object.
pub(super) fn write(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"lost\":{}}},", timeline.lost)?;
    writeln!(out, "\"traceEvents\":[")?;
    write!(
        out,
        "{}",
        json!({ "ph": "M", "name": "process_name", "pid": PROCESS, "tid": 0,
                              "args": { "name": "sigmill" } })
    )?;
    let mut put = |event: Value| write!(out, ",\n{event}");
    for (track, name) in timeline.tracks.iter().enumerate() {
        let (tid, name) = (track + 1, name.as_str());
        let named = |kind, args| json!({ "ph": "M", "name": kind, "pid": PROCESS, "tid": tid, "args": args });
        put(named("thread_name", json!({ "name": name })))?;
        put(named("thread_sort_index", json!({ "sort_index": tid })))?;
    }
    for (index, (slice, nested)) in nested(timeline).into_iter().enumerate() {
        let name = timeline.stage(slice);
        let (tid, category) = (slice.track + 1, category(slice));
        let [start, end] = [slice.start, slice.end].map(|at| micros(timeline, at));
        let mut args = json!({ "algorithm": timeline.algorithm(slice), "batch": slice.batch,
                               "piece": slice.piece, "items": slice.items });
        if slice.bytes > 0 {
            args["bytes"] = slice.bytes.into();
        }
        if nested {
            put(json!({ "ph": "X", "name": name, "cat": category, "pid": PROCESS, "tid": tid,
                        "ts": start, "dur": end - start, "args": args }))?;
        } else {
            // What overlaps others on its track gets a row of its own.
            for (phase, at) in [("b", start), ("e", end)] {
                put(
                    json!({ "ph": phase, "name": name, "cat": category, "pid": PROCESS, "tid": tid,
                            "id": index, "ts": at, "args": args }),
                )?;
            }
        }
    }
    for (batch, way) in ways(timeline) {
        for (at, (tid, time)) in way.iter().enumerate() {
            let phase = if at == 0 {
                "s"
            } else if at + 1 == way.len() {
                "f"
            } else {
                "t"
            };
            put(json!({ "ph": phase, "bp": "e", "name": "batch", "cat": "batch", "id": batch,
                        "pid": PROCESS, "tid": tid, "ts": micros(timeline, *time) }))?;
        }
    }
    for event in counters(timeline) {
        put(event)?;
    }
    writeln!(out, "\n]}}")
}

/// Each core's cycles by cause, in percent from one reading to the next.
fn counters(timeline: &Timeline) -> Vec<Value> {
    let mut events = Vec::new();
    let intervals = intervals(timeline);
    for (index, interval) in intervals.iter().enumerate() {
        let next = intervals.get(index + 1);
        let goes_on = next.is_some_and(|n| (n.track, n.from) == (interval.track, interval.until));
        for core in interval.cores(timeline) {
            let mut put = |at: u64, scale: f64| {
                let shares =
                    core.parts().map(|(cause, part)| (cause.to_owned(), json!(scale * part.share)));
                let (name, args) =
                    (format!("{} {}", core.place, core.core), Value::from_iter(shares));
                events.push(json!({ "ph": "C", "name": name, "cat": "device", "pid": PROCESS,
                                    "tid": interval.track + 1, "ts": micros(timeline, at), "args": args }));
            };
            put(interval.from, 100.0);
            // A counter holds until its next event.
            if !goes_on {
                put(interval.until, 0.0);
            }
        }
    }
    events
}

fn micros(timeline: &Timeline, at: u64) -> f64 {
    at.saturating_sub(timeline.from) as f64 / 1e3
}

fn category(slice: &Slice) -> &'static str {
    match slice {
        Slice { is_device: true, .. } => "device",
        Slice { is_kernel: true, .. } => "kernel",
        _ => "host",
    }
}

/// All slices by track and start, and whether each lies within or beside those before it on its track; one that began
/// before the recording is cut.
fn nested(timeline: &Timeline) -> Vec<(&Slice, bool)> {
    let mut order: Vec<&Slice> = timeline.slices.iter().collect();
    order.sort_by_key(|slice| (slice.track, slice.start, std::cmp::Reverse(slice.end)));
    let (mut open, mut track) = (Vec::<u64>::new(), u32::MAX);
    order
        .into_iter()
        .map(|slice| {
            if slice.track != track {
                (open, track) = (Vec::new(), slice.track);
            }
            open.retain(|end| *end > slice.start);
            // Waiting is nothing that a thread does, though it ends on one.
            let waits = timeline.stage(slice) == "queue";
            let fits = !waits && open.last().is_none_or(|end| slice.end <= *end);
            if fits {
                open.push(slice.end);
            }
            (slice, fits)
        })
        .collect()
}

/// For each batch that left its caller's thread the moments of its way: submitted, begun on each device, resolved.
fn ways(timeline: &Timeline) -> BTreeMap<u64, Vec<(u32, u64)>> {
    let mut ways = BTreeMap::<u64, Vec<(u64, u32, u64)>>::new();
    for slice in timeline.slices.iter().filter(|slice| slice.batch != 0) {
        let moment = match timeline.stage(slice) {
            "submit" => slice.start,
            "device" | "resolve" => slice.start + (slice.end - slice.start) / 2,
            _ => continue,
        };
        ways.entry(slice.batch).or_default().push((moment, slice.track + 1, moment));
    }
    ways.into_iter()
        .filter_map(|(batch, mut moments)| {
            moments.sort_unstable();
            let way: Vec<_> = moments.into_iter().map(|(_, tid, at)| (tid, at)).collect();
            let threads = way.iter().any(|(tid, _)| *tid != way[0].0);
            threads.then_some((batch, way))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(stage: u32, track: u32, batch: u64, span: (u64, u64)) -> Slice {
        Slice {
            stage,
            is_kernel: false,
            track,
            is_device: false,
            algorithm: 0,
            batch,
            piece: 0,
            items: 1,
            bytes: 0,
            start: span.0,
            end: span.1,
        }
    }

    fn timeline(slices: Vec<Slice>) -> Timeline {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Timeline {
            schema: 1,
            from: 100,
            until: 1_000,
            lost: 0,
            tracks: names(&["caller", "sigmill-gpu"]),
            stages: names(&["submit", "queue", "device", "resolve"]),
            algorithms: names(&["sha256"]),
            slices,
            counters: Vec::new(),
            samples: Vec::new(),
        }
    }

    fn events(timeline: &Timeline) -> Vec<Value> {
        let mut text = Vec::new();
        write(timeline, &mut text).expect("memory");
        let trace: Value = serde_json::from_slice(&text).expect("JSON");
        trace["traceEvents"].as_array().expect("a list").clone()
    }

    #[test]
    fn overlapping_slices_stand_beside_the_track_and_nested_ones_on_it() {
        let timeline = timeline(vec![
            slice(2, 1, 1, (100, 300)),
            slice(3, 1, 1, (150, 200)),
            slice(2, 1, 2, (200, 400)),
            slice(2, 1, 3, (400, 500)),
            slice(1, 0, 1, (0, 150)),
        ]);
        let nested: Vec<_> = nested(&timeline).into_iter().map(|(s, n)| (s.start, n)).collect();
        let expected = [(0, false), (100, true), (150, true), (200, false), (400, true)];
        assert_eq!(nested, expected);
        let events = events(&timeline);
        let count = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
        assert_eq!((count("X"), count("b"), count("e"), count("M")), (3, 2, 2, 5));
        // A wait that began before the recording does not begin before the trace.
        assert!(events.iter().all(|event| event["ts"].as_f64().unwrap_or(0.0) >= 0.0));
    }

    #[test]
    fn cores_are_counters_from_reading_to_reading() {
        let timeline = super::super::cores::tests::timeline(&[
            [100, 0, 0, 0, 0],
            [300, 100, 75, 25, 0],
            [500, 200, 75, 75, 0],
        ]);
        let events = events(&timeline);
        let events: Vec<_> = events.iter().filter(|event| event["ph"] == "C").collect();
        assert!(
            events.iter().all(|event| event["name"] == "fpga=sim sha256d" && event["tid"] == 1)
        );
        let of = |event: &&Value, name: &str| event["args"][name].as_f64().expect("a share");
        let busy: Vec<_> = events.iter().map(|event| of(event, "busy")).collect();
        let latency: Vec<_> = events.iter().map(|event| of(event, "latency")).collect();
        assert_eq!((busy, latency), (vec![75.0, 0.0, 0.0], vec![0.0, 50.0, 0.0]));
        assert_eq!(events[1]["ts"], 0.2);
    }

    #[test]
    fn a_batch_leads_from_its_submission_to_its_answers() {
        let timeline = timeline(vec![
            slice(0, 0, 5, (100, 110)),
            slice(2, 1, 5, (120, 220)),
            slice(3, 1, 5, (230, 240)),
            // All on one thread: no arrow.
            slice(0, 0, 6, (300, 400)),
            slice(2, 0, 6, (310, 390)),
        ]);
        let events = events(&timeline);
        let flow = |event: &&Value| event["cat"] == "batch";
        let flow: Vec<_> = events.iter().filter(flow).collect();
        let phases: Vec<_> = flow.iter().map(|event| event["ph"].as_str().unwrap_or("")).collect();
        assert_eq!(phases, ["s", "t", "f"]);
        assert!(flow.iter().all(|event| event["id"] == 5));
        assert_eq!(flow[2]["ts"], 0.135);
    }
}

//! The page of a profile: stages, steps of kernels, threads and device clocks.

use std::collections::BTreeMap;

use super::csv::Csv;
use super::markup::{Markup, Value};
use super::page::{figure, page, paragraph, section, table};
use super::svg::{Axis, Bar, Bars, Kind, Part};
use crate::cli::profile::cores::CoreTime;
use crate::cli::profile::limits::Limit;
use crate::cli::profile::summary::{StageTime, StepTime, Summary, TrackTime};
use crate::cli::profile::transfers::Transfer;
use crate::cli::units::{count, grouped, percent, time};

/// Stages in which a batch, or the command's own thread, waits for others.
const WAITS: [&str; 2] = [QUEUE, "wait"];
const QUEUE: &str = "queue";

/// Makes the page.
pub(in crate::cli) fn profile(summary: &Summary) -> String {
    page("Sigmill profile", |page| {
        page.node("header", &[], |page| {
            page.leaf("h1", &[], "Sigmill profile");
            let text = format!("{}: {}", summary.workload, time(summary.wall_ns as f64));
            page.leaf("p", &[("class", &"faint")], text);
        });
        page.node("div", &[("class", &"answer")], |page| answer(page, summary));
        section(page, "Stages", |page| {
            beside(page, |page| {
                stages(page, summary);
                stage_table(page, summary);
            });
            csv(page, summary);
        });
        if !summary.steps.is_empty() {
            section(page, "Steps of kernels", |page| beside(page, |page| steps(page, summary)));
        }
        limits(page, summary);
        transfers(page, summary);
        cores(page, summary);
        section(page, "Threads and device clocks", |page| {
            beside(page, |page| tracks(page, summary))
        });
        if summary.steps.is_empty() {
            paragraph(
                page,
                "No steps of kernels: a load has them, `sigmill profile --load ALGORITHM`.",
            );
        }
        page.data("document", &serde_json::to_string(summary).expect("plain data"));
    })
}

/// Kernels against what their multiplications alone would take.
fn limits(page: &mut Markup, summary: &Summary) {
    let limits = summary.limits.as_deref().unwrap_or_default();
    let rows = limits.iter().map(|limit| {
        let Limit { place, algorithm, ideal_ns_per_item, share_of_limit, .. } = limit;
        let name = format!("{place}, {algorithm}");
        vec![name, time(*ideal_ns_per_item), percent(*share_of_limit)]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        section(page, "Against the limit of integer multiplications", |page| {
            let heads = ["place, algorithm", "limit, an item", "of the limit"];
            table(page, "Kernels against the limit", &heads, &rows);
        });
    }
}

/// What moved or read bytes, against the rate of copies.
fn transfers(page: &mut Markup, summary: &Summary) {
    let rows = summary.transfers.iter().map(|transfer| {
        let Transfer { place, stage, bytes, time_ns, .. } = transfer;
        let rate =
            |rate: Option<f64>| rate.map_or("-".to_owned(), |rate| format!("{}B/s", count(rate)));
        vec![
            format!("{place}, {stage}"),
            format!("{}B", count(*bytes as f64)),
            time(*time_ns as f64),
            rate(Some(transfer.bytes_per_second)),
            rate(transfer.copy_bytes_per_second),
            transfer.share_of_limit.map_or("-".to_owned(), percent),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        section(page, "Against copy bandwidth", |page| {
            let heads = ["place, stage", "bytes", "time", "rate", "limit", "of the limit"];
            table(page, "Transfers against the limit", &heads, &rows);
            paragraph(
                page,
                "Uploads and read-backs against the device's copies; messages that the host hashed against copies in its memory.",
            );
        });
    }
}

/// Where the cycles of a card's cores went.
fn cores(page: &mut Markup, summary: &Summary) {
    let rows = summary.cores.iter().map(|core| {
        let CoreTime { place, core: name, cycles, busy, starved, blocked, latency } = core;
        let parts = [busy, starved, blocked, latency].map(|part| percent(part.share));
        let head = [format!("{place}, {name}"), grouped(*cycles as f64)];
        head.into_iter().chain(parts).collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        section(page, "Cycles of the card's cores", |page| {
            let heads = ["core", "cycles", "busy", "starved", "blocked", "latency"];
            table(page, "Cycles by cause", &heads, &rows);
        });
    }
}

fn waits(stage: &str) -> bool {
    WAITS.contains(&stage)
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// What there is to know first.
fn answer(page: &mut Markup, summary: &Summary) {
    let Summary { wall_ns, covered, lost, .. } = summary;
    let works = summary.stages.iter().filter(|stage| !waits(&stage.stage));
    if let Some(most) = works.max_by_key(|stage| stage.own_ns) {
        let (name, part) = (&most.stage, percent(share(most.own_ns, *wall_ns)));
        paragraph(
            page,
            format!(
                "Most of the time is in the stage {name}: {part} of the wall time, all threads together."
            ),
        );
    }
    if let Some(queue) = summary.stages.iter().find(|stage| stage.stage == QUEUE) {
        let waiting = crate::cli::units::digits(share(queue.total_ns, *wall_ns));
        paragraph(
            page,
            format!("On average {waiting} parts of batches were waiting for a device."),
        );
    }
    paragraph(page, format!("The stages cover {} of the wall time.", percent(*covered)));
    if *lost > 0 {
        let lost = grouped(*lost as f64);
        page.leaf(
            "p",
            &[("class", &"alarm")],
            format!("{lost} stages were not kept: there was no room."),
        );
    }
}

fn percent_axis(title: &str) -> Axis {
    Axis {
        title: title.to_owned(),
        kind: Kind::Linear,
        format: |value| crate::cli::units::digits(value),
        at: Vec::new(),
    }
}

fn stages(page: &mut Markup, summary: &Summary) {
    let bars = summary.stages.iter().map(|stage| {
        let waiting = waits(&stage.stage);
        let part = 100.0 * share(stage.own_ns, summary.wall_ns);
        Bar {
            name: stage.stage.clone(),
            parts: vec![Part {
                name: if waiting { "waiting" } else { "at work" }.to_owned(),
                value: part,
                look: 0,
                waiting,
                tip: format!("{}: {} in all", stage.stage, time(stage.own_ns as f64)),
            }],
            value: percent(part / 100.0),
        }
    });
    let chart = Bars {
        label: "Stages by their share of the wall time".to_owned(),
        axis: percent_axis("share of the wall time (%), threads add up"),
        most: None,
        bars: bars.collect(),
        legend: true,
    };
    if let Some(chart) = chart.draw() {
        let caption = "In the order of a batch's way; without the stages within. A wait may be longer than the axis.";
        figure(page, "Share of the wall time", &chart, caption);
    }
}

/// A chart and its table, side by side where there is room.
fn beside(page: &mut Markup, inner: impl FnOnce(&mut Markup)) {
    page.node("div", &[("class", &"beside")], inner);
}

fn stage_table(page: &mut Markup, summary: &Summary) {
    let row = |stage: &StageTime| {
        let StageTime { stage, count: times, items, own_ns, total_ns, p50_ns, p99_ns, max_ns } =
            stage;
        let mut row = vec![stage.clone(), grouped(*times as f64), count(*items as f64)];
        row.extend([own_ns, total_ns, p50_ns, p99_ns, max_ns].map(|ns| time(*ns as f64)));
        row
    };
    let heads =
        ["stage", "times", "items", "own time", "with those within", "p50", "p99", "longest"];
    let rows: Vec<_> = summary.stages.iter().map(row).collect();
    table(page, "Stages", &heads, &rows);
}

fn csv(page: &mut Markup, summary: &Summary) {
    let mut csv =
        Csv::new(&["stage", "count", "items", "own_ns", "total_ns", "p50_ns", "p99_ns", "max_ns"]);
    for stage in &summary.stages {
        let numbers = [
            stage.count,
            stage.items,
            stage.own_ns,
            stage.total_ns,
            stage.p50_ns,
            stage.p99_ns,
            stage.max_ns,
        ];
        csv.row(
            std::iter::once(stage.stage.clone()).chain(numbers.map(|number| number.to_string())),
        );
    }
    page.node("p", &[("class", &"screen")], |page| {
        let link = csv.link();
        let attributes: [(&str, Value<'_>); 2] =
            [("href", &link), ("download", &"sigmill-profile.csv")];
        page.leaf("a", &attributes, "The stages as CSV");
    });
}

/// Names, each with the number that gives it a colour and hatching.
struct Looks<'a>(BTreeMap<&'a str, usize>);

impl<'a> Looks<'a> {
    fn of(names: impl Iterator<Item = &'a str>) -> Self {
        let mut all = BTreeMap::new();
        for name in names {
            let next = all.len();
            all.entry(name).or_insert(next);
        }
        Looks(all)
    }

    fn look(&self, name: &str) -> usize {
        self.0.get(name).copied().unwrap_or(0)
    }
}

fn steps(page: &mut Markup, summary: &Summary) {
    let looks = Looks::of(summary.steps.iter().map(|step| step.step.as_str()));
    let mut bars = Vec::<(u64, Bar)>::new();
    for step in &summary.steps {
        let name = format!("{}, {}", step.place, step.algorithm);
        if bars.last().is_none_or(|(_, bar)| bar.name != name) {
            bars.push((0, Bar { name, parts: Vec::new(), value: String::new() }));
        }
        let Some((total, bar)) = bars.last_mut() else { continue };
        *total += step.total_ns;
        bar.value = time(*total as f64);
        let tip =
            format!("{}: {}, {} an item", step.step, percent(step.share), time(step.ns_per_item));
        bar.parts.push(Part {
            name: step.step.clone(),
            value: 100.0 * step.share,
            look: looks.look(&step.step),
            waiting: false,
            tip,
        });
    }
    let chart = Bars {
        label: "Steps of kernels by their share".to_owned(),
        axis: percent_axis("share of the kernel's time (%)"),
        most: Some(100.0),
        bars: bars.into_iter().map(|(_, bar)| bar).collect(),
        legend: true,
    };
    if let Some(chart) = chart.draw() {
        figure(page, "By place and algorithm", &chart, "At the end of a bar: the time in all.");
    }
    let row = |step: &StepTime| {
        let StepTime { place, algorithm, step, items, total_ns, ns_per_item, share } = step;
        let mut row = vec![format!("{place}, {algorithm}"), step.clone(), count(*items as f64)];
        row.extend([*ns_per_item, *total_ns as f64].map(time));
        row.push(percent(*share));
        row
    };
    let rows: Vec<_> = summary.steps.iter().map(row).collect();
    table(
        page,
        "Steps",
        &["place, algorithm", "step", "items", "an item", "in all", "share"],
        &rows,
    );
}

fn tracks(page: &mut Markup, summary: &Summary) {
    let wall = summary.wall_ns;
    let names = summary.tracks.iter().flat_map(|track| &track.own).map(|(name, _)| name.as_str());
    let looks = Looks::of(names);
    let bars = summary.tracks.iter().map(|TrackTime { track, busy_ns, own }| {
        let parts = own.iter().map(|(name, ns)| Part {
            name: name.clone(),
            value: 100.0 * share(*ns, wall),
            look: looks.look(name),
            waiting: waits(name),
            tip: format!("{track}, {name}: {}", time(*ns as f64)),
        });
        let busy = format!("{} busy", percent(share(*busy_ns, wall)));
        Bar { name: track.clone(), parts: parts.collect(), value: busy }
    });
    let chart = Bars {
        label: "Threads and device clocks: what they were busy with".to_owned(),
        axis: percent_axis("share of the wall time (%)"),
        most: Some(100.0),
        bars: bars.collect(),
        legend: true,
    };
    if let Some(chart) = chart.draw() {
        figure(page, "Share of the wall time", &chart, "The rest of a bar: idle.");
    }
}

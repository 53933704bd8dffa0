//! Charts with lines: rates and latencies by batch size, scaling by threads.

use super::{FAMILIES, Figure, algorithms, device_index, family, shown};
use crate::cli::bench::document::{Cell, Crossover, Document, Row};
use crate::cli::report::svg::{Axis, Kind, Lines, Look, Mark, Series};
use crate::cli::units::grouped;
use crate::cli::units::{count, time};

/// A batch size on an axis or in words.
fn size(batch: f64) -> String {
    grouped(batch)
}

fn batch_axis<'a>(rows: impl Iterator<Item = &'a Row>) -> Axis {
    let mut at: Vec<_> = rows.flat_map(|row| &row.batches).map(|cell| cell.batch).collect();
    at.sort_unstable();
    at.dedup();
    let at = at.into_iter().map(|batch| batch as f64).collect();
    Axis { title: "jobs a batch".to_owned(), kind: Kind::Log, format: size, at }
}

fn logarithmic(title: &str, format: fn(f64) -> String) -> Axis {
    Axis { title: title.to_owned(), kind: Kind::Log, format, at: Vec::new() }
}

/// One chart a family: a line an algorithm and device, the crossovers ringed.
pub(super) fn throughput(document: &Document) -> Vec<Figure> {
    let charts = FAMILIES.into_iter().filter_map(|name| {
        let rows = || shown(document).filter(move |row| family(&row.algorithm) == name);
        let names = algorithms(rows());
        let series = rows().map(|row| {
            let algorithm = names.iter().position(|name| *name == row.algorithm).unwrap_or(0);
            let device = device_index(document, &row.device);
            Series {
                name: format!("{}, {}", row.algorithm, row.device),
                look: Look {
                    colour: algorithm,
                    marker: algorithm,
                    dash: device,
                    hollow: device % 2 == 1,
                },
                points: points(row, |cell| cell.jobs_per_second.median),
                ideal: false,
            }
        });
        let crossovers =
            || document.crossovers.iter().filter(|found| names.contains(&found.algorithm.as_str()));
        let marks = crossovers().filter_map(|found| {
            let row = rows()
                .find(|row| row.algorithm == found.algorithm && row.device == found.device)?;
            Some(Mark { at: between(row, found.batch? as f64)?, tip: words(found) })
        });
        let chart = Lines {
            label: format!("Jobs a second of {name} by batch size, both logarithmic"),
            x: batch_axis(rows()),
            y: logarithmic("jobs a second", count),
            series: series.collect(),
            marks: marks.collect(),
            ringed: "faster than the CPU from here on",
        };
        let caption: Vec<_> = crossovers().map(words).collect();
        let mut title = name.to_owned();
        title[..1].make_ascii_uppercase();
        Some(Figure { title, chart: chart.draw()?, caption: caption.join(" ") })
    });
    charts.collect()
}

fn points(row: &Row, value: impl Fn(&Cell) -> f64) -> Vec<[f64; 2]> {
    row.batches.iter().map(|cell| [cell.batch as f64, value(cell)]).collect()
}

fn words(found: &Crossover) -> String {
    let Crossover { algorithm, device, tried_up_to, .. } = found;
    match found.batch {
        Some(batch) => format!(
            "{algorithm}: {device} is faster than the CPU in batches from {} on.",
            size(batch as f64)
        ),
        None => format!(
            "{algorithm}: {device} was never faster, in batches up to {}.",
            size(*tried_up_to as f64)
        ),
    }
}

/// The point of a row's line at this batch size; none beside it.
fn between(row: &Row, batch: f64) -> Option<[f64; 2]> {
    let points = points(row, |cell| cell.jobs_per_second.median);
    if let Some(point) = points.iter().find(|point| point[0] == batch) {
        return Some(*point);
    }
    let pair = points.windows(2).find(|pair| pair[0][0] < batch && batch < pair[1][0])?;
    let part = (batch / pair[0][0]).ln() / (pair[1][0] / pair[0][0]).ln();
    Some([batch, pair[0][1] * (pair[1][1] / pair[0][1]).powf(part)])
}

/// What a percentile's line is, from a cell.
type Percentile = (&'static str, fn(&Cell) -> u64);

/// One chart an algorithm: the percentiles of each device.
pub(super) fn latency(document: &Document) -> Vec<Figure> {
    const PERCENTILES: [Percentile; 3] = [
        ("p50", |cell| cell.latency.p50_ns),
        ("p99", |cell| cell.latency.p99_ns),
        ("longest", |cell| cell.latency.max_ns),
    ];
    let charts = algorithms(shown(document)).into_iter().filter_map(|algorithm| {
        let rows = || shown(document).filter(move |row| row.algorithm == algorithm);
        let mut series = Vec::new();
        for row in rows() {
            let device = device_index(document, &row.device);
            for (index, (name, value)) in PERCENTILES.iter().enumerate() {
                series.push(Series {
                    name: format!("{}, {name}", row.device),
                    look: Look {
                        colour: device,
                        marker: index,
                        dash: index,
                        hollow: device % 2 == 1,
                    },
                    points: points(row, |cell| value(cell) as f64),
                    ideal: false,
                });
            }
        }
        let chart = Lines {
            label: format!("Latency of batches of {algorithm} by batch size, both logarithmic"),
            x: batch_axis(rows()),
            y: logarithmic("time of a batch (ns, us, ms, s)", time),
            series,
            marks: Vec::new(),
            ringed: "",
        };
        Some(Figure { title: algorithm.to_owned(), chart: chart.draw()?, caption: String::new() })
    });
    charts.collect()
}

/// The rate by threads beside what as many times one thread's would be.
pub(super) fn scaling(document: &Document) -> Vec<Figure> {
    let Some(scaling) = document.scaling.as_ref().filter(|scaling| scaling.points.len() > 1) else {
        return Vec::new();
    };
    let points: Vec<_> = scaling
        .points
        .iter()
        .map(|point| [point.threads as f64, point.jobs_per_second.median])
        .collect();
    let (first, last) = (points[0], points[points.len() - 1]);
    let each = first[1] / first[0].max(1.0);
    let ideal = Series {
        name: "as many times one thread".to_owned(),
        points: vec![first, [last[0], each * last[0]]],
        ideal: true,
        ..Series::default()
    };
    let at = points.iter().map(|point| point[0]).collect();
    let measured = Series { name: "measured".to_owned(), points, ..Series::default() };
    let chart = Lines {
        label: format!("Jobs a second of {} by threads", scaling.algorithm),
        x: Axis { title: "threads of the CPU".to_owned(), kind: Kind::Linear, format: count, at },
        y: Axis {
            title: "jobs a second".to_owned(),
            kind: Kind::Linear,
            format: count,
            at: Vec::new(),
        },
        series: vec![ideal, measured],
        marks: Vec::new(),
        ringed: "",
    };
    let share = last[1] / (each * last[0]).max(1e-9);
    let caption = format!(
        "Batches of {}. On {} threads it is {:.0} % of the ideal.",
        size(scaling.batch as f64),
        last[0],
        100.0 * share
    );
    let title = scaling.algorithm.clone();
    chart.draw().map(|chart| Figure { title, chart, caption }).into_iter().collect()
}

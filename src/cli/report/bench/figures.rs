//! Charts with one line of dots for each figure: ratios, open loop, energy and cost.

use super::{Figure, algorithms, device_index, shown};
use crate::cli::bench::document::{Cell, Comparison, Document};
use crate::cli::report::svg::{Axis, Dot, Dots, Kind, Look, Row};
use crate::cli::units::grouped;
use crate::cli::units::{count, digits, time};

/// Ratios further apart than this need a logarithmic axis.
const FAR: f64 = 8.0;

/// One ratio, and of what.
struct Ratio<'a> {
    algorithm: &'a str,
    /// What it is a ratio to; headings name it.
    to: &'a str,
    batch: u64,
    value: f64,
    spread: Option<[f64; 2]>,
    /// Whether it counts; others are hollow.
    counts: bool,
}

/// Ratios of one device, a heading an algorithm.
fn ratios(
    device: &str,
    index: usize,
    title: &str,
    same: &'static str,
    ratios: &[Ratio<'_>],
) -> Option<Figure> {
    let mut rows = Vec::new();
    let mut of = None;
    for ratio in ratios {
        if of != Some((ratio.algorithm, ratio.to)) {
            of = Some((ratio.algorithm, ratio.to));
            let to = if ratio.to.is_empty() { String::new() } else { format!(" to {}", ratio.to) };
            rows.push(Row { name: format!("{}{to}", ratio.algorithm), ..Row::default() });
        }
        let (batch, value) = (grouped(ratio.batch as f64), format!("{:.2}", ratio.value));
        let tip = format!("{}, {device}, batches of {batch}: {value}", ratio.algorithm);
        let look = Look { colour: index, hollow: !ratio.counts, ..Look::default() };
        rows.push(Row {
            name: format!("batch {batch}"),
            dots: vec![Dot { value: ratio.value, look, tip }],
            spread: ratio.spread,
            value,
        });
    }
    let values = || ratios.iter().map(|ratio| ratio.value);
    let (least, most) = (values().fold(1.0, f64::min), values().fold(1.0, f64::max));
    let kind = if least > 0.0 && most / least > FAR { Kind::Log } else { Kind::Linear };
    let chart = Dots {
        label: format!("{title}, {device}"),
        axis: Axis { title: title.to_owned(), kind, format: digits, at: Vec::new() },
        reference: Some((1.0, same)),
        rows,
        legend: Vec::new(),
    };
    Some(Figure { title: device.to_owned(), chart: chart.draw()?, caption: String::new() })
}

/// Our rate over another library's, a chart a device.
pub(super) fn baseline(document: &Document) -> Vec<Figure> {
    let charts = devices(document).into_iter().filter_map(|device| {
        let of = shown(document).filter(|row| row.device == device);
        let all = of.flat_map(|row| {
            row.batches.iter().filter_map(|cell| {
                let found = cell.baseline.as_ref()?;
                Some(Ratio {
                    algorithm: &row.algorithm,
                    to: &found.name,
                    batch: cell.batch,
                    value: found.median,
                    spread: Some([found.low, found.high]),
                    counts: true,
                })
            })
        });
        let title = "our rate / theirs (no unit), with quartiles";
        ratios(
            device,
            device_index(document, device),
            title,
            "as fast as theirs",
            &all.collect::<Vec<_>>(),
        )
    });
    charts.collect()
}

/// This run's rate over the older one's, a chart a device.
pub(super) fn comparison(comparison: &Comparison) -> Vec<Figure> {
    let mut devices: Vec<_> = comparison.rows.iter().map(|cell| cell.device.as_str()).collect();
    devices.sort_unstable();
    devices.dedup();
    let charts = devices.iter().enumerate().filter_map(|(index, device)| {
        let of = comparison.rows.iter().filter(|cell| cell.device == *device);
        let all = of.map(|cell| Ratio {
            algorithm: &cell.algorithm,
            to: "",
            batch: cell.batch,
            value: cell.ratio,
            spread: None,
            counts: cell.differs,
        });
        let title = "newer rate / older (no unit)";
        let figure = ratios(device, index, title, "no change", &all.collect::<Vec<_>>())?;
        let caption = "Hollow: the same within the spread of both.".to_owned();
        Some(Figure { caption, ..figure })
    });
    charts.collect()
}

/// The percentiles at an offered rate, a chart a device.
pub(super) fn open_loop(document: &Document) -> Vec<Figure> {
    let looks = |device: usize| {
        let look = |marker, hollow| Look { colour: device, marker, hollow, ..Look::default() };
        [look(1, true), look(0, false), look(1, false), look(2, false)]
    };
    let names = ["p99 from sending", "p50", "p99", "longest"];
    let charts = devices(document).into_iter().filter_map(|device| {
        let looks = looks(device_index(document, device));
        let mut rows = Vec::new();
        for row in shown(document).filter(|row| row.device == device) {
            let cells: Vec<_> = row
                .batches
                .iter()
                .filter_map(|cell| Some((cell, cell.open_loop.as_ref()?)))
                .collect();
            let Some((_, first)) = cells.first() else { continue };
            let offered = grouped(first.offered);
            rows.push(Row {
                name: format!("{}, {offered} jobs/s offered", row.algorithm),
                ..Row::default()
            });
            for (cell, open) in cells {
                let latency = &open.latency;
                let values =
                    [open.uncorrected.p99_ns, latency.p50_ns, latency.p99_ns, latency.max_ns];
                let dots = values.iter().zip(looks).zip(names).map(|((ns, look), name)| {
                    let value = *ns as f64;
                    Dot { value, look, tip: format!("{name}: {}", time(value)) }
                });
                rows.push(Row {
                    name: format!("batch {}", grouped(cell.batch as f64)),
                    dots: dots.collect(),
                    spread: Some([latency.p50_ns as f64, latency.max_ns as f64]),
                    value: time(latency.p99_ns as f64),
                });
            }
        }
        let chart = Dots {
            label: format!("Latency at an offered rate, {device}, logarithmic"),
            axis: time_axis("time from when a batch was due (ns, us, ms, s)"),
            reference: None,
            rows,
            legend: names.iter().map(|name| (*name).to_owned()).zip(looks).collect(),
        };
        let caption = "The figure at the end of a line is its p99.".to_owned();
        Some(Figure { title: device.to_owned(), chart: chart.draw()?, caption })
    });
    charts.collect()
}

fn time_axis(title: &str) -> Axis {
    Axis { title: title.to_owned(), kind: Kind::Log, format: time, at: Vec::new() }
}

/// What a million jobs take and cost: a heading an algorithm, a line a device, a dot a batch size.
pub(super) fn energy_and_cost(document: &Document) -> Vec<Figure> {
    let joules = |cell: &Cell| cell.energy.as_ref().map(|energy| energy.joules_per_million);
    let energy = by_batch(document, "Energy", "joules a million jobs (J)", joules, f64::min);
    let title = "price a million jobs (unit of --price-per-hour)";
    let cost = by_batch(document, "Cost", title, |cell| cell.cost_per_million, f64::min);
    energy.into_iter().chain(cost).collect()
}

/// What the rates are of what the devices' multiplications would allow.
pub(super) fn share_of_limit(document: &Document) -> Vec<Figure> {
    let title = "share of what its multiplications allow (%)";
    let share = |cell: &Cell| cell.share_of_limit.map(|share| 100.0 * share);
    let figure = by_batch(document, "Share of the limit", title, share, f64::max);
    figure.into_iter().collect()
}

/// A heading an algorithm, a line a device, a dot a batch size, and the best of these at the end.
fn by_batch(
    document: &Document,
    title: &str,
    axis: &str,
    value: impl Fn(&Cell) -> Option<f64>,
    best: fn(f64, f64) -> f64,
) -> Option<Figure> {
    let mut batches: Vec<_> =
        shown(document).flat_map(|row| &row.batches).map(|cell| cell.batch).collect();
    batches.sort_unstable();
    batches.dedup();
    let look = |batch: u64| {
        let index = batches.iter().position(|known| *known == batch).unwrap_or(0);
        Look { colour: index, marker: index, ..Look::default() }
    };
    let mut rows = Vec::new();
    for algorithm in algorithms(shown(document)) {
        let heading = Row { name: algorithm.to_owned(), ..Row::default() };
        let of = shown(document).filter(|row| row.algorithm == algorithm);
        let lines = of.filter_map(|row| {
            let found: Vec<_> =
                row.batches.iter().filter_map(|cell| Some((cell.batch, value(cell)?))).collect();
            let dots = found.iter().map(|(batch, value)| {
                let tip =
                    format!("{algorithm}, {}, batches of {batch}: {}", row.device, count(*value));
                Dot { value: *value, look: look(*batch), tip }
            });
            let end = found.iter().map(|(_, value)| *value).reduce(best)?;
            Some(Row {
                name: row.device.clone(),
                dots: dots.collect(),
                spread: None,
                value: count(end),
            })
        });
        let lines: Vec<_> = lines.collect();
        if !lines.is_empty() {
            rows.push(heading);
            rows.extend(lines);
        }
    }
    let chart = Dots {
        label: format!("{title}, by batch size, logarithmic"),
        axis: Axis { title: axis.to_owned(), kind: Kind::Log, format: count, at: Vec::new() },
        reference: None,
        rows,
        legend: batches
            .iter()
            .map(|batch| (format!("batch {}", grouped(*batch as f64)), look(*batch)))
            .collect(),
    };
    let caption = "The figure at the end of a line is the best.".to_owned();
    Some(Figure { title: title.to_owned(), chart: chart.draw()?, caption })
}

/// The names of the devices that rows are of, each once.
fn devices(document: &Document) -> Vec<&str> {
    let mut names = Vec::new();
    for row in shown(document) {
        if !names.contains(&row.device.as_str()) {
            names.push(&row.device);
        }
    }
    names
}

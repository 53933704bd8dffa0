//! The tables of a run.

use super::full_name;
use crate::cli::bench::document::{Cell, Comparison, Document, Pays, Repeats};
use crate::cli::report::markup::{Markup, Value};
use crate::cli::report::page::{list, paragraph, scroll, section, table};
use crate::cli::units::grouped;
use crate::cli::units::{digits, percent, time};

/// Fewer latencies than this have no 99th percentile: it is the longest then, and marked.
const FEW: u64 = 100;

/// The answer by load.
pub(super) fn loads(page: &mut Markup, document: &Document) {
    let word = |pays| match pays {
        Pays::Yes => "pays",
        Pays::No => "would not pay",
        Pays::Perhaps => "may pay",
    };
    let rows = document.verdict.loads.iter().map(|load| {
        vec![
            grouped(load.signatures_per_second as f64),
            percent(load.cpu_share),
            digits(load.cpu_cores),
            if load.cpu_enough { "yes" } else { "no" }.to_owned(),
            word(load.accelerator).to_owned(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        let heads =
            ["signatures a second", "of the CPU", "cores", "CPU is enough", "an accelerator"];
        table(page, "The answer by load", &heads, &rows);
    }
}

/// The rows, and for each batch size the rate, its spread, two latencies and the ratio.
pub(super) fn rates(page: &mut Markup, document: &Document) {
    let mut batches: Vec<_> = super::cells(document).map(|cell| cell.batch).collect();
    batches.sort_unstable();
    batches.dedup();
    let with_ratio = super::cells(document).any(|cell| cell.baseline.is_some());
    let columns = if with_ratio { 5 } else { 4 };
    scroll(page, "Figures", |page| {
        page.node("table", &[("class", &"wide")], |table| {
            table.node("thead", &[], |head| {
                head.node("tr", &[], |line| {
                    line.leaf("th", &[("class", &"name"), ("rowspan", &2)], "algorithm");
                    line.leaf("th", &[("class", &"name"), ("rowspan", &2)], "device");
                    for batch in &batches {
                        let attributes: [(&str, Value<'_>); 3] = [
                            ("class", &"name first"),
                            ("colspan", &columns),
                            ("scope", &"colgroup"),
                        ];
                        line.leaf(
                            "th",
                            &attributes,
                            format!("batch of {}", grouped(*batch as f64)),
                        );
                    }
                });
                head.node("tr", &[], |line| {
                    for _ in &batches {
                        line.leaf("th", &[("class", &"first")], "jobs/s");
                        for name in ["±", "p50", "p99", "ratio"].iter().take(columns - 1) {
                            line.leaf("th", &[], name);
                        }
                    }
                });
            });
            table.node("tbody", &[], |body| {
                for row in &document.rows {
                    body.node("tr", &[], |line| {
                        let name = full_name(&row.algorithm, row.rule.as_ref());
                        // It may break behind the colon.
                        let name = name.replace(':', ":\u{200b}");
                        line.leaf("th", &[("scope", &"row")], name);
                        line.leaf("td", &[("class", &"name")], &row.device);
                        for batch in &batches {
                            let cell = row.batches.iter().find(|cell| cell.batch == *batch);
                            for (index, text) in texts(cell).into_iter().take(columns).enumerate() {
                                let class = if index == 0 { "first" } else { "" };
                                line.leaf("td", &[("class", &class)], text);
                            }
                        }
                    });
                }
            });
        });
    });
    let mut notes = vec![
        "jobs/s is the median of samples in closed loop, ± half of their middle range. p50 and p99 are of whole batches.",
    ];
    if with_ratio {
        notes.push("The ratio is our rate over the other library's, on the same jobs and as many threads, in turns.");
    }
    if super::cells(document).any(|cell| cell.latency.samples < FEW) {
        notes.push("* marks the longest of fewer than 100 batches.");
    }
    page.leaf("p", &[("class", &"faint")], notes.join(" "));
}

fn texts(cell: Option<&Cell>) -> [String; 5] {
    let Some(cell) = cell else { return Default::default() };
    let rate = &cell.jobs_per_second;
    let half = (rate.p75 - rate.p25) / 2.0 / rate.median.max(1e-9);
    let mark = if cell.latency.samples < FEW { "*" } else { "" };
    let ratio = cell.baseline.as_ref().map(|baseline| format!("{:.2}", baseline.median));
    [
        grouped(rate.median),
        format!("{:.0} %", 100.0 * half),
        time(cell.latency.p50_ns as f64),
        time(cell.latency.p99_ns as f64) + mark,
        ratio.unwrap_or_default(),
    ]
}

/// What `--fail-below` asked for; nothing if it was not given.
pub(super) fn gates(page: &mut Markup, document: &Document) {
    let rows = document.gates.iter().map(|gate| {
        let found = gate.found.map_or("not measured".to_owned(), digits);
        let met = if gate.met { "reached" } else { "MISSED" };
        vec![gate.cell.clone(), gate.bound.clone(), digits(gate.wanted), found, met.to_owned()]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        section(page, "Bounds of --fail-below", |page| {
            table(page, "Bounds", &["cell", "bound", "wanted", "found", ""], &rows);
        });
    }
}

/// Latencies at an offered rate.
pub(super) fn open_loop(page: &mut Markup, document: &Document) {
    let mut rows = Vec::new();
    for row in &document.rows {
        for cell in &row.batches {
            let Some(open) = &cell.open_loop else { continue };
            let mut line = vec![row.algorithm.clone(), row.device.clone()];
            line.extend([cell.batch as f64, open.offered, open.achieved].map(grouped));
            let latency = &open.latency;
            let all = [
                latency.p50_ns,
                latency.p90_ns,
                latency.p99_ns,
                latency.p999_ns,
                latency.max_ns,
                open.uncorrected.p99_ns,
            ];
            line.extend(all.map(|ns| time(ns as f64)));
            rows.push(line);
        }
    }
    let heads = [
        "algorithm",
        "device",
        "batch",
        "offered/s",
        "answered/s",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "max",
        "p99 from sending",
    ];
    table(page, "Latency at an offered rate", &heads, &rows);
    let note = "Latencies are from when a batch was due, so that a late one counts as late (coordinated omission). The last \
                column is from when it was sent, as a naive reading has it.";
    page.leaf("p", &[("class", &"faint")], note);
}

/// An older run and this one.
pub(super) fn comparison(page: &mut Markup, comparison: &Comparison) {
    paragraph(page, format!("Against the run of {}:", comparison.date));
    page.leaf("pre", &[], &comparison.command);
    if !comparison.differences.is_empty() {
        page.leaf("p", &[("class", &"alarm")], "The older run is of another machine:");
        list(page, &comparison.differences);
    }
    let rows = comparison.rows.iter().map(|cell| {
        let word = match (cell.differs, cell.ratio > 1.0) {
            (false, _) => "the same within the spread",
            (true, true) => "faster",
            (true, false) => "SLOWER",
        };
        vec![
            cell.algorithm.clone(),
            cell.device.clone(),
            grouped(cell.batch as f64),
            grouped(cell.old),
            grouped(cell.new),
            format!("{:.3}", cell.ratio),
            word.to_owned(),
        ]
    });
    let heads =
        ["algorithm", "device", "batch", "older jobs/s", "newer jobs/s", "newer / older", ""];
    table(page, "Comparison", &heads, &rows.collect::<Vec<_>>());
    if !comparison.unmatched.is_empty() {
        paragraph(page, format!("Not in both: {}.", comparison.unmatched.join(", ")));
    }
}

/// Whether runs agree.
pub(super) fn repeats(page: &mut Markup, repeats: &Repeats) {
    let within = percent(repeats.tolerance);
    let text = match repeats.steady {
        true => format!("{} runs: each figure is within {within} of itself.", repeats.runs),
        false => {
            let differ = repeats.rows.iter().filter(|row| row.spread > repeats.tolerance).count();
            format!(
                "{} runs: {differ} of {} figures differ by more than {within}.",
                repeats.runs,
                repeats.rows.len()
            )
        }
    };
    paragraph(page, text);
    let rows = repeats.rows.iter().map(|row| {
        let ratios: Vec<_> = row.ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        let (algorithm, device) = (row.algorithm.clone(), row.device.clone());
        vec![algorithm, device, grouped(row.batch as f64), ratios.join("  "), percent(row.spread)]
    });
    let heads = ["algorithm", "device", "batch", "ratio, run by run", "spread"];
    table(page, "Runs of the whole table", &heads, &rows.collect::<Vec<_>>());
}

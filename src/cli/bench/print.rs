//! A document for people.

use super::document::{Cell, Comparison, Document, Latency, Repeats, Row, Scaling};
use super::watch::listed;
use crate::cli::units::{grouped, time};

/// Fewer latencies than this have no 99th percentile: it is the longest then, and marked.
const FEW: u64 = 100;

/// Prints a run.
pub(super) fn report(document: &Document) {
    for device in &document.devices {
        say!("{}: {}", device.name, device.description);
    }
    // Rows with keys have all that can be told.
    let with_keys = document.rows.iter().find(|row| row.workload.distinct_keys.is_some());
    let others = || document.rows.iter().find(|row| row.algorithm != "null");
    if let Some(row) = with_keys.or_else(others) {
        say!("{}", workload(row));
    }
    say!("");
    table(document);
    limits(document);
    for found in &document.crossovers {
        let (name, device) = (&found.algorithm, &found.device);
        match found.batch {
            Some(from) => {
                say!("{name:21} {device:12} faster than the CPU in batches from {from} on")
            }
            None => {
                let tried = found.tried_up_to;
                say!("{name:21} {device:12} never faster than the CPU, in batches up to {tried}");
            }
        }
    }
    open_loop(document);
    document.scaling.iter().for_each(scaling);
    document.repeats.iter().for_each(repeats);
    document.comparison.iter().for_each(comparison);
    gates(document);
    if !document.warnings.is_empty() {
        say!("");
        for warning in &document.warnings {
            say!("warning: {}", warning.text);
        }
    }
    say!("");
    say!("Would an accelerator pay here?");
    for sentence in &document.verdict.sentences {
        say!("  {sentence}");
    }
    say!("");
    say!("Repeat with: {}", document.command);
    if document.interrupted {
        say!("interrupted: what is shown was measured before");
    }
}

/// What all rows were given, in words.
fn workload(row: &Row) -> String {
    let workload = &row.workload;
    let mut words =
        vec![format!("{} threads", workload.threads), format!("{} in flight", workload.in_flight)];
    if workload.invalid_percent > 0.0 {
        words.push(format!("{} % of the signatures invalid", workload.invalid_percent));
    }
    if let Some(keys) = workload.distinct_keys {
        words.push(format!("{keys} distinct keys"));
    }
    if workload.pinned {
        words.push("keys pinned".to_owned());
    }
    words.join(", ")
}

fn table(document: &Document) {
    let cells = || document.rows.iter().flat_map(|row| &row.batches);
    let with_baseline = cells().any(|cell| cell.baseline.is_some());
    let with_energy = cells().any(|cell| cell.energy.is_some());
    let with_cost = cells().any(|cell| cell.cost_per_million.is_some());
    let mut head = format!(
        "{:21} {:12} {:>6} {:>12} {:>5} {:>9} {:>10}",
        "algorithm", "device", "batch", "jobs/s", "+-", "p50", "p99"
    );
    let mut column = |wanted: bool, text: &str| {
        if wanted {
            head.push_str(text);
        }
    };
    column(with_baseline, "  ratio to baseline          ");
    column(with_energy, "  J/million");
    column(with_cost, " cost/million");
    say!("{}", head.trim_end());
    let mut few = false;
    for row in &document.rows {
        for (index, cell) in row.batches.iter().enumerate() {
            let (name, device) =
                if index == 0 { (row.algorithm.as_str(), row.device.as_str()) } else { ("", "") };
            let rate = &cell.jobs_per_second;
            let half = 50.0 * (rate.p75 - rate.p25) / rate.median.max(1e-9);
            let mut line = format!(
                "{name:21} {device:12} {:>6} {:>12} {half:>4.0}% {:>9} {:>10}",
                cell.batch,
                grouped(rate.median),
                time(cell.latency.p50_ns as f64),
                p99(&cell.latency)
            );
            few |= cell.latency.samples < FEW;
            if with_baseline {
                line.push_str(&ratio(cell));
            }
            if with_energy {
                let joules = cell.energy.as_ref().map(|energy| energy.joules_per_million);
                line.push_str(&format!(" {:>10}", number(joules)));
            }
            if with_cost {
                line.push_str(&format!(" {:>12}", number(cell.cost_per_million)));
            }
            say!("{}", line.trim_end());
        }
    }
    if few {
        say!("* the longest of fewer than {FEW}");
    }
}

/// How near each device comes to what it multiplies, at each row's largest batch.
fn limits(document: &Document) {
    for ceiling in &document.ceilings {
        let rows = document.rows.iter().filter(|row| row.device == ceiling.device);
        let shares = rows.filter_map(|row| {
            let cell = row.batches.last()?;
            Some((cell.batch, format!("{:.0} % ({})", 100.0 * cell.share_of_limit?, row.algorithm)))
        });
        let (batches, shares): (Vec<_>, Vec<_>) = shares.unzip();
        if let Some(batch) = batches.first() {
            let (device, shares) = (&ceiling.device, listed(&shares));
            say!("{device} reaches {shares} of the integer-multiply limit at {batch}");
        }
    }
}

fn ratio(cell: &Cell) -> String {
    let ratio = cell.baseline.as_ref().map(|baseline| {
        let super::document::Baseline { name, median, low, high } = baseline;
        format!("{median:.2} ({low:.2}-{high:.2}) {name}")
    });
    format!("  {:27}", ratio.unwrap_or_default())
}

/// A number of three digits or so.
fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value >= 100.0 => grouped(value),
        Some(value) if value >= 0.1 => format!("{value:.2}"),
        Some(value) => format!("{value:.2e}"),
    }
}

fn p99(latency: &Latency) -> String {
    let mark = if latency.samples < FEW { "*" } else { "" };
    format!("{}{mark}", time(latency.p99_ns as f64))
}

fn open_loop(document: &Document) {
    let cells =
        document.rows.iter().flat_map(|row| row.batches.iter().map(move |cell| (row, cell)));
    let mut first = true;
    for (row, cell) in cells {
        let Some(open) = &cell.open_loop else { continue };
        if std::mem::take(&mut first) {
            say!("");
            say!("Open loop: latencies from when a batch was due (naive: from when it was sent)");
            say!(
                "{:21} {:12} {:>6} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>10}",
                "algorithm",
                "device",
                "batch",
                "offered/s",
                "achieved/s",
                "p50",
                "p90",
                "p99",
                "max",
                "naive p99"
            );
        }
        say!(
            "{:21} {:12} {:>6} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>10}",
            row.algorithm,
            row.device,
            cell.batch,
            grouped(open.offered),
            grouped(open.achieved),
            time(open.latency.p50_ns as f64),
            time(open.latency.p90_ns as f64),
            time(open.latency.p99_ns as f64),
            time(open.latency.max_ns as f64),
            time(open.uncorrected.p99_ns as f64)
        );
    }
}

fn scaling(scaling: &Scaling) {
    let Some(one) = scaling.points.first().map(|point| point.jobs_per_second.median) else {
        return;
    };
    say!("");
    say!("{} in batches of {}, by threads of the CPU", scaling.algorithm, scaling.batch);
    for point in &scaling.points {
        let rate = point.jobs_per_second.median;
        say!("  {:>4} {:>12}/s  x {:.2}", point.threads, grouped(rate), rate / one.max(1e-9));
    }
}

fn repeats(repeats: &Repeats) {
    let percent = 100.0 * repeats.tolerance;
    let what = if repeats.steady {
        format!("all ratios within {percent:.0} % of each other")
    } else {
        let differ = repeats.rows.iter().filter(|row| row.spread > repeats.tolerance).count();
        format!("{differ} of {} rows differ by more than {percent:.0} %", repeats.rows.len())
    };
    say!("");
    say!("{} runs of the table: {what}", repeats.runs);
}

fn comparison(comparison: &Comparison) {
    say!("");
    say!("Against the run of {}: {}", comparison.date, comparison.command);
    for difference in &comparison.differences {
        say!("  other machine: {difference}");
    }
    say!(
        "{:21} {:12} {:>6} {:>12} {:>12} {:>8}",
        "algorithm",
        "device",
        "batch",
        "old jobs/s",
        "new jobs/s",
        "new/old"
    );
    for cell in &comparison.rows {
        let mark = match (cell.differs, cell.ratio > 1.0) {
            (false, _) => "",
            (true, true) => "  faster",
            (true, false) => "  SLOWER",
        };
        let (old, new) = (grouped(cell.old), grouped(cell.new));
        let (name, device, batch, ratio) = (&cell.algorithm, &cell.device, cell.batch, cell.ratio);
        say!("{name:21} {device:12} {batch:>6} {old:>12} {new:>12} {ratio:>8.3}{mark}");
    }
    if !comparison.unmatched.is_empty() {
        say!("not in both: {}", listed(&comparison.unmatched));
    }
}

fn gates(document: &Document) {
    let missed: Vec<_> = document.gates.iter().filter(|gate| !gate.met).collect();
    if document.gates.is_empty() {
        return;
    }
    say!("");
    for gate in &missed {
        let found = gate.found.map_or("not measured".to_owned(), |found| format!("{found:.3}"));
        say!("BELOW --fail-below {}: {}: {found}", gate.bound, gate.cell);
    }
    if missed.is_empty() {
        say!("--fail-below: all {} reached", document.gates.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            [None, Some(0.001), Some(2.5), Some(1e4)].map(number),
            ["-", "1.00e-3", "2.50", "10,000"]
        );
    }
}

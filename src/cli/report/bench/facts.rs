//! What a run was, where, and how to repeat it.

use super::{EMPTY, cells};
use crate::cli::bench::document::{Document, Row};
use crate::cli::report::csv::Csv;
use crate::cli::report::markup::{Markup, Value};
use crate::cli::report::page::{facts, paragraph};
use crate::cli::units::grouped;
use crate::cli::units::{bytes, count, digits, percent};

/// The title, and what was run when.
pub(super) fn head(page: &mut Markup, document: &Document) {
    let Document { date, seconds, versions, machine, .. } = document;
    page.node("header", &[], |page| {
        page.leaf("h1", &[], "Sigmill benchmark");
        let git = versions.git.as_ref().map(|git| format!(" ({git})")).unwrap_or_default();
        let cpu = machine.cpu.as_ref().map(|cpu| format!(", on {cpu}")).unwrap_or_default();
        let text =
            format!("{date}, {} s, sigmill {}{git}{cpu}", digits(*seconds), versions.sigmill);
        page.leaf("p", &[("class", &"faint")], text);
        if document.interrupted {
            page.leaf(
                "p",
                &[("class", &"alarm")],
                "Interrupted: what is shown was measured before.",
            );
        }
        let missed = document.gates.iter().filter(|gate| !gate.met).count();
        if missed > 0 {
            let all = document.gates.len();
            page.leaf(
                "p",
                &[("class", &"alarm")],
                format!("{missed} of {all} bounds of --fail-below missed."),
            );
        }
    });
}

/// The machine, its devices and what the batches held.
pub(super) fn machine(page: &mut Markup, document: &Document) {
    let machine = &document.machine;
    let khz = |khz: u64| format!("{} GHz", digits(khz as f64 / 1e6));
    let mut known = Vec::<(&str, String)>::new();
    let mut fact = |name, value: Option<String>| known.extend(value.map(|value| (name, value)));
    fact("processor", machine.cpu.clone());
    fact("cores", machine.cores.map(|cores| cores.to_string()));
    fact("may take", machine.quota_cores.map(|cores| format!("{} cores' time", digits(cores))));
    fact("memory", machine.memory_bytes.map(|memory| bytes(memory as f64)));
    fact("clock", machine.frequency_khz.map(khz));
    let range = machine.frequency_min_khz.zip(machine.frequency_max_khz);
    fact("clock range", range.map(|(low, high)| format!("{} to {}", khz(low), khz(high))));
    fact("governor", machine.governor.clone());
    fact("system", machine.kernel.clone());
    fact("load before", machine.load_average.map(digits));
    fact("compiler", document.versions.rustc.clone());
    fact("workload", document.rows.iter().find(|row| row.algorithm != EMPTY).map(workload));
    facts(page, &known);
    for device in &document.devices {
        page.leaf("h3", &[], &device.name);
        paragraph(page, &device.description);
        if !device.details.is_empty() {
            facts(page, &device.details.iter().collect::<Vec<_>>());
        }
        let ceiling = document.ceilings.iter().find(|ceiling| ceiling.device == device.name);
        ceiling.iter().flat_map(|ceiling| ceiling.lines()).for_each(|line| paragraph(page, line));
    }
}

fn threads(threads: u64) -> String {
    format!("{threads} {}", if threads == 1 { "thread" } else { "threads" })
}

/// What all rows were given.
fn workload(row: &Row) -> String {
    let workload = &row.workload;
    let mut words = vec![threads(workload.threads), format!("{} in flight", workload.in_flight)];
    if workload.invalid_percent > 0.0 {
        words.push(format!(
            "{} of the signatures invalid",
            percent(workload.invalid_percent / 100.0)
        ));
    }
    words.extend(
        workload.distinct_keys.map(|keys| format!("{} distinct keys", grouped(keys as f64))),
    );
    words.extend(workload.pinned.then(|| "keys pinned".to_owned()));
    words.extend(workload.rate.map(|rate| format!("{} jobs a second offered", count(rate))));
    words.join(", ")
}

/// The command, and the figures for other programs.
pub(super) fn repeat(page: &mut Markup, document: &Document) {
    page.leaf("pre", &[], &document.command);
    page.node("p", &[("class", &"screen")], |page| {
        let link = figures(document).link();
        let attributes: [(&str, Value<'_>); 2] = [("href", &link), ("download", &"sigmill-bench.csv")];
        page.leaf("a", &attributes, "The figures as CSV");
        page.text(". The whole result, as --json prints it, is in this page's source: the element with the id document.");
    });
}

/// One row a cell.
fn figures(document: &Document) -> Csv {
    let names = [
        "algorithm",
        "rule",
        "device",
        "batch",
        "jobs_per_second",
        "jobs_per_second_p25",
        "jobs_per_second_p75",
        "p50_ns",
        "p90_ns",
        "p99_ns",
        "p999_ns",
        "max_ns",
        "samples",
        "baseline",
        "ratio",
        "ratio_low",
        "ratio_high",
        "joules_per_million",
        "cost_per_million",
        "offered",
        "achieved",
        "open_loop_p50_ns",
        "open_loop_p99_ns",
    ];
    let mut csv = Csv::new(&names);
    for row in &document.rows {
        for cell in &row.batches {
            let (rate, latency) = (&cell.jobs_per_second, &cell.latency);
            let baseline = cell.baseline.as_ref();
            let open = cell.open_loop.as_ref();
            let number =
                |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            let mut line = vec![
                row.algorithm.clone(),
                row.rule.clone().unwrap_or_default(),
                row.device.clone(),
            ];
            line.push(cell.batch.to_string());
            line.extend([rate.median, rate.p25, rate.p75].map(|value| value.to_string()));
            let latency = [
                latency.p50_ns,
                latency.p90_ns,
                latency.p99_ns,
                latency.p999_ns,
                latency.max_ns,
                latency.samples,
            ];
            line.extend(latency.map(|value| value.to_string()));
            line.push(baseline.map(|baseline| baseline.name.clone()).unwrap_or_default());
            let ratio = baseline.map(|baseline| [baseline.median, baseline.low, baseline.high]);
            line.extend((0..3).map(|at| number(ratio.map(|ratio| ratio[at]))));
            line.push(number(cell.energy.as_ref().map(|energy| energy.joules_per_million)));
            line.push(number(cell.cost_per_million));
            line.extend(
                [open.map(|open| open.offered), open.map(|open| open.achieved)].map(number),
            );
            let latency = open.map(|open| [open.latency.p50_ns, open.latency.p99_ns]);
            line.extend(
                (0..2).map(|at| latency.map(|latency| latency[at].to_string()).unwrap_or_default()),
            );
            csv.row(line);
        }
    }
    csv
}

/// What a run with other options would show beside.
pub(super) fn absent(document: &Document) -> Vec<&'static str> {
    let has = |wanted: fn(&super::Cell) -> bool| cells(document).any(wanted);
    let beside = document.devices.len() > 1;
    let scaled = document.scaling.as_ref().is_some_and(|scaling| scaling.points.len() > 1);
    let all = [
        (
            beside,
            "A device beside the CPU, and from which batch on it is faster: --backend gpu or fpga, where there is one.",
        ),
        (
            has(|cell| cell.baseline.is_some()),
            "Ratios to libsecp256k1, sha2 and sha3: a build with --features baseline.",
        ),
        (
            scaled,
            "Scaling by threads: a machine of several cores, and a run that measures ecdsa-secp256k1 on the CPU.",
        ),
        (
            has(|cell| cell.open_loop.is_some()),
            "Latency at an offered rate: --rate JOBS_PER_SECOND.",
        ),
        (
            has(|cell| cell.energy.is_some()),
            "Energy: counters that may be read in /sys/class/powercap, or a build with --features nvml for a GPU.",
        ),
        (
            has(|cell| cell.cost_per_million.is_some()),
            "The cost of a million jobs: --price-per-hour PRICE.",
        ),
        (document.comparison.is_some(), "What has changed since an older run: --compare OLD.json."),
        (document.repeats.is_some(), "Whether runs agree: --repeat N."),
        (!document.gates.is_empty(), "Bounds that must be reached: --fail-below BOUND."),
    ];
    all.into_iter().filter(|(there, _)| !there).map(|(_, text)| text).collect()
}

//! The page of a bench run, in the order in which it is read: the answer, what speaks against it, the figures.

mod charts;
mod facts;
mod figures;
mod table;

use super::markup::Markup;
use super::page::{figure, list, page, paragraph, section};
use super::svg::Chart;
use crate::cli::bench::document::{Cell, Document, Row};

/// A chart under its title, and what there is to say of it.
struct Figure {
    title: String,
    chart: Chart,
    caption: String,
}

/// What rows compute, as charts group it.
const FAMILIES: [&str; 3] = ["signatures", "Merkle trees", "hashes"];

fn family(algorithm: &str) -> &'static str {
    let [signatures, trees, hashes] = FAMILIES;
    match algorithm {
        name if name.starts_with("merkle") => trees,
        name if ["sha", "keccak"].iter().any(|hash| name.starts_with(hash)) => hashes,
        _ => signatures,
    }
}

/// The way through the engine alone: in the table, and in no chart.
const EMPTY: &str = "null";

/// Makes the page.
pub(in crate::cli) fn bench(document: &Document) -> String {
    page("Sigmill benchmark", |page| {
        facts::head(page, document);
        section(page, "Would an accelerator pay here?", |page| answer(page, document));
        if !document.warnings.is_empty() {
            section(page, "What speaks against trusting the figures", |page| {
                page.node("div", &[("class", &"warnings")], |page| {
                    let texts: Vec<_> =
                        document.warnings.iter().map(|warning| &warning.text).collect();
                    list(page, &texts);
                });
            });
        }
        section(page, "Figures", |page| table::rates(page, document));
        table::gates(page, document);
        group(page, "Jobs a second by batch size", &charts::throughput(document));
        group(page, "Latency by batch size", &charts::latency(document));
        group(page, "Against other libraries", &figures::baseline(document));
        group(page, "Against the device's limit", &figures::share_of_limit(document));
        group(page, "By threads of the CPU", &charts::scaling(document));
        if document.rows.iter().any(|row| row.batches.iter().any(|cell| cell.open_loop.is_some())) {
            section(page, "Latency at an offered rate", |page| {
                charts_of(page, &figures::open_loop(document));
                table::open_loop(page, document);
            });
        }
        group(page, "Energy and cost", &figures::energy_and_cost(document));
        if let Some(comparison) = &document.comparison {
            section(page, "Against an older run", |page| {
                table::comparison(page, comparison);
                charts_of(page, &figures::comparison(comparison));
            });
        }
        if let Some(repeats) = &document.repeats {
            section(page, "Runs of the whole table", |page| table::repeats(page, repeats));
        }
        section(page, "Machine and devices", |page| facts::machine(page, document));
        section(page, "How to repeat it", |page| facts::repeat(page, document));
        let absent = facts::absent(document);
        if !absent.is_empty() {
            section(page, "What this run has not", |page| list(page, &absent));
        }
        let json = serde_json::to_string(document).expect("plain data");
        page.data("document", &json);
    })
}

fn answer(page: &mut Markup, document: &Document) {
    page.node("div", &[("class", &"answer")], |page| {
        for sentence in &document.verdict.sentences {
            paragraph(page, sentence);
        }
    });
    table::loads(page, document);
}

/// A section of charts; nothing if there are none.
fn group(page: &mut Markup, title: &str, figures: &[Figure]) {
    if !figures.is_empty() {
        section(page, title, |page| charts_of(page, figures));
    }
}

fn charts_of(page: &mut Markup, figures: &[Figure]) {
    if !figures.is_empty() {
        page.node("div", &[("class", &"charts")], |page| {
            for Figure { title, chart, caption } in figures {
                figure(page, title, chart, caption);
            }
        });
    }
}

/// A row's algorithm with its rule.
fn full_name(algorithm: &str, rule: Option<&String>) -> String {
    rule.map_or(algorithm.to_owned(), |rule| format!("{algorithm}:{rule}"))
}

/// A device's place among those of the document: the same in all charts.
fn device_index(document: &Document, name: &str) -> usize {
    document.devices.iter().position(|device| device.name == name).unwrap_or(document.devices.len())
}

/// The rows that charts show.
fn shown(document: &Document) -> impl Iterator<Item = &Row> {
    document.rows.iter().filter(|row| row.algorithm != EMPTY && !row.batches.is_empty())
}

/// The names of these rows' algorithms, each once.
fn algorithms<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<&'a str> {
    let mut names = Vec::new();
    for row in rows {
        if !names.contains(&row.algorithm.as_str()) {
            names.push(&row.algorithm);
        }
    }
    names
}

fn cells(document: &Document) -> impl Iterator<Item = &Cell> {
    document.rows.iter().flat_map(|row| &row.batches)
}

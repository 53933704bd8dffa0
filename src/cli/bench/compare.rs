//! `--compare`: a run against an older one.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::document::{ComparedCell, Comparison, Document, KIND, Row, SCHEMA, Spread};
use crate::cli::machine::Machine;
use crate::cli::{Failure, Status};

/// Bytes that a document may have.
const LIMIT: u64 = 16 << 20;

/// Reads the document of an older run.
///
/// # Errors
/// A file that cannot be read, or is not what `sigmill bench --json` prints.
pub(super) fn read(path: &Path) -> Result<Document, Failure> {
    let refuse =
        |why: String| Failure::new(Status::Error, format!("--compare {}: {why}", path.display()));
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_string(&mut text))
        .map_err(|error| refuse(format!("cannot be read: {error}")))?;
    if text.len() as u64 > LIMIT {
        return Err(refuse(format!("longer than {LIMIT} bytes")));
    }
    parse(&text).map_err(refuse)
}

fn parse(text: &str) -> Result<Document, String> {
    let wanted = "give a file that `sigmill bench --json` wrote";
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("no JSON: {error}; {wanted}"))?;
    match value.get("kind").and_then(Value::as_str) {
        Some(KIND) => {}
        Some(kind) => return Err(format!("field `kind` is `{kind}`, not `{KIND}`; {wanted}")),
        None => return Err(format!("field `kind` is absent; {wanted}")),
    }
    match value.get("schema") {
        Some(schema) if *schema == SCHEMA => {}
        schema => {
            let schema = schema.cloned().unwrap_or_default();
            return Err(format!(
                "field `schema` is {schema}, and this program reads {SCHEMA}: compare with the program \
                 that wrote it"
            ));
        }
    }
    serde_json::from_value(value).map_err(|error| format!("{error}; {wanted}"))
}

/// Compares each cell that both measured under the same workload.
pub(super) fn compare(old: &Document, new: &Document) -> Comparison {
    let mut comparison = Comparison {
        command: old.command.clone(),
        date: old.date.clone(),
        differences: differences(&old.machine, &new.machine),
        rows: Vec::new(),
        unmatched: Vec::new(),
    };
    let name = |row: &Row, batch: u64| format!("{} {} {batch}", row.algorithm, row.device);
    let same = |a: &Row, b: &Row| {
        (&a.algorithm, &a.rule, &a.device, &a.workload)
            == (&b.algorithm, &b.rule, &b.device, &b.workload)
    };
    let find = |document: &Document, row: &Row, batch: u64| {
        let mut rows = document.rows.iter().filter(|other| same(other, row));
        rows.find_map(|row| row.batches.iter().find(|cell| cell.batch == batch)).cloned()
    };
    for row in &new.rows {
        for cell in &row.batches {
            let before = find(old, row, cell.batch).map(|cell| cell.jobs_per_second);
            let Some(before) = before.filter(|before| before.median > 0.0) else {
                comparison.unmatched.push(name(row, cell.batch));
                continue;
            };
            let now = cell.jobs_per_second;
            comparison.rows.push(ComparedCell {
                algorithm: row.algorithm.clone(),
                device: row.device.clone(),
                batch: cell.batch,
                old: before.median,
                new: now.median,
                ratio: now.median / before.median,
                differs: apart(&before, &now),
            });
        }
    }
    for row in &old.rows {
        let gone = row.batches.iter().filter(|cell| find(new, row, cell.batch).is_none());
        for batch in gone.map(|cell| cell.batch) {
            let name = name(row, batch);
            if !comparison.unmatched.contains(&name) {
                comparison.unmatched.push(name);
            }
        }
    }
    comparison
}

/// Whether the middle halves of the samples do not overlap.
fn apart(a: &Spread, b: &Spread) -> bool {
    a.p75 < b.p25 || b.p75 < a.p25
}

/// In what two machines differ that rates depend on.
fn differences(old: &Machine, new: &Machine) -> Vec<String> {
    let mut all = Vec::new();
    let mut differ = |what: &str, old: Option<String>, new: Option<String>| {
        if old != new {
            let word = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
            all.push(format!("{what}: {}, now {}", word(old), word(new)));
        }
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    differ("processor", old.cpu.clone(), new.cpu.clone());
    differ("cores", number(old.cores), number(new.cores));
    differ("governor", old.governor.clone(), new.governor.clone());
    differ("kernel", old.kernel.clone(), new.kernel.clone());
    let quota = |machine: &Machine| machine.quota_cores.map(|cores| format!("{cores:.2} cores"));
    differ("quota", quota(old), quota(new));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::made;

    #[test]
    fn a_run_is_like_itself() {
        let document = made::document();
        let found = compare(&document, &document);
        assert!(found.differences.is_empty() && found.unmatched.is_empty());
        assert!(!found.rows.is_empty());
        assert!(found.rows.iter().all(|cell| cell.ratio == 1.0 && !cell.differs));
    }

    #[test]
    fn faster_slower_and_unmatched_cells_are_told_apart() {
        let old = made::document();
        let mut new = made::document();
        new.machine.cores = Some(64);
        let cells = &mut new.rows[0].batches;
        cells[0].jobs_per_second = made::rate(12_000.0);
        cells[1].jobs_per_second.median *= 1.005;
        cells[2].batch = 8_192;
        let found = compare(&old, &new);
        assert!((found.rows[0].ratio - 1.2).abs() < 1e-9 && found.rows[0].differs);
        assert!(found.rows[1].ratio > 1.0 && !found.rows[1].differs);
        let names = ["ecdsa-secp256k1 cpu 8192", "ecdsa-secp256k1 cpu 4096"];
        assert_eq!(found.unmatched, names);
        assert_eq!(found.differences, ["cores: 2, now 64"]);
        // Another workload is another row.
        new.rows[1].workload.in_flight = 8;
        let found = compare(&old, &new);
        assert!(found.rows.iter().all(|cell| cell.device == "cpu"));
    }

    #[test]
    fn documents_go_through_json_and_others_are_refused() {
        let document = made::document();
        let text = serde_json::to_string(&document).expect("plain data");
        assert_eq!(parse(&text), Ok(document));
        let refused = |text: &str, word: &str| {
            let why = parse(text).expect_err("not a document");
            assert!(why.contains(word), "{why}");
        };
        refused("", "no JSON");
        refused("[]", "`kind` is absent");
        refused(r#"{"schema":1,"kind":"doctor"}"#, "`kind` is `doctor`");
        refused(r#"{"schema":2,"kind":"bench"}"#, "`schema` is 2");
        refused(r#"{"kind":"bench"}"#, "`schema` is null");
        refused(r#"{"schema":1,"kind":"bench"}"#, "missing field");
    }
}

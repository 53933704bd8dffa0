//! `--compare`: a run against an older one.

use std::path::Path;

use super::document::{ComparedCell, Comparison, Document, KIND, Row, Spread};
use crate::cli::kept::{Kept, LARGEST};
use crate::cli::machine::Machine;
use crate::cli::{Failure, Status};

/// Reads the document of an older run.
///
/// # Errors
/// A file that cannot be read, or is not what `sigmill bench --json` prints.
pub(super) fn read(path: &Path) -> Result<Document, Failure> {
    let kept = Kept::read(path).and_then(|kept| match kept {
        Kept::Bench(document) => Ok(*document),
        Kept::Profile(_) => Err(format!("field `kind` is `profile`, not `{KIND}`")),
    });
    kept.map_err(|why| {
        let why = format!(
            "--compare {}: {why}; give a file that `sigmill bench --json` wrote",
            path.display()
        );
        Failure::new(Status::Error, why)
    })
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
            let now = cell.jobs_per_second;
            let before = find(old, row, cell.batch).map(|cell| cell.jobs_per_second);
            // Of a rate of nothing, or next to it, there is no ratio.
            let comparable =
                |before: &Spread| (0.0..=LARGEST).contains(&(now.median / before.median));
            let Some(before) = before.filter(comparable) else {
                comparison.unmatched.push(name(row, cell.batch));
                continue;
            };
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
    use crate::cli::bench::gate::FailBelow;
    use crate::cli::bench::made;
    use crate::cli::hostile::{Hostile, results};

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
    fn hostile_older_runs_are_compared_within_bounds() {
        let mut hostile = Hostile::new(4);
        let runs = &results()[..2];
        let Ok(Kept::Bench(mut new)) = Kept::parse(runs[0].to_string().as_bytes()) else {
            panic!("a result");
        };
        let bounds: [FailBelow; 2] =
            ["0.95", "sha256:1=1/s"].map(|text| text.parse().expect("a bound"));
        let mut compared = 0;
        for _ in 0..2_000 {
            let run = hostile.one_of(runs);
            let mut old = hostile.json(run);
            if hostile.below(4) == 0
                && let Some(rate) = old.pointer_mut("/rows/0/batches/0/jobs_per_second/median")
            {
                *rate = (*hostile.one_of(&[f64::from_bits(1), 1e-15, 1e15])).into();
            }
            let Ok(Kept::Bench(old)) = Kept::parse(old.to_string().as_bytes()) else { continue };
            compared += 1;
            let found = compare(&old, &new);
            assert!(found.rows.iter().all(|cell| cell.ratio.is_finite()), "{found:?}");
            let cells = |document: &Document| {
                document.rows.iter().map(|row| row.batches.len()).sum::<usize>()
            };
            assert!(found.rows.len() + found.unmatched.len() <= cells(&old) + cells(&new));
            new.comparison = Some(found);
            new.gates = bounds.iter().flat_map(|bound| bound.judge(&new)).collect();
            let again = serde_json::to_vec(&new).expect("plain data");
            Kept::parse(&again).expect("what is written is read again");
        }
        assert!(compared > 200, "{compared}");
    }
}

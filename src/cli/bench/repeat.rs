//! `--repeat`: whether runs of the whole table say the same.

use super::document::{RepeatedCell, Repeats, Warning, WarningKind};
use super::watch::listed;

/// Share by which runs may differ and count as the same.
const TOLERANCE: f64 = 0.05;

/// What the runs say of each other: each cell comes with its ratios, run by run.
pub(super) fn judge(runs: u64, mut rows: Vec<RepeatedCell>) -> Repeats {
    for row in &mut rows {
        let least = row.ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = row.ratios.iter().copied().fold(0.0, f64::max);
        row.spread = if least > 0.0 && least.is_finite() { most / least - 1.0 } else { 0.0 };
    }
    let steady = rows.iter().all(|row| row.spread <= TOLERANCE);
    Repeats { runs, tolerance: TOLERANCE, steady, rows }
}

/// In words: all the same, or those that are not.
pub(super) fn warning(repeats: &Repeats) -> Option<Warning> {
    let differ = repeats.rows.iter().filter(|row| row.spread > repeats.tolerance);
    let names: Vec<_> = differ
        .map(|row| {
            let RepeatedCell { algorithm, device, batch, spread, .. } = row;
            format!("{algorithm} {device} {batch} (by {:.0} %)", 100.0 * spread)
        })
        .collect();
    let percent = 100.0 * repeats.tolerance;
    let text = format!("runs differ by more than {percent:.0} %: {}", listed(&names));
    (!names.is_empty()).then_some(Warning { kind: WarningKind::RepeatsDiffer, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_within_five_percent_are_the_same() {
        let cell = |batch, ratios: &[f64]| RepeatedCell {
            algorithm: "sha256".to_owned(),
            device: "cpu".to_owned(),
            batch,
            ratios: ratios.to_vec(),
            spread: 0.0,
        };
        let repeats = judge(3, vec![cell(1, &[1.0, 1.04, 1.02]), cell(2, &[])]);
        assert!(repeats.steady && warning(&repeats).is_none());
        let repeats = judge(3, vec![cell(1, &[1.0, 1.04]), cell(2, &[2.0, 1.6])]);
        assert!(!repeats.steady);
        let text = warning(&repeats).expect("a warning").text;
        assert!(text.ends_with("sha256 cpu 2 (by 25 %)"), "{text}");
    }
}

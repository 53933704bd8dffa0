//! `--fail-below`: the least that a run has to reach.

use super::baseline;
use super::document::{Cell, Document, Gate, Row};
use crate::cli::kept::LARGEST;
use crate::cli::nearest::quoted;
use crate::cli::workload::{self, ALGORITHMS};

/// One bound.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct FailBelow {
    text: String,
    wanted: Wanted,
}

#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    /// Of each cell, over the older run's: `0.95`.
    Old(f64),
    /// Of one cell, over the baseline's: `ecdsa-secp256k1:4096=1.5`.
    Ratio(Place, f64),
    /// Of one cell, in jobs a second: `ecdsa-secp256k1@gpu:4096=100000/s`.
    Rate(Place, f64),
}

/// A cell, on the device named or else the first that has it.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    algorithm: String,
    device: Option<String>,
    batch: u64,
}

impl std::str::FromStr for FailBelow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |word: &str| {
            let number = word.parse().ok().filter(|number| *number > 0.0 && *number <= LARGEST);
            number.ok_or_else(|| format!("{}: no number above 0, up to {LARGEST:e}", quoted(word)))
        };
        let wanted = match text.split_once('=') {
            None => Wanted::Old(number(text)?),
            Some((place, bound)) => {
                let (name, batch) = place.rsplit_once(':').ok_or_else(|| {
                    format!("{}: ALGORITHM:BATCH, such as ecdsa-secp256k1:4096", quoted(place))
                })?;
                let batch = batch.parse().ok().filter(|batch| *batch > 0);
                let batch = batch.ok_or("BATCH: no number above 0")?;
                let (algorithm, device) = match name.split_once('@') {
                    Some((algorithm, device)) => (algorithm, Some(device.to_owned())),
                    None => (name, None),
                };
                let algorithm = workload::algorithm(algorithm)?.name().to_owned();
                let place = Place { algorithm, device, batch };
                match bound.strip_suffix("/s") {
                    Some(rate) => Wanted::Rate(place, number(rate)?),
                    None => Wanted::Ratio(place, number(bound)?),
                }
            }
        };
        Ok(FailBelow { text: text.to_owned(), wanted })
    }
}

impl FailBelow {
    /// Why a run of these rows and batches, each named by algorithm and device, could not be judged by it.
    pub fn unfit(
        &self,
        rows: &[(&str, String)],
        sizes: &[usize],
        compares: bool,
    ) -> Option<String> {
        let why = match &self.wanted {
            Wanted::Old(_) if !compares => {
                "a ratio for all rows wants --compare OLD.json".to_owned()
            }
            Wanted::Old(_) => return None,
            Wanted::Ratio(..) if !baseline::BUILT => {
                "a ratio wants a build with the feature `baseline`; a rate is written 100000/s"
                    .to_owned()
            }
            Wanted::Ratio(place, _) if !place.has_baseline() => {
                format!("{} has no baseline; a rate is written 100000/s", place.algorithm)
            }
            Wanted::Ratio(place, _) | Wanted::Rate(place, _) => {
                let row = |(algorithm, device): &(&str, String)| {
                    *algorithm == place.algorithm
                        && place.device.as_ref().is_none_or(|named| named == device)
                };
                if !rows.iter().any(row) {
                    "no row of this run is that one".to_owned()
                } else if sizes.iter().all(|size| *size as u64 != place.batch) {
                    format!("--batch does not name {}", place.batch)
                } else {
                    return None;
                }
            }
        };
        Some(format!("--fail-below {}: {why}", self.text))
    }

    /// Judges the cells of a run; one that was not measured does not reach its bound.
    pub fn judge(&self, document: &Document) -> Vec<Gate> {
        let gate = |cell: String, wanted: f64, found: Option<f64>| Gate {
            bound: self.text.clone(),
            cell,
            wanted,
            found,
            met: found.is_some_and(|found| found >= wanted),
        };
        match &self.wanted {
            Wanted::Old(wanted) => {
                let cells = document.comparison.iter().flat_map(|comparison| &comparison.rows);
                let name = |cell: &super::document::ComparedCell| {
                    format!("{} {} {}", cell.algorithm, cell.device, cell.batch)
                };
                let mut gates: Vec<_> =
                    cells.map(|cell| gate(name(cell), *wanted, Some(cell.ratio))).collect();
                if gates.is_empty() {
                    gates.push(gate("every row".to_owned(), *wanted, None));
                }
                gates
            }
            Wanted::Ratio(place, wanted) => {
                let (name, cell) = place.find(document);
                let found = cell.and_then(|cell| cell.baseline.as_ref()).map(|ratio| ratio.median);
                vec![gate(name, *wanted, found)]
            }
            Wanted::Rate(place, wanted) => {
                let (name, cell) = place.find(document);
                vec![gate(name, *wanted, cell.map(|cell| cell.jobs_per_second.median))]
            }
        }
    }
}

impl Place {
    fn has_baseline(&self) -> bool {
        let mut known = ALGORITHMS.iter().filter(|known| known.name() == self.algorithm);
        known.any(|known| baseline::library(*known).is_some())
    }

    /// Its name and, if it was measured, the cell.
    fn find<'a>(&self, document: &'a Document) -> (String, Option<&'a Cell>) {
        let row = |row: &&Row| {
            row.algorithm == self.algorithm
                && self.device.as_ref().is_none_or(|device| *device == row.device)
        };
        let row = document.rows.iter().find(row);
        let device = row.map(|row| row.device.clone()).or(self.device.clone());
        let name = format!("{} {} {}", self.algorithm, device.unwrap_or_default(), self.batch);
        (name, row.and_then(|row| row.batches.iter().find(|cell| cell.batch == self.batch)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::made;
    use crate::cli::hostile::{Hostile, check_error};

    fn bound(text: &str) -> FailBelow {
        text.parse().expect("a bound")
    }

    #[test]
    fn bounds_are_read() {
        let place = |device: Option<&str>| Place {
            algorithm: "ecdsa-secp256k1".to_owned(),
            device: device.map(str::to_owned),
            batch: 4_096,
        };
        assert_eq!(bound("0.95").wanted, Wanted::Old(0.95));
        assert_eq!(bound("ecdsa-secp256k1:4096=1.5").wanted, Wanted::Ratio(place(None), 1.5));
        let on_gpu = "ecdsa-secp256k1@gpu=software:4096";
        assert!(on_gpu.parse::<FailBelow>().is_err());
        let rate = bound("ecdsa-secp256k1@gpu:4096=1e5/s");
        assert_eq!(rate.wanted, Wanted::Rate(place(Some("gpu")), 1e5));
        for wrong in [
            "",
            "fast",
            "-1",
            "0",
            "nan",
            "inf",
            "1e16",
            "1e-400",
            "sha256=1",
            "sha256:0=1",
            "sha257:1=1",
            "sha256:1=",
            "sha256:1=/s",
            "sha256:x=1",
            "sha256:1=1/h",
        ] {
            assert!(wrong.parse::<FailBelow>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn cells_are_judged_by_their_medians() {
        let document = made::document();
        let judged = |text: &str| bound(text).judge(&document).remove(0);
        let gate = judged("ecdsa-secp256k1:4096=20000/s");
        assert_eq!((gate.found, gate.met), (Some(20_000.0), true));
        assert!(!judged("ecdsa-secp256k1:4096=20001/s").met);
        assert!(judged("ecdsa-secp256k1:4096=1.5").met);
        assert!(!judged("ecdsa-secp256k1:4096=1.6").met);
        assert_eq!(judged("ecdsa-secp256k1@gpu:4096=1/s").cell, "ecdsa-secp256k1 gpu 4096");
        // What was not measured does not pass.
        assert!(!judged("sha256:1=1/s").met && !judged("ecdsa-secp256k1:2=1/s").met);
        assert!(!judged("0.5").met);
    }

    #[test]
    fn what_a_run_will_not_measure_is_refused_before() {
        let rows = [("ecdsa-secp256k1", "cpu".to_owned()), ("null", "null".to_owned())];
        let unfit = |text: &str, compares| bound(text).unfit(&rows, &[1, 4_096], compares);
        assert_eq!(unfit("ecdsa-secp256k1:4096=1/s", false), None);
        assert_eq!(unfit("0.9", true), None);
        for wrong in ["0.9", "ecdsa-secp256k1:2=1/s", "ecdsa-secp256k1@gpu:1=1/s", "sha256:1=1/s"] {
            assert!(unfit(wrong, false).is_some(), "{wrong}");
        }
        assert!(unfit("null:1=2", true).is_some());
        assert_eq!(unfit("ecdsa-secp256k1:1=2", false).is_none(), baseline::BUILT);
    }
    #[test]
    fn hostile_bounds_are_bounds_or_errors() {
        let mut hostile = Hostile::new(5);
        for _ in 0..20_000 {
            let text = *hostile.one_of(&["0.95", "ecdsa-secp256k1@gpu:4096=1.5", "sha256:1=1e5/s"]);
            match hostile.text(text).parse::<FailBelow>() {
                Ok(bound) => check_error(&bound.unfit(&[], &[1], false).expect("no rows")),
                Err(why) => check_error(&why),
            }
        }
    }
}

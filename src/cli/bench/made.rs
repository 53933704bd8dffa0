//! A made-up document, for tests.

use super::document::*;
use crate::cli::ceilings::CopyRates;
use crate::cli::machine::Machine;

/// A rate whose quartiles lie 2 % about its median.
pub(super) fn rate(median: f64) -> Spread {
    Spread { median, p25: 0.99 * median, p75: 1.01 * median, samples: 20 }
}

fn row(device: &str, rates: [f64; 3]) -> Row {
    let cell = |(batch, median): (u64, f64)| {
        let p50 = (batch as f64 / median * 1e9) as u64;
        let latency = Latency {
            p50_ns: p50,
            p90_ns: p50,
            p99_ns: 2 * p50,
            p999_ns: 2 * p50,
            max_ns: 3 * p50,
            samples: 1_000,
        };
        Cell { batch, jobs_per_second: rate(median), latency, ..Cell::default() }
    };
    Row {
        algorithm: "ecdsa-secp256k1".to_owned(),
        rule: Some("compact".to_owned()),
        device: device.to_owned(),
        workload: Workload {
            in_flight: 1,
            threads: 2,
            distinct_keys: Some(4_096),
            ..Workload::default()
        },
        batches: [1, 128, 4_096].into_iter().zip(rates).map(cell).collect(),
    }
}

/// Two cores that verify 20,000 signatures a second, and a GPU that does 100,000 and wins from 64 on.
pub(super) fn document() -> Document {
    let device = |name: &str, accelerator| Device {
        name: name.to_owned(),
        description: "made up".to_owned(),
        accelerator,
        ..Device::default()
    };
    let mut document = Document {
        schema: SCHEMA,
        kind: KIND.to_owned(),
        command: "sigmill bench".to_owned(),
        date: "2026-01-02T03:04:05Z".to_owned(),
        machine: Machine { cores: Some(2), ..Machine::default() },
        devices: vec![device("cpu", false), device("gpu", true)],
        rows: vec![
            row("cpu", [10_000.0, 18_000.0, 20_000.0]),
            row("gpu", [500.0, 20_000.0, 100_000.0]),
        ],
        crossovers: vec![Crossover {
            algorithm: "ecdsa-secp256k1".to_owned(),
            rule: Some("compact".to_owned()),
            device: "gpu".to_owned(),
            batch: Some(64),
            tried_up_to: 128,
        }],
        ..Document::default()
    };
    document.rows[0].batches[2].baseline =
        Some(Baseline { name: "libsecp256k1".to_owned(), median: 1.5, low: 1.4, high: 1.6 });
    document
}

/// Limits that allow so many signatures a second.
pub(super) fn ceiling(device: &str, ideal: f64) -> Ceiling {
    Ceiling {
        device: device.to_owned(),
        what: "products".to_owned(),
        multiplies_per_second: 1e4 * ideal,
        multiplies_per_second_one: Some(5e3 * ideal),
        copy_bytes_per_second: CopyRates {
            memory: Some(1e10),
            to_device: Some(2e10),
            from_device: Some(3e10),
        },
        ideal_jobs_per_second: [("ecdsa-secp256k1".to_owned(), ideal)].into(),
    }
}

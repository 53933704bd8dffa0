use std::sync::Arc;

use sigmill::{Algorithm, Batch, Engine, Job, Terms};

use super::super::picture;
use super::*;

/// A status of an engine that has worked, made grand.
fn status() -> Status {
    let engine = Arc::new(Engine::builder().threads(1).open().expect("an engine"));
    let mut batch = Batch::open(Algorithm::Sha256);
    batch.push(Job::Hash { message: b"abc" }).expect("room");
    engine.submit(batch.seal(), Terms::default()).expect("room").wait();
    let (mut status, _) = Status::of(&engine, None);
    let device = status.devices[0].clone();
    for (name, health) in [("gpu=software", "quarantined"), ("fpga", "probation")] {
        let mut other = device.clone();
        (other.name, other.health) = (name.to_owned(), health.to_owned());
        status.devices.push(other);
    }
    let latency = status.latency[0].clone();
    for algorithm in ["merkle-proof-sha256d", "recover-secp256k1", "ecdsa-secp256k1"] {
        let mut other = latency.clone();
        other.algorithm = algorithm.to_owned();
        other.class = "consensus".to_owned();
        (other.times.p999, other.times.max) = (999_999_999, 600_000_000_000);
        status.latency.push(other);
    }
    status
}

fn later(status: &Status, factor: u64) -> Status {
    let mut later = status.clone();
    later.uptime_ns += 1_000_000_000;
    later.submitted += factor;
    later.valid += factor;
    later.devices.iter_mut().for_each(|device| {
        device.items += factor;
        device.busy_ns += 500_000_000;
        device.backlog_ns = 59_000_000_000;
    });
    (later.in_flight, later.waiting_items) = (16_777_216, 16_777_216);
    later
}

fn model(factor: u64) -> Model {
    let (mut model, status) = (Model::default(), status());
    model.take(status.clone());
    model.take(later(&status, factor));
    model
}

fn view() -> View {
    View { source: "/run/sigmill.sock".to_owned(), interval: 1.0, ..View::default() }
}

#[test]
fn all_fits_the_smallest_terminal() {
    for factor in [0, 7, 123_456_789, 9_999_999_999] {
        let text = picture(&model(factor), &view(), LEAST);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 24);
        for wanted in [
            "submitted",
            "in flight",
            "answered/s",
            "quarantined",
            "probation",
            "backlog",
            "merkle-proof-sha256d",
            "p99.9",
            "parse",
            "judge",
            "routes",
            "sha256",
            "q quit",
            "2 not healthy",
            "50 %",
            "600 s",
        ] {
            assert!(text.contains(wanted), "{wanted} is missing:\n{text}");
        }
        // Columns do not run into each other.
        let header = lines.iter().find(|line| line.contains("health")).expect("the devices");
        let row = lines.iter().find(|line| line.contains("gpu=software")).expect("a device");
        assert!(header.len() <= 80 && row.split_whitespace().count() >= 9, "{row}");
    }
}

#[test]
fn any_size_is_drawn() {
    let model = model(1_000);
    for size in [(1, 1), (10, 3), (40, 10), (80, 24), (200, 60), (500, 2)] {
        picture(&model, &view(), size);
        picture(&Model::default(), &view(), size);
        picture(&model, &View { help: true, ..view() }, size);
    }
}

#[test]
fn wrong_answers_and_trouble_are_what_one_sees_first() {
    let mut model = model(1);
    model.status.as_mut().expect("taken").devices[1].mismatches = 3;
    let text = picture(&model, &view(), LEAST);
    assert!(text.lines().next().expect("a title").contains("3 WRONG ANSWERS"), "{text}");
    let lost = View { trouble: Some("the engine is gone; waiting for it".to_owned()), ..view() };
    assert!(picture(&model, &lost, LEAST).contains("the engine is gone"));
}

#[test]
fn another_engine_has_no_rates_yet() {
    let (mut model, status) = (Model::default(), status());
    model.take(status.clone());
    let mut other = later(&status, 1_000_000);
    other.process += 1;
    model.take(other);
    assert_eq!(model.rates.answered(), 0.0);
}

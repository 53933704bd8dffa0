//! Drives checks in tests, through a real engine.

use std::sync::OnceLock;

use super::{Check, Report};
use crate::batch::Batch;
use crate::engine::{Engine, Terms};
use crate::verdict::Answers;

/// Drives a check to its report.
pub(crate) fn drive(check: &mut dyn Check) -> Report {
    let mut answers = Vec::new();
    loop {
        let batches = check.round(&answers);
        if batches.is_empty() {
            return check.report();
        }
        assert!(batches.iter().all(|batch| !batch.is_empty()));
        answers = batches.iter().map(judge).collect();
    }
}

/// Answers a batch.
pub(crate) fn judge(batch: &Batch) -> Answers {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| Engine::builder().open().expect("an engine"));
    engine.submit(batch.clone(), Terms::default()).expect("room").wait().into_answers()
}

/// The folder with the real data; says what is skipped where there is none.
pub(crate) fn data(what: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("SIGMILL_DATA").map(std::path::PathBuf::from);
    if path.is_none() {
        let required = std::env::var("SIGMILL_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|part| part == "data"), "{what}: SIGMILL_DATA is not set");
        println!("skipped: {what}: SIGMILL_DATA is not set");
    }
    path
}

//! The command as a user runs it: outputs, exit codes, documents.
#![cfg(feature = "cli")]

#[path = "../support/mod.rs"]
mod support;

mod bench;
#[cfg(unix)]
mod book;
mod check;
mod config;
#[cfg(feature = "fpga-sim")]
mod cycles;
#[cfg(unix)]
mod doctor;
mod probe;
mod profile;
#[cfg(unix)]
mod prometheus;
mod report;

use std::process::{Command, Output};

use serde_json::Value;

/// Runs the command, whatever is configured or required here.
fn sigmill(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill"));
    command.args(arguments).env("SIGMILL_CONFIG", "/dev/null").env_remove("SIGMILL_REQUIRE");
    command.output().expect("it runs")
}

/// Its exit code.
fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The one JSON object on its standard output.
fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("one JSON object: {error}: {}", text(&output.stderr)))
}

/// Checks documents against a schema of `docs/schema`.
fn validator(schema: &str) -> jsonschema::Validator {
    let schema = serde_json::from_str(schema).expect("JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("a schema of its draft");
    jsonschema::draft202012::new(&schema).expect("a schema")
}

/// Panics unless the document is what the schema says.
fn assert_fits(validator: &jsonschema::Validator, document: &Value) {
    let errors: Vec<_> = validator
        .iter_errors(document)
        .take(10)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

//! `sigmill bench` as a user runs it.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;

use crate::{assert_fits, code, support, text, validator};

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| validator(include_str!("../../docs/schema/bench.json")));

/// Runs the command; `bench` and a short time are added.
fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill"));
    command.args(["bench", "--seconds", "0.3"]).args(arguments);
    command.env_remove("SIGMILL_REQUIRE").output().expect("it runs")
}

/// The same on the CPU alone, as JSON.
fn run(arguments: &[&str]) -> (i32, Value) {
    let output = bench(&[&["--backend", "cpu", "--json"], arguments].concat());
    let told = text(&output.stderr);
    let document = serde_json::from_slice(&output.stdout);
    let document = document.unwrap_or_else(|error| panic!("one JSON object: {error}: {told}"));
    assert_fits(&SCHEMA, &document);
    (code(&output), document)
}

fn rows(document: &Value) -> Vec<(&str, &str)> {
    let rows = document["rows"].as_array().expect("an array").iter();
    rows.map(|row| {
        let name = |field| row[field].as_str().expect("a string");
        (name("algorithm"), name("device"))
    })
    .collect()
}

/// A file of this text, in the tests' own folder.
fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("written");
    path
}

#[test]
fn a_run_without_options_fits_the_schema_and_answers() {
    let (status, document) = run(&[]);
    assert_eq!(status, 0);
    assert_eq!((&document["schema"], &document["kind"]), (&1.into(), &"bench".into()));
    assert_eq!(document["command"], "sigmill bench --seconds 0.3 --backend cpu --json");
    assert_eq!(document["interrupted"], false);
    assert_eq!(document["devices"][0]["name"], "cpu");
    assert_eq!(document["devices"][0]["accelerator"], false);
    let rows = rows(&document);
    assert_eq!((rows.len(), rows[0]), (9, ("null", "null")));
    for row in document["rows"].as_array().expect("an array") {
        let sizes: Vec<_> = row["batches"].as_array().expect("an array").iter().collect();
        assert_eq!(sizes.len(), 3, "{row}");
        for cell in sizes {
            assert!(cell["jobs_per_second"]["median"].as_f64().expect("a number") > 0.0);
            let at = |name: &str| cell["latency"][name].as_u64().expect("a number");
            assert!(at("samples") > 0 && at("p50_ns") > 0 && at("p50_ns") <= at("max_ns"));
            let with_baseline = cfg!(feature = "baseline")
                && !["null", "merkle-proof-sha256d"].contains(&row["algorithm"].as_str().unwrap());
            // A cell whose first batch takes half of its time has no second, and no baseline.
            assert!(with_baseline || cell.get("baseline").is_none());
        }
    }
    let points = document["scaling"]["points"].as_array().expect("an array");
    assert_eq!(points[0]["threads"], 1);
    let loads = document["verdict"]["loads"].as_array().expect("an array");
    let loads: Vec<_> = loads.iter().map(|load| &load["signatures_per_second"]).collect();
    assert_eq!(loads, [500, 5_000, 50_000]);
    // The same for people.
    let output = bench(&["--backend", "cpu", "--batch", "1,16"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for words in [
        "jobs/s",
        "p99",
        "Would an accelerator pay here?",
        "500 signatures a second take",
        "have to beat",
        "Repeat with: sigmill bench",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn filters_choose_rows() {
    let (_, document) = run(&["sha256d"]);
    let names = ["sha256d", "merkle-root-sha256d", "merkle-proof-sha256d"];
    assert_eq!(rows(&document), names.map(|name| (name, "cpu")));
    assert!(document.get("scaling").is_none());
    assert_eq!(document["verdict"]["loads"].as_array().map(Vec::len), Some(0));
    let (_, document) = run(&["--algorithm", "sha256", "--algorithm", "null", "--batch", "7,2,7"]);
    assert_eq!(rows(&document), [("null", "null"), ("sha256", "cpu")]);
    let sizes = document["rows"][1]["batches"].as_array().expect("an array").iter();
    assert_eq!(sizes.map(|cell| &cell["batch"]).collect::<Vec<_>>(), [2, 7]);
    let (_, document) = run(&["--pinned", "--batch", "16"]);
    assert_eq!(rows(&document), [("ecdsa-secp256k1", "cpu"), ("schnorr-bip340", "cpu")]);
    for row in document["rows"].as_array().expect("an array") {
        assert_eq!(row["workload"]["pinned"], true);
        assert_eq!(row["workload"]["distinct_keys"], 128);
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &["nothing-like-it"][..],
        &["--algorithm", "sha257"],
        &["--batch", "0"],
        &["--batch", "x"],
        &["--batch", "2000000"],
        &["--batch", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"],
        &["--in-flight", "0"],
        &["--in-flight", "1024", "--batch", "4096"],
        &["--invalid", "101"],
        &["--invalid", "nan"],
        &["--keys", "0"],
        &["--rate", "0"],
        &["--rate", "1e300"],
        &["--duration", "5"],
        &["--repeat", "0"],
        &["--price-per-hour", "-1"],
        &["--pinned", "sha256"],
        &["--fail-below", "0.9"],
        &["--fail-below", "fast"],
        &["--fail-below", "sha256:7=1/s"],
        &["--fail-below", "null:1=1.5"],
        &["sha256", "--fail-below", "ecdsa-secp256k1:1=1/s"],
        &["--trust", "blind"],
        &["--threads", "100000"],
        &["--backend", "abacus"],
    ] {
        let output = bench(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
    for seconds in ["0", "nan", "1e9"] {
        let output = Command::new(env!("CARGO_BIN_EXE_sigmill"))
            .args(["bench", "--seconds", seconds])
            .output()
            .expect("it runs");
        assert_eq!(code(&output), 2, "{seconds}");
    }
}

#[test]
fn help_teaches() {
    let output = bench(&["--help"]);
    let told = text(&output.stdout);
    for words in ["Examples", "--rate 5000 --duration 10", "--fail-below", "--pinned", "baseline"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_bound_that_is_missed_ends_with_6() {
    let row = ["--algorithm", "sha256", "--batch", "64", "--fail-below"];
    let (status, document) = run(&[&row[..], &["sha256:64=1/s"]].concat());
    assert_eq!((status, &document["gates"][0]["met"]), (0, &true.into()));
    let (status, document) = run(&[&row[..], &["sha256@cpu:64=1e15/s"]].concat());
    assert_eq!((status, &document["gates"][0]["met"]), (6, &false.into()));
    assert_eq!(document["gates"][0]["cell"], "sha256 cpu 64");
    if cfg!(feature = "baseline") {
        let (status, document) = run(&[&row[..], &["sha256:64=1e9"]].concat());
        assert_eq!(status, 6);
        assert!(document["gates"][0]["found"].as_f64().expect("a ratio") > 0.0);
    }
    let output = bench(&[&["--backend", "cpu"], &row[..], &["sha256:64=1e15/s"]].concat());
    assert_eq!(code(&output), 6);
    assert!(text(&output.stdout).contains("BELOW --fail-below sha256:64=1e15/s"));
}

#[test]
fn a_run_is_compared_with_an_older_one() {
    let row = ["--algorithm", "keccak256", "--batch", "1,64"];
    let (_, old) = run(&row);
    let path = file("bench-old.json", &old.to_string());
    let path = path.to_str().expect("UTF-8");
    let compare = [&row[..], &["--compare", path, "--fail-below"]].concat();
    let (status, document) = run(&[&compare[..], &["0.0001"]].concat());
    assert_eq!(status, 0);
    let comparison = &document["comparison"];
    assert_eq!(comparison["date"], old["date"]);
    assert_eq!(comparison["differences"].as_array().map(Vec::len), Some(0));
    let cells = comparison["rows"].as_array().expect("an array");
    assert_eq!(cells.len(), 2);
    let before = &old["rows"][0]["batches"][1]["jobs_per_second"]["median"];
    let (then, before) = (cells[1]["old"].as_f64(), before.as_f64());
    // Reading a number may cost its last digit.
    assert!((then.expect("a rate") / before.expect("a rate") - 1.0).abs() < 1e-9);
    assert_eq!(document["gates"].as_array().map(Vec::len), Some(2));
    let (status, _) = run(&[&compare[..], &["10000"]].concat());
    assert_eq!(status, 6);
    // Nothing in common, and another machine.
    let mut other = old.clone();
    other["rows"][0]["workload"]["in_flight"] = 3.into();
    other["machine"]["cores"] = 100_000.into();
    let path = file("bench-other.json", &other.to_string());
    let path = path.to_str().expect("UTF-8");
    let (status, document) =
        run(&[&row[..], &["--compare", path, "--fail-below", "0.0001"]].concat());
    assert_eq!(status, 6, "a comparison of nothing reaches no bound");
    assert_eq!(document["comparison"]["rows"].as_array().map(Vec::len), Some(0));
    let kinds = document["warnings"].as_array().expect("an array").iter();
    assert!(kinds.map(|warning| &warning["kind"]).any(|kind| kind == "other-machine"));
}

#[test]
fn other_documents_are_refused() {
    for (name, content, word) in [
        ("no-json", "{", "no JSON"),
        ("no-kind", "{}", "`kind`"),
        ("kind", r#"{"schema":1,"kind":"doctor"}"#, "`doctor`"),
        ("schema", r#"{"schema":2,"kind":"bench"}"#, "`schema` is 2"),
        ("fields", r#"{"schema":1,"kind":"bench"}"#, "missing field"),
    ] {
        let path = file(&format!("bench-{name}.json"), content);
        let output = bench(&["--compare", path.to_str().expect("UTF-8")]);
        let told = text(&output.stderr);
        assert_eq!(code(&output), 1, "{name}: {told}");
        assert!(told.contains(word) && told.contains("--compare"), "{told}");
    }
    assert_eq!(code(&bench(&["--compare", "/nowhere/old.json"])), 1);
}

#[test]
fn invalid_jobs_are_found_invalid_and_are_no_error() {
    // Every algorithm that judges: what is not found what it was made ends with 5.
    for invalid in ["0.1", "50", "100"] {
        let options = ["--invalid", invalid, "--batch", "1,100", "--in-flight", "3"];
        let (status, document) = run(&options);
        assert_eq!(status, 0, "{invalid}");
        for row in document["rows"].as_array().expect("an array") {
            let judges =
                ["ecdsa-secp256k1", "schnorr-bip340", "recover-secp256k1", "merkle-proof-sha256d"]
                    .contains(&row["algorithm"].as_str().expect("a string"));
            let share: f64 = if judges { invalid.parse().expect("a number") } else { 0.0 };
            assert_eq!(row["workload"]["invalid_percent"], share, "{row}");
            assert_eq!(row["workload"]["in_flight"], 3);
        }
    }
    let (status, document) = run(&["--pinned", "--invalid", "10", "--keys", "7", "--batch", "50"]);
    assert_eq!(status, 0);
    assert_eq!(document["rows"][0]["workload"]["distinct_keys"], 7);
}

#[test]
fn a_load_is_offered_in_open_loop() {
    let (status, document) = run(&[
        "--algorithm",
        "sha256",
        "--batch",
        "10",
        "--rate",
        "5000",
        "--duration",
        "0.2",
        "--price-per-hour",
        "0.5",
        "--invalid",
        "5",
    ]);
    assert_eq!(status, 0);
    let cell = &document["rows"][0]["batches"][0];
    let open = &cell["open_loop"];
    assert_eq!((&open["offered"], &open["seconds"]), (&5_000.0.into(), &0.2.into()));
    // 100 batches were due, each of which has a latency, sent or not.
    assert_eq!(open["latency"]["samples"], 100);
    assert!(open["uncorrected"]["samples"].as_u64().expect("a number") <= 100);
    assert!(cell["cost_per_million"].as_f64().expect("a number") > 0.0);
    // Far more than can be done: what was not sent waits, and the run ends all the same.
    let (status, document) = run(&[
        "--algorithm",
        "ecdsa-secp256k1",
        "--batch",
        "64",
        "--rate",
        "1e9",
        "--duration",
        "0.1",
    ]);
    assert_eq!(status, 0);
    let open = &document["rows"][0]["batches"][0]["open_loop"];
    let (offered, achieved) = (&open["offered"], &open["achieved"]);
    assert!(achieved.as_f64().expect("a rate") < offered.as_f64().expect("a rate"));
    assert!(open["latency"]["samples"].as_u64() > open["uncorrected"]["samples"].as_u64());
}

#[test]
fn runs_of_the_table_are_compared_with_each_other() {
    let (status, document) = run(&["--algorithm", "sha256", "--batch", "1,8", "--repeat", "3"]);
    assert_eq!(status, 0);
    let repeats = &document["repeats"];
    assert_eq!((&repeats["runs"], repeats["rows"].as_array().map(Vec::len)), (&3.into(), Some(2)));
    assert_eq!(repeats["rows"][0]["ratios"].as_array().map(Vec::len), Some(3));
    let kinds = document["warnings"].as_array().expect("an array").iter();
    let differ = kinds.map(|warning| &warning["kind"]).any(|kind| kind == "repeats-differ");
    assert_eq!(repeats["steady"], !differ);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_prints_what_it_has() {
    use std::process::Stdio;
    for seconds in [5, 30, 120] {
        let child = Command::new(env!("CARGO_BIN_EXE_sigmill"))
            .args(["bench", "--backend", "cpu", "--json", "--seconds", "600"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        std::thread::sleep(std::time::Duration::from_secs(seconds));
        let id = child.id().to_string();
        let killed = Command::new("kill").args(["-INT", &id]).status().expect("kill is there");
        assert!(killed.success());
        let output = child.wait_with_output().expect("it ends");
        if matches!(output.status.code(), None | Some(130)) {
            // It was still starting: a busy machine.
            continue;
        }
        assert_eq!(code(&output), 1, "{}", text(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_fits(&SCHEMA, &document);
        assert_eq!(document["interrupted"], true);
        return;
    }
    panic!("it never got past its start");
}

#[cfg(feature = "gpu")]
#[test]
fn a_gpu_in_software_has_a_crossover_and_is_no_accelerator() {
    let words = ["--backend", "gpu=software", "--json", "schnorr", "--batch", "1,32"];
    let output = bench(&words);
    if code(&output) == 4 {
        assert!(!support::is_required("gpu"), "{}", text(&output.stderr));
        return println!("skipped: {}", text(&output.stderr));
    }
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_fits(&SCHEMA, &document);
    let rows = rows(&document);
    assert_eq!(rows, [("schnorr-bip340", "cpu"), ("schnorr-bip340", "gpu=software")]);
    let crossover = &document["crossovers"][0];
    assert_eq!(crossover["device"], "gpu=software");
    assert!(crossover["tried_up_to"].as_u64().expect("a number") >= 1);
    assert_eq!(document["devices"][1]["accelerator"], false);
    let sentence = document["verdict"]["sentences"][0].as_str().expect("a string");
    assert!(sentence.contains("gpu=software is no accelerator"), "{sentence}");
}

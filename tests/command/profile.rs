//! `sigmill profile`, `load`, `top`: what they show of an engine.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::{assert_fits, code, json, sigmill, support, text, validator};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

/// Profiles, and gives the document and the trace, which fits its schema.
pub fn traced(name: &str, arguments: &[&str]) -> (Value, Value) {
    let path = file(name);
    let trace = path.to_str().expect("UTF-8");
    let output = sigmill(&[&["profile", "--json", "--trace", trace], arguments].concat());
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let bytes = std::fs::read(&path).expect("it was written");
    std::fs::remove_file(&path).expect("it is there");
    let trace: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_fits(&validator(include_str!("../../docs/schema/trace.json")), &trace);
    let document = json(&output);
    assert_eq!((&document["schema"], &document["kind"]), (&1.into(), &"profile".into()));
    (document, trace)
}

fn stages(document: &Value) -> Vec<&str> {
    let stages = document["stages"].as_array().expect("a list").iter();
    stages.map(|stage| stage["stage"].as_str().expect("a name")).collect()
}

/// What the document says of a place's transfers: stages, each with what a share needs, above zero.
fn shares<'a>(document: &'a Value, place: &str) -> Vec<&'a str> {
    let transfers = document["transfers"].as_array().expect("a list").iter();
    let of = transfers.filter(|transfer| transfer["place"] == place);
    of.map(|transfer| {
        let of = |name: &str| transfer[name].as_f64().unwrap_or_default();
        for name in ["bytes", "time_ns", "bytes_per_second", "copy_bytes_per_second"] {
            assert!(of(name) > 0.0, "{name}: {transfer}");
        }
        let [rate, share] = [of("bytes") / of("time_ns") * 1e9, of("share_of_limit")];
        assert!(share > 0.0 && (rate / of("copy_bytes_per_second") / share - 1.0).abs() < 1e-6);
        transfer["stage"].as_str().expect("a name")
    })
    .collect()
}

/// Bytes that a stage's slices in a trace have together.
fn bytes(trace: &Value, stage: &str) -> u64 {
    let events = trace["traceEvents"].as_array().expect("a list").iter();
    let slices = events.filter(|event| event["name"] == stage && event["ph"] != "e");
    slices.filter_map(|event| event["args"]["bytes"].as_u64()).sum()
}

/// Time of a trace in which some slice of a thread was under way, over the time from its first to its last moment.
fn covered(trace: &Value) -> f64 {
    let events = trace["traceEvents"].as_array().expect("a list").iter();
    let slices = events.filter(|event| event["ph"] == "X");
    let mut spans: Vec<_> = slices
        .map(|event| {
            let [start, took] = ["ts", "dur"].map(|name| event[name].as_f64().expect("a number"));
            (start, start + took)
        })
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, last) = (spans[0].0, spans.iter().map(|span| span.1).fold(0.0, f64::max));
    let (mut busy, mut until) = (0.0, first);
    for (start, end) in spans {
        busy += (end - start.max(until)).max(0.0);
        until = until.max(end);
    }
    busy / (last - first)
}

#[test]
fn a_block_check_is_covered_and_its_trace_opens() {
    let mut blocks = vec![("built-in", Vec::new())];
    if let Some(folder) = support::data("block 413567") {
        for name in ["block413567.raw", "block413567.sigchk"] {
            blocks.push((name, vec![folder.join("bitcoin").join(name).display().to_string()]));
        }
    }
    for (name, files) in blocks {
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        let (document, trace) = traced(name, &[&["--backend", "cpu"], &files[..]].concat());
        let share = document["covered"].as_f64().expect("a number");
        assert!(share >= 0.95 && covered(&trace) >= 0.95, "{name}: {share}, {}", covered(&trace));
        assert_eq!(document["lost"], 0);
        for stage in ["read", "decode", "round", "submit", "parse", "device", "judge", "resolve"] {
            assert!(stages(&document).contains(&stage), "{name}: {stage} is missing");
        }
        // Each batch that left its caller's thread has an arrow from there to its answers.
        let events = trace["traceEvents"].as_array().expect("a list");
        let count = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
        assert!(count("s") > 0 && count("s") == count("f"), "{name}");
        let tracks = events.iter().filter(|event| event["name"] == "thread_name");
        assert!(tracks.count() >= 3, "{name}: the caller, the lane, the engine's threads");
    }
}

#[test]
fn steps_of_a_load_are_those_of_its_kernel() {
    let load = ["--seconds", "0.3", "--batch", "512", "--backend", "cpu", "--load"];
    for (algorithm, expected) in [
        ("ecdsa", &["decode", "prepare", "table", "multiply", "evidence"][..]),
        ("recover", &["decode", "prepare", "table", "multiply", "evidence"]),
        ("sha256", &["sha256"]),
        ("merkle-proof-sha256d", &["merkle-proof-sha256d"]),
    ] {
        let (document, _) = traced(algorithm, &[&load[..], &[algorithm]].concat());
        let steps = document["steps"].as_array().expect("a list");
        let mut names: Vec<_> =
            steps.iter().map(|step| step["step"].as_str().expect("a name")).collect();
        let mut expected = expected.to_vec();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{algorithm}");
        let shares = steps.iter().map(|step| step["share"].as_f64().expect("a number"));
        assert!((shares.sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(steps.iter().all(|step| step["place"] == "host"));
    }
}

#[test]
fn a_gpu_tells_its_own_times() {
    let arguments = ["--load", "sha256", "--batch", "512", "--seconds", "0.5"];
    let arguments = [&["--backend", "gpu=software"], &arguments[..]].concat();
    let output = sigmill(&[&["profile", "--json"], &arguments[..]].concat());
    if code(&output) == 4 {
        assert!(!support::is_required("gpu"), "{}", text(&output.stderr));
        println!("skipped: a GPU's stages: {}", text(&output.stderr));
        return;
    }
    let (document, trace) = traced("gpu", &arguments);
    let steps = document["steps"].as_array().expect("a list");
    let own = steps.iter().any(|step| step["place"] == "gpu=software" && step["step"] == "sha256");
    assert!(own, "{steps:?}");
    for stage in ["upload", "readback"] {
        assert!(stages(&document).contains(&stage), "{stage} is missing");
    }
    let events = trace["traceEvents"].as_array().expect("a list");
    assert!(events.iter().any(|event| event["args"]["name"] == "gpu=software clock"));
    // What goes up are the messages, and more; digests come back.
    assert_eq!(shares(&document, "gpu=software"), ["upload", "readback"], "{document}");
    assert_eq!(document["limits"], serde_json::json!([]), "hashes have none");
    let items = |stage: &str| {
        let stages = document["stages"].as_array().expect("a list").iter();
        stages.filter(|s| s["stage"] == stage).filter_map(|s| s["items"].as_u64()).sum::<u64>()
    };
    for stage in ["upload", "readback"] {
        let bytes = bytes(&trace, stage);
        assert!(bytes > 32 * items(stage), "{stage}: {bytes}");
    }
}

#[test]
fn signatures_on_a_gpu_are_set_against_its_multiplications() {
    let path = file("limits.html");
    let page = path.to_str().expect("UTF-8");
    let load = ["--load", "schnorr-bip340", "--batch", "512", "--seconds", "0.5", "--html", page];
    let words = [&["profile", "--backend", "gpu=software"], &load[..]].concat();
    let output = sigmill(&words);
    if code(&output) == 4 {
        assert!(!support::is_required("gpu"), "{}", text(&output.stderr));
        println!("skipped: a GPU's limits: {}", text(&output.stderr));
        return;
    }
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for start in [
        "  schnorr-bip340 on gpu=software: ",
        "  upload on gpu=software: ",
        "  readback on gpu=software: ",
    ] {
        let line = told.lines().find(|line| line.starts_with(start)).unwrap_or_default();
        assert!(line.contains(" % of the limit, which is "), "{start}{told}");
    }
    let page = std::fs::read_to_string(&path).expect("it was written");
    std::fs::remove_file(&path).expect("it is there");
    assert!(page.contains("Against copy bandwidth"), "{page}");
    for name in ["gpu=software, upload", "gpu=software, readback"] {
        let row = page.split(&format!(">{name}<")).nth(1).expect(name);
        let row = row.split("</tr>").next().expect("its end");
        assert!(row.contains("B/s<") && row.contains(" %<"), "{row}");
    }
}

#[test]
fn hashes_are_set_against_copies_in_memory() {
    for (name, batch) in [("inline", "2"), ("shared", "4096")] {
        let load = ["--load", "sha256", "--seconds", "0.1", "--backend", "cpu", "--batch", batch];
        let (document, trace) = traced(name, &load);
        assert_eq!(shares(&document, "host"), ["sha256"], "{name}");
        // Every batch has the same messages.
        let (bytes, step) = (bytes(&trace, "sha256"), &document["steps"][0]);
        let items = step["items"].as_u64().expect("a number");
        assert!(bytes > 0 && bytes >= items, "{name}: {bytes} bytes of {items} messages");
    }
    // No hash, no such rate.
    let load = ["--load", "schnorr-bip340", "--seconds", "0.2", "--backend", "cpu"];
    let (document, _) = traced("none", &load);
    assert_eq!(document["transfers"], serde_json::json!([]));
}

#[cfg(unix)]
#[test]
fn a_running_engine_is_watched() {
    let socket = file("watch.sock");
    let path = socket.to_str().expect("UTF-8");
    let mut load = Command::new(env!("CARGO_BIN_EXE_sigmill"));
    load.args(["load", "--rate", "3000", "--invalid", "10", "--seconds", "30", "--monitor", path]);
    let mut load = load
        .env("SIGMILL_CONFIG", "/dev/null")
        .env_remove("SIGMILL_REQUIRE")
        .spawn()
        .expect("it runs");
    for _ in 0..200 {
        if socket.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let (document, _) = traced("attached", &["--attach", path, "--seconds", "0.6"]);
    let once = sigmill(&["top", path, "--once", "--interval", "0.6"]);
    load.kill().expect("it runs still");
    load.wait().expect("it ends");
    assert!(stages(&document).contains(&"submit"), "{document}");
    // Its devices may be elsewhere: nothing is measured.
    assert!(document.get("limits").is_none());
    let transfers = document["transfers"].as_array().expect("a list");
    assert!(transfers.iter().all(|transfer| transfer.get("share_of_limit").is_none()));
    let picture = text(&once.stdout);
    assert_eq!(code(&once), 0, "{}", text(&once.stderr));
    let lines: Vec<_> = picture.lines().collect();
    assert!(lines.len() == 24 && lines.iter().all(|line| line.chars().count() <= 80), "{picture}");
    for wanted in ["all healthy", "ecdsa-secp256k1", "cpu", "healthy", "p99"] {
        assert!(picture.contains(wanted), "{wanted}: {picture}");
    }
    // A socket that nobody serves any more.
    for arguments in [&["top", path, "--once"][..], &["profile", "--attach", path]] {
        let output = sigmill(arguments);
        assert_eq!(code(&output), 1);
        assert!(text(&output.stderr).contains(path), "{}", text(&output.stderr));
    }
    let _ = std::fs::remove_file(&socket);
}

#[test]
fn mistakes_are_named() {
    for (arguments, status, named) in [
        (&["profile", "--seconds", "0"][..], 2, "--seconds"),
        (&["profile", "/nowhere/block"], 1, "/nowhere/block"),
        (&["profile", "--prevouts", "x"], 2, "--prevouts"),
        (&["profile", "--load", "sha257"], 2, "sha256"),
        (&["profile", "--load", "sha256", "--attach", "x"], 2, "--attach"),
        (&["profile", "--trace", "/nowhere/trace.json"], 1, "--trace /nowhere/trace.json"),
        (&["profile", "--html", "/nowhere/a.html"], 1, "--html /nowhere/a.html"),
        (&["bench", "--html", "/nowhere/a.html"], 1, "--html /nowhere/a.html"),
        (&["load", "--rate", "0"], 2, "--rate"),
        (&["load", "--metrics", "localhost"], 2, "127.0.0.1:9464"),
        (&["load", "--monitor", "/nowhere/socket", "--seconds", "1"], 1, "/nowhere/socket"),
        (&["top", "/nowhere/socket"], 1, "--monitor"),
        (&["top", "x", "--interval", "0"], 2, "--interval"),
    ] {
        let output = sigmill(arguments);
        let told = text(&output.stderr);
        assert_eq!(code(&output), status, "{arguments:?}: {told}");
        assert!(told.contains(named), "{arguments:?}: {told}");
    }
}

#[test]
fn a_short_load_ends_with_its_books_in_balance() {
    let output =
        sigmill(&["load", "--rate", "2000", "--invalid", "25", "--seconds", "1.3", "--json"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let out = text(&output.stdout);
    let last: Value = serde_json::from_str(out.lines().last().expect("a line")).expect("JSON");
    let of = |name: &str| last[name].as_u64().expect("a count");
    assert_eq!(of("in_flight"), 0);
    let answered = of("valid") + of("invalid") + of("computed") + of("errors");
    assert!(of("submitted") > 500 && of("submitted") == answered, "{last}");
    assert!(of("invalid") > 0 && of("valid") > of("invalid"));
}

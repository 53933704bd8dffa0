use serde_json::{Value, json};

use super::*;
use crate::cli::hostile::{Hostile, check_error, results};

fn refused(document: &Value) -> String {
    let why = Kept::parse(document.to_string().as_bytes()).expect_err("out of bounds");
    check_error(&why);
    why
}

#[test]
fn what_is_no_document_is_refused() {
    let refused = |text: &str, word: &str| {
        let why = Kept::parse(text.as_bytes()).expect_err("not a document");
        assert!(why.contains(word), "{why}");
        check_error(&why);
    };
    refused("", "no JSON");
    refused(&"[".repeat(1 << 20), "no JSON: recursion limit");
    refused("[]", "`kind` is absent");
    refused(r#"{"schema":1,"kind":"doctor"}"#, "`kind` is `doctor`");
    refused(r#"{"schema":2,"kind":"bench"}"#, "`schema` is 2");
    refused(r#"{"kind":"bench"}"#, "`schema` is null");
    refused(r#"{"schema":1,"kind":"bench"}"#, "missing field `command`");
    refused(r#"{"schema":1,"kind":"profile","workload":7}"#, "at line 1 column 41");
    let long = format!(
        r#"{{"schema":1,"kind":"bench","command":"","seconds":"{}"}}"#,
        "x".repeat(1 << 20)
    );
    refused(&long, "at line 1 column");
}

#[test]
fn what_is_out_of_bounds_is_refused_with_its_field() {
    let document = &results()[0];
    let with = |way: &str, part: Value| {
        let mut document = document.clone();
        *document.pointer_mut(way).expect("a part") = part;
        refused(&document)
    };
    let rate = "/rows/0/batches/0/jobs_per_second/median";
    for number in [json!(-1), json!(1e308), json!(1.1e15)] {
        let why = with(rate, number);
        assert!(why.starts_with("field `rows[0].batches[0].jobs_per_second.median`: "), "{why}");
    }
    assert!(with("/rows/0/batches/0/latency/p50_ns", json!(u64::MAX)).contains("latency.p50_ns`"));
    for name in [json!("x".repeat(NAME + 1)), json!("\u{1b}[2J"), json!("a\nb")] {
        assert!(with("/rows/1/device", name).starts_with("field `rows[1].device`: "));
    }
    assert!(with("/command", json!("x".repeat(TEXT + 1))).contains("`command`"));
    assert!(with("/devices/0/details", json!({"a\u{7}": ""})).contains("`devices[0].details`"));
    let row = document["rows"][0].clone();
    assert!(with("/rows", json!(vec![row.clone(); 1_025])).contains("`rows`: 1025 items"));
    let cell = |batch: u64| {
        let mut cell = row["batches"][0].clone();
        cell["batch"] = batch.into();
        cell
    };
    let many: Vec<_> = (1..=SIZES as u64 + 1).map(cell).collect();
    assert!(with("/rows/0/batches", json!(many)).contains("`rows[0].batches`: 17 items"));
    let twice = json!([cell(64), cell(64)]);
    assert!(with("/rows/0/batches", twice).contains("`rows[0].batches`: sizes do not ascend"));
    let rows = (1..=SIZES as u64 + 1).map(|batch| {
        let mut row = row.clone();
        row["batches"] = json!([cell(batch)]);
        row
    });
    assert!(with("/rows", rows.collect()).contains("`rows`: 1"));
}

#[test]
fn a_row_as_a_list_is_bound_by_its_names_too() {
    let mut document = results()[2].clone();
    document["stages"] = json!([["x".repeat(NAME + 1), 1, 1, 1, 1, 1, 1, 1]]);
    assert!(refused(&document).contains("`stages[0].stage`"));
}

#[test]
fn files_are_read_up_to_a_limit() {
    let path = std::env::temp_dir().join(format!("sigmill-kept-{}.json", std::process::id()));
    let rows = "[\"a\",null],".repeat(1_000_000);
    std::fs::write(&path, format!(r#"{{"schema":1,"kind":"bench","rows":[{rows}[]]}}"#))
        .expect("a file");
    let why = Kept::read(&path).expect_err("eleven million bytes");
    assert!(why.contains("2097152 bytes"), "{why}");
    std::fs::remove_file(&path).expect("it is there");
    assert!(Kept::read(&path).expect_err("gone").contains("cannot be read"));
}

#[test]
fn hostile_text_is_a_document_or_an_error() {
    let mut hostile = Hostile::new(1);
    let texts: Vec<_> = results().iter().map(Value::to_string).collect();
    for _ in 0..3_000 {
        let text = hostile.one_of(&texts).clone();
        if let Err(why) = Kept::parse(hostile.text(&text).as_bytes()) {
            check_error(&why);
        }
    }
}

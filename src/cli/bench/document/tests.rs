use serde_json::Value;

use super::*;
use crate::cli::bench::{compare, made, repeat, verdict};

/// Every field that a run may leave out.
fn filled() -> Document {
    let mut document = made::document();
    document.versions = Versions {
        sigmill: "0.1.0".to_owned(),
        git: Some("0123456789ab".to_owned()),
        rustc: Some("rustc 1.95.0".to_owned()),
    };
    document.machine = Machine {
        cpu: Some("Some CPU".to_owned()),
        cores: Some(2),
        memory_bytes: Some(1 << 30),
        governor: Some("performance".to_owned()),
        frequency_khz: Some(3_000_000),
        frequency_min_khz: Some(1_000_000),
        frequency_max_khz: Some(4_000_000),
        kernel: Some("Linux 6.1".to_owned()),
        quota_cores: Some(1.5),
        load_average: Some(0.25),
    };
    document.devices[1].details.insert("driver".to_owned(), "1.2".to_owned());
    document.ceilings = vec![made::ceiling("cpu", 40_000.0), made::ceiling("gpu", 400_000.0)];
    document.ceilings[1].multiplies_per_second_one = None;
    document.judge_by_ceilings();
    document.rows[1].workload.rate = Some(5_000.0);
    let latency = document.rows[1].batches[0].latency;
    let cell = &mut document.rows[1].batches[0];
    cell.energy = Some(Energy { joules_per_million: 2.5, source: "nvml".to_owned() });
    cell.cost_per_million = Some(0.001);
    cell.open_loop = Some(OpenLoop {
        offered: 5_000.0,
        achieved: 4_999.5,
        seconds: 2.0,
        latency,
        uncorrected: latency,
    });
    let point = ScalingPoint { threads: 1, jobs_per_second: made::rate(9_000.0) };
    let algorithm = "ecdsa-secp256k1".to_owned();
    document.scaling = Some(Scaling { algorithm, batch: 4_096, points: vec![point] });
    let repeated = RepeatedCell {
        algorithm: "ecdsa-secp256k1".to_owned(),
        device: "cpu".to_owned(),
        batch: 1,
        ratios: vec![1.0, 1.01],
        spread: 0.0,
    };
    document.repeats = Some(repeat::judge(2, vec![repeated]));
    document.comparison = Some(compare::compare(&document, &document));
    document.gates = "ecdsa-secp256k1:4096=1/s"
        .parse()
        .map(|bound: super::super::gate::FailBelow| bound.judge(&document))
        .expect("a bound");
    use WarningKind::*;
    document.warnings = [
        DebugBuild,
        Frequency,
        Throttled,
        Steal,
        Load,
        Quota,
        Unsteady,
        FewSamples,
        Probation,
        OutOfService,
        RepeatsDiffer,
        OtherMachine,
    ]
    .map(|kind| Warning { kind, text: "so it is".to_owned() })
    .to_vec();
    document.verdict = verdict::judge(&document);
    document
}

/// Names of fields that the schema has and no part of the document.
fn unused<'a>(schema: &'a Value, document: &str, found: &mut Vec<&'a str>) {
    if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
        let names = fields.keys().map(String::as_str);
        found.extend(names.filter(|name| !document.contains(&format!("\"{name}\":"))));
    }
    match schema {
        Value::Object(parts) => parts.values().for_each(|part| unused(part, document, found)),
        Value::Array(parts) => parts.iter().for_each(|part| unused(part, document, found)),
        _ => {}
    }
}

#[test]
fn a_document_with_every_field_fits_the_schema_and_comes_back() {
    let document = filled();
    let text = serde_json::to_string(&document).expect("plain data");
    let schema = include_str!("../../../../docs/schema/bench.json");
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut found = Vec::new();
    unused(&schema, &text, &mut found);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(serde_json::from_str::<Document>(&text).expect("it is one"), document);
    // One field more is one too many.
    let mut more = value.clone();
    more["rows"][0]["batches"][0]["speed"] = 1.into();
    assert!(!validator.is_valid(&more));
}

#[test]
fn shares_are_of_the_devices_own_limits() {
    let mut document = made::document();
    document.ceilings = vec![made::ceiling("cpu", 40_000.0)];
    document.rows.push(document.rows[0].clone());
    document.rows[2].workload.pinned = true;
    document.judge_by_ceilings();
    let shares = |row: usize| document.rows[row].batches.iter().map(|cell| cell.share_of_limit);
    let shares = |row| shares(row).collect::<Vec<_>>();
    assert_eq!(shares(0), [Some(0.25), Some(0.45), Some(0.5)]);
    // Without limits, or with tables that were made before.
    assert_eq!(shares(1), [None; 3]);
    assert_eq!(shares(2), [None; 3]);
}

#[test]
fn documents_without_limits_are_read() {
    let document = filled();
    let mut old = serde_json::to_value(&document).expect("plain data");
    old.as_object_mut().expect("an object").remove("ceilings");
    for row in old["rows"].as_array_mut().expect("an array") {
        for cell in row["batches"].as_array_mut().expect("an array") {
            cell.as_object_mut().expect("an object").remove("share_of_limit");
        }
    }
    let read: Document = serde_json::from_value(old).expect("it is one");
    assert_eq!(read.ceilings, []);
    assert!(
        read.rows.iter().flat_map(|row| &row.batches).all(|cell| cell.share_of_limit.is_none())
    );
}

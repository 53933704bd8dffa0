//! Limits of devices, and shares of them, as a user sees them: `devices --probe`, `bench`, `profile`.

use serde_json::Value;

use crate::{code, sigmill, support, text};

const SIGNATURES: [&str; 3] = ["ecdsa-secp256k1", "schnorr-bip340", "recover-secp256k1"];

/// What it prints as JSON; nothing where it lacks the device, unless that is required.
fn json(arguments: &[&str]) -> Option<Value> {
    let output = sigmill(arguments);
    let told = text(&output.stderr);
    if code(&output) == 4 {
        assert!(!support::is_required("gpu"), "{told}");
        println!("skipped: {told}");
        return None;
    }
    assert_eq!(code(&output), 0, "{told}");
    Some(serde_json::from_slice(&output.stdout).expect("one JSON object"))
}

fn is_above_zero(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number > 0.0)
}

/// Panics unless these are the limits of a device that copies these ways.
fn are_limits(ceiling: &Value, device: &str, ways: &[&str]) {
    assert_eq!(ceiling["device"], device);
    assert!(ceiling["what"].as_str().is_some_and(|what| !what.is_empty()));
    assert!(is_above_zero(&ceiling["multiplies_per_second"]), "{ceiling}");
    assert_eq!(is_above_zero(&ceiling["multiplies_per_second_one"]), device == "cpu");
    let copies = ceiling["copy_bytes_per_second"].as_object().expect("an object");
    assert_eq!(copies.len(), ways.len());
    assert!(ways.iter().all(|way| is_above_zero(&copies[*way])), "{ceiling}");
    let ideal = ceiling["ideal_jobs_per_second"].as_object().expect("an object");
    assert_eq!(ideal.len(), SIGNATURES.len());
    assert!(SIGNATURES.iter().all(|name| is_above_zero(&ideal[*name])), "{ceiling}");
}

fn is_share(value: &Value) -> bool {
    value.as_f64().is_some_and(|share| share > 0.0 && share <= 1.2)
}

#[test]
fn the_cpu_is_probed() {
    let words = ["devices", "--probe", "--threads", "2"];
    let document = json(&[&words[..], &["--json"]].concat()).expect("a CPU");
    assert_eq!(document["schema"], 1);
    are_limits(&document["ceilings"][0], "cpu", &["memory"]);
    let output = sigmill(&words);
    assert_eq!(code(&output), 0);
    let told = text(&output.stdout);
    for words in ["limits: ", "/s on one thread", "B/s copied in memory", "ecdsa-secp256k1 "] {
        assert!(told.contains(words), "{words}: {told}");
    }
    // Nothing but the document where no terminal looks on.
    assert!(!text(&output.stderr).contains("limits"), "{}", text(&output.stderr));
    // Not unless asked for.
    let document = json(&["devices", "--json"]).expect("a CPU");
    assert!(document.get("ceilings").is_none());
    assert_eq!(code(&sigmill(&["devices", "--probe", "--explain", "sha256"])), 2);
}

#[cfg(feature = "gpu")]
#[test]
fn a_gpu_in_software_is_probed_and_named_as_such() {
    let words = ["devices", "--probe", "--backend", "gpu=software"];
    let Some(document) = json(&[&words[..], &["--json"]].concat()) else { return };
    let ceilings = document["ceilings"].as_array().expect("an array");
    let ceiling = ceilings.iter().find(|ceiling| ceiling["device"] == "gpu=software");
    are_limits(ceiling.expect("its limits"), "gpu=software", &["to_device", "from_device"]);
    let told = text(&sigmill(&words).stdout);
    assert!(told.contains("limits (a driver in software, on the CPU's cores): "), "{told}");
}

#[test]
fn a_bench_tells_shares_of_the_limit() {
    let words = ["bench", "--seconds", "0.5", "--backend", "cpu", "--batch", "1,512"];
    let document = json(&[&words[..], &["--json"]].concat()).expect("a CPU");
    are_limits(&document["ceilings"][0], "cpu", &["memory"]);
    for row in document["rows"].as_array().expect("an array") {
        let of_signatures = SIGNATURES.contains(&row["algorithm"].as_str().expect("a string"));
        for cell in row["batches"].as_array().expect("an array") {
            let share = cell.get("share_of_limit");
            assert_eq!(share.is_some_and(is_share), of_signatures, "{row}");
            assert_eq!(share.is_some(), of_signatures, "{row}");
        }
    }
    let output = sigmill(&[&words[..], &["schnorr"]].concat());
    let told = text(&output.stdout);
    let line = told.lines().find(|line| line.starts_with("cpu reaches ")).unwrap_or_default();
    assert!(line.ends_with("% (schnorr-bip340) of the integer-multiply limit at 512"), "{told}");
    // Tables of keys spare work: the limit is another one.
    let words = [&words[..], &["--pinned", "--keys", "4", "--json"]].concat();
    let document = json(&words).expect("a CPU");
    assert!(document["rows"][0]["batches"][0].get("share_of_limit").is_none());
}

#[test]
fn a_profile_tells_shares_of_the_limit() {
    let load = ["profile", "--load", "schnorr-bip340", "--seconds", "0.3", "--backend", "cpu"];
    let document = json(&[&load[..], &["--json"]].concat()).expect("a CPU");
    let limits = document["limits"].as_array().expect("an array");
    let [limit] = &limits[..] else { panic!("one algorithm: {limits:?}") };
    assert_eq!(limit["place"], "host");
    assert_eq!(limit["algorithm"], "schnorr-bip340");
    assert!(is_share(&limit["share_of_limit"]), "{limit}");
    assert!(is_above_zero(&limit["items"]) && is_above_zero(&limit["total_ns"]));
    assert!(is_above_zero(&limit["ideal_ns_per_item"]));
    let told = text(&sigmill(&load).stdout);
    assert!(told.contains("  schnorr-bip340 on host: "), "{told}");
    // Hashes have no such limit.
    let hashes = ["profile", "--load", "sha256", "--seconds", "0.2", "--backend", "cpu", "--json"];
    let document = json(&hashes).expect("a CPU");
    assert_eq!(document["limits"].as_array().map(Vec::len), Some(0));
}

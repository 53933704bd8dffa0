//! `sigmill profile` of the simulated card: where the cycles of its cores go.

use std::process::Command;

use serde_json::Value;

fn profile(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill"));
    command.args(["profile", "--load", "sha256d", "--backend", "fpga=sim"]).args(arguments);
    let output = command.env_remove("SIGMILL_REQUIRE").output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
#[cfg_attr(
    not(rtl_sim),
    ignore = "verilator not found when this crate was built; install it or set VERILATOR"
)]
fn a_profile_of_a_card_says_where_the_cycles_of_its_cores_go() {
    let trace = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("cycles.json");
    let path = trace.to_str().expect("UTF-8");
    let text = profile(&["--seconds", "1", "--json", "--trace", path]);
    let profile: Value = serde_json::from_str(&text).expect("one JSON object");
    assert_eq!(profile["schema"], 1);
    let cores = profile["cores"].as_array().expect("a list");
    let names: Vec<_> = cores.iter().filter_map(|core| core["core"].as_str()).collect();
    assert_eq!(names, ["keccak256", "secp256k1", "sha256", "sha256d"]);
    const CAUSES: [&str; 4] = ["busy", "starved", "blocked", "latency"];
    for core in cores {
        assert_eq!(core["place"], "fpga=sim");
        let cycles = |cause: &str| core[cause]["cycles"].as_u64().expect("a number");
        let all = core["cycles"].as_u64().expect("a number");
        let sum = CAUSES.iter().map(|cause| cycles(cause)).sum::<u64>();
        assert!(all > 0 && sum.abs_diff(all) < 200, "{core}");
        let shares = CAUSES.iter().map(|cause| core[cause]["share"].as_f64().expect("a share"));
        assert!((shares.sum::<f64>() - 1.0).abs() < 1e-9, "{core}");
        assert_eq!(cycles("busy") > 0, core["core"] == "sha256d", "{core}");
        // The others have nothing to do; they may stand behind it in the ring.
        assert!(core["core"] == "sha256d" || cycles("starved") >= all - 200, "{core}");
    }
    let trace: Value =
        serde_json::from_slice(&std::fs::read(trace).expect("a trace")).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("a list");
    let of = |name: &str| events.iter().filter(|e| e["ph"] == "C" && e["name"] == name).count();
    assert!(of("fpga=sim sha256d") > 1 && of("fpga=sim sha256d") == of("fpga=sim keccak256"));
}

#[test]
#[cfg_attr(
    not(rtl_sim),
    ignore = "verilator not found when this crate was built; install it or set VERILATOR"
)]
fn a_profile_for_people_has_a_table_of_cores() {
    let text = profile(&["--seconds", "0.3", "--batch", "512"]);
    let table = text.split("cores of fpga=sim").nth(1).expect("a table");
    for word in ["starved", "blocked", "latency", "secp256k1", "sha256d"] {
        assert!(table.contains(word), "{text}");
    }
}

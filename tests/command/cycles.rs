//! `sigmill profile` of the simulated card: where the cycles of its cores go.

use crate::profile::traced;
use crate::{code, sigmill, text};

const LOAD: [&str; 4] = ["--load", "sha256d", "--backend", "fpga=sim"];

#[test]
#[cfg_attr(
    not(rtl_sim),
    ignore = "verilator not found when this crate was built; install it or set VERILATOR"
)]
fn a_profile_of_a_card_says_where_the_cycles_of_its_cores_go() {
    let (profile, trace) = traced("cycles.json", &[&LOAD[..], &["--seconds", "1"]].concat());
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
    let output =
        sigmill(&[&["profile"], &LOAD[..], &["--seconds", "0.3", "--batch", "512"]].concat());
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let text = text(&output.stdout);
    let table = text.split("cores of fpga=sim").nth(1).expect("a table");
    for word in ["starved", "blocked", "latency", "secp256k1", "sha256d"] {
        assert!(table.contains(word), "{text}");
    }
}

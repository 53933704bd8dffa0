//! Validators as processes on this machine, some of which are killed.
//!
//! `SIGMILL_KILL_SECONDS` says for how long they are loaded and killed (default 60).

use std::process::{Command, Stdio};

use serde_json::Value;

fn local(arguments: &[&str]) -> (bool, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_sigmill-consensus"))
        .args(["local", "4", "--json"])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), serde_json::from_str(&text).unwrap_or_default())
}

fn receipts_are_everywhere(outcome: &Value) {
    let receipts = outcome["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 4);
    for one in receipts {
        assert_eq!((&one["found"], &one["missing"]), (&outcome["committed"], &0.into()), "{one}");
    }
}

fn loses_nothing(crypto: &str) {
    let load = ["--accounts", "2000", "--load", "200", "--seconds", "5", "--crypto", crypto];
    let (success, outcome) = local(&load);
    assert!(success, "{outcome}");
    assert_eq!(outcome["committed"], 1_000, "{outcome}");
    receipts_are_everywhere(&outcome);
    for key in ["committed_per_second", "finality_ms", "height", "crypto_share", "core_seconds"] {
        assert!(!outcome[key].is_null(), "{key}: {outcome}");
    }
}

/// One test, as all take the whole machine.
#[test]
fn validators_that_are_killed_lose_no_receipt() {
    loses_nothing("engine");
    loses_nothing("libsecp256k1");

    let seconds = std::env::var("SIGMILL_KILL_SECONDS").unwrap_or_else(|_| "60".into());
    let load = ["--accounts", "350000", "--load", "5800", "--delay", "50", "--kill"];
    let (success, outcome) = local(&[&load[..], &["--seconds", &seconds]].concat());
    println!("{outcome:#}");
    assert!(success, "{outcome}");
    assert!(!outcome["kills"].as_array().unwrap().is_empty(), "{outcome}");
    receipts_are_everywhere(&outcome);
    // The others went on: most is final, though what only the dead had is lost.
    let (committed, taken) = (outcome["committed"].as_u64(), outcome["taken"].as_u64());
    assert!(10 * committed.unwrap() >= 9 * taken.unwrap(), "{outcome}");
}

//! Two chains of processes on this machine, and a relayer that is killed.
//!
//! `SIGMILL_KILL_SECONDS` says for how long (default 30), `SIGMILL_MESSAGES` how many messages a second
//! are sent (default 500).

use std::process::{Command, Stdio};

use serde_json::Value;

fn bridge(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sigmill-consensus"))
        .arg("bridge")
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

/// One test, as all take the whole machine.
#[test]
fn what_is_locked_on_one_is_released_on_the_other_once() {
    let (success, said) = bridge(&[]);
    assert!(success, "{said}");
    assert_eq!(
        (said.matches("locked").count(), said.matches("released").count()),
        (2, 2),
        "{said}"
    );

    let setting =
        |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.into());
    let (rate, seconds) =
        (setting("SIGMILL_MESSAGES", "500"), setting("SIGMILL_KILL_SECONDS", "30"));
    let (success, said) = bridge(&["--load", &rate, "--seconds", &seconds, "--kill", "--json"]);
    println!("{said}");
    assert!(success, "{said}");
    let outcome: Value = serde_json::from_str(&said).unwrap();
    let messages: u64 = rate.parse::<u64>().unwrap() * seconds.parse::<u64>().unwrap();
    for key in ["messages", "final_on_source", "delivered", "locked", "released"] {
        assert_eq!(outcome[key], messages, "{key}: {outcome}");
    }
    assert!(outcome["relayer_kills"].as_u64() > Some(0), "{outcome}");
    assert_eq!(outcome["senders_wrong"], 0, "{outcome}");
}

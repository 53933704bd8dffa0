//! Every refusal has a file that gets it, and one that differs in what is refused and is accepted.
//!
//! `refusals/list.txt`: a refusal, whose votes are trusted, files that are judged in one call, the
//! last of which is refused, and the same without the fault. The files are made anew by
//! ```text
//! cargo test -p sigmill-consensus --test refusals -- --ignored
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sigmill::{Engine, Terms};
use sigmill_consensus::proof::{Checkpoint, Evidence, verify, verify_states};
use sigmill_consensus::scheme::Engines;

#[path = "refusals/make.rs"]
mod make;

/// The names of SPEC.md, section 16.
const NAMES: [&str; 15] = [
    "Malformed",
    "WrongChain",
    "BrokenChain",
    "UnknownEpoch",
    "StaleSet",
    "NoQuorum",
    "BadVote",
    "NoSuchPlace",
    "ForeignTransaction",
    "WrongRoot",
    "WrongState",
    "BadSignature",
    "Replayed",
    "Malformed",  // as bytes
    "WrongState", // as bytes
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals")
}

/// A line of the list.
struct Case {
    name: String,
    trusted: PathBuf,
    refused: Vec<PathBuf>,
    accepted: Vec<PathBuf>,
}

fn cases() -> Vec<Case> {
    let folder = folder();
    let files = |text: &str| text.split('+').map(|file| folder.join(file)).collect();
    let case = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let [name, trusted, refused, accepted] = columns[..] else { panic!("{line}") };
        let (refused, accepted) = (files(refused), files(accepted));
        Case { name: name.into(), trusted: folder.join(trusted), refused, accepted }
    };
    std::fs::read_to_string(folder.join("list.txt")).unwrap().lines().map(case).collect()
}

#[test]
fn every_refusal_has_a_file() {
    let mut found: Vec<_> = cases().into_iter().map(|case| case.name).collect();
    let mut names = NAMES.map(String::from).to_vec();
    found.sort();
    names.sort();
    assert_eq!(found, names);
    let spec = std::fs::read_to_string(folder().join("../../SPEC.md")).unwrap();
    let (_, proofs) = spec.split_once("# 16 Proofs").unwrap();
    for name in names {
        assert!(proofs.contains(&format!("| `{name}` |")), "{name} is not specified");
    }
}

/// What the library says of a file: the name of the first refusal.
fn judge(trusted: &Path, file: &Path) -> Option<String> {
    let engine = Arc::new(Engine::builder().threads(1).open().unwrap());
    let engines = Engines::one(engine.clone());
    let checkpoint = Checkpoint::read(trusted).unwrap();
    let trusted = checkpoint.trusted(&engines, Duration::from_secs(60)).unwrap();
    let judged = match Evidence::read(&std::fs::read(file).unwrap()) {
        Err(_) => return Some("Malformed".into()),
        Ok(Evidence::State(proof)) => {
            verify_states(&engine, &trusted, &[proof], Terms::default())[0].1
        }
        Ok(Evidence::Block(proof)) => {
            let judged = &verify(&engine, &trusted, &[proof], Terms::default())[0];
            judged.senders.iter().fold(judged.block, |all, one| all.and(one.map(|_| ())))
        }
    };
    judged.err().map(|refusal| refusal.name().into())
}

#[test]
fn the_library_names_them() {
    for Case { name, trusted, refused, accepted } in cases() {
        let verdict = judge(&trusted, refused.last().unwrap());
        match &*name {
            "Replayed" => assert_eq!(verdict, None, "it is the command that has seen it before"),
            _ => assert_eq!(verdict.as_deref(), Some(&*name)),
        }
        assert_eq!(judge(&trusted, accepted.last().unwrap()), None, "{name}, mended");
    }
}

/// What the command says of the last of the files, and its exit code.
fn command(trusted: &Path, files: &[PathBuf]) -> (Option<i32>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill-consensus"));
    command.args(["verify-proof", "--json", "--threads", "1", "--trusted"]).arg(trusted);
    let output = command.args(files).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap_or_else(|| panic!("{:?}", output.stderr));
    (output.status.code(), serde_json::from_str(last).unwrap())
}

#[test]
fn the_command_names_them() {
    for Case { name, trusted, refused, accepted } in cases() {
        let (code, said) = command(&trusted, &refused);
        assert_eq!((code, &said["refused"]["name"]), (Some(1), &Value::from(&*name)));
        let (code, said) = command(&trusted, &accepted);
        assert_eq!(code, Some(0), "{name}, mended: {said}");
        assert!(said["valid"]["height"].is_u64());
    }
}

#[test]
#[ignore = "writes the files anew"]
fn generate() {
    make::write(&folder());
}

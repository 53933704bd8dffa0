//! The command's settings, pages and completions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::code;

/// A home of its own.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Home {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let home = Home(folder.join(format!("config-{name}-{}", std::process::id())));
        fs::create_dir_all(home.config().parent().expect("below the home")).expect("a folder");
        home
    }

    fn config(&self) -> PathBuf {
        self.0.join(".config/sigmill/config.toml")
    }

    fn says(&self, text: &str) {
        fs::write(self.config(), text).expect("a file");
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SIGMILL_")) {
            command.env_remove(name);
        }
        command.args(arguments).env("HOME", &self.0).env_remove("XDG_CONFIG_HOME");
        command.env("XDG_RUNTIME_DIR", &self.0).envs(variables.iter().copied());
        command.output().expect("it runs")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn every_layer_shows_with_its_origin() {
    let home = Home::new("layers");
    home.says("threads = 2\ntrust = \"fast\"\n[limits]\nitems = 1000\n");
    let output = home
        .run(&["config", "show", "--origin", "--backend", "cpu"], &[("SIGMILL_TRUST", "audited")]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let shown = out(&output);
    let config = home.config();
    for (setting, origin) in [
        ("backend = \"cpu\"", "# --backend".to_owned()),
        ("trust = \"audited\"", "# SIGMILL_TRUST".to_owned()),
        ("threads = 2", format!("# {}:1", config.display())),
        ("items = 1000", format!("# {}:4", config.display())),
        ("color = \"auto\"", "# default".to_owned()),
    ] {
        let line = shown.lines().find(|line| line.starts_with(setting)).expect(setting);
        assert!(line.ends_with(&origin), "{line}");
    }
    let output = home.run(&["config", "show", "--json"], &[]);
    let shown: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(shown["schema"], 1);
    let threads = &shown["settings"]["threads"];
    assert_eq!((&threads["value"], &threads["origin"]["line"]), (&2.into(), &1.into()));
    assert_eq!(shown["settings"]["metrics"]["value"], Value::Null);
    // What is shown can be read again, and says the same.
    let first = out(&home.run(&["config", "show"], &[]));
    home.says(&first);
    assert_eq!(first, out(&home.run(&["config", "show"], &[])));
}

#[test]
fn commands_follow_the_settings() {
    let home = Home::new("follow");
    home.says("backend = \"gpu\"\nthreads = 1\n");
    let drivers = [("VK_ICD_FILENAMES", "/nowhere"), ("VK_DRIVER_FILES", "/nowhere")];
    let output = home.run(&["check", "--quiet"], &drivers);
    assert_eq!(code(&output), 4, "{}", err(&output));
    let place = format!("(backend is set by {}:1)", home.config().display());
    assert!(err(&output).contains(&place), "{}", err(&output));
    let output = home.run(&["check", "--quiet", "--backend", "cpu"], &drivers);
    assert_eq!(code(&output), 0, "{}", err(&output));
    home.says("threads = 3\n");
    let threads = |variables: &[(&str, &str)], flags: &[&str]| {
        let output = home.run(&[&["devices"], flags].concat(), &[&drivers, variables].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        out(&output).lines().next().expect("the CPU").to_owned()
    };
    assert!(threads(&[], &[]).contains("3 threads"));
    assert!(threads(&[("SIGMILL_THREADS", "2")], &[]).contains("2 threads"));
    assert!(threads(&[("SIGMILL_THREADS", "2")], &["--threads", "1"]).contains("1 thread"));
}

#[test]
fn mistakes_end_a_command_with_their_place() {
    let home = Home::new("mistakes");
    home.says("threads = 1\ntreads = 2\ntrust = 7\n");
    for command in [&["check"][..], &["devices"], &["config", "show"]] {
        let output = home.run(command, &[]);
        assert_eq!((code(&output), output.stdout.len()), (2, 0), "{command:?}");
        let place = home.config().display().to_string();
        for words in [
            "config.toml:2: unknown key `treads`; the nearest is `threads`",
            "config.toml:3: trust: found the number `7`",
            &place,
        ] {
            assert!(err(&output).contains(words), "{words}: {}", err(&output));
        }
    }
    // A file that is named stands for the user's.
    let good = home.0.join("good.toml");
    fs::write(&good, "threads = 1").expect("a file");
    let good = good.to_str().expect("UTF-8");
    assert_eq!(code(&home.run(&["config", "show", "--config", good], &[])), 0);
    assert_eq!(code(&home.run(&["config", "show"], &[("SIGMILL_CONFIG", good)])), 0);
    let output = home.run(&["check", "--config", "/nowhere.toml"], &[]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("/nowhere.toml: no such file"), "{}", err(&output));
    home.says("");
    let output = home.run(&["check", "--quiet"], &[("SIGMILL_THREADS", "many")]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("SIGMILL_THREADS: threads: found `many`"), "{}", err(&output));
    let output = home.run(&["config", "show"], &[("SIGMILL_THREAD", "2")]);
    assert_eq!(code(&output), 0);
    assert!(err(&output).contains("warning: the variable SIGMILL_THREAD"), "{}", err(&output));
}

#[test]
fn files_are_checked_and_a_sample_is_given() {
    let home = Home::new("files");
    let file = home.0.join("a.toml");
    let name = file.to_str().expect("UTF-8");
    let check = |bytes: &[u8]| {
        fs::write(&file, bytes).expect("a file");
        home.run(&["config", "check", name], &[])
    };
    let sample = home.run(&["config", "sample"], &[]);
    assert_eq!((code(&sample), code(&check(&sample.stdout))), (0, 0));
    for (bytes, status, words) in [
        (&b"threads = 1\nmetrics = 'here'"[..], 3, "a.toml:2: metrics: found the text `here`"),
        (b"threads = 1\nthreads = 1", 3, "a.toml:2: no TOML: duplicate key"),
        (b"\xff", 3, "a.toml:1: is no UTF-8 text"),
        (&vec![b'\n'; 10 << 20], 1, "more than 65536 bytes"),
        (&b"a = [".repeat(10_000), 3, "a.toml:1: "),
    ] {
        let output = check(bytes);
        assert_eq!(code(&output), status, "{}", err(&output));
        assert!(err(&output).contains(words), "{words}: {}", err(&output));
        let output = home.run(&["config", "check", "--json", name], &[]);
        let checked: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_eq!((&checked["schema"], &checked["ok"]), (&1.into(), &false.into()));
    }
    let folder = home.run(&["config", "check", home.0.to_str().expect("UTF-8")], &[]);
    assert_eq!(code(&folder), 1);
    assert!(err(&folder).contains("is a directory"));
    let help = out(&home.run(&["config", "show", "--help"], &[]));
    assert!(help.contains("limits.items") && help.contains("SIGMILL_LIMITS_ITEMS"), "{help}");
}

#[test]
fn pages_and_completions_are_written() {
    let home = Home::new("pages");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = home.run(&["completions", shell], &[]);
        assert_eq!(code(&output), 0);
        for command in ["check", "devices", "bench", "config", "doctor", "completions", "man"] {
            assert!(out(&output).contains(command), "{shell}: {command}");
        }
    }
    assert_eq!(code(&home.run(&["completions", "cmd"], &[])), 2);
    let page = out(&home.run(&["man", "config", "show"], &[]));
    assert!(page.contains(".TH sigmill-config-show 1"), "{page}");
    assert_eq!(code(&home.run(&["man", "nothing"], &[])), 2);
    let folder = home.0.join("man");
    let output = home.run(&["man", "--dir", folder.to_str().expect("UTF-8")], &[]);
    assert_eq!((code(&output), output.stdout.len()), (0, 0), "{}", err(&output));
    for page in ["sigmill.1", "sigmill-check.1", "sigmill-doctor.1", "sigmill-config-sample.1"] {
        assert!(folder.join(page).is_file(), "{page}");
    }
    assert!(!folder.join("sigmill-device-child.1").exists());
    assert_eq!(code(&home.run(&["man", "--dir", "/dev/null/a"], &[])), 1);
}

#[test]
fn routes_are_explained_by_friendly_names_and_in_two_words() {
    let home = Home::new("routes");
    let drivers = [("VK_ICD_FILENAMES", "/nowhere"), ("VK_DRIVER_FILES", "/nowhere")];
    let explain = |words: &[&str]| {
        let fixed = ["devices", "--threads", "1", "--backend", "cpu", "--explain"];
        home.run(&[&fixed[..], words].concat(), &drivers)
    };
    for (words, told) in [
        (&["ecdsa-secp256k1", "4096"][..], "ecdsa-secp256k1:bitcoin-strict, 4096 jobs, "),
        (&["ecdsa-verify", "2", "--explain", "sha256:3:9"], "\nsha256, 3 jobs, 9 bytes: "),
        (&["ecrecover"], "recover-secp256k1:ecrecover-precompile, 1 job, 97 bytes: "),
        (&["schnorr:5"], "schnorr-bip340, 5 jobs, "),
    ] {
        let output = explain(words);
        assert_eq!(code(&output), 0, "{words:?}: {}", err(&output));
        assert!(out(&output).contains(told), "{words:?}: {}", out(&output));
    }
    for (words, why) in [
        (&["4096"][..], "it follows an algorithm"),
        (&["sha256:3", "4"], "it follows an algorithm"),
        (&["sha256", "0"], "ITEMS: not a number from 1"),
        (&["sha256", "99999999999999999999"], "ITEMS: not a number from 1"),
        (&["sha257", "4"], "the nearest is `sha256`"),
    ] {
        let output = explain(words);
        assert_eq!(code(&output), 2, "{words:?}");
        assert!(err(&output).contains(why), "{words:?}: {}", err(&output));
    }
}

//! `sigmill doctor`, on this machine and on trees of files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::{code, json, text};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = Folder(folder.join(format!("doctor-{name}-{}", std::process::id())));
        fs::create_dir_all(folder.0.join("home")).expect("a folder");
        folder
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Runs the doctor where no Vulkan driver is found, with a home of its own.
    fn doctor(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SIGMILL_")) {
            command.env_remove(name);
        }
        command.arg("doctor").args(arguments).env("HOME", self.0.join("home"));
        command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME");
        command.env_remove("XDG_STATE_HOME").env("XDG_RUNTIME_DIR", &self.0);
        command.env("VK_ICD_FILENAMES", "/nowhere").env("VK_DRIVER_FILES", "/nowhere");
        command.envs(variables.iter().copied()).output().expect("it runs")
    }

    /// The same below this folder, as root of a tree.
    fn examine(&self, variables: &[(&str, &str)]) -> (i32, Value) {
        let root = self.0.to_str().expect("UTF-8");
        let no_drivers = [("VK_ICD_FILENAMES", ""), ("VK_DRIVER_FILES", ""), ("HOME", "/home")];
        let output =
            self.doctor(&["--json", "--root", root], &[&no_drivers[..], variables].concat());
        (code(&output), json(&output))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn check<'a>(document: &'a Value, name: &str) -> &'a Value {
    let checks = document["checks"].as_array().expect("an array");
    checks.iter().find(|check| check["name"] == name).unwrap_or(&Value::Null)
}

#[test]
fn a_machine_without_accelerators_is_told_what_is_missing() {
    let folder = Folder::new("bare");
    folder.file("etc/os-release", "ID=debian\n");
    let (status, document) = folder.examine(&[]);
    assert_eq!(status, 0);
    assert_eq!(document["schema"], 1);
    let loader = check(&document, "vulkan-loader");
    assert_eq!(loader["state"], "missing");
    assert_eq!(loader["mend"], "sudo apt-get install -y libvulkan1");
    assert!(!loader["searched"].as_array().expect("an array").is_empty());
    for check in document["checks"].as_array().expect("an array") {
        let keys: Vec<_> = check.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["found", "mend", "name", "searched", "state"]);
    }
    assert!(document["summary"].as_str().expect("words").contains("No device was opened"));
}

#[test]
fn what_is_wrong_ends_with_1_and_a_command() {
    let folder = Folder::new("wrong");
    folder.file("home/.config/sigmill/config.toml", "threads = 1\ntreads = 1\n");
    let (status, document) = folder.examine(&[]);
    assert_eq!(status, 1);
    let settings = check(&document, "settings");
    assert_eq!(settings["state"], "wrong");
    assert_eq!(settings["mend"], "${EDITOR:-vi} +2 /home/.config/sigmill/config.toml");
    // So it is on the machine itself, for people.
    let output = folder.doctor(&["--no-open"], &[]);
    assert_eq!(code(&output), 1);
    let told = text(&output.stdout);
    let line = told.lines().find(|line| line.contains(" settings ")).expect("a line a check");
    assert!(line.starts_with("WRONG ") && line.contains("config.toml:2: unknown key"), "{told}");
    assert!(told.contains("mend: ${EDITOR:-vi} +2 ") && !told.contains('\x1b'), "{told}");
    let colored = [("SIGMILL_COLOR", "always"), ("SIGMILL_ISA", "mmx")];
    let output = folder.doctor(&["--no-open", "--config", "/dev/null"], &colored);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stdout).contains("\x1b[1;31mWRONG"), "{}", text(&output.stdout));
}

#[test]
fn devices_are_opened_and_the_end_says_what_runs_where() {
    let folder = Folder::new("open");
    let output =
        folder.doctor(&["--threads", "1"], &[("VK_ICD_FILENAMES", ""), ("VK_DRIVER_FILES", "")]);
    let told = text(&output.stdout);
    assert_eq!(code(&output), 0, "{told}{}", text(&output.stderr));
    assert!(told.contains("device-cpu      ") && told.contains("known answers right"), "{told}");
    let last = told.lines().last().expect("a line");
    assert!(last.contains(" 0 wrong. ") && last.contains("CPU"), "{last}");
}

#[test]
fn what_is_required_and_absent_ends_with_4() {
    let folder = Folder::new("required");
    let output = folder.doctor(&["--no-open", "--json"], &[("SIGMILL_REQUIRE", "gpu")]);
    assert_eq!(code(&output), 4);
    assert_eq!(check(&json(&output), "required")["state"], "missing");
    let output = folder.doctor(&["--no-open", "--json"], &[("SIGMILL_REQUIRE", "cpu")]);
    assert_eq!(check(&json(&output), "required")["state"], "ok");
    let output = folder.doctor(&["--no-open", "--json"], &[("SIGMILL_REQUIRE", "abacus")]);
    assert_eq!(code(&output), 2);
    let output = folder.doctor(&["--backend", "gpu", "--json"], &[]);
    assert_eq!(code(&output), 4);
    assert_eq!(check(&json(&output), "backend")["state"], "wrong");
    folder.file("home/.config/sigmill/config.toml", "backend = \"gpu\"\n");
    let output = folder.doctor(&["--json"], &[]);
    assert_eq!(code(&output), 4);
    let document = json(&output);
    let mend = check(&document, "backend")["mend"].as_str().expect("a command").to_owned();
    assert!(mend.starts_with("${EDITOR:-vi} +1 ") && mend.ends_with("config.toml"), "{mend}");
}

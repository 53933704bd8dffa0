//! Tells the tests whether the simulated card was built (the configuration `rtl_sim`), and the command where to
//! find what it was built from and by: `SIGMILL_GIT_LOG` under the configuration `git_log`, `SIGMILL_RUSTC`.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(rtl_sim)");
    println!("cargo::rustc-check-cfg=cfg(git_log)");
    println!("cargo::rerun-if-changed=build.rs");
    // What the crate fpga-sim says of itself, where the feature `fpga-sim` asks for it.
    if std::env::var("DEP_FPGA_SIM_MODEL_RTL_SIM").is_ok_and(|built| built == "yes") {
        println!("cargo::rustc-cfg=rtl_sim");
    }
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    if let Some(version) = says(&rustc, &["--version"]) {
        println!("cargo::rustc-env=SIGMILL_RUSTC={version}");
    }
    // Its last line names the commit that is checked out. The command reads it when it is compiled: were the
    // commit told here, each one would compile the library anew. A package that lies in somebody else's checkout
    // is not of that commit.
    let log =
        Path::new(".git").exists().then(|| says("git", &["rev-parse", "--git-path", "logs/HEAD"]));
    if let Some(log) = log.flatten().and_then(|log| Path::new(&log).canonicalize().ok()) {
        println!("cargo::rustc-cfg=git_log");
        println!("cargo::rustc-env=SIGMILL_GIT_LOG={}", log.display());
    }
}

/// The first line that a program prints, if it runs and ends well.
fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next().filter(|_| output.status.success())?;
    Some(line.to_owned())
}

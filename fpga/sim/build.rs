//! Runs Verilator over the card's RTL and compiles the model; without Verilator the crate builds without a model.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use sha2::{Digest, Sha256};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(rtl_sim)");
    for name in ["VERILATOR", "VERILATOR_ROOT", "SIGMILL_REQUIRE"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets it"));
    let rtl = here.join("../rtl").canonicalize().expect("fpga/rtl stands beside fpga/sim");
    for path in [rtl.as_path(), &here.join("src/shim.cpp"), &here.join("build.rs")] {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    let list = fs::read_to_string(rtl.join("top.f")).expect("fpga/rtl/top.f lists the sources");
    let sources: Vec<PathBuf> = list.lines().map(|line| rtl.join(line)).collect();
    let mut hash = Sha256::new();
    for source in &sources {
        hash.update(fs::read(source).expect("a file of top.f"));
    }
    let hash: [u8; 32] = hash.finalize().into();
    fs::write(out.join("source_hash.rs"), format!("{hash:?}")).expect("OUT_DIR is writable");

    let verilator = env::var("VERILATOR").unwrap_or_else(|_| "verilator".to_owned());
    let found = Command::new(&verilator).args(["--getenv", "VERILATOR_ROOT"]).output();
    let root = match found {
        Ok(output) if output.status.success() => {
            PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
        }
        _ => {
            let required = env::var("SIGMILL_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|name| name.trim().starts_with("fpga")),
                "SIGMILL_REQUIRE lists fpga, and `{verilator}` does not run: install Verilator or set VERILATOR"
            );
            println!("cargo::warning={verilator} does not run: no simulated card");
            println!("cargo::metadata=rtl_sim=no");
            // A path that never exists: the script runs at every build, and notices an installation.
            println!("cargo::rerun-if-changed={}", out.join("no-verilator").display());
            return;
        }
    };
    verilate(&verilator, &rtl, &sources, &hash, &out.join("model"));
    compile(&root, &out.join("model"), &here);
    println!("cargo::rustc-cfg=rtl_sim");
    println!("cargo::metadata=rtl_sim=yes");
}

fn verilate(verilator: &str, rtl: &Path, sources: &[PathBuf], hash: &[u8; 32], model: &Path) {
    let _ = fs::remove_dir_all(model);
    // Byte i of the hash is bits 8 i and up: the number is written from the last byte.
    let number: String = hash.iter().rev().map(|byte| format!("{byte:02x}")).collect();
    let output = Command::new(verilator)
        .args(["--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert"])
        .args(["--top-module", "top", "--prefix", "Vtop", "--output-split", "20000"])
        .arg(format!("-GBUILD_HASH=256'h{number}"))
        .arg(format!("-I{}", rtl.display()))
        .arg("--Mdir")
        .arg(model)
        .args(sources.iter().filter(|path| path.extension().is_some_and(|e| e == "sv")))
        .output()
        .expect("it ran just now");
    assert!(output.status.success(), "verilator: {}", String::from_utf8_lossy(&output.stderr));
}

fn compile(root: &Path, model: &Path, here: &Path) {
    let include = root.join("include");
    // What runs once, Verilator sets apart as slow: half the text, and not worth a compiler's time.
    let (mut fast, mut slow) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(model).expect("Verilator wrote there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "cpp") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if name.ends_with("__Slow") { slow.push(path) } else { fast.push(path) }
        }
    }
    for name in ["verilated.cpp", "verilated_threads.cpp"] {
        let path = include.join(name);
        if path.exists() {
            fast.push(path);
        }
    }
    fast.push(here.join("src/shim.cpp"));
    let build = |opt_level: u32, files: Vec<PathBuf>, library: &str| {
        let mut build = cc::Build::new();
        build.cpp(true).std("c++17").opt_level(opt_level).warnings(false).debug(false);
        build.flag_if_supported("-fno-strict-aliasing");
        build.define("VL_THREADED", None);
        build.include(&include).include(include.join("vltstd")).include(model);
        build.files(files).compile(library);
    };
    build(3, fast, "fpga_sim_model");
    // After what calls it, as linkers want it.
    build(0, slow, "fpga_sim_model_slow");
    println!("cargo::rustc-link-lib=pthread");
}

//! Every module is in the subset that all three tools read, without a warning of Verilator's.

use std::fs;
use std::path::Path;

use crate::icarus::{folder, fpga, has, tool};

/// Names of the modules of a folder: of its files.
fn modules(rtl: &Path) -> Vec<String> {
    let files = fs::read_dir(rtl).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut names: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "sv"))
        .map(|path| path.file_stem().expect("a name").to_str().expect("ASCII").to_owned())
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no module in {}", rtl.display());
    names
}

fn verilator(rtl: &Path) -> Result<(), String> {
    for module in modules(rtl) {
        let file = format!("{module}.sv");
        let args = ["--lint-only", "-Wall", "-y", ".", "--top-module", &module, &file];
        tool(rtl, "verilator", &args)?;
    }
    Ok(())
}

fn icarus(rtl: &Path) -> Result<(), String> {
    for module in modules(rtl) {
        let file = format!("{module}.sv");
        let args =
            ["-g2012", "-t", "null", "-I", ".", "-y", ".", "-Y", ".sv", "-s", &module, &file];
        tool(rtl, "iverilog", &args)?;
    }
    Ok(())
}

/// Reads all once; a module that another instantiates is checked below that one.
fn yosys(rtl: &Path) -> Result<(), String> {
    let modules = modules(rtl);
    let text = |module| fs::read_to_string(rtl.join(format!("{module}.sv"))).expect("a file");
    let texts: Vec<_> = modules.iter().map(text).collect();
    let is_instance = |line: &str, module: &str| {
        line.trim_start().strip_prefix(module).is_some_and(|rest| rest.starts_with(' '))
    };
    let is_below = |module: &&String| {
        texts.iter().any(|text| text.lines().any(|line| is_instance(line, module)))
    };
    let mut script = format!("read_verilog -sv -defer {}.sv", modules.join(".sv "));
    for module in modules.iter().filter(|module| !is_below(module)) {
        script += &format!("; design -push-copy; hierarchy -check -top {module}; design -pop");
    }
    tool(rtl, "yosys", &["-q", "-p", &script]).map(|_| ())
}

#[test]
fn verilator_has_no_warning() {
    if has(&["verilator"]) {
        verilator(&fpga("rtl")).unwrap_or_else(|said| panic!("{said}"));
    }
}

#[test]
fn icarus_reads_all() {
    if has(&["iverilog"]) {
        icarus(&fpga("rtl")).unwrap_or_else(|said| panic!("{said}"));
    }
}

#[test]
fn yosys_reads_all() {
    if has(&["yosys"]) {
        yosys(&fpga("rtl")).unwrap_or_else(|said| panic!("{said}"));
    }
}

#[test]
fn no_file_allows_implicit_nets() {
    for module in modules(&fpga("rtl")) {
        let text = fs::read_to_string(fpga(&format!("rtl/{module}.sv"))).expect("a file");
        assert!(text.contains("\n`default_nettype none\n"), "{module}");
    }
}

#[test]
fn each_tool_can_refuse() {
    let rtl = folder("each_tool_can_refuse");
    let text =
        "`default_nettype none\nmodule wrong (output wire q);\nassign q = absent;\nendmodule\n";
    fs::write(rtl.join("wrong.sv"), text).expect("a file");
    for (name, lint) in [
        ("verilator", verilator as fn(&Path) -> Result<(), String>),
        ("iverilog", icarus),
        ("yosys", yosys),
    ] {
        if has(&[name]) {
            let said = lint(&rtl).expect_err(name);
            assert!(said.contains("absent"), "{said}");
        }
    }
}

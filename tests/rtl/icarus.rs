//! Runs tools and testbenches: cores of the common ports under Icarus Verilog.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A job as a core sees it, and the completion it owes.
#[derive(Clone)]
pub struct Job {
    /// Header first, if the core takes one.
    pub lines: Vec<[u8; 64]>,
    pub payload: Vec<u8>,
    /// Of two lines.
    pub wide: bool,
}

/// A core under test.
#[derive(Clone, Copy)]
pub struct Core {
    pub module: &'static str,
    /// In parentheses, as in `#(.STAGES(8))`; or empty.
    pub parameters: &'static str,
}

/// How the testbench treats the core.
#[derive(Clone, Copy)]
pub enum Pace {
    /// A line and a completion a cycle, if the core wants.
    Full,
    /// Random pauses of both sides, by this seed.
    Paused(u32),
}

/// What the testbench counted.
#[derive(Debug)]
pub struct Passed {
    pub jobs: u64,
    /// From the first line to the last completion.
    pub cycles: u64,
    /// Of those, with the core's `busy`.
    pub busy: u64,
}

/// Whether all these tools are here; else says what is skipped, and fails if `SIGMILL_REQUIRE` lists
/// `fpga`.
pub fn has(tools: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = |tool: &&&str| std::env::split_paths(&path).any(|at| at.join(tool).is_file());
    let Some(absent) = tools.iter().find(|tool| !is_here(tool)) else { return true };
    assert!(!is_required(), "SIGMILL_REQUIRE lists fpga, but {absent} was not found");
    println!("skipped: fpga is absent: {absent} not found");
    false
}

/// Whether absence of the tools is a failure.
pub fn is_required() -> bool {
    let required = std::env::var("SIGMILL_REQUIRE").unwrap_or_default();
    required.split(',').any(|name| name.trim() == "fpga")
}

/// A path in the folder `fpga`.
pub fn fpga(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fpga").join(path)
}

/// An empty folder of this test's own.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rtl").join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an old folder goes");
    }
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Runs a tool in a folder. Its standard output, or all it said where it failed.
pub fn tool(at: &Path, name: &str, args: &[impl AsRef<OsStr>]) -> Result<String, String> {
    let output = Command::new(name).args(args).current_dir(at).output();
    let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    Err(format!("{name}: {}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// Compiles a testbench, with these sources and what it finds in `rtl`, to a file in a folder.
pub fn compile(folder: &Path, bench: &str, sources: &[PathBuf], defines: &[String]) -> PathBuf {
    let (program, rtl) = (folder.join(bench).with_extension("vvp"), fpga("rtl"));
    let mut args: Vec<_> = ["-g2012", "-Y", ".sv", "-s", bench].map(str::to_owned).into();
    for flag in ["-I", "-y"] {
        args.extend([flag.to_owned(), rtl.display().to_string()]);
    }
    args.extend(defines.iter().map(|define| format!("-D{define}")));
    args.extend(["-o".to_owned(), program.display().to_string()]);
    args.extend(sources.iter().map(|source| source.display().to_string()));
    args.push(fpga(&format!("tb/{bench}.sv")).display().to_string());
    tool(folder, "iverilog", &args).unwrap_or_else(|said| panic!("{said}"));
    program
}

/// Runs a compiled testbench: the numbers after PASS, or the line with FAIL.
pub fn verdict(program: &Path, args: &[String]) -> Result<Vec<u64>, String> {
    let mut all = vec!["-n".to_owned(), program.display().to_string()];
    all.extend_from_slice(args);
    let folder = program.parent().expect("a folder");
    let said = tool(folder, "vvp", &all).unwrap_or_else(|said| panic!("{said}"));
    match said.lines().find(|line| line.starts_with("PASS")) {
        Some(line) if !said.contains("FAIL") => {
            Ok(line.split(' ').filter_map(|word| word.parse().ok()).collect())
        }
        _ => Err(said.trim().to_owned()),
    }
}

/// Gives a core these jobs and compares its completions; the folder is named after the test.
pub fn run(test: &str, core: Core, jobs: &[Job], pace: Pace) -> Result<Passed, String> {
    let folder = folder(test);
    let mut defines = vec![format!("CORE={}", core.module)];
    if !core.parameters.is_empty() {
        defines.push(format!("PARAMETERS={}", core.parameters));
    }
    let program = compile(&folder, "core", &[], &defines);

    let mut rng = StdRng::seed_from_u64(jobs.len() as u64);
    let (mut lines, mut owed) = (String::new(), String::new());
    for (number, job) in jobs.iter().enumerate() {
        let number = u16::try_from(number).expect("the testbench's number of jobs");
        let tag = u32::from(number) | rng.random::<u32>() << 16;
        let mut check = 0;
        for (index, line) in job.lines.iter().enumerate() {
            check = rng.random::<u32>();
            let (first, last) = (index == 0, index + 1 == job.lines.len());
            let (first, last) = (u8::from(first), u8::from(last));
            writeln!(lines, "{first} {last} {tag:08x} {check:08x} {}", number_of(line)).unwrap();
        }
        let mut payload = [0; 96];
        payload[..job.payload.len()].copy_from_slice(&job.payload);
        let wide = u8::from(job.wide);
        writeln!(owed, "{tag:08x} {check:08x} {wide} {}", number_of(&payload)).unwrap();
    }
    fs::write(folder.join("lines"), lines).expect("a file");
    fs::write(folder.join("jobs"), owed).expect("a file");

    let (bubbles, seed) = match pace {
        Pace::Full => (0, 1),
        Pace::Paused(seed) => (1, seed),
    };
    let args = ["+lines=lines".to_owned(), "+jobs=jobs".to_owned()];
    let args = [&args[..], &[format!("+bubbles={bubbles}"), format!("+seed={seed}")]].concat();
    verdict(&program, &args).map(|numbers| Passed {
        jobs: numbers[0],
        cycles: numbers[1],
        busy: numbers[2],
    })
}

/// Bytes as the digits of a little-endian number.
pub fn number_of(bytes: &[u8]) -> String {
    bytes.iter().rev().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

//! A browser without a window.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Names under which Chromium is installed.
const NAMES: [&str; 2] = ["chromium", "chromium-browser"];

/// Longest that a page takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The browser's program; none where it is not installed.
pub fn find() -> Option<&'static str> {
    let runs = |name: &&str| {
        let mut command = Command::new(name);
        let status = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    NAMES.into_iter().find(runs)
}

/// A window's size and scheme.
#[derive(Clone, Copy, Debug)]
pub struct View {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

/// What a browser said: its standard output, and its log.
pub struct Said {
    pub output: String,
    pub log: String,
}

/// Opens a page with these arguments, its files in this folder alone.
pub fn open(program: &str, folder: &Path, page: &Path, view: View, more: &[String]) -> Said {
    let View { width, height, dark } = view;
    let of = |name: &str| -> PathBuf { folder.join(name) };
    let file = |name: &str| File::create(of(name)).expect("a file");
    let mut child = Command::new(program)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
        ])
        .args(["--disable-dev-shm-usage", "--virtual-time-budget=2000", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", of("profile").display()))
        .arg(format!("--window-size={width},{height}"))
        .arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)))
        .args(more)
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stdout(file("output"))
        .stderr(file("log"))
        .spawn()
        .expect("the browser starts");
    let started = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().expect("a child");
            child.wait().expect("a child");
            panic!(
                "the browser does not end: {}",
                fs::read_to_string(of("log")).unwrap_or_default()
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let read =
        |name: &str| String::from_utf8_lossy(&fs::read(of(name)).expect("a file")).into_owned();
    Said { output: read("output"), log: read("log") }
}

/// Width and height of a picture, as PNG has them.
pub fn size(picture: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(picture.get(at..at + 4)?.try_into().ok()?));
    picture.starts_with(b"\x89PNG").then_some((number(16)?, number(20)?))
}

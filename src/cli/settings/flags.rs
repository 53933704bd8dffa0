//! The flags that commands with an engine share.

use std::path::PathBuf;

use clap::Args;
use sigmill::Trust;

use super::keys::{THREADS_LIMIT, position};
use super::value::Value;

/// Settings that the command line says. A command that means them otherwise says so with `mut_arg`.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct Flags {
    /// Device: auto, cpu, gpu, gpu=software, fpga, fpga=sim; fails with 4 if it is absent
    /// [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) backend: Option<String>,
    /// Open it in a process of its own: what a driver does to that one costs no verdict
    #[arg(long, overrides_with = "no_isolate")]
    pub(in crate::cli) isolate: bool,
    /// Do not, whatever the settings say
    #[arg(long, overrides_with = "isolate")]
    pub(in crate::cli) no_isolate: bool,
    /// What has to stand behind a device's verdict: fast (its evidence), checked (and re-checks by the host),
    /// audited (and a proof of every point) [default: checked]
    #[arg(long, value_name = "LEVEL")]
    pub(in crate::cli) trust: Option<Trust>,
    /// Threads of the CPU backend [default: one a core]
    #[arg(long, value_parser = threads)]
    pub(in crate::cli) threads: Option<usize>,
    /// Read settings from this file, and neither the system's nor the user's: see `sigmill config`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
}

/// Reads the value of `--threads`.
pub(in crate::cli) fn threads(text: &str) -> Result<usize, String> {
    let threads = text.parse().ok().filter(|threads| *threads <= THREADS_LIMIT as usize);
    threads.ok_or_else(|| format!("not a number up to {THREADS_LIMIT}"))
}

impl Flags {
    /// What they say, by the position of the key.
    pub(super) fn values(&self) -> Vec<(usize, Value)> {
        let backend = self.backend.clone().map(Value::Text);
        let isolate = match (self.isolate, self.no_isolate) {
            (false, false) => None,
            (_, refused) => Some(Value::Switch(!refused)),
        };
        let trust = self.trust.map(|trust| Value::Text(trust.name().to_owned()));
        let threads = self.threads.map(|threads| Value::Number(threads as u64));
        let all =
            [("backend", backend), ("isolate", isolate), ("trust", trust), ("threads", threads)];
        let at = |name| position(name).expect("a name of the table");
        all.into_iter().filter_map(|(name, value)| Some((at(name), value?))).collect()
    }
}

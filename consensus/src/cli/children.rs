//! Validators and relayers as child processes, and what kills them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sigmill_consensus::client::Client;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{self, Command};
use tokio::sync::oneshot;

use super::Failure;

/// How long a restarted validator may take to catch up.
const CATCH_UP: Duration = Duration::from_secs(60);

/// A process of this program; it is killed when dropped.
pub struct Child {
    arguments: Vec<OsString>,
    log: PathBuf,
    process: process::Child,
}

impl Child {
    /// Runs a validator with this configuration; what it says goes to `log` beside it.
    pub fn spawn(config: &Path) -> Result<Self, Failure> {
        let arguments = vec!["run".into(), "--config".into(), config.into()];
        Child::command(arguments, config.with_file_name("log"))
    }

    /// Runs this program; what it says goes to the end of a file.
    pub fn command(arguments: Vec<OsString>, log: PathBuf) -> Result<Self, Failure> {
        let file = std::fs::File::options().create(true).append(true).open(&log);
        let program = std::env::current_exe().map_err(Failure::check)?;
        let process = Command::new(program)
            .args(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file.map_err(Failure::check)?)
            .kill_on_drop(true)
            .spawn();
        Ok(Child { arguments, log, process: process.map_err(Failure::check)? })
    }

    /// Waits until it answers.
    pub async fn ready(&mut self, patience: Duration) -> Result<(), Failure> {
        let Some(output) = self.process.stdout.take() else { return Ok(()) };
        let mut line = String::new();
        let mut output = BufReader::new(output);
        let read = tokio::time::timeout(patience, output.read_line(&mut line)).await;
        match read {
            Ok(Ok(_)) if line.trim() == "ready" => Ok(()),
            _ => Err(self.ended("it does not start")),
        }
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> Result<(), Failure> {
        match self.process.try_wait() {
            Ok(None) => Ok(()),
            _ => Err(self.ended("it ended")),
        }
    }

    fn ended(&self, why: &str) -> Failure {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<_> = text.lines().rev().take(5).collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        Failure::check(format!("{}: {why}\n{}", self.log.display(), last.join("\n")))
    }

    /// Kills it at once, as a loss of power of its machine would, and starts it again.
    pub async fn kill(&mut self, pause: Duration) -> Result<(), Failure> {
        self.process.kill().await.map_err(Failure::check)?;
        tokio::time::sleep(pause).await;
        *self = Child::command(self.arguments.clone(), self.log.clone())?;
        Ok(())
    }
}

/// Who was killed, and how long it took to catch up.
#[derive(Debug, Default)]
pub struct Kills(Vec<(usize, Duration)>);

impl Kills {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn json(&self) -> Value {
        let one = |(validator, took): &(usize, Duration)| json!({ "validator": validator, "caught_up_ms": took.as_millis() as u64 });
        self.0.iter().map(one).collect()
    }
}

/// A number below `below` from the system's randomness.
pub fn pick(below: u64) -> u64 {
    getrandom::u64().unwrap_or_default() % below
}

/// Kills a validator at random, starts it again, waits until it has caught up, and so on until told
/// to stop. Fails if one does not come back.
pub async fn kill_in_turn(
    mut children: Vec<Child>,
    clients: Vec<Client>,
    mut stopped: oneshot::Receiver<()>,
) -> Result<(Kills, Vec<Child>), Failure> {
    let mut kills = Kills::default();
    loop {
        let pause = Duration::from_millis(1_000 + pick(3_000));
        tokio::select! {
            _ = &mut stopped => return Ok((kills, children)),
            () = tokio::time::sleep(pause) => (),
        }
        let victim = pick(children.len() as u64) as usize;
        let down = Duration::from_millis(pick(3_000));
        eprintln!("       killing validator {victim}");
        children[victim].kill(down).await?;
        children[victim].ready(CATCH_UP).await?;
        let back = Instant::now();
        let mut goal = 0;
        for (index, client) in clients.iter().enumerate() {
            if index != victim
                && let Ok(status) = client.status().await
            {
                goal = goal.max(status.height);
            }
        }
        while clients[victim].status().await.map_or(0, |status| status.height) < goal {
            if back.elapsed() > CATCH_UP {
                let why =
                    format!("validator {victim} has not reached height {goal} within a minute");
                return Err(Failure::check(why));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        eprintln!("       validator {victim} has caught up at height {goal}");
        kills.0.push((victim, back.elapsed()));
    }
}

//! A validator whose disk is full. `ulimit -f` stands for the disk: with its signal ignored, a write
//! beyond the limit fails.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sigmill_consensus::load::Accounts;

mod home;

use home::{Home, PROGRAM, Process, Running};

/// So many that the files of the state are longer than all others.
const ACCOUNTS: usize = 16_000;
/// Transfers a second, and of one load.
const RATE: u64 = 100;
const LOAD: u64 = 800;
/// Within which a validator starts, goes on, or stops.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a chain of [`ACCOUNTS`] accounts.
fn begin() -> Home {
    let accounts = Accounts::derive(b"s", ACCOUNTS).unwrap();
    Home::new("full", accounts.addresses().iter().map(|one| (*one, 1_000_000)).collect())
}

fn data(home: &Home) -> PathBuf {
    home.path().join("data")
}

/// Bytes of the files of a partition.
fn bytes(home: &Home, partition: &str) -> u64 {
    let files = std::fs::read_dir(data(home).join("store").join(partition)).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

/// Sends transfers until it is dropped, from accounts that sent none before.
fn load(home: &Home, first: u64) -> Process {
    let (accounts, first) = (ACCOUNTS.to_string(), first.to_string());
    let mut command = Command::new(PROGRAM);
    command.args(["load", "--seed", "s", "--accounts", &accounts, "--first", &first]);
    let seconds = (LOAD / RATE).to_string();
    command.args(["--rate", &RATE.to_string(), "--seconds", &seconds]);
    command.args(["--url", home.client.url()]);
    Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// What a validator says when it has stopped by itself.
fn stopped(mut running: Running, data: &Path) -> String {
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = running.process.0.try_wait().unwrap() {
            break status;
        }
        assert!(begin.elapsed() < PATIENCE, "it does not stop");
        std::thread::sleep(Duration::from_millis(20));
    };
    let errors = running.errors.join().unwrap();
    assert_eq!(status.code(), Some(1), "{errors}");
    let last = errors.lines().last().unwrap();
    let start = format!("error: {}: ", data.display());
    for part in [&start, "free space", "start it again"] {
        assert!(last.contains(part), "{part}: {errors}");
    }
    let said = errors.lines().filter(|line| line.starts_with("error: "));
    assert_eq!(said.count(), 1, "{errors}");
    errors
}

/// What was final, by height: hashes of transactions.
#[derive(Default)]
struct Final(BTreeMap<u64, Vec<[u8; 32]>>);

impl Final {
    fn height(&self) -> u64 {
        self.0.keys().last().copied().unwrap_or_default()
    }

    /// Writes down the last final blocks until there are `more`, or nobody answers.
    async fn follow(&mut self, home: &Home, more: u64) {
        let end = self.height() + more;
        let begin = Instant::now();
        while self.height() < end && begin.elapsed() < PATIENCE {
            let wait = Duration::from_secs(2);
            let Ok(found) = home.client.hashes(self.height() + 1, wait).await else { return };
            if let Some(found) = found {
                self.0.insert(self.height() + 1, found.hashes);
            }
        }
    }

    /// The validator has it, and no other.
    async fn check(&self, home: &Home) {
        let status = home.client.status().await.unwrap();
        assert!(status.height >= self.height(), "back from {} to {}", self.height(), status.height);
        for (height, hashes) in &self.0 {
            let found = home.client.hashes(*height, Duration::ZERO).await.unwrap().unwrap();
            assert_eq!(found.hashes, *hashes, "block {height}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_a_clear_stop_and_loses_nothing() {
    let home = begin();
    let mut known = Final::default();
    let mut accounts = (0..ACCOUNTS as u64).step_by(LOAD as usize);
    // Bytes of the longest file, and what has no room: the first state; the journal of votes, and
    // blocks under vote; archives or the ledger, whichever writes first; the ledger.
    type Limit = fn(&Home) -> u64;
    let limits: [(Limit, &str); 5] = [
        (|_| 2_048, "ledger: "),
        (|_| 6_144, "panicked"),
        (|home| bytes(home, "blocks-values") + 4_096, "error: "),
        (|home| bytes(home, "state-operations-blobs") + 16_384, "ledger: "),
        (|_| 2_048, "ledger: "),
    ];
    for (limit, part) in limits {
        let limit = limit(&home);
        let running = home.start(Some(limit));
        let starts = limit > 2_048;
        assert_eq!(running.ready, starts);
        if starts {
            let _load = load(&home, accounts.next().unwrap());
            known.follow(&home, 1 << 32).await;
        }
        let errors = stopped(running, &data(&home));
        assert!(errors.contains(part), "{limit}: {errors}");
        println!("{limit} bytes, height {}: {}", known.height(), errors.lines().last().unwrap());
        // With room again it goes on.
        let running = home.start(None);
        assert!(running.ready);
        known.check(&home).await;
        let _load = load(&home, accounts.next().unwrap());
        let before = known.height();
        known.follow(&home, 10).await;
        assert!(known.height() >= before + 10, "it does not go on after {before}");
    }
    assert!(known.0.values().flatten().count() > 100, "{} blocks", known.height());
}

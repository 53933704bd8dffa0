//! A chain of one validator, as a process of its own.
#![allow(dead_code, reason = "each test uses a part")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use sigmill_consensus::client::Client;
use sigmill_consensus::config::Config;
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::ValidatorKeys;
use sigmill_consensus::{Address, Genesis, Limits};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_sigmill-consensus");

/// Where the validator has its files.
pub struct Home {
    folder: tempfile::TempDir,
    pub client: Client,
}

/// A process that is killed when dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A validator that was started.
pub struct Running {
    pub process: Process,
    pub ready: bool,
    pub errors: JoinHandle<String>,
}

impl Home {
    /// A chain on which these accounts have something.
    pub fn new(name: &str, mut accounts: Vec<(Address, u64)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let keys = ValidatorKeys::generate().unwrap();
        keys.write(&at.join("validator.key")).unwrap();
        let (identity, vote) = keys.public();
        accounts.sort_unstable();
        let genesis = Genesis {
            name: name.into(),
            time_ms: 1,
            limits: Limits { epoch_heights: 16, ..Limits::default() },
            validators: vec![Validator { identity, vote }],
            accounts,
        };
        std::fs::write(at.join("accounts.txt"), genesis.accounts_text()).unwrap();
        std::fs::write(at.join("genesis.toml"), genesis.text(Some("accounts.txt"))).unwrap();
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (listen, http) = (free(), free());
        let [listen, http]: [SocketAddr; 2] = [listen, http].map(|one| one.local_addr().unwrap());
        let [genesis, keys, data] = ["genesis.toml", "validator.key", "data"].map(PathBuf::from);
        let mut config = Config::new(genesis, keys, data, listen);
        config.http = Some(http);
        config.threads = 1;
        config.write(&at.join("validator.toml")).unwrap();
        Home { client: Client::new(&format!("http://{http}")).unwrap(), folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it, none of its files longer than `limit` bytes.
    pub fn start(&self, limit: Option<u64>) -> Running {
        let limit = limit.map_or("unlimited".into(), |bytes| (bytes / 512).to_string());
        let script = r#"trap '' XFSZ; ulimit -f "$0"; exec "$1" run --config "$2""#;
        let mut child = Command::new("sh")
            .args(["-c", script, &limit, PROGRAM])
            .arg(self.folder.path().join("validator.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            text
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Running { process: Process(child), ready: line.trim() == "ready", errors }
    }
}

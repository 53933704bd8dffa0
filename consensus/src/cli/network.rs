//! A network of validators on this machine: keys, genesis, configurations, processes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sigmill_consensus::client::Client;
use sigmill_consensus::config::{Config, Crypto, Peer};
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::ValidatorKeys;
use sigmill_consensus::{Address, Genesis, Limits};

use super::children::Child;
use super::{Failure, write_new};

/// How long a validator may take to start: a million accounts take a while.
const START: Duration = Duration::from_secs(300);

/// A new folder, which is removed in the end unless it was asked for.
pub struct Folder(PathBuf, bool);

impl Folder {
    /// The one that was asked for, or a temporary one.
    pub fn new(asked: Option<&Path>, name: &str) -> Result<Self, Failure> {
        let path = match asked {
            Some(path) => path.to_owned(),
            None => std::env::temp_dir().join(format!("sigmill-{name}-{}", std::process::id())),
        };
        if path.exists() {
            return Err(Failure::input(format!("--dir: {} is there already", path.display())));
        }
        std::fs::create_dir_all(&path).map_err(Failure::input)?;
        Ok(Folder(path, asked.is_none()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.1 {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// How validators are set up.
pub struct Layout {
    /// Name of the chain.
    pub name: &'static str,
    pub limits: Limits,
    pub validators: u16,
    /// What every message between validators takes longer, one way, in milliseconds.
    pub delay_ms: u64,
    /// Devices of every validator besides the CPU.
    pub devices: Vec<String>,
    pub crypto: Crypto,
    /// Threads of every validator's engine; `None`: the cores, shared out.
    pub threads: Option<usize>,
}

/// Validators that are set up.
pub struct Network {
    pub genesis: Genesis,
    /// Keys of the validators, in no order.
    pub keys: Vec<ValidatorKeys>,
    pub urls: Vec<String>,
    configs: Vec<PathBuf>,
}

impl Network {
    /// Writes keys, genesis and configurations into a folder that is there.
    pub fn prepare(
        layout: &Layout,
        folder: &Path,
        mut accounts: Vec<(Address, u64)>,
    ) -> Result<Self, Failure> {
        let mut keys = Vec::new();
        for _ in 0..layout.validators {
            keys.push(ValidatorKeys::generate()?);
        }
        let validators = keys.iter().map(|keys| {
            let (identity, vote) = keys.public();
            Validator { identity, vote }
        });
        let mut validators: Vec<_> = validators.collect();
        validators.sort();
        accounts.sort_unstable();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (name, limits) = (layout.name.to_owned(), layout.limits.clone());
        let time_ms = now.as_millis() as u64;
        let genesis = Genesis { name, time_ms, limits, validators, accounts };
        write_new(&folder.join("accounts.txt"), genesis.accounts_text())?;
        write_new(&folder.join("genesis.toml"), genesis.text(Some("accounts.txt")))?;

        let ports = free_addresses(2 * keys.len())?;
        let (p2p, http) = ports.split_at(keys.len());
        let peer = |(keys, address): (&ValidatorKeys, &SocketAddr)| Peer {
            identity: keys.public().0,
            address: *address,
        };
        let peers: Vec<Peer> = keys.iter().zip(p2p).map(peer).collect();
        let shared = || (super::run::cores() / keys.len()).max(1);
        let threads = layout.threads.unwrap_or_else(shared);
        let (mut configs, mut urls) = (Vec::new(), Vec::new());
        for (index, one) in keys.iter().enumerate() {
            let home = folder.join(index.to_string());
            std::fs::create_dir_all(&home).map_err(Failure::input)?;
            one.write(&home.join("validator.key"))?;
            let mut config = Config::new(
                "../genesis.toml".into(),
                "validator.key".into(),
                "data".into(),
                p2p[index],
            );
            config.http = Some(http[index]);
            config.threads = threads;
            config.delay_ms = layout.delay_ms;
            config.devices.clone_from(&layout.devices);
            config.crypto = layout.crypto;
            config.peers =
                peers.iter().filter(|peer| peer.address != p2p[index]).cloned().collect();
            let path = home.join("validator.toml");
            config.write(&path).map_err(Failure::input)?;
            configs.push(path);
            urls.push(format!("http://{}", http[index]));
        }
        Ok(Network { genesis, keys, urls, configs })
    }

    /// Starts the validators and waits until they answer.
    pub async fn start(&self) -> Result<(Vec<Client>, Vec<Child>), Failure> {
        eprintln!("starting {} validators", self.configs.len());
        let mut children = Vec::new();
        for config in &self.configs {
            children.push(Child::spawn(config)?);
        }
        for child in &mut children {
            child.ready(START).await?;
        }
        let clients: Result<Vec<_>, _> = self.urls.iter().map(|url| Client::new(url)).collect();
        Ok((clients?, children))
    }
}

/// Addresses of this machine that nobody listens on now.
fn free_addresses(count: usize) -> Result<Vec<SocketAddr>, Failure> {
    let listen = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let held: Result<Vec<_>, _> = (0..count).map(listen).collect();
    let held = held.map_err(Failure::check)?;
    held.iter().map(|one| one.local_addr().map_err(Failure::check)).collect()
}

use commonware_cryptography::Signer;

use super::*;

fn peer(seed: u64, port: u16) -> Peer {
    let identity = ed25519::PrivateKey::from_seed(seed).public_key();
    Peer { identity, address: SocketAddr::from(([10, 0, 0, 1], port)) }
}

fn full() -> Config {
    Config {
        http: Some("[::1]:8000".parse().unwrap()),
        monitor: Some("m.sock".into()),
        crypto: Crypto::Libsecp256k1,
        devices: vec!["gpu".into(), "fpga=/dev/xdma0".into()],
        threads: 3,
        delay_ms: 20,
        timeouts: Timeouts { leader_ms: 5, certification_ms: 6, drift_ms: 0 },
        pool: PoolLimits { bytes: 1 << 20, transactions: 7, peer_percent: 100 },
        peers: vec![peer(1, 9_001), peer(2, 9_002)],
        ..Config::new("g.toml".into(), "k".into(), "/data".into(), "0.0.0.0:9000".parse().unwrap())
    }
}

const LEAST: &str =
    "genesis = \"g.toml\"\nkeys = \"k\"\ndata = \"/data\"\nlisten = \"0.0.0.0:9000\"\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("node.toml"))
}

#[test]
fn what_is_written_is_read_with_its_paths_joined() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    let mut config = full();
    config.write(&path).unwrap();
    (config.genesis, config.keys) = (folder.path().join("g.toml"), folder.path().join("k"));
    config.monitor = Some(folder.path().join("m.sock"));
    assert_eq!(Config::read(&path).unwrap(), config);
    let error = Config::read(&folder.path().join("other")).unwrap_err();
    assert!(matches!(error, ConfigError::Io { .. }), "{error}");
}

#[test]
fn the_rest_has_defaults() {
    let listen = "0.0.0.0:9000".parse().unwrap();
    let config = Config::new("g.toml".into(), "k".into(), "/data".into(), listen);
    assert_eq!(parse(LEAST).unwrap(), config);
    let some = parse(&format!("{LEAST}[timeouts]\ndrift_ms = 1\n")).unwrap();
    assert_eq!(some.timeouts, Timeouts { drift_ms: 1, ..Timeouts::default() });
}

#[test]
fn errors_name_the_field() {
    let identity = hex::encode(peer(1, 1).identity.encode());
    let entry = format!("[[peers]]\nidentity = \"{identity}\"\naddress = \"10.0.0.1:9\"\n");
    let upper = entry.replace(&identity, &identity.to_uppercase());
    for (more, field) in [
        ("speed = 1", "speed"),
        ("threads = 1025", "threads"),
        ("threads = -1", "threads"),
        ("threads = \"all\"", "threads"),
        ("delay_ms = 10001", "delay_ms"),
        ("crypto = \"openssl\"", "crypto"),
        ("devices = [\"gpu\", \"\"]", "devices[1]"),
        ("devices = [1]", "devices"),
        ("http = \"localhost\"", "http"),
        ("http = \"0.0.0.0:9000\"", "http"),
        ("[timeouts]\nleader_ms = 0", "timeouts.leader_ms"),
        ("[timeouts]\nleader_ms = 1200", "timeouts.certification_ms"),
        ("[timeouts]\ndrift_ms = 60001", "timeouts.drift_ms"),
        ("[timeouts]\nview_ms = 1", "view_ms"),
        ("[pool]\nbytes = 5", "pool.bytes"),
        ("[pool]\ntransactions = 0", "pool.transactions"),
        ("[pool]\npeer_percent = 101", "pool.peer_percent"),
        ("[pool]\npeer_percent = 256", "peer_percent"),
        (&entry.repeat(2), "peers[1].identity"),
        (&entry.replace(":9\"", ":0\""), "peers[0].address"),
        (&entry.replace("10.0.0.1", "somewhere"), "address"),
        (&upper, "identity"),
        (&entry.replace("address", "addr"), "addr"),
    ] {
        let error = parse(&format!("{LEAST}{more}\n")).unwrap_err().to_string();
        assert!(error.starts_with("node.toml: ") && error.contains(field), "{more}: {error}");
    }
    for field in ["genesis", "keys", "data", "listen"] {
        let lines = LEAST.lines().filter(|line| !line.starts_with(field));
        let error = parse(&lines.collect::<Vec<_>>().join("\n")).unwrap_err().to_string();
        assert!(error.contains(&format!("missing field `{field}`")), "{error}");
    }
    let error = parse(&LEAST.replace("9000", "0")).unwrap_err().to_string();
    assert!(error.contains("`listen`"), "{error}");
    let error = parse(&LEAST.replace("\"k\"", "\"\"")).unwrap_err().to_string();
    assert!(error.contains("`keys`"), "{error}");
}

#[test]
fn what_would_be_refused_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    let error = Config { threads: 9_999, ..full() }.write(&path).unwrap_err();
    assert!(error.to_string().contains("`threads`"), "{error}");
    assert!(!path.exists());
}

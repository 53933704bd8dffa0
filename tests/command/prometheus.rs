//! The dashboard's queries, each against a real Prometheus that scrapes a loaded engine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support;

const DASHBOARD: &str = include_str!("../../docs/dashboards/sigmill.json");

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An answer to a request of this machine.
fn get(port: u16, path: &str) -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(text)?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(text)?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(text)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(text)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no HTTP")?;
    let status = head.lines().next().unwrap_or_default().to_owned();
    if status.contains(" 200 ") { Ok(body.to_owned()) } else { Err(format!("{status}: {body}")) }
}

fn encode(query: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => (byte as char).to_string(),
        _ => format!("%{byte:02X}"),
    };
    query.bytes().map(encode).collect()
}

/// The engine under load, and the port of its metrics.
fn engine() -> (Running, u16) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sigmill"))
        .args(["load", "--rate", "4000", "--invalid", "10", "--batch", "40", "--metrics", "0"])
        .args(["--algorithm", "ecdsa-secp256k1:compact", "--algorithm", "sha256"])
        .args(["--algorithm", "schnorr", "--config", "/dev/null", "--seconds", "120"])
        .env_remove("SIGMILL_REQUIRE")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let running = Running(child);
    for line in stderr.lines().map_while(Result::ok) {
        if let Some(rest) = line.strip_prefix("sigmill: metrics at http://127.0.0.1:") {
            let port = rest.trim_end_matches("/metrics").parse().expect("a port");
            return (running, port);
        }
    }
    panic!("it did not say where its metrics are");
}

/// Prometheus, scraping that port twice a second; `None` where it is not installed.
fn prometheus(metrics: u16, folder: &std::path::Path) -> Option<(Running, u16)> {
    let config = folder.join("prometheus.yml");
    let text = format!(
        "global:\n  scrape_interval: 500ms\nscrape_configs:\n  - job_name: sigmill\n    \
         static_configs:\n      - targets: ['127.0.0.1:{metrics}']\n"
    );
    std::fs::write(&config, text).expect("a temporary file");
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("one").port();
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match child {
        Ok(child) => Some((Running(child), port)),
        Err(error) => {
            assert!(
                !support::is_required("prometheus"),
                "SIGMILL_REQUIRE names prometheus: {error}"
            );
            eprintln!("skipped: prometheus: {error} (Debian's package `prometheus`)");
            None
        }
    }
}

fn query(port: u16, expression: &str) -> Result<Vec<Value>, String> {
    let body = get(port, &format!("/api/v1/query?query={}", encode(expression)))?;
    let answer: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
    answer["data"]["result"].as_array().cloned().ok_or(body)
}

/// Title and query of each panel's targets, for all jobs and instances.
fn queries() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title").to_owned();
        if panel["type"] == "row" {
            continue;
        }
        assert!(panel["description"].is_string(), "{title} says what it shows");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has a unit");
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("a query");
            let expression = expression.replace("$__rate_interval", "5s");
            let expression = expression.replace("$job", ".*").replace("$instance", ".*");
            assert!(!expression.contains('$'), "{title}: an unknown variable");
            queries.push((title.clone(), expression));
        }
    }
    queries
}

#[test]
fn every_panel_has_data() {
    let folder: PathBuf =
        std::env::temp_dir().join(format!("sigmill-prometheus-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let (_engine, metrics) = engine();
    let Some((_prometheus, port)) = prometheus(metrics, &folder) else { return };
    let queries = queries();
    assert!(queries.len() > 20);
    // Rates need two scrapes within five seconds, histograms a few batches.
    let until = Instant::now() + Duration::from_secs(60);
    let mut missing: Vec<String> = Vec::new();
    while Instant::now() < until {
        std::thread::sleep(Duration::from_secs(1));
        missing = queries
            .iter()
            .filter_map(|(title, expression)| match query(port, expression) {
                Ok(result) if !result.is_empty() => None,
                Ok(_) => Some(format!("{title}: no data: {expression}")),
                Err(why) => Some(format!("{title}: {why}: {expression}")),
            })
            .collect();
        if missing.is_empty() {
            break;
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    // The books balance in every scrape, and the figures are the load's.
    let books = "sum(sigmill_items_submitted_total) - sum(sigmill_items_answered_total) - sum(sigmill_inflight_items)";
    for _ in 0..5 {
        let result = query(port, books).expect("an answer");
        assert_eq!(result[0]["value"][1], "0", "{result:?}");
        std::thread::sleep(Duration::from_millis(600));
    }
    for (expression, least) in [
        ("sum(sigmill_items_answered_total{answer=\"invalid\"})", 1.0),
        ("sum(sigmill_verdicts_total{verdict=\"computed\",algorithm=\"sha256\"})", 100.0),
        ("sum(sigmill_item_latency_seconds_count{algorithm=\"schnorr-bip340\"})", 10.0),
        ("sum(sigmill_backend_state == 1)", 1.0),
    ] {
        let result = query(port, expression).expect("an answer");
        let value: f64 = result[0]["value"][1].as_str().expect("text").parse().expect("a number");
        assert!(value >= least, "{expression}: {value}");
    }
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn every_metric_that_the_dashboard_names_is_exported() {
    let (_engine, port) = engine();
    // A few batches have to be through.
    let mut text = String::new();
    for _ in 0..50 {
        text = get(port, "/metrics").expect("an answer");
        if text.contains("sigmill_item_latency_seconds_bucket") {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    // Series of what has not happened yet begin when it does.
    let later = ["sigmill_failovers_total", "sigmill_backend_faults_total"];
    let documented = include_str!("../../src/metrics.rs");
    for (title, expression) in queries() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for name in expression.split(|c| !is_name(c)).filter(|word| word.starts_with("sigmill_")) {
            let exported = text.lines().any(|line| {
                line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            });
            assert!(exported || later.contains(&name), "{title}: {name} is not exported");
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let base = base.unwrap_or(name).trim_start_matches("sigmill_");
            assert!(documented.contains(&format!("`{base}`")), "{name} is not documented");
        }
    }
    // What is not the metrics is not served.
    assert!(get(port, "/").is_err());
}

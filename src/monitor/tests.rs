use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::{Algorithm, Batch, Engine, Job, Terms};

fn engine() -> Arc<Engine> {
    Arc::new(Engine::builder().threads(1).open().expect("an engine"))
}

fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("sigmill-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn hash(engine: &Engine, items: usize) {
    let mut batch = Batch::open(Algorithm::Sha256);
    for _ in 0..items {
        batch.push(Job::Hash { message: b"abc" }).expect("room");
    }
    engine.submit(batch.seal(), Terms::default()).expect("room").wait();
}

#[test]
fn counts_since_the_start_and_times_since_the_last_look() {
    let (engine, path) = (engine(), path("status"));
    let monitor = serve(&engine, &path).expect("a socket");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut client = Client::connect(&path).expect("served");
    hash(&engine, 3);
    hash(&engine, 5_000);
    let first = client.status().expect("an answer");
    hash(&engine, 7);
    let second = client.status().expect("an answer");
    assert_eq!((first.submitted, second.submitted), (5_003, 5_010));
    for status in [&first, &second] {
        let Status { valid, invalid, computed, errors, in_flight, .. } = status;
        assert_eq!(status.submitted, valid + invalid + computed + errors + in_flight);
        assert_eq!(status.answered.iter().map(|a| a.computed).sum::<u64>(), *computed);
    }
    assert_eq!((first.batches.items.count, first.batches.items.p50), (2, 3));
    assert_eq!((second.batches.items.count, second.batches.items.max), (1, 7));
    assert_eq!(second.latency[0].times.count, 1);
    assert!(second.interval_ns < second.uptime_ns);
    // Another client's distributions begin at the start.
    let other = Client::connect(&path).expect("served").status().expect("an answer");
    assert_eq!(other.batches.items.count, 3);
    assert!(other.routes.iter().any(|route| route.algorithm == "sha256" && route.items == 1));
    drop(monitor);
    assert!(!path.exists() && Client::connect(&path).is_err());
}

#[test]
fn a_recording_of_what_happens_meanwhile() {
    let (engine, path) = (engine(), path("record"));
    let _monitor = serve(&engine, &path).expect("a socket");
    let client = std::thread::spawn({
        let path = path.clone();
        move || Client::connect(&path).expect("served").record(0.5, 1_000).expect("an answer")
    });
    while !client.is_finished() {
        hash(&engine, 5_000);
    }
    let timeline = client.join().expect("no panic");
    let has = |stage: &str| timeline.slices.iter().any(|slice| timeline.stage(slice) == stage);
    for stage in ["submit", "parse", "queue", "device", "sha256", "judge", "resolve"] {
        assert!(has(stage), "{stage}: {:?}", timeline.stages);
    }
    assert!(timeline.slices.len() <= 1_000);
    let again = serde_json::to_string(&timeline).expect("plain data");
    assert_eq!(timeline, serde_json::from_str(&again).expect("its own format"));
}

#[test]
fn hostile_clients_cost_nobody_else() {
    let (engine, path) = (engine(), path("hostile"));
    let _monitor = serve(&engine, &path).expect("a socket");
    let say = |text: &[u8]| {
        let mut stream = UnixStream::connect(&path).expect("served");
        stream.write_all(text).expect("it is read");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("an answer");
        line
    };
    for text in [
        &b"\n"[..],
        b"{}\n",
        b"\xff\xfe\n",
        b"{\"ask\":\"stop\"}\n",
        b"{\"ask\":\"record\",\"seconds\":1e300,\"spans\":1}\n",
        b"{\"ask\":\"record\",\"seconds\":-1,\"spans\":1}\n",
        b"{\"ask\":\"record\",\"seconds\":0,\"spans\":0}\n",
        b"{\"ask\":\"record\",\"seconds\":0,\"spans\":99999999999}\n",
        &[b'['; 4_096],
    ] {
        let answer = say(text);
        assert!(answer.starts_with("{\"error\":"), "{answer}");
    }
    // One that says nothing, and one that goes away in the middle of a line.
    let _silent = UnixStream::connect(&path).expect("served");
    UnixStream::connect(&path).expect("served").write_all(b"{\"ask\":").expect("written");
    let status = Client::connect(&path).expect("served").status().expect("an answer");
    assert_eq!(status.submitted, 0);
    // One recording at a time.
    let recording = engine.record(1).expect("the first");
    let refused = Client::connect(&path).expect("served").record(0.0, 1);
    assert!(matches!(refused, Err(ClientError::Refused(_))), "{refused:?}");
    drop(recording);
    Client::connect(&path).expect("served").record(0.0, 1).expect("free again");
}

#[test]
fn a_name_that_is_taken_stays() {
    let (engine, path) = (engine(), path("taken"));
    std::fs::write(&path, "somebody's").expect("written");
    assert!(serve(&engine, &path).is_err());
    assert_eq!(std::fs::read(&path).expect("still there"), b"somebody's");
    std::fs::remove_file(&path).expect("removed");
    let first = serve(&engine, &path).expect("free now");
    assert!(serve(&engine, &path).is_err(), "it is served");
    // One that was left behind is replaced.
    std::mem::forget(first);
    let abandoned = path.with_extension("abandoned");
    drop(std::os::unix::net::UnixListener::bind(&abandoned).expect("bound"));
    drop(serve(&engine, &abandoned).expect("nobody serves it"));
}

#[test]
fn what_a_server_makes_up_is_an_error() {
    let path = path("made-up");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("bound");
    let sound = include_str!("../../fuzz/seeds/monitor/timeline.json");
    let lines = [
        (sound.to_owned(), true),
        (String::new(), false),
        ("{".to_owned(), false),
        ("{\"error\":\"no\"}".to_owned(), false),
        // Indices beyond their lists, an end before its beginning, a length beyond all bounds.
        (sound.replace("[0,0,0,1", "[1,0,0,1"), false),
        (sound.replace("[0,0,0,1", "[0,9,0,1"), false),
        (sound.replace("6,80,0]", "80,6,0]"), false),
        (sound.replace("\"until\":90", "\"until\":4"), false),
        (sound.replace("\"until\":90", "\"until\":18446744073709551615"), false),
        (sound.replace("\"samples\":[]", "\"samples\":[[1,0,6,7]]"), false),
    ];
    let answers = lines.clone();
    let server = std::thread::spawn(move || {
        for (line, _) in answers {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut asked = String::new();
            let mut lines = BufReader::new(stream.try_clone().expect("a handle"));
            lines.read_line(&mut asked).expect("a request");
            stream.write_all(line.as_bytes()).expect("it is read");
            // One without an end as well.
            if !line.is_empty() {
                stream.write_all(b"\n").expect("it is read");
            }
        }
    });
    for (line, well) in lines {
        let recorded = Client::connect(&path).expect("served").record(0.0, 1);
        assert_eq!(recorded.is_ok(), well, "{line}: {recorded:?}");
    }
    server.join().expect("no panic");
    let _ = std::fs::remove_file(&path);
}

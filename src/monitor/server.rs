//! The engine's end of the socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::dispatch::books::Books;
use crate::engine::Engine;
use crate::monitor::{Request, Response, SECONDS, SPANS, Status, Timeline};

/// Most connections at a time.
const CONNECTIONS: usize = 8;

/// Longest line that a client may send.
const LINE: u64 = 4_096;

/// Silence that ends a connection.
const SILENCE: Duration = Duration::from_secs(600);

/// Pause between two looks at whether the monitor is to end.
const PAUSE: Duration = Duration::from_millis(50);

/// An open socket; dropping it closes it and removes its file.
#[derive(Debug)]
pub struct Monitor {
    path: PathBuf,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Lets an engine be watched through a Unix socket of mode 0600 at `path`, until the result is dropped or the engine
/// is gone. A socket that nobody serves any more is replaced.
///
/// # Errors
/// Another file, or a socket that is served, is at `path`; or it cannot be made there.
pub fn serve(engine: &Arc<Engine>, path: &Path) -> io::Result<Monitor> {
    if let Ok(meta) = std::fs::symlink_metadata(path) {
        let taken = |why| Err(io::Error::new(io::ErrorKind::AddrInUse, why));
        if !meta.file_type().is_socket() {
            return taken("there is a file that is no socket");
        }
        if UnixStream::connect(path).is_ok() {
            return taken("somebody serves this socket");
        }
        std::fs::remove_file(path)?;
    }
    // It gets its name when its mode is right: until then nobody finds it.
    let mut hidden = path.as_os_str().to_owned();
    hidden.push(format!(".{}", std::process::id()));
    let hidden = PathBuf::from(hidden);
    let _ = std::fs::remove_file(&hidden);
    let listener = UnixListener::bind(&hidden)?;
    let named = std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o600))
        .and_then(|()| std::fs::rename(&hidden, path));
    if let Err(error) = named {
        let _ = std::fs::remove_file(&hidden);
        return Err(error);
    }
    listener.set_nonblocking(true)?;
    let stopped = Arc::new(AtomicBool::new(false));
    let (engine, stop) = (Arc::downgrade(engine), stopped.clone());
    let thread = std::thread::Builder::new().name("sigmill-monitor".to_owned());
    let thread = thread.spawn(move || accept(&listener, &engine, &stop))?;
    Ok(Monitor { path: path.to_owned(), stopped, thread: Some(thread) })
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        let _ = std::fs::remove_file(&self.path);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &UnixListener, engine: &Weak<Engine>, stopped: &Arc<AtomicBool>) {
    let open = Arc::new(AtomicUsize::new(0));
    while !stopped.load(Ordering::Acquire) && engine.strong_count() > 0 {
        let Ok((mut stream, _)) = listener.accept() else {
            std::thread::sleep(PAUSE);
            continue;
        };
        if open.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS {
            open.fetch_sub(1, Ordering::AcqRel);
            let error = format!("{CONNECTIONS} connections are open already");
            let _ = answer(&mut stream, &Response::Error { error });
            continue;
        }
        let (engine, stopped, open) = (engine.clone(), stopped.clone(), open.clone());
        let thread = std::thread::Builder::new().name("sigmill-monitor".to_owned());
        let count = open.clone();
        let spawned = thread.spawn(move || {
            // A client that goes away ends its connection; that is all it can do.
            let _ = converse(&mut stream, &engine, &stopped);
            open.fetch_sub(1, Ordering::AcqRel);
        });
        if spawned.is_err() {
            count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Answers one client until it goes away.
fn converse(
    stream: &mut UnixStream,
    engine: &Weak<Engine>,
    stopped: &AtomicBool,
) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PAUSE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut before = None;
    let mut line = Vec::new();
    let mut heard = Instant::now();
    loop {
        if stopped.load(Ordering::Acquire) || heard.elapsed() > SILENCE {
            return Ok(());
        }
        let room = LINE - line.len() as u64;
        match lines.by_ref().take(room).read_until(b'\n', &mut line) {
            Ok(0) => return Ok(()),
            Ok(_) if line.ends_with(b"\n") => {}
            Ok(_) if line.len() as u64 == LINE => {
                let error = format!("a request has at most {LINE} bytes");
                return answer(stream, &Response::Error { error });
            }
            // The client closed in the middle of a line; the next read says so.
            Ok(_) => continue,
            Err(error) if is_pause(&error) => continue,
            Err(error) => return Err(error),
        }
        heard = Instant::now();
        let Some(engine) = engine.upgrade() else { return Ok(()) };
        let response = match serde_json::from_slice(&line) {
            Ok(request) => respond(&engine, request, &mut before, stopped),
            Err(error) => Response::Error { error: format!("not a request: {error}") },
        };
        drop(engine);
        line.clear();
        answer(stream, &response)?;
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn answer(stream: &mut UnixStream, response: &Response) -> io::Result<()> {
    let mut text = serde_json::to_vec(response)?;
    text.push(b'\n');
    stream.write_all(&text)
}

fn respond(
    engine: &Engine,
    request: Request,
    before: &mut Option<(Books, u64)>,
    stopped: &AtomicBool,
) -> Response {
    match request {
        Request::Status => {
            let (status, now) = Status::of(engine, before.as_ref());
            *before = Some(now);
            Response::Status(Box::new(status))
        }
        Request::Record { seconds, spans } => {
            if !(0.0..=SECONDS).contains(&seconds) || !(1..=SPANS).contains(&spans) {
                let error = format!("seconds: 0 to {SECONDS}; spans: 1 to {SPANS}");
                return Response::Error { error };
            }
            let Some(recording) = engine.record(spans) else {
                return Response::Error { error: "somebody else records".to_owned() };
            };
            let until = Instant::now() + Duration::from_secs_f64(seconds);
            while Instant::now() < until && !stopped.load(Ordering::Acquire) {
                std::thread::sleep(PAUSE.min(until.saturating_duration_since(Instant::now())));
            }
            Response::Timeline(Timeline::from(&recording.end()))
        }
    }
}

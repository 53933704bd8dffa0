//! The watcher's end of the socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::monitor::{Request, Response, SECONDS, Status, Timeline};

/// Longest answer that is read: several times what a recording takes.
const ANSWER: u64 = 256 << 20;

/// Longest wait for an answer beside the recording itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a running engine.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

/// Why an engine could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket cannot be reached, or the connection broke.
    #[error("{0}")]
    Socket(#[from] io::Error),
    /// The engine says why it does not answer.
    #[error("the engine answers: {0}")]
    Refused(String),
    /// What came is no answer to what was asked.
    #[error("not an answer of a sigmill engine: {0}")]
    Protocol(String),
}

impl Client {
    /// Connects to the socket at `path`.
    ///
    /// # Errors
    /// [`ClientError::Socket`].
    pub fn connect(path: &Path) -> Result<Client, ClientError> {
        let stream = UnixStream::connect(path)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// The counts of this instant; distributions since the last call.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn status(&mut self) -> Result<Status, ClientError> {
        match self.ask(&Request::Status, PATIENCE)? {
            Response::Status(status) => Ok(*status),
            other => Err(unexpected(&other)),
        }
    }

    /// A recording of so many seconds, up to [`SECONDS`].
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn record(&mut self, seconds: f64, spans: usize) -> Result<Timeline, ClientError> {
        let own = Duration::from_secs_f64(seconds.clamp(0.0, SECONDS));
        match self.ask(&Request::Record { seconds, spans }, own + PATIENCE)? {
            Response::Timeline(timeline) if timeline.is_sound() => Ok(timeline),
            Response::Timeline(_) => {
                Err(ClientError::Protocol("a recording that contradicts itself".to_owned()))
            }
            other => Err(unexpected(&other)),
        }
    }

    fn ask(&mut self, request: &Request, patience: Duration) -> Result<Response, ClientError> {
        let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
        line.push(b'\n');
        self.stream.get_ref().set_read_timeout(Some(patience))?;
        self.stream.get_mut().write_all(&line)?;
        line.clear();
        self.stream.by_ref().take(ANSWER).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            let why = if line.is_empty() { "the connection was closed" } else { "it has no end" };
            return Err(ClientError::Protocol(why.to_owned()));
        }
        let answer = serde_json::from_slice(&line);
        match answer.map_err(|error| ClientError::Protocol(error.to_string()))? {
            Response::Error { error } => Err(ClientError::Refused(error)),
            answer => Ok(answer),
        }
    }
}

fn unexpected(response: &Response) -> ClientError {
    let what = match response {
        Response::Status(_) => "a status",
        Response::Timeline(_) => "a recording",
        Response::Error { .. } => "an error",
    };
    ClientError::Protocol(format!("{what}, which was not asked for"))
}

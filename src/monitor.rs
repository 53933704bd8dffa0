//! A running engine, watched through a Unix socket: its counts, and recordings of where time goes.
//!
//! A host opens it on request ([`serve`]); nothing listens otherwise. The socket has mode 0600. The protocol is
//! lines of JSON: a request, then its answer, any number of times in a connection.
//!
//! | request | answer |
//! |---|---|
//! | `{"ask":"status"}` | a [`Status`]: counts since the engine opened; distributions since the last request of this connection, at first since the engine opened |
//! | `{"ask":"record","seconds":5,"spans":100000}` | after that time a [`Timeline`]: the stages that ended meanwhile and what devices counted, of each at most as many as asked for |
//!
//! What cannot be answered gets `{"error":"why"}`, and the connection goes on. A line of more than 4 KiB ends it, as do
//! ten minutes of silence; a ninth connection is told that it is one too many.

mod client;
mod server;
mod status;
mod timeline;

use serde::{Deserialize, Serialize};

pub use client::{Client, ClientError};
pub use server::{Monitor, serve};
pub use status::{
    Answered, Batches, Checks, Count, DeviceStatus, Failover, Latency, Phase, Route, Status,
    Submitted, Summary,
};
pub use timeline::{Reading, Slice, Timeline};

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// The counts of this instant.
    Status,
    /// A recording.
    Record {
        /// How long, up to [`SECONDS`].
        seconds: f64,
        /// Most spans that are kept, and most samples, up to [`SPANS`].
        spans: usize,
    },
}

/// What comes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Response {
    /// The request had no answer.
    Error {
        /// Why.
        error: String,
    },
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To [`Request::Record`].
    Timeline(Timeline),
}

/// Longest recording, in seconds.
pub const SECONDS: f64 = 300.0;

/// Most spans of one recording: an answer of some 20 MB.
pub const SPANS: usize = 1 << 18;

/// Reads a line of either side, for the fuzzer.
#[doc(hidden)]
pub fn read(line: &[u8]) {
    let _ = serde_json::from_slice::<Request>(line);
    if let Ok(Response::Timeline(timeline)) = serde_json::from_slice(line)
        && timeline.is_sound()
    {
        for slice in &timeline.slices {
            let names = [timeline.stage(slice), timeline.track(slice), timeline.algorithm(slice)];
            std::hint::black_box(names);
        }
    }
}

#[cfg(test)]
mod tests;

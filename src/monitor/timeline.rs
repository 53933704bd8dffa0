//! A recording as it travels and is kept: names once, spans and samples as numbers.

use serde::{Deserialize, Serialize};

use crate::engine::Recorded;
use crate::observe::{Stage, Track};

/// Where time went. Times are nanoseconds since the engine opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// The format's version: 1.
    pub schema: u32,
    /// When the recording began.
    pub from: u64,
    /// When it ended.
    pub until: u64,
    /// Spans and samples for which there was no room.
    pub lost: u64,
    /// Threads and device clocks by name.
    pub tracks: Vec<String>,
    /// Stages by name.
    pub stages: Vec<String>,
    /// Algorithms by name, with their rules.
    pub algorithms: Vec<String>,
    /// The stages that ended.
    pub slices: Vec<Slice>,
    /// Counters by name.
    pub counters: Vec<String>,
    /// What the counters said, in the order in which they were read.
    pub samples: Vec<Reading>,
}

/// One stage: indices into the lists of names, then whose, then when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Slice {
    /// Index of its stage.
    pub stage: u32,
    /// Whether it is a kernel's step, which has a name of its own.
    pub is_kernel: bool,
    /// Index of its track.
    pub track: u32,
    /// Whether the track is a device's own clock.
    pub is_device: bool,
    /// Index of its algorithm.
    pub algorithm: u32,
    /// The batch's id; 0 where only the piece is known.
    pub batch: u64,
    /// The piece's id; 0 of whole batches.
    pub piece: u64,
    /// Items.
    pub items: u32,
    /// Bytes moved or hashed; 0 where none are counted.
    pub bytes: u64,
    /// When it began.
    pub start: u64,
    /// When it ended.
    pub end: u64,
}

/// `[stage, track, algorithm, batch, piece, items, bytes, start, end, flags]`; flags: 1 a kernel's step, 2 a device's clock.
type Row = (u32, u32, u32, u64, u64, u32, u64, u64, u64, u8);

impl From<Row> for Slice {
    fn from(row: Row) -> Self {
        let (stage, track, algorithm, batch, piece, items, bytes, start, end, flags) = row;
        let (is_kernel, is_device) = (flags & 1 == 1, flags & 2 == 2);
        Slice {
            stage,
            is_kernel,
            track,
            is_device,
            algorithm,
            batch,
            piece,
            items,
            bytes,
            start,
            end,
        }
    }
}

impl From<Slice> for Row {
    fn from(slice: Slice) -> Self {
        let flags = u8::from(slice.is_kernel) | u8::from(slice.is_device) << 1;
        let Slice { stage, track, algorithm, batch, piece, items, bytes, start, end, .. } = slice;
        (stage, track, algorithm, batch, piece, items, bytes, start, end, flags)
    }
}

/// What a counter said: indices into the lists of names, then when and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Cell", into = "Cell")]
pub struct Reading {
    /// Index of the counter.
    pub counter: u32,
    /// Index of the device's track.
    pub track: u32,
    /// When; counters that were read together have one time.
    pub at: u64,
    /// What it said.
    pub value: u64,
}

/// `[counter, track, at, value]`.
type Cell = (u32, u32, u64, u64);

impl From<Cell> for Reading {
    fn from((counter, track, at, value): Cell) -> Self {
        Reading { counter, track, at, value }
    }
}

impl From<Reading> for Cell {
    fn from(Reading { counter, track, at, value }: Reading) -> Self {
        (counter, track, at, value)
    }
}

/// The place of a name in a list of few, where it is put at first sight.
fn place(names: &mut Vec<String>, name: &str) -> u32 {
    let at = names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    at as u32
}

impl From<&Recorded> for Timeline {
    fn from(recorded: &Recorded) -> Self {
        let Recorded { spans, samples, lost, from, until, threads, devices } = recorded;
        let track_name = |track| match track {
            // Several threads may have one name.
            Track::Thread(number) => {
                let name = threads.get(number as usize).map_or("thread", String::as_str);
                format!("{name} #{number}")
            }
            Track::Device(lane) => {
                let name = devices.get(lane as usize).map_or("device", String::as_str);
                format!("{name} clock")
            }
        };
        let (mut tracks, mut stages, mut algorithms) = (Vec::new(), Vec::new(), Vec::new());
        // Names are looked up once for each kind of span, not for each span.
        let mut known = std::collections::HashMap::new();
        let slices = spans
            .iter()
            .map(|span| {
                let key = (span.stage, span.track, span.subject.algorithm);
                let (stage, track, algorithm) = *known.entry(key).or_insert_with(|| {
                    let track = place(&mut tracks, &track_name(span.track));
                    let stage = place(&mut stages, span.stage.name());
                    (stage, track, place(&mut algorithms, &span.subject.algorithm.to_string()))
                });
                Slice {
                    stage,
                    is_kernel: matches!(span.stage, Stage::Kernel(_)),
                    track,
                    is_device: matches!(span.track, Track::Device(_)),
                    algorithm,
                    batch: span.subject.batch,
                    piece: span.subject.piece,
                    items: span.subject.items,
                    bytes: span.subject.bytes,
                    start: span.start,
                    end: span.end,
                }
            })
            .collect();
        let mut counters = Vec::new();
        let samples = samples
            .iter()
            .map(|sample| Reading {
                counter: place(&mut counters, sample.name),
                track: place(&mut tracks, &track_name(sample.track)),
                at: sample.at,
                value: sample.value,
            })
            .collect();
        let (schema, from, until, lost) = (1, *from, *until, *lost);
        Timeline {
            schema,
            from,
            until,
            lost,
            tracks,
            stages,
            algorithms,
            slices,
            counters,
            samples,
        }
    }
}

/// Longest recording that is believed, in ns: sums over [`SPANS`](super::SPANS) slices stay below 2^63.
const LONGEST: u64 = 1 << 44;

impl Timeline {
    /// Whether every index names something, nothing ends before it begins, and sums stay in bounds: one that comes from
    /// elsewhere may say anything.
    pub fn is_sound(&self) -> bool {
        let has = |names: &[String], index: u32| (index as usize) < names.len();
        let slice = |slice: &Slice| {
            slice.start <= slice.end
                && has(&self.stages, slice.stage)
                && has(&self.tracks, slice.track)
                && has(&self.algorithms, slice.algorithm)
        };
        let sample = |sample: &Reading| {
            has(&self.tracks, sample.track) && has(&self.counters, sample.counter)
        };
        let length = self.until.checked_sub(self.from);
        length.is_some_and(|length| length <= LONGEST)
            && self.slices.len() <= super::SPANS
            && self.slices.iter().all(slice)
            && self.samples.iter().all(sample)
    }

    /// Name of a slice's stage.
    pub fn stage(&self, slice: &Slice) -> &str {
        self.stages.get(slice.stage as usize).map_or("?", String::as_str)
    }

    /// Name of a slice's track.
    pub fn track(&self, slice: &Slice) -> &str {
        self.tracks.get(slice.track as usize).map_or("?", String::as_str)
    }

    /// Name of a slice's algorithm, with its rule.
    pub fn algorithm(&self, slice: &Slice) -> &str {
        self.algorithms.get(slice.algorithm as usize).map_or("?", String::as_str)
    }

    /// Name of a reading's counter.
    pub fn counter(&self, reading: &Reading) -> &str {
        self.counters.get(reading.counter as usize).map_or("?", String::as_str)
    }
}

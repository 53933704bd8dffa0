//! What the command itself does, on the engine's clock.

use std::time::{Duration, Instant};

use sigmill::monitor::{Slice, Timeline};

/// Steps of the command's own thread.
#[derive(Debug)]
pub(in crate::cli) struct Steps {
    spans: Vec<(&'static str, Instant, Duration)>,
}

/// Most steps that are kept.
const MOST: usize = 1 << 16;

impl Steps {
    pub fn new() -> Self {
        Steps { spans: Vec::new() }
    }

    /// Does a step.
    pub fn time<T>(&mut self, name: &'static str, step: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = step();
        if self.spans.len() < MOST {
            self.spans.push((name, started, started.elapsed()));
        }
        result
    }

    /// Adds the steps to a recording that began at `begun`, on a track of their own. What the engine did on the same
    /// thread lies within them.
    pub fn add_to(self, timeline: &mut Timeline, begun: Instant) {
        if self.spans.is_empty() {
            return;
        }
        let name = std::thread::current().name().unwrap_or("main").to_owned();
        let own = timeline.tracks.iter().position(|track| track.starts_with(&format!("{name} #")));
        let track = own.unwrap_or_else(|| {
            timeline.tracks.push(name);
            timeline.tracks.len() - 1
        });
        let algorithm = timeline.algorithms.len() as u32;
        timeline.algorithms.push("-".to_owned());
        for (name, started, took) in self.spans {
            let known = timeline.stages.iter().position(|stage| stage == name);
            let stage = known.unwrap_or_else(|| {
                timeline.stages.push(name.to_owned());
                timeline.stages.len() - 1
            });
            let start = timeline.from + started.saturating_duration_since(begun).as_nanos() as u64;
            timeline.slices.push(Slice {
                stage: stage as u32,
                is_kernel: false,
                track: track as u32,
                is_device: false,
                algorithm,
                batch: 0,
                piece: 0,
                items: 0,
                bytes: 0,
                start,
                end: start + took.as_nanos() as u64,
            });
        }
    }
}

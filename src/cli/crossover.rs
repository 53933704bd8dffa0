//! From which batch on a device beats the CPU backend of this machine.

use std::time::{Duration, Instant};

use sigmill::{Algorithm, Engine};

use super::Failure;
use super::bench::submit;
use super::workload::{self, Signed};

/// Largest batch that is tried: beyond it both rates are flat.
const LARGEST: usize = 1 << 16;

/// What was found.
pub(super) struct Crossover {
    /// The smallest batch, a power of two, from which the device is faster.
    pub from: Option<usize>,
    /// The largest batch that was tried: the span, or the device's second win, ended the search.
    pub tried: usize,
}

/// Tries batches of one job, two, four, on both engines in turn, for about `span`.
pub(super) fn find(
    (cpu, device): (&Engine, &Engine),
    algorithm: Algorithm,
    signed: &[Signed],
    span: Duration,
) -> Result<Crossover, Failure> {
    let started = Instant::now();
    let mut found = Crossover { from: None, tried: 0 };
    let mut size = 1;
    while size <= LARGEST && (size == 1 || started.elapsed() < span) {
        let mut batch = workload::batch(algorithm, signed, size);
        let mut wins = 0;
        // The first of four warms up and does not count.
        for round in 0..4 {
            let mut time = |engine| -> Result<Duration, Failure> {
                let begun = Instant::now();
                batch = submit(engine, std::mem::replace(&mut batch, workload::nothing()))?;
                Ok(begun.elapsed())
            };
            let (cpu, device) = (time(cpu)?, time(device)?);
            wins += u32::from(round > 0 && device < cpu);
        }
        found.tried = size;
        if wins < 2 {
            found.from = None;
        } else if found.from.replace(found.from.unwrap_or(size)).is_some() {
            // One win may be noise; two in a row are none.
            break;
        }
        size *= 2;
    }
    Ok(found)
}

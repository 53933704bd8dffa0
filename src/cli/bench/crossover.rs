//! From which batch on a device beats the CPU backend of this machine.

use std::time::{Duration, Instant};

use super::closed_loop::Subject;
use crate::cli::drive::is_interrupted;
use crate::cli::workload::Load;
use crate::cli::{Failure, Status};
use sigmill::{Batch, Engine, Terms};

/// Largest batch that is tried: beyond it both rates are flat.
const LARGEST: usize = 1 << 16;

/// What was found.
pub(super) struct Crossover {
    /// The smallest batch, a power of two, from which the device is faster.
    pub from: Option<usize>,
    /// The largest batch that was tried: the span, or the device's second win, ended the search.
    pub tried: usize,
}

/// Tries batches of one job, two, four, on the CPU and the subject's engine in turn, for about `span`.
pub(super) fn find(
    cpu: &Engine,
    subject: Subject<'_>,
    span: Duration,
) -> Result<Crossover, Failure> {
    let Subject { engine: device, algorithm, source, .. } = subject;
    let started = Instant::now();
    let mut found = Crossover { from: None, tried: 0 };
    let mut size = 1;
    while size <= LARGEST && (size == 1 || started.elapsed() < span) && !is_interrupted() {
        let Load { batch, first } = source.load(algorithm, 0, size);
        let mut batch = Some(batch);
        let mut wins = 0;
        // The first of four warms up and does not count.
        for round in 0..4 {
            let mut time = |engine: &Engine| -> Result<Duration, Failure> {
                let sent: Batch = batch.take().expect("it comes back each time");
                let begun = Instant::now();
                let answered = engine
                    .submit(sent, Terms::default())
                    .map_err(|busy| Failure::new(Status::Error, busy.to_string()))?
                    .wait();
                let took = begun.elapsed();
                source.judge(first, answered.answers())?;
                batch = Some(answered.into_batch());
                Ok(took)
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

//! Where a validator's core time goes, by stage.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

/// What a validator spends core time on, besides consensus, network and files, which are the rest of
/// its process, and the engine's own threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Batches: filling them, and what the engine computes on the thread that asks.
    Batches,
    /// The pool: admission, offers, settling.
    Pool,
    /// Reading the state, and what transactions do to it.
    Effects,
    /// Hashing the state's tree.
    Tree,
    /// Applying a state to the database.
    Apply,
}

/// All stages, with their names.
const NAMES: [(Stage, &str); 5] = [
    (Stage::Batches, "batches"),
    (Stage::Pool, "pool"),
    (Stage::Effects, "effects"),
    (Stage::Tree, "tree"),
    (Stage::Apply, "apply"),
];

/// Core time by stage, as far as the threads that run the stage took it.
#[derive(Debug, Default)]
pub struct Stages([AtomicU64; 5]);

impl Stages {
    /// Runs a closure as part of a stage.
    pub fn run<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = thread_time();
        let done = work();
        self.add(stage, start);
        done
    }

    /// Runs a future as part of a stage: its polls count, its waits do not.
    pub fn poll<F: Future>(&self, stage: Stage, future: F) -> Timed<'_, F> {
        Timed { stages: self, stage, future: Box::pin(future) }
    }

    fn add(&self, stage: Stage, start: Duration) {
        let nanos = thread_time().saturating_sub(start).as_nanos();
        self.0[stage as usize].fetch_add(nanos as u64, Relaxed);
    }

    /// Core seconds by stage.
    pub fn seconds(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let of = |stage: Stage| self.0[stage as usize].load(Relaxed) as f64 / 1e9;
        NAMES.into_iter().map(move |(stage, name)| (name, of(stage)))
    }
}

/// A future whose polls are counted.
pub struct Timed<'a, F> {
    stages: &'a Stages,
    stage: Stage,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Timed<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let (stages, stage) = (self.stages, self.stage);
        stages.run(stage, || self.future.as_mut().poll(context))
    }
}

/// Core time that this thread has taken.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_counts_and_waits_do_not() {
        let stages = Stages::default();
        let of = |stage: &str| stages.seconds().find(|(name, _)| *name == stage).unwrap().1;
        stages.run(Stage::Tree, || std::thread::sleep(Duration::from_millis(30)));
        assert!(of("tree") < 0.03);
        let mut sum = 0_u64;
        pollster::block_on(stages.poll(Stage::Apply, async {
            while of_thread() < 0.02 {
                sum = std::hint::black_box(sum + 1);
            }
        }));
        assert!(of("apply") > 0.0 && of("pool") == 0.0, "{sum}");
    }

    fn of_thread() -> f64 {
        thread_time().as_secs_f64()
    }
}

//! What the host's threads multiply and copy at most.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::algorithms::secp256k1::ceiling::{issue, measure, products, work};
use crate::backend::ceiling::{Ceiling, CopyRates, per_job};
use crate::backend::cpu::pool;
use crate::error::EngineError;
use crate::isa::{Isa, Level};

/// Measures a level on so many threads, 0: one a core, for about `span` in all. More threads than cores compute no more
/// than the cores do. One thread alone is measured on the calling thread.
///
/// # Errors
/// [`EngineError::Threads`].
pub fn ceiling(isa: Isa, threads: usize, span: Duration) -> Result<Ceiling, EngineError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = pool(if threads == 0 { cores } else { threads.min(cores) })?;
    let third = span / 3;
    let one = measure(isa, third);
    Ok(Ceiling {
        device: "cpu".to_owned(),
        what: what(isa),
        // Where others keep the cores busy, all threads may never have run at once.
        multiplies_per_second: multiplies(isa, &pool, third).max(one),
        multiplies_per_second_one: Some(one),
        multiplies_per_job: per_job(|algorithm| Some(products(isa, work(algorithm)?))),
        copy_bytes_per_second: CopyRates {
            memory: Some(copies(&pool, third)),
            ..CopyRates::default()
        },
    })
}

fn what(isa: Isa) -> &'static str {
    match isa.level() {
        Level::Portable => "64-bit multiplications to 128 bits",
        Level::Neon(_) => "umull of 2 lanes",
        Level::Avx2(_) => "vpmuludq of 4 lanes",
        Level::Avx512(_) => "vpmadd52 of 8 lanes",
    }
}

/// Multiplications a second of all threads at once: the best of windows in which all begin together.
fn multiplies(isa: Isa, pool: &ThreadPool, span: Duration) -> f64 {
    /// Long against a thread's waking, short against a slice of the scheduler's time.
    const WINDOW: Duration = Duration::from_millis(2);
    let (started, start) = (Instant::now(), Barrier::new(pool.current_num_threads()));
    // The window that is not to be measured any more, as one thread tells the others before they meet.
    let end = AtomicUsize::new(usize::MAX);
    let all: Vec<Vec<Part>> = pool.broadcast(|thread| {
        let mut parts = Vec::new();
        loop {
            if thread.index() == 0 && started.elapsed() >= span && !parts.is_empty() {
                end.store(parts.len(), Ordering::Relaxed);
            }
            start.wait();
            if end.load(Ordering::Relaxed) == parts.len() {
                return parts;
            }
            let begun = Instant::now();
            let issued = issue(isa, WINDOW);
            parts.push(Part { begun, ended: Instant::now(), issued });
        }
    });
    let windows = all.first().map_or(0, Vec::len);
    let rate = |at: usize| together(&all.iter().map(|parts| parts[at]).collect::<Vec<_>>());
    (0..windows).filter_map(rate).fold(0.0, f64::max)
}

/// One thread's part of a window.
#[derive(Clone, Copy)]
struct Part {
    begun: Instant,
    ended: Instant,
    issued: f64,
}

/// The rate of threads together: the sum of their own where they ran side by side nearly throughout. Otherwise what they
/// did from the first one's beginning to the last one's end: threads in turns on one core are not as many cores.
fn together(parts: &[Part]) -> Option<f64> {
    let seconds = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64();
    let begun = || parts.iter().map(|part| part.begun);
    let ended = || parts.iter().map(|part| part.ended);
    let (first, last) = (begun().min()?, ended().max()?);
    let side_by_side = seconds(begun().max()?, ended().min()?) > 0.8 * seconds(first, last);
    let own = parts.iter().map(|part| part.issued / seconds(part.begun, part.ended));
    let issued: f64 = parts.iter().map(|part| part.issued).sum();
    Some(if side_by_side { own.sum() } else { issued / seconds(first, last) })
}

/// Bytes that all threads together copy a second, from memory to memory: the best pass.
fn copies(pool: &ThreadPool, span: Duration) -> f64 {
    /// Bytes of a thread, and of all at most: far more than caches hold.
    const EACH: usize = 64 << 20;
    const ALL: usize = 256 << 20;
    let threads = pool.current_num_threads();
    let bytes = threads.saturating_mul(EACH).min(ALL);
    let each = bytes.div_ceil(threads);
    // Pages that were never written share one of zeros.
    let (source, mut copy) = (vec![1_u8; bytes], vec![0_u8; bytes]);
    let mut pass = || {
        let begun = Instant::now();
        pool.install(|| {
            let pieces = copy.par_chunks_mut(each).zip(source.par_chunks(each));
            pieces.for_each(|(to, from)| to.copy_from_slice(from));
        });
        std::hint::black_box(&mut copy);
        bytes as f64 / begun.elapsed().as_secs_f64()
    };
    // The first has the system find the pages.
    pass();
    let (started, mut best) = (Instant::now(), 0.0_f64);
    while best == 0.0 || started.elapsed() < span {
        best = best.max(pass());
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::{Algorithm, EcdsaRule};

    #[test]
    fn threads_in_turns_are_one_core() {
        let start = Instant::now();
        let part = |from, to| {
            let at = |ms| start + Duration::from_millis(ms);
            Part { begun: at(from), ended: at(to), issued: 1e3 * (to - from) as f64 }
        };
        let rate = |parts: &[Part]| together(parts).expect("threads").round();
        assert_eq!(rate(&[part(0, 10)]), 1e6);
        assert_eq!(rate(&[part(0, 10), part(1, 11)]), 2e6);
        assert_eq!(rate(&[part(0, 10), part(10, 20)]), 1e6);
        assert_eq!(together(&[]), None);
    }

    #[test]
    fn every_level_has_a_ceiling() {
        for isa in Isa::all() {
            let ceiling = ceiling(isa, 2, Duration::from_millis(15)).expect("two threads");
            let one = ceiling.multiplies_per_second_one.expect("of a CPU");
            assert!(one > 0.0 && ceiling.multiplies_per_second >= one, "{isa}");
            assert!(ceiling.copy_bytes_per_second.memory.expect("of a CPU") > 0.0);
            let ecdsa = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);
            assert!(ceiling.ideal(ecdsa) >= ceiling.ideal_one(ecdsa));
            assert_eq!(ceiling.multiplies_per_job.len(), 3);
        }
    }
}

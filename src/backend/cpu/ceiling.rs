//! What the host's threads multiply and copy at most.

use std::time::{Duration, Instant};

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::algorithms::secp256k1::ceiling::{TRY, measure, products, tries, work};
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

/// Long against a try, short against a slice of the scheduler's time.
const WINDOW: Duration = Duration::from_millis(2);

/// Multiplications a second of all threads at once: the best of the windows in a time in which none of them waits. Threads
/// that waited for each other might be kept on one core.
fn multiplies(isa: Isa, pool: &ThreadPool, span: Duration) -> f64 {
    let started = Instant::now();
    let ends = pool.broadcast(|_| tries(isa, started, span));
    let windows = (span.as_nanos() / WINDOW.as_nanos()) as u32;
    (0..windows).map(|at| together(&ends, WINDOW * at)).fold(0.0, f64::max)
}

/// The rate of threads together in the window that begins then, by the ends of their tries: the sum of their own where
/// they ran nearly throughout. One that ran in a part of it may have had the core of another in turns.
fn together(ends: &[Vec<Duration>], from: Duration) -> f64 {
    let own = |ends: &Vec<Duration>| {
        let ends = &ends[ends.partition_point(|end| *end < from)..];
        let ends = &ends[..ends.partition_point(|end| *end <= from + WINDOW)];
        let (Some(first), Some(last)) = (ends.first(), ends.last()) else { return 0.0 };
        let (took, window) = ((*last - *first).as_secs_f64(), WINDOW.as_secs_f64());
        (ends.len() - 1) as f64 * TRY / if took > 0.8 * window { took } else { window }
    };
    ends.iter().map(own).sum()
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
        let thread =
            |from: u64, to: u64| (from..=to).map(Duration::from_micros).collect::<Vec<_>>();
        let rate = |ends: &[Vec<Duration>]| (together(ends, 5 * WINDOW) / TRY).round();
        let whole = || thread(0, 20_000);
        assert_eq!(rate(&[whole()]), 1e6);
        assert_eq!(rate(&[whole(), thread(9_900, 11_900)]), 2e6);
        // The one before, the other after: in this window, and in another.
        let turns = rate(&[thread(0, 11_000), thread(11_000, 20_000)]);
        assert!((0.95e6..=1e6).contains(&turns), "{turns}");
        assert_eq!(rate(&[whole(), thread(0, 9_000)]), 1e6);
        assert_eq!(rate(&[]), 0.0);
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

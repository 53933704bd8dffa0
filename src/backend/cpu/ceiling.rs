//! What the host's threads multiply and copy at most.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::algorithms::secp256k1::ceiling::{issue, measure, products, work};
use crate::backend::ceiling::{Ceiling, CopyRates, per_job};
use crate::backend::cpu::pool;
use crate::error::EngineError;
use crate::isa::{Isa, Level};

/// Measures a level on so many threads, 0: one a core, for about `span` in all. One thread alone is measured on the
/// calling thread.
///
/// # Errors
/// [`EngineError::Threads`].
pub fn ceiling(isa: Isa, threads: usize, span: Duration) -> Result<Ceiling, EngineError> {
    let pool = pool(threads)?;
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

/// Multiplications a second of all threads at once: the best of windows in which all begin together. A window lasts from
/// its first thread's beginning to its last one's end, so that threads in turns on one core do not count as many cores.
fn multiplies(isa: Isa, pool: &ThreadPool, span: Duration) -> f64 {
    /// Long against a thread's waking, short against a slice of the scheduler's time.
    const WINDOW: Duration = Duration::from_millis(4);
    let windows = span.as_nanos().div_ceil(WINDOW.as_nanos()).max(1);
    let start = Barrier::new(pool.current_num_threads());
    let all: Vec<Vec<_>> = pool.broadcast(|_| {
        let window = |_| {
            start.wait();
            let begun = Instant::now();
            let issued = issue(isa, WINDOW);
            (begun, issued, Instant::now())
        };
        (0..windows).map(window).collect()
    });
    let rate = |window: usize| {
        let threads = || all.iter().map(|thread| thread[window]);
        let begun = threads().map(|(begun, ..)| begun).min()?;
        let ended = threads().map(|(.., ended)| ended).max()?;
        let issued: f64 = threads().map(|(_, issued, _)| issued).sum();
        Some(issued / (ended - begun).as_secs_f64())
    };
    (0..windows as usize).filter_map(rate).fold(0.0, f64::max)
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

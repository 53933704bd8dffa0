//! What a core multiplies at most, and what a signature takes of it: how near the kernels come to the machine's limit.
//!
//! A product is an instruction with an integer multiplication, over all lanes of the level's vector. The limit counts
//! nothing else: no additions, carries, masks or memory, so no kernel reaches it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::algorithm::Algorithm;
use crate::algorithms::secp256k1::field::{CHAINS, FieldVec};
use crate::isa::{Isa, Kernel};

/// Field operations of one signature: products and squares mod p. What is done mod n, and inversions, are left out: a
/// few parts in a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// a b.
    pub products: u32,
    /// a^2.
    pub squares: u32,
}

/// What the kernels do for one job in a full piece, with a compressed key where there is one; `None` for algorithms
/// without field arithmetic. A test counts it.
pub fn work(algorithm: Algorithm) -> Option<Work> {
    match algorithm {
        Algorithm::EcdsaSecp256k1(_) => Some(ECDSA),
        Algorithm::SchnorrBip340 => Some(SCHNORR),
        Algorithm::RecoverSecp256k1(_) => Some(RECOVER),
        _ => None,
    }
}

const ECDSA: Work = Work { products: 1_073, squares: 986 };
const SCHNORR: Work = Work { products: 1_078, squares: 987 };
const RECOVER: Work = Work { products: 1_078, squares: 986 };

/// Products that a level issues for one job: those of a vector shared by its lanes.
pub fn products(isa: Isa, work: Work) -> f64 {
    isa.run(Issued(work))
}

struct Issued(Work);

impl Kernel for Issued {
    type Out = f64;

    #[inline(always)]
    fn run<V: FieldVec>(self) -> f64 {
        let [product, square] = V::PRODUCTS.map(f64::from);
        let Work { products, squares } = self.0;
        (f64::from(products) * product + f64::from(squares) * square) / V::LANES as f64
    }
}

/// Rounds of one try, some tens of microseconds: an interruption spoils few tries.
const ROUNDS: usize = 8_192;

/// Products of one try.
pub const TRY: f64 = (ROUNDS * CHAINS) as f64;

/// Products a second that one thread issues at most: the best of as many tries as the span holds. Runs on the calling
/// thread.
pub fn measure(isa: Isa, span: Duration) -> f64 {
    let (started, mut best) = (Instant::now(), 0.0_f64);
    while best == 0.0 || started.elapsed() < span {
        let begun = Instant::now();
        isa.run(Chains(black_box(ROUNDS)));
        best = best.max(TRY / begun.elapsed().as_secs_f64());
    }
    best
}

/// When the calling thread's tries ended, of [`TRY`] products each, one after the other until `span` after `started`.
pub fn tries(isa: Isa, started: Instant, span: Duration) -> Vec<Duration> {
    let mut ends = Vec::new();
    while ends.last().is_none_or(|end| *end < span) {
        isa.run(Chains(black_box(ROUNDS)));
        ends.push(started.elapsed());
    }
    ends
}

struct Chains(usize);

impl Kernel for Chains {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        black_box(V::products(self.0));
    }
}

#[cfg(test)]
mod tests;

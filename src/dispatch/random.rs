//! Numbers that a device cannot foresee: where canaries stand, what is computed again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// splitmix64: <https://prng.di.unimi.it/splitmix64.c>. Enough for sampling; the proof of a batch takes its
/// coefficients from a hash instead.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Seeded by the system.
    pub fn from_system() -> Self {
        Random(RandomState::new().hash_one(0u8))
    }

    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0; for bounds far below 2^64 no number is favoured noticeably.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence() {
        let mut random = Random::seeded(1_234_567);
        assert_eq!(
            [0; 2].map(|_| random.bits()),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
        let [a, b] = [0; 2].map(|_| Random::from_system().bits());
        assert_ne!(a, b);
    }
}

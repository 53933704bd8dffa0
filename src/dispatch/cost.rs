//! What a batch will cost on a lane, learned from what batches did cost.
//!
//! A batch is a number of units (a signature, or one compression of a hash). A lane that works on
//! `width` units at once takes `setup + ceil(units / width) * unit`, and only `unit` is learned:
//! the setup is the hand-over to the lane's thread, which no completion shows alone.

use crate::algorithm::Algorithm;
use crate::batch::Shape;
use crate::dispatch::Nanos;

/// Learned cost of one unit, by algorithm.
#[derive(Clone, Debug)]
pub struct CostModel {
    setup: Nanos,
    width: usize,
    /// Nanoseconds a unit, in 1/256.
    unit: [u64; SLOTS],
}

/// One slot for each algorithm, whatever its rule: rules differ in parsing alone.
const SLOTS: usize = 9;

/// One observation moves the estimate by 1/8 of the difference: a machine that slows down for a
/// moment does not turn the routes over.
const MEMORY: u64 = 8;

impl CostModel {
    /// A model without observations. It starts at what one portable core needs, so that the first
    /// batches go where they would go on a plain machine.
    pub fn new(setup: Nanos, width: usize) -> Self {
        let mut unit = [0; SLOTS];
        for algorithm in Algorithm::ALL {
            unit[slot(algorithm)] = 256
                * match algorithm {
                    Algorithm::EcdsaSecp256k1(_)
                    | Algorithm::SchnorrBip340
                    | Algorithm::RecoverSecp256k1(_) => 50_000,
                    _ => 400,
                };
        }
        CostModel { setup, width: width.max(1), unit }
    }

    /// Predicted time from hand-over to completion on an idle lane.
    pub fn predict(&self, shape: &Shape) -> Nanos {
        let steps = units(shape).div_ceil(self.width as u64);
        self.setup + (steps.saturating_mul(self.unit[slot(shape.algorithm)])) / 256
    }

    /// Takes in the time that a batch took, setup not included.
    pub fn observe(&mut self, shape: &Shape, busy: Nanos) {
        let steps = units(shape).div_ceil(self.width as u64);
        if steps == 0 {
            return;
        }
        let seen = busy.saturating_mul(256) / steps;
        let unit = &mut self.unit[slot(shape.algorithm)];
        *unit = (*unit * (MEMORY - 1) + seen) / MEMORY;
    }
}

/// Work of a batch: signatures, or blocks of 64 bytes hashed.
pub fn units(shape: &Shape) -> u64 {
    match shape.algorithm {
        Algorithm::EcdsaSecp256k1(_)
        | Algorithm::SchnorrBip340
        | Algorithm::RecoverSecp256k1(_)
        | Algorithm::Null => shape.items as u64,
        _ => shape.items as u64 + shape.bytes as u64 / 64,
    }
}

fn slot(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::EcdsaSecp256k1(_) => 0,
        Algorithm::SchnorrBip340 => 1,
        Algorithm::RecoverSecp256k1(_) => 2,
        Algorithm::Sha256 => 3,
        Algorithm::Sha256d => 4,
        Algorithm::Keccak256 => 5,
        Algorithm::MerkleRootSha256d => 6,
        Algorithm::MerkleProofSha256d => 7,
        Algorithm::Null => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { algorithm: Algorithm::SchnorrBip340, items: 100, bytes: 12_800 };

    #[test]
    fn converges_to_what_it_sees() {
        let mut model = CostModel::new(10_000, 2);
        for _ in 0..64 {
            model.observe(&SHAPE, 50 * 7_000);
        }
        let predicted = model.predict(&SHAPE) - 10_000;
        assert!(predicted.abs_diff(350_000) < 3_500, "{predicted}");
    }

    #[test]
    fn a_wide_lane_does_not_speed_up_one_item() {
        let (narrow, wide) = (CostModel::new(0, 1), CostModel::new(0, 16));
        let one = Shape { items: 1, ..SHAPE };
        assert_eq!(narrow.predict(&one), wide.predict(&one));
        assert!(narrow.predict(&SHAPE) > 10 * wide.predict(&SHAPE));
    }

    #[test]
    fn an_empty_batch_teaches_nothing() {
        let mut model = CostModel::new(0, 1);
        let before = model.predict(&SHAPE);
        model.observe(&Shape { items: 0, bytes: 0, ..SHAPE }, 1_000_000);
        assert_eq!(model.predict(&SHAPE), before);
    }
}

//! What a batch will cost on a lane, learned from what batches did cost.
//!
//! A batch is a number of units (a signature, or one compression of a hash). Work on `width` units
//! at once takes `setup + ceil(units / width) * unit`, and only `unit` is learned. A lane's queue
//! and the caller's own thread differ in setup and width alone, so what either shows corrects the
//! prediction of both, and a route once left is not forgotten.

use crate::algorithm::Algorithm;
use crate::batch::{Form, Shape};
use crate::dispatch::Nanos;

/// Learned cost of one unit, by algorithm.
#[derive(Clone, Debug)]
pub struct CostModel {
    /// Nanoseconds a unit, in 1/256.
    unit: [u64; SLOTS],
}

/// How a batch is run: what a prediction adds to the cost of its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Time that any batch takes, however small.
    pub setup: Nanos,
    /// Units worked on at once.
    pub width: usize,
}

/// One slot for each algorithm and form, whatever its rule: rules differ in parsing alone.
const SLOTS: usize = 13;

/// One observation moves the estimate by 1/8 of the difference: a machine that slows down for a
/// moment does not turn the routes over.
const MEMORY: u64 = 8;

/// An observation counts as at most so many times the estimate, and 64 ns more: a thread that was
/// taken off its core tells nothing of the work.
const OUTLIER: u64 = 2;

impl CostModel {
    /// A model without observations. It starts at what one portable core needs, so that the first
    /// batches go where they would go on a plain machine.
    pub fn new() -> Self {
        let mut unit = [0; SLOTS];
        for algorithm in Algorithm::ALL {
            for form in [Form::Single, Form::Combined, Form::Pinned] {
                unit[slot(algorithm, form)] = 256
                    * match algorithm {
                        Algorithm::EcdsaSecp256k1(_)
                        | Algorithm::SchnorrBip340
                        | Algorithm::RecoverSecp256k1(_) => 50_000,
                        _ => 400,
                    };
            }
        }
        CostModel { unit }
    }

    /// Predicted time of a batch that nothing stands before.
    pub fn predict(&self, shape: &Shape, mode: Mode) -> Nanos {
        mode.setup
            + steps(shape, mode).saturating_mul(self.unit[slot(shape.algorithm, shape.form)]) / 256
    }

    /// Takes in the time that a batch took, setup not included.
    pub fn observe(&mut self, shape: &Shape, busy: Nanos, mode: Mode) {
        let steps = steps(shape, mode);
        if steps == 0 {
            return;
        }
        let unit = &mut self.unit[slot(shape.algorithm, shape.form)];
        let seen = (busy.saturating_mul(256) / steps).min(OUTLIER * *unit + 256 * 64);
        *unit = (*unit * (MEMORY - 1) + seen) / MEMORY;
    }
}

impl Default for CostModel {
    fn default() -> Self {
        Self::new()
    }
}

fn steps(shape: &Shape, mode: Mode) -> u64 {
    units(shape).div_ceil(mode.width.max(1) as u64)
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

fn slot(algorithm: Algorithm, form: Form) -> usize {
    match algorithm {
        Algorithm::EcdsaSecp256k1(_) if form == Form::Combined => 9,
        Algorithm::EcdsaSecp256k1(_) if form == Form::Pinned => 10,
        Algorithm::SchnorrBip340 if form == Form::Combined => 11,
        Algorithm::SchnorrBip340 if form == Form::Pinned => 12,
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

    const SHAPE: Shape = Shape {
        algorithm: Algorithm::SchnorrBip340,
        form: Form::Single,
        items: 100,
        bytes: 12_800,
    };
    const QUEUE: Mode = Mode { setup: 10_000, width: 2 };
    const INLINE: Mode = Mode { setup: 500, width: 1 };

    #[test]
    fn converges_to_what_it_sees_and_both_modes_learn() {
        let mut model = CostModel::new();
        for _ in 0..64 {
            model.observe(&SHAPE, 50 * 7_000, QUEUE);
        }
        let predicted = model.predict(&SHAPE, QUEUE) - 10_000;
        assert!(predicted.abs_diff(350_000) < 3_500, "{predicted}");
        let predicted = model.predict(&SHAPE, INLINE) - 500;
        assert!(predicted.abs_diff(700_000) < 7_000, "{predicted}");
    }

    #[test]
    fn one_outlier_turns_nothing_over() {
        let mut model = CostModel::new();
        let before = model.predict(&SHAPE, INLINE);
        model.observe(&SHAPE, 100 * before, INLINE);
        assert!(model.predict(&SHAPE, INLINE) < before * 6 / 5);
    }

    #[test]
    fn a_wide_lane_does_not_speed_up_one_item() {
        let model = CostModel::new();
        let mode = |width| Mode { setup: 0, width };
        let one = Shape { items: 1, ..SHAPE };
        assert_eq!(model.predict(&one, mode(1)), model.predict(&one, mode(16)));
        assert!(model.predict(&SHAPE, mode(1)) > 10 * model.predict(&SHAPE, mode(16)));
    }

    #[test]
    fn an_empty_batch_teaches_nothing() {
        let mut model = CostModel::new();
        let before = model.predict(&SHAPE, INLINE);
        model.observe(&Shape { items: 0, bytes: 0, ..SHAPE }, 1_000_000, INLINE);
        assert_eq!(model.predict(&SHAPE, INLINE), before);
    }
}

//! What a batch will cost on a lane, learned from what batches did cost.
//!
//! A batch is a number of units (a signature, or one compression of a hash). As long as nothing is
//! known, work on `width` units at once takes `setup + ceil(units / width) * unit`. A completion
//! shows two things: the time of a batch of that size, run that way, which a curve keeps and which
//! counts wherever it says anything; and the unit, which a lane's queue and the caller's
//! own thread share, so that a route is not judged before it was tried.

use crate::algorithm::Algorithm;
use crate::batch::{Form, Shape};
use crate::dispatch::Nanos;

mod curve;
mod doubt;
mod hand_over;
mod text;

pub use curve::CLASSES;
use curve::Curve;
use doubt::Doubt;
pub use hand_over::HandOver;

/// Learned costs of one lane, by algorithm, way of running and size.
#[derive(Clone, Debug)]
pub struct CostModel {
    units: [Unit; SLOTS],
    /// Those of the queue, then those of the caller's thread.
    curves: Vec<Curve>,
}

/// How a batch is run: what a prediction adds to the cost of its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Time that any batch takes, however small.
    pub setup: Nanos,
    /// The part of it that is the device's own, and thus in the times that completions show.
    pub own: Nanos,
    /// Units worked on at once.
    pub width: usize,
    /// On the caller's thread, not in the lane's queue.
    pub inline: bool,
}

/// Time of one unit, as a batch without a curve is predicted.
#[derive(Clone, Copy, Debug)]
struct Unit {
    nanos: f64,
    doubt: Doubt,
    /// Some batch left no doubt about how many units were worked on at once.
    sure: bool,
}

/// One slot for each algorithm and form, whatever its rule: rules differ in parsing alone.
pub const SLOTS: usize = 13;

/// Longest time that is believed of any batch: a day.
const LONGEST: f64 = 86_400e9;

/// From so many units on for each one worked on at once, the width shows in full.
const FILLED: u64 = 32;

impl CostModel {
    /// A model without observations. It starts at what one portable core needs, so that the first
    /// batches go where they would go on a plain machine.
    pub fn new() -> Self {
        let blank = Unit { nanos: 400.0, doubt: Doubt::default(), sure: false };
        let mut units = [blank; SLOTS];
        for algorithm in Algorithm::ALL {
            if let Algorithm::EcdsaSecp256k1(_)
            | Algorithm::SchnorrBip340
            | Algorithm::RecoverSecp256k1(_) = algorithm
            {
                for form in [Form::Single, Form::Combined, Form::Pinned] {
                    units[slot(algorithm, form)].nanos = 50_000.0;
                }
            }
        }
        CostModel { units, curves: vec![Curve::default(); 2 * SLOTS] }
    }

    /// Predicted time of a batch that nothing stands before.
    pub fn predict(&self, shape: &Shape, mode: Mode) -> Nanos {
        let slot = slot(shape.algorithm, shape.form);
        let time = self.curve(slot, mode).at(units(shape) as f64, &self.prior(slot, mode));
        mode.setup.saturating_sub(mode.own).saturating_add(time.round() as Nanos)
    }

    /// Takes in the time that a batch took, of the setup no more than the device's own.
    pub fn observe(&mut self, shape: &Shape, busy: Nanos, mode: Mode) {
        let units = units(shape);
        if units == 0 {
            return;
        }
        let slot = slot(shape.algorithm, shape.form);
        let busy = (busy as f64).min(LONGEST);
        let prior = self.prior(slot, mode);
        self.curves[index(slot, mode)].observe(units as f64, busy, &prior);
        // A batch that may have been too small for all that the lane has, such as one grain of work in
        // a pool or fewer items than a vector holds, is taken for units one after the other, and that is
        // believed until a batch tells for sure.
        let full = units >= FILLED.saturating_mul(mode.width.max(1) as u64);
        let unit = &mut self.units[slot];
        if full || !unit.sure {
            let steps = if full { prior.steps(units as f64) } else { units as f64 };
            unit.sure |= full;
            let shown = (busy - prior.own).max(0.0) / steps;
            let (taken, weight) = unit.doubt.weigh(unit.nanos, shown, busy, GRACE);
            unit.nanos += (taken - unit.nanos) * weight;
        }
    }

    /// Completions that the prediction for this class of sizes, run this way, rests on.
    pub fn seen(&self, shape: &Shape, mode: Mode) -> u32 {
        self.curve(slot(shape.algorithm, shape.form), mode).seen(units(shape) as f64)
    }

    /// The same as far as they still hold: none where the last one was far from what was predicted, and the
    /// prediction has not followed.
    pub fn rests_on(&self, shape: &Shape, mode: Mode) -> u32 {
        let units = units(shape) as f64;
        let curve = self.curve(slot(shape.algorithm, shape.form), mode);
        if curve.doubts(units) { 0 } else { curve.seen(units) }
    }

    fn curve(&self, slot: usize, mode: Mode) -> &Curve {
        &self.curves[index(slot, mode)]
    }

    fn prior(&self, slot: usize, mode: Mode) -> Prior {
        let Unit { nanos, sure, .. } = self.units[slot];
        Prior { own: mode.own as f64, width: mode.width.max(1) as f64, unit: nanos, sure }
    }
}

/// Nanoseconds by which a unit may always differ.
const GRACE: f64 = 64.0;

/// What is expected of batches while nothing is known of their size.
#[derive(Clone, Copy, Debug)]
struct Prior {
    own: f64,
    width: f64,
    unit: f64,
    /// The unit comes from batches that showed it.
    sure: bool,
}

impl Prior {
    fn steps(&self, units: f64) -> f64 {
        (units / self.width).ceil()
    }

    fn at(&self, units: f64) -> f64 {
        self.own + self.steps(units) * self.unit
    }
}

impl Default for CostModel {
    fn default() -> Self {
        Self::new()
    }
}

fn index(slot: usize, mode: Mode) -> usize {
    slot + if mode.inline { SLOTS } else { 0 }
}

/// Work of a batch: signatures, or blocks of 64 bytes hashed.
pub fn units(shape: &Shape) -> u64 {
    match shape.algorithm {
        Algorithm::EcdsaSecp256k1(_)
        | Algorithm::SchnorrBip340
        | Algorithm::RecoverSecp256k1(_)
        | Algorithm::Null => shape.items as u64,
        _ => (shape.items as u64).saturating_add(shape.bytes as u64 / 64),
    }
}

/// The class of sizes that a batch is of, below [`CLASSES`].
pub fn class(shape: &Shape) -> usize {
    curve::class(units(shape) as f64)
}

/// The slot that batches of this algorithm and form share, below [`SLOTS`].
pub fn slot(algorithm: Algorithm, form: Form) -> usize {
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
mod tests;

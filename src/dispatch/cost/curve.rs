//! Time by size, of one algorithm run one way: a point for each power of two that was seen, and lines
//! between them.
//!
//! Whatever was observed, the curve never falls: a smaller batch is not predicted to take longer.

use super::Prior;
use super::doubt::Doubt;

/// Classes of sizes: `floor(log2 units)`, the last one open.
pub const CLASSES: usize = 32;

/// Nanoseconds by which a batch may always differ.
const GRACE: f64 = 1_000.0;

/// Units that the widest vector holds.
const VECTOR: f64 = 8.0;

/// The mean of what a class has shown. Costs that lie on a line have their mean on it, too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Point {
    pub units: f64,
    pub time: f64,
    pub doubt: Doubt,
    /// Completions, saturating.
    pub seen: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Curve {
    pub points: [Point; CLASSES],
}

impl Curve {
    /// Predicted time of a batch of so many units.
    pub fn at(&self, units: f64, prior: &Prior) -> f64 {
        let class = class(units);
        // The class's own point stands to the left of the size, or to its right.
        let split = class + usize::from(self.points[class].units <= units);
        let mut left = self.points[..split].iter().rev().filter(|point| point.seen > 0);
        let mut right = self.points[split..].iter().filter(|point| point.seen > 0);
        match (left.next(), right.next()) {
            (Some(left), Some(right)) => line(left, right, units),
            (Some(last), None) => {
                let before = left.find(|point| 2.0 * point.units <= last.units);
                above(before, last, units, prior)
            }
            (None, Some(first)) => {
                let second = right.find(|point| point.units >= 2.0 * first.units);
                below(first, second, units, prior)
            }
            (None, None) => prior.at(units),
        }
    }

    /// Takes in what a batch took.
    pub fn observe(&mut self, units: f64, time: f64, prior: &Prior) {
        let class = class(units);
        let expected = self.at(units, prior);
        let mut point = self.points[class];
        if point.seen == 0 {
            (point.units, point.time) = (units, expected);
        }
        let (taken, weight) = point.doubt.weigh(expected, time, time, GRACE);
        point.units += (units - point.units) * weight;
        point.time += (taken - point.time) * weight;
        point.seen = point.seen.saturating_add(1);
        // A size new to the curve does not tell that anything has changed.
        let known = self.points[class].doubt.held > 0;
        let changed = if known { point.time - self.at(point.units, prior) } else { 0.0 };
        // Whether a fixed time has changed or the rate, larger batches feel it, and as far as one
        // observation can tell by as much. Of smaller ones it says no more than that they are not slower.
        for larger in &mut self.points[class + 1..] {
            larger.time = (larger.time + changed).max(point.time);
        }
        for smaller in &mut self.points[..class] {
            smaller.time = smaller.time.min(point.time);
        }
        self.points[class] = point;
    }

    /// Whether the last completion of the class was odd.
    pub fn doubts(&self, units: f64) -> bool {
        self.points[class(units)].doubt.odd.is_some()
    }

    /// Completions of the class.
    pub fn seen(&self, units: f64) -> u32 {
        self.points[class(units)].seen
    }
}

pub fn class(units: f64) -> usize {
    ((units.max(1.0) as u64).ilog2() as usize).min(CLASSES - 1)
}

fn line(left: &Point, right: &Point, units: f64) -> f64 {
    let part = (units - left.units) / (right.units - left.units);
    (left.time + (right.time - left.time) * part).min(right.time)
}

/// A batch larger than any seen. As many more steps, each as long as before, is the most; two sizes show
/// a line, which is trusted up to twice the size, and one that fills no vector may take the time of
/// twice as many; a unit that is sure shows more where the batches did not fill the lane. The least of
/// these counts: what is too little is found out by the first batch, what is too much keeps it away.
fn above(before: Option<&Point>, last: &Point, units: f64, prior: &Prior) -> f64 {
    let steps = |from: f64| (prior.steps(units) / prior.steps(from)).max(1.0);
    let most = last.time * steps(last.units);
    let known = if prior.sure { prior.at(units) } else { most };
    let near = units.min(2.0 * last.units);
    let shown = match before {
        Some(before) => {
            let part = (near - before.units) / (last.units - before.units);
            (before.time + (last.time - before.time) * part) * steps(near)
        }
        None if last.units < VECTOR => last.time * steps(near),
        None => most,
    };
    known.min(shown).clamp(last.time, most)
}

/// A batch smaller than any seen. Two sizes show what part of the time is the same for all, one leaves
/// that to what was expected.
fn below(first: &Point, second: Option<&Point>, units: f64, prior: &Prior) -> f64 {
    let expected = prior.at(first.units);
    let part = if expected > 0.0 { prior.at(units) / expected } else { 1.0 };
    let shown = second.map_or(0.0, |second| line(first, second, units));
    let least = first.time * units / first.units;
    shown.max(first.time * part).clamp(least, first.time)
}

//! Evidence turned over: what a device sends when it is wrong.

use sigmill::algorithms::secp256k1::curve::{Curve, Secp256k1};
use sigmill::algorithms::secp256k1::integer::{P, sub};
use sigmill::dispatch::random::Random;
use sigmill::parsed::{Operands, Parsed};
use sigmill::verdict::{Evidence, Point};

use crate::truth::{NONE, Truth};

fn generator() -> Point {
    let [x, y] = Secp256k1::GENERATOR;
    Point { x, y, z: [1, 0, 0, 0] }
}

/// Makes one entry wrong, so that nothing shows at a look: by a bit, as if there were no point, as if it were
/// another's. Points do not take each other's places: records name their entries, which a driver looks at.
pub fn one(evidence: &mut Evidence, at: usize, random: &mut Random) {
    let (other, bit) = (random.below(evidence.len().max(1)), random.below(256));
    match (evidence, random.below(4)) {
        (Evidence::Points(all), 0) if all[at] != NONE => all[at].x[bit / 64] ^= 1 << (bit % 64),
        (Evidence::Points(all), 1) if all[at] != NONE => all[at].y = sub(&P, &all[at].y).0,
        (Evidence::Points(all), _) => {
            all[at] = if all[at] == generator() { NONE } else { generator() };
        }
        (Evidence::Keys(all), 0 | 1) => all[at][bit / 4] ^= 1 << (bit % 8),
        (Evidence::Keys(all), 2) if all[at] != [0; 64] => all[at] = [0; 64],
        (Evidence::Keys(all), _) if all[at] != all[other] => all[at] = all[other],
        (Evidence::Keys(all), _) => all[at][bit / 4] ^= 0x80,
        (Evidence::Digests(all), 0..=2) => all[at][bit / 8] ^= 1 << (bit % 8),
        (Evidence::Digests(all), _) if all[at] != all[other] => all[at] = all[other],
        (Evidence::Digests(all), _) => all[at] = [0xa5; 32],
        _ => {}
    }
}

/// Several bits of one entry.
pub fn bits(evidence: &mut Evidence, at: usize, random: &mut Random) {
    for _ in 0..5 {
        let bit = random.below(256);
        match evidence {
            Evidence::Points(all) => all[at].x[bit / 64] ^= 1 << (bit % 64),
            Evidence::Keys(all) => all[at][bit / 4] ^= 1 << (bit % 8),
            Evidence::Digests(all) => all[at][bit / 8] ^= 1 << (bit % 8),
            _ => {}
        }
    }
}

/// The same in every entry.
pub fn all(evidence: &mut Evidence, byte: u8) {
    let word = u64::from_le_bytes([byte; 8]);
    match evidence {
        Evidence::Points(points) => points.fill(Point { x: [word; 4], y: [word; 4], z: [word; 4] }),
        Evidence::Keys(keys) => keys.fill([byte; 64]),
        Evidence::Digests(digests) => digests.fill([byte; 32]),
        _ => {}
    }
}

/// A point that no signature here has.
pub fn all_invalid(evidence: &mut Evidence) {
    match evidence {
        Evidence::Points(points) => points.fill(generator()),
        Evidence::Keys(keys) => keys.fill([0; 64]),
        other => all(other, 0xa5),
    }
}

/// What the signature of an entry wants to see, where anything does: a point with x = r.
pub fn echo(truth: &Truth, operands: &Operands, at: usize) -> Option<Point> {
    let point = match operands {
        Operands::Ecdsa(operands) => truth.lift(&operands.r[at]),
        Operands::Schnorr(operands) => truth.lift(&operands.r[at]),
        _ => return None,
    };
    Some(point).filter(|point| *point != NONE)
}

/// Points that every signature wants to see; other evidence as if one answer did for all.
pub fn all_valid(truth: &Truth, batch: &Parsed, evidence: &mut Evidence) {
    match evidence {
        Evidence::Points(points) => {
            for (at, point) in points.iter_mut().enumerate() {
                *point = echo(truth, batch.operands(), at).unwrap_or(*point);
            }
        }
        Evidence::Keys(keys) => {
            let first = keys.first().copied().unwrap_or([0; 64]);
            keys.fill(first);
        }
        Evidence::Digests(all) => {
            let first = all.first().copied().unwrap_or([0; 32]);
            all.fill(first);
        }
        _ => {}
    }
}

/// Cuts evidence, or lengthens it by what it begins with.
pub fn resize(evidence: &mut Evidence, items: usize) {
    fn fit<T: Copy>(all: &mut Vec<T>, items: usize) {
        let old = all.len().max(1);
        let mut at = 0;
        while all.len() < items && !all.is_empty() {
            all.push(all[at % old]);
            at += 1;
        }
        all.truncate(items);
    }
    match evidence {
        Evidence::Points(all) => fit(all, items),
        Evidence::Keys(all) => fit(all, items),
        Evidence::Digests(all) => fit(all, items),
        _ => {}
    }
}

pub fn swap(evidence: &mut Evidence, a: usize, b: usize) {
    match evidence {
        Evidence::Points(all) => all.swap(a, b),
        Evidence::Keys(all) => all.swap(a, b),
        Evidence::Digests(all) => all.swap(a, b),
        _ => {}
    }
}

pub fn rotate(evidence: &mut Evidence) {
    match evidence {
        Evidence::Points(all) if !all.is_empty() => all.rotate_left(1),
        Evidence::Keys(all) if !all.is_empty() => all.rotate_left(1),
        Evidence::Digests(all) if !all.is_empty() => all.rotate_left(1),
        _ => {}
    }
}

/// The batch as a device sees it whose memory lost a bit of one entry.
pub fn uploaded(batch: &Parsed, random: &mut Random) -> Option<Operands> {
    let items = batch.live();
    let mut operands = batch.operands().clone();
    let at = random.below(items.max(1));
    let word = match &mut operands {
        Operands::Ecdsa(operands) if items > 0 => &mut operands.s[at][2],
        Operands::Schnorr(operands) if items > 0 => &mut operands.e[at][2],
        Operands::Recover(operands) if items > 0 => &mut operands.s[at][2],
        _ => return None,
    };
    // Not the bit that made an item invalid: that one alone would make it valid again.
    *word ^= 2;
    Some(operands)
}

//! Canaries: items among a device's batch whose answers the host knows and the device does not.
//!
//! Of each batch of signatures two are valid and two are near misses, made anew each time, under keys of the
//! batch itself, so that nothing tells them from the others. For ECDSA any u1, u2 give one: with
//! R = u1 G + u2 Q and r = x(R) mod n, (r, s) = (r, r / u2) signs the hash z = u1 s. For BIP 340 likewise any s
//! and e. No private key is involved, and no message: both are below the level at which messages count.

use crate::algorithms::secp256k1::curve::{Curve, Secp256k1};
use crate::algorithms::secp256k1::integer::{N, ZERO, is_below, reduce_n};
use crate::algorithms::secp256k1::point::OneLane;
use crate::algorithms::secp256k1::{ecdsa, scalar, schnorr};
use crate::batch::Form;
use crate::dispatch::examine::Host;
use crate::dispatch::random::Random;
use crate::parsed::{
    EcdsaOperands, KeyForm, Keys, Operands, Parsed, RecoverOperands, SchnorrOperands, Words,
};
use crate::verdict::{Evidence, Point};

/// Items that are added to a batch of signatures.
pub const CANARIES: usize = 4;

/// Evidence that there is no key.
const NO_KEY: [u8; 64] = [0; 64];

/// What the host knows of the canaries in one batch.
#[derive(Clone, Debug)]
pub struct Canaries {
    operands: Operands,
    /// Where each was put in what was sent; what stood there went to the end.
    places: Vec<usize>,
    expected: Vec<Expected>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Valid(bool),
    Key([u8; 64]),
}

impl Canaries {
    /// None, for what the host computes.
    pub(crate) fn none() -> Self {
        Canaries { operands: Operands::Columns, places: Vec::new(), expected: Vec::new() }
    }

    /// Puts canaries at random places into a batch of signatures; others get none.
    pub(crate) fn insert(host: &dyn Host, random: &mut Random, batch: &mut Parsed) -> Canaries {
        let live = batch.live();
        let (operands, expected) = match &batch.operands {
            Operands::Ecdsa(operands) if live > 0 => signed_ecdsa(host, random, batch, operands),
            Operands::Schnorr(operands) if live > 0 => {
                signed_schnorr(host, random, batch, operands)
            }
            Operands::Recover(_) => recoveries(host, random, batch),
            _ => return Canaries::none(),
        };
        batch.operands.append(&operands);
        let places: Vec<_> = (0..CANARIES).map(|at| random.below(live + at + 1)).collect();
        for (at, &place) in places.iter().enumerate() {
            batch.operands.swap(live + at, place);
            batch.live.push((live + at) as u32);
        }
        Canaries { operands, places, expected }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// What stands at a place of what was sent: an entry of the batch, or from `live` on a canary.
    pub(crate) fn origin(&self, place: usize, live: usize) -> usize {
        let mut at = place;
        for (canary, &place) in self.places.iter().enumerate().rev() {
            let last = live + canary;
            at = if at == place {
                last
            } else if at == last {
                place
            } else {
                at
            };
        }
        at
    }

    /// Puts evidence back into the order of the batch, takes that of the canaries off, and says whether it was
    /// right. Of evidence of the wrong length or kind it says no, and where the device found none of the valid ones. That
    /// it does not find one is no one's fault: their keys are the batch's, and a signer may have made one that correct
    /// formulas cannot meet.
    pub(crate) fn take_off(&self, evidence: &mut Evidence) -> bool {
        let count = self.len();
        if count == 0 {
            return true;
        }
        match evidence {
            Evidence::Points(points) => take(&self.places, points).is_some_and(|own| {
                let found = own.iter().enumerate();
                self.agree(found.map(|(at, point)| (self.accepts(at, point), point.z == ZERO)))
            }),
            Evidence::Keys(keys) => take(&self.places, keys).is_some_and(|own| {
                let found = own.into_iter();
                self.agree(found.map(|key| (Some(Expected::Key(key)), key == NO_KEY)))
            }),
            _ => false,
        }
    }

    /// Whether what was found is expected or absent, and not all absent that tells a device that computes from one that
    /// does not: near misses are missed by any point.
    fn agree(&self, found: impl Iterator<Item = (Option<Expected>, bool)>) -> bool {
        let tells = |expected| !matches!(expected, Expected::Valid(false) | Expected::Key(NO_KEY));
        let (mut telling, mut right) = (0, 0);
        for ((found, absent), &expected) in found.zip(&self.expected) {
            if found != Some(expected) && !absent {
                return false;
            }
            telling += usize::from(tells(expected));
            right += usize::from(tells(expected) && found == Some(expected));
        }
        telling == 0 || right > 0
    }

    fn accepts(&self, at: usize, point: &Point) -> Option<Expected> {
        let verdict = match &self.operands {
            Operands::Ecdsa(operands) => ecdsa::judge(operands, at, point),
            Operands::Schnorr(operands) => schnorr::judge(operands, at, point),
            _ => return None,
        };
        // The near miss of a point is a point, almost surely: to say that there is none is wrong.
        let finite = point.z != ZERO;
        verdict.ok().filter(|_| finite).map(|verdict| Expected::Valid(verdict.is_valid()))
    }
}

/// Undoes the swaps and splits the canaries' part off.
fn take<T: Copy>(places: &[usize], column: &mut Vec<T>) -> Option<Vec<T>> {
    let live = column.len().checked_sub(places.len())?;
    for (canary, &place) in places.iter().enumerate().rev() {
        column.swap(live + canary, place);
    }
    let own = column[live..].to_vec();
    column.truncate(live);
    Some(own)
}

/// A number from 1 to n - 1.
fn scalar(random: &mut Random) -> Words {
    loop {
        let words = [0; 4].map(|_| random.bits());
        if words != ZERO && is_below(&words, &N) {
            return words;
        }
    }
}

/// The same with its lowest bit turned, unless that makes it zero or n: a near miss.
fn near(words: &Words) -> Words {
    let [low, rest @ ..] = *words;
    let turned = [low ^ 1, rest[0], rest[1], rest[2]];
    if turned == ZERO || !is_below(&turned, &N) {
        [low ^ 2, rest[0], rest[1], rest[2]]
    } else {
        turned
    }
}

/// x and y of the two points that operands name; `None` where one is infinity, or a key no point.
fn two_points(host: &dyn Host, operands: Operands) -> Option<[[Words; 2]; 2]> {
    let points = host.points(&operands);
    let [a, b] = points.first_chunk()?;
    Some([OneLane::load(a).to_affine()?, OneLane::load(b).to_affine()?])
}

/// A valid one and a near miss for each of two.
fn expected() -> Vec<Expected> {
    [true, false, true, false].map(Expected::Valid).to_vec()
}

fn signed_ecdsa(
    host: &dyn Host,
    random: &mut Random,
    batch: &Parsed,
    operands: &EcdsaOperands,
) -> (Operands, Vec<Expected>) {
    let entries = [0; 2].map(|_| random.below(batch.live()));
    let mut keys = entries
        .map(|entry| ([operands.keys.x[entry], operands.keys.y[entry]], operands.keys.form[entry]));
    loop {
        // u1 = z / s and u2 = 1 / s.
        let [z, s] = [0; 2].map(|_| [0; 2].map(|_| scalar(random)));
        let base = EcdsaOperands {
            z: z.to_vec(),
            r: vec![[1, 0, 0, 0]; 2],
            s: s.to_vec(),
            keys: columns(keys),
            ..EcdsaOperands::default()
        };
        let Some(points) = two_points(host, Operands::Ecdsa(base)) else {
            keys = [(Secp256k1::GENERATOR, KeyForm::Full); 2];
            continue;
        };
        let mut own = EcdsaOperands::default();
        for (at, [x, _]) in points.into_iter().enumerate() {
            let r = reduce_n(x);
            let (z, s) = (scalar::mul(&z[at], &r), scalar::mul(&s[at], &r));
            own.z.extend([z, z]);
            own.r.extend([r, r]);
            own.s.extend([s, near(&s)]);
            // A pinned key is a point: it was not replaced.
            own.pinned
                .extend(operands.pinned.get(entries[at]).into_iter().flat_map(|&key| [key; 2]));
        }
        own.keys = columns([keys[0], keys[0], keys[1], keys[1]]);
        if !operands.hints.is_empty() {
            own.hints = vec![false; CANARIES];
        }
        return (Operands::Ecdsa(own), expected());
    }
}

fn columns<const N: usize>(keys: [([Words; 2], KeyForm); N]) -> Keys {
    Keys {
        x: keys.iter().map(|(point, _)| point[0]).collect(),
        y: keys.iter().map(|(point, _)| point[1]).collect(),
        form: keys.iter().map(|(_, form)| *form).collect(),
    }
}

fn signed_schnorr(
    host: &dyn Host,
    random: &mut Random,
    batch: &Parsed,
    operands: &SchnorrOperands,
) -> (Operands, Vec<Expected>) {
    let entries = [0; 2].map(|_| random.below(batch.live()));
    let mut keys = entries.map(|entry| operands.key[entry]);
    loop {
        let [e, s] = [0; 2].map(|_| [0; 2].map(|_| scalar(random)));
        let base = SchnorrOperands {
            r: vec![[1, 0, 0, 0]; 2],
            s: s.to_vec(),
            e: e.to_vec(),
            key: keys.to_vec(),
            pinned: Vec::new(),
        };
        let Some(points) = two_points(host, Operands::Schnorr(base)) else {
            keys = [Secp256k1::GENERATOR[0]; 2];
            continue;
        };
        let mut own = SchnorrOperands::default();
        for (at, [x, y]) in points.into_iter().enumerate() {
            // R has an even y: of an odd one, -R = (-s) G - (-e) P.
            let turn = |k: &Words| if y[0] & 1 == 1 { scalar::negate(k) } else { *k };
            let (e, s) = (turn(&e[at]), turn(&s[at]));
            own.r.extend([x, x]);
            own.s.extend([s, near(&s)]);
            own.e.extend([e, e]);
            own.key.extend([keys[at]; 2]);
            own.pinned
                .extend(operands.pinned.get(entries[at]).into_iter().flat_map(|&key| [key; 2]));
        }
        return (Operands::Schnorr(own), expected());
    }
}

/// For half of all r there is no key: those are the ones to be rejected.
fn recoveries(host: &dyn Host, random: &mut Random, batch: &Parsed) -> (Operands, Vec<Expected>) {
    let column = |random: &mut Random| (0..CANARIES).map(|_| scalar(random)).collect();
    let own = RecoverOperands {
        z: column(random),
        r: column(random),
        s: column(random),
        parity: (0..CANARIES).map(|_| (random.bits() & 1) as u8).collect(),
    };
    let own = Operands::Recover(own);
    let known = host.compute(&Parsed {
        batch: batch.batch().emptied(),
        form: Form::Single,
        operands: own.clone(),
        live: (0..CANARIES as u32).collect(),
        dead: Vec::new(),
        roots: false,
    });
    let expected = match known {
        Evidence::Keys(keys) => keys.into_iter().map(Expected::Key).collect(),
        _ => unreachable!("recovery yields keys"),
    };
    (own, expected)
}

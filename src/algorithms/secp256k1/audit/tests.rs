//! Lies that a device may tell, and the truth.

use rand::{Rng, SeedableRng, rngs::StdRng};
use secp256k1::{Keypair, Message, SecretKey, ecdsa as theirs, schnorr as their_schnorr};

use super::*;
use crate::algorithm::{Algorithm, EcdsaRule, RecoverRule};
use crate::algorithms::secp256k1::integer::to_be;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::batch::{Batch, Job};
use crate::parsed::Parsed;
use crate::pinned::{Budget, PinnedKeys};
use crate::verdict::Rooted;

const ALL: [Algorithm; 3] = [
    Algorithm::EcdsaSecp256k1(EcdsaRule::Compact),
    Algorithm::SchnorrBip340,
    Algorithm::RecoverSecp256k1(RecoverRule::EthereumFrontier),
];

/// Valid signatures, such over other messages, and, for `odd` places, random ones and keys of
/// which half are no points.
fn operands(algorithm: Algorithm, items: usize, odd: bool) -> Operands {
    let mut random = StdRng::seed_from_u64(51);
    let mut batch = Batch::open(algorithm);
    for item in 0..items {
        let secret = SecretKey::from_secret_bytes(random.random()).expect("in range");
        let pair = Keypair::from_secret_key(&secret);
        let mut message: [u8; 32] = random.random();
        let digest = Message::from_digest(message);
        let signed = theirs::RecoverableSignature::sign_ecdsa_recoverable(digest, &secret);
        let (id, mut signature) = signed.serialize_compact();
        let mut key = secp256k1::PublicKey::from_secret_key(&secret).serialize().to_vec();
        if item % 5 == 1 {
            key = secp256k1::PublicKey::from_secret_key(&secret).serialize_uncompressed().into();
        }
        let mut x_only = pair.x_only_public_key().0.to_byte_array();
        if algorithm == Algorithm::SchnorrBip340 {
            signature = their_schnorr::sign_no_aux_rand(&message, &pair).to_byte_array();
        }
        if item % 3 == 1 {
            message[5] ^= 1;
        }
        if odd && item % 7 == 3 {
            random.fill(&mut signature);
            random.fill(&mut x_only);
            key = [&[2 + (item & 1) as u8][..], &x_only].concat();
        }
        let job = match algorithm {
            Algorithm::SchnorrBip340 => {
                Job::Schnorr { message: &message, signature: &signature, key: &x_only }
            }
            Algorithm::RecoverSecp256k1(_) => Job::Recover {
                message: &message,
                signature: &signature,
                recovery_id: id.to_u8() & 1,
            },
            _ => Job::Ecdsa { message: &message, signature: &signature, key: &key },
        };
        batch.push(job).expect("room");
    }
    let parsed = Parsed::parse(batch.seal());
    assert_eq!(parsed.live(), items, "nothing is out of range");
    parsed.operands().clone()
}

/// Signatures under a few pinned keys, some over other messages, some by another's key.
fn pinned_operands(algorithm: Algorithm, items: usize) -> Operands {
    let mut random = StdRng::seed_from_u64(54);
    let pairs: Vec<Keypair> = (0..5)
        .map(|_| SecretKey::from_secret_bytes(random.random()).expect("in range"))
        .map(|secret| Keypair::from_secret_key(&secret))
        .collect();
    // Of either parity: for BIP 340 x names the even one.
    let keys: Vec<[u8; 33]> = pairs.iter().map(|pair| pair.public_key().serialize()).collect();
    let keys = PinnedKeys::new(Isa::PORTABLE, &keys, &Budget::new(1 << 20)).expect("keys");
    let mut batch = Batch::open_pinned(algorithm, &keys).expect("it has keys");
    for item in 0..items {
        let key = random.random_range(0..if item % 11 == 0 { 5 } else { 3 });
        let pair = &pairs[if item % 5 == 2 { 0 } else { key as usize }];
        let mut message: [u8; 32] = random.random();
        let digest = Message::from_digest(message);
        let ecdsa = theirs::sign(digest, &pair.secret_key()).serialize_compact();
        let schnorr = their_schnorr::sign_no_aux_rand(&message, pair).to_byte_array();
        message[7] ^= u8::from(item % 3 == 1);
        let job = match algorithm {
            Algorithm::SchnorrBip340 => {
                Job::SchnorrPinned { message: &message, signature: &schnorr, key }
            }
            _ => Job::EcdsaPinned { message: &message, signature: &ecdsa, key },
        };
        batch.push(job).expect("room");
    }
    Parsed::parse(batch.seal()).operands().clone()
}

/// What a correct device sends, all in affine form or as the kernels compute it.
fn honest(operands: &Operands, affine: bool) -> Evidence {
    let isa = *Isa::all().last().expect("portable is always there");
    let blank = |items| vec![Point { x: ZERO, y: ZERO, z: ZERO }; items];
    let mut points = match operands {
        Operands::Ecdsa(operands) => {
            let mut points = blank(operands.r.len());
            ecdsa::points(isa, operands, 0..points.len(), &mut points);
            points
        }
        Operands::Schnorr(operands) => {
            let mut points = blank(operands.r.len());
            schnorr::points(isa, operands, 0..points.len(), &mut points);
            points
        }
        Operands::Recover(operands) => {
            let mut keys = vec![[0; 64]; operands.r.len()];
            recover::recover(isa, operands, 0..keys.len(), &mut keys);
            return Evidence::Keys(keys);
        }
        Operands::Columns => unreachable!("signatures"),
    };
    if affine {
        for point in &mut points {
            if let Some([x, y]) = OneLane::load(point).to_affine() {
                *point = Point { x, y, z: [1, 0, 0, 0] };
            }
        }
    }
    Evidence::Points(points)
}

fn get(evidence: &Evidence, item: usize) -> Point {
    match evidence {
        Evidence::Points(points) => points[item],
        Evidence::Keys(keys) => point_of(&keys[item]),
        _ => unreachable!("signatures"),
    }
}

/// Sets a point, in affine form; a recovered key has no other.
fn set(evidence: &mut Evidence, item: usize, point: OneLane) {
    let affine = point.to_affine();
    match evidence {
        Evidence::Points(points) => {
            let [x, y] = affine.unwrap_or_default();
            points[item] = Point { x, y, z: [u64::from(affine.is_some()), 0, 0, 0] };
        }
        Evidence::Keys(keys) => {
            let [x, y] = affine.unwrap_or_default();
            keys[item][..32].copy_from_slice(&to_be(&x));
            keys[item][32..].copy_from_slice(&to_be(&y));
        }
        _ => unreachable!("signatures"),
    }
}

/// Whether two points of evidence are the same.
fn same(a: &Evidence, b: &Evidence, item: usize) -> bool {
    OneLane::load(&get(a, item)).is(OneLane::load(&get(b, item)))
}

fn generator() -> Affine<Scalar5x52> {
    let [x, y] = Secp256k1::GENERATOR.map(|words| Scalar5x52::splat(&words));
    Affine { x, y }
}

fn minus(a: Affine<Scalar5x52>) -> Affine<Scalar5x52> {
    a.negate_where(true)
}

fn levels() -> Vec<Isa> {
    let all = Isa::all();
    let mut levels = vec![all[0], all[all.len() - 1]];
    levels.dedup();
    levels
}

/// The audit of all entries names exactly those whose points differ from the honest ones, by one
/// equation from the first item on as by the usual choice.
fn finds(what: &str, operands: &Operands, honest: &Evidence, told: &Evidence) {
    let items = match told {
        Evidence::Points(points) => points.len(),
        Evidence::Keys(keys) => keys.len(),
        _ => unreachable!("signatures"),
    };
    let wrong: Vec<_> = (0..items).filter(|&item| !same(honest, told, item)).collect();
    for isa in levels() {
        for least in [1, LEAST] {
            let plan = Plan::measure(isa);
            let found = audit_from(least, isa, plan, operands, told, &[], 0..items);
            assert_eq!(found, wrong, "{what}: {items} items, {isa}, from {least}");
        }
    }
}

fn sizes() -> &'static [usize] {
    if cfg!(debug_assertions) { &[1, 2, 33, 64, 257] } else { &[1, 2, 33, 63, 64, 65, 257, 1_025] }
}

#[test]
fn every_lie_is_found() {
    let mut random = StdRng::seed_from_u64(52);
    for (&items, algorithm) in sizes().iter().flat_map(|size| ALL.map(|all| (size, all))) {
        let operands = operands(algorithm, items, false);
        let honest = honest(&operands, items % 2 == 0);
        let place = random.random_range(0..items);
        let other = (place + random.random_range(0..items)) % items;
        let [truth, neighbour] = [place, other].map(|at| OneLane::load(&get(&honest, at)));
        let affine = |point: OneLane| {
            let [x, y] = point.to_affine().expect("finite").map(|words| Scalar5x52::splat(&words));
            Affine { x, y }
        };
        let g = generator();
        let lie = |what: &str, lies: &[(usize, OneLane)]| {
            let mut told = honest.clone();
            for &(at, point) in lies {
                set(&mut told, at, point);
            }
            finds(&format!("{algorithm}, {what}"), &operands, &honest, &told);
        };
        lie("R + G", &[(place, truth.add_complete(g))]);
        lie("-R", &[(place, minus(affine(truth)).to_jacobian())]);
        lie("2 R", &[(place, truth.double())]);
        lie("infinity", &[(place, OneLane::infinity())]);
        lie("another's", &[(place, neighbour)]);
        lie("swapped", &[(place, neighbour), (other, truth)]);
        lie("first and last", &[(0, g.to_jacobian()), (items - 1, g.to_jacobian())]);
        if other != place {
            let up = truth.add_complete(g);
            let down = neighbour.add_complete(minus(g));
            lie("errors that cancel", &[(place, up), (other, down)]);
        }
        let all: Vec<_> =
            (0..items).map(|at| (at, OneLane::load(&get(&honest, at)).add_complete(g))).collect();
        lie("all replaced", &all);
        let shifted: Vec<_> =
            (0..items).map(|at| (at, OneLane::load(&get(&honest, (at + 1) % items)))).collect();
        lie("all shifted", &shifted);
    }
}

/// Evidence that is no point of the curve at all, and points where there is none.
#[test]
fn impossible_evidence_is_named() {
    for (&items, algorithm) in sizes().iter().flat_map(|size| ALL.map(|all| (size, all))) {
        let operands = operands(algorithm, items, true);
        let honest = honest(&operands, true);
        let place = items / 2;
        let Point { x, y, z } = get(&honest, place);
        let off = [x[0] ^ 1, x[1], x[2], x[3]];
        let points = [
            [off, y, [1, 0, 0, 0]],
            [x, off, [1, 0, 0, 0]],
            [P, y, [1, 0, 0, 0]],
            [x, [u64::MAX; 4], [1, 0, 0, 0]],
            [x, y, P],
            [x, y, [2, 0, 0, 0]],
            [[5, 0, 0, 0], ZERO, [1, 0, 0, 0]],
        ];
        for [x, y, scale] in points {
            let mut told = honest.clone();
            match &mut told {
                Evidence::Points(points) => points[place] = Point { x, y, z: scale },
                Evidence::Keys(keys) if scale == [1, 0, 0, 0] => {
                    keys[place][..32].copy_from_slice(&to_be(&x));
                    keys[place][32..].copy_from_slice(&to_be(&y));
                }
                _ => continue,
            }
            for isa in levels() {
                for least in [1, LEAST] {
                    let plan = Plan::measure(isa);
                    let found = audit_from(least, isa, plan, &operands, &told, &[], 0..items);
                    assert_eq!(found, [place], "{algorithm}: {items} items, {isa}, {z:?}");
                }
            }
        }
        let mut told = honest.clone();
        (0..items).for_each(|at| set(&mut told, at, generator().to_jacobian()));
        finds("the generator everywhere", &operands, &honest, &told);
        (0..items).for_each(|at| set(&mut told, at, OneLane::infinity()));
        finds("no point anywhere", &operands, &honest, &told);
    }
}

/// Valid and invalid signatures, keys that are no points, points of every form: nothing is wrong, in
/// any range, but another y than the point's where the operands do not say it.
#[test]
fn honest_evidence_is_proved() {
    let mut random = StdRng::seed_from_u64(53);
    for (&items, algorithm) in sizes().iter().flat_map(|size| ALL.map(|all| (size, all))) {
        let operands = operands(algorithm, items, true);
        for affine in [false, true] {
            let honest = honest(&operands, affine);
            finds("honest", &operands, &honest, &honest);
            let y = |item: usize| {
                let (x, form, y) = match &operands {
                    Operands::Ecdsa(operands) => operands.point(item),
                    Operands::Schnorr(operands) => operands.point(item),
                    Operands::Recover(operands) => operands.point(item),
                    Operands::Columns => unreachable!("signatures"),
                };
                let prefix = if form == KeyForm::Odd { 3 } else { 2 };
                let encoded = [&[prefix][..], &to_be(&x)].concat();
                let read = crate::algorithms::secp256k1::key::point(&encoded);
                let right = if form == KeyForm::Full { y } else { read.map_or(y, |[_, y]| y) };
                (right, form == KeyForm::Full)
            };
            let (right, given): (Vec<Words>, Vec<bool>) = (0..items).map(y).unzip();
            let negated = |y: &Words| crate::algorithms::secp256k1::integer::sub(&P, y).0;
            let opposite: Vec<Words> = right.iter().map(negated).collect();
            let any: Vec<Words> = (0..items).map(|_| random.random()).collect();
            let mixed: Vec<Words> = (0..items)
                .map(|item| {
                    let another = right[(item + 1) % items];
                    let choice = random.random_range(0..5);
                    [right[item], any[item], opposite[item], another, ZERO][choice]
                })
                .collect();
            for roots in [&right, &opposite, &any, &mixed] {
                let lie = |&item: &usize| {
                    !given[item] && roots[item] != ZERO && roots[item] != right[item]
                };
                for isa in levels() {
                    let plan = Plan::measure(isa);
                    for range in [0..items, items / 3..items, 0..0, 0..items.div_ceil(2)] {
                        let wrong =
                            audit_from(1, isa, plan, &operands, &honest, roots, range.clone());
                        let lies: Vec<_> = range.clone().filter(lie).collect();
                        assert_eq!(wrong, lies, "{algorithm}: {range:?} of {items}, {isa}");
                        // Where the equation is not worth it, roots are not read.
                        let usual = audit(isa, plan, &operands, &honest, roots, range.clone());
                        let lies = if range.len() < LEAST { Vec::new() } else { lies };
                        assert_eq!(usual, lies);
                        let (evidence, roots) = (honest.clone(), roots.clone());
                        let rooted = Evidence::Rooted(Box::new(Rooted { evidence, roots }));
                        assert_eq!(audit(isa, plan, &operands, &rooted, &[], range), lies);
                    }
                }
            }
        }
    }
}

/// Items that share a key share its multiple, and lies are found all the same.
#[test]
fn pinned_batches_are_proved() {
    for (&items, algorithm) in sizes().iter().flat_map(|size| [(size, ALL[0]), (size, ALL[1])]) {
        let operands = pinned_operands(algorithm, items);
        let honest = honest(&operands, true);
        finds("pinned, honest", &operands, &honest, &honest);
        let g = generator();
        let (place, other) = (items / 2, items - 1);
        let [truth, neighbour] = [place, other].map(|at| OneLane::load(&get(&honest, at)));
        let mut told = honest.clone();
        set(&mut told, place, truth.add_complete(g));
        finds("pinned, R + G", &operands, &honest, &told);
        if place != other {
            set(&mut told, other, neighbour.add_complete(minus(g)));
            finds("pinned, errors that cancel", &operands, &honest, &told);
        }
        set(&mut told, place, OneLane::infinity());
        finds("pinned, infinity", &operands, &honest, &told);
        for isa in levels() {
            let found = audit(isa, Plan::measure(isa), &operands, &told, &[], items / 3..items);
            let wrong = (items / 3..items).filter(|&item| !same(&honest, &told, item));
            assert_eq!(found, wrong.collect::<Vec<_>>(), "{algorithm}: a part of {items}, {isa}");
        }
    }
}

/// Indices past all tables share nothing, and a key that is no point has no points.
#[test]
fn pinned_keys_of_any_index_are_taken() {
    let mut operands = pinned_operands(ALL[1], 300);
    let honest = honest(&operands, true);
    let Operands::Schnorr(schnorr) = &mut operands else { unreachable!("BIP 340") };
    schnorr.pinned[7] = u32::MAX;
    finds("an index of 32 bits", &operands, &honest, &honest);
    let Operands::Schnorr(schnorr) = &mut operands else { unreachable!("BIP 340") };
    schnorr.pinned[7] = 5;
    schnorr.key[7] = [5, 0, 0, 0];
    let mut told = honest.clone();
    set(&mut told, 7, OneLane::infinity());
    finds("no key", &operands, &told, &told);
    finds("a point of no key", &operands, &told, &honest);
}

/// A wrong point beside a wrong y, of one item and of two: each is named once.
#[test]
fn false_roots_hide_nothing() {
    let g = generator();
    for algorithm in ALL {
        let (items, place, other) = (130, 77, 12);
        let operands = operands(algorithm, items, false);
        let mut told = honest(&operands, true);
        let mut roots = vec![ZERO; items];
        for (point, root) in [(place, place), (place, other), (other, place)] {
            let truth = OneLane::load(&get(&told, point));
            set(&mut told, point, truth.add_complete(g));
            roots[root] = [7, 0, 0, 1];
            for isa in levels() {
                let found = audit(isa, Plan::measure(isa), &operands, &told, &roots, 0..items);
                let mut wrong = vec![point, root, place];
                wrong.extend((roots[other] != ZERO).then_some(other));
                wrong.sort_unstable();
                wrong.dedup();
                assert_eq!(found, wrong, "{algorithm}, {isa}");
            }
        }
    }
}

#[test]
fn other_evidence_proves_nothing() {
    let operands = operands(ALL[0], 3, false);
    let isa = Isa::PORTABLE;
    for evidence in [Evidence::Nothing, Evidence::Keys(vec![[0; 64]; 3])] {
        let wrong = audit(isa, Plan::PORTABLE, &operands, &evidence, &[], 1..3);
        assert_eq!(wrong, [1, 2]);
    }
}

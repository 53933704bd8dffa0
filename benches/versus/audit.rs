//! The proof of a device's points against computing them: how far below one the audit's share of a
//! verification stays.

use rayon::prelude::*;
use sigmill::Batch;
use sigmill::algorithms::secp256k1::audit::audit;
use sigmill::algorithms::secp256k1::{ecdsa, key, recover, schnorr};
use sigmill::algorithms::sha256::Plan;
use sigmill::isa::Isa;
use sigmill::parsed::{KeyForm, Operands, Parsed, Words};
use sigmill::verdict::{Evidence, Point, Reason, Verdict};

use crate::Case;
use crate::workload::{self, Signed};

/// Items of a piece that the CPU verifies, as in its backend.
const PIECE: usize = 512;

/// Runs the cases, over all of `signed` and over 4,096.
pub fn run(signed: &[Signed], measure: &mut dyn FnMut(Case<'_>)) {
    let isa = Isa::detect().expect("a level");
    let mut sizes = vec![4_096, signed.len()];
    sizes.dedup();
    for size in sizes {
        let items = &signed[..size];
        one("ecdsa-audit", isa, workload::ecdsa_batch(items), measure);
        one("schnorr-audit", isa, workload::schnorr_batch(items), measure);
        one("recover-audit", isa, workload::recover_batch(items), measure);
    }
}

/// One algorithm: where y of the keys is to be computed, and where somebody knows it.
fn one(name: &str, isa: Isa, batch: Batch, measure: &mut dyn FnMut(Case<'_>)) {
    let plan = Plan::measure(isa);
    let parsed = Parsed::parse(batch);
    let (operands, size) = (parsed.operands(), parsed.live());
    let evidence = evidence(isa, operands, size);
    let roots: Vec<Words> = (0..size).map(|item| root(operands, item)).collect();
    let part = size.div_ceil(rayon::current_num_threads());
    for (known, roots) in [("", &[][..]), ("-y", &roots)] {
        measure(Case {
            name: format!("{name}{known}/{size}"),
            baseline: "ours, computed",
            items: size,
            ours: Box::new(|| {
                (0..size.div_ceil(part)).into_par_iter().for_each(|index| {
                    let range = index * part..size.min((index + 1) * part);
                    let wrong = audit(isa, plan, operands, &evidence, roots, range);
                    assert!(wrong.is_empty(), "honest points were not proved");
                });
            }),
            theirs: verify(isa, operands, size),
        });
    }
}

/// The points that a device would send, affine.
fn evidence(isa: Isa, operands: &Operands, size: usize) -> Evidence {
    let mut points = vec![Point { x: [0; 4], y: [0; 4], z: [0; 4] }; size];
    match operands {
        Operands::Ecdsa(operands) => ecdsa::points(isa, operands, 0..size, &mut points),
        Operands::Schnorr(operands) => schnorr::points(isa, operands, 0..size, &mut points),
        Operands::Recover(operands) => {
            let mut keys = vec![[0; 64]; size];
            recover::recover(isa, operands, 0..size, &mut keys);
            return Evidence::Keys(keys);
        }
        Operands::Columns => unreachable!("signatures"),
    }
    for point in &mut points {
        let [x, y] = sigmill::algorithms::secp256k1::point::OneLane::load(point)
            .to_affine()
            .expect("R of a valid signature");
        *point = Point { x, y, z: [1, 0, 0, 0] };
    }
    Evidence::Points(points)
}

/// y of the point that an item names by x.
pub fn root(operands: &Operands, item: usize) -> Words {
    let (x, odd) = match operands {
        Operands::Ecdsa(o) => (o.keys.x[item], o.keys.form[item] == KeyForm::Odd),
        Operands::Schnorr(o) => (o.key[item], false),
        Operands::Recover(o) => (o.r[item], o.parity[item] & 1 == 1),
        Operands::Columns => unreachable!("signatures"),
    };
    let x = sigmill::algorithms::secp256k1::integer::to_be(&x);
    // A canary's key may be none.
    key::point(&[&[2 + u8::from(odd)][..], &x].concat()).map_or([0; 4], |[_, y]| y)
}

/// Verification, or recovery, by the kernels, each item for itself.
fn verify<'a>(isa: Isa, operands: &'a Operands, size: usize) -> Box<dyn FnMut() + 'a> {
    let mut verdicts = vec![Verdict::Invalid(Reason::Equation); size];
    let mut keys = vec![[0; 64]; size];
    Box::new(move || match operands {
        Operands::Recover(operands) => {
            keys.par_chunks_mut(PIECE).enumerate().for_each(|(index, out)| {
                let start = index * PIECE;
                recover::recover(isa, operands, start..start + out.len(), out);
            });
        }
        _ => verdicts.par_chunks_mut(PIECE).enumerate().for_each(|(index, out)| {
            let range = index * PIECE..index * PIECE + out.len();
            match operands {
                Operands::Ecdsa(operands) => ecdsa::verify(isa, operands, range, out),
                Operands::Schnorr(operands) => schnorr::verify(isa, operands, range, out),
                _ => unreachable!("signatures"),
            }
            assert!(out.iter().all(|verdict| verdict.is_valid()));
        }),
    })
}

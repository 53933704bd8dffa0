//! The price of each trust level: what the host does with a device's evidence, canaries included, against computing
//! the batch itself.

use std::sync::Arc;

use sigmill::algorithms::secp256k1::point::OneLane;
use sigmill::dispatch::Check;
use sigmill::dispatch::examine::{Host, Sent, host};
use sigmill::dispatch::random::Random;
use sigmill::isa::Isa;
use sigmill::parsed::{Operands, Parsed};
use sigmill::verdict::{Evidence, Point, Rooted};
use sigmill::{Algorithm, Answers, Batch, Trust};

use crate::Case;
use crate::workload::{self, Signed};

/// Runs the cases over 4,096 items.
pub fn run(signed: &[Signed], measure: &mut dyn FnMut(Case<'_>)) {
    let items = &signed[..signed.len().min(4_096)];
    one("ecdsa", workload::ecdsa_batch(items), measure);
    one("recover", workload::recover_batch(items), measure);
    let messages = workload::messages(items.len(), 32);
    one("sha256", workload::hash_batch(Algorithm::Sha256, &messages), measure);
}

fn one(name: &str, batch: Batch, measure: &mut dyn FnMut(Case<'_>)) {
    let host = host(Isa::detect().expect("a level"));
    let whole = Arc::new(Parsed::parse(batch));
    let size = whole.live();
    let digests = whole.algorithm().value_bytes() == 32;
    for trust in Trust::ALL {
        let sample = match trust {
            Trust::Fast => 0,
            Trust::Checked => size.div_ceil(256),
            Trust::Audited if digests => size / Trust::SAMPLE,
            Trust::Audited => 0,
        };
        let check = Check { trust, sample, believe: false };
        let mut random = Random::seeded(1);
        // Canaries are new each time: the device's part is the same and is left out.
        let sent = Sent::to_device(&host, &mut random, whole.clone(), 0..size, check, None);
        let evidence = compute(&host, sent.batch());
        let mut answers = Answers::blank(whole.algorithm());
        let (mut kept, mut memory) = (evidence.clone(), None);
        measure(Case {
            name: format!("{name}-{trust}/{size}"),
            baseline: "ours, computed",
            items: size,
            ours: Box::new(|| {
                // In the memory of the one before, as a lane's thread does.
                let again = (whole.clone(), memory.take());
                let next = Sent::to_device(&host, &mut random, again.0, 0..size, check, again.1);
                memory = next.into_memory();
                refill(&mut kept, &evidence);
                let examined = sent.examine(&host, &mut random, false, &mut kept, &mut answers);
                examined.expect("an honest device");
            }),
            theirs: Box::new(|| {
                std::hint::black_box(host.compute(&whole));
            }),
        });
    }
}

/// Writes evidence into the memory of an earlier one.
fn refill(kept: &mut Evidence, evidence: &Evidence) {
    match (kept, evidence) {
        (Evidence::Points(kept), Evidence::Points(points)) => kept.clone_from(points),
        (Evidence::Keys(kept), Evidence::Keys(keys)) => kept.clone_from(keys),
        (Evidence::Digests(kept), Evidence::Digests(digests)) => kept.clone_from(digests),
        (kept, other) => *kept = other.clone(),
    }
}

/// What a device sends: its points affine, and roots where they are wanted.
fn compute(host: &dyn Host, batch: &Parsed) -> Evidence {
    let evidence = points(host, batch);
    let operands = batch.operands();
    if !batch.wants_roots() || matches!(operands, Operands::Columns) {
        return evidence;
    }
    let roots = (0..batch.live()).map(|item| crate::audit::root(operands, item)).collect();
    Evidence::Rooted(Box::new(Rooted { evidence, roots }))
}

fn points(host: &dyn Host, batch: &Parsed) -> Evidence {
    let points = match batch.operands() {
        Operands::Recover(_) | Operands::Columns => return host.compute(batch),
        operands => host.points(operands),
    };
    let affine = |point: &Point| {
        let [x, y] = OneLane::load(point).to_affine().expect("no point is infinity");
        Point { x, y, z: [1, 0, 0, 0] }
    };
    Evidence::Points(points.iter().map(affine).collect())
}

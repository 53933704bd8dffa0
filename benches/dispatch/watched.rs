//! What it costs to record where time goes: the same work on the same engine, recorded and not.

use std::time::Duration;

use sigmill::{Algorithm, Batch, Engine, Job};

use crate::engines;
use crate::plugged::{Work, work};

/// Spans that are kept: a second of the shortest batches loses some, which costs the same.
const SPANS: usize = 1 << 18;

pub fn run(json: bool, quick: bool) {
    let rounds = if quick { 5 } else { 21 };
    let span = Duration::from_millis(if quick { 30 } else { 200 });
    let works: [Work; 5] = [
        ("sha256", engines::sha256, 1),
        ("merkle", merkle, 1),
        ("ecdsa", engines::ecdsa, 1),
        ("ecdsa", engines::ecdsa, 256),
        ("ecdsa", engines::ecdsa, 4_096),
    ];
    let engine = Engine::builder().open().expect("an engine");
    for (name, make, jobs) in works {
        let recorded = || {
            let _recording = engine.record(SPANS).expect("the only one");
            work(&engine, make, jobs, span)
        };
        work(&engine, make, jobs, span);
        let mut ratios: Vec<f64> = (0..rounds)
            .map(|round| {
                if round % 2 == 0 {
                    let off = work(&engine, make, jobs, span);
                    recorded() / off
                } else {
                    let on = recorded();
                    on / work(&engine, make, jobs, span)
                }
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        let (least, median, most) = (ratios[0], ratios[rounds / 2], ratios[rounds - 1]);
        if json {
            println!(
                "{{\"path\":\"watched\",\"work\":\"{name}\",\"jobs\":{jobs},\
                 \"rate_to_unwatched\":{{\"min\":{least:.3},\"median\":{median:.3},\"max\":{most:.3}}}}}"
            );
        } else {
            println!(
                "watched {name}/{jobs}: {median:.3} of the rate while nobody records ({least:.3} to {most:.3})"
            );
        }
    }
}

fn merkle(jobs: usize) -> Batch {
    let mut batch = Batch::open(Algorithm::MerkleRootSha256d);
    for job in 0..jobs {
        let leaves = [[job as u8; 32]; 16];
        batch.push(Job::MerkleRoot { leaves: &leaves }).expect("room");
    }
    batch.seal()
}

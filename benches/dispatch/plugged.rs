//! What a device costs that does not pay: the same work with the CPU alone and with a slow accelerator beside it,
//! once its probation is over.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sigmill::{Batch, Device, Engine, Terms};

use crate::engines;

/// A name, what makes a batch of it, and the jobs of each.
pub type Work = (&'static str, fn(usize) -> Batch, usize);

const IN_FLIGHT: usize = 4;

pub fn run(json: bool, quick: bool) {
    let rounds = if quick { 5 } else { 21 };
    let works: [Work; 5] = [
        ("ecdsa", engines::ecdsa, 1),
        ("ecdsa", engines::ecdsa, 256),
        ("ecdsa", engines::ecdsa, 4_096),
        ("sha256", engines::sha256, 64),
        ("sha256", engines::sha256, 16_384),
    ];
    for times in [4, 50] {
        for (name, make, jobs) in works {
            let alone = open(None);
            let plugged = open(Some(engines::slow(times)));
            let span = Duration::from_millis(if quick { 50 } else { 200 });
            // Probation, and the settling of what it costs.
            let before = work(&plugged, make, jobs, 20 * span);
            work(&alone, make, jobs, span);
            let mut ratios: Vec<f64> = (0..rounds)
                .map(|round| {
                    if round % 2 == 0 {
                        let alone = work(&alone, make, jobs, span);
                        work(&plugged, make, jobs, span) / alone
                    } else {
                        let plugged = work(&plugged, make, jobs, span);
                        plugged / work(&alone, make, jobs, span)
                    }
                })
                .collect();
            ratios.sort_by(f64::total_cmp);
            let (least, median, most) = (ratios[0], ratios[rounds / 2], ratios[rounds - 1]);
            let device = &plugged.snapshot().devices[1];
            let (batches, health) = (device.batches, device.health.name());
            if json {
                println!(
                    "{{\"path\":\"plugged-{times}x\",\"work\":\"{name}\",\"jobs\":{jobs},\
                     \"rate_to_alone\":{{\"min\":{least:.3},\"median\":{median:.3},\"max\":{most:.3}}},\
                     \"device_batches\":{batches},\"health\":\"{health}\"}}"
                );
            } else {
                println!(
                    "plugged-{times}x {name}/{jobs}: {median:.3} of the CPU's rate alone ({least:.3} to {most:.3}); \
                     {batches} batches went to the device, {health}; {before:.0} jobs/s while it settled"
                );
            }
        }
    }
}

fn open(device: Option<Device>) -> Engine {
    let builder = Engine::builder().probation(Duration::from_millis(50));
    let builder = match device {
        Some(device) => builder.device(device),
        None => builder,
    };
    builder.open().expect("an engine")
}

/// Jobs a second over a span.
pub fn work(engine: &Engine, make: fn(usize) -> Batch, jobs: usize, span: Duration) -> f64 {
    let parsed = engine.parse(make(jobs));
    let started = Instant::now();
    let (mut tickets, mut done) = (VecDeque::new(), 0);
    while started.elapsed() < span {
        tickets.push_back(engine.submit_parsed(parsed.clone(), Terms::default()).expect("room"));
        if tickets.len() == IN_FLIGHT {
            tickets.pop_front().expect("some are in flight").wait();
            done += jobs;
        }
    }
    for ticket in tickets {
        ticket.wait();
        done += jobs;
    }
    done as f64 / started.elapsed().as_secs_f64()
}

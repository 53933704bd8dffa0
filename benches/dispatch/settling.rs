//! How many batches reach the slower of two devices, the accelerator being without probation.

use std::time::Duration;

use sigmill::isa::Isa;
use sigmill::{Device, Engine, Terms};

use crate::engines;

const JOBS: usize = 100;

pub fn run(json: bool, quick: bool) {
    let batches = if quick { 2_000 } else { 20_000 };
    let best = Isa::detect().expect("a level");
    for times in [4, 50] {
        settle(json, &format!("slow-{times}x"), best, engines::slow(times), batches);
    }
    if best == Isa::PORTABLE {
        eprintln!("settling: no fast device, this machine has plain kernels only");
        return;
    }
    settle(json, "fast", Isa::PORTABLE, engines::fast(), batches);
}

/// The accelerator beside a CPU of this level; one batch after the other, each to where it ends first.
fn settle(json: bool, name: &str, isa: Isa, device: Device, batches: u64) {
    let builder = Engine::builder().threads(1).isa(isa).probation(Duration::ZERO);
    let engine = builder.device(device).open().expect("an engine");
    let parsed = engine.parse(engines::ecdsa(JOBS));
    let step =
        || drop(engine.submit_parsed(parsed.clone(), Terms::default()).expect("room").wait());
    let counts = || [0, 1].map(|device| engine.snapshot().devices[device].batches);
    let (mut last, mut parts) = (counts(), Vec::new());
    for _ in 0..4 {
        (0..batches / 4).for_each(|_| step());
        let now = counts();
        parts.push([now[0] - last[0], now[1] - last[1]]);
        last = now;
    }
    let health = engine.snapshot().devices[1].health.name();
    let of = |device: usize| parts.iter().map(|part| part[device].to_string()).collect::<Vec<_>>();
    let (cpu, device) = (of(0), of(1));
    if json {
        let (cpu, device) = (cpu.join(","), device.join(","));
        println!(
            "{{\"path\":\"settling-{name}\",\"batches\":{batches},\"cpu\":[{cpu}],\"device\":[{device}],\
             \"health\":\"{health}\"}}"
        );
    } else {
        let (cpu, device) = (cpu.join(" + "), device.join(" + "));
        println!(
            "settling-{name}: of {batches} batches the CPU did {cpu}, the device {device}; {health}"
        );
    }
}

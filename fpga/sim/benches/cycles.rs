//! Clock cycles of the simulated card at 4,096 jobs, rings included: exact, and the same on every machine. What
//! follows of them for a card is a projection, and printed as one.

#[path = "../tests/card/host.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod host;

use host::{Host, keccak256, run, secp256k1, sha256};

const JOBS: u32 = 4_096;

fn main() {
    if let Err(absent) = fpga_sim::Model::new() {
        println!("skipped: fpga=sim: {absent}");
        return;
    }
    println!("{JOBS} jobs each, from the tail's write to the last completion");
    println!("{:34} {:>12} {:>10} {:>8}", "", "cycles", "a job", "busy");
    let messages: Vec<_> = (0..JOBS).map(|number| vec![number as u8; 64]).collect();
    let each = |job: &dyn Fn(u32) -> Vec<u8>| -> Vec<Vec<u8>> { (0..JOBS).map(job).collect() };
    measure("sha256, one block", 0x84, 1, each(&|tag| sha256(tag, b"one block", false)));
    measure("sha256 twice, one block", 0x84, 1, each(&|tag| sha256(tag, b"one block", true)));
    measure("sha256, 17 blocks", 0x84, 1, each(&|tag| sha256(tag, &[7; 1_024], false)));
    measure("sha256d, 64 bytes, in one run", 0x94, 1, vec![run(0, &messages)]);
    measure("keccak256, one block", 0xa4, 1, each(&|tag| keccak256(tag, b"one block")));
    let point = |tag: u32| secp256k1(tag.into()).lines(tag).to_vec();
    let cycles = measure("secp256k1, u1 G + u2 Q", 0xb4, 2, each(&point));

    let (clock, cores) = (300e6, 16.0);
    println!(
        "projection, not a measurement: at 300 MHz, which no tool has confirmed for these adders, 16 cores fed \
         without pause would give {:.2} M verifications a second, {:.0} us each",
        cores * clock / cycles / 1e6,
        32.0 * cycles / clock * 1e6
    );
}

/// Runs jobs as the rings have room for them, prints, and gives the cycles a job. `lines`: of a completion.
fn measure(name: &str, busy: u32, lines: usize, jobs: Vec<Vec<u8>>) -> f64 {
    let mut host = Host::new();
    let mut left = JOBS as usize;
    let mut jobs = jobs.into_iter().peekable();
    let (mut before, mut after) = (None, 0);
    while left > 0 {
        let mut room = host.room();
        while let Some(job) = jobs.next_if(|job| room >= job.len() / 64) {
            room -= job.len() / 64;
            host.note(&job);
            host.write(&job);
        }
        before.get_or_insert_with(|| host.cycles());
        host.ring();
        host.wait(if jobs.peek().is_some() { lines } else { left * lines });
        after = host.cycles();
        left -= host.read().len();
    }
    let cycles = (after - before.unwrap_or(0)) as f64;
    let share = f64::from(host.register(busy)) / cycles;
    println!("{name:34} {cycles:12.0} {:10.2} {:7.1} %", cycles / f64::from(JOBS), 100.0 * share);
    cycles / f64::from(JOBS)
}

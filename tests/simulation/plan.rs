//! What a seed means: the lanes, the bounds, and what is submitted when.

use sigmill::batch::Shape;
use sigmill::dispatch::lane::LaneConfig;
use sigmill::dispatch::random::Random;
use sigmill::dispatch::{Class, Limits, Nanos, Order, Policy};
use sigmill::{Algorithm, Source, Trust};

use crate::device::{self, Nature};
use crate::items::{ALL, Ware};

pub const MS: Nanos = 1_000_000;

/// Batches of a seed.
pub const BATCHES: usize = 200;

pub struct Plan {
    pub limits: Limits,
    pub policy: Policy,
    /// The host's CPU, if it is a lane.
    pub host: Option<LaneConfig>,
    pub devices: Vec<Nature>,
    /// Of each device: it is opened while the engine runs.
    pub later: Vec<bool>,
    pub orders: Vec<Submission>,
    /// Time of one item on one core of the host.
    pub host_unit: Nanos,
    pub threads: u64,
    /// When every device is lost, the clock jumps, the engine is given up.
    pub all_lost: Option<Nanos>,
    pub jump: Option<Nanos>,
    pub restart: Option<Nanos>,
}

pub struct Submission {
    pub at: Nanos,
    pub ware: usize,
    pub shape: Shape,
    pub class: Class,
    pub source: Option<Source>,
    pub trust: Trust,
    /// Time given.
    pub given: Nanos,
    /// Its encodings were checked before.
    pub parsed: bool,
    /// So long after its submission the caller cancels it, or lets go of the ticket.
    pub cancelled: Option<Nanos>,
    pub dropped: bool,
}

impl Submission {
    pub fn order(&self, now: Nanos) -> Order {
        let deadline = now.saturating_add(self.given);
        Order {
            class: self.class,
            source: self.source,
            deadline,
            trust: self.trust,
            inline: 200_000,
        }
    }
}

impl Plan {
    pub fn new(random: &mut Random, stock: &[Ware]) -> Plan {
        let threads = 1 + random.below(4) as u64;
        let host = (random.below(3) > 0).then(|| host(random, threads as usize));
        let devices: Vec<_> = (0..random.below(4)).map(|_| device::nature(random)).collect();
        let later = devices.iter().map(|_| random.below(6) == 0).collect();
        let limits = Limits {
            items: 20_000,
            bytes: 1 << 22,
            batches: 4 + random.below(40),
            ..Limits::default()
        };
        let policy = Policy {
            recheck: [10, 100, 1_000][random.below(3)],
            probation: [0, 0, 5 * MS, 1_000 * MS][random.below(4)],
            ..Policy::default()
        };
        let span = [100, 500, 3_000, 10_000, 30_000][random.below(5)] * MS;
        let span = if random.below(20) == 0 { 150_000 * MS } else { span };
        let bursts = random.below(5) == 0;
        // All due at about the same time: what was left to a device comes back at once.
        let same = (random.below(8) == 0).then(|| (100 + random.below(2_000)) as Nanos * MS);
        let mut at = 0;
        let orders = (0..BATCHES)
            .map(|_| {
                if !bursts || random.below(10) == 0 {
                    at = random.below(span as usize) as Nanos;
                }
                let order = submission(random, stock, at);
                Submission { given: same.unwrap_or(order.given), ..order }
            })
            .collect();
        let mut at = |one_in: usize| {
            (random.below(one_in) == 0).then(|| random.below(span as usize) as Nanos)
        };
        let (all_lost, jump, restart) = (at(8), at(12), at(12));
        let host_unit = [12, 25, 45][random.below(3)] * 1_000;
        Plan {
            limits,
            policy,
            host,
            devices,
            later,
            orders,
            host_unit,
            threads,
            all_lost,
            jump,
            restart,
        }
    }
}

fn host(random: &mut Random, threads: usize) -> LaneConfig {
    let capability =
        |algorithm| sigmill::backend::Capability { algorithm, max_items: 1 << 24, judges: true };
    LaneConfig {
        capabilities: Algorithm::ALL.map(capability).to_vec(),
        width: threads,
        setup: 0,
        patience: 1_000 * MS,
        inline: random.below(4) > 0,
        host: true,
        shared: false,
    }
}

fn submission(random: &mut Random, stock: &[Ware], at: Nanos) -> Submission {
    let ware = random.below(stock.len());
    let shape = stock[ware].parsed.shape();
    assert!(ALL.contains(&shape.algorithm));
    let class = [Class::Consensus, Class::Mempool, Class::Mempool, Class::Sync][random.below(4)];
    let source = (random.below(2) == 0).then(|| Source(random.below(4) as u64));
    let trust = [Trust::Fast, Trust::Checked, Trust::Checked, Trust::Audited][random.below(4)];
    let given = match random.below(10) {
        0 => 1 + random.below(40) as Nanos,
        1..=4 => 40 + random.below(460) as Nanos,
        5..=7 => 500 + random.below(4_500) as Nanos,
        _ => 600_000,
    };
    let cancelled = (random.below(25) == 0).then(|| random.below(20_000_000) as Nanos);
    let (parsed, dropped) = (random.below(3) == 0, random.below(25) == 0);
    let given = given * MS;
    Submission { at, ware, shape, class, source, trust, given, parsed, cancelled, dropped }
}

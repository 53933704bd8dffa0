//! What goes wrong in a run: drawn from its seed.

use std::ops::Range;
use std::time::Duration;

use commonware_runtime::deterministic::{FaultConfig, PartialWriteMode, WriteConfig};
use commonware_utils::Probability;
use fastrand::Rng;

use crate::world::VALIDATORS;

/// The bits of all validators.
const ALL: u8 = (1 << VALIDATORS) - 1;

/// All that is decided before a run begins.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Milliseconds that a message takes on each link, sender by receiver.
    pub latency: [[u64; VALIDATORS]; VALIDATORS],
    pub jitter: u64,
    /// Of a hundred messages, so many are lost.
    pub loss: u64,
    /// The engine that all validators use; `None`: each of their lives has another.
    pub engine: Option<Mill>,
    /// Clients hand in at most so many transactions at a time.
    pub load: usize,
    /// Whether what a blocked validator sends still arrives.
    pub hears_blocked: bool,
    /// Blocks that become final at least.
    pub blocks: u64,
    pub byzantine: Option<(usize, Byzantine)>,
    /// Sets of validators that the state names from the beginning, beside that of the genesis: the first
    /// epoch of each, and whose bits are set. Somebody looks on in between.
    pub sets: Option<[(u64, u8); 2]>,
    /// Whether the sets are decreed, each in the epoch before its own, instead.
    pub decreed: bool,
    /// Whether there is another chain, a courier and a crook.
    pub abroad: bool,
    /// What a power loss keeps of writes that were not synced: of a thousand bytes, and which.
    pub torn: Option<(u64, PartialWriteMode)>,
    /// Whether disks run full: tasks may panic then.
    pub full: bool,
    /// Between them, the power goes.
    pub acts: Vec<Act>,
}

/// From one start of all validators to the next.
#[derive(Clone, Debug)]
pub struct Act {
    /// In order of their times, in milliseconds since the start.
    pub events: Vec<(u64, Event)>,
    pub lasts: u64,
}

/// What happens to the network or to a validator.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Validators whose bits differ do not hear each other.
    Split(u8),
    Heal,
    Crash(usize),
    /// A validator that is down starts; or it starts, dies so many milliseconds later, perhaps before
    /// it is up, and starts again.
    Restart(usize, Option<u64>),
    /// From now on, so many of a thousand writes and syncs fail, whoever's they are.
    Full(u64),
    /// The disks have room again, and whoever has stopped starts.
    Room,
}

impl Mill {
    pub const ALL: [Mill; 4] = [Mill::Sound, Mill::Bare, Mill::Full, Mill::None];
}

/// The engine that validators use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mill {
    Sound,
    /// It has no devices.
    Bare,
    /// It refuses everything.
    Full,
    /// There is none for what is not a vote.
    None,
}

/// What a validator does that it must not.
#[derive(Clone, Copy, Debug)]
pub enum Byzantine {
    /// Spoils messages, so many of a hundred.
    Spoils(u64),
    /// Runs twice, with the same keys: who hears the first, and who the second.
    Twins(u8, u8),
    /// Proposes invalid blocks, so many of a hundred.
    Lies(u64),
}

impl Plan {
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let base = rng.u64(5..=120);
        let mut plan = Plan { latency: [[base; VALIDATORS]; VALIDATORS], ..Plan::quiet(seed) };
        plan.jitter = rng.u64(0..=base / 3);
        if rng.u8(..) < 80 {
            plan.latency.as_flattened_mut().iter_mut().for_each(|one| *one = rng.u64(5..=200));
        }
        for _ in 0..rng.usize(..4).saturating_sub(1) {
            let slow = rng.u64(300..1_500);
            plan.latency[rng.usize(..VALIDATORS)][rng.usize(..VALIDATORS)] = slow;
        }
        plan.loss = if rng.bool() { rng.u64(1..=20) } else { 0 };
        plan.engine = match rng.usize(..7) {
            0 | 1 => Some(Mill::Sound),
            2 => Some(Mill::Bare),
            3 => Some(Mill::Full),
            4 => Some(Mill::None),
            _ => None,
        };
        plan.load = [2, 6, 6, 40][rng.usize(..4)];
        plan.hears_blocked = rng.bool();
        if seed % 25 == 7 {
            plan.blocks = 300; // past what is pruned
        }
        if rng.u8(..) < 140 {
            let side = |rng: &mut Rng| rng.u8(..1 << VALIDATORS);
            let kind = match rng.u8(..3) {
                0 => Byzantine::Spoils(rng.u64(1..=60)),
                1 => Byzantine::Twins(side(&mut rng), side(&mut rng)),
                _ => Byzantine::Lies(rng.u64(30..=100)),
            };
            plan.byzantine = Some((rng.usize(..VALIDATORS), kind));
        }
        let mode = if rng.bool() { PartialWriteMode::Prefix } else { PartialWriteMode::Subset };
        plan.torn = rng.bool().then(|| ([500, 900, 999][rng.usize(..3)], mode));
        let losses = [0, 0, 1, 1, 2, 4][rng.usize(..6)];
        plan.acts = (0..=losses).map(|_| Act::draw(&mut rng, plan.byzantine.is_some())).collect();
        plan.full = plan.byzantine.is_none() && rng.u8(..3) == 0;
        if plan.full {
            plan.acts.iter_mut().for_each(|act| act.fill(&mut rng));
        }
        if rng.bool() {
            // One of three must not lie.
            let out = plan.byzantine.map_or_else(|| rng.usize(..VALIDATORS), |(index, _)| index);
            let first = rng.u64(1..3);
            plan.sets = Some([(first, ALL & !(1 << out)), (first + rng.u64(1..3), ALL)]);
        }
        plan.abroad = rng.bool();
        plan
    }

    /// Nothing goes wrong.
    pub fn quiet(seed: u64) -> Self {
        Plan {
            seed,
            latency: [[50; VALIDATORS]; VALIDATORS],
            jitter: 10,
            loss: 0,
            engine: Some(Mill::Sound),
            load: 6,
            hears_blocked: false,
            blocks: 50,
            byzantine: None,
            sets: None,
            decreed: false,
            abroad: false,
            torn: None,
            full: false,
            acts: vec![Act { events: Vec::new(), lasts: 10_000 }],
        }
    }

    /// Who votes in an epoch, by index.
    pub fn members(&self, epoch: u64) -> Vec<usize> {
        let begun = |(from, _): &&(u64, u8)| *from <= epoch;
        let bits = self.sets.iter().flatten().rfind(begun).map_or(ALL, |(_, bits)| *bits);
        (0..VALIDATORS).filter(|index| (bits >> index) & 1 == 1).collect()
    }

    /// Whether a validator is honest.
    pub fn honest(&self, validator: usize) -> bool {
        self.byzantine.is_none_or(|(index, _)| index != validator)
    }

    /// How the disk behaves when so many of a thousand writes and syncs fail.
    pub fn disk(&self, fail: u64) -> FaultConfig {
        let rate = |of: u64| Probability::new(of, 1_000).unwrap();
        let (kept, mode) = self.torn.unwrap_or((0, PartialWriteMode::Prefix));
        let write = WriteConfig { failure_rate: rate(fail), retention_rate: rate(kept), mode };
        FaultConfig::default().write(write).sync(rate(fail))
    }
}

impl Act {
    fn draw(rng: &mut Rng, byzantine: bool) -> Self {
        let lasts = match rng.u8(..4) {
            0 => rng.u64(1..400), // validators may not be up yet
            1 => rng.u64(400..2_000),
            _ => rng.u64(2_000..12_000),
        };
        let mut events = Vec::new();
        let mut spells = |rng: &mut Rng,
                          most: Range<usize>,
                          long: Range<u64>,
                          make: &dyn Fn(&mut Rng) -> [Event; 2]| {
            let mut at = 0;
            for _ in 0..rng.usize(most) {
                at += if rng.u8(..4) == 0 { 0 } else { rng.u64(0..=lasts / 2) };
                let [begins, ends] = make(rng);
                events.push((at, begins));
                at += rng.u64(long.clone());
                events.push((at, ends));
            }
        };
        spells(rng, 0..3, 500..5_000, &|rng| [Event::Split(rng.u8(1..15)), Event::Heal]);
        if !byzantine {
            let long = if rng.u8(..5) == 0 { 10_000..25_000 } else { 20..4_000 };
            spells(rng, 0..4, long, &|rng| {
                let who = rng.usize(..VALIDATORS);
                let again = rng.bool().then(|| rng.u64(0..800));
                [Event::Crash(who), Event::Restart(who, again)]
            });
        }
        events.sort_by_key(|(at, _)| *at);
        Act { events, lasts }
    }

    /// The disks run full for a while; nobody crashes besides.
    fn fill(&mut self, rng: &mut Rng) {
        self.events.retain(|(_, event)| matches!(event, Event::Split(_) | Event::Heal));
        let at = rng.u64(0..=self.lasts);
        self.events.push((at, Event::Full([10, 100, 1_000][rng.usize(..3)])));
        self.events.push((at + rng.u64(50..5_000), Event::Room));
        self.events.sort_by_key(|(at, _)| *at);
    }
}

/// A number of milliseconds.
pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

//! Which kernel hashes which messages: decided once by a short measurement.

use std::fmt;
use std::time::{Duration, Instant};

use super::Midstate;
use super::mixed::Mixed;
use super::streams::{Portable, Work};
use super::uniform::Uniform;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512, sha_ni};
use crate::algorithm::Algorithm;
use crate::batch::{Batch, Column, Job};
use crate::isa::{Avx2, Avx512, Isa, Level, ShaNi};

/// A way of computing the compression function that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust, one message at a time.
    Portable,
    /// The SHA extensions, messages in turn.
    ShaNi(ShaNi),
    /// 8 messages side by side.
    Avx2(Avx2),
    /// 16 messages side by side.
    Avx512(Avx512),
}

impl Kernel {
    /// Every kernel of a level.
    fn all(isa: Isa) -> Vec<Kernel> {
        let mut all = vec![Kernel::Portable];
        all.extend(isa.sha().map(Kernel::ShaNi));
        match isa.level() {
            Level::Avx2(token) => all.push(Kernel::Avx2(token)),
            Level::Avx512(token) => all.push(Kernel::Avx512(token)),
            Level::Portable | Level::Neon(_) => {}
        }
        all
    }

    /// Messages that it works on at once.
    pub(super) fn width(self) -> usize {
        match self {
            Kernel::Portable => 1,
            Kernel::ShaNi(_) => 2,
            Kernel::Avx2(_) => 8,
            Kernel::Avx512(_) => 16,
        }
    }

    pub(super) fn run<W: Work>(self, work: W) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::ShaNi(token) => sha_ni::run(token, work),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(token) => avx2::run(token, work),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512(token) => avx512::run(token, work),
            _ => work.run::<Portable, 1>(()),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Kernel::Portable => "portable",
            Kernel::ShaNi(_) => "sha-ni",
            Kernel::Avx2(_) => "avx2",
            Kernel::Avx512(_) => "avx512",
        };
        write!(f, "{name} x{}", self.width())
    }
}

/// Which kernel hashes which messages on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Batches of messages of one length, Merkle levels among them.
    pub(super) uniform: Kernel,
    /// Batches of messages of several lengths.
    pub(super) mixed: Kernel,
    /// Fewer than `few` messages.
    pub(super) alone: Kernel,
    /// From so many messages on, a batch kernel gains.
    pub(super) few: usize,
}

impl Plan {
    /// Plain Rust throughout.
    pub const PORTABLE: Plan = Plan::of(Kernel::Portable, Kernel::Portable, 1);

    const fn of(batch: Kernel, alone: Kernel, few: usize) -> Plan {
        Plan { uniform: batch, mixed: batch, alone, few }
    }

    /// Every plan that a level has, for tests: each kernel for batches of any size, and each one
    /// beside the kernels for single messages.
    pub fn all(isa: Isa) -> Vec<Plan> {
        let kernels = Kernel::all(isa);
        let mut plans = Vec::new();
        for &batch in &kernels {
            plans.push(Plan::of(batch, batch, 1));
            let alone = kernels.iter().filter(|alone| alone.width() < batch.width());
            plans.extend(alone.map(|&alone| Plan::of(batch, alone, batch.width().min(5))));
        }
        plans
    }

    /// Whether one kernel does everything.
    pub fn is_of_one_kernel(&self) -> bool {
        self.uniform == self.alone && self.mixed == self.alone
    }

    /// Measures the kernels of a level for well under a millisecond and keeps the fastest.
    pub fn measure(isa: Isa) -> Plan {
        let mixed = mixed_messages();
        let times = |kernel| (kernel, Times::of(kernel, &mixed));
        let times: Vec<_> = Kernel::all(isa).into_iter().map(times).collect();
        let best = |time: fn(&Times) -> Duration| {
            let best = times.iter().min_by_key(|(_, times)| time(times));
            *best.expect("the portable kernel is always there")
        };
        let (alone, single) = best(|times| times.one);
        let (uniform, many) = best(|times| times.uniform);
        let (mixed, _) = best(|times| times.mixed);
        // A step of all lanes costs the same however few of them are busy.
        let step = many.uniform * uniform.width() as u32 / MESSAGES as u32;
        let few = step.as_nanos().div_ceil(single.one.as_nanos().max(1)) as usize;
        Plan { uniform, mixed, alone, few: few.clamp(1, uniform.width()) }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uniform.fmt(f)?;
        if self.mixed != self.uniform {
            write!(f, ", {} for mixed lengths", self.mixed)?;
        }
        if self.few > 1 && self.alone != self.uniform {
            write!(f, ", {} below {} messages", self.alone, self.few)?;
        }
        Ok(())
    }
}

/// Messages of a measured batch: a whole number of steps of every kernel.
const MESSAGES: usize = 64;

/// Messages of a measured batch of mixed lengths: so many that its end, where lanes run dry, does
/// not decide.
const MIXED: usize = 128;

/// Messages of 0 to 199 bytes: on average about the three blocks of a double hash of 64 bytes.
fn mixed_messages() -> Column {
    let mut batch = Batch::open(Algorithm::Sha256d);
    for i in 0..MIXED {
        let pushed = batch.push(Job::Hash { message: &[7; 200][..i * 37 % 200] });
        pushed.expect("an empty batch has room");
    }
    batch.seal().column(0).clone()
}

/// Times of one kernel.
#[derive(Clone, Copy)]
struct Times {
    /// One double hash of 64 bytes.
    one: Duration,
    /// [`MESSAGES`] of them.
    uniform: Duration,
    /// The double hashes of the mixed messages.
    mixed: Duration,
}

impl Times {
    fn of(kernel: Kernel, mixed: &Column) -> Times {
        let start = &Midstate::INITIAL;
        let mut out = [[0; 32]; MIXED];
        let mut uniform = |count: usize| {
            let (bytes, out) = (&[7; 64 * MESSAGES][..64 * count], &mut out[..count]);
            kernel.run(Uniform { start, heads: None, bytes, length: 64, twice: true, out });
        };
        // The clock is too coarse for one message.
        let one = least_of(3, || (0..10).for_each(|_| uniform(1))) / 10;
        if kernel.width() == 1 {
            // Nothing is gained from batches, so they need not be measured.
            return Times { one, uniform: one * MESSAGES as u32, mixed: one * MIXED as u32 };
        }
        let many = least_of(5, || uniform(MESSAGES));
        let mixed = least_of(3, || {
            let (messages, range, out) = (mixed, 0..MIXED, &mut out[..]);
            let (twice, few, alone) = (true, 1, kernel);
            kernel.run(Mixed { start, messages, range, twice, out, few, alone });
        });
        Times { one, uniform: many, mixed }
    }
}

/// The least time of a few runs after one that warms up: another thread can only add to a time.
fn least_of(runs: usize, mut work: impl FnMut()) -> Duration {
    work();
    let times = (0..runs).map(|_| {
        let started = Instant::now();
        work();
        started.elapsed()
    });
    times.min().expect("at least one run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_plan_is_one_of_the_level_and_says_so() {
        for isa in Isa::all() {
            let plan = Plan::measure(isa);
            let kernels = Kernel::all(isa);
            assert!(kernels.contains(&plan.uniform) && kernels.contains(&plan.alone), "{plan:?}");
            assert!(plan.to_string().contains(" x"), "{plan}");
            println!("{isa}: {plan}");
        }
        assert_eq!(Plan::all(Isa::PORTABLE), [Plan::PORTABLE]);
        assert_eq!(Plan::measure(Isa::PORTABLE), Plan::PORTABLE);
        assert_eq!(Plan::PORTABLE.to_string(), "portable x1");
    }
}

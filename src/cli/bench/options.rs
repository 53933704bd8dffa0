//! The flags of `sigmill bench`, and what they come to.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sigmill::Algorithm;

use super::gate::FailBelow;
use crate::cli::kept::SIZES;
use crate::cli::settings::{Flags, Settings};
use crate::cli::workload::{self, has_keys};
use crate::cli::{Failure, Status};

const EXAMPLES: &str = "\
Examples:
  sigmill bench                                     the table, and whether an accelerator would pay
  sigmill bench ecdsa                               rows whose name contains that
  sigmill bench --algorithm schnorr-bip340 --batch 1,64,512 --in-flight 8
  sigmill bench schnorr --pinned --keys 128         votes of a validator set of 128
  sigmill bench ecdsa --invalid 5                   one signature in twenty is wrong
  sigmill bench ecdsa --batch 64 --rate 5000 --duration 10
                                                    latencies at a load, open loop
  sigmill bench --price-per-hour 0.40               and what a million jobs cost
  sigmill bench --json > old.json; sigmill bench --compare old.json --fail-below 0.95
  sigmill bench ecdsa --fail-below ecdsa-secp256k1:4096=100000/s

How to read it: jobs/s is the median of samples in closed loop, +- half of their middle range.
p50 and p99 are of whole batches. Ratios to libsecp256k1, sha2 and sha3 are there in a build with
the feature `baseline`: both do the same jobs on as many threads, in turns. Absolute rates are this
machine's at this moment; ratios travel further.

Ends with 5 if a job is not found what it was made, with 6 below a bound of --fail-below.
For a GPU in detail: cargo bench --bench gpu.";

#[derive(Clone, Debug, Args)]
#[command(
    after_help = EXAMPLES,
    mut_arg("backend", |arg| arg.help(
        "Device beside the CPU: gpu, gpu=software, fpga, fpga=sim, cpu for none, or auto for a real GPU if there \
         is one [default: auto]"
    )),
    mut_arg("threads", |arg| arg.help("Threads of the CPU backend, and of the baseline [default: one a core]"))
)]
pub(in crate::cli) struct Arguments {
    /// Only rows whose algorithm or device contains this
    #[arg(value_name = "FILTER")]
    pub filter: Option<String>,
    /// Only this algorithm; may be repeated
    #[arg(long, value_name = "NAME", value_parser = workload::algorithm)]
    pub algorithm: Vec<Algorithm>,
    /// Jobs a batch, as a list
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1, 128, 4_096])]
    pub batch: Vec<usize>,
    /// Batches submitted at once; the next follows when the oldest is answered
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub in_flight: usize,
    /// Share of the signatures and proofs that are invalid
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    pub invalid: f64,
    /// Distinct public keys [default: 4096, one a signature; 128 with --pinned]
    #[arg(long, value_name = "N")]
    pub keys: Option<usize>,
    /// Make tables of the keys ahead, as for a validator set: ECDSA and BIP 340 alone
    #[arg(long)]
    pub pinned: bool,
    /// Offer so many jobs a second beside (open loop), and tell latencies from when each batch was due
    #[arg(long, value_name = "JOBS_PER_SECOND")]
    pub rate: Option<f64>,
    /// Seconds of --rate for each row and batch size
    #[arg(long, value_name = "SECONDS", requires = "rate", default_value_t = 2.0)]
    pub duration: f64,
    /// Seconds for the whole table, once the devices are open [default: 30, less what opening them took]
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Measure the whole table so often, and say whether the runs agree
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub repeat: u64,
    /// Price of this machine for an hour, in any currency: a million jobs' cost is told in the same [default: the
    /// setting of that name]
    #[arg(long, value_name = "PRICE")]
    pub price_per_hour: Option<f64>,
    /// An older run's JSON: tell ratios new to old, and which differ by more than both spread
    #[arg(long, value_name = "OLD.json")]
    pub compare: Option<PathBuf>,
    /// End with 6 unless this is reached; may be repeated. ALGORITHM[@DEVICE]:BATCH=RATIO to the baseline,
    /// ALGORITHM[@DEVICE]:BATCH=RATE/s, or RATIO to the older run for all rows, with --compare
    #[arg(long, value_name = "BOUND")]
    pub fail_below: Vec<FailBelow>,
    #[command(flatten)]
    flags: Flags,
    #[arg(skip)]
    pub settings: Settings,
    /// Write a page with charts here, beside what is printed
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print one JSON object (docs/schema/bench.json)
    #[arg(long)]
    pub json: bool,
}

/// Distinct signatures, and keys unless fewer are asked for.
const ITEMS: usize = 4_096;
/// Keys of a validator set.
const PINNED_KEYS: usize = 128;
/// Most distinct keys: making one takes some ten microseconds.
const KEYS_LIMIT: usize = 1 << 16;
/// Most jobs under way: bounds memory.
const JOBS_LIMIT: usize = 1 << 20;
const IN_FLIGHT_LIMIT: usize = 1_024;

/// Seconds of the default table, and what is left of it at least when opening the devices took long.
const TABLE: f64 = 30.0;
const TABLE_LEAST: f64 = 5.0;
/// Seconds in which a run without options is to end, but for what the last batches take.
const WHOLE: f64 = 45.0;

impl Arguments {
    /// Reads the settings, refuses numbers out of bounds, and puts the batch sizes in order.
    pub fn check(mut self) -> Result<Self, Failure> {
        self.settings = Settings::load(&self.flags)?;
        self.price_per_hour = self.price_per_hour.or(self.settings.price_per_hour());
        self.batch.sort_unstable();
        self.batch.dedup();
        let usage = |why: String| Err(Failure::new(Status::Usage, why));
        let bounds = [
            ("--seconds", self.seconds.unwrap_or(TABLE), 0.1, 3_600.0),
            ("--duration", self.duration, 0.1, 3_600.0),
            ("--rate", self.rate.unwrap_or(1.0), 0.01, 1e9),
            ("--price-per-hour", self.price_per_hour.unwrap_or(0.0), 0.0, 1e12),
            ("--repeat", self.repeat as f64, 1.0, 100.0),
            ("--keys", self.key_count() as f64, 1.0, KEYS_LIMIT as f64),
            ("--in-flight", self.in_flight as f64, 1.0, IN_FLIGHT_LIMIT as f64),
        ];
        for (name, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                return usage(format!("{name} {value}: between {least} and {most}"));
            }
        }
        let invalid = self.invalid;
        if invalid != 0.0 && !(0.01..=100.0).contains(&invalid) {
            return usage(format!("--invalid {invalid}: 0, or between 0.01 and 100"));
        }
        let (Some(&least), Some(&most)) = (self.batch.first(), self.batch.last()) else {
            return usage("--batch: no size".to_owned());
        };
        if least == 0 || self.batch.len() > SIZES {
            return usage(format!("--batch: up to {SIZES} sizes above 0"));
        }
        if most.saturating_mul(self.in_flight) > JOBS_LIMIT {
            let in_flight = self.in_flight;
            return usage(format!(
                "--batch {most} with --in-flight {in_flight}: more than {JOBS_LIMIT} jobs at once"
            ));
        }
        Ok(self)
    }

    /// Distinct public keys.
    pub fn key_count(&self) -> usize {
        self.keys.unwrap_or(if self.pinned { PINNED_KEYS } else { ITEMS })
    }

    /// Distinct signatures: each key has one, and the smallest share of invalid ones is some.
    pub fn item_count(&self) -> usize {
        let one_invalid =
            if self.invalid > 0.0 { (100.0 / self.invalid).ceil() as usize } else { 1 };
        ITEMS.max(self.key_count()).max(one_invalid)
    }

    /// Whether a row is asked for.
    pub fn wants(&self, algorithm: Algorithm, device: &str) -> bool {
        let name = format!("{} {device}", algorithm.name());
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
            && (self.algorithm.is_empty() || self.algorithm.contains(&algorithm))
            && (!self.pinned || has_keys(algorithm))
    }

    /// Time for one run of the table, when opening took so long.
    pub fn table(&self, opening: Duration) -> Duration {
        let left = (WHOLE - opening.as_secs_f64()).clamp(TABLE_LEAST, TABLE);
        Duration::from_secs_f64(self.seconds.unwrap_or(left))
    }
}

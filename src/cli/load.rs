//! `sigmill load`: an engine under a steady load, to be watched.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use sigmill::monitor::Status as EngineStatus;
use sigmill::{Algorithm, Batch, Class, Engine, Terms, Ticket};

use super::drive::{heed_interrupts, is_interrupted};
use super::settings::{Flags, Settings};
use super::watched::{self, WatchFlags};
use super::workload::{self, Source};
use super::{Failure, Status};

const EXAMPLES: &str = "\
Examples:
  sigmill load --rate 5000 --monitor /tmp/sigmill.sock        then: sigmill top /tmp/sigmill.sock
  sigmill load --algorithm ecdsa --algorithm sha256 --batch 64 --metrics 9464
  sigmill load --rate 100000 --seconds 60 --class consensus --json
What the engine has no room for is refused and counted, as it would be for a host. `sigmill bench --rate` measures \
the latency of such a load.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// What the jobs are of, in turn; may be repeated
    #[arg(long, value_name = "NAME", value_parser = super::explain::algorithm,
          default_values = ["ecdsa-secp256k1:compact", "sha256"])]
    algorithm: Vec<Algorithm>,
    /// Jobs a second, of all algorithms together
    #[arg(long, default_value_t = 1_000.0, value_parser = rate)]
    rate: f64,
    /// Jobs of a batch
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: u32,
    /// Percent of the signatures that are invalid
    #[arg(long, default_value_t = 0.0, value_parser = percent)]
    invalid: f64,
    /// How urgent the batches are
    #[arg(long, value_enum, default_value = "mempool")]
    class: ClassName,
    /// How long [default: until Ctrl-C]
    #[arg(long, value_parser = seconds)]
    seconds: Option<f64>,
    #[command(flatten)]
    settings: Flags,
    #[command(flatten)]
    watch: WatchFlags,
    /// Print one JSON object a second and line, as the monitor's socket gives
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClassName {
    Consensus,
    Mempool,
    Sync,
}

fn number(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("not a number from {least} to {most}"))
}

fn rate(text: &str) -> Result<f64, String> {
    number(text, 1.0, 1e9)
}

fn percent(text: &str) -> Result<f64, String> {
    number(text, 0.0, 100.0)
}

fn seconds(text: &str) -> Result<f64, String> {
    number(text, 0.1, 1e7)
}

/// Jobs that are made; batches repeat them.
const JOBS: usize = 4_096;

/// Batches kept for sending again.
const KEPT: usize = 16;

/// Longest sleep between two looks at what was answered.
const NAP: Duration = Duration::from_millis(20);

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let settings = Settings::load(&arguments.settings)?;
    let engine = Arc::new(settings.open()?);
    let _watched = watched::open(&engine, &settings, &arguments.watch)?;
    heed_interrupts();
    let size = arguments.batch as usize;
    let count = JOBS.max(size);
    let source = Source::new(workload::items(count, count, arguments.invalid));
    let mut lines =
        arguments.algorithm.iter().map(|algorithm| Line::new(*algorithm)).collect::<Vec<_>>();
    let class = match arguments.class {
        ClassName::Consensus => Class::Consensus,
        ClassName::Mempool => Class::Mempool,
        ClassName::Sync => Class::Sync,
    };
    let terms = Terms::default().class(class);
    let pause = Duration::from_secs_f64(size as f64 / arguments.rate);
    let started = Instant::now();
    let until = arguments.seconds.map(|seconds| started + Duration::from_secs_f64(seconds));
    let (mut sent, mut told, mut before) = (0_u32, started, None);
    while !is_interrupted() && until.is_none_or(|until| Instant::now() < until) {
        let due = started + pause.mul_f64(f64::from(sent));
        let now = Instant::now();
        if now < due {
            lines.iter_mut().try_for_each(|line| line.settle(&source))?;
            std::thread::sleep(NAP.min(due - now));
        } else {
            let turn = sent as usize % lines.len();
            lines[turn].send(&engine, &source, size, terms)?;
            sent = sent.wrapping_add(1);
        }
        if told.elapsed() >= Duration::from_secs(1) {
            told = Instant::now();
            let (status, now) = EngineStatus::of(&engine, before.as_ref());
            tell(arguments.json, &status);
            before = Some(now);
        }
    }
    for line in &mut lines {
        line.drain(&source)?;
    }
    let (status, _) = EngineStatus::of(&engine, None);
    tell(arguments.json, &status);
    Ok(Status::Well)
}

fn tell(json: bool, status: &EngineStatus) {
    if json {
        return say!("{}", serde_json::to_string(status).expect("plain data"));
    }
    let refused: u64 = status.refused.iter().map(|kind| kind.count).sum();
    let EngineStatus { submitted, valid, invalid, computed, errors, in_flight, .. } = status;
    say!(
        "{submitted} submitted: {valid} valid, {invalid} invalid, {computed} computed, {errors} errors, \
         {in_flight} in flight; {refused} batches refused"
    );
}

/// Batches of one algorithm on their way.
struct Line {
    algorithm: Algorithm,
    tickets: VecDeque<(Ticket, usize)>,
    /// Answered ones, to be sent again, with the index of their first job.
    idle: Vec<(Batch, usize)>,
    next: usize,
}

impl Line {
    fn new(algorithm: Algorithm) -> Self {
        Line { algorithm, tickets: VecDeque::new(), idle: Vec::new(), next: 0 }
    }

    fn send(
        &mut self,
        engine: &Engine,
        source: &Source,
        size: usize,
        terms: Terms,
    ) -> Result<(), Failure> {
        self.settle(source)?;
        let (batch, first) = self.idle.pop().unwrap_or_else(|| {
            let first = self.next;
            self.next = (first + size) % source.items.len();
            (source.load(self.algorithm, first, size).batch, first)
        });
        match engine.submit(batch, terms) {
            Ok(ticket) => self.tickets.push_back((ticket, first)),
            // The engine counts what it refuses.
            Err(busy) => self.idle.push((busy.batch, first)),
        }
        Ok(())
    }

    /// Takes answers that are there.
    fn settle(&mut self, source: &Source) -> Result<(), Failure> {
        while self.tickets.front().is_some_and(|(ticket, _)| ticket.is_ready()) {
            self.take(source)?;
        }
        Ok(())
    }

    fn drain(&mut self, source: &Source) -> Result<(), Failure> {
        while !self.tickets.is_empty() {
            self.take(source)?;
        }
        Ok(())
    }

    fn take(&mut self, source: &Source) -> Result<(), Failure> {
        let Some((ticket, first)) = self.tickets.pop_front() else { return Ok(()) };
        let answered = ticket.wait();
        source.judge(first, answered.answers())?;
        if self.idle.len() < KEPT {
            self.idle.push((answered.into_batch(), first));
        }
        Ok(())
    }
}

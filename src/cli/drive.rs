//! A check through the engine: rounds of batches, several in flight.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::profile::steps::Steps;
use indicatif::{ProgressBar, ProgressStyle};
use sigmill::chain::{Check, Report};
use sigmill::error::Busy;
use sigmill::{Answers, Batch, Class, Engine, Terms, Ticket};

/// Set by Ctrl-C: no more batches are sent, and those that are answered count.
pub(super) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Set while a check is driven, and Ctrl-C has batches to wait for.
pub(super) static DRIVING: AtomicBool = AtomicBool::new(false);

/// Whether it was pressed.
pub(super) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Ctrl-C from here on ends the work that is driven, and at once where there is none, or when pressed again.
pub(super) fn heed_interrupts() {
    // Where no handler can be set, Ctrl-C ends the process at once as usual.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) || !DRIVING.load(Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
}

/// What looks at each batch with its answers before the check does.
pub(super) type Witness<'a> = &'a mut dyn FnMut(&Batch, &Answers);

/// Who looks on while a check is driven.
pub(super) struct Watch<'a> {
    /// A bar is wanted where the work is long.
    pub progress: bool,
    pub witness: Witness<'a>,
    pub steps: &'a mut Steps,
}

/// Runs a check to its end, or to Ctrl-C; says which.
pub(super) fn drive(
    engine: &Engine,
    check: &mut dyn Check,
    Watch { progress, witness, steps }: Watch<'_>,
) -> (Report, bool) {
    DRIVING.store(true, Ordering::Relaxed);
    let mut bar = Progress::new(progress);
    let mut answers = Vec::new();
    let interrupted = loop {
        let batches = steps.time("round", || check.round(&answers));
        if batches.is_empty() {
            break false;
        }
        bar.add(batches.iter().map(Batch::len).sum());
        let ended;
        (answers, ended) = steps.time("wait", || round(engine, batches, &mut bar, witness));
        if !ended {
            // What is not answered now stays so; the check concludes from the rest.
            while !check.round(&answers).is_empty() {
                answers.clear();
            }
            break true;
        }
    };
    bar.end();
    DRIVING.store(false, Ordering::Relaxed);
    (steps.time("report", || check.report()), interrupted)
}

/// Submits all batches and returns their answers in order, and whether those are all; when
/// interrupted they are the ones that are there.
fn round(
    engine: &Engine,
    batches: Vec<Batch>,
    bar: &mut Progress,
    witness: Witness<'_>,
) -> (Vec<Answers>, bool) {
    let count = batches.len();
    let mut answers = Vec::with_capacity(count);
    let mut tickets: VecDeque<Ticket> = VecDeque::new();
    let mut settle = |answers: &mut Vec<Answers>, tickets: &mut VecDeque<Ticket>| {
        if let Some(ticket) = tickets.pop_front() {
            let answered = ticket.wait();
            bar.advance(answered.answers().len());
            witness(answered.batch(), answered.answers());
            answers.push(answered.into_answers());
        }
    };
    'submit: for mut batch in batches {
        loop {
            if INTERRUPTED.load(Ordering::Relaxed) {
                break 'submit;
            }
            match engine.submit(batch, Terms::default().class(Class::Sync)) {
                Ok(ticket) => break tickets.push_back(ticket),
                Err(Busy { batch: back, .. }) => {
                    // Full of our own batches: the oldest makes room.
                    batch = back;
                    settle(&mut answers, &mut tickets);
                }
            }
        }
    }
    while let Some(oldest) = tickets.front() {
        if INTERRUPTED.load(Ordering::Relaxed) && !oldest.is_ready() {
            break;
        }
        settle(&mut answers, &mut tickets);
    }
    let ended = answers.len() == count;
    (answers, ended)
}

/// A bar on standard error that shows itself only when the work is long.
struct Progress {
    started: Instant,
    wanted: bool,
    bar: Option<ProgressBar>,
    total: u64,
    done: u64,
}

/// Work shorter than this needs no bar.
const LONG: Duration = Duration::from_millis(700);

impl Progress {
    fn new(wanted: bool) -> Self {
        Progress { started: Instant::now(), wanted, bar: None, total: 0, done: 0 }
    }

    fn add(&mut self, items: usize) {
        self.total += items as u64;
        self.show();
    }

    fn advance(&mut self, items: usize) {
        self.done += items as u64;
        self.show();
    }

    fn show(&mut self) {
        if self.bar.is_none() && self.wanted && self.started.elapsed() > LONG {
            let style = "{bar:40} {pos}/{len} jobs, {msg} a second";
            let style = ProgressStyle::with_template(style).expect("a template");
            self.bar = Some(ProgressBar::new(self.total).with_style(style));
        }
        if let Some(bar) = &self.bar {
            // The bar's own rate would begin when it is first shown.
            let rate = self.done as f64 / self.started.elapsed().as_secs_f64();
            bar.set_length(self.total);
            bar.set_position(self.done);
            bar.set_message(format!("{rate:.0}"));
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use sigmill::chain::Kind;
    use sigmill::{Algorithm, Job};

    use super::*;

    /// Rounds of ten hashes without end, until one is not answered whole.
    struct Endless(Report);

    impl Check for Endless {
        fn round(&mut self, answers: &[Answers]) -> Vec<Batch> {
            answers.iter().for_each(|answers| self.0.count(answers));
            if self.0.by_algorithm.contains_key("sha256") && answers.len() < 10 {
                return Vec::new();
            }
            let one = || {
                let mut batch = Batch::open(Algorithm::Sha256);
                batch.push(Job::Hash { message: b"message" }).expect("room");
                batch.seal()
            };
            std::iter::repeat_with(one).take(10).collect()
        }

        fn report(&self) -> Report {
            self.0.clone()
        }
    }

    #[test]
    fn an_interrupted_round_counts_what_was_answered() {
        let engine = Engine::builder().threads(1).open().expect("an engine");
        let mut seen = 0;
        let mut witness = |_: &Batch, answers: &Answers| {
            seen += answers.len() as u64;
            // In the middle of the second round.
            INTERRUPTED.fetch_or(seen == 13, Ordering::Relaxed);
        };
        let mut check = Endless(Report::new(Kind::Sigchk));
        let steps = &mut Steps::new();
        let watch = Watch { progress: false, witness: &mut witness, steps };
        let (report, interrupted) = drive(&engine, &mut check, watch);
        assert!(interrupted && seen >= 13);
        assert_eq!(report.by_algorithm["sha256"].checked, seen);
    }
}

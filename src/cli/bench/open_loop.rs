//! Batches that are sent when they are due, whether or not those before were answered.
//!
//! A latency counts from when its batch was due. One that is sent late, because the sender was kept, has waited
//! for that too; counted from when it was sent, a stall would show as a single long batch (coordinated omission).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sigmill::{Answered, Terms, Ticket};

use super::closed_loop::Subject;
use super::document::OpenLoop;
use super::sent::{SPIN, Stamp, wait_until};
use super::statistics::Latencies;
use crate::cli::Failure;
use crate::cli::drive::is_interrupted;
use crate::cli::workload::Load;

/// Most batches, and most jobs, that are under way: a sender that is further ahead waits for the oldest.
const MOST_BATCHES: usize = 1_024;
const MOST_JOBS: usize = 1 << 20;

/// Most entries for batches that were never sent.
const UNSENT: u64 = 1_000;

/// Latencies of a schedule, in which a batch is due every `pause`. Times count from the first one's.
struct Ledger {
    pause: Duration,
    span: Duration,
    due: u64,
    corrected: Latencies,
    naive: Latencies,
}

impl Ledger {
    fn new(pause: Duration, span: Duration) -> Self {
        let (corrected, naive) = (Latencies::default(), Latencies::default());
        Ledger { pause, span, due: 0, corrected, naive }
    }

    /// When the next batch is due; none if that is past the end.
    fn next(&mut self) -> Option<Duration> {
        let due = self.pause.mul_f64(self.due as f64);
        self.due += 1;
        (due < self.span).then_some(due)
    }

    fn answered(&mut self, due: Duration, sent: Duration, answered: Duration) {
        self.corrected.record(answered.saturating_sub(due));
        self.naive.record(answered.saturating_sub(sent));
    }

    /// Counts the batches that were due from `due` on and never sent, as waiting still at the end. What was
    /// due later than that, in a run that was interrupted, counts nowhere.
    fn unsent(&mut self, due: Duration, end: Duration) {
        if due >= end {
            return;
        }
        let left = self.span.min(end).saturating_sub(due).as_secs_f64() / self.pause.as_secs_f64();
        let left = (left.ceil() as u64).max(1);
        let many = left.div_ceil(UNSENT);
        for first in (0..left).step_by(many as usize) {
            let due = due + self.pause.mul_f64(first as f64);
            self.corrected.record_many(end.saturating_sub(due), many.min(left - first));
        }
    }
}

struct Flying {
    ticket: Ticket,
    /// There already when the ticket was looked at first.
    ready: Option<Answered>,
    stamp: Stamp,
    first: usize,
    due: Duration,
    sent: Duration,
}

/// Offers `rate` jobs a second for `span`.
pub(super) fn measure(
    subject: Subject<'_>,
    rate: f64,
    span: Duration,
) -> Result<OpenLoop, Failure> {
    let Subject { engine, algorithm, source, size, .. } = subject;
    let mut ledger = Ledger::new(Duration::from_secs_f64(size as f64 / rate), span);
    let most = (MOST_JOBS / size).clamp(1, MOST_BATCHES);
    let (mut waiting, mut made) = (VecDeque::<Load>::new(), 0);
    let mut flying = VecDeque::new();
    let mut answered = 0;
    let begin = Instant::now();
    let mut last = Duration::ZERO;
    let mut settle = |flying: &mut VecDeque<Flying>, ledger: &mut Ledger| {
        let Some(Flying { ticket, ready, stamp, first, due, sent }) = flying.pop_front() else {
            return Ok(None);
        };
        let answers = ready.unwrap_or_else(|| ticket.wait());
        let at = stamp.at().unwrap_or_else(Instant::now) - begin;
        source.judge(first, answers.answers())?;
        ledger.answered(due, sent, at);
        (answered, last) = (answered + 1, last.max(at));
        Ok::<_, Failure>(Some(Load { batch: answers.into_batch(), first }))
    };
    while let Some(due) = ledger.next() {
        while flying.front().is_some_and(|oldest: &Flying| oldest.stamp.at().is_some()) {
            waiting.extend(settle(&mut flying, &mut ledger)?);
        }
        if waiting.is_empty() && made == most {
            waiting.extend(settle(&mut flying, &mut ledger)?);
        }
        let mut load = waiting.pop_front().unwrap_or_else(|| {
            made += 1;
            source.load(algorithm, (made - 1) * size, size)
        });
        wait_until(begin + due);
        if begin.elapsed() >= span || is_interrupted() {
            ledger.unsent(due, begin.elapsed());
            break;
        }
        loop {
            let sent = begin.elapsed();
            match engine.submit(load.batch, Terms::default()) {
                Ok(mut ticket) => {
                    let (stamp, ready) = Stamp::watch(&mut ticket);
                    let first = load.first;
                    flying.push_back(Flying { ticket, ready, stamp, first, due, sent });
                    break;
                }
                Err(busy) => {
                    load.batch = busy.batch;
                    match settle(&mut flying, &mut ledger)? {
                        Some(returned) => waiting.push_back(returned),
                        None => std::thread::sleep(SPIN),
                    }
                }
            }
        }
    }
    while let Some(_returned) = settle(&mut flying, &mut ledger)? {}
    let sent = if is_interrupted() { span.min(begin.elapsed()) } else { span };
    let took = last.max(sent);
    Ok(OpenLoop {
        offered: rate,
        achieved: (answered * size) as f64 / took.as_secs_f64().max(1e-9),
        seconds: sent.as_secs_f64(),
        latency: ledger.corrected.figures(),
        uncorrected: ledger.naive.figures(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch is due every millisecond, takes a tenth of one, and the sender is kept for 50 ms at the tenth.
    #[test]
    fn a_stall_counts_for_all_that_were_due_in_it() {
        let (ms, us) = (Duration::from_millis, Duration::from_micros);
        let mut ledger = Ledger::new(ms(1), ms(100));
        let mut free = Duration::ZERO;
        while let Some(due) = ledger.next() {
            let sent = due.max(free);
            let took = if due == ms(10) { ms(50) } else { us(100) };
            free = sent + took;
            ledger.answered(due, sent, free);
        }
        let (corrected, naive) = (ledger.corrected.figures(), ledger.naive.figures());
        assert_eq!((corrected.samples, naive.samples), (100, 100));
        // Naively one in a hundred took long; of those due in the stall each waited for its end.
        assert!(naive.p90_ns < 200_000, "{naive:?}");
        assert!(corrected.p90_ns > 30_000_000, "{corrected:?}");
        assert!(corrected.p50_ns > naive.p50_ns);
        assert!(corrected.max_ns >= 50_000_000 && naive.max_ns >= 50_000_000);
    }

    #[test]
    fn what_was_never_sent_waits_still() {
        let ms = Duration::from_millis;
        let mut ledger = Ledger::new(Duration::from_micros(10), ms(100));
        ledger.unsent(ms(50), ms(100));
        let corrected = ledger.corrected.figures();
        assert_eq!((corrected.samples, ledger.naive.figures().samples), (5_000, 0));
        assert!((20_000_000..30_000_000).contains(&corrected.p50_ns), "{corrected:?}");
        // Interrupted at 60 ms: what would have been due later does not count.
        let mut ledger = Ledger::new(ms(1), ms(100));
        ledger.unsent(ms(50), ms(60));
        assert_eq!(ledger.corrected.figures().samples, 10);
        ledger.unsent(ms(70), ms(60));
        assert_eq!(ledger.corrected.figures().samples, 10);
        // The last of all counts too.
        let mut ledger = Ledger::new(ms(1), ms(10));
        assert_eq!(std::iter::from_fn(|| ledger.next()).count(), 10);
        ledger.unsent(ms(9), ms(10));
        assert_eq!(ledger.corrected.figures().samples, 1);
    }
}

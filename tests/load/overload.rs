//! More than the host can do: what is admitted is answered in time, the rest refused at once, and it is over when it
//! is over.

use std::time::Duration;

use sigmill::Limits;
use sigmill::dispatch::Nanos;
use sigmill::error::BusyReason;

use crate::machine::Machine;
use crate::stream::{Stream, p99};

const SECOND: Nanos = 1_000_000_000;
const MS: Nanos = 1_000_000;

/// Longest piece that the host takes at once.
const QUANTUM: Nanos = 20 * MS;

/// What was answered and refused of batches due in a span.
struct Span {
    p99: Nanos,
    longest: Nanos,
    admitted: usize,
    refused: usize,
}

/// 80 % of the host's time for 20 s, 300 % for 2 s, 80 % for another second and then as in the beginning. Batches
/// of 1 ms.
fn burst(backlog: Duration) -> [Span; 3] {
    // The one source may take all there is.
    let limits = Limits { batches: 1 << 13, backlog, source: 100, ..Limits::default() };
    let mut machine = Machine::new(limits);
    let mut spans = Vec::new();
    let phases = [(80, 1, 1), (80, 20, 7), (300, 2, 2), (80, 1, 3), (80, 20, 7)];
    for (percent, seconds, seed) in phases {
        let begin = machine.now;
        let stream = Stream::new(1, 20, percent, begin, seed);
        machine.run(&mut [stream], begin + seconds * SECOND);
        spans.push((begin, machine.now));
    }
    // What is in flight still is answered too.
    machine.run(&mut [], machine.now + 10 * SECOND);
    assert!(
        machine
            .refusals
            .iter()
            .all(|refusal| matches!(refusal.why, BusyReason::Backlog | BusyReason::Source))
    );
    [1, 2, 4].map(|phase: usize| {
        let (begin, end) = spans[phase];
        let inside = |due: Nanos| (begin..end).contains(&due);
        let admitted = machine.answers.iter().filter(|answer| inside(answer.due));
        Span {
            p99: p99(&machine.answers, |answer| inside(answer.due)),
            longest: admitted.clone().map(|answer| answer.took).max().expect("some"),
            admitted: admitted.count(),
            refused: machine.refusals.iter().filter(|refusal| inside(refusal.due)).count(),
        }
    })
}

#[test]
fn what_is_admitted_is_in_time_and_the_rest_refused() {
    let backlog = Duration::from_millis(20);
    let [before, during, after] = burst(backlog);
    // When a batch comes, 20 ms stand before it as predicted, the whole of the running piece among them; then it
    // has its own time. A second quantum is for times that were not as predicted.
    let bound = backlog.as_nanos() as Nanos + 2 * QUANTUM;
    assert!(during.p99 <= bound && during.longest <= bound, "{}", during.longest);
    // Two of three are refused, and the host idles over none of it.
    assert!((1_800..=2_300).contains(&during.admitted), "{}", during.admitted);
    assert!(during.refused > 3_500, "{}", during.refused);
    // A second later it is as it was.
    assert!(after.p99 * 10 <= before.p99 * 12, "{} before, {} after", before.p99, after.p99);
    assert!(before.refused * 100 < before.admitted && after.refused * 100 < after.admitted);
    assert!(after.admitted * 100 > before.admitted * 99, "the same intervals");
}

#[test]
fn without_that_limit_all_would_be_late() {
    let backlog = Duration::from_secs(60);
    let [before, during, after] = burst(backlog);
    assert_eq!((before.refused, during.refused, after.refused), (0, 0, 0));
    assert!(during.p99 > 2 * SECOND, "{}", during.p99);
    assert!(after.p99 > 10 * before.p99, "{} before, {} after", before.p99, after.p99);
}

//! What one source does to the others' latency: three send single verifications at steady rates, a fourth beside
//! them.

use std::time::Duration;

use sigmill::Limits;
use sigmill::dispatch::Nanos;

use crate::machine::Machine;
use crate::stream::{Kind, Stream, p99};

const MS: Nanos = 1_000_000;
const SECOND: Nanos = 1_000_000_000;

/// Longest piece that the host takes at once.
const QUANTUM: Nanos = 20 * MS;

/// The source that is watched.
const FOURTH: u64 = 4;

/// The others' p99 beside the fourth, whose batches are made by `fourth`, and how many of theirs were refused.
fn others(fourth: impl Fn(Nanos) -> Stream) -> (Nanos, usize) {
    let mut machine = Machine::new(Limits::default());
    let others = [(1, 100), (2, 40), (3, 200)];
    let streams = others.into_iter().map(|(id, items)| Stream::new(id, items, 12, 0, id));
    let mut streams: Vec<_> = streams.chain([fourth(0)]).collect();
    machine.run(&mut streams, 60 * SECOND);
    machine.run(&mut [], machine.now + 60 * SECOND);
    let refused = machine.refusals.iter().filter(|refusal| refusal.source != FOURTH).count();
    (p99(&machine.answers, |answer| answer.source != FOURTH), refused)
}

/// The fourth at the rate of one of the others, in combined batches.
fn fourth(kind: Kind) -> (Nanos, usize) {
    others(|from| Stream::new(FOURTH, 100, 12, from, FOURTH).combined(kind))
}

#[test]
fn bad_signatures_cost_the_others_little() {
    let (good, _) = fourth(Kind::Good);
    for kind in [Kind::Bad, Kind::OneBad] {
        let (bad, refused) = fourth(kind);
        assert!(bad * 10 <= good * 12, "{kind:?}: {bad} for {good}");
        assert_eq!(refused, 0);
    }
}

#[test]
fn a_flood_is_its_source_s_own_trouble() {
    let (modest, _) = others(|from| Stream::new(FOURTH, 100, 12, from, FOURTH));
    let (flooded, refused) = others(|from| Stream::new(FOURTH, 100, 120, from, FOURTH));
    assert!(flooded <= modest + 2 * QUANTUM, "{flooded} for {modest}");
    assert_eq!(refused, 0);
}

/// With a short limit of the backlog, too: who floods is refused, the others are not.
#[test]
fn a_flood_is_refused_and_the_others_are_not() {
    let limits = Limits { backlog: Duration::from_millis(20), ..Limits::default() };
    let mut machine = Machine::new(limits);
    // Batches of 1 ms; a tenth of the host's time is left over beside the two.
    let mut streams = [Stream::new(1, 20, 30, 0, 1), Stream::new(FOURTH, 20, 300, 0, FOURTH)];
    machine.run(&mut streams, 20 * SECOND);
    let refused = |source| machine.refusals.iter().filter(|r| r.source == source).count();
    let answered = |source| machine.answers.iter().filter(|a| a.source == source).count();
    assert!(refused(1) * 100 <= answered(1), "{} of {} refused", refused(1), answered(1));
    assert!(refused(FOURTH) * 2 > answered(FOURTH));
}

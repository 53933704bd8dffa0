//! What is admitted, what is refused, and what goes first.

use std::time::Duration;

use sigmill::error::BusyReason;
use sigmill::{Batch, Class, Engine, Limits, Source, Terms, Ticket};

use crate::support::failing::must_come;
use crate::support::signed::ECDSA;
use crate::support::{accepted, batch};
use crate::{Signed, balance, held, terms};

/// Submits the same batch until it is refused.
fn fill(engine: &Engine, batch: &Batch, terms: Terms) -> (Vec<Ticket>, BusyReason) {
    let mut tickets = Vec::new();
    loop {
        match engine.submit(batch.clone(), terms) {
            Ok(ticket) => tickets.push(ticket),
            Err(busy) => {
                assert_eq!(&busy.batch, batch, "it comes back untouched");
                return (tickets, busy.why);
            }
        }
        assert!(tickets.len() <= 1_000, "the limit is far below");
    }
}

#[test]
fn every_class_and_source_has_its_share() {
    let limits = Limits { batches: 20, classes: [100, 50, 25], source: 30, ..Limits::default() };
    let (engine, control) = held(limits);
    let all = Signed::new(ECDSA, 3, [1]);
    let batch = all.single();
    let filled = |class, source: Option<u64>, admitted, why| {
        let terms = terms(class);
        let terms = source.map_or(terms, |source| terms.source(Source(source)));
        let (tickets, refused) = fill(&engine, &batch, terms);
        assert_eq!((tickets.len(), refused), (admitted, why), "{class:?}");
        tickets
    };
    let mut tickets = filled(Class::Sync, None, 5, BusyReason::Class);
    // 30 % of 20 is 6, which Sync may not fill at all; Mempool may up to 10.
    tickets.extend(filled(Class::Mempool, Some(1), 5, BusyReason::Class));
    tickets.extend(filled(Class::Consensus, Some(1), 1, BusyReason::Source));
    tickets.extend(filled(Class::Consensus, Some(2), 6, BusyReason::Source));
    tickets.extend(filled(Class::Consensus, None, 3, BusyReason::Batches));
    control.hold(false);
    tickets.into_iter().for_each(|ticket| all.is_answered_by(&must_come(ticket)));
    balance(&engine);
    // There is room again.
    all.is_answered_by(&must_come(engine.submit(batch, terms(Class::Sync)).expect("room")));
}

#[test]
fn a_long_backlog_refuses_all_but_consensus() {
    let limits = Limits { backlog: Duration::from_millis(1), ..Limits::default() };
    let (engine, control) = held(limits);
    let all = Signed::new(ECDSA, 300, [7]);
    let (mut tickets, why) = fill(&engine, &all.single(), terms(Class::Mempool));
    assert_eq!(why, BusyReason::Backlog);
    assert!(tickets.len() < 20, "some milliseconds each: {}", tickets.len());
    let (none, why) = fill(&engine, &all.single(), terms(Class::Sync));
    assert_eq!((none.len(), why), (0, BusyReason::Backlog));
    for _ in 0..20 {
        tickets.push(engine.submit(all.single(), terms(Class::Consensus)).expect("admitted"));
    }
    control.hold(false);
    tickets.into_iter().for_each(|ticket| all.is_answered_by(&must_come(ticket)));
    balance(&engine);
}

#[test]
fn a_vote_overtakes_what_is_being_caught_up() {
    let engine = Engine::builder().threads(1).open().expect("an engine");
    let all = Signed::new(ECDSA, 1_000, [3]);
    let many: Vec<_> = all.jobs.iter().cycle().take(20_000).cloned().collect();
    let flood: Vec<_> = (0..4)
        .map(|_| engine.submit(batch(ECDSA, &many), terms(Class::Sync)).expect("room"))
        .collect();
    let vote = engine.submit(all.single(), terms(Class::Consensus)).expect("room");
    all.is_answered_by(&must_come(vote));
    let ready = flood.iter().filter(|ticket| ticket.is_ready()).count();
    assert!(ready < 4, "the vote came last");
    for ticket in flood {
        let answered = must_come(ticket);
        assert_eq!(answered.answers().iter().filter(|o| !accepted(*o)).count(), 20);
    }
    balance(&engine);
}

//! Load that is hostile, too much, or given up again: what is answered, what is refused, and how often the host
//! checks. No test looks at a clock.

mod support;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand::{Rng, SeedableRng};
use sigmill::backend::{BatchId, Capability};
use sigmill::batch::Shape;
use sigmill::dispatch::lane::LaneConfig;
use sigmill::dispatch::{Action, Dispatcher, Event, Order, PieceId, Place, Policy, Report, Tally};
use sigmill::error::{BusyReason, ItemError};
use sigmill::{
    Algorithm, Answered, Batch, Class, Engine, Form, Limits, Outcome, Source, Terms, Ticket, Trust,
};

use support::failing::{self, Control, Failure, must_come};
use support::signed::{self, ECDSA, RECOVER, SCHNORR, spoil};
use support::{Owned, accepted, batch, combined, cpu};

/// Signatures, some of them spoiled, and which are good.
struct Signed {
    algorithm: Algorithm,
    jobs: Vec<Owned>,
    odd: Vec<bool>,
    good: Vec<bool>,
}

impl Signed {
    fn new(algorithm: Algorithm, count: usize, bad: impl IntoIterator<Item = usize>) -> Self {
        let (mut jobs, odd) = signed::jobs(algorithm, count, count as u64);
        let mut good = vec![true; count];
        for at in bad {
            spoil(&mut jobs[at]);
            good[at] = false;
        }
        Signed { algorithm, jobs, odd, good }
    }

    fn single(&self) -> Batch {
        batch(self.algorithm, &self.jobs)
    }

    fn combined(&self) -> Batch {
        combined(self.algorithm, &self.jobs, |job| self.odd[job])
    }

    fn is_answered_by(&self, answered: &Answered) {
        let verdicts: Vec<_> = answered.answers().iter().map(accepted).collect();
        assert_eq!(verdicts, self.good, "{:?}", self.algorithm);
    }

    /// All right, or all cancelled; says which.
    fn was_cancelled(&self, answered: &Answered) -> bool {
        let mut outcomes = answered.answers().iter();
        let all = outcomes.all(|outcome| outcome == Outcome::Error(ItemError::Cancelled));
        if !all {
            self.is_answered_by(answered);
        }
        all
    }
}

fn balance(engine: &Engine) {
    let counters = engine.snapshot().counters;
    assert!(counters.balance() && counters.in_flight == 0, "{counters:?}");
}

#[test]
fn any_share_of_bad_signatures() {
    let engine = cpu();
    let mut random = StdRng::seed_from_u64(1);
    let mut source = 0;
    for algorithm in [ECDSA, SCHNORR] {
        for bad in [0, 1, 10, 100, 500, 1_000] {
            let all = Signed::new(algorithm, 1_000, sample(&mut random, 1_000, bad));
            for batch in [all.single(), all.combined()] {
                source += 1;
                let terms = Terms::default().source(Source(source));
                all.is_answered_by(&engine.submit(batch, terms).expect("room").wait());
            }
        }
    }
    balance(&engine);
}

#[test]
fn one_bad_signature_in_every_combined_batch() {
    let engine = cpu();
    for algorithm in [ECDSA, SCHNORR] {
        for bad in [0, 1, 255, 599, 300, 128] {
            let all = Signed::new(algorithm, 600, [bad]);
            let ticket = engine.submit(all.combined(), Terms::default()).expect("room");
            all.is_answered_by(&ticket.wait());
        }
    }
    balance(&engine);
}

#[test]
fn one_source_sends_all_the_bad_ones() {
    let engine = cpu();
    let good = Signed::new(SCHNORR, 600, []);
    let bad = Signed::new(SCHNORR, 600, 0..600);
    for _ in 0..6 {
        let tickets = [(&good, 1), (&bad, 2), (&good, 3)].map(|(all, source)| {
            let terms = Terms::default().source(Source(source));
            (all, engine.submit(all.combined(), terms).expect("room"))
        });
        tickets.into_iter().for_each(|(all, ticket)| all.is_answered_by(&ticket.wait()));
    }
    balance(&engine);
}

#[test]
fn nothing_but_duplicates() {
    let engine = cpu();
    for algorithm in [ECDSA, SCHNORR] {
        for bad in [None, Some(0)] {
            let one = Signed::new(algorithm, 1, bad);
            let all = Signed {
                algorithm,
                jobs: vec![one.jobs[0].clone(); 1_000],
                odd: vec![one.odd[0]; 1_000],
                good: vec![bad.is_none(); 1_000],
            };
            for batch in [all.single(), all.combined()] {
                all.is_answered_by(&engine.submit(batch, Terms::default()).expect("room").wait());
            }
        }
    }
    balance(&engine);
}

/// An engine whose one device keeps its answers.
fn held(limits: Limits) -> (Engine, std::sync::Arc<Control>) {
    let (device, control) = failing::device(Duration::from_secs(600));
    let engine = Engine::builder().threads(1).cpu(false).limits(limits).device(device).open();
    control.hold(true);
    (engine.expect("an engine"), control)
}

fn terms(class: Class) -> Terms {
    Terms::default().class(class)
}

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

#[test]
fn a_batch_given_up_at_any_stage_has_one_answer() {
    let (engine, control) = held(Limits::default());
    let all = Signed::new(ECDSA, 5, [2]);
    let large = Signed::new(SCHNORR, 2_500, [2_499]);
    let mut cancelled = 0;
    // While it is parsed, or just after.
    let parsing: Vec<_> = (0..4)
        .map(|_| {
            let ticket = engine.submit(large.single(), Terms::default()).expect("room");
            ticket.cancel();
            ticket
        })
        .collect();
    for ticket in parsing {
        assert!(large.was_cancelled(&must_come(ticket)), "no device answers yet");
        cancelled += 2_500;
    }
    // Some are in the lane, the others wait: more than the lane holds.
    let mut tickets: Vec<_> =
        (0..40).map(|_| engine.submit(all.single(), Terms::default()).expect("room")).collect();
    for ticket in tickets.split_off(3) {
        ticket.cancel();
        ticket.cancel();
        assert!(all.was_cancelled(&must_come(ticket)));
        cancelled += 5;
    }
    control.hold(false);
    // Those that were left alone are answered, and stay so.
    for ticket in tickets {
        while !ticket.is_ready() {
            std::thread::yield_now();
        }
        ticket.cancel();
        assert!(!all.was_cancelled(&ticket.wait()));
    }
    let counters = engine.snapshot().counters;
    assert_eq!(counters.answered.errors, cancelled);
    assert_eq!((counters.answered.valid, counters.answered.invalid), (3 * 4, 3));
    balance(&engine);
    // What the device sends of the others meets nobody.
    all.is_answered_by(&must_come(engine.submit(all.single(), Terms::default()).expect("room")));
}

/// Beyond the host's share for it, rejects of a source that proved to send nothing else are believed; votes and blocks
/// never are.
#[test]
fn a_flood_of_rejects_costs_the_host_no_more_than_its_share() {
    let (device, _) = failing::device(Duration::from_secs(600));
    let engine = Engine::builder().threads(1).cpu(false).device(device);
    let engine = engine.recheck(0).probation(Duration::ZERO).open().expect("an engine");
    let bad = Signed::new(ECDSA, 100, 0..100);
    let flooder = Source(1);
    let submit = |all: &Signed, class, source| {
        let before = engine.snapshot().checks;
        let terms = terms(class).source(source);
        all.is_answered_by(&must_come(engine.submit(all.single(), terms).expect("room")));
        let after = engine.snapshot().checks;
        (after.confirmed - before.confirmed, after.believed - before.believed)
    };
    for _ in 0..3 {
        assert_eq!(submit(&bad, Class::Mempool, flooder), (100, 0), "not yet notorious");
    }
    for _ in 0..5 {
        assert_eq!(submit(&bad, Class::Mempool, flooder), (0, 100), "notorious");
    }
    assert_eq!(submit(&bad, Class::Consensus, flooder), (100, 0));
    assert_eq!(submit(&bad, Class::Sync, flooder), (100, 0));
    assert_eq!(submit(&bad, Class::Mempool, Source(2)), (100, 0), "another source");
    // One good signature, and it is no longer believed.
    let mixed = Signed::new(ECDSA, 100, 0..99);
    assert_eq!(submit(&mixed, Class::Mempool, flooder), (0, 99));
    assert_eq!(submit(&bad, Class::Mempool, flooder), (100, 0));
    let device = &engine.snapshot().devices[0];
    assert_eq!((device.faults, device.serves()), (0, true));
    balance(&engine);
}

/// All kinds of load at once, tickets kept.
fn storm(engine: &Engine, control: &Control) -> Vec<(Signed, Ticket, bool)> {
    let mut random = StdRng::seed_from_u64(9);
    let mut flying = Vec::new();
    for round in 0..60 {
        let algorithm = [ECDSA, SCHNORR, RECOVER][random.random_range(0..3)];
        let jobs = [1, 7, 100, 700][random.random_range(0..4)];
        // A spoiled recovery has another key, and no verdict.
        let bad = if algorithm == RECOVER { 0 } else { [0, 1, jobs][random.random_range(0..3)] };
        let all = Signed::new(algorithm, jobs, 0..bad);
        let class = [Class::Consensus, Class::Mempool, Class::Sync][random.random_range(0..3)];
        let terms = terms(class).source(Source(random.random_range(0..4)));
        let combines = algorithm != RECOVER && random.random();
        let batch = if combines { all.combined() } else { all.single() };
        let ticket = engine.submit(batch, terms).expect("room");
        let cancels = random.random_range(0..6) == 0;
        if cancels {
            ticket.cancel();
        }
        if round % 20 == 10 {
            control.fail(Failure::ALL[random.random_range(0..6)]);
        }
        flying.push((all, ticket, cancels));
    }
    flying
}

#[test]
fn shutting_down_in_the_middle_answers_everything() {
    let (device, control) = failing::device(Duration::from_millis(200));
    let engine = Engine::builder().threads(1).device(device).proofs(proofs()).open();
    let engine = engine.expect("an engine");
    let flying = storm(&engine, &control);
    assert!(engine.shut_down(Duration::from_secs(60)));
    for (all, ticket, cancels) in flying {
        assert!(ticket.is_ready(), "all were answered");
        assert!(!all.was_cancelled(&ticket.wait()) || cancels);
    }
}

#[test]
fn dropping_in_the_middle_answers_everything() {
    let (device, control) = failing::device(Duration::from_millis(200));
    let engine = Engine::builder().threads(1).device(device).proofs(proofs()).open();
    let engine = engine.expect("an engine");
    let flying = storm(&engine, &control);
    drop(engine);
    for (all, ticket, cancels) in flying {
        let answered = must_come(ticket);
        let given_up = Outcome::Error(ItemError::Shutdown);
        if !answered.answers().iter().all(|outcome| outcome == given_up) {
            assert!(!all.was_cancelled(&answered) || cancels);
        }
    }
}

/// Where a device's lies are kept.
fn proofs() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("sigmill-load-{}", std::process::id()))
}

/// The state machine alone, with one lane of the host's.
struct Machine {
    dispatcher: Dispatcher,
    now: u64,
    sent: std::collections::VecDeque<(BatchId, PieceId, usize)>,
}

/// Time of one signature.
const UNIT: u64 = 50_000;

impl Machine {
    fn new() -> Self {
        let capability = Capability { algorithm: SCHNORR, max_items: 1 << 20, judges: true };
        let lane = LaneConfig {
            capabilities: vec![capability],
            width: 1,
            setup: 0,
            patience: 1_000_000_000,
            inline: false,
            host: true,
            shared: false,
        };
        let dispatcher = Dispatcher::new(Limits::default(), Policy::default(), vec![lane]);
        Machine { dispatcher, now: 0, sent: Default::default() }
    }

    fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.dispatcher.step(self.now, event, &mut actions);
        for action in &actions {
            if let Action::Send { id, piece, entries, .. } = action {
                self.sent.push_back((*id, *piece, entries.1 - entries.0));
            }
        }
        actions
    }

    /// Submits a batch; gives its id, and the form in which it is to be parsed.
    fn submit(&mut self, form: Form, items: usize, class: Class, source: u64) -> (BatchId, Form) {
        let shape = Shape { algorithm: SCHNORR, form, items, bytes: 128 * items };
        let source = Some(Source(source));
        let order = Order { class, source, deadline: u64::MAX, trust: Trust::Checked };
        match self.step(Event::Submit { shape, order, live: None })[..] {
            [Action::Admit(id), Action::Parse { form, .. }] => (id, form),
            ref other => panic!("{other:?}"),
        }
    }

    /// Finishes what was sent first, at so much a signature, with so many bad ones.
    fn finish(&mut self, unit: u64, invalid: u64) -> Option<BatchId> {
        let (id, piece, items) = self.sent.pop_front()?;
        let busy = items as u64 * unit;
        self.now += busy;
        let tally = Tally { invalid, valid: items as u64 - invalid, ..Tally::default() };
        let (place, report) = (Place::Lane(0), Report::default());
        self.step(Event::Finished { piece, place, busy, judged: 0, tally, report });
        Some(id)
    }

    /// One combined batch of a source, whole; gives the form in which it ran.
    fn combine(&mut self, source: u64, pays: bool) -> Form {
        let (id, form) = self.submit(Form::Combined, 200, Class::Mempool, source);
        self.step(Event::Parsed { id, live: 200 });
        let unit = match (form, pays) {
            (Form::Combined, true) => UNIT / 4,
            (Form::Combined, false) => UNIT * 5 / 4,
            _ => UNIT,
        };
        assert_eq!(self.finish(unit, u64::from(!pays)), Some(id));
        form
    }
}

#[test]
fn equations_that_stop_paying_are_left_out_for_that_source_and_come_back() {
    let mut machine = Machine::new();
    for _ in 0..10 {
        assert_eq!(machine.combine(1, true), Form::Combined);
    }
    let forms: Vec<_> = (0..200).map(|_| machine.combine(1, false)).collect();
    let equations = forms.iter().filter(|&&form| form == Form::Combined).count();
    assert!((2..12).contains(&equations), "{equations} of 200 that do not pay");
    // Others are not affected.
    assert_eq!(machine.combine(2, true), Form::Combined);
    // Once they pay again, the next trial brings them back for good.
    let forms: Vec<_> = (0..2_000).map(|_| machine.combine(1, true)).collect();
    let back = forms.iter().position(|&form| form == Form::Combined).expect("tried again");
    assert!(back <= 1_024 && forms[back..].iter().all(|&form| form == Form::Combined), "{back}");
}

#[test]
fn votes_go_first_and_the_others_have_their_turn() {
    let mut machine = Machine::new();
    let mut ids = std::collections::HashMap::new();
    let mut submit = |machine: &mut Machine, class| {
        let (id, _) = machine.submit(Form::Single, 400, class, class as u64);
        machine.step(Event::Parsed { id, live: 400 });
        ids.insert(id, class);
    };
    for _ in 0..50 {
        submit(&mut machine, Class::Sync);
    }
    for _ in 0..10 {
        submit(&mut machine, Class::Consensus);
    }
    let mut order = Vec::new();
    for _ in 0..400 {
        // The flood of votes does not end.
        submit(&mut machine, Class::Consensus);
        order.push(machine.finish(UNIT, 0).expect("something runs"));
    }
    let is_sync: Vec<_> = order.iter().map(|id| ids[id] == Class::Sync).collect();
    // What was in the lane before the votes came.
    let after = &is_sync[2..];
    let late = after.iter().filter(|&&sync| sync).count();
    assert!(late * 10 < after.len(), "{late} of {} went before a vote", after.len());
    let longest = after.split(|&sync| sync).map(<[bool]>::len).max();
    assert!(late >= 10 && longest <= Some(40), "{late} in all, {longest:?} votes in a row");
}

//! The dispatcher under a clock of its own.

use sigmill::backend::{BatchId, Capability};
use sigmill::batch::Shape;
use sigmill::dispatch::lane::LaneConfig;
use sigmill::dispatch::{Action, Dispatcher, Event, Order, PieceId, Place, Policy, Report, Tally};
use sigmill::{Class, Form, Limits, Source, Trust};

use crate::support::signed::SCHNORR;

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

//! Devices that hang, in front of a host that has just the time.

use super::*;
use crate::algorithm::Algorithm;
use crate::backend::{BatchId, Capability};
use crate::batch::{Form, Shape};
use crate::dispatch::lane::LaneConfig;
use crate::dispatch::{Event, Limits, Order, Policy};

const MS: Nanos = 1_000_000;

const SIGNATURES: Algorithm = Algorithm::SchnorrBip340;

/// Only the host hashes; of signatures the devices say that they are faster.
fn lane(host: bool) -> LaneConfig {
    let capability = |algorithm| Capability { algorithm, max_items: 1 << 20, judges: host };
    let all = [SIGNATURES, Algorithm::Sha256].map(capability);
    LaneConfig {
        capabilities: all[..if host { 2 } else { 1 }].to_vec(),
        width: if host { 1 } else { 64 },
        setup: 0,
        patience: 2_000 * MS,
        inline: false,
        host,
        shared: false,
    }
}

/// The machine, and what was begun: when, which batch, and whether by the host.
struct Watched {
    dispatcher: Dispatcher,
    now: Nanos,
    begun: Vec<(Nanos, BatchId, bool)>,
}

impl Watched {
    /// Over devices that never answer.
    fn new(host: bool, devices: usize) -> Self {
        Self::within(Limits::default(), host, devices)
    }

    fn within(limits: Limits, host: bool, devices: usize) -> Self {
        let lanes = host.then(|| lane(true)).into_iter();
        let lanes = lanes.chain((0..devices).map(|_| lane(false))).collect();
        let policy = Policy { probation: 0, ..Policy::default() };
        let dispatcher = Dispatcher::new(limits, policy, lanes);
        Watched { dispatcher, now: 0, begun: Vec::new() }
    }

    fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.dispatcher.step(self.now, event, &mut actions);
        self.note(&actions);
        actions
    }

    fn note(&mut self, actions: &[Action]) {
        for action in actions {
            match *action {
                Action::Send { id, lane, .. } => {
                    let host = self.dispatcher.lanes[lane].config.host;
                    self.begun.push((self.now, id, host));
                }
                Action::LastResort { id, .. } => self.begun.push((self.now, id, true)),
                _ => {}
            }
        }
    }

    /// Submits a batch that takes the host so long.
    fn submit(&mut self, algorithm: Algorithm, time: Nanos, deadline: Nanos) -> BatchId {
        let shape = |items| Shape { algorithm, form: Form::Single, items, bytes: 128 * items };
        let items = (time * 1_000 / self.dispatcher.host_time(&shape(1_000), 1_000)) as usize;
        let (class, trust) = (Class::Mempool, Trust::Fast);
        let order = Order { class, source: None, deadline, trust, inline: 200_000 };
        let submit = Event::Submit { shape: shape(items), order, live: Some(items) };
        match self.step(submit)[0] {
            Action::Admit(id) => id,
            ref other => panic!("{other:?}"),
        }
    }

    fn piece(&self) -> PieceId {
        let pieces = &self.dispatcher.pieces;
        (0..pieces.len()).find_map(|place| pieces.id_at(place)).map(PieceId).expect("a piece")
    }

    fn tick_until(&mut self, time: Nanos) {
        while self.now < time {
            self.now += 5 * MS;
            self.step(Event::Tick);
        }
    }

    /// What the host began with, in that order.
    fn by_host(&self) -> Vec<(Nanos, BatchId)> {
        self.begun.iter().filter(|(_, _, host)| *host).map(|&(at, id, _)| (at, id)).collect()
    }
}

#[test]
fn what_is_due_together_is_begun_first_due_first_and_in_time() {
    let mut watched = Watched::new(false, 1);
    let deadline = 600 * MS;
    // The last is due first.
    let mut ids: Vec<_> =
        (0..4).map(|at| watched.submit(SIGNATURES, 40 * MS, deadline - at * MS)).collect();
    watched.tick_until(deadline - 5 * MS);
    ids.reverse();
    let begun = watched.by_host();
    assert_eq!(begun.iter().map(|(_, id)| *id).collect::<Vec<_>>(), ids);
    let done = begun.iter().fold(0, |free, (at, _)| at.max(&free) + 40 * MS);
    assert!(done < deadline - 3 * MS, "done after {} ms", done / MS);
    assert!(begun[0].0 > 300 * MS, "not before it must: {begun:?}");
}

#[test]
fn a_long_piece_waits_for_one_that_is_due_while_it_runs() {
    let mut watched = Watched::new(true, 1);
    let small = watched.submit(SIGNATURES, MS, 70 * MS);
    watched.tick_until(10 * MS);
    assert_eq!(watched.by_host(), [], "the device has it");
    let long = watched.submit(Algorithm::Sha256, 60 * MS, 10_000 * MS);
    watched.tick_until(15 * MS);
    assert_eq!(watched.by_host(), [(10 * MS, small), (15 * MS, long)]);
}

#[test]
fn a_probe_that_hangs_too_is_no_help() {
    let mut watched = Watched::new(true, 2);
    let id = watched.submit(SIGNATURES, MS, 100 * MS);
    let (piece, mut actions) = (watched.piece(), Vec::new());
    let Place::Lane(first) = watched.dispatcher.place_of(piece).expect("it is sent") else {
        panic!("it waits")
    };
    watched.dispatcher.shadow(0, piece, 3 - first, &mut actions);
    assert_eq!(actions.len(), 1);
    watched.tick_until(95 * MS);
    let begun = watched.by_host();
    assert!(matches!(begun[..], [(at, began)] if began == id && at < 95 * MS), "{begun:?}");
    // The probe's answers come last, and are only compared.
    let host = watched.dispatcher.host().expect("there is one");
    let pieces = &watched.dispatcher.pieces;
    let all: Vec<_> = (0..pieces.len()).filter_map(|at| pieces.id_at(at)).collect();
    assert_eq!(all.len(), 3);
    let mut answered = 0;
    for lane in [host, 3 - first, first] {
        let id = all
            .iter()
            .copied()
            .map(PieceId)
            .find(|id| watched.dispatcher.place_of(*id) == Some(Place::Lane(lane)));
        let (piece, place) = (id.expect("one in each lane"), Place::Lane(lane));
        let (tally, report) = Default::default();
        let event = Event::Finished { piece, place, busy: 1, judged: 1, tally, report };
        let actions = watched.step(event);
        answered += actions.iter().filter(|a| matches!(a, Action::Accept { .. })).count();
    }
    assert_eq!((answered, watched.dispatcher.held()), (1, (0, 0)));
}

#[test]
fn a_suspect_that_owes_nothing_is_none() {
    let mut watched = Watched::new(true, 1);
    watched.submit(SIGNATURES, MS, 600_000 * MS);
    let piece = watched.piece();
    watched.tick_until(1_500 * MS);
    while watched.dispatcher.lanes[1].health != Health::Suspect {
        watched.tick_until(watched.now + 5 * MS);
        assert!(watched.now < 60_000 * MS, "never suspected");
    }
    watched.step(Event::Rejected { piece, lane: 1 });
    assert!(watched.dispatcher.lanes[1].health.serves());
}

#[test]
fn what_the_host_cannot_do_in_time_keeps_nobody_waiting() {
    let mut watched = Watched::new(false, 1);
    let small = watched.submit(SIGNATURES, MS, 60 * MS);
    let hopeless = watched.submit(SIGNATURES, 200 * MS, 50 * MS);
    watched.tick_until(30 * MS);
    assert_eq!(watched.by_host(), [], "neither yet");
    watched.tick_until(45 * MS);
    let begun = watched.by_host();
    assert_eq!(begun[0].1, small, "{begun:?}, {hopeless:?}");
}

/// Nobody takes a piece from who is at work on it: what was given up holds its place, and what comes is refused.
#[test]
fn pieces_of_batches_that_were_given_up_leave_room_for_those_that_were_admitted() {
    let limits = Limits { batches: 4, ..Limits::default() };
    let mut watched = Watched::within(limits, false, 0);
    let shape = Shape { algorithm: SIGNATURES, form: Form::Single, items: 9, bytes: 9 * 128 };
    let order = Order {
        class: Class::Consensus,
        source: None,
        deadline: Nanos::MAX,
        trust: Trust::Fast,
        inline: 200_000,
    };
    let (mut begun, mut unparsed) = (0, Vec::new());
    for round in 0..40 {
        let live = (round % 3 > 0).then_some(9);
        match watched.step(Event::Submit { shape, order, live })[0] {
            Action::Admit(id) if live.is_none() && unparsed.len() < 3 => unparsed.push(id),
            Action::Admit(id) => {
                begun += 1;
                watched.step(Event::Cancel { id });
            }
            Action::Refuse(why) => assert_eq!(why, crate::error::BusyReason::Batches),
            ref other => panic!("{other:?}"),
        }
    }
    assert!(begun >= 4 && unparsed.len() == 3, "{begun}, {unparsed:?}");
    for id in unparsed {
        let actions = watched.step(Event::Parsed { id, live: 9 });
        assert!(matches!(actions[..], [Action::LastResort { .. }]), "{actions:?}");
    }
}

//! Small batches between the host's lane and their callers' own threads.

use super::*;
use crate::algorithm::Algorithm;
use crate::backend::Capability;
use crate::dispatch::lane::LaneConfig;
use crate::dispatch::{Class, Event, Limits, Policy, Report, Tally};

const US: Nanos = 1_000;

const MOST_INLINE: Nanos = 200 * US;

const SINGLE: Shape =
    Shape { algorithm: Algorithm::SchnorrBip340, form: Form::Single, items: 1, bytes: 128 };

const VALID: Tally = Tally { valid: 1, invalid: 0, computed: 0, errors: 0 };

/// A host of two cores, and what a single check truly takes it.
struct Host {
    dispatcher: Dispatcher,
    now: Nanos,
    /// On the caller's thread, in the lane, and on the way to its thread.
    inline: Nanos,
    busy: Nanos,
    way: Nanos,
}

impl Host {
    fn new(inline: Nanos, busy: Nanos, way: Nanos) -> Self {
        let capability =
            Capability { algorithm: SINGLE.algorithm, max_items: 1 << 20, judges: true };
        let config = LaneConfig {
            capabilities: vec![capability],
            width: 2,
            setup: 0,
            patience: 1_000_000 * US,
            inline: true,
            host: true,
            shared: false,
        };
        let dispatcher = Dispatcher::new(Limits::default(), Policy::default(), vec![config]);
        Host { dispatcher, now: 0, inline, busy, way }
    }

    fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.dispatcher.step(self.now, event, &mut actions);
        actions
    }

    fn submit(&mut self, most_inline: Nanos) -> Action {
        let order = Order {
            class: Class::Mempool,
            source: None,
            deadline: Nanos::MAX,
            trust: Trust::Fast,
            inline: most_inline,
        };
        self.step(Event::Submit { shape: SINGLE, order, live: Some(1) })[1].clone()
    }

    fn finish(&mut self, piece: PieceId) {
        let (place, busy, report) = (Place::Lane(0), self.busy, Report::default());
        self.step(Event::Finished { piece, place, busy, judged: 0, tally: VALID, report });
    }

    /// A batch from its submission to its answer: whether it went inline.
    fn one(&mut self, most_inline: Nanos) -> bool {
        match self.submit(most_inline) {
            Action::Inline { id, lane, .. } => {
                let busy = self.inline;
                self.now += busy;
                self.step(Event::Inlined { id, lane, busy, done: Ok(VALID) });
                true
            }
            Action::Send { piece, .. } => {
                self.now += self.way + self.busy;
                self.finish(piece);
                false
            }
            other => panic!("{other:?}"),
        }
    }

    /// So many batches, so far apart: how many went inline.
    fn many(&mut self, batches: usize, pause: Nanos) -> usize {
        let inline = |_: &usize| {
            self.now += pause;
            self.one(MOST_INLINE)
        };
        (0..batches).filter(inline).count()
    }

    fn hand_over(&self) -> Nanos {
        self.dispatcher.lanes[0].hand_over.predict()
    }
}

#[test]
fn the_hand_over_shows_where_the_lane_was_empty() {
    let mut host = Host::new(50 * US, 50 * US, 40 * US);
    for _ in 0..50 {
        host.now += 1_000 * US;
        let [first, second] = [(), ()].map(|()| match host.submit(0) {
            Action::Send { piece, .. } => piece,
            other => panic!("{other:?}"),
        });
        host.now += host.way + host.busy;
        host.finish(first);
        // It waited for the other.
        host.now += 70 * US;
        host.finish(second);
    }
    assert_eq!(host.hand_over(), 80 * US);
    // One that was late tells little.
    host.way = 30_000 * US;
    host.one(0);
    assert!(host.hand_over() < 90 * US, "{}", host.hand_over());
}

#[test]
fn the_prediction_holds_both_wake_ups() {
    let mut host = Host::new(53 * US, 50 * US, 45 * US);
    (0..20).for_each(|_| _ = host.one(0));
    let choice = host.dispatcher.choices(SINGLE, Trust::Fast)[0];
    assert!((139 * US..=141 * US).contains(&choice.lane_finish), "{choice:?}");
    // Noise that makes the caller's thread half as slow again turns no route over.
    assert_eq!(host.many(20, 0), 20);
    host.inline = 80 * US;
    assert_eq!(host.many(20, 0), 20);
}

/// With an estimate for the caller's thread that was so long in a moment of noise.
fn after_noise(noise: Nanos) -> Host {
    let mut host = Host::new(noise, 50 * US, 45 * US);
    (0..20).for_each(|_| _ = host.one(0));
    host.many(20, 0);
    host.dispatcher.lanes[0].cost.observe(&SINGLE, noise, INLINE);
    host.dispatcher.lanes[0].cost.observe(&SINGLE, noise, INLINE);
    host.dispatcher.lanes[0].cost.observe(&SINGLE, noise, INLINE);
    assert_eq!(host.many(10, 0), 0, "the lane is the faster, as it seems");
    host
}

#[test]
fn small_batches_come_back_to_the_callers_thread() {
    for (noise, batches) in [(160 * US, 300), (190 * US, 300), (400 * US, 2_000)] {
        let mut host = after_noise(noise);
        host.inline = 53 * US;
        let tried = host.many(batches, 1_000 * US);
        assert!(tried >= 3, "{noise}: {tried}");
        assert_eq!(host.many(100, 1_000 * US), 100, "{noise}");
    }
}

#[test]
fn nobody_is_kept_longer_than_was_asked_for() {
    let mut host = after_noise(190 * US);
    for _ in 0..3_000 {
        host.now += 1_000 * US;
        assert!(!host.one(40 * US), "the queue says that it takes 50 us");
    }
}

#[test]
fn trying_again_costs_one_percent() {
    // Rightly in the lane, and where two tries of three take long, worse than anybody would think.
    let in_lane = 140 * US;
    for truth in [[190 * US; 3], [400 * US; 3], [2_000 * US; 3], [2_000 * US, 2_000 * US, 150 * US]]
    {
        let mut host = after_noise(190 * US);
        let (mut tried, mut price, mut dearest) = (0, 0, 0);
        for batch in 1..=20_000 {
            host.now += 1_000_000 * US;
            host.inline = truth[tried % 3];
            if host.one(MOST_INLINE) {
                tried += 1;
                price += host.inline - in_lane;
                dearest = dearest.max(host.inline - in_lane);
            }
            assert!(price <= in_lane * batch / 100 + dearest, "{truth:?}: {tried} of {batch}");
        }
        assert!(tried > 0, "{truth:?}");
    }
}

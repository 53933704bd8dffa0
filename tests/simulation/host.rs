//! The host's CPU as a lane, and the last resort: one piece after the other.

use std::collections::VecDeque;
use std::sync::Arc;

use sigmill::backend::BatchId;
use sigmill::dispatch::examine::Sent;
use sigmill::dispatch::{Check, Event, Nanos, PieceId, Place};
use sigmill::parsed::Parsed;
use sigmill::verdict::Answers;

use crate::books::Told;
use crate::world::{Happening, NOTHING, World, tally};

struct Work {
    piece: PieceId,
    parsed: Arc<Parsed>,
    entries: (usize, usize),
    place: Place,
    busy: Nanos,
}

#[derive(Default)]
pub struct HostQueue {
    waiting: VecDeque<Work>,
    running: Option<Work>,
    /// When it will be done with that.
    until: Nanos,
}

impl HostQueue {
    /// Time that it needs still for what it was given.
    pub fn rest(&self, now: Nanos) -> Nanos {
        self.until.saturating_sub(now) + self.waiting.iter().map(|work| work.busy).sum::<Nanos>()
    }
}

impl World<'_> {
    pub fn host_take(
        &mut self,
        id: BatchId,
        piece: PieceId,
        entries: (usize, usize),
        place: Place,
    ) {
        let Some(flight) = self.books.open.get(&id) else { return };
        let parsed = flight.parsed.clone();
        let busy = self.host_span(&parsed, entries.1 - entries.0);
        self.host.waiting.push_back(Work { piece, parsed, entries, place, busy });
        if self.host.running.is_none() {
            self.host_next();
        }
    }

    fn host_next(&mut self) {
        while let Some(work) = self.host.waiting.pop_front() {
            // A lane's thread looks whether the piece is still its own.
            if work.place != Place::LastResort
                && self.dispatcher.place_of(work.piece) != Some(work.place)
            {
                continue;
            }
            self.host.until = self.now + work.busy + 20_000;
            self.at(work.busy + 20_000, Happening::HostDone);
            self.host.running = Some(work);
            return;
        }
    }

    pub fn host_done(&mut self) {
        let Some(work) = self.host.running.take() else { return };
        let Work { piece, parsed, entries, place, busy } = work;
        let (range, algorithm) = (entries.0..entries.1, parsed.algorithm());
        let truth = self.truth.clone();
        let mut evidence = truth.own(&parsed, range.clone());
        let sent = Sent::to_host(parsed, range);
        let mut answers = Answers::new(algorithm);
        let random = &mut self.random;
        let examined = sent.examine(&*truth, random, true, &mut evidence, &mut answers);
        examined.expect("the host's own answers are whole");
        let counted = tally(answers.iter());
        let event =
            Event::Finished { piece, place, busy, judged: 0, tally: counted, report: NOTHING };
        let told = Told { answers, place, check: Check::HOST };
        // The step may give the host more to do.
        self.host_next();
        if let Some((first, told)) = self.step(event, Some(told)) {
            self.compare(place, &sent, first, &evidence, &told);
        }
    }
}

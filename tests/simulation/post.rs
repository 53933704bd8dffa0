//! A device's thread: what `worker` does, in virtual time.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sigmill::backend::{Backend, BatchId, Completion};
use sigmill::dispatch::examine::{Refusal, Sent};
use sigmill::dispatch::lane::{Health, LANE_DEPTH};
use sigmill::dispatch::random::Random;
use sigmill::dispatch::{Check, Class, Event, Nanos, PieceId, Place};
use sigmill::error::Fault;
use sigmill::parsed::Parsed;
use sigmill::verdict::{Answers, Evidence};

use crate::books::Told;
use crate::device::Modelled;
use crate::faults::Kind;
use crate::plan::MS;
use crate::world::{First, Happening, World, tally};

enum Command {
    Run { piece: PieceId, class: Class, parsed: Arc<Parsed>, entries: (usize, usize), check: Check },
    Readmit,
}

/// What is in a device.
struct Piece {
    sent: Sent,
    class: Class,
    entries: (usize, usize),
    check: Check,
}

pub struct Post {
    pub device: Modelled,
    inbox: VecDeque<Command>,
    flying: HashMap<BatchId, Piece>,
    memory: Option<Parsed>,
    /// The device is being opened; nothing else happens on its thread.
    opening: bool,
    /// It was found to fail, and has not been opened since.
    out: bool,
    /// Its thread examines evidence until then.
    busy: Nanos,
    opened: usize,
}

impl Post {
    pub fn new(device: Modelled) -> Self {
        Post {
            device,
            inbox: VecDeque::new(),
            flying: HashMap::new(),
            memory: None,
            opening: false,
            out: false,
            busy: 0,
            opened: 0,
        }
    }

    pub fn restart(&mut self) {
        self.inbox.clear();
        self.flying.clear();
        (self.opening, self.out, self.busy, self.opened) = (false, false, 0, 0);
        self.device.reopen();
    }
}

impl World<'_> {
    pub fn send(
        &mut self,
        id: BatchId,
        piece: PieceId,
        entries: (usize, usize),
        lane: usize,
        check: Check,
    ) {
        let health = self.dispatcher.lanes()[lane].health();
        let Some(post) = &mut self.posts[lane] else {
            return self.host_take(id, piece, entries, Place::Lane(lane));
        };
        assert!(!post.out && !post.opening, "work for a device out of service");
        if matches!(health, Health::Probation { .. }) {
            assert!(check.sample >= entries.1 - entries.0, "on probation, and not computed again");
        }
        let Some(flight) = self.books.open.get(&id) else { return };
        let (parsed, class) = (flight.parsed.clone(), flight.class);
        // The channel's size: what does not fit is lost, and found by the watchdog.
        if post.inbox.len() < 4 * LANE_DEPTH {
            post.inbox.push_back(Command::Run { piece, class, parsed, entries, check });
        }
        self.at(10_000, Happening::Work(lane));
    }

    /// The lane's thread takes its commands.
    pub fn work(&mut self, lane: usize) {
        loop {
            let Some(post) = self.posts[lane].as_mut().filter(|post| !post.opening) else { return };
            if post.busy > self.now {
                let rest = post.busy - self.now;
                return self.at(rest, Happening::Work(lane));
            }
            match post.inbox.pop_front() {
                None => return,
                Some(Command::Readmit) => return self.reopen(lane),
                Some(Command::Run { piece, class, parsed, entries, check }) => {
                    if self.dispatcher.place_of(piece) == Some(Place::Lane(lane)) {
                        self.hand_over(lane, piece, class, parsed, entries, check);
                    }
                }
            }
        }
    }

    fn hand_over(
        &mut self,
        lane: usize,
        piece: PieceId,
        class: Class,
        parsed: Arc<Parsed>,
        entries: (usize, usize),
        check: Check,
    ) {
        // Few seeds, so that the canaries' points come up again.
        let mut random = Random::seeded(self.random.below(24) as u64);
        let truth = self.truth.clone();
        let post = self.posts[lane].as_mut().expect("a device's lane");
        let (range, memory) = (entries.0..entries.1, post.memory.take());
        let sent = Sent::to_device(&*truth, &mut random, parsed, range, check, memory);
        let (id, batch) = (BatchId(piece.0), sent.batch().clone());
        let backend: &mut dyn Backend = &mut post.device;
        match catch_unwind(AssertUnwindSafe(|| backend.submit(id, batch))) {
            Ok(Ok(())) => {
                post.flying.insert(id, Piece { sent, class, entries, check });
                self.poll_later(lane);
            }
            Ok(Err(_full)) => {
                self.step(Event::Rejected { piece, lane }, None);
            }
            Err(_panic) => self.failed(lane, piece, Fault::Panicked),
        }
    }

    fn poll_later(&mut self, lane: usize) {
        let post = self.posts[lane].as_ref().expect("a device's lane");
        if let Some(next) = post.device.next() {
            let at = next.max(post.busy).saturating_sub(self.now);
            self.at(at, Happening::Poll(lane));
        }
    }

    /// The lane's thread takes what its device finished.
    pub fn collect(&mut self, lane: usize) {
        loop {
            let Some(post) = self.posts[lane].as_mut().filter(|post| !post.opening) else { return };
            // A thread waits for its device only while it knows of something there.
            if post.flying.is_empty() {
                return;
            }
            if post.busy > self.now {
                return self.poll_later(lane);
            }
            let backend: &mut dyn Backend = &mut post.device;
            match catch_unwind(AssertUnwindSafe(|| backend.poll())) {
                Err(_panic) => return self.fail_all(lane, Fault::Panicked),
                Ok(None) => return self.poll_later(lane),
                Ok(Some(completion)) => match post.flying.remove(&completion.id) {
                    None => return self.fail_all(lane, Fault::Stale),
                    Some(piece) => self.judge(lane, completion, piece),
                },
            }
        }
    }

    fn judge(&mut self, lane: usize, completion: Completion, held: Piece) {
        let Completion { id, result, busy } = completion;
        let piece = PieceId(id.0);
        let mut evidence = match result {
            Ok(evidence) => evidence,
            Err(fault) => return self.failed(lane, piece, fault),
        };
        let truth = self.truth.clone();
        let lied = self.posts[lane].as_ref().expect("a device's lane").device.lied_about(id);
        let flips = !lied && !has_gaps(&evidence) && self.random.below(40) == 0;
        if flips {
            truth.flip_next(self.random.below(1_000));
        }
        let items = held.entries.1 - held.entries.0;
        let mut answers = Answers::new(held.sent.batch().algorithm());
        let random = &mut self.random;
        let examined = held.sent.examine(&*truth, random, false, &mut evidence, &mut answers);
        let flipped = flips && !truth.unflip();
        let place = Place::Lane(lane);
        match examined {
            Ok(report) => {
                if flipped {
                    self.counts.add(Kind::HostFlip);
                }
                assert_eq!(report.host_wrong, u64::from(flipped), "what the referee found");
                let counted = tally(answers.iter());
                if held.class == Class::Consensus {
                    let decided = (report.believed, counted.invalid - report.confirmed);
                    assert_eq!(decided, (0, 0), "a device alone decided rejects");
                }
                let checked = (report.sampled + report.confirmed) as usize;
                let judged = 100 * items as u64 + self.host_span(held.sent.batch(), checked);
                self.posts[lane].as_mut().expect("a device's lane").busy = self.now + judged;
                let busy = busy.as_nanos() as Nanos;
                let event = Event::Finished { piece, place, busy, judged, tally: counted, report };
                let again = event.clone();
                let current = self.dispatcher.place_of(piece) == Some(place);
                let told = Told { answers, place, check: held.check };
                if let Some((first, told)) = self.step(event, Some(told)) {
                    self.compare(place, &held.sent, first, &evidence, &told);
                }
                if !current {
                    self.counts.add(Kind::LateEvent);
                } else if self.random.below(50) == 0 {
                    self.counts.add(Kind::DoubleEvent);
                    let delay = self.random.below(2_000_000) as Nanos;
                    self.at(delay, Happening::Again(again));
                }
            }
            Err(Refusal { fault, .. }) => {
                assert!(lied && !flipped, "an honest device is blamed: {fault}");
                self.failed(lane, piece, fault);
            }
        }
        self.posts[lane].as_mut().expect("a device's lane").memory = held.sent.into_memory();
    }

    /// Answers that came second: whoever was wrong goes out of service.
    pub fn compare(
        &mut self,
        place: Place,
        sent: &Sent,
        first: First,
        evidence: &Evidence,
        told: &Told,
    ) {
        let agrees = told.answers.digest() == first.digest;
        self.counts.add(if agrees { Kind::HedgeAgrees } else { Kind::HedgeDisagrees });
        let truth = self.truth.clone();
        let (liar, fault) = match sent.compare(&*truth, first.digest, evidence, &told.answers) {
            Ok(true) => return,
            Ok(false) => (first.place, Fault::Mismatch("the first answers were wrong".to_owned())),
            Err(Refusal { fault, .. }) => (place, fault),
        };
        if let Place::Lane(lane) = liar {
            let algorithm = sent.batch().algorithm();
            self.step(Event::Disagreed { lane, algorithm, fault }, None);
            assert!(self.is_out(lane), "it lied, and serves");
        }
        // If both were wrong, each in its way, the second was found.
        if let (false, Place::Lane(lane)) = (first.right, first.place)
            && liar != place
        {
            assert!(agrees || self.is_out(lane), "it lied first, and serves");
        }
    }

    /// A device failed over a piece that it held: it serves no more.
    fn failed(&mut self, lane: usize, piece: PieceId, fault: Fault) {
        let place = Place::Lane(lane);
        let current = self.dispatcher.place_of(piece) == Some(place);
        self.step(Event::Failed { piece, place, fault }, None);
        assert!(!current || self.is_out(lane), "it failed, and serves");
    }

    fn fail_all(&mut self, lane: usize, fault: Fault) {
        let post = self.posts[lane].as_mut().expect("a device's lane");
        let mut all: Vec<_> = post.flying.drain().map(|(id, _)| id).collect();
        all.sort_unstable();
        for id in all {
            self.failed(lane, PieceId(id.0), fault.clone());
        }
    }

    pub fn is_out(&self, lane: usize) -> bool {
        self.posts[lane].as_ref().is_none_or(|post| post.out)
    }

    pub fn quarantined(&mut self, lane: usize) {
        let post = self.posts[lane].as_mut().expect("the host is never out of service");
        post.out = true;
    }

    pub fn readmit(&mut self, lane: usize) {
        let post = self.posts[lane].as_mut().expect("the host is never opened anew");
        post.out = true;
        if post.inbox.len() < 4 * LANE_DEPTH {
            post.inbox.push_back(Command::Readmit);
        }
        self.at(10_000, Happening::Work(lane));
    }

    fn reopen(&mut self, lane: usize) {
        let draw = self.random.below(12);
        let delay = (1 + self.random.below(40)) as Nanos * MS;
        let post = self.posts[lane].as_mut().expect("a device's lane");
        post.flying.clear();
        post.opening = true;
        post.opened += 1;
        let first = post.opened == 1 && post.device.counts == Default::default();
        match (draw, first) {
            (0, true) => self.counts.add(Kind::CompileHangs),
            (0, false) => self.counts.add(Kind::Unkillable),
            (1, _) => {
                self.counts.add(if first { Kind::CompileFails } else { Kind::ReopenFails });
                self.at(delay, Happening::Reopened(lane, false));
            }
            (2, _) => self.at(70_000 * MS, Happening::Reopened(lane, true)),
            _ => self.at(delay, Happening::Reopened(lane, true)),
        }
    }

    pub fn reopened(&mut self, lane: usize, passed: bool) {
        let given_up = matches!(self.dispatcher.lanes()[lane].health(), Health::Lost { .. });
        let post = self.posts[lane].as_mut().expect("a device's lane");
        post.opening = false;
        post.out = !passed;
        post.device.reopen();
        if given_up {
            self.counts.add(Kind::ReopenLate);
        }
        let passed = passed.then(|| post.device.config());
        self.step(Event::Readmitted { lane, passed }, None);
        self.at(0, Happening::Work(lane));
    }
}

/// Whether the evidence says anywhere that there is nothing: the host answers that itself, and no one
/// would find it wrong.
fn has_gaps(evidence: &Evidence) -> bool {
    match evidence {
        Evidence::Points(all) => all.iter().any(|point| point.z == [0; 4]),
        Evidence::Keys(all) => all.contains(&[0; 64]),
        _ => false,
    }
}

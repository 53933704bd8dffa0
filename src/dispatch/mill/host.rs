//! What the host itself computes, and what it notes of devices.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::backend::device::DeviceInfo;
use crate::backend::{BatchId, cpu};
use crate::batch::{Batch, Form};
use crate::dispatch::examine::{Host, Refusal, Sent};
use crate::dispatch::judge::Standing;
use crate::dispatch::mill::{Delivery, First, Held, Input, Left, Mill, lock};
use crate::dispatch::proof::Proof;
use crate::dispatch::ticket::{Answered, Ticket};
use crate::dispatch::{Dispatcher, Event, Nanos, PieceId, Place, Report, Tally, judge, remember};
use crate::error::{Fault, ItemError};
use crate::isa::Isa;
use crate::observe::{Stage, Subject};
use crate::parsed::Parsed;
use crate::trust::Trust;
use crate::verdict::{Answers, Evidence};

impl Mill {
    /// Runs work that is no batch on the engine's threads.
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce(Isa) -> T + Send) -> T {
        self.pool.install(|| work(self.kernels.isa))
    }

    /// Runs the host's part of a device's work: on the engine's threads, unless it only copies.
    pub(crate) fn host<T: Send>(
        &self,
        copies: bool,
        work: impl FnOnce(&dyn Host) -> T + Send,
    ) -> T {
        if copies { work(&self.kernels) } else { self.pool.install(|| work(&self.kernels)) }
    }

    /// Notes what a lane's device is, now that it is open, and recalls what it showed in earlier runs.
    pub(crate) fn describe(&self, lane: usize, info: DeviceInfo) {
        let post = &self.posts[lane];
        if self.settings.remembers
            && let Some(costs) = remember::load(&post.name, &info.description)
        {
            lock(&self.state).dispatcher.recall(lane, costs);
        }
        *lock(&post.info) = info;
    }

    /// Keeps what the devices showed for later runs.
    pub(crate) fn remember(&self) {
        if !self.settings.remembers {
            return;
        }
        for (lane, post) in self.posts.iter().enumerate() {
            let info = post.info();
            // One that was never opened has shown nothing.
            if info.known_answers > 0 {
                let costs = self.look(|dispatcher| dispatcher.lanes()[lane].cost.clone());
                remember::save(&post.name, &info.description, &costs);
            }
        }
    }

    /// Keeps what shows that a device lied, on disk and in the log.
    pub(crate) fn keep(&self, lane: usize, proof: &Proof) {
        let name = &self.posts[lane].name;
        let kept = match proof.keep(&self.settings.proofs, name) {
            Ok(Some(path)) => format!("kept in {}", path.display()),
            Ok(None) => "not kept: there are enough".to_owned(),
            Err(error) => format!("not kept in {}: {error}", self.settings.proofs.display()),
        };
        eprintln!("sigmill: device {name} gave a wrong answer: {}; {kept}", proof.summary());
    }

    /// Parses in the pool's threads.
    pub(crate) fn parse(&self, batch: Batch) -> Arc<Parsed> {
        let plan = self.kernels.sha256;
        let form = batch.form();
        self.pool.install(|| self.spares.parse_shared(plan, batch, form))
    }

    /// The small batch's way: everything on the caller's thread.
    pub(super) fn run_inline(
        self: &Arc<Self>,
        id: BatchId,
        lane: usize,
        form: Form,
        input: Input,
        now: Nanos,
    ) -> Ticket {
        let items = input.shape().items;
        let subject = |parsed: &Parsed| Subject::of(parsed, id, PieceId(0), items);
        let held = match input {
            Input::Raw(batch) => {
                let algorithm = batch.algorithm();
                let _parse = self.recorder.time(Stage::Parse, || Subject {
                    algorithm,
                    batch: id.0,
                    piece: 0,
                    items: items as u32,
                    bytes: 0,
                });
                Held::own(self.spares.parse(self.kernels.sha256, batch, form))
            }
            Input::Parsed(parsed) => Held::given(parsed),
        };
        let kernel = self.posts[lane].inline.as_ref().expect("the dispatcher was told it has one");
        let kernel = |parsed: &Parsed, evidence: &mut Evidence| {
            let subject = subject(parsed);
            let _device = self.recorder.time(Stage::Device, || subject);
            let reading = subject.reading(parsed, 0..parsed.live());
            self.recorder.kernel(reading, || kernel(parsed, evidence));
        };
        match self.compute(&held.parsed, kernel) {
            Ok((answers, tally)) => {
                let busy = self.now() - now;
                self.step(Event::Inlined { id, lane, busy, done: Ok(tally) });
                Ticket::ready(Answered::new(held, answers, Trust::Audited, self.spares.clone()))
            }
            Err(_panic) => {
                let (cell, live) = (self.spares.take_cell(), held.parsed.live());
                let flight = self.flight(held, cell.clone());
                lock(&self.state).flights[Dispatcher::slot(id)] = Some(flight);
                self.step(Event::Inlined { id, lane, busy: 0, done: Err(live) });
                Ticket::pending(cell, Arc::downgrade(self), id)
            }
        }
    }

    /// Answers of a whole batch, by job.
    pub(super) fn compute(
        &self,
        parsed: &Parsed,
        kernel: impl FnOnce(&Parsed, &mut Evidence),
    ) -> Result<(Answers, Tally), Fault> {
        let mut answers = self.compute_entries(parsed, 0..parsed.live(), kernel)?;
        judge::spread(parsed, &mut answers);
        let tally = judge::tally(&answers);
        Ok((answers, tally))
    }

    /// Answers of some entries, by entry.
    pub(super) fn compute_entries(
        &self,
        parsed: &Parsed,
        entries: Range<usize>,
        kernel: impl FnOnce(&Parsed, &mut Evidence),
    ) -> Result<Answers, Fault> {
        let mut evidence = self.spares.take_evidence(parsed.algorithm());
        catch_unwind(AssertUnwindSafe(|| kernel(parsed, &mut evidence)))
            .map_err(|_| Fault::Panicked)?;
        let mut answers = self.spares.take_answers(parsed.algorithm());
        let judged = judge::judge(parsed, entries, Standing::Judges, None, &evidence, &mut answers);
        self.spares.put_evidence(evidence);
        judged.map(|()| answers)
    }

    /// Computes a batch on this thread beside the dispatcher's books.
    pub(crate) fn compute_here(&self, batch: Batch) -> Answered {
        let form = batch.form();
        let parsed = self.spares.parse(self.kernels.sha256, batch, form);
        let kernel = |parsed: &Parsed, evidence: &mut Evidence| {
            cpu::compute(self.kernels, parsed, evidence);
        };
        let answers = self.compute(&parsed, kernel).map(|(answers, _)| answers);
        let answers = answers.unwrap_or_else(|_| {
            let mut answers = self.spares.take_answers(parsed.algorithm());
            judge::abandon(&parsed, ItemError::Fault, &mut answers);
            answers
        });
        Answered::new(Held::own(parsed), answers, Trust::Audited, self.spares.clone())
    }

    /// Compares answers with those that came first: whoever was wrong is out of service.
    pub(crate) fn compare(
        self: &Arc<Self>,
        first: First,
        Delivery { answers, sent, place }: Delivery,
        evidence: &Evidence,
    ) {
        let algorithm = sent.whole().algorithm();
        let items = answers.len() as u32;
        let subject = Subject { algorithm, batch: 0, piece: 0, items, bytes: 0 };
        let comparing = self.recorder.time(Stage::Compare, || subject);
        let compared =
            self.host(false, |host| sent.compare(host, first.digest, evidence, &answers));
        self.spares.put_answers(answers);
        drop(comparing);
        let (liar, fault) = match compared {
            Ok(true) => return,
            Ok(false) => {
                let what = "the second answers were others, and the host agrees with those";
                (first.place, Fault::Mismatch(what.to_owned()))
            }
            Err(Refusal { fault, proof }) => {
                if let (Some(proof), Place::Lane(lane)) = (proof, place) {
                    self.keep(lane, &proof);
                }
                (place, fault)
            }
        };
        if let Place::Lane(lane) = liar {
            self.step(Event::Disagreed { lane, algorithm, fault });
        }
    }

    pub(super) fn run_last_resort(
        self: &Arc<Self>,
        piece: PieceId,
        entries: Range<usize>,
        parsed: Arc<Parsed>,
    ) {
        let started = self.now();
        let place = Place::LastResort;
        let range = entries.clone();
        let subject = Subject::of(&parsed, BatchId(0), piece, entries.len());
        let computed = self.compute_entries(&parsed, range.clone(), |parsed, evidence| {
            let _device = self.recorder.time(Stage::Device, || subject);
            cpu::compute_shared(self.kernels, parsed, range, evidence, None);
        });
        let sent = Sent::to_host(parsed, entries);
        match computed {
            Ok(answers) => {
                let (busy, tally) = (self.now() - started, judge::tally(&answers));
                let (judged, report) = (0, Report::default());
                let event = Event::Finished { piece, place, busy, judged, tally, report };
                let delivery = Delivery { answers, sent, place };
                if let Left::Second(first, delivery) = self.finish(event, delivery) {
                    self.compare(first, delivery, &Evidence::Nothing);
                }
            }
            Err(fault) => self.step(Event::Failed { piece, place, fault }),
        }
    }
}

//! What a device sent back, examined as far as its trust level asks, and judged.
//!
//! In this order: the length, the proof of all points (`Audited`), canaries, the judge, rejects and a sample of the
//! rest computed again. Where host and device disagree the referee decides, which shares no code with either.

use std::ops::Range;
use std::sync::Arc;

use crate::algorithms::secp256k1::audit::audit;
use crate::algorithms::secp256k1::{ecdsa, schnorr};
use crate::backend::cpu::{self, Kernels};
use crate::batch::Batch;
use crate::dispatch::canary::Canaries;
use crate::dispatch::judge::{self, Standing};
use crate::dispatch::proof::Proof;
use crate::dispatch::random::Random;
use crate::dispatch::{Check, Report};
use crate::error::Fault;
use crate::isa::Isa;
use crate::parsed::{Operands, Parsed};
use crate::referee;
use crate::trust::Trust;
use crate::verdict::{Answers, Evidence, Point, State, Verdict};

/// The host's own arithmetic, which devices are measured against, and the referee's.
pub trait Host: Send + Sync {
    /// Computes all entries: what the CPU as a device yields.
    fn compute(&self, batch: &Parsed) -> Evidence;

    /// The points that operands of signatures name.
    fn points(&self, operands: &Operands) -> Vec<Point>;

    /// Entries whose points or keys are wrong.
    fn audit(&self, operands: &Operands, evidence: &Evidence) -> Vec<usize>;

    /// The independent implementation's answer to one job.
    fn arbitrate(&self, batch: &Batch, job: usize) -> Answers {
        referee::answer(&batch.picked([job]))
    }
}

/// On the threads of the current rayon pool.
impl Host for Kernels {
    fn compute(&self, batch: &Parsed) -> Evidence {
        let mut evidence = Evidence::for_cpu(batch.algorithm());
        cpu::compute_shared(*self, batch, 0..batch.live(), &mut evidence, None);
        evidence
    }

    fn points(&self, operands: &Operands) -> Vec<Point> {
        const NONE: Point = Point { x: [0; 4], y: [0; 4], z: [0; 4] };
        let mut points = Vec::new();
        match operands {
            Operands::Ecdsa(operands) => {
                points.resize(operands.s.len(), NONE);
                ecdsa::points(self.isa, operands, 0..points.len(), &mut points);
            }
            Operands::Schnorr(operands) => {
                points.resize(operands.s.len(), NONE);
                schnorr::points(self.isa, operands, 0..points.len(), &mut points);
            }
            _ => {}
        }
        points
    }

    fn audit(&self, operands: &Operands, evidence: &Evidence) -> Vec<usize> {
        cpu::audit_shared(evidence.len(), |range| {
            audit(self.isa, self.sha256, operands, evidence, &[], range)
        })
    }
}

/// The CPU's kernels of a level, on the threads of the current rayon pool.
pub fn host(isa: Isa) -> impl Host {
    Kernels::measure(isa)
}

/// A piece as it was handed to a device.
#[derive(Debug)]
pub struct Sent {
    whole: Arc<Parsed>,
    entries: Range<usize>,
    /// What the device got: the entries, and canaries among them.
    batch: Arc<Parsed>,
    canaries: Canaries,
    check: Check,
}

/// Evidence that is not believed.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub fault: Fault,
    /// What shows it, if it takes more than a look at the evidence.
    pub proof: Option<Box<Proof>>,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Refusal { fault, proof: None }
    }
}

impl Sent {
    /// A piece for the host itself.
    pub fn to_host(whole: Arc<Parsed>, entries: Range<usize>) -> Sent {
        let batch = whole.clone();
        Sent { whole, entries, batch, canaries: Canaries::none(), check: Check::HOST }
    }

    /// Copies a piece into the memory of an earlier one and puts canaries in.
    pub fn to_device(
        host: &dyn Host,
        random: &mut Random,
        whole: Arc<Parsed>,
        entries: Range<usize>,
        check: Check,
        memory: Option<Parsed>,
    ) -> Sent {
        if matches!(whole.operands(), Operands::Columns) && entries == (0..whole.live()) {
            // Nothing is added to messages.
            return Sent { check, ..Sent::to_host(whole, entries) };
        }
        let memory = memory.unwrap_or_else(|| Parsed::blank(whole.algorithm()));
        let mut batch = whole.piece(entries.clone(), memory);
        let canaries = Canaries::insert(host, random, &mut batch);
        batch.roots = check.trust >= Trust::Audited && check.sample < entries.len();
        Sent { whole, entries, batch: Arc::new(batch), canaries, check }
    }

    /// What the device gets.
    pub fn batch(&self) -> &Arc<Parsed> {
        &self.batch
    }

    /// The batch that the piece was cut from.
    pub(crate) fn whole(&self) -> &Parsed {
        &self.whole
    }

    /// Gives memory back for a later piece, unless the device still holds it.
    pub fn into_memory(self) -> Option<Parsed> {
        let Sent { whole, batch, .. } = self;
        drop(whole);
        Arc::into_inner(batch)
    }

    /// Job of the batch that an entry of the piece answers.
    fn job(&self, entry: usize) -> usize {
        self.whole.position(self.entries.start + entry)
    }

    /// Examines evidence of all that was sent. `answers` has one for each entry of the piece then.
    ///
    /// # Errors
    /// Why the device is not to be believed; nothing of what it sent counts.
    pub fn examine(
        &self,
        host: &dyn Host,
        random: &mut Random,
        judges: bool,
        evidence: &mut Evidence,
        answers: &mut Answers,
    ) -> Result<Report, Refusal> {
        let Sent { whole, entries, batch, canaries, check } = self;
        if judges {
            judge::judge(whole, entries.clone(), Standing::Judges, None, evidence, answers)?;
            return Ok(Report::default());
        }
        let items = entries.len();
        let (got, want) = (evidence.len(), batch.live());
        if got != want && !matches!(evidence, Evidence::Nothing) {
            return Err(Fault::Short { got, want }.into());
        }
        let audited = self.audit(host, evidence)?;
        let standing = if audited.is_some() { Standing::Proved } else { Standing::Alleged };
        let mut suspects = audited.unwrap_or_default();
        if let Some(roots) = evidence.take_roots()
            && roots.len() != want
        {
            return Err(Fault::Short { got: roots.len(), want }.into());
        }
        if !canaries.take_off(evidence) {
            return Err(Fault::Canary.into());
        }
        judge::judge(whole, entries.clone(), standing, Some(host), evidence, answers)?;
        if matches!(evidence, Evidence::Nothing) {
            return Ok(Report::default());
        }
        let rejects = |state: &State| matches!(state, State::Verdict(Verdict::Invalid(_)));
        let mut again: Vec<usize> = match check.sample {
            0 => Vec::new(),
            most if most >= items => (0..items).collect(),
            // One of each stretch: none twice.
            some => (0..some)
                .map(|at| (at * items / some, (at + 1) * items / some))
                .map(|(start, end)| start + random.below(end - start))
                .collect(),
        };
        let mut report = Report { canaries: canaries.len() as u64, ..Report::default() };
        if !check.believe {
            again.extend((0..items).filter(|&entry| rejects(&answers.states[entry])));
        } else {
            report.believed = answers.states.iter().filter(|state| rejects(state)).count() as u64;
        }
        again.extend(&suspects);
        // Where the device found no point the judge has the host's own answer already, and no one is to blame: a
        // correct device's formulas may have met a case that a signer made for them.
        again.retain(|&entry| !evidence.is_absent(entry));
        suspects.retain(|&entry| !evidence.is_absent(entry));
        report.confirmed = (0..items)
            .filter(|&entry| evidence.is_absent(entry) && rejects(&answers.states[entry]))
            .count() as u64;
        again.sort_unstable();
        again.dedup();
        let own = match again[..] {
            [] => Answers::new(whole.algorithm()),
            _ => self.compute(host, &again)?,
        };
        for (at, &entry) in again.iter().enumerate() {
            if !same(answers, entry, &own, at) {
                self.arbitrate(host, entry, evidence, answers, (&own, at))?;
                report.host_wrong += 1;
            }
            if rejects(&answers.states[entry]) {
                report.confirmed += 1;
            } else {
                report.sampled += 1;
            }
        }
        report.believed = report.believed.saturating_sub(report.confirmed);
        match suspects.first() {
            // A wrong point that leads to the right verdict is wrong all the same.
            Some(&entry) => Err(self.refusal(entry, evidence, "the proof of all points", None)),
            None => Ok(report),
        }
    }

    /// Entries whose evidence the proof names as wrong, where there is one. A canary among them is enough.
    fn audit(&self, host: &dyn Host, evidence: &Evidence) -> Result<Option<Vec<usize>>, Fault> {
        let signatures = !matches!(self.batch.operands(), Operands::Columns);
        if self.check.trust < Trust::Audited || !signatures || self.is_computed_again() {
            return Ok(None);
        }
        let items = self.entries.len();
        let mut wrong = host.audit(self.batch.operands(), evidence);
        let origin = |place| self.canaries.origin(place, items);
        wrong.retain(|&place| origin(place) < items || !evidence.is_absent(place));
        let origins: Vec<_> = wrong.into_iter().map(origin).collect();
        if origins.iter().any(|&origin| origin >= items) {
            return Err(Fault::Canary);
        }
        Ok(Some(origins))
    }

    /// Whether the host computes every entry anyway.
    fn is_computed_again(&self) -> bool {
        self.check.sample >= self.entries.len()
    }

    /// Answers of the host to some entries.
    fn compute(&self, host: &dyn Host, entries: &[usize]) -> Result<Answers, Fault> {
        let picked: Vec<_> = entries.iter().map(|entry| self.entries.start + entry).collect();
        let picked = self.whole.pick(&picked);
        let evidence = host.compute(&picked);
        let mut answers = Answers::new(picked.algorithm());
        judge::judge(&picked, 0..entries.len(), Standing::Judges, None, &evidence, &mut answers)?;
        Ok(answers)
    }

    /// Has the referee decide an entry; fine if it was the host that erred.
    fn arbitrate(
        &self,
        host: &dyn Host,
        entry: usize,
        evidence: &Evidence,
        answers: &Answers,
        (own, at): (&Answers, usize),
    ) -> Result<(), Refusal> {
        let referee = host.arbitrate(self.whole.batch(), self.job(entry));
        if same(answers, entry, &referee, 0) {
            return Ok(());
        }
        let found = format!("host {:?}, referee {:?}", own.get(at), referee.get(0));
        Err(self.refusal(entry, evidence, &found, answers.get(entry).map(|o| format!("{o:?}"))))
    }

    fn refusal(
        &self,
        entry: usize,
        evidence: &Evidence,
        found: &str,
        answer: Option<String>,
    ) -> Refusal {
        let batch = self.whole.batch();
        let proof = Proof::new(batch, self.job(entry), evidence, entry, answer, found);
        Refusal { fault: Fault::Mismatch(proof.summary()), proof: Some(Box::new(proof)) }
    }

    /// Answers that came second, compared with the digest of those that came first. False: the first were wrong.
    ///
    /// # Errors
    /// The second were wrong.
    pub fn compare(
        &self,
        host: &dyn Host,
        first: u64,
        evidence: &Evidence,
        answers: &Answers,
    ) -> Result<bool, Refusal> {
        if answers.digest() == first {
            return Ok(true);
        }
        let all: Vec<_> = (0..self.entries.len()).collect();
        let own = self.compute(host, &all)?;
        for entry in all {
            if !same(answers, entry, &own, entry) {
                self.arbitrate(host, entry, evidence, answers, (&own, entry))?;
            }
        }
        Ok(false)
    }
}

/// Whether two answers agree; of reasons the host knows more than others do.
fn same(a: &Answers, at: usize, b: &Answers, bt: usize) -> bool {
    match (a.get(at), b.get(bt)) {
        (Some(a), Some(b)) => a.agrees(&b),
        _ => false,
    }
}

#[cfg(test)]
mod tests;

//! What is on its way: batches, and the jobs of the card by tag.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use crate::algorithms::secp256k1::point::is_possible;
use crate::algorithms::secp256k1::recover;
use crate::backend::BatchId;
use crate::backend::fpga::completion::Completed;
use crate::backend::fpga::descriptor::{Line, words};
use crate::backend::fpga::manifest::Core;
use crate::error::Fault;
use crate::isa::Isa;
use crate::parsed::{Operands, Parsed, Words};
use crate::verdict::{Evidence, Point, Rooted};

/// Lines for the card, and the jobs that they are: one for each item of a part of a batch.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    pub lines: Vec<Line>,
    /// `None` where nothing is to be computed.
    pub jobs: Vec<Option<Job>>,
    /// y of the key of each, zero where there is none, of batches that want roots.
    pub roots: Vec<Words>,
}

/// A job, as its completion has to answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub core: Core,
    /// CRC-32 of its lines.
    pub check: u32,
    /// Where its lines end: among those of the part, later among all that are submitted.
    pub end: u32,
}

/// The jobs of the card by tag. Tags count up, so that one is not used again before it wraps.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    /// The tag of the first.
    first: u32,
    /// An entry each: of which item of which batch; `None` once it is answered.
    jobs: VecDeque<Option<(BatchId, usize, Job)>>,
}

impl Jobs {
    /// The tag of the next job.
    pub fn next_tag(&self) -> u32 {
        self.first.wrapping_add(self.jobs.len() as u32)
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Takes the jobs of a batch's items from `item` on, whose lines follow line `base`.
    pub fn add(&mut self, id: BatchId, item: usize, base: u32, jobs: &[Option<Job>]) {
        self.jobs.extend(jobs.iter().enumerate().map(|(index, job)| {
            let job = (*job)?;
            Some((id, item + index, Job { end: base.wrapping_add(job.end), ..job }))
        }));
        self.drop_answered();
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.first = self.next_tag();
        self.jobs.clear();
    }

    /// The item that a completion answers, of jobs whose lines are all among the first `submitted`.
    ///
    /// # Errors
    /// A tag that is not open, lines that reached the card changed, or a payload of another core.
    pub fn answer(
        &mut self,
        completed: &Completed,
        submitted: u32,
    ) -> Result<(BatchId, usize), Fault> {
        let index = completed.tag.wrapping_sub(self.first) as usize;
        let open = self.jobs.get_mut(index).ok_or(Fault::Stale)?;
        let (id, item, job) = open.take().ok_or(Fault::Stale)?;
        if (submitted.wrapping_sub(job.end) as i32) < 0 {
            return Err(Fault::Stale);
        }
        if completed.check != job.check {
            return Err(Fault::Device("operands reached the card changed".to_owned()));
        }
        let is_point = job.core == Core::Secp256k1;
        if completed.wide != is_point || !is_point && completed.payload[32..] != [0; 64] {
            return Err(Fault::BadEvidence);
        }
        self.drop_answered();
        Ok((id, item))
    }

    fn drop_answered(&mut self) {
        while let Some(None) = self.jobs.front() {
            self.jobs.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }
}

/// A batch on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub id: BatchId,
    pub batch: Arc<Parsed>,
    answers: Answers,
    /// Of the items encoded so far, if they are wanted.
    pub roots: Vec<Words>,
    /// Items encoded so far.
    pub encoded: usize,
    /// Items answered, those without a job included.
    pub back: usize,
    pub started: Instant,
}

/// What came back for each item.
#[derive(Debug)]
enum Answers {
    Points(Vec<Point>),
    Digests(Vec<[u8; 32]>),
}

impl Flight {
    pub fn new(id: BatchId, batch: Arc<Parsed>) -> Self {
        let none = Point { x: [0; 4], y: [0; 4], z: [0; 4] };
        let answers = match batch.operands() {
            Operands::Columns => Answers::Digests(vec![[0; 32]; batch.live()]),
            _ => Answers::Points(vec![none; batch.live()]),
        };
        let roots = Vec::new();
        Flight { id, batch, answers, roots, encoded: 0, back: 0, started: Instant::now() }
    }

    /// Whether every item is answered.
    pub fn is_done(&self) -> bool {
        self.back == self.batch.live()
    }

    /// Takes an item's answer.
    pub fn take(&mut self, item: usize, payload: &[u8; 96]) {
        self.back += 1;
        let [first, second, third] = [0, 32, 64]
            .map(|at| -> &[u8; 32] { payload[at..at + 32].try_into().expect("32 bytes") });
        match &mut self.answers {
            Answers::Digests(digests) => digests[item] = *first,
            Answers::Points(points) => {
                points[item] = Point { x: words(first), y: words(second), z: words(third) };
            }
        }
    }

    /// The evidence of a batch that is done, on the threads of the current rayon pool.
    ///
    /// # Errors
    /// Points of a recovery that no correct card sends: keys of them could not be judged.
    pub fn evidence(mut self, isa: Isa) -> Result<Evidence, Fault> {
        let roots = std::mem::take(&mut self.roots);
        let evidence = self.plain_evidence(isa)?;
        Ok(match roots.len() == evidence.len() && !roots.is_empty() {
            true => Evidence::Rooted(Box::new(Rooted { evidence, roots })),
            false => evidence,
        })
    }

    fn plain_evidence(self, isa: Isa) -> Result<Evidence, Fault> {
        let points = match self.answers {
            Answers::Digests(digests) => return Ok(Evidence::Digests(digests)),
            Answers::Points(points) if matches!(self.batch.operands(), Operands::Recover(_)) => {
                points
            }
            Answers::Points(points) => return Ok(Evidence::Points(points)),
        };
        let mut keys = vec![[0; 64]; points.len()];
        let pieces = points.par_chunks(PIECE).zip(keys.par_chunks_mut(PIECE));
        pieces.try_for_each(|(points, keys)| {
            if !points.iter().all(is_possible) {
                return Err(Fault::BadEvidence);
            }
            recover::keys(isa, points, keys);
            Ok(())
        })?;
        Ok(Evidence::Keys(keys))
    }
}

/// Points that one thread makes keys of at a time.
const PIECE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(tag: u32, check: u32, wide: bool) -> Completed {
        let mut payload = [0; 96];
        payload[..32].fill(1);
        Completed { tag, check, payload, wide }
    }

    fn job(core: Core, end: u32) -> Option<Job> {
        Some(Job { core, check: 7 + end, end })
    }

    #[test]
    fn each_tag_is_answered_once_in_any_order() {
        let mut jobs = Jobs { first: u32::MAX - 1, ..Jobs::default() };
        let lines = u32::MAX;
        let list = [job(Core::Sha256, 1), None, job(Core::Sha256, 2), job(Core::Secp256k1, 5)];
        jobs.add(BatchId(3), 10, lines, &list);
        assert_eq!(jobs.next_tag(), 2);
        let submitted = 4;
        let mut answer = |tag, check, wide| jobs.answer(&completed(tag, check, wide), submitted);
        assert_eq!(answer(1, 12, true), Ok((BatchId(3), 13)));
        assert_eq!(answer(1, 12, true), Err(Fault::Stale), "twice");
        assert_eq!(answer(u32::MAX, 9, false), Err(Fault::Stale), "nothing was asked");
        assert_eq!(answer(2, 9, false), Err(Fault::Stale), "never used");
        assert_eq!(answer(u32::MAX - 2, 9, false), Err(Fault::Stale), "before all");
        assert_eq!(answer(0, 9, false), Ok((BatchId(3), 12)));
        assert_eq!(answer(u32::MAX - 1, 8, false), Ok((BatchId(3), 10)));
        assert!(jobs.is_empty());
    }

    #[test]
    fn answers_that_do_not_fit_their_job_are_faults() {
        let one = |core, tag, check, wide, submitted| {
            let mut jobs = Jobs::default();
            jobs.add(BatchId(1), 0, 0, &[job(core, 3)]);
            jobs.answer(&completed(tag, check, wide), submitted)
        };
        assert!(one(Core::Sha256, 0, 10, false, 3).is_ok());
        assert!(matches!(one(Core::Sha256, 0, 11, false, 3), Err(Fault::Device(_))), "other lines");
        assert_eq!(one(Core::Sha256, 0, 10, false, 2), Err(Fault::Stale), "not sent yet");
        assert_eq!(one(Core::Sha256, 0, 10, true, 3), Err(Fault::BadEvidence));
        assert_eq!(one(Core::Secp256k1, 0, 10, false, 3), Err(Fault::BadEvidence));
        let mut jobs = Jobs::default();
        jobs.add(BatchId(1), 0, 0, &[job(Core::Sha256, 3)]);
        let mut more = completed(0, 10, false);
        more.payload[40] = 1;
        assert_eq!(jobs.answer(&more, 3), Err(Fault::BadEvidence), "bytes past the digest");
    }
}

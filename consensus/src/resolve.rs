//! The only way into the engine: answers that no fault can turn into "invalid".
//!
//! A batch is submitted; what the engine refuses or leaves without an answer is computed on this
//! thread by the host's kernels, and should those fail too, by the referee. So there is an answer for
//! every job, and it is the same whoever gave it.

use std::time::Duration;

use sigmill::{Answered, Batch, Engine, Outcome, Terms, Ticket, Verdict, referee};

/// Answers of every job, in order: none of them is [`Outcome::Error`].
#[derive(Debug)]
pub struct Resolved {
    answered: Answered,
    /// Answers that stand in for the engine's, where it gave none.
    instead: Option<sigmill::Answers>,
}

impl Resolved {
    /// Number of jobs.
    pub fn len(&self) -> usize {
        self.answers().len()
    }

    /// Whether the batch was empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn answers(&self) -> &sigmill::Answers {
        self.instead.as_ref().unwrap_or_else(|| self.answered.answers())
    }

    /// The outcomes: verdicts, digests or keys.
    pub fn outcomes(&self) -> impl ExactSizeIterator<Item = Outcome<'_>> {
        self.answers().iter()
    }

    /// The verdicts of a batch that verifies.
    ///
    /// # Panics
    /// When the batch computes values.
    pub fn verdicts(&self) -> impl ExactSizeIterator<Item = Verdict> + '_ {
        self.outcomes().map(|outcome| match outcome {
            Outcome::Verdict(verdict) => verdict,
            other => unreachable!("a verdict was asked for, not {other:?}"),
        })
    }

    /// The digests of a batch that hashes.
    ///
    /// # Panics
    /// When the batch computes no digests.
    pub fn digests(&self) -> impl ExactSizeIterator<Item = &[u8; 32]> {
        self.outcomes().map(|outcome| match outcome {
            Outcome::Digest(digest) => digest,
            other => unreachable!("a digest was asked for, not {other:?}"),
        })
    }

    /// The batch, for its memory.
    pub fn into_batch(self) -> Batch {
        self.answered.into_batch()
    }
}

/// Longest that a thread which waits for the answers anyway computes them itself, where that ends
/// first: being woken costs it a tenth of that.
const INLINE: Duration = Duration::from_millis(1);

/// Terms of a batch whose answers are waited for at once.
pub(crate) fn at_once(terms: Terms) -> Terms {
    terms.inline(INLINE)
}

/// A batch on its way. Its answers are computed whether they are waited for or not.
#[derive(Debug)]
#[must_use]
pub struct Pending<'a> {
    engine: &'a Engine,
    answers: Coming,
}

#[derive(Debug)]
enum Coming {
    Later(Ticket),
    Now(Answered),
}

impl Pending<'_> {
    /// Waits on this thread. Where the engine gave no answer, it is computed here.
    pub fn wait(self) -> Resolved {
        let answered = match self.answers {
            Coming::Later(ticket) => ticket.wait(),
            Coming::Now(answered) => answered,
        };
        complete(answered, |batch| self.engine.compute_here(batch))
    }
}

/// As many jobs are computed by who has them: a thread that sleeps is woken in 100 us or more, and a
/// signature takes 20.
const ALONE: usize = 4;

/// Submits a batch, to be waited for later. What the engine does not take, and a handful of jobs, is
/// computed before this returns.
pub fn submit(engine: &Engine, batch: Batch, terms: Terms) -> Pending<'_> {
    if batch.len() <= ALONE {
        return Pending { engine, answers: Coming::Now(engine.compute_here(batch)) };
    }
    let answers = match engine.submit(batch, terms) {
        Ok(ticket) => Coming::Later(ticket),
        Err(busy) => Coming::Now(engine.compute_here(busy.batch)),
    };
    Pending { engine, answers }
}

/// Submits a batch and waits on this thread.
pub fn resolve(engine: &Engine, batch: Batch, terms: Terms) -> Resolved {
    submit(engine, batch, at_once(terms)).wait()
}

/// Submits a batch; the future gives the answers. It computes on the thread that polls it, as long
/// as the batch takes, where the engine gave no answer.
pub async fn resolve_later(engine: &Engine, batch: Batch, terms: Terms) -> Resolved {
    match engine.submit(batch, terms) {
        Ok(ticket) => complete(ticket.await, |batch| engine.compute_here(batch)),
        Err(busy) => complete(engine.compute_here(busy.batch), |batch| engine.compute_here(batch)),
    }
}

/// The verdicts of a batch that verifies, in the order of its jobs.
///
/// # Panics
/// When the batch computes values.
pub fn resolve_all(engine: &Engine, batch: Batch, terms: Terms) -> Vec<Verdict> {
    resolve(engine, batch, terms).verdicts().collect()
}

fn has_errors(answered: &Answered) -> bool {
    answered.answers().iter().any(|outcome| matches!(outcome, Outcome::Error(_)))
}

/// Leaves no job without an answer: all are computed again, then by the referee.
fn complete(answered: Answered, again: impl FnOnce(Batch) -> Answered) -> Resolved {
    if !has_errors(&answered) {
        return Resolved { answered, instead: None };
    }
    let answered = again(answered.into_batch());
    let instead = has_errors(&answered).then(|| referee::answer(answered.batch()));
    Resolved { answered, instead }
}

#[cfg(test)]
mod tests {
    use sigmill::{Algorithm, Class, Job, Limits};

    use super::*;

    fn abc(jobs: usize) -> Batch {
        let mut batch = Batch::open(Algorithm::Sha256);
        for _ in 0..jobs {
            batch.push(Job::Hash { message: b"abc" }).unwrap();
        }
        batch.seal()
    }

    fn first(resolved: &Resolved) -> [u8; 2] {
        resolved.digests().next().unwrap()[..2].try_into().unwrap()
    }

    #[test]
    fn a_full_engine_is_no_verdict() {
        let limits = Limits { items: 1, ..Limits::default() };
        let engine = Engine::builder().threads(1).limits(limits).open().unwrap();
        assert!(engine.submit(abc(9), Terms::default()).is_err(), "the engine takes it after all");
        let resolved = resolve(&engine, abc(9), Terms::default());
        assert_eq!((resolved.len(), first(&resolved)), (9, [0xba, 0x78]));
        let pending = [9, 1, 9].map(|jobs| submit(&engine, abc(jobs), Terms::default()));
        let resolved = pending.map(Pending::wait);
        assert_eq!(resolved.each_ref().map(Resolved::len), [9, 1, 9]);
        assert!(resolved.iter().all(|one| first(one) == [0xba, 0x78]));
    }

    /// A device-less engine's answers to a batch that was cancelled: errors, most of them.
    fn cancelled(engine: &Engine, mut batch: Batch) -> Answered {
        // This thread may get its turn so late that the batch is done.
        for _ in 0..100 {
            let ticket = engine.submit(batch, Terms::default()).unwrap();
            ticket.cancel();
            let answered = ticket.wait();
            if has_errors(&answered) {
                return answered;
            }
            batch = answered.into_batch();
        }
        panic!("the batch was always done before it was cancelled");
    }

    /// Votes, every fifth of which is none.
    fn votes(engine: &Engine) -> Batch {
        let key = crate::keys::VoteKey::from_bytes(&[5; 32]).unwrap();
        let keys = engine.pin(&[key.public()]).unwrap();
        let signature = key.sign(b"vote").unwrap();
        let mut batch = Batch::open_pinned(Algorithm::SchnorrBip340, &keys).unwrap();
        for n in 0..VOTES {
            let message: &[u8] = if n % 5 == 4 { b"veto" } else { b"vote" };
            batch.push(Job::SchnorrPinned { message, signature: &signature, key: 0 }).unwrap();
        }
        batch.seal()
    }

    const VOTES: usize = 2_000;

    fn is_right(resolved: &Resolved) -> bool {
        let right = |(n, verdict): (usize, Verdict)| verdict.is_valid() == (n % 5 != 4);
        resolved.len() == VOTES && resolved.verdicts().enumerate().all(right)
    }

    #[test]
    fn what_the_engine_left_open_is_computed_here() {
        let engine = Engine::builder().threads(1).cpu(false).open().unwrap();
        let answered = cancelled(&engine, votes(&engine));
        let resolved = complete(answered, |batch| engine.compute_here(batch));
        assert!(resolved.instead.is_none());
        assert!(is_right(&resolved));
    }

    #[test]
    fn what_the_host_leaves_open_is_the_referees() {
        let engine = Engine::builder().threads(1).cpu(false).open().unwrap();
        let answered = cancelled(&engine, votes(&engine));
        let resolved = complete(answered, |batch| cancelled(&engine, batch));
        assert!(resolved.instead.is_some());
        assert!(is_right(&resolved));
    }

    #[test]
    fn a_deadline_in_the_past_is_no_verdict() {
        let engine = Engine::builder().threads(1).cpu(false).open().unwrap();
        let terms = Terms::default().class(Class::Consensus).deadline(Duration::ZERO);
        assert!(is_right(&resolve(&engine, votes(&engine), terms)));
        let pending = [(); 3].map(|()| submit(&engine, votes(&engine), terms));
        assert!(pending.into_iter().all(|one| is_right(&one.wait())));
    }

    #[test]
    fn the_future_says_the_same() {
        let engine = Engine::builder().threads(1).cpu(false).open().unwrap();
        for deadline in [Duration::from_secs(60), Duration::ZERO] {
            let terms = Terms::default().deadline(deadline);
            let later = resolve_later(&engine, votes(&engine), terms);
            assert!(is_right(&pollster::block_on(later)));
        }
    }

    #[test]
    fn an_engine_without_devices_is_no_verdict() {
        let engine = Engine::builder().threads(1).cpu(false).open().unwrap();
        let mut batch = Batch::open(Algorithm::SchnorrBip340);
        batch.push(Job::Schnorr { message: b"", signature: &[1; 64], key: &[0; 32] }).unwrap();
        let verdicts = resolve_all(&engine, batch.seal(), Terms::default());
        assert!(matches!(verdicts[..], [Verdict::Invalid(_)]));
    }
}

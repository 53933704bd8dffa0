//! What was promised, kept beside the dispatcher and compared with what it does.

use std::collections::HashMap;
use std::sync::Arc;

use sigmill::backend::BatchId;
use sigmill::dispatch::{Check, Class, Nanos, Place};
use sigmill::error::ItemError;
use sigmill::parsed::Parsed;
use sigmill::verdict::Answers;
use sigmill::{Algorithm, Outcome, Trust, Verdict};

use crate::items::{Ware, agree, has_evidence};
use crate::plan::{MS, Submission};

/// Ticks, parsing, the way to a thread and back: what a deadline has to leave beside the work.
const MARGIN: Nanos = 40 * MS;

/// A batch in flight.
pub struct Flight {
    pub parsed: Arc<Parsed>,
    pub number: usize,
    pub class: Class,
    trust: Trust,
    /// When it was admitted, or a device failed since.
    since: Nanos,
    failed: bool,
    deadline: Nanos,
    /// Live entries that were answered.
    answered: Vec<bool>,
    /// Time that the host needs for all that was in flight since.
    work: Nanos,
    /// Its own part.
    own: Nanos,
    /// The clock jumped meanwhile.
    jumped: bool,
}

/// Answers as they are reported, and from where.
pub struct Told {
    pub answers: Answers,
    pub place: Place,
    pub check: Check,
}

/// Answers that were wrong and accepted all the same, where that is not ruled out, and more that is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slips {
    /// Any algorithm at `Fast`.
    pub fast: u64,
    /// Digests, and keys, at `Checked`; digests at `Audited`.
    pub digests: u64,
    pub keys: u64,
    pub audited_digests: u64,
    /// Valid jobs whose reject was believed: of class `Mempool`, from notorious sources.
    pub believed: u64,
    /// Batches that missed their deadline, the host having no time for them: ever, or since a device failed.
    pub late: u64,
    pub late_after_fault: u64,
    pub answered: u64,
    pub refused: u64,
}

impl Slips {
    pub fn merge(&mut self, other: &Slips) {
        let Slips {
            fast,
            digests,
            keys,
            audited_digests,
            believed,
            late,
            late_after_fault,
            answered,
            refused,
        } = other;
        self.fast += fast;
        self.digests += digests;
        self.keys += keys;
        self.audited_digests += audited_digests;
        self.believed += believed;
        self.late += late;
        self.late_after_fault += late_after_fault;
        self.answered += answered;
        self.refused += refused;
    }
}

impl Flight {
    /// The host answered it on its caller's thread.
    pub fn answer_all(&mut self) {
        assert!(self.answered.iter().all(|is| !is), "answered before");
        self.answered.fill(true);
    }
}

#[derive(Default)]
pub struct Books {
    pub open: HashMap<BatchId, Flight>,
    ended: std::collections::HashSet<BatchId>,
    pub slips: Slips,
}

impl Books {
    /// `before`: time for which the host is at work already.
    pub fn admit(
        &mut self,
        id: BatchId,
        (number, order): (usize, &Submission),
        parsed: Arc<Parsed>,
        now: Nanos,
        (own, before): (Nanos, Nanos),
    ) {
        assert!(!self.ended.contains(&id), "an id was used twice");
        let others: Nanos = self.open.values().map(|flight| flight.own).sum();
        self.open.values_mut().for_each(|flight| flight.work += own);
        let flight = Flight {
            answered: vec![false; parsed.live()],
            parsed,
            number,
            class: order.class,
            trust: order.trust,
            since: now,
            failed: false,
            deadline: order.order(now).deadline,
            work: before + others + own,
            own,
            jumped: false,
        };
        assert!(self.open.insert(id, flight).is_none(), "admitted twice");
    }

    /// Another engine, whose ids begin anew.
    pub fn forget(&mut self) {
        assert!(self.open.is_empty(), "batches of an engine that was given up");
        self.ended.clear();
    }

    /// A device failed, or is suspected: what it had or was waited for comes to a host that has `before` to do.
    pub fn failed(&mut self, now: Nanos, before: Nanos) {
        let all: Nanos = self.open.values().map(|flight| flight.own).sum();
        for flight in self.open.values_mut() {
            (flight.since, flight.work, flight.failed) = (now, before + all, true);
        }
    }

    pub fn jump(&mut self) {
        self.open.values_mut().for_each(|flight| flight.jumped = true);
    }

    /// Answers of these entries count now; says whether all are right.
    pub fn accept(
        &mut self,
        id: BatchId,
        entries: (usize, usize),
        told: &Told,
        ware: &Ware,
    ) -> bool {
        let mut right = true;
        let flight = self.open.get_mut(&id).expect("answers of a batch in flight");
        let algorithm = flight.parsed.algorithm();
        assert_eq!(told.answers.len(), entries.1 - entries.0, "as many answers as entries");
        for (at, entry) in (entries.0..entries.1).enumerate() {
            assert!(!std::mem::replace(&mut flight.answered[entry], true), "answered twice");
            let (got, want) = (told.answers.get(at).expect("counted"), ware.truth(entry));
            if !agree(got, want) {
                wrong(&mut self.slips, algorithm, flight.class, told, entries, (got, want));
                right = false;
            }
        }
        right
    }

    /// Every entry has its answer.
    pub fn resolve(&mut self, id: BatchId, trust: Trust) {
        let flight = self.open.remove(&id).expect("resolved twice, or never admitted");
        assert!(flight.answered.iter().all(|&is| is), "resolved before all is answered");
        assert!(trust >= flight.trust, "{trust} stands behind what asked for {}", flight.trust);
        self.slips.answered += 1;
        self.ended.insert(id);
    }

    pub fn abandon(&mut self, id: BatchId, error: ItemError, now: Nanos, cancelled: bool) {
        let flight = self.open.remove(&id).expect("given up twice, or never admitted");
        self.ended.insert(id);
        match error {
            ItemError::Deadline => {
                assert!(flight.deadline <= now, "given up before its deadline");
                let given = flight.deadline.saturating_sub(flight.since);
                let needed = 2 * flight.work + MARGIN;
                assert!(
                    flight.jumped || given < needed,
                    "deadline missed though the host had time: left {} ms, work {} ms",
                    given / MS,
                    flight.work / MS
                );
                let late = match flight.failed {
                    true => &mut self.slips.late_after_fault,
                    false => &mut self.slips.late,
                };
                *late += 1;
            }
            ItemError::Cancelled => assert!(cancelled, "no one cancelled it"),
            ItemError::Shutdown => {}
            other => panic!("{other:?}: the portable CPU is the last resort"),
        }
    }
}

/// A wrong answer was accepted: whether that may happen.
fn wrong(
    slips: &mut Slips,
    algorithm: Algorithm,
    class: Class,
    told: &Told,
    entries: (usize, usize),
    (got, want): (Outcome<'_>, Outcome<'_>),
) {
    let Told { check, place, .. } = told;
    let rejected = matches!(got, Outcome::Verdict(Verdict::Invalid(_)));
    let what = format!("{algorithm} {class:?} {check:?} {place:?}: {got:02x?}, not {want:02x?}");
    assert!(matches!(place, Place::Lane(_)), "the host is wrong: {what}");
    assert!(check.sample < entries.1 - entries.0, "computed again and wrong: {what}");
    if rejected {
        assert!(check.believe, "no reject is believed: {what}");
        assert!(class == Class::Mempool, "a device alone decided: {what}");
        slips.believed += 1;
        return;
    }
    let slip = match (check.trust, algorithm) {
        (Trust::Fast, _) => &mut slips.fast,
        (_, algorithm) if has_evidence(algorithm) => panic!("false accept: {what}"),
        (Trust::Checked, Algorithm::RecoverSecp256k1(_)) => &mut slips.keys,
        (Trust::Checked, _) => &mut slips.digests,
        (Trust::Audited, Algorithm::RecoverSecp256k1(_)) => panic!("a wrong key: {what}"),
        (Trust::Audited, _) => &mut slips.audited_digests,
    };
    *slip += 1;
}

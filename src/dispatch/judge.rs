//! From evidence to answers: the last comparison is the host's.
//!
//! Evidence that no correct device sends is a [`Fault`] of the whole batch and decides nothing. Where a
//! device says that there is no point, the host computes the item itself: nothing in such evidence
//! could be checked, and a device's formulas may have met a case made for them.

use std::ops::Range;

use rayon::prelude::*;

use crate::algorithm::Algorithm;
use crate::algorithms::secp256k1::{ecdsa, schnorr};
use crate::dispatch::Tally;
use crate::dispatch::examine::Host;
use crate::error::{Fault, ItemError};
use crate::parsed::{Operands, Parsed};
use crate::verdict::{Answers, Evidence, Point, Reason, State, Verdict};

/// What is known of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its device may send verdicts itself.
    Judges,
    /// Nothing: each point is looked at.
    Alleged,
    /// The proof of all points left none out: what it named as wrong decides nothing, whatever is read from it.
    Proved,
}

impl Standing {
    /// Of a device that judges, or does not.
    pub(crate) fn of(judges: bool) -> Self {
        if judges { Standing::Judges } else { Standing::Alleged }
    }
}

/// Judges a range of a batch's entries: `answers` has one for each then, by entry. On the threads of the current
/// rayon pool where evidence is long.
///
/// `host` computes what evidence leaves open; `None` takes the device at its word, to see whether it is right. On a
/// fault `answers` holds nothing of use.
pub(crate) fn judge(
    parsed: &Parsed,
    entries: Range<usize>,
    standing: Standing,
    host: Option<&dyn Host>,
    evidence: &Evidence,
    answers: &mut Answers,
) -> Result<(), Fault> {
    let (start, items) = (entries.start, entries.len());
    let (judges, proved) = (standing == Standing::Judges, standing == Standing::Proved);
    let width = parsed.algorithm().value_bytes();
    answers.begin(parsed.algorithm(), items, State::Computed);
    let length = |got: usize| {
        if got == items { Ok(()) } else { Err(Fault::Short { got, want: items }) }
    };
    match (parsed.operands(), evidence) {
        (_, Evidence::Verdicts(verdicts)) if judges && width == 0 => {
            length(verdicts.len())?;
            for (state, &verdict) in answers.states.iter_mut().zip(verdicts) {
                *state = State::Verdict(verdict);
            }
        }
        (Operands::Ecdsa(operands), Evidence::Points(points)) => {
            length(points.len())?;
            let judge = |entry, point: &Point| match proved {
                true => Ok(ecdsa::judge_proved(operands, start + entry, point)),
                false => ecdsa::judge(operands, start + entry, point),
            };
            let open = compare(points, judge, &mut answers.states)?;
            compute_verdicts(parsed, host, start, &open, answers);
        }
        (Operands::Schnorr(operands), Evidence::Points(points)) => {
            length(points.len())?;
            let judge = |entry, point: &Point| match proved {
                true => Ok(schnorr::judge_proved(operands, start + entry, point)),
                false => schnorr::judge(operands, start + entry, point),
            };
            let open = compare(points, judge, &mut answers.states)?;
            compute_verdicts(parsed, host, start, &open, answers);
        }
        (Operands::Recover(_), Evidence::Keys(keys)) => {
            length(keys.len())?;
            answers.values.copy_from_slice(keys.as_flattened());
            let absent: Vec<_> = (0..items).filter(|&entry| keys[entry] == [0; 64]).collect();
            for &entry in &absent {
                answers.states[entry] = State::Verdict(Verdict::Invalid(Reason::Equation));
            }
            compute_keys(parsed, host.filter(|_| !judges), start, &absent, answers);
        }
        (Operands::Columns, Evidence::Digests(digests)) if width == 32 => {
            length(digests.len())?;
            answers.values.copy_from_slice(digests.as_flattened());
        }
        (Operands::Columns, Evidence::Nothing) if parsed.algorithm() == Algorithm::Null => {}
        _ => return Err(Fault::WrongEvidence),
    }
    Ok(())
}

/// Judges all of a batch; `answers` has one for each job then, in their order.
pub(crate) fn judge_all(
    parsed: &Parsed,
    judges: bool,
    host: Option<&dyn Host>,
    evidence: &Evidence,
    answers: &mut Answers,
) -> Result<(), Fault> {
    judge(parsed, 0..parsed.live(), Standing::of(judges), host, evidence, answers)?;
    spread(parsed, answers);
    Ok(())
}

/// Points that one thread judges in about 0.1 ms.
const PIECE: usize = 1_024;

/// Writes the verdict of each point, and gives the entries where the device found none.
fn compare(
    points: &[Point],
    judge: impl Fn(usize, &Point) -> Result<Verdict, Fault> + Sync,
    states: &mut [State],
) -> Result<Vec<usize>, Fault> {
    let one = |(entry, (point, state)): (usize, (&Point, &mut State))| {
        let verdict = match point.z {
            [0, 0, 0, 0] => Verdict::Invalid(Reason::Equation),
            _ => judge(entry, point)?,
        };
        *state = State::Verdict(verdict);
        Ok::<_, Fault>(())
    };
    if points.len() <= PIECE {
        points.iter().zip(states).enumerate().try_for_each(one)?;
    } else {
        let all = points.par_iter().zip(states).enumerate();
        all.with_min_len(PIECE).try_for_each(one)?;
    }
    Ok((0..points.len()).filter(|&entry| points[entry].z == [0; 4]).collect())
}

fn compute_verdicts(
    parsed: &Parsed,
    host: Option<&dyn Host>,
    start: usize,
    open: &[usize],
    answers: &mut Answers,
) {
    if let Some(Evidence::Verdicts(own)) = compute(parsed, host, start, open) {
        for (&entry, verdict) in open.iter().zip(own) {
            answers.states[entry] = State::Verdict(verdict);
        }
    }
}

fn compute_keys(
    parsed: &Parsed,
    host: Option<&dyn Host>,
    start: usize,
    absent: &[usize],
    answers: &mut Answers,
) {
    if let Some(Evidence::Keys(own)) = compute(parsed, host, start, absent) {
        for (&entry, key) in absent.iter().zip(own).filter(|(_, key)| *key != [0; 64]) {
            answers.states[entry] = State::Computed;
            answers.values[entry * 64..][..64].copy_from_slice(&key);
        }
    }
}

/// Computes some entries after `start` on the host.
fn compute(
    parsed: &Parsed,
    host: Option<&dyn Host>,
    start: usize,
    entries: &[usize],
) -> Option<Evidence> {
    let host = host.filter(|_| !entries.is_empty())?;
    let entries: Vec<_> = entries.iter().map(|entry| start + entry).collect();
    Some(host.compute(&parsed.pick(&entries)))
}

/// Puts answers by entry into the order of the batch's jobs, those that parsing found invalid among them.
pub(crate) fn spread(parsed: &Parsed, answers: &mut Answers) {
    let (live, jobs) = (answers.states.len(), parsed.batch().len());
    if live == jobs {
        return;
    }
    let width = parsed.algorithm().value_bytes();
    answers.states.resize(jobs, State::Computed);
    answers.values.resize(jobs * width, 0);
    // From the end: an entry's place never lies before the entry.
    for entry in (0..live).rev() {
        let position = parsed.position(entry);
        answers.states[position] = answers.states[entry];
        answers.values.copy_within(entry * width..(entry + 1) * width, position * width);
    }
    for &(position, verdict) in &parsed.dead {
        let position = position as usize;
        answers.states[position] = State::Verdict(verdict);
        answers.values[position * width..][..width].fill(0);
    }
}

/// Gives every job of a batch the same error.
pub(crate) fn abandon(parsed: &Parsed, error: ItemError, answers: &mut Answers) {
    answers.begin(parsed.algorithm(), parsed.batch().len(), State::Error(error));
}

/// Answers by kind.
pub(crate) fn tally(answers: &Answers) -> Tally {
    let mut tally = Tally::default();
    for state in &answers.states {
        match state {
            State::Verdict(Verdict::Valid) => tally.valid += 1,
            State::Verdict(Verdict::Invalid(_)) => tally.invalid += 1,
            State::Computed => tally.computed += 1,
            State::Error(_) => tally.errors += 1,
        }
    }
    tally
}

//! From evidence to answers: the last comparison is the host's.
//!
//! Evidence that no correct device sends is a [`Fault`] of the whole batch and decides nothing. Where a
//! device says that there is no point, the host computes the item itself: nothing in such evidence
//! could be checked, and a device's formulas may have met a case made for them.

use rayon::prelude::*;

use crate::algorithms::secp256k1::{ecdsa, schnorr};
use crate::backend::cpu::{self, Kernels};
use crate::dispatch::Tally;
use crate::error::{Fault, ItemError};
use crate::parsed::{Operands, Parsed};
use crate::verdict::{Answers, Evidence, Point, Reason, State, Verdict};

/// Judges all live items of a batch and merges them with those that parsing found invalid, on the
/// threads of the current rayon pool where evidence is long.
///
/// `judges`: the device may send verdicts itself. `host` computes what evidence leaves open; `None`
/// takes the device at its word, to see whether it is right. On a fault `answers` holds nothing of use.
pub(crate) fn judge(
    parsed: &Parsed,
    judges: bool,
    host: Option<Kernels>,
    evidence: &Evidence,
    answers: &mut Answers,
) -> Result<Tally, Fault> {
    let live = parsed.live();
    let width = parsed.algorithm().value_bytes();
    answers.algorithm = parsed.algorithm();
    answers.states.clear();
    answers.states.resize(parsed.batch().len(), State::Computed);
    answers.values.clear();
    answers.values.resize(parsed.batch().len() * width, 0);
    let length = |got: usize| {
        if got == live { Ok(()) } else { Err(Fault::Short { got, want: live }) }
    };
    match (parsed.operands(), evidence) {
        (_, Evidence::Verdicts(verdicts)) if judges && width == 0 => {
            length(verdicts.len())?;
            for (entry, &verdict) in verdicts.iter().enumerate() {
                answers.states[parsed.position(entry)] = State::Verdict(verdict);
            }
        }
        (Operands::Ecdsa(operands), Evidence::Points(points)) => {
            length(points.len())?;
            let verdicts = compare(points, |entry, point| ecdsa::judge(operands, entry, point))?;
            merge_points(parsed, host, &verdicts, answers);
        }
        (Operands::Schnorr(operands), Evidence::Points(points)) => {
            length(points.len())?;
            let verdicts = compare(points, |entry, point| schnorr::judge(operands, entry, point))?;
            merge_points(parsed, host, &verdicts, answers);
        }
        (Operands::Recover(_), Evidence::Keys(keys)) => {
            length(keys.len())?;
            let absent: Vec<_> = (0..live).filter(|&entry| keys[entry] == [0; 64]).collect();
            for (entry, key) in keys.iter().enumerate() {
                let position = parsed.position(entry);
                answers.values[position * 64..][..64].copy_from_slice(key);
            }
            merge_keys(parsed, host.filter(|_| !judges), &absent, answers);
        }
        (Operands::Columns, Evidence::Digests(digests)) if width == 32 => {
            length(digests.len())?;
            answers.values.copy_from_slice(digests.as_flattened());
        }
        (Operands::Columns, Evidence::Nothing)
            if parsed.algorithm() == crate::algorithm::Algorithm::Null => {}
        _ => return Err(Fault::WrongEvidence),
    }
    for &(position, verdict) in &parsed.dead {
        answers.states[position as usize] = State::Verdict(verdict);
    }
    Ok(tally(answers))
}

/// Points that one thread judges in about 0.1 ms.
const PIECE: usize = 1_024;

/// The verdict of each point; `None` where the device found none.
fn compare(
    points: &[Point],
    judge: impl Fn(usize, &Point) -> Result<Verdict, Fault> + Sync,
) -> Result<Vec<Option<Verdict>>, Fault> {
    let one = |(entry, point): (usize, &Point)| match point.z {
        [0, 0, 0, 0] => Ok(None),
        _ => judge(entry, point).map(Some),
    };
    if points.len() <= PIECE {
        return points.iter().enumerate().map(one).collect();
    }
    points.par_iter().enumerate().with_min_len(PIECE).map(one).collect()
}

fn merge_points(
    parsed: &Parsed,
    host: Option<Kernels>,
    verdicts: &[Option<Verdict>],
    answers: &mut Answers,
) {
    let mut open = Vec::new();
    for (entry, verdict) in verdicts.iter().enumerate() {
        let verdict = verdict.unwrap_or(Verdict::Invalid(Reason::Equation));
        answers.states[parsed.position(entry)] = State::Verdict(verdict);
        if verdicts[entry].is_none() {
            open.push(entry);
        }
    }
    if let Some(Evidence::Verdicts(own)) = compute(parsed, host, &open) {
        for (&entry, verdict) in open.iter().zip(own) {
            answers.states[parsed.position(entry)] = State::Verdict(verdict);
        }
    }
}

fn merge_keys(parsed: &Parsed, host: Option<Kernels>, absent: &[usize], answers: &mut Answers) {
    for &entry in absent {
        let position = parsed.position(entry);
        answers.states[position] = State::Verdict(Verdict::Invalid(Reason::Equation));
    }
    if let Some(Evidence::Keys(own)) = compute(parsed, host, absent) {
        for (&entry, key) in absent.iter().zip(own).filter(|(_, key)| *key != [0; 64]) {
            let position = parsed.position(entry);
            answers.states[position] = State::Computed;
            answers.values[position * 64..][..64].copy_from_slice(&key);
        }
    }
}

/// Computes some entries of a batch on the host.
fn compute(parsed: &Parsed, host: Option<Kernels>, entries: &[usize]) -> Option<Evidence> {
    let kernels = host.filter(|_| !entries.is_empty())?;
    let mut evidence = Evidence::for_cpu(parsed.algorithm());
    cpu::compute(kernels, &parsed.pick(entries), &mut evidence);
    Some(evidence)
}

/// Gives every job of a batch the same error.
pub(crate) fn abandon(parsed: &Parsed, error: ItemError, answers: &mut Answers) {
    answers.algorithm = parsed.algorithm();
    answers.states.clear();
    answers.states.resize(parsed.batch().len(), State::Error(error));
    answers.values.clear();
    answers.values.resize(parsed.batch().len() * parsed.algorithm().value_bytes(), 0);
}

fn tally(answers: &Answers) -> Tally {
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

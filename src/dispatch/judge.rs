//! From evidence to answers: the last comparison is the host's.
//!
//! Evidence that no correct device sends is a [`Fault`] of the whole batch and decides nothing.

use crate::algorithms::secp256k1::{ecdsa, schnorr};
use crate::dispatch::Tally;
use crate::error::{Fault, ItemError};
use crate::parsed::{Operands, Parsed};
use crate::verdict::{Answers, Evidence, Reason, State, Verdict};

/// Judges all live items of a batch and merges them with those that parsing found invalid.
///
/// `judges`: the device may send verdicts itself. On a fault `answers` holds nothing of use.
pub fn judge(
    parsed: &Parsed,
    judges: bool,
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
            for (entry, point) in points.iter().enumerate() {
                let verdict = ecdsa::judge(operands, entry, point)?;
                answers.states[parsed.position(entry)] = State::Verdict(verdict);
            }
        }
        (Operands::Schnorr(operands), Evidence::Points(points)) => {
            length(points.len())?;
            for (entry, point) in points.iter().enumerate() {
                let verdict = schnorr::judge(operands, entry, point)?;
                answers.states[parsed.position(entry)] = State::Verdict(verdict);
            }
        }
        (Operands::Recover(_), Evidence::Keys(keys)) => {
            length(keys.len())?;
            for (entry, key) in keys.iter().enumerate() {
                let position = parsed.position(entry);
                if *key == [0; 64] {
                    answers.states[position] = State::Verdict(Verdict::Invalid(Reason::Equation));
                } else {
                    answers.values[position * 64..][..64].copy_from_slice(key);
                }
            }
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

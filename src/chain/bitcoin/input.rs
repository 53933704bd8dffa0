//! One input on its way from its first run to a decision.

use std::sync::Mutex;
use std::thread;

use bitcoin::Block;

use crate::verdict::{Reason, Verdict};

use super::claims::{Claim, Claims, Standing};
use super::interpreter::{Passed, ScriptError};
use super::outputs::{Knowledge, Spent};
use super::rules::Force;
use super::spend::Spend;

/// What was found about an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Its scripts hold; the spent output is known.
    Verified,
    /// Its scripts hold; the spent script was inferred.
    Assumed,
    /// They do not, for the reason named.
    Failed(String),
    /// It could not be judged, for the reason named.
    Unresolved(String),
}

/// An input, its signatures and what is known so far.
#[derive(Debug)]
pub(super) struct Input {
    /// Position of the transaction in the block.
    pub transaction: usize,
    /// Position of the input in the transaction.
    pub index: usize,
    /// `None`: to be run, or to be run again.
    pub decision: Option<Decision>,
    claims: Claims,
    /// How the last run ended; stands if no claim that it leaned on was answered otherwise.
    last: Option<Result<Passed, ScriptError>>,
}

impl Input {
    /// An input that was not run yet.
    pub(super) fn new(transaction: usize, index: usize) -> Self {
        Input { transaction, index, decision: None, claims: Claims::default(), last: None }
    }

    /// The claims to be sent to the engine.
    pub(super) fn take_asked(&mut self) -> Vec<Claim> {
        self.claims.take_asked()
    }

    /// Notes what the engine said of a claim.
    pub(super) fn settle(&mut self, claim: Claim, standing: Standing) {
        if standing != Standing::Settled(Verdict::Valid) {
            self.last = None;
        }
        self.claims.settle(claim, standing);
    }

    /// Runs the scripts if need be, and decides if all signatures that they met are answered.
    fn advance(&mut self, block: &Block, spent: &[Spent], force: Force) {
        let spent = &spent[self.transaction];
        let knowledge = spent.knowledge[self.index];
        match knowledge {
            Knowledge::Unknown => {
                return self.decide(Decision::Unresolved("spent output unknown".into()));
            }
            Knowledge::Wrong(why) => return self.decide(Decision::Failed(why.into())),
            Knowledge::Known | Knowledge::Assumed => {}
        }
        let outcome = match self.last.take() {
            Some(outcome) => outcome,
            None => {
                self.claims.begin();
                let mut spend = Spend {
                    transaction: &block.txdata[self.transaction],
                    shared: &spent.shared,
                    input: self.index,
                    outputs: &spent.outputs,
                    all_known: spent.all_known,
                    force,
                    claims: &mut self.claims,
                };
                let outcome = spend.judge();
                if self.claims.assumed() {
                    self.last = Some(outcome);
                    return;
                }
                outcome
            }
        };
        let decision = match outcome {
            Ok(Passed::Judged) if knowledge == Knowledge::Known => Decision::Verified,
            Ok(Passed::Judged) => Decision::Assumed,
            Ok(Passed::NoRule(why)) => Decision::Unresolved(why.into()),
            Err(error @ (ScriptError::SpentUnknown | ScriptError::Unanswered(_))) => {
                Decision::Unresolved(error.to_string())
            }
            Err(error) => Decision::Failed(self.why(error)),
        };
        self.decide(decision);
    }

    fn decide(&mut self, decision: Decision) {
        self.decision = Some(decision);
        self.claims.clear();
    }

    /// Names the signature where a signature is the cause.
    fn why(&self, error: ScriptError) -> String {
        let reason = match (&error, self.claims.reason()) {
            (ScriptError::False | ScriptError::Verify(_), Some(reason)) => reason,
            (ScriptError::Schnorr, Some(reason)) => reason,
            (ScriptError::Encoding, _) => Reason::Encoding,
            _ => return error.to_string(),
        };
        let reason = match reason {
            Reason::Empty => "empty",
            Reason::Encoding => "encoding",
            Reason::Key => "key",
            Reason::Range => "range",
            Reason::HighS => "high S",
            Reason::Equation => "equation",
        };
        format!("signature invalid ({reason})")
    }
}

/// Inputs that a thread takes at once.
const CHUNK: usize = 64;

/// Advances every undecided input, on all cores where there are many.
pub(super) fn advance(inputs: &mut [Input], block: &Block, spent: &[Spent], force: Force) {
    let mut open: Vec<&mut Input> =
        inputs.iter_mut().filter(|input| input.decision.is_none()).collect();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(open.len().div_ceil(CHUNK));
    if threads <= 1 {
        open.iter_mut().for_each(|input| input.advance(block, spent, force));
        return;
    }
    let chunks = Mutex::new(open.chunks_mut(CHUNK));
    // A function of its own, so that the lock is held for the step of the iterator alone.
    let next = || chunks.lock().ok().and_then(|mut chunks| chunks.next());
    let work = || {
        while let Some(chunk) = next() {
            chunk.iter_mut().for_each(|input| input.advance(block, spent, force));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}

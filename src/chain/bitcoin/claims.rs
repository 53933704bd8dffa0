//! What one input wants to know of the engine.
//!
//! A script is run before the verdicts are there: a signature without verdict counts as valid, so
//! that one round collects all that an honest script needs, and the script is run again only where
//! that was wrong.

use std::collections::HashMap;

use crate::error::ItemError;
use crate::verdict::{Reason, Verdict};

use super::interpreter::ScriptError;

/// The part of the script that runs, the operation, and which signature and key of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Tells the scripts of one input apart.
    pub part: u8,
    /// Position of the operation, counted in operations.
    pub operation: u32,
    /// Index of signature and key in CHECKMULTISIG.
    pub pairing: (u8, u8),
}

/// A signature, its message and its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Claim {
    /// Where the script asks. A script may ask the same twice, and the chain counts it twice.
    pub place: Place,
    /// BIP 340, else ECDSA.
    pub schnorr: bool,
    /// The hash that was signed.
    pub message: [u8; 32],
    /// DER without hash type, or 64 bytes.
    pub signature: Vec<u8>,
    /// SEC 1, or 32 bytes.
    pub key: Vec<u8>,
}

/// How far a claim is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Asked, not answered yet.
    Open,
    /// Answered.
    Settled(Verdict),
    /// The engine has no answer.
    Unanswered(ItemError),
}

/// Which message of the input: the part of the script that runs, where its code begins, hash type.
pub(super) type MessageKey = (u8, u32, u8);

/// All claims of one input, over all its runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    standings: HashMap<Claim, Standing>,
    asked: Vec<Claim>,
    messages: Vec<(MessageKey, [u8; 32])>,
    assumed: bool,
    reason: Option<Reason>,
}

impl Claims {
    /// Forgets how the last run went, not what was answered.
    pub(super) fn begin(&mut self) {
        self.assumed = false;
        self.reason = None;
    }

    /// The claim's verdict; valid, for now, if there is none yet.
    pub(super) fn judge(&mut self, claim: Claim) -> Result<Verdict, ScriptError> {
        match self.standings.get(&claim) {
            Some(Standing::Settled(verdict)) => {
                if let Verdict::Invalid(reason) = verdict {
                    self.reason = Some(*reason);
                }
                return Ok(*verdict);
            }
            Some(Standing::Unanswered(error)) => return Err(ScriptError::Unanswered(*error)),
            Some(Standing::Open) => {}
            None => {
                self.standings.insert(claim.clone(), Standing::Open);
                self.asked.push(claim);
            }
        }
        self.assumed = true;
        Ok(Verdict::Valid)
    }

    /// The message under `key`, computed once.
    pub(super) fn message(
        &mut self,
        key: MessageKey,
        compute: impl FnOnce() -> [u8; 32],
    ) -> [u8; 32] {
        if let Some((_, message)) = self.messages.iter().find(|(known, _)| *known == key) {
            return *message;
        }
        let message = compute();
        // Honest scripts need one or two; a search through many would cost more than a hash.
        if self.messages.len() < 32 {
            self.messages.push((key, message));
        }
        message
    }

    /// Whether the last run leaned on a claim without verdict.
    pub(super) fn assumed(&self) -> bool {
        self.assumed
    }

    /// Why the last invalid signature of the last run was invalid.
    pub(super) fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// The claims to be sent to the engine, each once.
    pub(super) fn take_asked(&mut self) -> Vec<Claim> {
        std::mem::take(&mut self.asked)
    }

    /// Notes what the engine said.
    pub(super) fn settle(&mut self, claim: Claim, standing: Standing) {
        self.standings.insert(claim, standing);
    }

    /// Frees what a decided input needs no more.
    pub(super) fn clear(&mut self) {
        *self = Claims::default();
    }
}

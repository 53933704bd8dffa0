//! Signature checks and lock times.

use crate::verdict::{Reason, Verdict};

use super::super::claims::{Claim, Place};
use super::super::script::{find_and_delete, push_of};
use super::super::sighash::{self, Leaf};
use super::arithmetic::number;
use super::{Language, Machine, ScriptError, TapscriptState};

/// Most keys of one CHECKMULTISIG.
const KEYS_LIMIT: i64 = 20;
/// What a signature check costs in tapscript.
const CHECK_COST: i64 = 50;

impl Machine<'_, '_> {
    /// CHECKSIG: signature, key -> whether it is valid.
    pub(super) fn check_signature(&mut self) -> Result<(), ScriptError> {
        self.below(1)?;
        let key = self.pop()?;
        let signature = self.pop()?;
        let valid = self.check(&signature, &key)?;
        self.push_number(i64::from(valid));
        Ok(())
    }

    /// CHECKSIGADD: signature, number, key -> number, plus 1 if valid.
    pub(super) fn check_signature_add(&mut self) -> Result<(), ScriptError> {
        self.below(2)?;
        let key = self.pop()?;
        let sum = self.pop_number()?;
        let signature = self.pop()?;
        let valid = self.check(&signature, &key)?;
        self.push_number(sum + i64::from(valid));
        Ok(())
    }

    fn check(&mut self, signature: &[u8], key: &[u8]) -> Result<bool, ScriptError> {
        if let Some(mut state) = self.tapscript {
            let valid = self.check_tapscript(&mut state, signature, key);
            self.tapscript = Some(state);
            return valid;
        }
        let code = self.code(&[signature]);
        self.check_ecdsa((0, 0), signature, key, code.as_deref())
    }

    /// BIP 342: an empty signature is false, an unknown kind of key is not checked, and an invalid
    /// signature ends the script.
    fn check_tapscript(
        &mut self,
        state: &mut TapscriptState<'_>,
        signature: &[u8],
        key: &[u8],
    ) -> Result<bool, ScriptError> {
        if !signature.is_empty() {
            state.budget -= CHECK_COST;
            if state.budget < 0 {
                return Err(ScriptError::Limit("signature checks for the size of the witness"));
            }
        }
        match key.len() {
            0 => return Err(ScriptError::EmptyKey),
            32 if !signature.is_empty() => {
                let leaf = Leaf { hash: state.leaf_hash, code_separator: self.code_separator };
                let place = self.place((0, 0));
                self.spend.check_schnorr(place, signature, key, state.annex, Some(leaf))?;
            }
            _ => {}
        }
        Ok(!signature.is_empty())
    }

    fn place(&self, pairing: (u8, u8)) -> Place {
        Place { part: self.part, operation: self.position, pairing }
    }

    /// The code that the signatures cover, where they have to be deleted from it first; `None`: the
    /// script from `code_start` on, as it stands.
    fn code(&self, signatures: &[&[u8]]) -> Option<Vec<u8>> {
        if self.language != Language::Legacy {
            return None;
        }
        let mut code = None;
        for signature in signatures {
            let current = code.as_deref().unwrap_or(&self.script[self.code_start..]);
            if let Some(shorter) = find_and_delete(current, &push_of(signature)) {
                code = Some(shorter);
            }
        }
        code
    }

    /// An ECDSA signature with its hash type, over `code` or what [`Machine::code`] says of `None`.
    fn check_ecdsa(
        &mut self,
        pairing: (u8, u8),
        signature: &[u8],
        key: &[u8],
        code: Option<&[u8]>,
    ) -> Result<bool, ScriptError> {
        let Some((&kind, signature)) = signature.split_last() else {
            return Ok(false);
        };
        let strict = self.spend.force.strict_der;
        if signature.is_empty() {
            return if strict { Err(ScriptError::Encoding) } else { Ok(false) };
        }
        let place = self.place(pairing);
        let spend = &mut *self.spend;
        let (transaction, shared, input) = (spend.transaction, spend.shared, spend.input);
        let value = spend.outputs[input].value.to_sat();
        let language = self.language;
        let hash = |code: &[u8]| match language {
            Language::Legacy => sighash::legacy(transaction, input, code, kind.into()),
            _ => sighash::version_0(transaction, shared, input, code, value, kind.into()),
        };
        let message = match code {
            Some(code) => hash(code),
            None => {
                let message_key = (self.part, self.code_start as u32, kind);
                let code = &self.script[self.code_start..];
                spend.claims.message(message_key, || hash(code))
            }
        };
        let claim = Claim {
            place,
            schnorr: false,
            message,
            signature: signature.to_vec(),
            key: key.to_vec(),
        };
        match spend.claims.judge(claim)? {
            Verdict::Valid => Ok(true),
            // BIP 66: a bad encoding ends the script, a wrong signature does not.
            Verdict::Invalid(Reason::Encoding) if strict => Err(ScriptError::Encoding),
            Verdict::Invalid(_) => Ok(false),
        }
    }

    /// CHECKMULTISIG: dummy, m signatures, m, n keys, n -> whether each signature fits a key, both
    /// taken in order, from the last to the first.
    pub(super) fn check_multisig(&mut self) -> Result<(), ScriptError> {
        if self.language == Language::Tapscript {
            return Err(ScriptError::BadOpcode(0xae));
        }
        let keys = self.pop_number()?;
        if !(0..=KEYS_LIMIT).contains(&keys) {
            return Err(ScriptError::Counts);
        }
        let keys = keys as usize;
        self.count_operations(keys)?;
        let keys = self.pop_many(keys)?;
        let needed = self.pop_number()?;
        if !(0..=keys.len() as i64).contains(&needed) {
            return Err(ScriptError::Counts);
        }
        let signatures = self.pop_many(needed as usize)?;
        // One item more than needed is consumed, and the stack is looked at before the signatures.
        self.below(0)?;
        let deleted: Vec<&[u8]> = signatures.iter().rev().map(Vec::as_slice).collect();
        let code = self.code(&deleted);

        let (mut left_signatures, mut left_keys) = (signatures.len(), keys.len());
        while left_signatures > 0 && left_signatures <= left_keys {
            let (signature, key) = (&signatures[left_signatures - 1], &keys[left_keys - 1]);
            // At most 20 of each.
            let pairing = (left_signatures as u8, left_keys as u8);
            if self.check_ecdsa(pairing, signature, key, code.as_deref())? {
                left_signatures -= 1;
            }
            left_keys -= 1;
        }
        let dummy = self.pop()?;
        if self.spend.force.null_dummy && !dummy.is_empty() {
            return Err(ScriptError::Dummy);
        }
        self.push_number(i64::from(left_signatures == 0));
        Ok(())
    }

    /// The top `count` items, in the order in which they were pushed.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Vec<u8>>, ScriptError> {
        let start = self.stack.len().checked_sub(count).ok_or(ScriptError::StackUnderflow)?;
        Ok(self.stack.split_off(start))
    }

    /// BIP 65.
    pub(super) fn check_lock_time(&mut self) -> Result<(), ScriptError> {
        /// Below it a lock time is a height, else a time.
        const THRESHOLD: i64 = 500_000_000;
        if !self.spend.force.lock_time {
            return Ok(());
        }
        let wanted = number(&self.stack[self.below(0)?], 5)?;
        let transaction = self.spend.transaction;
        let actual = i64::from(transaction.lock_time.to_consensus_u32());
        let same_kind = (wanted < THRESHOLD) == (actual < THRESHOLD);
        let last = transaction.input[self.spend.input].sequence.to_consensus_u32() == u32::MAX;
        if wanted < 0 || !same_kind || wanted > actual || last {
            return Err(ScriptError::LockTime);
        }
        Ok(())
    }

    /// BIP 112.
    pub(super) fn check_sequence(&mut self) -> Result<(), ScriptError> {
        const DISABLED: i64 = 1 << 31;
        const IS_TIME: i64 = 1 << 22;
        const VALUE: i64 = 0xffff;
        if !self.spend.force.sequence {
            return Ok(());
        }
        let wanted = number(&self.stack[self.below(0)?], 5)?;
        if wanted < 0 {
            return Err(ScriptError::LockTime);
        }
        if wanted & DISABLED != 0 {
            return Ok(());
        }
        let transaction = self.spend.transaction;
        let actual = i64::from(transaction.input[self.spend.input].sequence.to_consensus_u32());
        // The version counts as unsigned here.
        let old = (transaction.version.0 as u32) < 2;
        let same_kind = (wanted & IS_TIME) == (actual & IS_TIME);
        let reached = (wanted & VALUE) <= (actual & VALUE);
        if old || actual & DISABLED != 0 || !same_kind || !reached {
            return Err(ScriptError::LockTime);
        }
        Ok(())
    }
}

//! The script machine: legacy scripts, version 0 witness scripts, tapscript.
//!
//! Consensus rules only, none of relay policy: BIPs 16, 65, 66, 112, 141, 143, 147, 342, and what
//! nodes do where those are silent.

use bitcoin::opcodes::all::*;

use crate::error::ItemError;

use super::script::{Operation, operations};
use super::spend::Spend;

mod arithmetic;
mod signatures;
mod stack;

pub(super) use arithmetic::truth;

/// Which language a script is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Output scripts, redeem scripts, scriptSig.
    Legacy,
    /// BIP 143.
    WitnessV0,
    /// BIP 342.
    Tapscript,
}

/// Why a script does not let its output be spent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScriptError {
    #[error("the script ends with false")]
    False,
    #[error("{0} does not hold")]
    Verify(&'static str),
    #[error("OP_RETURN is reached")]
    Return,
    #[error("a signature is not encoded as the rules in force want")]
    Encoding,
    #[error("a Schnorr signature is invalid")]
    Schnorr,
    #[error("the hash type of a Schnorr signature is undefined or has no output")]
    HashType,
    #[error("a key has no bytes")]
    EmptyKey,
    #[error("the dummy of CHECKMULTISIG is not empty")]
    Dummy,
    #[error("CHECKMULTISIG counts its keys or signatures wrongly")]
    Counts,
    #[error("an operation finds too few items on the stack")]
    StackUnderflow,
    #[error("a push is cut short")]
    Truncated,
    #[error("opcode {0:#04x} is not allowed")]
    BadOpcode(u8),
    #[error("a limit of scripts is exceeded: {0}")]
    Limit(&'static str),
    #[error("a number has too many bytes")]
    Number,
    #[error("IF, ELSE and ENDIF do not fit together")]
    Conditional,
    #[error("the condition of IF is neither empty nor 1")]
    MinimalIf,
    #[error("the lock time or sequence is not reached")]
    LockTime,
    #[error("scriptSig does more than push")]
    PushOnly,
    #[error("the hash of the redeem script differs")]
    RedeemScript,
    #[error("the hash of the witness script differs")]
    WitnessScript,
    #[error("the witness does not have the form that its program wants")]
    WitnessForm,
    #[error("the witness program has a wrong length")]
    ProgramLength,
    #[error("scriptSig must be empty, or push the redeem script alone, beside a witness")]
    Malleated,
    #[error("a witness is there and the output takes none")]
    UnexpectedWitness,
    #[error("the control block has a wrong length")]
    ControlLength,
    #[error("the output key does not commit to the leaf script")]
    Commitment,
    #[error("the stack holds more or less than one item at the end")]
    CleanStack,
    /// Not a failure of the script.
    #[error("another spent output of the transaction is unknown")]
    SpentUnknown,
    /// Not a failure of the script.
    #[error("no answer: {0}")]
    Unanswered(ItemError),
}

/// What a script that is not refused says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// It ran under rules that are in force.
    Judged,
    /// The chain leaves it to later rules and takes it without looking, for the reason named.
    NoRule(&'static str),
}

/// Items of bytes; the last is the top.
pub(super) type Stack = Vec<Vec<u8>>;

/// What tapscript has and older scripts have not.
#[derive(Clone, Copy, Debug)]
pub(super) struct TapscriptState<'a> {
    /// Hash of leaf version and script.
    pub leaf_hash: [u8; 32],
    /// The annex, 0x50 included.
    pub annex: Option<&'a [u8]>,
    /// What signature checks may still cost (BIP 342): 50 each.
    pub budget: i64,
}

/// One run of one script.
struct Machine<'m, 'a> {
    spend: &'m mut Spend<'a>,
    stack: &'m mut Stack,
    alternate: Stack,
    script: &'m [u8],
    language: Language,
    /// Tells the scripts of one input apart.
    part: u8,
    tapscript: Option<TapscriptState<'m>>,
    /// Where the code that signatures cover begins.
    code_start: usize,
    /// Position of the last OP_CODESEPARATOR that was run, in operations.
    code_separator: u32,
    /// The operation that runs.
    position: u32,
    /// Operations other than pushes, and the keys of CHECKMULTISIG.
    count: usize,
    /// Open IFs, and the lowest of them that is not taken.
    depth: usize,
    untaken: Option<usize>,
}

/// Most bytes of one item.
pub(super) const ITEM_LIMIT: usize = 520;
/// Most items on both stacks.
pub(super) const STACK_LIMIT: usize = 1000;
const SCRIPT_LIMIT: usize = 10_000;
const OPERATION_LIMIT: usize = 201;

/// Runs `script` over `stack`. `part` tells apart the scripts of one input; the caller looks at
/// what is left on the stack.
pub(super) fn run<'m>(
    spend: &'m mut Spend<'_>,
    stack: &'m mut Stack,
    script: &'m [u8],
    language: Language,
    part: u8,
    tapscript: Option<TapscriptState<'m>>,
) -> Result<(), ScriptError> {
    if language != Language::Tapscript && script.len() > SCRIPT_LIMIT {
        return Err(ScriptError::Limit("bytes of a script"));
    }
    let mut machine = Machine {
        spend,
        stack,
        alternate: Vec::new(),
        script,
        language,
        part,
        tapscript,
        code_start: 0,
        code_separator: u32::MAX,
        position: 0,
        count: 0,
        depth: 0,
        untaken: None,
    };
    for (position, operation) in operations(script).enumerate() {
        machine.position = position as u32;
        machine.step(operation.map_err(|_| ScriptError::Truncated)?)?;
        if machine.stack.len() + machine.alternate.len() > STACK_LIMIT {
            return Err(ScriptError::Limit("items on the stack"));
        }
    }
    if machine.depth > 0 {
        return Err(ScriptError::Conditional);
    }
    Ok(())
}

/// Whether an OP_SUCCESS (BIP 342) comes before anything that cannot be read.
pub(super) fn has_success(script: &[u8]) -> Result<bool, ScriptError> {
    for operation in operations(script) {
        let operation = operation.map_err(|_| ScriptError::Truncated)?;
        if matches!(
            operation.opcode.to_u8(),
            80 | 98 | 126..=129 | 131..=134 | 137..=138 | 141..=142 | 149..=153 | 187..=254
        ) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Machine<'_, '_> {
    fn step(&mut self, operation: Operation<'_>) -> Result<(), ScriptError> {
        let opcode = operation.opcode;
        let code = opcode.to_u8();
        if operation.push.is_some_and(|data| data.len() > ITEM_LIMIT) {
            return Err(ScriptError::Limit("bytes of an item"));
        }
        if self.language != Language::Tapscript {
            if code > OP_PUSHNUM_16.to_u8() {
                self.count_operations(1)?;
            }
            // Disabled opcodes fail even where they are not run.
            if matches!(code, 0x7e..=0x81 | 0x83..=0x86 | 0x8d..=0x8e | 0x95..=0x99) {
                return Err(ScriptError::BadOpcode(code));
            }
        }
        if self.untaken.is_some() {
            return match opcode {
                OP_IF | OP_NOTIF | OP_ELSE | OP_ENDIF | OP_VERIF | OP_VERNOTIF => {
                    self.branch(operation)
                }
                _ => Ok(()),
            };
        }
        if let Some(data) = operation.push {
            self.stack.push(data.to_vec());
            return Ok(());
        }
        match opcode {
            OP_PUSHNUM_NEG1 => self.push_number(-1),
            _ if (OP_PUSHNUM_1.to_u8()..=OP_PUSHNUM_16.to_u8()).contains(&code) => {
                self.push_number(i64::from(code) - 0x50);
            }
            OP_IF | OP_NOTIF | OP_ELSE | OP_ENDIF => return self.branch(operation),
            OP_NOP | OP_NOP1 | OP_NOP4 | OP_NOP5 | OP_NOP6 | OP_NOP7 | OP_NOP8 | OP_NOP9
            | OP_NOP10 => {}
            OP_VERIFY => self.verify("VERIFY")?,
            OP_RETURN => return Err(ScriptError::Return),
            OP_CODESEPARATOR => {
                self.code_start = operation.end;
                self.code_separator = self.position;
            }
            OP_CLTV => self.check_lock_time()?,
            OP_CSV => self.check_sequence()?,
            OP_CHECKSIG => self.check_signature()?,
            OP_CHECKSIGVERIFY => {
                self.check_signature()?;
                self.verify("CHECKSIGVERIFY")?;
            }
            OP_CHECKMULTISIG => self.check_multisig()?,
            OP_CHECKMULTISIGVERIFY => {
                self.check_multisig()?;
                self.verify("CHECKMULTISIGVERIFY")?;
            }
            OP_CHECKSIGADD if self.language == Language::Tapscript => self.check_signature_add()?,
            _ => {
                let done = self.move_items(opcode)? || self.compute(opcode)?;
                if !done {
                    return Err(ScriptError::BadOpcode(code));
                }
            }
        }
        Ok(())
    }

    fn count_operations(&mut self, more: usize) -> Result<(), ScriptError> {
        self.count += more;
        if self.count > OPERATION_LIMIT {
            return Err(ScriptError::Limit("operations of a script"));
        }
        Ok(())
    }

    /// IF, NOTIF, ELSE, ENDIF; run even in a branch that is not taken.
    fn branch(&mut self, operation: Operation<'_>) -> Result<(), ScriptError> {
        match operation.opcode {
            opcode @ (OP_IF | OP_NOTIF) => {
                let mut taken = true;
                if self.untaken.is_none() {
                    let top = self.stack.pop().ok_or(ScriptError::Conditional)?;
                    if self.language == Language::Tapscript && !matches!(&top[..], [] | [1]) {
                        return Err(ScriptError::MinimalIf);
                    }
                    taken = truth(&top) == (opcode == OP_IF);
                }
                if !taken {
                    self.untaken = Some(self.depth);
                }
                self.depth += 1;
            }
            OP_ELSE if self.depth > 0 => match self.untaken {
                None => self.untaken = Some(self.depth - 1),
                Some(lowest) if lowest == self.depth - 1 => self.untaken = None,
                Some(_) => {}
            },
            OP_ENDIF if self.depth > 0 => {
                self.depth -= 1;
                if self.untaken == Some(self.depth) {
                    self.untaken = None;
                }
            }
            OP_ELSE | OP_ENDIF => return Err(ScriptError::Conditional),
            other => return Err(ScriptError::BadOpcode(other.to_u8())),
        }
        Ok(())
    }
}

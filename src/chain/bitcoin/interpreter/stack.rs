//! Operations that move items.

use bitcoin::opcodes::Opcode;
use bitcoin::opcodes::all::*;

use super::arithmetic::truth;
use super::{Machine, ScriptError};

impl Machine<'_, '_> {
    pub(super) fn pop(&mut self) -> Result<Vec<u8>, ScriptError> {
        self.stack.pop().ok_or(ScriptError::StackUnderflow)
    }

    /// Index of the item `depth` below the top, the top being 0.
    pub(super) fn below(&self, depth: usize) -> Result<usize, ScriptError> {
        self.stack.len().checked_sub(depth + 1).ok_or(ScriptError::StackUnderflow)
    }

    /// Pops the top and fails unless it is true. `what` names the operation.
    pub(super) fn verify(&mut self, what: &'static str) -> Result<(), ScriptError> {
        if truth(&self.pop()?) { Ok(()) } else { Err(ScriptError::Verify(what)) }
    }

    /// Copies the items at `depth`, `depth - 1`, .., `count` of them, to the top.
    fn copy(&mut self, depth: usize, count: usize) -> Result<(), ScriptError> {
        let start = self.below(depth)?;
        self.stack.extend_from_within(start..start + count);
        Ok(())
    }

    /// Whether `opcode` moves items; if so, it was run.
    pub(super) fn move_items(&mut self, opcode: Opcode) -> Result<bool, ScriptError> {
        match opcode {
            OP_TOALTSTACK => {
                let item = self.pop()?;
                self.alternate.push(item);
            }
            OP_FROMALTSTACK => {
                let item = self.alternate.pop().ok_or(ScriptError::StackUnderflow)?;
                self.stack.push(item);
            }
            OP_DROP => drop(self.pop()?),
            OP_2DROP => {
                let start = self.below(1)?;
                self.stack.truncate(start);
            }
            OP_DUP => self.copy(0, 1)?,
            OP_2DUP => self.copy(1, 2)?,
            OP_3DUP => self.copy(2, 3)?,
            OP_OVER => self.copy(1, 1)?,
            OP_2OVER => self.copy(3, 2)?,
            OP_IFDUP => {
                let top = self.below(0)?;
                if truth(&self.stack[top]) {
                    self.copy(0, 1)?;
                }
            }
            OP_NIP => {
                let second = self.below(1)?;
                self.stack.remove(second);
            }
            OP_ROT => {
                let third = self.below(2)?;
                self.stack[third..].rotate_left(1);
            }
            OP_2ROT => {
                let sixth = self.below(5)?;
                self.stack[sixth..].rotate_left(2);
            }
            OP_SWAP => {
                let second = self.below(1)?;
                self.stack[second..].rotate_left(1);
            }
            OP_2SWAP => {
                let fourth = self.below(3)?;
                self.stack[fourth..].rotate_left(2);
            }
            OP_TUCK => {
                let second = self.below(1)?;
                let top = self.stack[second + 1].clone();
                self.stack.insert(second, top);
            }
            OP_PICK | OP_ROLL => {
                self.below(1)?;
                let depth = self.pop_number()?;
                let depth = usize::try_from(depth).map_err(|_| ScriptError::StackUnderflow)?;
                let index = self.below(depth)?;
                let item = if opcode == OP_PICK {
                    self.stack[index].clone()
                } else {
                    self.stack.remove(index)
                };
                self.stack.push(item);
            }
            OP_DEPTH => self.push_number(self.stack.len() as i64),
            OP_SIZE => {
                let top = self.below(0)?;
                self.push_number(self.stack[top].len() as i64);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

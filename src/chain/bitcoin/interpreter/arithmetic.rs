//! Numbers, comparisons and hashes of scripts.

use bitcoin::hashes::{Hash, hash160, ripemd160, sha1, sha256, sha256d};
use bitcoin::opcodes::Opcode;
use bitcoin::opcodes::all::*;

use super::{Machine, ScriptError};

/// Whether an item is true: any byte other than zero, but not zero with a sign.
pub(in super::super) fn truth(item: &[u8]) -> bool {
    match item.split_last() {
        Some((last, rest)) => rest.iter().any(|byte| *byte != 0) || !matches!(last, 0 | 0x80),
        None => false,
    }
}

/// A number of at most `limit` bytes (below 8): little-endian, the top bit is the sign.
pub(super) fn number(item: &[u8], limit: usize) -> Result<i64, ScriptError> {
    if item.len() > limit {
        return Err(ScriptError::Number);
    }
    let Some((last, rest)) = item.split_last() else {
        return Ok(0);
    };
    let top = i64::from(last & 0x7f) << (8 * rest.len());
    let value = rest.iter().rev().fold(0, |value, byte| value << 8 | i64::from(*byte)) | top;
    Ok(if last & 0x80 != 0 { -value } else { value })
}

/// The shortest item for a number.
fn item(value: i64) -> Vec<u8> {
    let mut bytes = value.unsigned_abs().to_le_bytes().to_vec();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    if bytes.last().is_some_and(|last| last & 0x80 != 0) {
        bytes.push(0);
    }
    if let (true, Some(last)) = (value < 0, bytes.last_mut()) {
        *last |= 0x80;
    }
    bytes
}

impl Machine<'_, '_> {
    pub(super) fn push_number(&mut self, value: i64) {
        self.stack.push(item(value));
    }

    /// A number of at most four bytes.
    pub(super) fn pop_number(&mut self) -> Result<i64, ScriptError> {
        number(&self.pop()?, 4)
    }

    fn push_hash(&mut self, hash: impl AsRef<[u8]>) {
        self.stack.push(hash.as_ref().to_vec());
    }

    /// Whether `opcode` compares, computes or hashes; if so, it was run.
    pub(super) fn compute(&mut self, opcode: Opcode) -> Result<bool, ScriptError> {
        match opcode {
            OP_EQUAL | OP_EQUALVERIFY => {
                self.below(1)?;
                let equal = self.pop()? == self.pop()?;
                self.push_number(i64::from(equal));
                if opcode == OP_EQUALVERIFY {
                    self.verify("EQUALVERIFY")?;
                }
            }
            OP_RIPEMD160 => {
                let item = self.pop()?;
                self.push_hash(ripemd160::Hash::hash(&item));
            }
            OP_SHA1 => {
                let item = self.pop()?;
                self.push_hash(sha1::Hash::hash(&item));
            }
            OP_SHA256 => {
                let item = self.pop()?;
                self.push_hash(sha256::Hash::hash(&item));
            }
            OP_HASH160 => {
                let item = self.pop()?;
                self.push_hash(hash160::Hash::hash(&item));
            }
            OP_HASH256 => {
                let item = self.pop()?;
                self.push_hash(sha256d::Hash::hash(&item));
            }
            OP_1ADD | OP_1SUB | OP_NEGATE | OP_ABS | OP_NOT | OP_0NOTEQUAL => {
                let a = self.pop_number()?;
                self.push_number(match opcode {
                    OP_1ADD => a + 1,
                    OP_1SUB => a - 1,
                    OP_NEGATE => -a,
                    OP_ABS => a.abs(),
                    OP_NOT => i64::from(a == 0),
                    _ => i64::from(a != 0),
                });
            }
            OP_WITHIN => {
                self.below(2)?;
                let end = self.pop_number()?;
                let start = self.pop_number()?;
                let value = self.pop_number()?;
                self.push_number(i64::from((start..end).contains(&value)));
            }
            _ => return self.compute_two(opcode),
        }
        Ok(true)
    }

    /// The operations on two numbers.
    fn compute_two(&mut self, opcode: Opcode) -> Result<bool, ScriptError> {
        let apply: fn(i64, i64) -> i64 = match opcode {
            OP_ADD => |a, b| a + b,
            OP_SUB => |a, b| a - b,
            OP_BOOLAND => |a, b| i64::from(a != 0 && b != 0),
            OP_BOOLOR => |a, b| i64::from(a != 0 || b != 0),
            OP_NUMEQUAL | OP_NUMEQUALVERIFY => |a, b| i64::from(a == b),
            OP_NUMNOTEQUAL => |a, b| i64::from(a != b),
            OP_LESSTHAN => |a, b| i64::from(a < b),
            OP_GREATERTHAN => |a, b| i64::from(a > b),
            OP_LESSTHANOREQUAL => |a, b| i64::from(a <= b),
            OP_GREATERTHANOREQUAL => |a, b| i64::from(a >= b),
            OP_MIN => |a, b| a.min(b),
            OP_MAX => |a, b| a.max(b),
            _ => return Ok(false),
        };
        self.below(1)?;
        let b = self.pop_number()?;
        let a = self.pop_number()?;
        self.push_number(apply(a, b));
        if opcode == OP_NUMEQUALVERIFY {
            self.verify("NUMEQUALVERIFY")?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_there_and_back() {
        for value in [0, 1, -1, 127, 128, -128, 255, 256, -255, 0x7fff, 0x8000, -0x8000, 1 << 31] {
            assert_eq!(number(&item(value), 5), Ok(value), "{value}");
        }
        assert_eq!(item(128), [0x80, 0]);
        assert_eq!(number(&[0, 0x80], 4), Ok(0));
        assert_eq!(number(&[1, 0, 0, 0, 0], 4), Err(ScriptError::Number));
    }

    #[test]
    fn a_signed_zero_is_false() {
        assert!(!truth(&[]) && !truth(&[0, 0]) && !truth(&[0, 0x80]) && !truth(&[0x80]));
        assert!(truth(&[0x80, 0]) && truth(&[1]) && truth(&[0x81]));
    }
}

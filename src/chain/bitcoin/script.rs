//! Script bytes read one operation at a time, and the few forms that are known by sight.

use bitcoin::opcodes::Opcode;
use bitcoin::opcodes::all::*;

/// One operation of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operation<'a> {
    /// What it does.
    pub opcode: Opcode,
    /// The data of the push opcodes 0x00..=0x4e.
    pub push: Option<&'a [u8]>,
    /// Where it begins.
    pub start: usize,
    /// Where the next one begins.
    pub end: usize,
}

/// A push that reaches past the end of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Truncated;

/// Reads a script from `position` on; ends after the first push that is cut short.
pub(super) struct Operations<'a> {
    script: &'a [u8],
    position: usize,
}

/// The operations of `script`.
pub(super) fn operations(script: &[u8]) -> Operations<'_> {
    Operations { script, position: 0 }
}

impl<'a> Operations<'a> {
    fn read(&mut self) -> Option<Operation<'a>> {
        let start = self.position;
        let code = *self.script.get(start)?;
        let mut at = start + 1;
        let width = match code {
            0x4c => 1,
            0x4d => 2,
            0x4e => 4,
            _ => 0,
        };
        let push = if code <= 0x4e {
            let mut length = if width == 0 { usize::from(code) } else { 0 };
            let field = self.script.get(at..at + width)?;
            for (index, byte) in field.iter().enumerate() {
                length |= usize::from(*byte) << (8 * index);
            }
            at += width;
            let data = self.script.get(at..at.checked_add(length)?)?;
            at += length;
            Some(data)
        } else {
            None
        };
        self.position = at;
        Some(Operation { opcode: Opcode::from(code), push, start, end: at })
    }
}

impl<'a> Iterator for Operations<'a> {
    type Item = Result<Operation<'a>, Truncated>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.script.len() {
            return None;
        }
        let operation = self.read();
        if operation.is_none() {
            self.position = self.script.len();
        }
        Some(operation.ok_or(Truncated))
    }
}

/// The pushes of a script that only pushes; `None` for any other. OP_1NEGATE and OP_1..OP_16 yield
/// their numbers' bytes, OP_RESERVED (which counts as a push, BIP 16) an empty item.
pub(super) fn pushes(script: &[u8]) -> Option<Vec<Vec<u8>>> {
    operations(script)
        .map(|operation| {
            let operation = operation.ok()?;
            match (operation.push, operation.opcode.to_u8()) {
                (Some(data), _) => Some(data.to_vec()),
                (None, 0x4f) => Some(vec![0x81]),
                (None, 0x50) => Some(Vec::new()),
                (None, code @ 0x51..=0x60) => Some(vec![code - 0x50]),
                _ => None,
            }
        })
        .collect()
}

/// Whether the script is `HASH160 <20 bytes> EQUAL` (BIP 16).
pub(super) fn is_script_hash(script: &[u8]) -> bool {
    matches!(script, [0xa9, 0x14, .., 0x87] if script.len() == 23)
}

/// Version and program of a witness program (BIP 141): a number 0 to 16, one push of 2 to 40 bytes.
pub(super) fn witness_program(script: &[u8]) -> Option<(u8, &[u8])> {
    let (&version, rest) = script.split_first()?;
    let (&length, program) = rest.split_first()?;
    let version = match version {
        0 => 0,
        0x51..=0x60 => version - 0x50,
        _ => return None,
    };
    let fits = program.len() == usize::from(length) && (2..=40).contains(&program.len());
    fits.then_some((version, program))
}

/// The script of a key hash: `DUP HASH160 <hash> EQUALVERIFY CHECKSIG`.
pub(super) fn key_hash_script(hash: &[u8; 20]) -> Vec<u8> {
    let mut script = vec![0x76, 0xa9, 0x14];
    script.extend_from_slice(hash);
    script.extend_from_slice(&[0x88, 0xac]);
    script
}

/// The script of a script hash: `HASH160 <hash> EQUAL`.
pub(super) fn script_hash_script(hash: &[u8; 20]) -> Vec<u8> {
    let mut script = vec![0xa9, 0x14];
    script.extend_from_slice(hash);
    script.push(0x87);
    script
}

/// Whether the script is `<m> <key>.. <n> CHECKMULTISIG`, keys of 33 or 65 bytes. The keys' own
/// bytes are not looked at.
pub(super) fn is_multisig(script: &[u8]) -> bool {
    let Ok(operations) = operations(script).collect::<Result<Vec<_>, _>>() else {
        return false;
    };
    let [first, keys @ .., count, last] = operations.as_slice() else {
        return false;
    };
    let number = |operation: &Operation<'_>| match operation.opcode.to_u8() {
        code @ 0x51..=0x60 => Some(usize::from(code - 0x50)),
        _ => None,
    };
    last.opcode == OP_CHECKMULTISIG
        && number(count) == Some(keys.len())
        && number(first).is_some_and(|needed| needed <= keys.len())
        && keys.iter().all(|key| key.push.is_some_and(|data| matches!(data.len(), 33 | 65)))
}

/// The script without the pushes that equal `item` byte for byte, opcode included, and whether any
/// was there. Only legacy scripts do this to their signatures.
pub(super) fn find_and_delete(script: &[u8], item: &[u8]) -> Option<Vec<u8>> {
    if item.is_empty() || script.len() < item.len() {
        return None;
    }
    let mut kept = Vec::new();
    let mut found = false;
    let mut position = 0;
    loop {
        // An item may be followed by itself, and it is looked for at operation boundaries only.
        while script[position..].starts_with(item) {
            position += item.len();
            found = true;
        }
        let Some(Ok(operation)) = operations(&script[position..]).next() else {
            break;
        };
        kept.extend_from_slice(&script[position..position + operation.end]);
        position += operation.end;
    }
    kept.extend_from_slice(&script[position..]);
    found.then_some(kept)
}

/// The push of `data` in the shortest form by length, as signatures are looked for.
pub(super) fn push_of(data: &[u8]) -> Vec<u8> {
    let length = data.len();
    let mut script = match length {
        0..=0x4b => vec![length as u8],
        0x4c..=0xff => vec![0x4c, length as u8],
        0x100..=0xffff => vec![0x4d, length as u8, (length >> 8) as u8],
        _ => [&[0x4e][..], &(length as u32).to_le_bytes()].concat(),
    };
    script.extend_from_slice(data);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_stop_at_a_push_cut_short() {
        let read: Vec<_> = operations(&[0x51, 0x02, 0xaa, 0xbb, 0x4d, 0x01]).collect();
        assert_eq!(read.len(), 3);
        assert_eq!(read[1].unwrap().push, Some(&[0xaa, 0xbb][..]));
        assert_eq!(read[2], Err(Truncated));
        // A length of four bytes that no script can hold.
        let read: Vec<_> = operations(&[0x4e, 0xff, 0xff, 0xff, 0xff, 0x00]).collect();
        assert_eq!(read, [Err(Truncated)]);
    }

    #[test]
    fn deletes_only_at_operation_boundaries() {
        assert_eq!(find_and_delete(&[0x01, 0x51, 0x51, 0x51], &[0x51]), Some(vec![0x01, 0x51]));
        assert_eq!(find_and_delete(&[0x02, 0x51, 0x51], &[0x51]), None);
        // What follows a truncated push stays as it is.
        assert_eq!(find_and_delete(&[0x51, 0x05, 0x51], &[0x51]), Some(vec![0x05, 0x51]));
    }

    #[test]
    fn knows_the_forms() {
        assert!(is_script_hash(&script_hash_script(&[7; 20])));
        assert_eq!(witness_program(&[0x51, 2, 0x4e, 0x73]), Some((1, &[0x4e, 0x73][..])));
        assert_eq!(witness_program(&[0x50, 2, 0x4e, 0x73]), None);
        assert_eq!(witness_program(&[0x00, 3, 0x4e, 0x73]), None);
        let key = push_of(&[2; 33]);
        let script = [&[0x51][..], &key, &key, &[0x52, 0xae]].concat();
        assert!(is_multisig(&script));
        assert!(!is_multisig(&script[1..]));
        assert!(!is_multisig(&[&[0x53][..], &key, &key, &[0x52, 0xae]].concat()));
        assert_eq!(pushes(&[0x00, 0x4f, 0x52]), Some(vec![vec![], vec![0x81], vec![2]]));
        assert_eq!(pushes(&[0x00, 0xac]), None);
    }
}

//! The referee's own reading of DER and keys: one cursor, in the order of the text.

use k256::FieldBytes;

/// r and s of a DER signature without sighash byte. Not lax: as BIP 66 wants it.
pub(super) fn der(bytes: &[u8], lax: bool) -> Option<(Vec<u8>, Vec<u8>)> {
    if !lax && (bytes.len() < 8 || bytes.len() > 72 || usize::from(bytes[1]) + 2 != bytes.len()) {
        return None;
    }
    let mut cursor = bytes.iter().copied();
    if cursor.next()? != 0x30 {
        return None;
    }
    // The sequence's own length binds the strict reading alone, and was looked at above.
    let length = cursor.next()?;
    for _ in 0..length.saturating_sub(0x80) {
        cursor.next()?;
    }
    let mut integer = || -> Option<Vec<u8>> {
        if cursor.next()? != 0x02 {
            return None;
        }
        let first = cursor.next()?;
        let mut length = u64::from(first);
        if first >= 0x80 {
            if !lax {
                return None;
            }
            length = 0;
            for _ in 0..first - 0x80 {
                length = length.checked_mul(256)? + u64::from(cursor.next()?);
            }
        }
        if length > bytes.len() as u64 {
            return None;
        }
        let digits: Vec<u8> = cursor.by_ref().take(length as usize).collect();
        let minimal = match digits[..] {
            [] => false,
            [first, ..] if first >= 0x80 => false,
            [0, second, ..] => second >= 0x80,
            _ => true,
        };
        (digits.len() as u64 == length && (lax || minimal)).then_some(digits)
    };
    let (r, s) = (integer()?, integer()?);
    (lax || cursor.next().is_none()).then_some((r, s))
}

/// An unsigned integer in 32 bytes, if it fits.
pub(super) fn fixed(digits: &[u8]) -> Option<FieldBytes> {
    let digits: Vec<u8> = digits.iter().copied().skip_while(|&byte| byte == 0).collect();
    let mut padded = [0; 32];
    padded.get_mut(32usize.checked_sub(digits.len())?..)?.copy_from_slice(&digits);
    Some(padded.into())
}

/// A key with a hybrid prefix turned into an ordinary one.
pub(super) fn key(bytes: &[u8], hybrid: bool) -> Option<Vec<u8>> {
    match (bytes.first()?, bytes.len()) {
        (2 | 3, 33) | (4, 65) => Some(bytes.to_vec()),
        (prefix @ 6..=7, 65) if hybrid && prefix & 1 == bytes[64] & 1 => {
            Some([&[4], &bytes[1..]].concat())
        }
        _ => None,
    }
}

//! The head that both kinds of record files share: magic, count, record size.

use super::super::ChainError;

/// First bytes of a file of signature checks.
pub(in super::super) const SIGCHK_MAGIC: &[u8; 8] = b"SIGCHK01";
/// First bytes of a file of recoveries.
pub(in super::super) const ETHRCV_MAGIC: &[u8; 8] = b"ETHRCV01";

/// Most bytes of a record file: the check holds it whole.
pub(in super::super) const FILE_LIMIT: usize = 256 << 20;

/// The records behind magic, count (u32 little-endian) and record size (likewise, `N` here). The
/// file must hold exactly as many as it says.
pub(super) fn records<'a, const N: usize>(
    bytes: &'a [u8],
    magic: &[u8; 8],
) -> Result<&'a [[u8; N]], ChainError> {
    if bytes.len() > FILE_LIMIT {
        return Err(ChainError::TooLarge { what: "record file".into(), limit: FILE_LIMIT });
    }
    let malformed = |why| ChainError::Malformed { what: "record file".into(), why };
    let Some((head, body)) = bytes.split_first_chunk::<16>() else {
        return Err(malformed("its head is cut short".into()));
    };
    if !head.starts_with(magic) {
        return Err(malformed(format!("it does not begin with {}", magic.escape_ascii())));
    }
    let field = |at: usize| {
        let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
        u32::from_le_bytes(bytes) as usize
    };
    let (count, size) = (field(8), field(12));
    if size != N {
        return Err(malformed(format!("records of {size} bytes where the form has {N}")));
    }
    let (records, rest) = body.as_chunks::<N>();
    if records.len() != count || !rest.is_empty() {
        let length = body.len();
        return Err(malformed(format!("{length} bytes of records where {count} are stated")));
    }
    Ok(records)
}

/// `N` bytes of a record.
pub(super) fn part<const N: usize>(record: &[u8], at: usize) -> &[u8; N] {
    record[at..at + N].try_into().expect("the slice has N bytes")
}

/// A record's field is not as the form has it.
pub(super) fn bad_field(record: usize, field: &str, why: String) -> ChainError {
    ChainError::Malformed { what: format!("record {record} field `{field}`"), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_must_fit_the_body() {
        let mut file = SIGCHK_MAGIC.to_vec();
        file.extend_from_slice(&[2, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(records::<3>(&file, SIGCHK_MAGIC).unwrap(), [[1, 2, 3], [4, 5, 6]]);
        assert!(records::<4>(&file, SIGCHK_MAGIC).is_err());
        assert!(records::<3>(&file, ETHRCV_MAGIC).is_err());
        for length in 0..file.len() {
            assert!(records::<3>(&file[..length], SIGCHK_MAGIC).is_err());
        }
        file.push(0);
        assert!(records::<3>(&file, SIGCHK_MAGIC).is_err());
    }
}

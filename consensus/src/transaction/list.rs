//! Transactions one after the other, as they travel: each tells its own length.

use super::{Kinds, SignedTransaction};
use crate::fields::{DecodeError, Fields};

/// Reads all transactions of the bytes.
///
/// # Errors
/// [`DecodeError`]: the first field that no encoder writes.
pub fn decode_list(bytes: &[u8]) -> Result<Vec<SignedTransaction>, DecodeError> {
    let mut fields = Fields::new(bytes);
    let mut all = Vec::with_capacity(bytes.len() / super::SHORTEST);
    while fields.left() > 0 {
        all.push(SignedTransaction::read(&mut fields, Kinds::All)?);
    }
    Ok(all)
}

/// Encodings one after the other, in lists of at most `most` bytes; none is longer by itself.
pub fn encode_list(all: &[Vec<u8>], most: usize) -> Vec<Vec<u8>> {
    let mut lists: Vec<Vec<u8>> = Vec::new();
    for one in all {
        match lists.last_mut() {
            Some(list) if list.len() + one.len() <= most => list.extend_from_slice(one),
            _ => lists.push(one.clone()),
        }
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::tests::{record, transfer};

    #[test]
    fn lists_are_read_as_written_in_parts_of_the_size() {
        let all = [transfer(1, 0), record(2, 0), transfer(3, 0), transfer(4, 0)];
        let encoded: Vec<_> = all.iter().map(SignedTransaction::encode).collect();
        let lists = encode_list(&encoded, 2 * 145 + 181);
        assert_eq!(lists.iter().map(Vec::len).collect::<Vec<_>>(), [145 + 181 + 145, 145]);
        let read: Vec<_> = lists.iter().flat_map(|list| decode_list(list).unwrap()).collect();
        assert_eq!(read, all);
        assert_eq!(decode_list(&[]), Ok(vec![]));
        assert!(decode_list(&lists[0][..470]).is_err());
    }
}

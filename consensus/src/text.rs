//! How hashes, digests and namespaces are written for people: by the HTTP interface and the command.

use alloy_primitives::hex;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is none of 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not 64 hexadecimal digits, with or without `0x`.
    #[error("`{0}` is no hash: 64 hexadecimal digits, with or without `0x`, are expected")]
    Hash(String),
    /// Neither `0x` and 64 hexadecimal digits nor a name of 1 to 32 bytes.
    #[error("`{0}` is no namespace: a name of 1 to 32 bytes, or `0x` and 64 digits, is expected")]
    Namespace(String),
}

/// Most characters of a wrong text that an error repeats.
const REPEATED: usize = 80;

fn start(text: &str) -> String {
    text.chars().take(REPEATED).collect()
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    (digits && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// Reads 32 bytes: 64 hexadecimal digits of either case, with or without `0x`.
///
/// # Errors
/// [`TextError::Hash`], with the start of the text.
pub fn hash(text: &str) -> Result<[u8; 32], TextError> {
    digits(text.strip_prefix("0x").unwrap_or(text)).ok_or_else(|| TextError::Hash(start(text)))
}

/// Reads a namespace: a name of 1 to 32 bytes of UTF-8, which is padded with zeros, or, where it
/// begins with `0x`, 64 hexadecimal digits.
///
/// # Errors
/// [`TextError::Namespace`], with the start of the text.
pub fn namespace(text: &str) -> Result<[u8; 32], TextError> {
    let named = || {
        let mut bytes = [0; 32];
        let padded = (1..=32).contains(&text.len());
        padded.then(|| bytes[..text.len()].copy_from_slice(text.as_bytes()))?;
        Some(bytes)
    };
    let bytes = text.strip_prefix("0x").map_or_else(named, digits);
    bytes.ok_or_else(|| TextError::Namespace(start(text)))
}

/// 32 bytes that are written as `0x` and 64 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hex32(pub [u8; 32]);

impl Serialize for Hex32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode_prefixed(self.0))
    }
}

impl<'de> Deserialize<'de> for Hex32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hash(&text).map(Hex32).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_have_64_digits() {
        let text = "0f".repeat(32);
        assert_eq!(hash(&text), Ok([0x0f; 32]));
        assert_eq!(hash(&format!("0x{}", text.to_uppercase())), Ok([0x0f; 32]));
        let wrong = ["", "0x", &text[1..], &format!("{text}0"), &text.replace("0f", "0g")];
        for text in wrong.iter().map(|text| text.to_string()) {
            assert_eq!(hash(&text), Err(TextError::Hash(text)));
        }
        assert!(hash(&format!("0x0x{}", &text[4..])).is_err());
        assert!(hash(&"\u{e9}".repeat(32)).is_err()); // 64 bytes, no digits
        match hash(&"z".repeat(1_000)) {
            Err(TextError::Hash(text)) => assert_eq!(text.len(), REPEATED),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn namespaces_are_names_or_digits() {
        let notary = namespace("notary").unwrap();
        assert_eq!((&notary[..6], &notary[6..]), (&b"notary"[..], &[0; 26][..]));
        assert_eq!(namespace(&"n".repeat(32)), Ok([b'n'; 32]));
        assert_eq!(namespace(&format!("0x{}", "ab".repeat(32))), Ok([0xab; 32]));
        for text in ["", "0x", "0xab", &"n".repeat(33)] {
            assert_eq!(namespace(text), Err(TextError::Namespace(text.to_owned())));
        }
    }
}

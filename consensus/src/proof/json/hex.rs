//! Bytes as `0x` and two digits each, of either case.

use alloy_primitives::hex;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// So many bytes.
#[derive(Clone, Copy)]
pub struct Hex<const N: usize>(pub [u8; N]);

/// Any number of bytes.
pub struct HexBytes(pub Vec<u8>);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode_prefixed(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let HexBytes(bytes) = HexBytes::deserialize(deserializer)?;
        let wrong =
            |bytes: Vec<u8>| de::Error::custom(format!("{} bytes; {N} are expected", bytes.len()));
        bytes.try_into().map(Hex).map_err(wrong)
    }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode_prefixed(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x");
        let digits = digits.filter(|text| text.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let bytes = digits.and_then(|digits| hex::decode(digits).ok()).map(HexBytes);
        bytes
            .ok_or_else(|| de::Error::custom("`0x` and two hexadecimal digits a byte are expected"))
    }
}

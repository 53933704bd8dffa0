//! Reads fixed fields from bytes; every failure names its field.

/// Why bytes are no encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end within a field.
    #[error("field `{field}` takes {want} bytes; {got} are left")]
    Short {
        /// Name of the field.
        field: &'static str,
        /// Bytes that it takes.
        want: usize,
        /// Bytes that were left.
        got: usize,
    },
    /// Bytes are left after the last field.
    #[error("{bytes} bytes follow the last field")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A field has a value that no encoder writes.
    #[error("field `{field}` is {value}; {allowed} is expected")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// What it says.
        value: u64,
        /// What it may say.
        allowed: &'static str,
    },
    /// A field exceeds its limit.
    #[error("field `{field}` is {value}; at most {limit} is allowed")]
    Limit {
        /// Name of the field.
        field: &'static str,
        /// What it says.
        value: u64,
        /// The most that it may say.
        limit: u64,
    },
}

/// Bytes that are read from front to back. Integers are big-endian.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Fields(bytes)
    }

    /// The next `bytes` bytes.
    pub fn take(&mut self, field: &'static str, bytes: usize) -> Result<&'a [u8], DecodeError> {
        let short = DecodeError::Short { field, want: bytes, got: self.0.len() };
        let (head, rest) = self.0.split_at_checked(bytes).ok_or(short)?;
        self.0 = rest;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        Ok(self.take(field, N)?.try_into().expect("N bytes were taken"))
    }

    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// The version byte, which is 1.
    pub fn version(&mut self) -> Result<(), DecodeError> {
        match self.u8("version")? {
            1 => Ok(()),
            other => {
                Err(DecodeError::Value { field: "version", value: other.into(), allowed: "1" })
            }
        }
    }

    /// Bytes that were not read yet.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// Nothing may be left.
    pub fn end(self) -> Result<(), DecodeError> {
        match self.0.len() {
            0 => Ok(()),
            bytes => Err(DecodeError::Trailing { bytes }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_name_their_field() {
        let mut fields = Fields::new(&[1, 0, 0, 0, 7]);
        fields.version().unwrap();
        assert_eq!(fields.u32("count"), Ok(7));
        let error = fields.clone().u64("nonce").unwrap_err();
        assert_eq!(error.to_string(), "field `nonce` takes 8 bytes; 0 are left");
        fields.end().unwrap();
        let mut fields = Fields::new(&[2, 3, 4]);
        assert_eq!(
            fields.version().unwrap_err().to_string(),
            "field `version` is 2; 1 is expected"
        );
        assert_eq!(fields.end(), Err(DecodeError::Trailing { bytes: 2 }));
    }
}

//! A cursor over untrusted bytes: nothing is sliced before its length is known to be there.

use super::{BitstreamError, Flaw, Format};

/// Reads big-endian fields of one file in turn.
pub(super) struct Reader<'a> {
    format: Format,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader that begins at `at`, which is at most the length.
    pub(super) fn new(format: Format, bytes: &'a [u8], at: usize) -> Self {
        Reader { format, bytes, at: at.min(bytes.len()) }
    }

    /// Where the next byte is.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// What was read since `from`.
    pub(super) fn since(&self, from: usize) -> &'a [u8] {
        &self.bytes[from..self.at]
    }

    /// The next `count` bytes.
    pub(super) fn take(
        &mut self,
        count: usize,
        field: &'static str,
    ) -> Result<&'a [u8], BitstreamError> {
        let Some(taken) = self.rest().get(..count) else {
            return Err(self.flaw_at(self.bytes.len(), Flaw::Ends { field }));
        };
        self.at += count;
        Ok(taken)
    }

    pub(super) fn byte(&mut self, field: &'static str) -> Result<u8, BitstreamError> {
        Ok(self.take(1, field)?[0])
    }

    /// A number of `count` bytes, at most four.
    pub(super) fn number(
        &mut self,
        count: usize,
        field: &'static str,
    ) -> Result<u32, BitstreamError> {
        debug_assert!(count <= 4, "a u32 holds it");
        let bytes = self.take(count, field)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// A field with one legal value.
    pub(super) fn exactly(
        &mut self,
        count: usize,
        field: &'static str,
        wanted: u32,
    ) -> Result<(), BitstreamError> {
        let at = self.at;
        let found = self.number(count, field)?;
        if found == wanted {
            return Ok(());
        }
        let (found, wanted) = (found.into(), wanted.into());
        Err(self.flaw_at(at, Flaw::Wrong { field, found, wanted }))
    }

    /// The error of a flaw at `offset`.
    pub(super) fn flaw_at(&self, offset: usize, flaw: Flaw) -> BitstreamError {
        BitstreamError::Flawed { format: self.format, offset, flaw }
    }
}

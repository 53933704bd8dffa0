//! A part of a batch: what goes to the device in one dispatch, and what its records have to look like.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::Fault;
use crate::parsed::Parsed;

#[cfg(target_endian = "big")]
compile_error!("operands are uploaded as they lie in memory: feature `gpu` wants little-endian");

/// The word that fills a record before a dispatch, and that no kernel writes as a status. To a kernel of
/// messages it says that a message is not begun.
pub(crate) const SENTINEL: u32 = 0x5EA1_C0DE;

/// What the items of a part are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Signatures,
    Messages,
    Trees,
}

/// How far a batch has been sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Items before this one are on their way.
    pub items: usize,
    /// So are the bytes before this one, of which some may be of that item: a tree goes in pieces.
    pub bytes: usize,
}

/// Items of a part, and the nonce that its records bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub kind: Kind,
    /// Items that it answers: none where it is a piece of a tree and not the last.
    pub items: Range<usize>,
    /// Bytes of the batch's column that go up, of messages and trees.
    pub bytes: Range<usize>,
    pub nonce: u32,
    /// The first row of the batch's pinned keys on the device, if they lie there.
    pub pinned: Option<u32>,
    /// Whether y of the keys is to come back.
    pub rooted: bool,
}

/// The uniform `Params` of `params.wgsl`.
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct Params {
    pub items: u32,
    pub stride: u32,
    pub first: u32,
    pub nonce: u32,
    pub algorithm: u32,
    pub share: u32,
    /// Offset of the first byte that went up, in the batch's column.
    pub base: u32,
    /// Levels that a piece of a tree rises by.
    pub rise: u32,
    pub pinned: u32,
    /// Whether records end with y of the key.
    pub rooted: u32,
    pub unused: [u32; 2],
}

/// A piece of the upload: where in the columns it belongs, and its bytes, a multiple of four.
pub(crate) type Piece<'a> = (usize, Cow<'a, [u8]>);

impl Part {
    /// The first `count` records that came back.
    ///
    /// # Errors
    /// [`Fault::Short`] where there are fewer.
    pub fn records<const N: usize>(bytes: &[u8], count: usize) -> Result<&[[u8; N]], Fault> {
        let records = bytes.as_chunks().0;
        records.get(..count).ok_or(Fault::Short { got: records.len(), want: count })
    }

    /// Checks the four words that end an item's record, and gives its status.
    ///
    /// # Errors
    /// A record that was not written, belongs to another part or item, or was made of other operands.
    pub fn check(
        &self,
        batch: &Parsed,
        item: usize,
        [nonce, index, checksum, status]: [u32; 4],
        expected: impl FnOnce() -> u32,
    ) -> Result<u32, Fault> {
        if status == SENTINEL {
            return Err(Fault::Short { got: item, want: batch.live() });
        }
        if nonce != self.nonce || index as usize != item {
            return Err(Fault::Stale);
        }
        if checksum != expected() {
            return Err(Fault::Device("operands reached the device changed".to_owned()));
        }
        Ok(status)
    }
}

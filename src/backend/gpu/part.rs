//! A part of a batch: what goes to the device in one dispatch, and what its records have to look like.

use std::borrow::Cow;
use std::ops::Range;

use crate::backend::gpu::buffers::Sizes;
use crate::backend::gpu::program::Kernel;
use crate::backend::gpu::signatures;
use crate::error::Fault;
use crate::parsed::Parsed;
use crate::verdict::Evidence;

#[cfg(target_endian = "big")]
compile_error!("operands are uploaded as they lie in memory: feature `gpu` wants little-endian");

/// The word that fills a record before a dispatch, and that no kernel writes as a status.
pub(crate) const SENTINEL: u32 = 0x5EA1_C0DE;

/// Items of a part, and the nonce that its records bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub items: Range<usize>,
    pub nonce: u32,
    /// The first row of the batch's pinned keys on the device, if they lie there.
    pub pinned: Option<u32>,
}

/// The uniform `Params` of `bindings.wgsl`.
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct Params {
    pub items: u32,
    pub stride: u32,
    pub first: u32,
    pub nonce: u32,
    pub algorithm: u32,
    pub share: u32,
    pub pinned: u32,
    pub unused: u32,
}

/// A piece of the upload: where in the columns it belongs, and its bytes, a multiple of four.
pub(crate) type Piece<'a> = (usize, Cow<'a, [u8]>);

impl Part {
    /// The items from `first` on that fit into one part.
    pub fn cut(batch: &Parsed, first: usize, sizes: Sizes) -> Range<usize> {
        first..batch.live().min(first + sizes.items)
    }

    /// Bytes of all its records.
    pub fn record_bytes(&self) -> usize {
        self.items.len() * signatures::RECORD
    }

    /// The parameters.
    pub fn params(&self, batch: &Parsed, sizes: Sizes) -> Params {
        signatures::params(self, batch, sizes)
    }

    /// The operands.
    pub fn pieces<'a>(&self, batch: &'a Parsed, sizes: Sizes) -> Vec<Piece<'a>> {
        signatures::pieces(self, batch, sizes)
    }

    /// The kernels that it runs through, with their invocations.
    pub fn steps(&self, batch: &Parsed) -> Vec<(Kernel, usize)> {
        signatures::steps(self, batch)
    }

    /// Writes what its records say into its items of the batch's evidence.
    pub fn collect(
        &self,
        batch: &Parsed,
        bytes: &[u8],
        evidence: &mut Evidence,
    ) -> Result<(), Fault> {
        signatures::collect(self, batch, bytes, evidence)
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

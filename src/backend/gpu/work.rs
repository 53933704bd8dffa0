//! What a part is to the device, by what its items are: signatures, messages or trees.

use crate::algorithm::Algorithm;
use crate::backend::gpu::part::{Kind, Params, Part, Piece, Sent};
use crate::backend::gpu::program::Kernel;
use crate::backend::gpu::sizes::{DIGEST_RECORD, RECORD, ROOTED, Sizes};
use crate::backend::gpu::{messages, signatures, trees};
use crate::error::Fault;
use crate::parsed::Parsed;
use crate::verdict::Evidence;

impl Part {
    /// What fits into one part, from where the last ended.
    pub fn cut(batch: &Parsed, sent: Sent, nonce: u32, sizes: Sizes) -> Part {
        let (kind, (items, bytes)) = match batch.algorithm() {
            Algorithm::Sha256 | Algorithm::Sha256d | Algorithm::Keccak256 => {
                (Kind::Messages, messages::cut(batch, sent, sizes))
            }
            Algorithm::MerkleRootSha256d => (Kind::Trees, trees::cut(batch, sent, sizes)),
            _ => {
                let end = batch.live().min(sent.items + sizes.items);
                (Kind::Signatures, (sent.items..end, 0..0))
            }
        };
        Part { kind, items, bytes, nonce, pinned: None, rooted: false }
    }

    /// Where the next part begins.
    pub fn end(&self) -> Sent {
        Sent { items: self.items.end, bytes: self.bytes.end }
    }

    /// Bytes of all its records.
    pub fn record_bytes(&self) -> usize {
        match self.kind {
            Kind::Signatures if self.rooted => self.items.len() * ROOTED,
            Kind::Signatures => self.items.len() * RECORD,
            // A piece of a tree has a record too.
            Kind::Messages | Kind::Trees => self.items.len().max(1) * DIGEST_RECORD,
        }
    }

    /// The parameters.
    pub fn params(&self, batch: &Parsed, sizes: Sizes) -> Params {
        match self.kind {
            Kind::Signatures => signatures::params(self, batch, sizes),
            Kind::Messages => messages::params(self, batch),
            Kind::Trees => trees::params(self, batch, sizes),
        }
    }

    /// The operands.
    pub fn pieces<'a>(&self, batch: &'a Parsed, sizes: Sizes) -> Vec<Piece<'a>> {
        match self.kind {
            Kind::Signatures => signatures::pieces(self, batch, sizes),
            Kind::Messages => messages::pieces(self, batch),
            Kind::Trees => trees::pieces(self, batch),
        }
    }

    /// The kernels that it runs through, with their invocations.
    pub fn steps(&self, batch: &Parsed, sizes: Sizes) -> Vec<(Kernel, usize)> {
        match self.kind {
            Kind::Signatures => signatures::steps(self, batch),
            Kind::Messages => messages::steps(self, batch),
            Kind::Trees => trees::steps(self, batch, sizes),
        }
    }

    /// Writes what its records say into its items of the batch's evidence.
    pub fn collect(
        &self,
        batch: &Parsed,
        bytes: &[u8],
        evidence: &mut Evidence,
    ) -> Result<(), Fault> {
        match self.kind {
            Kind::Signatures => signatures::collect(self, batch, bytes, evidence),
            Kind::Messages => messages::collect(self, batch, bytes, evidence),
            Kind::Trees => trees::collect(self, batch, bytes, evidence),
        }
    }
}
